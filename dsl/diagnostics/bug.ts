/**
 * The exception for our own mistakes. A mistake of a user becomes a diagnostic; `TooMuch` carries one out of a recursion and is caught
 * where the recursion began. A `CompilerBug` means that we broke one of our own invariants; it names the stage so that a report says
 * where to look.
 */

/** Where a bug shows: a stage of the line in ARCHITECTURE.md, or a room that serves several. `test`: what a test looks up. */
export const stages = [
  'tokens',
  'parse',
  'ast',
  'print',
  'check',
  'program',
  'primitives',
  'tensors',
  'instantiate',
  'bindings',
  'sizes',
  'interpret',
  'elaborate',
  'graph',
  'error bounds',
  'passes',
  'schedule',
  'kernel',
  'kernels',
  'legalise',
  'wgsl',
  'manifest',
  'simulate',
  'verify',
  'compile',
  'api',
  'cli',
  'test',
] as const;

/** A pass of `compiler/passes` is a stage by its name. */
export type Stage = (typeof stages)[number] | `pass ${string}`;

export class CompilerBug extends Error {
  readonly stage: Stage;

  constructor(stage: Stage, message: string, options?: ErrorOptions) {
    super(`bug in moec, stage ${stage}: ${message}`, options);
    this.name = 'CompilerBug';
    this.stage = stage;
  }
}

/**
 * What a verifier found of `what` (a noun, `the graph`): nothing, or a bug of the stage that made it. At most twenty faults are told,
 * as one often makes many.
 */
export function verified(stage: Stage, what: string, faults: readonly string[]): void {
  if (faults.length === 0) return;
  const more = faults.length > 20 ? `\n  and ${faults.length - 20} more` : '';
  throw new CompilerBug(stage, `${what} is not well formed:\n  ${faults.slice(0, 20).join('\n  ')}${more}`);
}

/** For the `default` of an exhaustive `switch`: does not compile if an alternative is forgotten. */
export function unreachable(value: never, stage: Stage): never {
  throw new CompilerBug(stage, `unhandled alternative ${spell(value)}`);
}

/** Characters of a value that the message of a bug shows. */
const MAX_SPELT = 200;

/** A value in the message of a bug, which must be told whatever the value is: sizes hold bigints, which JSON has not. */
export function spell(value: unknown): string {
  if (value === undefined || typeof value === 'bigint') return `${value}`;
  const text: unknown = JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each));
  return String(text).slice(0, MAX_SPELT);
}
