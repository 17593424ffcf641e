/**
 * `createModel`: from a manifest, shader texts and weights to a model on a device. This is what generated modules call.
 *
 * Order: everything that can be refused without the device first (versions, requirements, weights that do not fit),
 * then memory, then weights, then pipelines, then initial values. Whatever fails, nothing of it stays allocated.
 */
import { type WeightBinding, type MissingParams, bindVariables, tensorsOf } from '../weights/bind-weights.ts';
import { Arena, DeviceMemory } from './buffers.ts';
import { DeviceState } from './device-state.ts';
import { type DeviceRequirements, checkDevice } from './device.ts';
import {
  type ClassLoaders,
  PORTABLE,
  SUBGROUP_FEATURE,
  classOf,
  manifestOfClass,
  shadersOfClass,
} from '../contract/device-class.ts';
import { MoecError, type WeightsProblem } from '../contract/errors.ts';
import type { ExternFunction } from '../contract/ask-host.ts';
import { allocatedBytes, kernelsOf, layOut } from '../contract/buffer-layout.ts';
import { type Manifest, type ResultSpec, type VariableSpec, bytesPerElement } from '../contract/manifest.ts';
import { Model } from './model.ts';
import { type Named, toMap } from '../contract/named.ts';
import {
  checkBytes,
  checkChoice,
  checkDeviceOption,
  checkFlags,
  checkFunction,
  checkNamed,
  checkOptions,
  checkSeed,
  checkSignal,
  checkSource,
  untilAborted,
} from './call-options.ts';
import { Pipelines } from './pipelines.ts';
import { regimesOf } from '../contract/regimes.ts';
import { type RunContext, bufferAt, bindingOf, runPlan } from './run.ts';
import type { WeightSource } from '../weights/weight-source.ts';
import { bytesToRead, loadVariable, throwProblems } from '../weights/weights.ts';

export type Progress =
  | { readonly stage: 'weights'; readonly done: number; readonly total: number }
  | { readonly stage: 'pipelines'; readonly done: number; readonly total: number };

export interface CreateOptions {
  /** The caller's device; it stays the caller's. */
  readonly device: GPUDevice;
  /** Left open. Without it every param has its initial value. */
  readonly weights?: WeightSource;
  /** What to do about params that the weights lack but that have an initial value; 'error' unless given. */
  readonly missing?: MissingParams;
  /** Accept weights that are infinite or not a number. */
  readonly allowNonFinite?: boolean;
  /** Seed of initial values that are drawn; 0 unless given. */
  readonly seed?: number;
  /** Bytes that all buffers of the model may take together. */
  readonly memoryBudget?: number;
  /** Which forms of the kernels to take; those of the device's own class unless given. */
  readonly class?: string;
  /** Functions of the host, by name. */
  readonly externs?: Named<ExternFunction>;
  /** Compile the kernels of all entries now ('results', unless given), so that the first run is as fast as others; also those of losses, outputs and updates ('all'), or when first used. */
  readonly warmUp?: 'results' | 'all' | 'none';
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** Weights that were written but not submitted pile up in the driver: it is made to take them at this many bytes. */
const MAX_PENDING_BYTES = 32 * 2 ** 20;

/**
 * Makes a model. `shaders` are the module's texts, or those of its portable forms, and `classes` loads the others. Throws RequirementsError, WeightsError, OutOfMemoryError, DeviceLostError, MoecError, or the reason of
 * the signal.
 */
export async function createModel(
  manifest: Manifest,
  shaders: readonly string[],
  options: CreateOptions,
  classes: ClassLoaders = {},
): Promise<Model> {
  if (manifest.schema !== 1) {
    const told = `the module has schema ${String(manifest.schema)}, this runtime reads schema 1: compile it again`;
    throw new MoecError('MOE0716', told);
  }
  checkCreateOptions(options);
  const { signal } = options;
  signal?.throwIfAborted();
  const made: { memory: DeviceMemory | null } = { memory: null };
  const work = build(manifest, shaders, classes, options, made);
  if (signal === undefined) return work;
  // The source may never answer: what was allocated is given back now, not when the work comes to its end.
  const stop = (): void => made.memory?.destroyAll();
  signal.addEventListener('abort', stop, { once: true });
  return untilAborted(work, signal).finally(() => signal.removeEventListener('abort', stop));
}

function checkCreateOptions(options: CreateOptions): void {
  checkOptions(options, 'options');
  checkDeviceOption(options.device);
  checkSource(options.weights);
  checkChoice(options.missing, 'missing', ['error', 'initialise']);
  checkChoice(options.warmUp, 'warmUp', ['results', 'all', 'none']);
  checkFlags(options, ['allowNonFinite']);
  checkFunction(options.onProgress, 'onProgress');
  checkSignal(options.signal);
  if (options.seed !== undefined) checkSeed(options.seed);
  if (options.memoryBudget !== undefined) checkBytes(options.memoryBudget, 'memoryBudget');
  if (options.externs !== undefined) {
    checkNamed(options.externs, 'externs');
    for (const [name, run] of toMap(options.externs)) checkFunction(run, `the function ${name}`);
  }
}

/** The work of `createModel`. `made.memory` is set as soon as there is something to give back. */
async function build(
  allClasses: Manifest,
  portable: readonly string[],
  loaders: ClassLoaders,
  options: CreateOptions,
  made: { memory: DeviceMemory | null },
): Promise<Model> {
  const { device, signal } = options;
  const { classes } = allClasses;
  checkChoice(options.class, 'class', [PORTABLE, ...classes.map(({ name }) => name)]);
  const deviceClass = options.class ?? classOf(device, classes);
  const manifest = manifestOfClass(allClasses, deviceClass);
  checkDevice(device, requirementsOf(allClasses, deviceClass));
  const state = new DeviceState(device);
  await state.checkSettled();
  const shaders = await shadersOfClass(manifest, portable, deviceClass, loaders);
  const source = options.weights ?? null;
  await source?.open?.(tensorsOf(manifest), signal);
  const bindings = await bindVariables(manifest, source, options.missing ?? 'error');
  const memory = new DeviceMemory(state, options.memoryBudget ?? null);
  made.memory = memory;
  memory.reserve(
    bindings.map(({ variable, elements }) => ({ label: variable.path, bytes: elements * bytesPerElement })),
  );
  try {
    const variables = new Map<number, GPUBuffer>();
    for (const { index, variable, elements } of bindings) {
      variables.set(index, memory.storage(variable.path, elements * bytesPerElement));
    }
    await state.settle();
    if (source !== null) await loadWeights(state, bindings, variables, source, options);
    const pipelines = new Pipelines(state, manifest, shaders);
    await pipelines.prepare(kernelsToWarmUp(manifest, bindings, options.warmUp ?? 'results'), {
      signal,
      dispatch: options.warmUp !== 'none',
      onDone: (done, total) => options.onProgress?.({ stage: 'pipelines', done, total }),
    });
    // What a run would load in its middle is loaded now, and missed now where it is not there.
    if (manifest.entries.some(({ full }) => full.steps.some(({ kind }) => kind === 'extern')))
      await import('./run-extern.ts');
    const arena = new Arena(memory);
    const externs = toMap(options.externs ?? {});
    const context: RunContext = { state, pipelines, arena, variables, externs, launchers: new WeakMap() };
    const byIndex = new Map(bindings.map((binding) => [binding.index, binding]));
    const initialise = async (index: number): Promise<void> => {
      const binding = byIndex.get(index);
      if (binding !== undefined) await writeInitial(manifest, context, binding, options);
    };
    const fresh = bindings.filter(({ slices }) => slices === null);
    for (const { index } of fresh) await initialise(index);
    const initialised = fresh.map(({ variable }) => variable.path);
    signal?.throwIfAborted();
    const allowNonFinite = options.allowNonFinite ?? false;
    return new Model({ ...context, manifest, deviceClass, memory, initialised, allowNonFinite, initialise });
  } catch (error) {
    memory.destroyAll();
    throw error;
  }
}

/** What a manifest asks of a device: of any, or of one of a class. */
export function requirementsOf(manifest: Manifest, name: string = PORTABLE): DeviceRequirements {
  const { requiredFeatures, requiredLimits, kernels, stores, entries } = manifest;
  const launched = [
    ...entries
      .flatMap(({ plan, full }) => [plan, full])
      .flatMap(regimesOf)
      .flatMap(kernelsOf),
    ...initialKernels(stores),
  ];
  const sizes = launched.flatMap((kernel) => kernels[kernel]?.subgroupSize ?? []);
  const own = manifest.classes.find((each) => each.name === name);
  return {
    requiredFeatures: own === undefined ? requiredFeatures : [...new Set([...requiredFeatures, SUBGROUP_FEATURE])],
    requiredLimits,
    subgroupSizes: [...new Set(own === undefined ? sizes : [...sizes, own.subgroupSize])],
  };
}

function initialKernels(variables: readonly VariableSpec[]): readonly number[] {
  return variables.flatMap(({ initial }) => (initial?.kind === 'plan' ? kernelsOf(initial.plan) : []));
}

function kernelsToWarmUp(
  manifest: Manifest,
  bindings: readonly WeightBinding[],
  warmUp: 'results' | 'all' | 'none',
): readonly number[] {
  const initial = initialKernels(bindings.flatMap(({ slices, variable }) => (slices === null ? [variable] : [])));
  if (warmUp === 'none') return initial;
  const plans = manifest.entries.flatMap(({ plan, full }) => (warmUp === 'all' ? [plan, full] : [plan]));
  return [...initial, ...plans.flatMap(regimesOf).flatMap(kernelsOf)];
}

/** Fills all variables that the source has, with every fault of its values in one report. */
async function loadWeights(
  state: DeviceState,
  bindings: readonly WeightBinding[],
  variables: ReadonlyMap<number, GPUBuffer>,
  source: WeightSource,
  options: CreateOptions,
): Promise<void> {
  const { queue } = state.device;
  const total = bindings.reduce((sum, binding) => sum + bytesToRead(binding, source), 0);
  const problems: WeightsProblem[] = [];
  let done = 0;
  let pending = 0;
  for (const binding of bindings) {
    const buffer = variables.get(binding.index);
    if (buffer === undefined || binding.slices === null) continue;
    const found = await loadVariable(
      binding,
      source,
      async (elementOffset, words) => {
        options.signal?.throwIfAborted();
        state.check();
        if (words.length === 0) return;
        state.guard(() => queue.writeBuffer(buffer, elementOffset * bytesPerElement, words), words.byteLength);
        pending += allocatedBytes(words.byteLength);
        if (pending < MAX_PENDING_BYTES) return;
        pending = 0;
        queue.submit([]);
        await queue.onSubmittedWorkDone();
        await state.settle();
      },
      {
        signal: options.signal,
        allowNonFinite: options.allowNonFinite ?? false,
        onBytes: (bytes) => {
          // Where tensors are read with gaps, more is read than is used.
          done = Math.min(total, done + bytes);
          options.onProgress?.({ stage: 'weights', done, total });
        },
      },
    );
    problems.push(...found);
  }
  await state.settle();
  throwProblems(problems);
}

/** Gives a variable its initial value: a constant, or the only result of a plan. */
async function writeInitial(
  manifest: Manifest,
  context: RunContext,
  { index, variable, elements }: WeightBinding,
  options: CreateOptions,
): Promise<void> {
  const { state } = context;
  const target = context.variables.get(index);
  if (target === undefined || elements === 0) return;
  const { initial } = variable;
  if (initial === null) {
    throw new MoecError('MOE0635', `${variable.path} has no initial value`);
  }
  if (initial.kind === 'fill') {
    const isFloat = variable.element === 'f32' || variable.element === 'f16';
    const words = isFloat ? new Float32Array(elements) : new Int32Array(elements);
    words.fill(initial.value);
    state.guard(() => state.device.queue.writeBuffer(target, 0, words), words.byteLength);
    await state.settle();
    return;
  }
  const layout = layOut(manifest, initial.plan, new Map());
  const result = initial.plan.results[0];
  if (result?.kind !== 'tensor') throw new MoecError('MOE0716', `the initial value of ${variable.path} is no tensor`);
  await context.pipelines.prepare(kernelsOf(initial.plan), { signal: options.signal });
  const spec = {
    layout,
    feeds: new Map(),
    given: new Set<string>(),
    asked: new Set<ResultSpec['group']>(['result']),
    seed: options.seed ?? 0,
    signal: options.signal,
    timeout: null,
  };
  await runPlan(context, spec, []);
  state.guard(() => {
    const encoder = state.device.createCommandEncoder({ label: `initialise ${variable.path}` });
    const binding = bindingOf(layout, result.buffer);
    encoder.copyBufferToBuffer(bufferAt(context, binding), 0, target, 0, binding.usedBytes);
    state.device.queue.submit([encoder.finish()]);
  });
  await state.settle();
}
