/**
 * Pipelines of a model's kernels: created only asynchronously and side by side, one for each shader text and layout, when first
 * wanted.
 *
 * Invariants:
 * - Bind group layouts are explicit: storage buffers at 0, 1, …, the uniform struct after the last of them.
 * - A shader that does not compile is a bug of the compiler and says which kernel, with the driver's own words.
 */
import { untilAborted } from './call-options.ts';
import { dispatchNothing } from './first-dispatch.ts';
import type { DeviceState } from './device-state.ts';
import { MoecError } from '../contract/errors.ts';
import type { KernelSpec, Manifest } from '../contract/manifest.ts';

/** A kernel that can be launched. */
export interface CompiledKernel {
  readonly spec: KernelSpec;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** WebGPU's number for the compute stage. */
const COMPUTE_STAGE = 0x4;

export interface PrepareOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onDone?: (done: number, total: number) => void;
  readonly dispatch?: boolean;
}

export class Pipelines {
  readonly #state: DeviceState;
  readonly #manifest: Manifest;
  readonly #shaders: readonly string[];
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #compiled = new Map<number, CompiledKernel>();
  readonly #dispatched = new Map<GPUComputePipeline, Promise<void>>();
  readonly #pending = new Map<string, Promise<GPUComputePipeline>>();

  constructor(state: DeviceState, manifest: Manifest, shaders: readonly string[]) {
    this.#state = state;
    this.#manifest = manifest;
    this.#shaders = shaders;
  }

  /** Distinct pipelines that were made. */
  get count(): number {
    return this.#pending.size;
  }

  /** A kernel that `prepare` has seen. */
  get(kernel: number): CompiledKernel {
    const compiled = this.#compiled.get(kernel);
    if (compiled === undefined) throw new Error(`kernel ${kernel} was not prepared`);
    return compiled;
  }

  has(kernel: number): boolean {
    return this.#compiled.has(kernel);
  }

  /**
   * Compiles kernels that are not compiled yet, all at once; `onDone` is called after each with how many of how many are done.
   * `dispatch`: each is dispatched once too, so that nothing is left for a run to compile.
   */
  async prepare(kernels: Iterable<number>, options: PrepareOptions = {}): Promise<void> {
    const { signal, onDone, dispatch = false } = options;
    const wanted = [...new Set(kernels)].filter((kernel) => {
      const compiled = this.#compiled.get(kernel);
      return compiled === undefined || (dispatch && !this.#dispatched.has(compiled.pipeline));
    });
    signal?.throwIfAborted();
    let done = 0;
    const work = wanted.map(async (kernel) => {
      const compiled = await this.#compile(kernel);
      signal?.throwIfAborted();
      if (dispatch) await this.#dispatch(compiled);
      signal?.throwIfAborted();
      done += 1;
      onDone?.(done, wanted.length);
    });
    // All have to end before anything is said: nobody would catch the second failure.
    const all = Promise.allSettled(work).then((ended) => {
      for (const result of ended) if (result.status === 'rejected') throw result.reason;
    });
    await (signal === undefined ? all : untilAborted(all, signal));
  }

  /** Kernels of one text share a pipeline, and its first dispatch. */
  async #dispatch(kernel: CompiledKernel): Promise<void> {
    const { pipeline } = kernel;
    const dispatched = this.#dispatched.get(pipeline) ?? dispatchNothing(this.#state, kernel);
    this.#dispatched.set(pipeline, dispatched);
    try {
      await dispatched;
    } catch (error) {
      this.#dispatched.delete(pipeline);
      throw error;
    }
  }

  async #compile(kernel: number): Promise<CompiledKernel> {
    const known = this.#compiled.get(kernel);
    if (known !== undefined) return known;
    const spec = this.#manifest.kernels[kernel];
    const code = spec === undefined ? undefined : this.#shaders[spec.shader];
    if (spec === undefined || code === undefined) {
      throw new MoecError('MOE0716', `the module has no kernel ${kernel}`);
    }
    const signature = layoutSignature(spec);
    const layout = this.#layout(signature, spec);
    // By number of the text: the compiler keeps equal texts once.
    const key = `${spec.shader} ${signature}`;
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      pending = this.#create(spec, code, layout);
      this.#pending.set(key, pending);
    }
    try {
      const compiled = { spec, layout, pipeline: await pending };
      this.#compiled.set(kernel, compiled);
      return compiled;
    } catch (error) {
      this.#pending.delete(key);
      throw error;
    }
  }

  #layout(signature: string, spec: KernelSpec): GPUBindGroupLayout {
    const known = this.#layouts.get(signature);
    if (known !== undefined) return known;
    const entries: GPUBindGroupLayoutEntry[] = spec.buffers.map(({ access }, binding) => ({
      binding,
      visibility: COMPUTE_STAGE,
      buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
    }));
    if (spec.uniforms.length > 0) {
      entries.push({ binding: entries.length, visibility: COMPUTE_STAGE, buffer: { type: 'uniform' } });
    }
    const layout = this.#state.guard(() => this.#state.device.createBindGroupLayout({ label: signature, entries }));
    this.#layouts.set(signature, layout);
    return layout;
  }

  async #create(spec: KernelSpec, code: string, layout: GPUBindGroupLayout): Promise<GPUComputePipeline> {
    const { device } = this.#state;
    const { module, pipelineLayout } = this.#state.guard(() => ({
      module: device.createShaderModule({ label: spec.name, code }),
      pipelineLayout: device.createPipelineLayout({ label: spec.name, bindGroupLayouts: [layout] }),
    }));
    try {
      const pipeline = await device.createComputePipelineAsync({
        label: spec.name,
        layout: pipelineLayout,
        compute: { module, entryPoint: 'main' },
      });
      await this.#state.settle();
      return pipeline;
    } catch (error) {
      // What else the scopes caught belongs to this kernel too, and not to whoever settles next.
      await this.#state.settle().catch(() => undefined);
      this.#state.check();
      if (error instanceof MoecError) throw error;
      const told = error instanceof Error ? error.message : String(error);
      const message = `the kernel ${spec.name} was refused, which is a bug of the compiler: ${told}${await messages(module)}`;
      throw new MoecError('MOE0700', message, { cause: error });
    }
  }
}

async function messages(module: GPUShaderModule): Promise<string> {
  const info = await module.getCompilationInfo();
  return info.messages.map(({ lineNum, linePos, message }) => `\n  ${lineNum}:${linePos}: ${message}`).join('');
}

function layoutSignature(spec: KernelSpec): string {
  const buffers = spec.buffers.map(({ access }) => (access === 'read' ? 'r' : 'w')).join('');
  return spec.uniforms.length > 0 ? `${buffers}u` : buffers;
}
