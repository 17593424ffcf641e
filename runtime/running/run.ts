/**
 * One run of a plan: inputs in, launches in order, the host's functions between, results out.
 *
 * Invariants:
 * - Sizes are known and everything is allocated before the first command is recorded, but for the staging buffer of what is read
 *   back.
 * - Nothing is read back in the middle but for an `extern`, which splits the run, and for a watch, which reads after each step.
 * - The fault words are looked at before any result is handed out and before any state is changed.
 */
import { missing } from '../contract/bug.ts';
import { type Arena, bufferUsage } from './buffers.ts';
import type { DeviceState } from './device-state.ts';
import { InputError, MoecError } from '../contract/errors.ts';
import { NO_FAULT, checkFaults } from '../contract/faults.ts';
import { fitsGrid, foldGrid } from '../contract/grid.ts';
import type { ExternFunction } from '../contract/ask-host.ts';
import { buffersForHost, callExtern } from '../contract/externs.ts';
import { type BufferBinding, type LaunchLayout, type PlanLayout, isSkipped } from '../contract/buffer-layout.ts';
import type { ExternSpec, ResultSpec } from '../contract/manifest.ts';
import { POISON } from '../contract/poison.ts';
import type { Pipelines } from './pipelines.ts';
import { type ReadRequest, Readback } from './readback.ts';

/** What a run is made of, besides its plan: the model's own things. */
export interface RunContext {
  readonly state: DeviceState;
  readonly pipelines: Pipelines;
  readonly arena: Arena;
  /** Params and states by index of the manifest's variables. */
  readonly variables: ReadonlyMap<number, GPUBuffer>;
  readonly externs: ReadonlyMap<string, ExternFunction>;
  /** Bind groups of the layouts that were run in this arena. */
  readonly launchers: WeakMap<PlanLayout, Launcher>;
}

/** Numbers for a buffer of the arena: from the host, or copied from the caller's buffer. */
export type Feed =
  | {
      readonly kind: 'host';
      readonly words: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
    }
  | { readonly kind: 'gpu'; readonly buffer: GPUBuffer };

/**
 * Whoever looks at a run launch by launch (`moec verify`). Steps and buffers are those of the plan, by number. The launches are
 * the ones that any run makes: the same pipelines, bindings and grids, each in a submission of its own.
 */
export interface RunWatch {
  /** Buffers to be overwritten before a step: what the step should write must not be there already. */
  buffersToPoison(step: number): readonly number[];
  /** Buffers whose words are read back after a step. */
  buffersToRead(step: number): readonly number[];
  /** What they hold after the step. */
  take(step: number, words: (buffer: number) => Uint32Array): void;
}

export interface RunSpec {
  readonly layout: PlanLayout;
  /** By arena key: `input:0`, `control:3`. */
  readonly feeds: ReadonlyMap<string, Feed>;
  /** Paths of the controls that were given: their default is not computed. */
  readonly given: ReadonlySet<string>;
  /** What the run was asked for: an error counts only where one of these needs the value. */
  readonly asked: ReadonlySet<ResultSpec['group']>;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
  /** Milliseconds that each wait for the device may take, or null. */
  readonly timeout: number | null;
  readonly watch?: RunWatch | undefined;
}

/** Launches that go into one submission: a driver that resets after seconds should see the work in parts. */
const LAUNCHES_PER_SUBMIT = 128;

/** Usage of a buffer of the arena by its key. */
function usageOfKey(key: string): number {
  const storage = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget;
  return key === 'uniforms' ? bufferUsage.uniform | bufferUsage.copyTarget : storage;
}

/** Where the buffer of a plan is bound from. */
export function bufferAt(context: RunContext, binding: BufferBinding): GPUBuffer {
  if (binding.kind === 'arena') return context.arena.get(binding.key);
  const buffer = context.variables.get(binding.store);
  if (buffer === undefined) throw new MoecError('MOE0716', 'the plan uses a variable that the model has not');
  return buffer;
}

export function bindingOf(layout: PlanLayout, buffer: number): BufferBinding {
  const binding = layout.bindings[buffer];
  if (binding === undefined) throw new MoecError('MOE0716', `the plan has no buffer ${buffer}`);
  return binding;
}

/**
 * Runs a plan and reads `results` (plan buffers) back: the words of each. Afterwards the results also lie in the
 * arena, until the next run. Throws what the device, the host's functions or the fault words have to say.
 */
export async function runPlan(
  context: RunContext,
  spec: RunSpec,
  results: readonly number[],
): Promise<ReadonlyMap<number, Uint32Array<ArrayBuffer>>> {
  const { state } = context;
  const { layout } = spec;
  await prepareRun(context, spec);
  const launcher = launcherOf(context, layout);
  const renew = (): GPUCommandEncoder => state.device.createCommandEncoder({ label: 'run' });
  let encoder = renew();
  const submit = (): void => state.guard(() => state.device.queue.submit([encoder.finish()]));
  copyFeeds(context, spec, encoder);
  if (spec.watch !== undefined) {
    submit();
    encoder = renew();
  }
  let pending: LaunchLayout[] = [];
  const flush = (): void => {
    launcher.record(encoder, pending);
    pending = [];
  };
  for (const [at, step] of layout.steps.entries()) {
    if (step.kind === 'launch') {
      if (spec.watch !== undefined) {
        await watchStep(context, spec, spec.watch, at, isSkipped(step.launch, spec.given) ? [] : [step.launch]);
        continue;
      }
      if (isSkipped(step.launch, spec.given)) continue;
      pending.push(step.launch);
      if (pending.length < LAUNCHES_PER_SUBMIT) continue;
      flush();
      submit();
      encoder = renew();
    } else {
      flush();
      await runExtern(context, spec, step.spec, encoder);
      encoder = renew();
      if (spec.watch !== undefined) await watchStep(context, spec, spec.watch, at, []);
    }
  }
  flush();
  const faults: readonly ReadRequest[] =
    layout.faultBytes === 0 ? [] : [{ buffer: context.arena.get('status'), bytes: layout.faultBytes }];
  const requests = results.map((buffer) => {
    const binding = bindingOf(layout, buffer);
    return { buffer: bufferAt(context, binding), bytes: binding.usedBytes };
  });
  const readback = new Readback(state, context.arena, [...faults, ...requests]);
  state.guard(() => readback.begin(encoder));
  submit();
  const words = await readback.finish(spec.timeout);
  if (faults.length > 0) checkFaults(layout, spec, words[0] ?? missing('word'));
  return new Map(results.map((buffer, i) => [buffer, words[faults.length + i] ?? missing('result')] as const));
}

/** Words that are written at once to poison a buffer. */
const POISON_WORDS = 1 << 18;

/** One step by itself: its launch, if it has one to make, between what it should write and what it wrote. */
async function watchStep(
  context: RunContext,
  spec: RunSpec,
  watch: RunWatch,
  step: number,
  launches: readonly LaunchLayout[],
): Promise<void> {
  const { state } = context;
  const { device } = state;
  const { layout } = spec;
  const poison = new Uint32Array(POISON_WORDS).fill(POISON);
  state.guard(() => {
    for (const buffer of launches.length === 0 ? [] : watch.buffersToPoison(step)) {
      const binding = bindingOf(layout, buffer);
      for (let at = 0; at < binding.usedBytes; at += 4 * POISON_WORDS) {
        const words = poison.subarray(0, Math.min(POISON_WORDS, (binding.usedBytes - at) / 4));
        device.queue.writeBuffer(bufferAt(context, binding), at, words);
      }
    }
  });
  const buffers = watch.buffersToRead(step);
  const requests = buffers.map((buffer) => {
    const binding = bindingOf(layout, buffer);
    return { buffer: bufferAt(context, binding), bytes: binding.usedBytes };
  });
  const readback = new Readback(state, context.arena, requests);
  state.guard(() => {
    const encoder = device.createCommandEncoder({ label: launches[0]?.spec.label ?? 'step' });
    launcherOf(context, layout).record(encoder, launches);
    readback.begin(encoder);
    device.queue.submit([encoder.finish()]);
  });
  const words = await readback.finish(spec.timeout);
  const byBuffer = new Map(buffers.map((buffer, i) => [buffer, words[i] ?? missing('word')] as const));
  watch.take(step, (buffer) => byBuffer.get(buffer) ?? new Uint32Array(0));
}

/** Allocates, and writes everything that the host has for the run. */
export async function prepareRun(context: RunContext, spec: RunSpec): Promise<void> {
  const { state } = context;
  spec.signal?.throwIfAborted();
  await state.checkSettled();
  allocateRun(context, spec);
  await state.settle();
  state.guard(() => writeRun(context, spec));
}

/** The buffers of a run. */
export function allocateRun(context: RunContext, spec: RunSpec): void {
  context.arena.ensure(spec.layout.allocations, usageOfKey);
}

/** Uniforms, fault words and what the host feeds, into buffers that are there. */
export function writeRun(context: RunContext, spec: RunSpec): void {
  const { arena } = context;
  const { queue } = context.state.device;
  const { layout } = spec;
  if (layout.uniforms.length > 0) {
    const bytes = layout.uniforms.slice();
    const view = new DataView(bytes.buffer);
    for (const at of layout.seeds) view.setUint32(at, spec.seed >>> 0, true);
    queue.writeBuffer(arena.get('uniforms'), 0, bytes);
  }
  resetFaults(context, layout);
  for (const [key, feed] of spec.feeds) {
    if (feed.kind === 'host' && layout.allocations.has(key)) queue.writeBuffer(arena.get(key), 0, feed.words);
  }
}

export function resetFaults(context: RunContext, layout: PlanLayout): void {
  if (layout.faultBytes === 0) return;
  const words = new Uint32Array(layout.faultBytes / 4).fill(NO_FAULT);
  context.state.device.queue.writeBuffer(context.arena.get('status'), 0, words);
}

/** Records copies of the caller's buffers to where the plan expects them. */
export function copyFeeds(context: RunContext, spec: RunSpec, encoder: GPUCommandEncoder): void {
  for (const [key, feed] of spec.feeds) {
    if (feed.kind !== 'gpu' || !spec.layout.allocations.has(key)) continue;
    const binding = spec.layout.bindings.find((each) => each.kind === 'arena' && each.key === key);
    if (binding !== undefined && binding.usedBytes > 0) {
      encoder.copyBufferToBuffer(feed.buffer, 0, context.arena.get(key), 0, binding.usedBytes);
    }
  }
}

/** The launcher of a layout, with the bind groups of earlier runs. */
export function launcherOf(context: RunContext, layout: PlanLayout): Launcher {
  const known = context.launchers.get(layout);
  if (known !== undefined) return known;
  const launcher = new Launcher(context, layout);
  context.launchers.set(layout, launcher);
  return launcher;
}

/** Records launches; bind groups are kept as long as the buffers they bind. */
class Launcher {
  readonly #context: RunContext;
  readonly #layout: PlanLayout;
  readonly #groups = new Map<LaunchLayout, GPUBindGroup>();
  #generation = -1;

  constructor(context: RunContext, layout: PlanLayout) {
    this.#context = context;
    this.#layout = layout;
  }

  /** Records launches into one compute pass. */
  record(encoder: GPUCommandEncoder, launches: readonly LaunchLayout[]): void {
    if (launches.length === 0) return;
    const { state, pipelines, arena } = this.#context;
    if (this.#generation !== arena.generation) {
      this.#groups.clear();
      this.#generation = arena.generation;
    }
    state.guard(() => {
      const pass = encoder.beginComputePass();
      for (const launch of launches) {
        const { pipeline } = pipelines.get(launch.spec.kernel);
        const grid = gridOf(launch, state.device.limits.maxComputeWorkgroupsPerDimension);
        pass.pushDebugGroup(launch.spec.label);
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, this.#bindGroup(launch));
        pass.dispatchWorkgroups(...grid);
        pass.popDebugGroup();
      }
      pass.end();
    });
  }

  #bindGroup(launch: LaunchLayout): GPUBindGroup {
    const known = this.#groups.get(launch);
    if (known !== undefined) return known;
    const { state, pipelines, arena } = this.#context;
    const entries: GPUBindGroupEntry[] = launch.spec.buffers.map((buffer, number) => {
      const binding = bindingOf(this.#layout, buffer);
      return {
        binding: number,
        resource: { buffer: bufferAt(this.#context, binding), offset: 0, size: binding.bytes },
      };
    });
    if (launch.uniforms !== null) {
      const { offset, bytes } = launch.uniforms;
      entries.push({ binding: entries.length, resource: { buffer: arena.get('uniforms'), offset, size: bytes } });
    }
    const { layout } = pipelines.get(launch.spec.kernel);
    const group = state.device.createBindGroup({ label: launch.spec.label, layout, entries });
    this.#groups.set(launch, group);
    return group;
  }
}

/** The grid of a launch. Throws InputError MOE0715 where a device has none that is large enough. */
function gridOf({ workgroups, grid, spec }: LaunchLayout, limit: number): readonly [number, number, number?] {
  if (grid !== null && !fitsGrid(grid, limit)) {
    throw new InputError('MOE0715', `${spec.label} needs ${grid.join(' x ')} workgroups, more than a device has`);
  }
  const found = grid ?? foldGrid(workgroups, limit);
  if (found !== null) return found;
  throw new InputError('MOE0715', `${spec.label} needs ${workgroups} workgroups, more than a device has`);
}

/** Submits what is recorded, lets the host compute, and writes its results for what follows. */
async function runExtern(
  context: RunContext,
  spec: RunSpec,
  step: ExternSpec,
  encoder: GPUCommandEncoder,
): Promise<void> {
  const { state } = context;
  const { layout } = spec;
  const run = context.externs.get(step.name);
  if (run === undefined) throw new InputError('MOE0714', `the function ${step.name} of the host was not given`);
  const requests = buffersForHost(step).map((buffer) => {
    const binding = bindingOf(layout, buffer);
    return { buffer: bufferAt(context, binding), bytes: binding.usedBytes };
  });
  const readback = new Readback(state, context.arena, requests);
  state.guard(() => {
    readback.begin(encoder);
    state.device.queue.submit([encoder.finish()]);
  });
  const words = await readback.finish(spec.timeout);
  const operands = words.slice(0, step.operands.length);
  const mask = step.mask === null ? null : (words[step.operands.length] ?? null);
  const results = await callExtern(step, layout.sizes, { operands, mask }, run, spec.signal);
  state.check();
  state.guard(() => {
    step.results.forEach(({ buffer }, i) => {
      const numbers = results[i];
      if (numbers !== undefined && numbers.length > 0) {
        state.device.queue.writeBuffer(bufferAt(context, bindingOf(layout, buffer)), 0, numbers);
      }
    });
  });
}
