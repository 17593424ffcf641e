import { Command } from 'commander';
import type { Session } from './session.ts';
export const compileVerb = (_: Session): Command => new Command('compile');
