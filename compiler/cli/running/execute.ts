/**
 * Runs an entry of a model file by one of three executors, with the same inputs, weights and result names:
 * `reference` (float64, by definition), `kernels` (the compiled plan on the CPU), `gpu`.
 */
import { at, noNumber } from '../../../dsl/diagnostics/invariants.ts';
import { MoecError } from '../../../runtime/contract/errors.ts';
import type { Manifest } from '../../../runtime/contract/manifest.ts';
import type { Model } from '../../../runtime/running/model.ts';
import type { RunWatch } from '../../../runtime/running/run.ts';
import { createModel, requirementsOf } from '../../../runtime/running/module.ts';
import { requestDevice } from '../../../runtime/node.ts';
import { evaluateShape } from '../../../runtime/contract/sizes.ts';
import type { Diagnostic } from '../../../dsl/diagnostics/diagnostic.ts';
import type { ElementType } from '../../../dsl/types/program.ts';
import { roundToF16 } from '../../../dsl/tensors/round-to-f16.ts';
import { interpretEntry, type NumberTensor } from '../../../dsl/interpret/interpret-entry.ts';
import { interpretedExtern } from '../../api/interpreted-extern.ts';
import { locator } from '../../compile.ts';
import type { OutputRole } from '../../graph/graph-ir.ts';
import { parseOverrides } from '../../overrides.ts';
import { shownName, simulatePlan, type SimulatedRun } from '../../schedule/executing/simulate.ts';
import { CliError } from '../terminal/cli-error.ts';
import type { ExecuteRequest, NamedTensor, Prepared } from './execution.ts';
import { functionOf, simulatedExtern } from './extern-bridge.ts';
import { addInterpreted, addSimulated, addValue, maxOf, product } from './named-results.ts';
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
    stores: (path) => {
      const control = controls.get(path);
      return control === undefined ? (prepared.stores.get(path) ?? null) : Float64Array.from(control.data);
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
  const most = maxOf(prepared, sizes);
  for (const [prefix, values] of [
    ['', interpreted.results],
    ['', interpreted.outputs],
    ['loss.', interpreted.losses],
    ['state.', interpreted.states],
  ] as const) {
    for (const [name, value] of values) addInterpreted(out, prefix + name, value, most);
  }
  return out;
}

/** The compiled plan on the CPU, with bounds checked. `after` is told after every step, as SimulatedRun says. */
export async function executeKernels(
  prepared: Prepared,
  request: ExecuteRequest,
  after?: SimulatedRun['after'],
): Promise<ReadonlyMap<string, NamedTensor>> {
  const sizes = sizesOf(prepared, request);
  const stores = await variableNumbers(prepared, request, sizes);
  const wantsMore = request.want.losses || request.want.outputs || request.want.updates === true;
  const { plan } = wantsMore ? prepared.entry.full : prepared.entry.plain;
  const inputs = inputNumbers(prepared, request);
  const ran = await simulatePlan(plan, {
    inputs,
    stores,
    sizes,
    seed: request.seed ?? 0,
    asked: askedOf(request),
    ...(after === undefined ? {} : { after }),
    extern: simulatedExtern(request.externs ?? new Map(), request.signal),
  });
  const [error] = ran.errors;
  if (error !== undefined) {
    const at = error.status.axes.map((a, i) => `${a.name} ${error.point[i] ?? noNumber()}`).join(', ');
    throw new MoecError(
      error.status.code,
      `${error.message} at ${error.status.place}${at === '' ? '' : ` (first at ${at})`}`,
    );
  }
  const out = new Map<string, NamedTensor>();
  const most = maxOf(prepared, sizes);
  for (const [name, value] of ran.results) {
    const spec = plan.results.find((r) => shownName(r) === name);
    addSimulated(out, name, value, request, most, spec?.kind === 'route' ? spec.sources.length : 0);
  }
  return out;
}

/** The groups of results that a request asks for. */
function askedOf({ want }: ExecuteRequest): ReadonlySet<OutputRole> {
  return new Set<OutputRole>([
    'result',
    ...(want.losses ? (['loss'] as const) : []),
    ...(want.outputs ? (['output'] as const) : []),
    ...(want.updates === true ? (['update'] as const) : []),
  ]);
}

/** What the inputs have in a run, by name. */
export function inputNumbers(prepared: Prepared, request: ExecuteRequest): ReadonlyMap<string, ArrayLike<number>> {
  const elements = new Map(prepared.entry.elaborated.inputs.map(({ name, type }) => [name, type.element]));
  return new Map(
    [...request.inputs].map(([name, t]) => [name, asDeclared(elements.get(name) ?? 'f32', t.data)] as const),
  );
}

/** What every param, state and given control has in a run, by path: from the source, or its initial value. */
export async function variableNumbers(
  prepared: Prepared,
  request: ExecuteRequest,
  sizes: ReadonlyMap<string, number>,
): Promise<ReadonlyMap<string, ArrayLike<number>>> {
  const controls = controlsOf(prepared, request);
  const stores = new Map<string, ArrayLike<number>>();
  for (const s of prepared.compilation.elaboration.stores) {
    const { path } = s.used.store;
    const given = controls.get(path)?.data ?? prepared.stores.get(path);
    if (given !== undefined) stores.set(path, asDeclared(s.used.store.declaration.type.element, given));
    else if (s.initial?.kind === 'fill') {
      const spec = prepared.manifest.stores.find((m) => m.path === path);
      stores.set(path, new Float64Array(product(evaluateShape(spec?.axes ?? [], sizes))).fill(s.initial.value));
    } else if (s.initial?.kind === 'graph') {
      stores.set(path, await initialNumbers(prepared, path, stores, request.seed ?? 0));
    }
  }
  return stores;
}

/** Numbers as a value of this element type has them where they enter: f16 rounds. */
function asDeclared(element: ElementType, data: ArrayLike<number>): ArrayLike<number> {
  return element === 'f16' ? Float64Array.from(data, roundToF16) : data;
}

/** An initial value by its plan; what it reads of other stores stands before it, and is known. */
async function initialNumbers(
  prepared: Prepared,
  path: string,
  stores: ReadonlyMap<string, ArrayLike<number>>,
  seed: number,
): Promise<ArrayLike<number>> {
  const plans = prepared.compilation.initialPlans.get(path);
  if (plans === undefined) throw new CliError(70, `no plan for the initial value of ${path}`);
  const ran = await simulatePlan(plans, { inputs: new Map(), stores, sizes: new Map(), seed });
  const result = ran.results.get(path);
  if (result?.kind !== 'tensor') throw new CliError(70, `no initial value of ${path}`);
  return result.data;
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
    const model = await createModel(prepared.manifest, prepared.compilation.shaders, {
      device,
      ...(request.weights === null ? {} : { weights: request.weights }),
      ...(request.missing === undefined ? {} : { missing: request.missing }),
      ...(request.externs === undefined ? {} : { externs: request.externs }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      seed: request.seed ?? 0,
      warmUp: 'none',
    });
    try {
      return await runModel(model, prepared, request, { sizes, controls, watch });
    } finally {
      model.dispose();
    }
  } finally {
    device.destroy();
  }
}

interface RunParts {
  readonly sizes: ReadonlyMap<string, number>;
  readonly controls: ReadonlyMap<string, NamedTensor>;
  readonly watch: RunWatch | undefined;
}

async function runModel(
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
    ...(watch === undefined ? {} : { watch }),
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
    const { requiredFeatures, requiredLimits } = requirementsOf(manifest);
    return await requestDevice({ requiredFeatures, requiredLimits });
  } catch (error) {
    if (error instanceof MoecError)
      throw new CliError(3, `${error.message}; moec doctor tells what to install`, { cause: error });
    throw error;
  }
}
