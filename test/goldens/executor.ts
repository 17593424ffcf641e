/**
 * Who runs a model: the reference interpreter, the kernel interpreter or a GPU, all behind one interface, with results
 * under the names `moec run` writes them: results, outputs by path, `loss.PATH`, and for a route `NAME.indices` and
 * `NAME.weights`.
 */
import { CliError } from '../../compiler/cli/terminal/cli-error.ts';
import {
  execute,
  executeKernels,
  executeReference,
  openDevice,
  runModel,
  withModel,
} from '../../compiler/cli/running/execute.ts';
import type { ExecuteRequest, Prepared } from '../../compiler/cli/running/execution.ts';
import { controlsOf, prepare, sizesOf } from '../../compiler/cli/running/prepare.ts';
import { loadExterns } from '../../compiler/cli/running/run-options.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { renderAll } from '../../dsl/diagnostics/render.ts';
import { classOf, SUBGROUP_FEATURE } from '../../runtime/contract/device-class.ts';
import { requirementsOf } from '../../runtime/running/module.ts';
import type { WeightSource } from '../../runtime/weights/weight-source.ts';
import type { NamedTensor } from './compare-numbers.ts';

export type Place = 'reference' | 'kernels' | 'gpu';

export interface RunRequest {
  readonly modelFile: string;
  readonly externFile: string | null;
  /** As `--set NAME=VALUE`. */
  readonly sets: ReadonlyMap<string, string>;
  readonly entry: string;
  /** Parameters of the entry and controls, by name. */
  readonly inputs: ReadonlyMap<string, NamedTensor>;
  readonly weights: WeightSource;
  /** Whether losses and outputs are wanted beside the results. */
  readonly want: { readonly losses: boolean; readonly outputs: boolean };
}

export interface Executor {
  readonly name: Place;
  run(request: RunRequest): Promise<ReadonlyMap<string, NamedTensor>>;
}

export function executorOf(place: Place): Executor {
  return { name: place, run: (request) => run(place, request) };
}

async function run(place: Place, request: RunRequest): Promise<ReadonlyMap<string, NamedTensor>> {
  return told(async () => execute(await withExterns(place, request)));
}

/**
 * The executors on the CPU for the runs of one case. What both of them run is compiled once: they are asked for the same runs in the
 * same order, whichever is first.
 */
export interface CaseExecutors {
  readonly on: (place: 'reference' | 'kernels') => Executor;
  /** Lets go of what was compiled. */
  readonly release: () => void;
}

export function executorsOfCase(): CaseExecutors {
  const compiled: { readonly key: string; readonly prepared: Promise<Prepared> }[] = [];
  const preparedFor = (index: number, request: ExecuteRequest): Promise<Prepared> => {
    const key = JSON.stringify([request.modelFile, request.entry, [...request.sets]]);
    const known = (compiled[index] ??= { key, prepared: prepare(request) });
    if (known.key !== key)
      throw new Error(`run ${index} of the case is ${known.key} on one executor, ${key} on another`);
    return known.prepared;
  };
  return {
    on: (place) => {
      let next = 0;
      const runOne = async (request: RunRequest): Promise<ReadonlyMap<string, NamedTensor>> => {
        const whole = await withExterns(place, request);
        const prepared = await preparedFor(next++, whole);
        return place === 'reference' ? executeReference(prepared, whole) : executeKernels(prepared, whole);
      };
      return { name: place, run: (request) => told(() => runOne(request)) };
    },
    release: () => void compiled.splice(0),
  };
}

/**
 * Runs on the GPU, each with a model of its own, on a device that those share which need the same of it: a software driver takes a
 * good part of a second to open and close one.
 */
export interface GpuExecutor extends Executor {
  readonly release: () => Promise<void>;
}

export function gpuExecutor(): GpuExecutor {
  const devices = new Map<string, Promise<GPUDevice>>();
  /** Forms of the class of the adapter, once it is known: no others run. */
  let classes = webgpuCore.classes;
  const runOne = async (request: RunRequest): Promise<ReadonlyMap<string, NamedTensor>> => {
    const whole = await withExterns('gpu', request);
    const prepared = await prepare({ ...whole, target: { ...webgpuCore, classes } }, 'device');
    const key = JSON.stringify(requirementsOf(prepared.manifest));
    const device = devices.get(key) ?? openDevice(prepared.manifest);
    devices.set(key, device);
    const parts = { sizes: sizesOf(prepared, whole), controls: controlsOf(prepared, whole) };
    const opened = await device;
    if (opened.features.has(SUBGROUP_FEATURE)) {
      const own = classOf(opened, webgpuCore.classes);
      classes = webgpuCore.classes.filter(({ name }) => name === own);
    }
    return withModel(prepared, whole, opened, (model) => runModel(model, prepared, whole, parts));
  };
  return {
    name: 'gpu',
    run: (request) => told(() => runOne(request)),
    release: async () => {
      for (const device of devices.values()) (await device).destroy();
      devices.clear();
    },
  };
}

async function withExterns(place: Place, request: RunRequest): Promise<ExecuteRequest> {
  const externs = request.externFile === null ? {} : { externs: await loadExterns(request.externFile) };
  return { ...request, ...externs, on: place };
}

/** Mistakes in a program as the text that the command line shows. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof CliError) || error.diagnostics.length === 0) throw error;
    throw new Error(renderAll(error.diagnostics, error.sources), { cause: error });
  }
}
