/**
 * Runs an entry of a model file by one of three executors, with the same inputs, weights and result names:
 * `reference` (float64, by definition), `kernels` (the compiled plan on the CPU), `gpu`.
 */
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { MoecError } from '../../../runtime/contract/errors.ts';
import type { Manifest, ResultSpec } from '../../../runtime/contract/manifest.ts';
import type { Model } from '../../../runtime/running/model.ts';
import { type RunWatch, stepByStep } from '../../../runtime/running/step-by-step.ts';
import { createModel, requirementsOf } from '../../../runtime/running/module.ts';
import { requestDevice } from '../../../runtime/node.ts';
import { readResult } from '../../../runtime/contract/results.ts';
import type { Diagnostic } from '../../../dsl/diagnostics/diagnostic.ts';
import { interpretEntry, type NumberTensor } from '../../../dsl/interpret/interpret-entry.ts';
import { interpretedExtern } from '../../api/interpreted-extern.ts';
import { locator } from '../../compile.ts';
import { parseOverrides } from '../../overrides.ts';
import { Simulator, type SimulatedRun } from '../../schedule/executing/simulate.ts';
import { CliError } from '../terminal/cli-error.ts';
import type { ExecuteRequest, NamedTensor, Prepared } from './execution.ts';
import { functionOf } from './host-function.ts';
import { executableOf, hostMemory } from './host-memory.ts';
import { addInterpreted, addValue, maxOf, shownName } from './named-results.ts';
import { controlsOf, prepare, sizesOf } from './prepare.ts';

/** Runs once. Throws CliError (mistakes in the program, no adapter) and the runtime's errors. */
export async function execute(request: ExecuteRequest): Promise<ReadonlyMap<string, NamedTensor>> {
  const prepared = await prepare(request, request.on === 'gpu' ? 'device' : 'host');
  switch (request.on) {
    case 'reference':
      return executeReference(prepared, request);
    case 'kernels':
      return executeKernels(prepared, request);
    case 'gpu':
      return executeGpu(prepared, request);
  }
}

/** The reference interpreter's answer. */
export async function executeReference(
  prepared: Prepared,
  request: ExecuteRequest,
): Promise<ReadonlyMap<string, NamedTensor>> {
  const controls = controlsOf(prepared, request);
  const sizes = sizesOf(prepared, request);
  const inputs = new Map<string, NumberTensor>();
  for (const input of prepared.entry.elaborated.inputs) {
    const given = request.inputs.get(input.name);
    if (given !== undefined) inputs.set(input.name, { shape: given.shape, data: Float64Array.from(given.data) });
  }
  const problems: Diagnostic[] = [];
  const externs = request.externs ?? new Map();
  const interpreted = await interpretEntry({
    program: prepared.program,
    entry: prepared.entry.name,
    overrides: parseOverrides(request.sets),
    inputs,
    sizes,
    variables: (path) => {
      const control = controls.get(path);
      return control === undefined ? (prepared.variables.get(path) ?? null) : Float64Array.from(control.data);
    },
    seed: request.seed ?? 0,
    want: { losses: request.want.losses, outputs: request.want.outputs, updates: request.want.updates ?? false },
    extern: interpretedExtern((name) => functionOf(externs, name), locator(prepared.project.sources), request.signal),
    report: (p) => problems.push(p),
  });
  if (problems.length > 0)
    throw new CliError(1, 'the sizes of this run do not fit the model', {
      diagnostics: problems,
      sources: prepared.project.sources,
    });
  const [wrong] = interpreted.problems;
  if (wrong !== undefined) {
    const at = wrong.point.map((p) => `${p.axis} ${p.index}`).join(', ');
    throw new MoecError(wrong.code, `${wrong.message}${at === '' ? '' : ` (first at ${at})`}`);
  }
  const out = new Map<string, NamedTensor>();
  const maxPresentOf = maxOf(prepared, sizes);
  for (const [prefix, values] of [
    ['', interpreted.results],
    ['', interpreted.outputs],
    ['loss.', interpreted.losses],
    ['state.', interpreted.states],
  ] as const) {
    for (const [name, value] of values) addInterpreted(out, prefix + name, value, maxPresentOf);
  }
  return out;
}

/** The plan that ships, on the CPU, with bounds checked. `after` is told after every step, as SimulatedRun says. */
export async function executeKernels(
  prepared: Prepared,
  request: ExecuteRequest,
  after?: SimulatedRun['after'],
): Promise<ReadonlyMap<string, NamedTensor>> {
  const executable = executableOf(prepared, request);
  const asked = askedOf(request);
  const ran = await new Simulator(executable).run({
    ...(await hostMemory(prepared, request)),
    asked,
    seed: request.seed ?? 0,
    after,
    extern: (name) => functionOf(request.externs ?? new Map(), name),
    signal: request.signal,
  });
  const [fault] = ran.faults;
  if (fault !== undefined) throw fault;
  const out = new Map<string, NamedTensor>();
  for (const result of executable.plan.results) {
    if (asked.has(result.group)) addValue(out, shownName(result), readResult(result, ran.layout.sizes, ran.words));
  }
  return out;
}

/** The groups of results that a request asks for. */
function askedOf({ want }: ExecuteRequest): ReadonlySet<ResultSpec['group']> {
  return new Set<ResultSpec['group']>([
    'result',
    ...(want.losses ? (['loss'] as const) : []),
    ...(want.outputs ? (['output'] as const) : []),
    ...(want.updates === true ? (['update'] as const) : []),
  ]);
}

/** The GPU's answer; `watch` looks at it launch by launch. Throws CliError 3 when there is no adapter. */
export async function executeGpu(
  prepared: Prepared,
  request: ExecuteRequest,
  watch?: RunWatch,
): Promise<ReadonlyMap<string, NamedTensor>> {
  // What the request says wrong is told before the weights are read.
  const sizes = sizesOf(prepared, request);
  const controls = controlsOf(prepared, request);
  const device = await openDevice(prepared.manifest);
  try {
    return await withModel(prepared, request, device, (model) =>
      runModel(model, prepared, request, { sizes, controls, watch }),
    );
  } finally {
    device.destroy();
  }
}

/** A model of a request on a device. */
export function modelOn(prepared: Prepared, request: ExecuteRequest, device: GPUDevice): Promise<Model> {
  return createModel(prepared.manifest, prepared.compilation.shaders, {
    device,
    ...(request.weights === null ? {} : { weights: request.weights }),
    ...(request.missing === undefined ? {} : { missing: request.missing }),
    ...(request.externs === undefined ? {} : { externs: request.externs }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
    seed: request.seed ?? 0,
    warmUp: 'none',
  });
}

/** A model of a request on a device, for as long as `work` takes. */
export async function withModel<T>(
  prepared: Prepared,
  request: ExecuteRequest,
  device: GPUDevice,
  work: (model: Model) => Promise<T>,
): Promise<T> {
  const model = await modelOn(prepared, request, device);
  try {
    return await work(model);
  } finally {
    model.dispose();
  }
}

export interface RunParts {
  readonly sizes: ReadonlyMap<string, number>;
  readonly controls: ReadonlyMap<string, NamedTensor>;
  readonly watch?: RunWatch | undefined;
}

/** One run of a request on its model. */
export async function runModel(
  model: Model,
  prepared: Prepared,
  request: ExecuteRequest,
  { sizes, controls, watch }: RunParts,
): Promise<ReadonlyMap<string, NamedTensor>> {
  for (const [path, tensor] of request.states ?? []) await model.write(path, Float64Array.from(tensor.data));
  const shaped = (t: NamedTensor) => ({ data: Float64Array.from(t.data), shape: t.shape });
  const inputs = new Map(
    prepared.entry.elaborated.inputs.flatMap((i) => {
      const t = request.inputs.get(i.name);
      return t === undefined ? [] : [[i.name, shaped(t)] as const];
    }),
  );
  const ran = await model.run(inputs, {
    entry: prepared.entry.name,
    sizes,
    controls: new Map([...controls].map(([path, t]) => [path, shaped(t)])),
    losses: request.want.losses,
    outputs: request.want.outputs,
    update: request.want.updates ?? false,
    seed: request.seed ?? 0,
    ...(watch === undefined ? {} : { watch: stepByStep(watch) }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  const out = new Map<string, NamedTensor>();
  for (const [prefix, values] of [
    ['', ran.results],
    ['', ran.outputs],
    ['loss.', ran.losses],
  ] as const) {
    for (const [name, value] of values) addValue(out, prefix + name, value);
  }
  if (request.want.updates === true) {
    const updated = new Set(
      at(prepared.manifest.entries, 0, 'cli: entry')
        .full.results.filter((r) => r.group === 'update')
        .map((r) => r.name),
    );
    for (const path of updated) {
      const t = await model.read(path);
      out.set(`state.${path}`, { element: t.element, shape: t.shape, data: t.data });
    }
  }
  return out;
}

/** A device for the manifest; the adapter is the environment's first. Throws CliError 3. */
export async function openDevice(manifest: Manifest): Promise<GPUDevice> {
  try {
    return await requestDevice(requirementsOf(manifest));
  } catch (error) {
    if (error instanceof MoecError)
      throw new CliError(3, `${error.message}; moec doctor tells what to install`, { cause: error });
    throw error;
  }
}
