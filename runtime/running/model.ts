/**
 * A model on a device: what a generated module wraps with its own types.
 *
 * Invariants:
 * - Calls on one model run one after the other, in the order they were made; scratch memory is shared between them.
 * - States change only when a run that was asked to update ended well, all of them together.
 * - The device is the caller's: `dispose` destroys the model's buffers and nothing else.
 */
import { forgottenUpdate } from './forgotten-update.ts';
import type { DeviceMemory } from './buffers.ts';
import { type Encoded, type EncodeOptions, encodeRun } from './encode.ts';
import { InputError, MoecError } from '../contract/errors.ts';
import { type PlanLayout, kernelsOf, layOut } from '../contract/buffer-layout.ts';
import { type EntrySpec, type Manifest, type PlanSpec, type ResultSpec, bytesPerElement } from '../contract/manifest.ts'; // prettier-ignore
import { type MemoryPlan, findEntry, planMemory } from './memory-plan.ts';
import { type Named, toMap } from '../contract/named.ts';
import {
  type RunOptions,
  abortReason,
  checkFlags,
  checkNamed,
  checkOptions,
  checkSeed,
  checkSignal,
  checkSizes,
  readTimeout,
  untilAborted,
} from './call-options.ts';
import { Readback } from './readback.ts';
import { type RunResult, collect } from './results.ts';
import { buffersOfResult } from '../contract/results.ts';
import { planFor, regimesOf } from '../contract/regimes.ts';
import { type RunContext, type WatchStep, bufferAt, bindingOf, runPlan } from './run.ts';
import { type Feeds, readFeeds } from './feeds.ts';
import { elementCount, evaluateShape } from '../contract/sizes.ts';
import {
  type InputValue,
  type Tensor,
  type TensorData,
  checkAllFinite,
  fromWords,
  readInput,
  toWords,
} from '../contract/tensors.ts';

export interface ModelStats {
  /** Bytes of all buffers that are alive now, and at most so far. */
  readonly liveBytes: number;
  readonly peakBytes: number;
  readonly buffers: number;
  readonly pipelines: number;
  readonly runs: number;
  /** Params and states that have their initial values, not the checkpoint's. */
  readonly initialised: readonly string[];
}

/** What `createModel` puts together. */
export interface ModelContext extends RunContext {
  readonly manifest: Manifest;
  readonly deviceClass: string;
  readonly memory: DeviceMemory;
  readonly initialised: readonly string[];
  /** Accept values that are infinite or not a number in `write`, as `create` was told of weights. */
  readonly allowNonFinite: boolean;
  /** Puts the initial value of a state back. */
  readonly initialise: (variable: number) => Promise<void>;
}

/** A call of `run`, read and checked when it was made. */
interface RunRequest {
  readonly entry: EntrySpec;
  readonly plan: PlanSpec;
  readonly feeds: Feeds;
  readonly groups: ReadonlySet<ResultSpec['group']>;
  readonly update: boolean;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
  readonly timeout: number | null;
  readonly watch: WatchStep | undefined;
  /** Set when its states begin to be stored: from then on the run can no longer be aborted. */
  stored: boolean;
}

/** Layouts of runs that are kept: sizes tend to come back. */
const KEPT_LAYOUTS = 32;

export class Model {
  readonly manifest: Manifest;
  readonly #parts: ModelContext;
  readonly #context: RunContext;
  readonly #layouts = new Map<string, PlanLayout>();
  readonly #encodings = new Map<string, Encoded>();
  #queue: Promise<unknown> = Promise.resolve();
  #runs = 0;
  #disposed = false;
  /** Entries of which a forgotten update was told. */
  readonly #warned = new Set<string>();

  constructor(parts: ModelContext) {
    this.manifest = parts.manifest;
    this.#parts = parts;
    this.#context = parts;
  }

  /** The class of devices whose forms of the kernels it runs. */
  get deviceClass(): string {
    return this.#parts.deviceClass;
  }

  get device(): GPUDevice {
    return this.#parts.state.device;
  }

  /**
   * Runs an entry (`forward`, or the only one, unless named). Inputs by name, taken when this is called: what is done to the
   * caller's arrays afterwards changes nothing (a GPU buffer is copied when the run's turn comes). Results are the caller's.
   * A run that is aborted before its states are stored changes nothing; from then on it ends well, whatever the signal says.
   * Throws InputError, RunError, OutOfMemoryError, DeviceLostError, TimeoutError, or the reason of the signal.
   */
  run(inputs: Named<InputValue>, options: RunOptions & { readonly entry?: string } = {}): Promise<RunResult> {
    let request: RunRequest;
    try {
      request = this.#take(inputs, options);
    } catch (error) {
      return Promise.reject(error);
    }
    const { signal } = request;
    if (signal?.aborted === true) return Promise.reject(abortReason(signal));
    const work = this.#enqueue(() => this.#run(request));
    return signal === undefined ? work : untilAborted(work, signal, () => !request.stored);
  }

  /**
   * Records a run into the caller's encoder, with GPU buffers in and out: no submission, nothing on the host. Buffers
   * are copied from and to (COPY_SRC and COPY_DST usage). The entry must be compiled (`warmUp`) and have no function of
   * the host. States keep their values. Faults that the kernels notice are told by `check` of what is returned, after
   * the submission.
   */
  encode(encoder: GPUCommandEncoder, options: EncodeOptions): Encoded {
    this.#checkAlive();
    checkOptions(encoder, 'encoder');
    checkOptions(options, 'options');
    checkNamed(options.inputs, 'inputs');
    checkNamed(options.outputs, 'outputs');
    if (options.controls !== undefined) checkNamed(options.controls, 'controls');
    if (options.sizes !== undefined) checkSizes(options.sizes);
    if (options.seed !== undefined) checkSeed(options.seed);
    return encodeRun(this.#parts, this.#encodings, encoder, options);
  }

  /** Compiles the kernels of all entries, or of one, and leaves nothing of it to the first run; `full`: also those of losses, outputs and updates. */
  async warmUp(
    options: {
      readonly entry?: string;
      readonly full?: boolean;
      readonly signal?: AbortSignal;
      readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
    } = {},
  ): Promise<void> {
    this.#checkAlive();
    const entries = options.entry === undefined ? this.manifest.entries : [findEntry(this.manifest, options.entry)];
    const plans = entries.flatMap(({ plan, full }) => (options.full === true ? [plan, full] : [plan]));
    const { signal, onProgress } = options;
    const onDone = (done: number, total: number): void => onProgress?.({ done, total });
    await this.#parts.pipelines.prepare(plans.flatMap(regimesOf).flatMap(kernelsOf), {
      signal,
      onDone,
      dispatch: true,
    });
  }

  /** Bytes of the model with one run, before anything is allocated. */
  plan(options: Parameters<typeof planMemory>[1] = {}): MemoryPlan {
    return planMemory(this.manifest, options);
  }

  /** The values of a param or state, by path. */
  read(path: string): Promise<Tensor> {
    return this.#enqueue(async () => {
      const { variable, buffer } = this.#variable(path);
      const shape = evaluateShape(variable.axes, new Map());
      const bytes = bytesPerElement * shape.reduce((product, size) => product * size, 1);
      const { state } = this.#parts;
      await state.checkSettled();
      const readback = new Readback(state, this.#parts.arena, [{ buffer, bytes }]);
      state.guard(() => {
        const encoder = state.device.createCommandEncoder({ label: `read ${path}` });
        readback.begin(encoder);
        state.device.queue.submit([encoder.finish()]);
      });
      const [words = new Uint32Array(0)] = await readback.finish(null);
      return fromWords(variable.element, variable.axes, shape, words);
    });
  }

  /**
   * Sets a param or state, by path; the numbers are taken when this is called. Throws InputError where they do not fit, and for
   * what is not finite unless the model was created with `allowNonFinite`.
   */
  write(path: string, data: TensorData): Promise<void> {
    let words: ReturnType<typeof toWords>;
    try {
      words = this.#takeWords(path, data);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#enqueue(async () => {
      const { buffer } = this.#variable(path);
      const { state } = this.#parts;
      await state.checkSettled();
      state.guard(() => state.device.queue.writeBuffer(buffer, 0, words));
      await state.settle();
    });
  }

  /** Gives all states, or one, their initial values. */
  reset(path?: string): Promise<void> {
    return this.#enqueue(async () => {
      if (path !== undefined) this.#variable(path);
      for (const [index, variable] of this.manifest.stores.entries()) {
        if (variable.kind === 'state' && (path === undefined || variable.path === path))
          await this.#parts.initialise(index);
      }
    });
  }

  stats(): ModelStats {
    const { memory, pipelines, initialised } = this.#parts;
    return {
      liveBytes: memory.bytes,
      peakBytes: memory.peakBytes,
      buffers: memory.count,
      pipelines: pipelines.count,
      runs: this.#runs,
      initialised,
    };
  }

  /** Gives the memory of runs and encodings back; weights and states stay. Encoders that are not submitted become invalid. */
  trim(): Promise<void> {
    return this.#enqueue(async () => {
      for (const encoded of this.#encodings.values()) encoded.release();
      this.#encodings.clear();
      this.#parts.arena.clear();
    });
  }

  /** Destroys all buffers of the model. Runs that wait or are under way reject. */
  dispose(): void {
    this.#disposed = true;
    this.#parts.memory.destroyAll();
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#queue.then(() => {
      this.#checkAlive();
      return work();
    });
    this.#queue = next.catch(() => undefined);
    return next;
  }

  #checkAlive(): void {
    if (this.#disposed) throw new MoecError('MOE0712', 'the model was disposed');
  }

  #variable(path: string): { readonly variable: Manifest['stores'][number]; readonly buffer: GPUBuffer } {
    const index = this.manifest.stores.findIndex((variable) => variable.path === path && variable.kind !== 'control');
    const variable = this.manifest.stores[index];
    const buffer = this.#parts.variables.get(index);
    if (variable === undefined || buffer === undefined) {
      throw new InputError('MOE0706', `the model has no param or state ${path}`, path);
    }
    return { variable, buffer };
  }

  /** Numbers for a variable, copied and checked. */
  #takeWords(path: string, data: TensorData): ReturnType<typeof toWords> {
    this.#checkAlive();
    const { variable } = this.#variable(path);
    const declared = { name: path, element: variable.element, axes: variable.axes, within: variable.within };
    const given = readInput(declared, data);
    const wanted = elementCount(evaluateShape(variable.axes, new Map()));
    if (given.content.kind !== 'host')
      throw new InputError('MOE0707', `${path} is written with numbers, not with a buffer`, path);
    const { data: numbers } = given.content;
    if (numbers.length !== wanted)
      throw new InputError('MOE0708', `${path} has ${wanted} numbers, ${numbers.length} were given`, path);
    const limit = variable.within === null ? null : (evaluateShape([variable.within], new Map())[0] ?? null);
    const words = toWords(declared, numbers, limit);
    if (!this.#parts.allowNonFinite) checkAllFinite(path, words);
    return words;
  }

  /** What a call asks for, with its numbers copied. Throws InputError. */
  #take(inputs: Named<InputValue>, options: RunOptions & { readonly entry?: string }): RunRequest {
    this.#checkAlive();
    checkNamed(inputs, 'inputs');
    checkOptions(options, 'options');
    const { controls = {}, sizes = {}, seed = 0, signal, losses, outputs, update, checkFinite } = options;
    checkNamed(controls, 'controls');
    checkSizes(sizes);
    checkSeed(seed);
    checkSignal(signal);
    checkFlags(options, ['losses', 'outputs', 'update', 'checkFinite']);
    const timeout = readTimeout(options.timeout);
    const entry = findEntry(this.manifest, options.entry);
    if (update === undefined) this.#warnOnce(entry);
    const plan = losses === true || outputs === true || update === true ? entry.full : entry.plan;
    const feeds = readFeeds(this.manifest, entry, toMap(inputs), {
      controls: toMap(controls),
      sizes: toMap(sizes),
      checkFinite: checkFinite === true,
      plan,
    });
    const groups = new Set<ResultSpec['group']>(['result']);
    if (losses === true) groups.add('loss');
    if (outputs === true) groups.add('output');
    return {
      entry,
      plan,
      feeds,
      groups,
      update: update === true,
      seed,
      signal,
      timeout,
      watch: options.watch,
      stored: false,
    };
  }

  #warnOnce(entry: EntrySpec): void {
    if (this.#warned.has(entry.name)) return;
    this.#warned.add(entry.name);
    const told = forgottenUpdate(this.manifest, entry);
    if (told !== null) console.warn(told);
  }

  async #run(request: RunRequest): Promise<RunResult> {
    const { entry, plan, feeds, groups, seed, signal, timeout, watch } = request;
    signal?.throwIfAborted();
    const layout = this.#layout(entry, plan, feeds);
    await this.#parts.pipelines.prepare(kernelsOf(layout.plan), { signal });
    const wanted = layout.plan.results.filter(({ group }) => groups.has(group));
    const buffers = wanted.flatMap(buffersOfResult);
    const asked = new Set(request.update ? [...groups, 'update' as const] : groups);
    const spec = { layout, feeds: feeds.feeds, given: feeds.given, asked, seed, signal, timeout, watch };
    const words = await this.#guardDisposal(() => runPlan(this.#context, spec, buffers));
    if (request.update) {
      // Whoever aborted has been told that the run is rejected.
      signal?.throwIfAborted();
      request.stored = true;
      await this.#guardDisposal(() => this.#update(layout));
    }
    this.#runs += 1;
    return collect(wanted, layout, words);
  }

  /** A run whose buffers were destroyed under it ends with WebGPU's words for that; ours say why. */
  async #guardDisposal<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      this.#checkAlive();
      throw error;
    }
  }

  #layout(entry: EntrySpec, plan: PlanSpec, { sizes }: Feeds): PlanLayout {
    const key = JSON.stringify([entry.name, plan === entry.full, ...sizes]);
    const known = this.#layouts.get(key);
    if (known !== undefined) return known;
    const layout = layOut(this.manifest, planFor(plan, sizes), sizes);
    const [oldest] = this.#layouts.keys();
    if (oldest !== undefined && this.#layouts.size >= KEPT_LAYOUTS) this.#layouts.delete(oldest);
    this.#layouts.set(key, layout);
    return layout;
  }

  /** Copies every new state over its old value, in one submission. */
  async #update(layout: PlanLayout): Promise<void> {
    const { state } = this.#parts;
    const updates = layout.plan.results.flatMap((result) =>
      result.kind === 'tensor' && result.group === 'update' ? [result] : [],
    );
    if (updates.length === 0) return;
    state.guard(() => {
      const encoder = state.device.createCommandEncoder({ label: 'update' });
      for (const { name, buffer } of updates) {
        const [binding, { buffer: target }] = [bindingOf(layout, buffer), this.#variable(name)];
        if (binding.usedBytes === 0) continue;
        encoder.copyBufferToBuffer(bufferAt(this.#context, binding), 0, target, 0, binding.usedBytes);
      }
      state.device.queue.submit([encoder.finish()]);
    });
    await state.settle();
  }
}
