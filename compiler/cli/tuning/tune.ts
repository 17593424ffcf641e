/**
 * Tuning: what of an entry's schedule may be decided otherwise is tried on the adapter at hand, and what is faster there becomes records
 * (running/tuned-records.ts). First the device says what it reaches at most; what is near that is left alone.
 */
import { describeAdapter } from '../../../runtime/running/device.ts';
import { classOf } from '../../../runtime/contract/device-class.ts';
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { graphHash } from '../../compile.ts';
import { noting, sitesOf } from '../../schedule/deciding/alternatives.ts';
import { byCost } from '../../schedule/deciding/decider.ts';
import { areFew } from '../../schedule/deciding/regimes.ts';
import { settled } from '../../schedule/schedule.ts';
import { webgpuCore } from '../../target.ts';
import { moecVersion } from '../../version.ts';
import { measureCeilings, type DeviceCeilings } from '../profiling/device-ceilings.ts';
import { clockFor, deviceFor, type Clock } from '../profiling/profile.ts';
import { recordingDevice, type RecordedLaunch } from '../profiling/recorded-launches.ts';
import type { Method } from '../profiling/time-launches.ts';
import { runModel, withModel } from '../running/execute.ts';
import { wantsMore, type ExecuteRequest, type Prepared, type Ready } from '../running/execution.ts';
import { randomSizes, withRandomInputs } from '../running/made-values.ts';
import { controlsOf, planOf, sizesOf, withChanges } from '../running/prepare.ts';
import type { AdapterKey, TunedRecord } from '../running/tuned-records.ts';
import { MeasuredSchedules } from './measured-schedules.ts';
import { cachingDevice } from './caching-device.ts';
import { search, type Found, type SearchOptions } from './search.ts';

export interface TuneOptions extends Pick<SearchOptions, 'isStopped' | 'tell'> {
  /** Sizes that are measured separately. */
  readonly regimes: readonly ReadonlyMap<string, number>[];
  readonly seed: number;
  /** Milliseconds in which something new is tried. */
  readonly budget: number;
  /** Null: by timestamps where the adapter has them. */
  readonly by: Method | null;
  /** Told when the ceilings are measured. */
  readonly begin: (circumstances: Circumstances) => void;
}

/** On what it is measured, and by which clock. */
export interface Circumstances {
  readonly adapter: string;
  readonly class: string;
  readonly method: Method;
  readonly ceilings: DeviceCeilings;
  readonly notes: readonly string[];
}

export interface Tuned extends Circumstances, Found {
  /** The sizes of each regime. */
  readonly sizes: readonly Readonly<Record<string, number>>[];
  readonly records: readonly TunedRecord[];
}

/** Throws CliError 3 without an adapter, and what a run throws. */
export async function tune(given: Ready, options: TuneOptions): Promise<Tuned> {
  // What runs with few rows do instead is another schedule, and none of what is tuned.
  const request: ExecuteRequest = { ...given.request, regime: 'many' };
  const prepared = withChanges(given.prepared, request, new Map());
  const requests = options.regimes.map((said): ExecuteRequest => {
    const sizes = randomSizes(prepared, new Map(), said);
    const inputs = withRandomInputs(prepared, new Map(), said, options.seed);
    // The next states of a run are no part of what is asked for: a run is repeated, and its states stay.
    return { ...request, sizes, inputs, want: { ...request.want, updates: false } };
  });
  const first = at(requests, 0, 'cli: regime');
  const own = await deviceFor(prepared.manifest, options.by);
  try {
    const device = cachingDevice(own);
    const target = request.target ?? webgpuCore;
    const { clock, ceilings } = await sittingOn(device, { prepared, request: first }, options.by);
    const { method, time, notes } = clock;
    const className = classOf(own, target.classes);
    const adapter = describeAdapter(own.adapterInfo);
    const circumstances = {
      adapter,
      class: className,
      method,
      ceilings,
      notes: [...notes, ...untuned(given.prepared, requests)],
    };
    options.begin(circumstances);
    const { fused } = planOf({ prepared, request: first });
    const { decider, asked } = noting(byCost);
    const { schedule } = settled(fused, target, decider, () => '');
    const sites = sitesOf(schedule, fused.graph, asked, className);
    const measured = new MeasuredSchedules({ prepared, requests, device, className, time, ceilings });
    try {
      const { isStopped, tell } = options;
      const until = performance.now() + options.budget;
      const found = await search(sites, measured, { now: () => performance.now(), until, isStopped, tell });
      const sizes = requests.map((one) => Object.fromEntries(sizesOf(prepared, one)));
      const records = recordsOf(found, sizes, {
        graph: graphHash(fused, 'many'),
        className,
        adapter: keyOf(own),
        ceilings,
      });
      return { ...circumstances, ...found, sizes, records };
    } finally {
      measured.close();
    }
  } finally {
    own.destroy();
  }
}

/** What is told of sizes with which a run goes by another plan. */
function untuned({ entry: { inference, withAux } }: Prepared, requests: readonly ExecuteRequest[]): readonly string[] {
  return requests.flatMap(({ sizes = new Map<string, number>(), want }) => {
    const { few } = wantsMore(want) ? withAux : inference;
    if (few === null || !areFew(few.when, sizes)) return [];
    const said = [...sizes].map(([name, size]) => `${name} = ${size}`).join(', ');
    return [`runs with ${said} have few rows and a plan of their own, which is not tuned: measured is the other one`];
  });
}

/** The clock of a sitting, tried with the launches of one run as it is by default, and what the device reaches by it. */
function sittingOn(
  device: GPUDevice,
  { prepared, request }: Ready,
  by: Method | null,
): Promise<{ readonly clock: Clock; readonly ceilings: DeviceCeilings }> {
  const recorded: RecordedLaunch[] = [];
  return withModel(prepared, request, recordingDevice(device, recorded), async (model) => {
    const run = { sizes: sizesOf(prepared, request), controls: controlsOf(prepared, request) };
    await runModel(model, prepared, request, run);
    const clock = await clockFor(device, [...recorded], by);
    return { clock, ceilings: await measureCeilings(device, clock.time) };
  });
}

function keyOf({ adapterInfo }: GPUDevice): AdapterKey {
  const { vendor, architecture, device, description } = adapterInfo;
  return { vendor, architecture, device, description };
}

interface Sitting {
  readonly graph: string;
  readonly className: string;
  readonly adapter: AdapterKey;
  readonly ceilings: DeviceCeilings;
}

/** A record for each regime in which what was kept is faster. */
function recordsOf(
  { kept, gains }: Found,
  sizes: readonly Readonly<Record<string, number>>[],
  { graph, className, adapter, ceilings }: Sitting,
): readonly TunedRecord[] {
  const date = new Date().toISOString();
  const { bytesPerSecond, flopsPerSecond } = ceilings;
  return gains.flatMap(({ kind, ofRun, noise }, i): readonly TunedRecord[] =>
    kind !== 'faster'
      ? []
      : [
          {
            moec: moecVersion,
            graph,
            class: className,
            adapter,
            sizes: at(sizes, i, 'cli: regime'),
            changes: kept,
            ratio: ofRun,
            noise,
            roofline: { bytesPerSecond, flopsPerSecond },
            date,
          },
        ],
  );
}
