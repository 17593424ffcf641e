/**
 * Runs an entry of a model file by one of three executors, with the same inputs, weights and result names:
 * `reference` (float64, by definition), `kernels` (the compiled plan on the CPU), `gpu`.
 *
 * Results by name; a route as NAME (dense, 0 where absent), NAME.indices and NAME.weights; losses as loss.PATH; states
 * as state.PATH; outputs by path.
 */
import { InputError, MoecError } from '../../runtime/errors.ts';
import { bindStores } from '../../runtime/bindings.ts';
import type { AxisSpec, Manifest } from '../../runtime/manifest.ts';
import { checkConditions } from '../../runtime/feeds.ts';
import { createModel, requirementsOf } from '../../runtime/module.ts';
import type { Model, ResultValue } from '../../runtime/model.ts';
import type { ExternFunction } from '../../runtime/externs.ts';
import { evaluateShape } from '../../runtime/sizes.ts';
import type { WeightSource } from '../../runtime/source.ts';
import { loadStore } from '../../runtime/weights.ts';
import { requestDevice } from '../../runtime/node.ts';
import { interpretEntry, type InterpretedValue, type NumberTensor } from '../../dsl/interpret/run.ts';
import type { ElementType, Program } from '../../dsl/check/program.ts';
import { hasErrors, type Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import { bindSizes } from '../../dsl/meaning/bind-sizes.ts';
import { compileProgram, type Compilation, type CompiledEntry } from '../compile.ts';
import { parseOverrides } from '../overrides.ts';
import { simulatePlan, type SimulatedResult } from '../schedule/simulate.ts';
import { webgpuCore } from '../target.ts';
import { CliError } from './cli-error.ts';
import { interpretedExtern, simulatedExtern } from './extern-bridge.ts';
import { loadProject, type Project } from './project.ts';

export interface NamedTensor {
  readonly element: ElementType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
}

export interface ExecuteRequest {
  readonly modelFile: string;
  readonly model?: string;
  /** As `--set NAME=VALUE`. */
  readonly sets: ReadonlyMap<string, string>;
  /** `forward`, or the only entry, by default. */
  readonly entry?: string;
  /** Parameters of the entry and controls (by path), by name. */
  readonly inputs: ReadonlyMap<string, NamedTensor>;
  /** Left open. */
  readonly weights: WeightSource | null;
  /** Values of states, by path. */
  readonly states?: ReadonlyMap<string, NamedTensor>;
  readonly want: { readonly losses: boolean; readonly outputs: boolean; readonly updates?: boolean };
  readonly on: 'reference' | 'kernels' | 'gpu';
  readonly externs?: ReadonlyMap<string, ExternFunction>;
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

/** A model file, compiled, with its weights read: what several runs can share. */
export interface Prepared {
  readonly project: Project;
  readonly program: Program;
  readonly compilation: Compilation;
  readonly manifest: Manifest;
  readonly entry: CompiledEntry;
  /** Numbers of every param and state that the source or the request has, by path. */
  readonly stores: ReadonlyMap<string, Float64Array>;
}

/** Runs once. Throws CliError (mistakes in the program, no adapter) and the runtime's errors. */
export async function execute(request: ExecuteRequest): Promise<ReadonlyMap<string, NamedTensor>> {
  const prepared = await prepare(request);
  switch (request.on) {
    case 'reference':
      return executeReference(prepared, request);
    case 'kernels':
      return executeKernels(prepared, request);
    case 'gpu':
      return executeGpu(prepared, request);
  }
}

/** Reads, checks and compiles; reads the weights. Throws CliError 1 with the diagnostics. */
export async function prepare(request: ExecuteRequest): Promise<Prepared> {
  const project = await loadProject(request.modelFile, request.model === undefined ? {} : { model: request.model });
  const fail = (diagnostics: readonly Diagnostic[]): never => {
    throw new CliError(1, `${request.modelFile} has errors`, { diagnostics, sources: project.sources });
  };
  const { program } = project;
  if (program === null) return fail(project.diagnostics);
  const names = program.entries.map((e) => e.name);
  const wanted = request.entry ?? (names.includes('forward') || names.length !== 1 ? 'forward' : names[0]);
  if (wanted === undefined || !names.includes(wanted)) {
    throw new CliError(1, `${program.name} has no entry ${wanted ?? ''}: it has ${names.join(', ')}`);
  }
  const compilation = compileProgram(program, {
    overrides: parseOverrides(request.sets),
    target: webgpuCore,
    entries: [wanted],
    sources: project.sources,
  });
  const { manifest } = compilation;
  if (manifest === null || hasErrors(compilation.diagnostics)) return fail(compilation.diagnostics);
  const entry = compilation.entries.find((e) => e.name === wanted);
  if (entry === undefined) return fail(compilation.diagnostics);
  return { project, program, compilation, manifest, entry, stores: await readStores(manifest, request) };
}

async function readStores(manifest: Manifest, request: ExecuteRequest): Promise<ReadonlyMap<string, Float64Array>> {
  const stores = new Map<string, Float64Array>();
  const { weights } = request;
  if (weights !== null) {
    for (const binding of bindStores(manifest, weights, 'error')) {
      if (binding.cells === null) continue;
      const numbers = new Float64Array(binding.elements);
      const problems = await loadStore(
        binding,
        weights,
        (offset, words) => {
          numbers.set(words, offset);
          return Promise.resolve();
        },
        { allowNonFinite: false, ...(request.signal === undefined ? {} : { signal: request.signal }) },
      );
      const [first] = problems;
      if (first !== undefined) throw new CliError(1, `${first.code}: ${first.message}`);
      stores.set(binding.store.path, numbers);
    }
  }
  for (const [path, tensor] of request.states ?? []) {
    const spec = manifest.stores.find((s) => s.path === path && s.kind === 'state');
    if (spec === undefined) throw new InputError('MOE0706', `the model has no state ${path}`, path);
    const shape = evaluateShape(spec.axes, new Map());
    if (shape.join() !== tensor.shape.join()) {
      throw new InputError(
        'MOE0708',
        `state ${path} has the shape [${shape.join(', ')}], [${tensor.shape.join(', ')}] was given`,
        path,
      );
    }
    stores.set(path, Float64Array.from(tensor.data));
  }
  return stores;
}

/** Controls that were given, by path; everything else of the inputs must be a parameter of the entry. */
function controlsOf(prepared: Prepared, request: ExecuteRequest): ReadonlyMap<string, NamedTensor> {
  const inputs = new Set(prepared.entry.elaborated.inputs.map((i) => i.name));
  const controls = new Set(prepared.manifest.stores.filter((s) => s.kind === 'control').map((s) => s.path));
  const given = new Map<string, NamedTensor>();
  for (const [name, tensor] of request.inputs) {
    if (inputs.has(name)) continue;
    if (!controls.has(name)) {
      throw new InputError(
        'MOE0706',
        `${prepared.entry.name} has no input ${name}: it takes ${[...inputs, ...controls].join(', ')}`,
        name,
      );
    }
    given.set(name, tensor);
  }
  return given;
}

function sizesOf(prepared: Prepared, request: ExecuteRequest): ReadonlyMap<string, number> {
  const entry = prepared.program.entries.find((e) => e.name === prepared.entry.name);
  const problems: Diagnostic[] = [];
  const shapes = new Map([...request.inputs].map(([name, t]) => [name, t.shape]));
  if (entry === undefined) throw new CliError(70, 'the entry vanished');
  const sizes = bindSizes(prepared.program, entry, shapes, (p) => problems.push(p));
  const [first] = problems;
  if (first !== undefined) throw new InputError(codeOf(first.code), first.message, '');
  checkConditions(prepared.manifest.entries[0]?.conditions ?? [], sizes);
  for (const input of prepared.entry.elaborated.inputs) {
    const spec = prepared.manifest.entries[0]?.inputs.find((i) => i.name === input.name);
    const given = request.inputs.get(input.name);
    if (spec === undefined || given === undefined) continue;
    const shape = evaluateShape(spec.axes, sizes);
    if (shape.join() !== given.shape.join()) {
      const axes = spec.axes.map((a) => a.name).join(', ');
      throw new InputError(
        'MOE0708',
        `${input.name}: [${axes}] has the shape [${shape.join(', ')}], [${given.shape.join(', ')}] was given`,
        input.name,
      );
    }
    if (spec.within !== null) checkIndices(input.name, given.data, spec.within, sizes);
  }
  return sizes;
}

function checkIndices(
  name: string,
  data: ArrayLike<number>,
  within: AxisSpec,
  sizes: ReadonlyMap<string, number>,
): void {
  const [limit = 0] = evaluateShape([within], sizes);
  for (let i = 0; i < data.length; i++) {
    const v = data[i] ?? 0;
    if (!Number.isInteger(v) || v < -1 || v >= limit) {
      throw new InputError('MOE0710', `${name} has ${v} at ${i}, ${within.name} has ${limit} points`, name);
    }
  }
}

function codeOf(code: string): 'MOE0706' | 'MOE0708' | 'MOE0709' {
  return code === 'MOE0706' || code === 'MOE0709' ? code : 'MOE0708';
}

/** The reference interpreter's answer. */
export async function executeReference(
  prepared: Prepared,
  request: ExecuteRequest,
): Promise<ReadonlyMap<string, NamedTensor>> {
  const controls = controlsOf(prepared, request);
  sizesOf(prepared, request);
  const inputs = new Map<string, NumberTensor>();
  for (const input of prepared.entry.elaborated.inputs) {
    const given = request.inputs.get(input.name);
    if (given !== undefined) inputs.set(input.name, { shape: given.shape, data: Float64Array.from(given.data) });
  }
  const problems: Diagnostic[] = [];
  const interpreted = await interpretEntry({
    program: prepared.program,
    entry: prepared.entry.name,
    overrides: parseOverrides(request.sets),
    inputs,
    stores: (path) => {
      const control = controls.get(path);
      return control === undefined ? (prepared.stores.get(path) ?? null) : Float64Array.from(control.data);
    },
    seed: request.seed ?? 0,
    want: { losses: request.want.losses, outputs: request.want.outputs, updates: request.want.updates ?? false },
    ...(request.externs === undefined ? {} : { extern: interpretedExtern(request.externs) }),
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
  const most = mostOf(prepared, sizesOf(prepared, request));
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

/** How many points of one source a route result has at most, by the result's name. */
function mostOf(prepared: Prepared, sizes: ReadonlyMap<string, number>): (name: string) => number {
  const specs = new Map((prepared.manifest.entries[0]?.full.results ?? []).map((r) => [r.name, r]));
  return (name) => {
    const spec = specs.get(name);
    return spec?.kind === 'route' ? (evaluateShape([{ name, size: spec.most }], sizes)[0] ?? 0) : 0;
  };
}

function addInterpreted(
  out: Map<string, NamedTensor>,
  name: string,
  value: InterpretedValue,
  most: (name: string) => number,
): void {
  if (value.kind === 'tensor') {
    out.set(name, {
      element: value.element,
      shape: value.axes.map((a) => a.size),
      data: cast(value.element, value.data),
    });
    return;
  }
  const shape = (axes: readonly { readonly size: number }[]): number[] => axes.map((a) => a.size);
  addRoute(out, name, {
    sources: shape(value.sources),
    targets: shape(value.targets),
    payload: shape(value.payload),
    most: most(name),
    present: value.present,
    rank: value.rank,
    weight: value.weight,
  });
}

interface RouteNumbers {
  readonly sources: readonly number[];
  readonly targets: readonly number[];
  readonly payload: readonly number[];
  readonly most: number;
  readonly present: ArrayLike<number>;
  readonly rank: ArrayLike<number>;
  readonly weight: ArrayLike<number>;
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function addRoute(out: Map<string, NamedTensor>, name: string, route: RouteNumbers): void {
  const { sources, targets, payload, most, present, rank, weight } = route;
  const [s, x, y] = [product(sources), product(targets), product(payload)];
  const dense = new Float32Array(s * x * y);
  const indices = new Int32Array(s * most).fill(-1);
  const weights = new Float32Array(s * most * y);
  for (let source = 0; source < s; source++) {
    const chosen: number[] = [];
    for (let t = 0; t < x; t++) {
      const at = source * x + t;
      if ((present[at] ?? 0) === 0) continue;
      chosen.push(t);
      for (let p = 0; p < y; p++) dense[at * y + p] = weight[at * y + p] ?? 0;
    }
    chosen.sort((a, b) => (rank[source * x + a] ?? 0) - (rank[source * x + b] ?? 0) || a - b);
    chosen.slice(0, most).forEach((t, k) => {
      indices[source * most + k] = t;
      for (let p = 0; p < y; p++) weights[(source * most + k) * y + p] = weight[(source * x + t) * y + p] ?? 0;
    });
  }
  out.set(name, { element: 'f32', shape: [...sources, ...targets, ...payload], data: dense });
  out.set(`${name}.indices`, { element: 'i32', shape: [...sources, most], data: indices });
  out.set(`${name}.weights`, { element: 'f32', shape: [...sources, most, ...payload], data: weights });
}

function cast(element: ElementType, data: ArrayLike<number>): NamedTensor['data'] {
  return element === 'i32'
    ? Int32Array.from(data)
    : element === 'bool'
      ? Uint8Array.from(data)
      : Float32Array.from(data);
}

/** The compiled plan on the CPU, with bounds checked. */
export async function executeKernels(
  prepared: Prepared,
  request: ExecuteRequest,
): Promise<ReadonlyMap<string, NamedTensor>> {
  const controls = controlsOf(prepared, request);
  const sizes = sizesOf(prepared, request);
  const stores = new Map<string, ArrayLike<number>>();
  for (const s of prepared.compilation.elaboration.stores) {
    const { path } = s.used.store;
    const given = controls.get(path)?.data ?? prepared.stores.get(path);
    if (given !== undefined) stores.set(path, given);
    else if (s.initial?.kind === 'fill') {
      const spec = prepared.manifest.stores.find((m) => m.path === path);
      stores.set(path, new Float64Array(product(evaluateShape(spec?.axes ?? [], sizes))).fill(s.initial.value));
    } else if (s.initial?.kind === 'graph') {
      stores.set(path, await initialNumbers(prepared, path, request.seed ?? 0));
    }
  }
  const wantsMore = request.want.losses || request.want.outputs || request.want.updates === true;
  const { plan } = wantsMore ? prepared.entry.full : prepared.entry.plain;
  const inputs = new Map([...request.inputs].map(([name, t]) => [name, t.data]));
  const ran = await simulatePlan(plan, {
    inputs,
    stores,
    sizes,
    seed: request.seed ?? 0,
    ...(request.externs === undefined ? {} : { extern: simulatedExtern(request.externs) }),
  });
  const [error] = ran.errors;
  if (error !== undefined) {
    const at = error.status.axes.map((a, i) => `${a.name} ${error.point[i] ?? 0}`).join(', ');
    throw new MoecError(
      error.status.code,
      `${error.status.message} at ${error.status.place}${at === '' ? '' : ` (first at ${at})`}`,
    );
  }
  const out = new Map<string, NamedTensor>();
  const most = mostOf(prepared, sizes);
  for (const [name, value] of ran.results) {
    const spec = plan.results.find((r) => r.name === name);
    addSimulated(out, name, value, request, most, spec?.kind === 'route' ? spec.sources.length : 0);
  }
  return out;
}

async function initialNumbers(prepared: Prepared, path: string, seed: number): Promise<ArrayLike<number>> {
  const plans = prepared.compilation.initialPlans.get(path);
  if (plans === undefined) throw new CliError(70, `no plan for the initial value of ${path}`);
  const ran = await simulatePlan(plans, { inputs: new Map(), stores: new Map(), sizes: new Map(), seed });
  const result = ran.results.get(path);
  if (result?.kind !== 'tensor') throw new CliError(70, `no initial value of ${path}`);
  return result.data;
}

function addSimulated(
  out: Map<string, NamedTensor>,
  name: string,
  value: SimulatedResult,
  request: ExecuteRequest,
  most: (name: string) => number,
  sources: number,
): void {
  const { want } = request;
  if (value.group === 'loss' && !want.losses) return;
  if (value.group === 'output' && !want.outputs) return;
  if (value.group === 'update' && want.updates !== true) return;
  const full = value.group === 'loss' ? `loss.${name}` : value.group === 'update' ? `state.${name}` : name;
  if (value.kind === 'tensor') {
    const { element, shape } = value;
    out.set(full, { element, shape, data: cast(element, value.data) });
    return;
  }
  const rankAxes = value.present.shape.length;
  addRoute(out, full, {
    sources: value.present.shape.slice(0, sources),
    targets: value.present.shape.slice(sources),
    payload: value.weight.shape.slice(rankAxes),
    most: most(name),
    present: value.present.data,
    rank: value.rank.data,
    weight: value.weight.data,
  });
}

/** The GPU's answer. Throws CliError 3 when there is no adapter. */
export async function executeGpu(
  prepared: Prepared,
  request: ExecuteRequest,
): Promise<ReadonlyMap<string, NamedTensor>> {
  const device = await openDevice(prepared.manifest);
  try {
    const model = await createModel(prepared.manifest, prepared.compilation.shaders, {
      device,
      ...(request.weights === null ? {} : { weights: request.weights }),
      ...(request.externs === undefined ? {} : { externs: request.externs }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      seed: request.seed ?? 0,
      warmUp: 'none',
    });
    try {
      return await runModel(model, prepared, request);
    } finally {
      model.dispose();
    }
  } finally {
    device.destroy();
  }
}

async function runModel(
  model: Model,
  prepared: Prepared,
  request: ExecuteRequest,
): Promise<ReadonlyMap<string, NamedTensor>> {
  const controls = controlsOf(prepared, request);
  sizesOf(prepared, request);
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
    controls: new Map([...controls].map(([path, t]) => [path, shaped(t)])),
    losses: request.want.losses,
    outputs: request.want.outputs,
    update: request.want.updates ?? false,
    seed: request.seed ?? 0,
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
      (prepared.manifest.entries[0]?.full.results ?? []).filter((r) => r.group === 'update').map((r) => r.name),
    );
    for (const path of updated) {
      const t = await model.read(path);
      out.set(`state.${path}`, { element: t.element, shape: t.shape, data: t.data });
    }
  }
  return out;
}

function addValue(out: Map<string, NamedTensor>, name: string, value: ResultValue): void {
  if (value.kind === 'tensor') {
    out.set(name, { element: value.element, shape: value.shape, data: value.data });
    return;
  }
  const { present, rank, weight, indices } = value;
  const sources = indices.shape.length - 1;
  addRoute(out, name, {
    sources: present.shape.slice(0, sources),
    targets: present.shape.slice(sources),
    payload: weight.shape.slice(present.shape.length),
    most: indices.shape[sources] ?? 0,
    present: present.data,
    rank: rank.data,
    weight: weight.data,
  });
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
