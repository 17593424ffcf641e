import { Command } from 'commander';
import type { Session } from './session.ts';
export const kernelsVerb = (_: Session): Command => new Command('kernels');
export const memoryVerb = (_: Session): Command => new Command('memory');
