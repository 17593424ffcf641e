/**
 * What tells a program that hangs from one that merely takes long on a loaded machine: the processor time it used, not the clock. A
 * thread of its own looks (watch-thread.mjs), since the main one may be in a loop that never ends.
 */
import { Worker } from 'node:worker_threads';

export interface Limits {
  /** Processor time that a program may use: milliseconds. */
  readonly work: number;
  /** How long it may use none: it waits for what never comes. */
  readonly rest: number;
}

/** On a processor of its own a program needs less than a second on kernels and less than ten on a GPU in software. */
export const limits: Limits = { work: 60_000, rest: 60_000 };

/** What the memory that both threads see has: how many programs began, and how much more than others the last one may use. */
const [begun, allowance] = [0, 1] as const;

/** Begins to watch. Tell what it gives whenever a program begins, with the milliseconds it may use beyond the limit. */
export function watch(given: Limits = limits): (more?: number) => void {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const workerData = { ...given, shared, begun, allowance };
  new Worker(new URL('watch-thread.mjs', import.meta.url), { workerData, execArgv: [] }).unref();
  return (more = 0) => {
    Atomics.store(shared, allowance, more);
    Atomics.add(shared, begun, 1);
  };
}
