/** What a sitting found, as data (JSON), and how two sittings compare. */
import type { Group } from './cases.ts';
import type { Timing } from './timing.ts';

export interface Row {
  /** `S1 T=16`: the same row of another sitting has it too. */
  readonly key: string;
  readonly group: Group;
  readonly subject: string;
  readonly text: string;
  readonly tokens: number;
  /** What a series grows in. */
  readonly at: number | null;
  /** Floating-point operations of the matrix products that the equation asks for. */
  readonly operations: number;
  readonly launches: number;
  readonly kernels: number;
  /** Milliseconds of the compiler; until the model had its pipelines; of the first run. */
  readonly compile: number;
  readonly create: number;
  readonly first: number;
  /** A recorded run, from buffers of the device to buffers of the device. */
  readonly encoded: Timing;
  /** A run as it is called, from numbers to numbers. */
  readonly called: Timing;
  readonly ceiling: { readonly kernel: string; readonly timing: Timing; readonly time: number } | null;
  /** The time that decides, in milliseconds, and the ceiling's over it. */
  readonly time: number;
  readonly share: number | null;
  /** The largest difference from the float64 reference over its largest number; null where it was not looked at. */
  readonly error: number | null;
}

/** A layer by other means, as its own script tells it. */
export interface PeerRow {
  readonly peer: string;
  readonly shape: string;
  readonly median: number;
  readonly min: number | null;
  readonly cpu: number | null;
  readonly note: string | null;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory: number;
  readonly system: string;
  readonly node: string;
  /** Jobs that waited for a core, on the mean of a minute, when the sitting began and when it ended. */
  readonly load: readonly [before: number, after: number];
}

export interface Report {
  readonly schema: 1;
  readonly moec: string;
  readonly date: string;
  readonly quick: boolean;
  readonly seconds: number;
  readonly machine: Machine;
  readonly adapter: {
    readonly name: string;
    readonly description: string;
    readonly software: boolean;
    readonly lanes: number;
  };
  /** What decides between times: CPU time of the driver's threads, or wall time. */
  readonly decides: 'driver' | 'wall';
  readonly rows: readonly Row[];
  readonly peers: readonly PeerRow[];
  /** What was to be measured and was not, with the reason. */
  readonly left: readonly { readonly key: string; readonly reason: string }[];
}

/** A report from its text, or why it is none. */
export function readReport(text: string): Report | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  return isReport(value) ? value : 'it is no report of this benchmark';
}

function isReport(value: unknown): value is Report {
  return (
    typeof value === 'object' &&
    value !== null &&
    Reflect.get(value, 'schema') === 1 &&
    Array.isArray(Reflect.get(value, 'rows')) &&
    typeof Reflect.get(value, 'adapter') === 'object'
  );
}

export interface Difference {
  readonly key: string;
  /** The time now over the time then, each in units of its sitting's ceiling where both have one. */
  readonly ratio: number;
  /** Within this factor the ratio says nothing: what medians differ from minima by, of both. */
  readonly noise: number;
  readonly outcome: 'faster' | 'slower' | 'the same';
  readonly ceilings: boolean;
}

/** No sitting is quieter than this. */
const LEAST_NOISE = 1.03;

/** Rows that both sittings have. */
export function compareReports(now: Report, then: Report): readonly Difference[] {
  return now.rows.flatMap((row): readonly Difference[] => {
    const old = then.rows.find(({ key }) => key === row.key);
    if (old === undefined) return [];
    const ceilings = row.share !== null && old.share !== null && row.share > 0 && old.share > 0;
    const ratio = ceilings ? (old.share ?? NaN) / (row.share ?? NaN) : row.time / old.time;
    const noise = [row, old]
      .flatMap((each) => [each.encoded, ...(ceilings && each.ceiling !== null ? [each.ceiling.timing] : [])])
      .reduce((product, timing) => product * Math.sqrt(unrest(timing)), LEAST_NOISE);
    const outcome = ratio > noise ? 'slower' : ratio < 1 / noise ? 'faster' : 'the same';
    return [{ key: row.key, ratio, noise, outcome, ceilings }];
  });
}

/** How far calls of one timing are apart: the median over the least, by the driver's CPU time where it is known. */
function unrest({ wall, driver }: Timing): number {
  const of = driver !== null && driver.min > 0 ? driver : wall;
  return Math.max(1, of.median / of.min);
}
