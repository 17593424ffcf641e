/**
 * Wall time and CPU time of work on a device. Everything that is compared takes turns, so that what else a machine does falls on all
 * alike; the thread that waits sleeps for most of a call, since one that polls takes a core from a driver that computes on the CPU.
 */
import { readFileSync, readdirSync } from 'node:fs';

export interface Spread {
  readonly median: number;
  readonly min: number;
}

/** Milliseconds of one call. */
export interface Timing {
  readonly wall: Spread;
  /** Of all threads of the process. */
  readonly cpu: Spread;
  /** Of the threads that the driver has started; null where the system does not tell. */
  readonly driver: Spread | null;
  readonly calls: number;
}

export interface Job {
  readonly name: string;
  /** One call, from commands to the end of the work; `calm`: milliseconds in which it is not going to end. */
  readonly run: (calm: number) => Promise<void>;
}

export interface Patience {
  /** Milliseconds for all jobs together, after the fewest calls. */
  readonly budget: number;
  readonly fewest: number;
  readonly most: number;
}

/** Threads of this process that there were before a driver was loaded. Linux alone tells them. */
export class DriverThreads {
  readonly #early = new Set(threads());

  /** Milliseconds of CPU that the driver's threads have used; null where nobody says. */
  used(): number | null {
    const own = threads().filter((thread) => !this.#early.has(thread));
    if (own.length === 0) return null;
    return own.reduce((sum, thread) => sum + nanoseconds(thread) / 1e6, 0);
  }
}

function threads(): readonly string[] {
  try {
    return readdirSync('/proc/self/task');
  } catch {
    return [];
  }
}

/** A thread that has ended meanwhile has none to tell. */
function nanoseconds(thread: string): number {
  try {
    return Number(readFileSync(`/proc/self/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
  } catch {
    return 0;
  }
}

const nap = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps without polling. */
export function sleep(milliseconds: number): void {
  if (milliseconds > 0.5) Atomics.wait(nap, 0, 0, milliseconds);
}

interface Samples {
  readonly wall: number[];
  readonly cpu: number[];
  readonly driver: (number | null)[];
}

/** Runs jobs in turns until the budget is spent. Each must have run before: the first call of a driver is another thing. */
export async function timeInTurns(
  jobs: readonly Job[],
  threadsOfDriver: DriverThreads,
  { budget, fewest, most }: Patience,
): Promise<readonly Timing[]> {
  const taken = jobs.map((): Samples => ({ wall: [], cpu: [], driver: [] }));
  const started = performance.now();
  for (let round = 0; round < most && (round < fewest || performance.now() - started < budget); round++) {
    for (const [i, job] of jobs.entries()) {
      const samples = taken[i];
      if (samples === undefined) continue;
      const calm = samples.wall.length === 0 ? 0 : 0.8 * Math.min(...samples.wall);
      const driver = threadsOfDriver.used();
      const cpu = process.cpuUsage();
      const begun = performance.now();
      await job.run(calm);
      samples.wall.push(performance.now() - begun);
      const used = process.cpuUsage(cpu);
      samples.cpu.push((used.user + used.system) / 1000);
      const after = threadsOfDriver.used();
      samples.driver.push(driver === null || after === null ? null : after - driver);
    }
  }
  return taken.map(({ wall, cpu, driver }) => {
    const told = driver.filter((ms) => ms !== null);
    return {
      wall: spreadOf(wall),
      cpu: spreadOf(cpu),
      driver: told.length === driver.length ? spreadOf(told) : null,
      calls: wall.length,
    };
  });
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? NaN, min: sorted[0] ?? NaN };
}

/**
 * The number that decides between two timings of one sitting: CPU time of the driver where it computes on the CPU, since other jobs
 * lengthen wall time and not that; else wall time. The least of several calls, which what else goes on disturbs least.
 */
export function decisive({ wall, driver }: Timing, software: boolean): number {
  return software && driver !== null && driver.min > 0 ? driver.min : wall.min;
}
