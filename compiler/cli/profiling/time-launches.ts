/**
 * How long launches take, one by one and in their order: by timestamps around each where the device has them, else by submissions of
 * their own, from which the wait for an empty one is taken away.
 */
import type { RecordedLaunch } from './recorded-launches.ts';

export type Method = 'timestamps' | 'submissions';

/** Milliseconds since the first launch began. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

/** Times launches once, in order. */
export type TimeLaunches = (launches: readonly RecordedLaunch[]) => Promise<readonly Interval[]>;

const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const MAP_READ = 0x1;
const QUERY_RESOLVE = 0x200;

/** Launches of one set of queries: WebGPU allows 4,096 of them, and each launch takes two. */
const LAUNCHES_OF_A_SET = 2048;

const NANOSECONDS = 1e6;

/** By timestamps, which `timestamp-query` of the device gives. */
export function byTimestamps(device: GPUDevice): TimeLaunches {
  return async (launches) => {
    const words: bigint[] = [];
    for (let at = 0; at < launches.length; at += LAUNCHES_OF_A_SET)
      words.push(...(await timestampsOf(device, launches.slice(at, at + LAUNCHES_OF_A_SET))));
    const [first = 0n] = words;
    // Differences are small; the words themselves count from some start of the machine.
    const since = (word: bigint | undefined): number => Number((word ?? first) - first) / NANOSECONDS;
    return launches.map((_, i) => ({ start: since(words[2 * i]), end: since(words[2 * i + 1]) }));
  };
}

async function timestampsOf(device: GPUDevice, launches: readonly RecordedLaunch[]): Promise<readonly bigint[]> {
  const count = 2 * launches.length;
  const querySet = device.createQuerySet({ type: 'timestamp', count });
  const resolved = device.createBuffer({ size: 8 * count, usage: QUERY_RESOLVE | COPY_SRC });
  const staging = device.createBuffer({ size: 8 * count, usage: COPY_DST | MAP_READ });
  try {
    const encoder = device.createCommandEncoder({ label: 'profile' });
    launches.forEach((launch, i) => {
      const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
      encode(encoder, launch, { timestampWrites });
    });
    encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, 8 * count);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MAP_READ);
    return [...new BigUint64Array(staging.getMappedRange().slice(0))];
  } finally {
    querySet.destroy();
    resolved.destroy();
    staging.destroy();
  }
}

/** Empty submissions that tell what a wait costs. */
const EMPTY_SUBMISSIONS = 20;

/** By a submission for each launch, without what an empty one takes. */
export async function bySubmissions(device: GPUDevice): Promise<TimeLaunches> {
  const one = async (launch: RecordedLaunch | null): Promise<number> => {
    const encoder = device.createCommandEncoder({ label: 'profile' });
    if (launch === null) encoder.beginComputePass().end();
    else encode(encoder, launch, {});
    const commands = encoder.finish();
    const begun = performance.now();
    device.queue.submit([commands]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - begun;
  };
  const empty: number[] = [];
  for (let i = 0; i < EMPTY_SUBMISSIONS; i++) empty.push(await one(null));
  const wait = median(empty);
  return async (launches) => {
    const intervals: Interval[] = [];
    let start = 0;
    for (const launch of launches) {
      const end = start + Math.max(0, (await one(launch)) - wait);
      intervals.push({ start, end });
      start = end;
    }
    return intervals;
  };
}

function encode(
  encoder: GPUCommandEncoder,
  { label, pipeline, group, grid }: RecordedLaunch,
  descriptor: GPUComputePassDescriptor,
): void {
  const pass = encoder.beginComputePass({ label, ...descriptor });
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(...grid);
  pass.end();
}

/** The middle one of several numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new RangeError('there is no median of no numbers');
  return middle;
}
