/**
 * A model on a device: what a generated module wraps with its own types.
 *
 * Invariants:
 * - Calls on one model run one after the other, in the order they were made; scratch memory is shared between them.
 * - States change only when a run that was asked to update ended well, all of them together.
 * - The device is the caller's: `dispose` destroys the model's buffers and nothing else.
 */
import type { Memory } from './buffers.ts';
import { type Encoded, type EncodeOptions, encodeRun } from './encode.ts';
import { InputError, MoecError } from './errors.ts';
import { type PlanLayout, kernelsOf, layOut } from './layout.ts';
import { type EntrySpec, type Manifest, type PlanSpec, type ResultSpec, bytesPerElement } from './manifest.ts';
import { type MemoryPlan, findEntry, planMemory } from './memory-plan.ts';
import { type Named, toMap } from './named.ts';
import { Readback } from './readback.ts';
import { type Route, readRoute } from './routes.ts';
import { type RunContext, type RunWatch, bufferAt, placeOf, runPlan } from './run.ts';
import { type Feeds, readFeeds } from './feeds.ts';
import { type Sizes, evaluateShape } from './sizes.ts';
import { type InputValue, type Tensor, type TensorData, fromWords, toWords } from './tensors.ts';

export interface RunOptions {
  /** Run-time controls by path; those not given have their default. */
  readonly controls?: Named<InputValue>;
  /** Sizes of dynamic axes that do not follow from the inputs. */
  readonly sizes?: Named<number>;
  /** Seed of all draws, a whole number of 32 bits; 0 unless given. */
  readonly seed?: number;
  readonly losses?: boolean;
  readonly outputs?: boolean;
  /** Store the new states when the run has ended well. */
  readonly update?: boolean;
  readonly signal?: AbortSignal;
  /** Milliseconds that the device may take to answer; none unless given. */
  readonly timeout?: number;
  /** Refuse inputs with values that are not finite. */
  readonly checkFinite?: boolean;
  /** Looks at the run launch by launch, which is slow: for `moec verify`. */
  readonly watch?: RunWatch;
}

export type ResultValue = (Tensor & { readonly kind: 'tensor' }) | Route;

export interface RunResult {
  /** By name; an entry with one result calls it `output` unless it has a name. */
  readonly results: ReadonlyMap<string, ResultValue>;
  /** Empty unless asked for. */
  readonly outputs: ReadonlyMap<string, ResultValue>;
  readonly losses: ReadonlyMap<string, ResultValue>;
  readonly sizes: Sizes;
}

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
export interface ModelParts extends RunContext {
  readonly manifest: Manifest;
  readonly memory: Memory;
  readonly initialised: readonly string[];
  /** Puts the initial value of a state back. */
  readonly initialise: (store: number) => Promise<void>;
}

/** Layouts of runs that are kept: sizes tend to come back. */
const KEPT_LAYOUTS = 32;

export class Model {
  readonly manifest: Manifest;
  readonly #parts: ModelParts;
  readonly #context: RunContext;
  readonly #layouts = new Map<string, PlanLayout>();
  readonly #encodings = new Map<string, Encoded>();
  #queue: Promise<unknown> = Promise.resolve();
  #runs = 0;
  #disposed = false;

  constructor(parts: ModelParts) {
    this.manifest = parts.manifest;
    this.#parts = parts;
    this.#context = parts;
  }

  get device(): GPUDevice {
    return this.#parts.state.device;
  }

  /**
   * Runs an entry (`forward`, or the only one, unless named). Inputs by name; results are the caller's. Throws
   * InputError, RunError, OutOfMemoryError, DeviceLostError, TimeoutError, or the reason of the signal.
   */
  run(inputs: Named<InputValue>, options: RunOptions & { readonly entry?: string } = {}): Promise<RunResult> {
    const { signal } = options;
    if (signal?.aborted === true) return Promise.reject(abortReason(signal));
    const work = this.#enqueue(() => this.#run(inputs, options));
    return signal === undefined ? work : untilAborted(work, signal);
  }

  /**
   * Records a run into the caller's encoder, with GPU buffers in and out: no submission, nothing on the host. Buffers
   * are copied from and to (COPY_SRC and COPY_DST usage). The entry must be compiled (`warmUp`) and have no function of
   * the host. States keep their values. Faults that the kernels notice are told by `check` of what is returned, after
   * the submission.
   */
  encode(encoder: GPUCommandEncoder, options: EncodeOptions): Encoded {
    this.#checkAlive();
    return encodeRun(this.#parts, this.#encodings, encoder, options);
  }

  /** Compiles the kernels of all entries, or of one; `full`: also those of losses, outputs and updates. */
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
    await this.#parts.pipelines.prepare(plans.flatMap(kernelsOf), { signal, onDone });
  }

  /** Bytes of the model with one run, before anything is allocated. */
  plan(options: Parameters<typeof planMemory>[1] = {}): MemoryPlan {
    return planMemory(this.manifest, options);
  }

  /** The values of a param or state, by path. */
  read(path: string): Promise<Tensor> {
    return this.#enqueue(async () => {
      const { store, buffer } = this.#store(path);
      const shape = evaluateShape(store.axes, NO_SIZES);
      const bytes = bytesPerElement * shape.reduce((product, size) => product * size, 1);
      const { state } = this.#parts;
      await state.checkSettled();
      const readback = new Readback(state, this.#parts.arena, [{ buffer, bytes }]);
      state.guard(0, () => {
        const encoder = state.device.createCommandEncoder({ label: `read ${path}` });
        readback.begin(encoder);
        state.device.queue.submit([encoder.finish()]);
      });
      const [words = new Uint32Array(0)] = await readback.finish(null);
      return fromWords(store.element, store.axes, shape, words);
    });
  }

  /** Sets a param or state, by path. Throws InputError where the numbers do not fit. */
  write(path: string, data: TensorData): Promise<void> {
    return this.#enqueue(async () => {
      const { store, buffer } = this.#store(path);
      const shape = evaluateShape(store.axes, NO_SIZES);
      const wanted = shape.reduce((product, size) => product * size, 1);
      if (data.length !== wanted) {
        throw new InputError('MOE0708', `${path} has ${wanted} numbers, ${data.length} were given`, path);
      }
      const limit = store.within === null ? null : (evaluateShape([store.within], NO_SIZES)[0] ?? null);
      const words = toWords(
        { name: path, element: store.element, axes: store.axes, within: store.within },
        data,
        limit,
      );
      const { state } = this.#parts;
      await state.checkSettled();
      state.guard(0, () => state.device.queue.writeBuffer(buffer, 0, words));
      await state.settle();
    });
  }

  /** Gives all states, or one, their initial values. */
  reset(path?: string): Promise<void> {
    return this.#enqueue(async () => {
      for (const [index, store] of this.manifest.stores.entries()) {
        if (store.kind === 'state' && (path === undefined || store.path === path)) await this.#parts.initialise(index);
      }
      if (path !== undefined) this.#store(path);
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

  #store(path: string): { readonly store: Manifest['stores'][number]; readonly buffer: GPUBuffer } {
    const index = this.manifest.stores.findIndex((store) => store.path === path && store.kind !== 'control');
    const store = this.manifest.stores[index];
    const buffer = this.#parts.stores.get(index);
    if (store === undefined || buffer === undefined) {
      throw new InputError('MOE0706', `the model has no param or state ${path}`, path);
    }
    return { store, buffer };
  }

  async #run(inputs: Named<InputValue>, options: RunOptions & { readonly entry?: string }): Promise<RunResult> {
    const entry = findEntry(this.manifest, options.entry);
    const wantsMore = options.losses === true || options.outputs === true || options.update === true;
    const plan = wantsMore ? entry.full : entry.plan;
    const feeds = readFeeds(this.manifest, entry, toMap(inputs), {
      controls: toMap(options.controls ?? {}),
      sizes: toMap(options.sizes ?? {}),
      checkFinite: options.checkFinite === true,
      plan,
    });
    options.signal?.throwIfAborted();
    await this.#parts.pipelines.prepare(kernelsOf(plan), { signal: options.signal });
    const layout = this.#layout(entry, plan, feeds);
    const groups = new Set<ResultSpec['group']>(['result']);
    if (options.losses === true) groups.add('loss');
    if (options.outputs === true) groups.add('output');
    const wanted = plan.results.filter(({ group }) => groups.has(group));
    const buffers = wanted.flatMap((result) =>
      result.kind === 'tensor' ? [result.buffer] : [result.present, result.weight, result.rank],
    );
    const words = await this.#guardDisposal(() =>
      runPlan(
        this.#context,
        {
          layout,
          feeds: feeds.feeds,
          given: feeds.given,
          seed: options.seed ?? 0,
          signal: options.signal,
          timeout: options.timeout ?? null,
          watch: options.watch,
        },
        buffers,
      ),
    );
    if (options.update === true) await this.#guardDisposal(() => this.#update(layout));
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
    const layout = layOut(this.manifest, plan, sizes);
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
    state.guard(0, () => {
      const encoder = state.device.createCommandEncoder({ label: 'update' });
      for (const { name, buffer } of updates) {
        const place = placeOf(layout, buffer);
        if (place.usedBytes > 0) {
          encoder.copyBufferToBuffer(bufferAt(this.#context, place), 0, this.#store(name).buffer, 0, place.usedBytes);
        }
      }
      state.device.queue.submit([encoder.finish()]);
    });
    await state.settle();
  }
}

const NO_SIZES: Sizes = new Map();

function collect(
  wanted: readonly ResultSpec[],
  layout: PlanLayout,
  words: readonly Uint32Array<ArrayBuffer>[],
): RunResult {
  const groups = {
    result: new Map<string, ResultValue>(),
    output: new Map<string, ResultValue>(),
    loss: new Map<string, ResultValue>(),
    update: new Map<string, ResultValue>(),
  };
  const nothing = new Uint32Array(0);
  let at = 0;
  for (const result of wanted) {
    if (result.kind === 'tensor') {
      const shape = evaluateShape(result.axes, layout.sizes);
      const tensor = fromWords(result.element, result.axes, shape, words[at++] ?? nothing);
      groups[result.group].set(result.name, { kind: 'tensor', ...tensor });
    } else {
      const [present = nothing, weight = nothing, rank = nothing] = words.slice(at, at + 3);
      at += 3;
      groups[result.group].set(result.name, readRoute(result, layout.sizes, { present, weight, rank }));
    }
  }
  return { results: groups.result, outputs: groups.output, losses: groups.loss, sizes: layout.sizes };
}

function abortReason(signal: AbortSignal): unknown {
  return signal.reason ?? new DOMException('the run was aborted', 'AbortError');
}

/** The outcome of work, or the signal's reason as soon as it is aborted; the work itself goes on to its end. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(abortReason(signal));
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
