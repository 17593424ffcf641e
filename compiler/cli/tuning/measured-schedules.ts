/**
 * Schedules of one entry on one device, measured against one another: each is a model of its own, whose launches are noted on their way to
 * the device and repeated in turns with those of another one, as `moec profile` repeats them.
 */
import { createHash } from 'node:crypto';
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { sizeKey } from '../../../dsl/types/size.ts';
import type { Model } from '../../../runtime/running/model.ts';
import { graphHash, hashOf } from '../../compile.ts';
import { printKernel } from '../../kernel/print-kernel.ts';
import { changeText, IllegalChange, type Change } from '../../schedule/deciding/changes.ts';
import { planOfClass, type Launch, type Plan } from '../../schedule/memory/plan.ts';
import { schedule } from '../../schedule/schedule.ts';
import { webgpuCore } from '../../target.ts';
import type { DeviceCeilings } from '../profiling/device-ceilings.ts';
import { launchesOf } from '../profiling/profile.ts';
import { recordingDevice, type RecordedLaunch } from '../profiling/recorded-launches.ts';
import { median, type TimeLaunches } from '../profiling/time-launches.ts';
import { modelOn, runModel } from '../running/execute.ts';
import type { ExecuteRequest, NamedTensor, Prepared } from '../running/execution.ts';
import { controlsOf, planOf, sizesOf, withChanges } from '../running/prepare.ts';
import { neededWork } from './needed-work.ts';
import type { Measuring, Race, Replaced, Times } from './search.ts';

/** A schedule that is compiled, and its model once somebody has measured it. */
interface Contender {
  readonly prepared: Prepared;
  /** The launches of a run on the device's class, in order. */
  readonly launches: readonly Launch[];
  readonly recorded: RecordedLaunch[];
  model: Model | null;
  /** The regime whose run was noted last. */
  regime: number | null;
  /** Of each regime that was run: the fingerprint of its results; and the times of its launches. */
  readonly bits: Map<number, string>;
  readonly times: Map<number, readonly number[]>;
}

export interface MeasuringParts {
  readonly prepared: Prepared;
  /** One for each regime: they differ in sizes and inputs. */
  readonly requests: readonly ExecuteRequest[];
  /** Makes each pipeline once (caching-device.ts). */
  readonly device: GPUDevice;
  readonly className: string;
  readonly time: TimeLaunches;
  readonly ceilings: DeviceCeilings;
}

/** Contenders that are kept compiled: what stands, what is tried, the default, and some that may come again. */
const MOST_COMPILED = 8;
/** Runs of which the times of launches are medians, where nothing is compared. */
const LOOKS = 3;

export class MeasuredSchedules implements Measuring {
  readonly #parts: MeasuringParts;
  readonly #contenders = new Map<string, Contender>();
  readonly #keysOf = new Map<string, readonly string[]>();

  constructor(parts: MeasuringParts) {
    this.#parts = parts;
  }

  readonly look = async (
    standing: readonly Change[],
    tried: readonly Change[],
  ): Promise<readonly Replaced[] | null> => {
    const to = this.#keysIfLegal(tried);
    if (to === null) return null;
    const from = this.#keys(standing);
    const differ = onlyIn(from, to);
    if (differ.length === 0 && onlyIn(to, from).length === 0) return null;
    const found: Replaced[] = [];
    for (const regime of this.#parts.requests.keys())
      found.push(await this.#replaced(this.#contender(standing), differ, regime));
    return found;
  };

  readonly race = async (
    standing: readonly Change[],
    tried: readonly Change[],
    rounds: number,
    isHopeless: (times: Times) => boolean,
  ): Promise<Race> => {
    const [from, to] = [this.#contender(standing), this.#contender(tried)];
    const keys = [this.#keys(standing), this.#keys(tried)] as const;
    const [ofFrom, ofTo] = [onlyIn(keys[0], keys[1]), onlyIn(keys[1], keys[0])];
    const regimes: Times[] = [];
    let sameBits = true;
    for (const regime of this.#parts.requests.keys()) {
      await this.#run(from, regime);
      await this.#run(to, regime);
      sameBits &&= from.bits.get(regime) === to.bits.get(regime);
      if (!sameBits) break;
      const times = { standing: [] as number[], tried: [] as number[], run: 0 };
      const runs: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const one = await this.#timed(from);
        const other = await this.#timed(to);
        times.standing.push(sumAt(one, ofFrom));
        times.tried.push(sumAt(other, ofTo));
        runs.push(sumAt(one, [...one.keys()]));
        times.run = median(runs);
        if (isHopeless(times)) break;
      }
      regimes.push(times);
      if (isHopeless(times)) break;
    }
    if (to !== from) this.#closeOthers(from, to);
    return { sameBits, regimes };
  };

  /** Gives the memory of all models back. */
  close(): void {
    for (const contender of this.#contenders.values()) close(contender);
  }

  async #replaced(from: Contender, differ: readonly number[], regime: number): Promise<Replaced> {
    const times = await this.#looked(from, regime);
    const [own, all] = [sumAt(times, differ), sumAt(times, [...times.keys()])];
    const near = differ.map((i) => at(times, i, 'cli: time of a launch') * this.#ofCeiling(from, i, times, regime));
    const ofCeiling = own === 0 ? 0 : near.reduce((sum, n) => sum + n, 0) / own;
    return { share: all === 0 ? 0 : own / all, ofCeiling };
  }

  #ofCeiling({ prepared, launches }: Contender, i: number, times: readonly number[], regime: number): number {
    const { ceilings, requests } = this.#parts;
    const seconds = at(times, i, 'cli: time of a launch') / 1000;
    if (seconds === 0) return 0;
    const request = at(requests, regime, 'cli: regime');
    const work = neededWork(planOf({ prepared, request }), at(launches, i, 'cli: launch'), sizesOf(prepared, request));
    const rates = [(work.flops ?? 0) / ceilings.flopsPerSecond, (work.bytes ?? 0) / ceilings.bytesPerSecond];
    return Math.min(1, Math.max(...rates) / seconds);
  }

  async #looked(contender: Contender, regime: number): Promise<readonly number[]> {
    const known = contender.times.get(regime);
    if (known !== undefined) return known;
    await this.#run(contender, regime);
    const runs: (readonly number[])[] = [];
    for (let i = 0; i < LOOKS; i++) runs.push(await this.#timed(contender));
    const times = contender.launches.map((_, i) => median(runs.map((run) => at(run, i, 'cli: time of a launch'))));
    contender.times.set(regime, times);
    return times;
  }

  /** Milliseconds of each launch of the regime that was run last. */
  async #timed(contender: Contender): Promise<readonly number[]> {
    const intervals = await this.#parts.time(contender.recorded);
    return intervals.map(({ start, end }) => end - start);
  }

  /** Makes the run of a regime, so that its launches are there to be repeated. */
  async #run(contender: Contender, regime: number): Promise<void> {
    if (contender.regime === regime) return;
    const { prepared, recorded } = contender;
    const request = at(this.#parts.requests, regime, 'cli: regime');
    contender.model ??= await modelOn(prepared, request, recordingDevice(this.#parts.device, recorded));
    // Noted is one run: before it what a driver compiles at the first dispatch has been compiled.
    const parts = { sizes: sizesOf(prepared, request), controls: controlsOf(prepared, request) };
    await runModel(contender.model, prepared, request, parts);
    recorded.length = 0;
    const results = await runModel(contender.model, prepared, request, parts);
    launchesOf(this.#planOf(prepared), new Set(parts.controls.keys()), recorded);
    contender.regime = regime;
    contender.bits.set(regime, fingerprintOf(results));
  }

  #planOf(prepared: Prepared): Plan {
    return planOfClass(planOf({ prepared, request: this.#first }).plan, this.#parts.className);
  }

  get #first(): ExecuteRequest {
    return at(this.#parts.requests, 0, 'cli: regime');
  }

  #keysIfLegal(changes: readonly Change[]): readonly string[] | null {
    try {
      return this.#keys(changes);
    } catch (error) {
      if (error instanceof IllegalChange) return null;
      throw error;
    }
  }

  /** What tells the launches of a schedule apart, in order. That needs no module, and so takes half the time. Throws IllegalChange. */
  #keys(changes: readonly Change[]): readonly string[] {
    const name = nameOf(changes);
    const known = this.#keysOf.get(name);
    if (known !== undefined) return known;
    const { prepared, className } = this.#parts;
    const { fused } = planOf({ prepared, request: this.#first });
    const target = this.#first.target ?? webgpuCore;
    const { plan } = schedule(fused, target, { changes: { graph: graphHash(fused, 'many'), changes } });
    const own = planOfClass(plan, className);
    const keys = this.#launchesOf(own, prepared).map((launch) => keyOf(own, launch));
    this.#keysOf.set(name, keys);
    return keys;
  }

  #launchesOf(plan: Plan, prepared: Prepared): readonly Launch[] {
    const given = controlsOf(prepared, this.#first);
    return plan.steps.flatMap((step) =>
      step.kind === 'launch' && (step.skipIfGiven === null || !given.has(step.skipIfGiven)) ? [step] : [],
    );
  }

  /** The schedule with some changes, compiled. Throws IllegalChange. */
  #contender(changes: readonly Change[]): Contender {
    const name = nameOf(changes);
    const known = this.#contenders.get(name);
    if (known !== undefined) return known;
    const { prepared: plain } = this.#parts;
    const hash = hashOf(planOf({ prepared: plain, request: this.#first }));
    const prepared = changes.length === 0 ? plain : withChanges(plain, this.#first, new Map([[hash, changes]]));
    const launches = this.#launchesOf(this.#planOf(prepared), prepared);
    const state = { recorded: [], model: null, regime: null, bits: new Map(), times: new Map() };
    const contender: Contender = { prepared, launches, ...state };
    this.#contenders.set(name, contender);
    this.#forgetOld();
    return contender;
  }

  /** Models of what neither stands nor is tried: their memory goes back, what was found of them stays. */
  #closeOthers(...open: readonly Contender[]): void {
    for (const contender of this.#contenders.values()) if (!open.includes(contender)) close(contender);
  }

  #forgetOld(): void {
    const old = [...this.#contenders].filter(([name, { model }]) => name !== '' && model === null);
    for (const [name] of old.slice(0, Math.max(0, this.#contenders.size - MOST_COMPILED)))
      this.#contenders.delete(name);
  }
}

const nameOf = (changes: readonly Change[]): string => changes.map(changeText).toSorted().join('; ');

function close(contender: Contender): void {
  contender.model?.dispose();
  contender.model = null;
  contender.regime = null;
  contender.recorded.length = 0;
}

/** What tells a launch from another one: what it does, and over how much. */
function keyOf(plan: Plan, { kernel, label, invocations, grid, uniforms }: Launch): string {
  const given = uniforms.map((value) => (value.kind === 'size' ? sizeKey(value.size) : value.kind));
  const shape = [invocations, ...(grid ?? [])].map(sizeKey);
  const text = printKernel(at(plan.kernels, kernel, 'cli: kernel of a launch'));
  return createHash('sha256').update([label, shape, given, text].join('\n')).digest('base64');
}

/** Which of some launches others have not, as often. */
function onlyIn(own: readonly string[], others: readonly string[]): readonly number[] {
  const left = new Map<string, number>();
  for (const key of others) left.set(key, (left.get(key) ?? 0) + 1);
  return own.flatMap((key, i) => {
    const count = left.get(key) ?? 0;
    if (count === 0) return [i];
    left.set(key, count - 1);
    return [];
  });
}

const sumAt = (times: readonly number[], indices: readonly number[]): number =>
  indices.reduce((sum, i) => sum + at(times, i, 'cli: time of a launch'), 0);

function fingerprintOf(results: ReadonlyMap<string, NamedTensor>): string {
  const hash = createHash('sha256');
  for (const [name, { data, shape }] of results) {
    hash.update(`${name} ${shape.join()}\n`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}
