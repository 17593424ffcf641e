import { Command } from 'commander';
import type { Session } from './session.ts';
export const verifyVerb = (_: Session): Command => new Command('verify');
