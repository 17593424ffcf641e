/**
 * The file that `moec tune` writes and `--tuned` reads: one record a line, as JSON. Many may append to it, each a record by one write of one
 * whole line, so it is never rewritten and never locked: a line that is torn, or that another program wrote, is no record and is passed
 * over, and of several records of the same the fastest counts.
 */
import { changeText, readChange, together, type Change } from '../../schedule/deciding/changes.ts';

/** What an adapter says of itself: the driver is in its description. */
export interface AdapterKey {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
}

/** Changes to the schedule of a graph that made its runs faster, on one adapter, with some sizes. */
export interface TunedRecord {
  /** The compiler that was measured. */
  readonly moec: string;
  readonly graph: string;
  /** Of devices: the forms that were measured. */
  readonly class: string;
  readonly adapter: AdapterKey;
  /** Sizes of the run. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly changes: readonly Change[];
  /** Time of a run's launches, of what it was with the default. */
  readonly ratio: number;
  /** By how much a ratio of the launches that differ had to be less than 1. */
  readonly noise: number;
  /** What the adapter reached in that sitting. */
  readonly roofline: { readonly bytesPerSecond: number; readonly flopsPerSecond: number };
  readonly date: string;
}

/** A record, and where it stands in its file, from 1. */
export interface FoundRecord {
  readonly line: number;
  readonly record: TunedRecord;
}

export interface TunedFile {
  readonly records: readonly FoundRecord[];
  /** Lines that are no records. */
  readonly others: number;
}

/** A line, without its end. */
export function recordText({ changes, ...record }: TunedRecord): string {
  return JSON.stringify({ ...record, changes: changes.map(changeText) });
}

export function readRecords(text: string): TunedFile {
  const lines = text.split('\n').map((said, i) => ({ said: said.trim(), line: i + 1 }));
  const found = lines.filter(({ said }) => said !== '').map(({ said, line }) => ({ line, record: recordOf(said) }));
  const records = found.flatMap(({ line, record }) => (record === null ? [] : [{ line, record }]));
  return { records, others: found.length - records.length };
}

function recordOf(line: string): TunedRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  const { moec, graph, class: of, adapter, sizes, changes, ratio, noise, roofline, date } = value;
  if (!isText(moec) || !isText(graph) || !isText(of) || !isText(date)) return null;
  if (!isPositive(ratio) || !isPositive(noise) || !isObject(roofline) || !isObject(sizes)) return null;
  const { bytesPerSecond, flopsPerSecond } = roofline;
  const key = adapterOf(adapter);
  if (!isPositive(bytesPerSecond) || !isPositive(flopsPerSecond) || key === null || !isSizes(sizes)) return null;
  if (!Array.isArray(changes) || changes.length === 0) return null;
  const read = changes.map((text: unknown) => (isText(text) ? readChange(text) : null));
  const known = read.filter((change) => change !== null);
  if (known.length < read.length) return null;
  return {
    moec, graph, class: of, adapter: key, sizes, changes: known, ratio, noise, roofline: { bytesPerSecond, flopsPerSecond }, date,
  }; // prettier-ignore
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';
const isPositive = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0;
const isSizes = (value: Readonly<Record<string, unknown>>): value is Readonly<Record<string, number>> =>
  Object.values(value).every((size) => Number.isSafeInteger(size));

function adapterOf(value: unknown): AdapterKey | null {
  if (!isObject(value)) return null;
  const { vendor, architecture, device, description } = value;
  return isText(vendor) && isText(architecture) && isText(device) && isText(description)
    ? { vendor, architecture, device, description }
    : null;
}

/** Of records of one graph, compiler, adapter and regime the fastest; the fastest of all first. */
export function merged(records: readonly FoundRecord[]): readonly FoundRecord[] {
  const best = new Map<string, FoundRecord>();
  for (const found of records.toSorted((a, b) => a.record.ratio - b.record.ratio || a.line - b.line)) {
    const { moec, graph, class: of, adapter, sizes } = found.record;
    const { vendor, architecture, device, description } = adapter;
    const regime = Object.entries(sizes).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const key = JSON.stringify([moec, graph, of, vendor, architecture, device, description, regime]);
    if (!best.has(key)) best.set(key, found);
  }
  return [...best.values()];
}

/**
 * The changes of records to one graph, the fastest first. A decision that several take is the fastest one's: forms of classes of devices are
 * decisions of their own, so records of different classes meet only in what all devices share.
 */
export function changesOf(records: readonly FoundRecord[]): readonly Change[] {
  return together(...records.toReversed().map(({ record }) => record.changes));
}

/** Records by their graphs, in their order. */
export function byGraph(records: readonly FoundRecord[]): ReadonlyMap<string, readonly FoundRecord[]> {
  const found = new Map<string, FoundRecord[]>();
  for (const one of records) {
    const { graph } = one.record;
    const known = found.get(graph);
    if (known === undefined) found.set(graph, [one]);
    else known.push(one);
  }
  return found;
}
