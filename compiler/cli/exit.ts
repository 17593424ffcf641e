/**
 * How the command line ends: its exit codes, the error that carries one, signals, and letting the process drain.
 *
 * | code | meaning |
 * | --- | --- |
 * | 0 | good |
 * | 1 | what the user gave has errors: a program, weights, inputs |
 * | 2 | the command line itself is wrong |
 * | 3 | the environment does not suffice: no adapter, a feature or a limit missing |
 * | 4 | the device failed: lost, out of memory, no answer in time |
 * | 5 | `verify` found nothing wrong, and could not verify everything either |
 * | 70 | a bug of moec |
 * | 74 | a file could not be read or written |
 * | 130, 143 | stopped by SIGINT, SIGTERM |
 *
 * Invariants:
 * - Verbs never call `process.exit`: they return or throw, `runMain` sets `process.exitCode` and the loop drains. Devices and
 *   pipes are then closed in order; a driver that keeps the loop alive is cut off after two seconds.
 * - Whoever stages files removes them on the process event `exit` (io.ts), which signals reach through `process.exit`.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import type { Diagnostic, SourceFile } from '../../dsl/diagnostics/diagnostic.ts';
import {
  DeviceLostError,
  type ErrorCode,
  MoecError,
  OutOfMemoryError,
  RequirementsError,
  RunError,
  TimeoutError,
} from '../../runtime/errors.ts';
import { CliError } from './cli-error.ts';

export const exitCodes = {
  ok: 0,
  input: 1,
  usage: 2,
  environment: 3,
  device: 4,
  unverified: 5,
  internal: 70,
  io: 74,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The command line is wrong. */
export function usageError(message: string, help?: string): CliError {
  return new CliError(exitCodes.usage, message, { help });
}

/** The program has errors; `sources` are the texts they point into. */
export function programError(diagnostics: readonly Diagnostic[], sources: readonly SourceFile[]): CliError {
  const n = diagnostics.filter((d) => d.severity === 'error').length;
  return new CliError(exitCodes.input, `${n} ${n === 1 ? 'error' : 'errors'}`, { diagnostics, sources });
}

/** What an error of the runtime means; a `RunError` is about the numbers of a run, whatever its code. */
function exitCodeOfRuntime(error: MoecError): ExitCode {
  if (error instanceof RunError) return exitCodes.input;
  if (error instanceof OutOfMemoryError) return error.code === 'MOE0704' ? exitCodes.device : exitCodes.environment;
  if (error instanceof DeviceLostError || error instanceof TimeoutError) return exitCodes.device;
  if (error instanceof RequirementsError || isNoAdapter(error)) return exitCodes.environment;
  return error.code === 'MOE0700' ? exitCodes.internal : exitCodes.input;
}

/** Whether nothing was found to run on: the one failure whose help is how to install something. */
export function isNoAdapter(error: unknown): boolean {
  return error instanceof MoecError && !(error instanceof RunError) && error.code === noAdapterCode;
}

const noAdapterCode: ErrorCode = 'MOE0701';

/** Codes of the operating system for files: what they are called here. */
const fileFaults: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file or folder'],
  ['ENOTDIR', 'a part of the path is not a folder'],
  ['EISDIR', 'this is a folder'],
  ['EACCES', 'access is denied'],
  ['EPERM', 'this is not permitted'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the disk quota is used up'],
  ['EMFILE', 'too many files are open'],
  ['ENFILE', 'too many files are open'],
  ['EEXIST', 'it is already there'],
  ['ENOTEMPTY', 'the folder is not empty'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['ELOOP', 'too many links follow one another'],
  ['EXDEV', 'this would move a file to another volume'],
  ['ENXIO', 'nobody reads it, or no such device is there'],
  ['ENODEV', 'no such device is there'],
  ['EPIPE', 'its reader has gone'],
  ['EIO', 'the disk reports an error'],
  ['EFBIG', 'the file would be too large'],
  ['ETXTBSY', 'the file is in use'],
  ['EBUSY', 'it is in use'],
  ['ERR_FS_FILE_TOO_LARGE', 'the file is too large'],
]);

/** The system's code of a failed file operation, or null for any other error. */
export function fileFaultOf(error: unknown): { readonly code: string; readonly text: string } | null {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string') return null;
  const text = fileFaults.get(code);
  return text === undefined ? null : { code, text };
}

/** What an error means for whoever called the command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CliError) return error.exitCode;
  if (error instanceof MoecError) return exitCodeOfRuntime(error);
  if (error instanceof CompilerBug) return exitCodes.internal;
  return fileFaultOf(error) === null ? exitCodes.internal : exitCodes.io;
}

const onInterrupt = (): void => process.exit(exitCodes.interrupted);
const onTerminate = (): void => process.exit(exitCodes.terminated);

function listen(): void {
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
}

/**
 * Runs work that may occupy the thread for long, and in which nothing is staged: a handler could not run, so for its time
 * signals have their default effect, which is to end the process at once.
 */
export async function killable<T>(work: () => Promise<T> | T): Promise<T> {
  process.off('SIGINT', onInterrupt);
  process.off('SIGTERM', onTerminate);
  try {
    return await work();
  } finally {
    listen();
  }
}

/** Runs the program, turns what it throws into an exit code, and lets the loop drain. */
export async function runMain(main: () => Promise<void>, report: (error: unknown) => void): Promise<void> {
  listen();
  // A reader that has seen enough, as in `moec inspect … | head`, is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : exitCodes.io));
  process.stderr.on('error', () => undefined);
  try {
    await main();
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    report(error);
  }
  // The callback runs when what was written has reached the reader, however slow it is.
  process.stdout.write('', () => setTimeout(() => process.exit(), 2000).unref());
}
