/** A failure that the command line tells and ends with a documented code; see exit.ts. */
import type { Diagnostic } from '../../../dsl/diagnostics/diagnostic.ts';
import type { SourceFile } from '../../../dsl/diagnostics/source-file.ts';
import { exitCodes } from './exit.ts';

export interface CliErrorDetails {
  /** Shown in frames; then the message is a last line. */
  readonly diagnostics?: readonly Diagnostic[];
  /** The texts the diagnostics point into. */
  readonly sources?: readonly SourceFile[];
  /** What the user can do about it. */
  readonly help?: string;
  readonly cause?: unknown;
}

/** An end that is not a bug: something for the user to read, and an exit code. */
export class CliError extends Error {
  readonly exitCode: number;
  readonly diagnostics: readonly Diagnostic[];
  readonly sources: readonly SourceFile[];
  readonly help: string | null;

  constructor(exitCode: number, message: string, more: CliErrorDetails = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'CliError';
    this.exitCode = exitCode;
    this.diagnostics = more.diagnostics ?? [];
    this.sources = more.sources ?? [];
    this.help = more.help ?? null;
  }
}

/** The command line is wrong. */
export function usageError(message: string, help?: string): CliError {
  return new CliError(exitCodes.usage, message, { help });
}

/** The program has errors; `sources` are the texts they point into. */
export function programError(diagnostics: readonly Diagnostic[], sources: readonly SourceFile[]): CliError {
  const n = diagnostics.filter((d) => d.severity === 'error').length;
  return new CliError(exitCodes.input, `${n} ${n === 1 ? 'error' : 'errors'}`, { diagnostics, sources });
}
