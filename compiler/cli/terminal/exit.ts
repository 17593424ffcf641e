/**
 * How the command line ends: its exit codes, signals, and letting the process drain. Which code an error has is in failures.ts.
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
 * - Nothing of moec is imported here: this file is loaded by every call, also by `moec --version`.
 * - Whoever stages files removes them on the process event `exit` (io.ts), which signals reach through `process.exit`.
 */
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

/**
 * Runs work that has something to keep when it is stopped: the first SIGINT or SIGTERM tells it so, and it ends by itself; the next one
 * ends the process. Its exit code is that of the signal all the same.
 */
export async function stoppable<T>(work: (isStopped: () => boolean) => Promise<T>): Promise<T> {
  let stopped: ExitCode | null = null;
  const stop = (code: ExitCode): void => {
    if (stopped !== null) process.exit(code);
    stopped = code;
  };
  const [onFirstInterrupt, onFirstTerminate] = [() => stop(exitCodes.interrupted), () => stop(exitCodes.terminated)];
  process.off('SIGINT', onInterrupt);
  process.off('SIGTERM', onTerminate);
  process.on('SIGINT', onFirstInterrupt);
  process.on('SIGTERM', onFirstTerminate);
  try {
    return await work(() => stopped !== null);
  } finally {
    process.off('SIGINT', onFirstInterrupt);
    process.off('SIGTERM', onFirstTerminate);
    listen();
    if (stopped !== null) process.exitCode = stopped;
  }
}

/** Runs the program, has what it throws told, which decides the exit code, and lets the loop drain. */
export async function runMain(main: () => Promise<void>, fail: (error: unknown) => Promise<number>): Promise<void> {
  listen();
  // A reader that has seen enough, as in `moec inspect … | head`, is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : exitCodes.io));
  process.stderr.on('error', () => undefined);
  try {
    await main();
  } catch (error) {
    process.exitCode = exitCodes.internal;
    process.exitCode = await fail(error);
  }
  // The callback runs when what was written has reached the reader, however slow it is.
  process.stdout.write('', () => setTimeout(() => process.exit(), 2000).unref());
}
