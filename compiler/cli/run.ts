import { Command } from 'commander';
import type { Session } from './session.ts';
export const runVerb = (_: Session): Command => new Command('run');
