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
import { type BufferBinding, type LaunchLayout, type PlanLayout, isSkipped } from '../contract/buffer-layout.ts';
import type { ResultSpec } from '../contract/manifest.ts';
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
 * Whoever looks at a run launch by launch (`step-by-step.ts`): does a step in place of the run. The launches are the ones that any run
 * makes, with the same pipelines, bindings and grids.
 */
export type WatchStep = (
  context: RunContext,
  spec: RunSpec,
  step: number,
  launches: readonly LaunchLayout[],
) => Promise<void>;

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
  readonly watch?: WatchStep | undefined;
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
        await spec.watch(context, spec, at, isSkipped(step.launch, spec.given) ? [] : [step.launch]);
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
      const { runExtern } = await import('./run-extern.ts');
      await runExtern(context, spec, step.spec, encoder);
      encoder = renew();
      await spec.watch?.(context, spec, at, []);
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
