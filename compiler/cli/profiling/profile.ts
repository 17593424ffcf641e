/**
 * Where the time of a run goes: each launch with its time, its share, what the plan states of its work, and the rates that follow, beside
 * what the device reaches at most in the same sitting.
 *
 * A run is made as ever, its launches are noted on their way to the device (recorded-launches.ts), and those are repeated in their order.
 */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { asNumber, substitute, type Size } from '../../../dsl/types/size.ts';
import { RequirementsError } from '../../../runtime/contract/errors.ts';
import { requestDevice } from '../../../runtime/node.ts';
import { describeAdapter } from '../../../runtime/running/device.ts';
import { requirementsOf } from '../../../runtime/running/module.ts';
import type { Manifest } from '../../../runtime/contract/manifest.ts';
import { planOfClass, type Launch, type Plan } from '../../schedule/memory/plan.ts';
import { isSoftware } from '../running/environment.ts';
import { openDevice, runModel, withModel } from '../running/execute.ts';
import type { ExecuteRequest, Prepared, Ready } from '../running/execution.ts';
import { controlsOf, planOf, sizesOf } from '../running/prepare.ts';
import { measureCeilings, type DeviceCeilings } from './device-ceilings.ts';
import { recordingDevice, type RecordedLaunch } from './recorded-launches.ts';
import { bySubmissions, byTimestamps, median, type Interval, type Method, type TimeLaunches } from './time-launches.ts';

export interface ProfiledLaunch {
  /** Of the plan's steps, as `moec explain kernels` numbers them. */
  readonly step: number;
  readonly kernel: string;
  /** The value and its place in the source. */
  readonly label: string;
  readonly domain: string;
  /** Milliseconds, the median of all runs; and when it began and ended in the run that is shown. */
  readonly time: number;
  readonly start: number;
  readonly end: number;
  /** Of the time of all launches. */
  readonly share: number;
  /** As the plan states them: what is done at most. */
  readonly flops: number | null;
  readonly bytes: number | null;
  /** Over the ceilings. Null where no time was seen. */
  readonly ofFlops: number | null;
  readonly ofBytes: number | null;
}

export interface Profile {
  readonly model: string;
  readonly entry: string;
  readonly sizes: Readonly<Record<string, number>>;
  readonly adapter: string;
  /** The adapter computes on the CPU. */
  readonly software: boolean;
  readonly method: Method;
  readonly runs: number;
  readonly launches: readonly ProfiledLaunch[];
  /** Milliseconds of all launches, one after the other; of a whole run as it is called, from numbers to numbers. */
  readonly sum: number;
  readonly called: number;
  readonly ceilings: DeviceCeilings;
  readonly notes: readonly string[];
}

export interface ProfileOptions {
  readonly runs: number;
  /** Null: by timestamps where the adapter has them. */
  readonly by: Method | null;
}

/** Throws CliError 3 without an adapter, and what a run throws. */
export async function profile(ready: Ready, options: ProfileOptions): Promise<Profile> {
  const { prepared } = ready;
  // The next states of a run are no part of what is asked for: a run is repeated, and its states stay.
  const request: ExecuteRequest = { ...ready.request, want: { ...ready.request.want, updates: false } };
  const run = { sizes: sizesOf(prepared, request), controls: controlsOf(prepared, request) };
  const device = await deviceFor(prepared.manifest, options.by);
  try {
    const recorded: RecordedLaunch[] = [];
    return await withModel(prepared, request, recordingDevice(device, recorded), async (model) => {
      await runModel(model, prepared, request, run);
      const launches = [...recorded];
      const called: number[] = [];
      for (let i = 0; i < options.runs; i++) {
        const begun = performance.now();
        await runModel(model, prepared, request, run);
        called.push(performance.now() - begun);
      }
      const { method, time, notes } = await clockFor(device, launches, options.by);
      const runs: (readonly Interval[])[] = [];
      for (let i = 0; i < options.runs; i++) runs.push(await time(launches));
      const ceilings = await measureCeilings(device, time);
      const plan = planOfClass(planOf({ prepared, request }).plan, model.deviceClass);
      const steps = launchesOf(plan, new Set(run.controls.keys()), launches);
      return {
        ...described(prepared, device, run.sizes),
        method,
        runs: options.runs,
        ...profiled(plan, steps, { runs, sizes: run.sizes, ceilings }),
        called: median(called),
        ceilings,
        notes: [...notes, ...externsOf(plan)],
      };
    });
  } finally {
    device.destroy();
  }
}

/** With timestamps where the adapter has them. Dawn rounds them to tenths of a millisecond for pages of unknown origin. */
export async function deviceFor(manifest: Manifest, by: Method | null): Promise<GPUDevice> {
  if (by === 'submissions') return openDevice(manifest);
  const requirements = requirementsOf(manifest);
  const requiredFeatures = [...(requirements.requiredFeatures ?? []), 'timestamp-query'];
  try {
    return await requestDevice({
      ...requirements,
      requiredFeatures,
      dawnOptions: ['disable-dawn-features=timestamp_quantization'],
    });
  } catch (error) {
    if (error instanceof RequirementsError) return openDevice(manifest);
    throw error;
  }
}

export interface Clock {
  readonly method: Method;
  readonly time: TimeLaunches;
  readonly notes: readonly string[];
}

/** The clock of a sitting, tried once: some drivers compile at the first launch, and some offer timestamps that stand still. */
export async function clockFor(
  device: GPUDevice,
  launches: readonly RecordedLaunch[],
  by: Method | null,
): Promise<Clock> {
  const separately = async (why: string): Promise<Clock> => {
    const time = await bySubmissions(device);
    await time(launches);
    return { method: 'submissions', time, notes: [why] };
  };
  if (by === 'submissions') return separately(SEPARATE);
  if (!device.features.has('timestamp-query')) return separately(`the adapter has no timestamp-query: ${SEPARATE}`);
  const time = byTimestamps(device);
  const tried = await time(launches);
  const moves = launches.length === 0 || tried.some(({ start, end }) => end > start);
  if (!moves || tried.some(({ start, end }) => end < start))
    return separately(`the timestamps of the adapter tell nothing: ${SEPARATE}`);
  return { method: 'timestamps', time, notes: [] };
}

const SEPARATE = 'each launch was a submission of its own, and what an empty one takes was taken away';

function described(
  { program, entry }: Prepared,
  device: GPUDevice,
  sizes: ReadonlyMap<string, number>,
): Pick<Profile, 'model' | 'entry' | 'sizes' | 'adapter' | 'software'> {
  const adapter = describeAdapter(device.adapterInfo);
  return {
    model: program.name,
    entry: entry.name,
    sizes: Object.fromEntries(sizes),
    adapter,
    software: isSoftware(adapter),
  };
}

/** The launches of a plan that a run makes, by their steps; those that were noted are the same, or it is a bug. */
export function launchesOf(
  plan: Plan,
  given: ReadonlySet<string>,
  recorded: readonly Pick<RecordedLaunch, 'label'>[],
): readonly { readonly step: number; readonly launch: Launch }[] {
  const steps = plan.steps.flatMap((launch, step) =>
    launch.kind === 'launch' && (launch.skipIfGiven === null || !given.has(launch.skipIfGiven))
      ? [{ step, launch }]
      : [],
  );
  const labels = steps.map(({ launch }) => launch.label);
  if (labels.length !== recorded.length || labels.some((label, i) => recorded[i]?.label !== label))
    throw new CompilerBug('manifest', `a run made ${recorded.length} launches, not the ${labels.length} of its plan`);
  return steps;
}

interface Times {
  readonly runs: readonly (readonly Interval[])[];
  readonly sizes: ReadonlyMap<string, number>;
  readonly ceilings: DeviceCeilings;
}

/** Medians of each launch; the run that is shown is the one whose launches took the middle time in all. */
export function profiled(
  plan: Plan,
  steps: readonly { readonly step: number; readonly launch: Launch }[],
  { runs, sizes, ceilings }: Times,
): Pick<Profile, 'launches' | 'sum'> {
  const length = ({ start, end }: Interval): number => end - start;
  const total = (run: readonly Interval[]): number => run.reduce((sum, interval) => sum + length(interval), 0);
  const shown = at(
    runs.toSorted((a, b) => total(a) - total(b)),
    Math.floor(runs.length / 2),
    'cli: profiled run',
  );
  const times = steps.map((_, i) => median(runs.flatMap((run) => run.slice(i, i + 1).map(length))));
  const sum = times.reduce((a, b) => a + b, 0);
  const numberOf = (size: Size): number | null => asNumber(substitute(size, sizes));
  const launches = steps.map(({ step, launch }, i): ProfiledLaunch => {
    const { start, end } = at(shown, i, 'cli: profiled interval');
    const time = at(times, i, 'cli: profiled time');
    const flops = numberOf(launch.work.flops);
    const bytes = numberOf(launch.work.bytes);
    const of = (work: number | null, most: number): number | null =>
      work === null || time === 0 ? null : work / (time / 1000) / most;
    return {
      step,
      kernel: plan.kernels[launch.kernel]?.name ?? '?',
      label: launch.label,
      domain: launch.work.domain,
      time,
      start,
      end,
      share: sum === 0 ? 0 : time / sum,
      flops,
      bytes,
      ofFlops: of(flops, ceilings.flopsPerSecond),
      ofBytes: of(bytes, ceilings.bytesPerSecond),
    };
  });
  return { launches, sum };
}

function externsOf(plan: Plan): readonly string[] {
  const names = plan.steps.flatMap((step) => (step.kind === 'extern' ? [step.name] : []));
  return names.length === 0
    ? []
    : [`functions of the host are no launches and were called in whole runs: ${names.join(', ')}`];
}
