/**
 * The one exception of the compiler. What a user wrote never throws: it becomes a diagnostic. A `CompilerBug` means
 * that we broke one of our own invariants; it names the stage so that a report says where to look.
 */
export class CompilerBug extends Error {
  readonly stage: string;

  constructor(stage: string, message: string, options?: ErrorOptions) {
    super(`bug in moec, stage ${stage}: ${message}`, options);
    this.name = 'CompilerBug';
    this.stage = stage;
  }
}

/** What a verifier found: nothing, or a bug of the stage that made it. At most twenty faults are told, as one often makes many. */
export function verified(stage: string, what: string, faults: readonly string[]): void {
  if (faults.length === 0) return;
  const more = faults.length > 20 ? `\n  and ${faults.length - 20} more` : '';
  throw new CompilerBug(stage, `${what} is not well formed:\n  ${faults.slice(0, 20).join('\n  ')}${more}`);
}

/** For the `default` of an exhaustive `switch`: does not compile if an alternative is forgotten. */
export function unreachable(value: never, stage: string): never {
  throw new CompilerBug(stage, `unhandled alternative ${JSON.stringify(value)?.slice(0, 200)}`);
}
