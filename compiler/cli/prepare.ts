/**
 * What comes before a run, the same for every executor: the file read, checked and compiled, the weights read, the inputs and sizes
 * compared with what the entry takes.
 */
import { bindStores, tensorsOf } from '../../runtime/bindings.ts';
import { InputError } from '../../runtime/errors.ts';
import { checkConditions } from '../../runtime/feeds.ts';
import type { AxisSpec, Manifest } from '../../runtime/manifest.ts';
import { evaluateCount, evaluateShape } from '../../runtime/sizes.ts';
import { loadStore } from '../../runtime/weights.ts';
import { hasErrors, type Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import { bindSizes } from '../../dsl/meaning/bind-sizes.ts';
import { compileProgram } from '../compile.ts';
import { sizeFormula } from '../emit/size-formula.ts';
import { parseOverrides } from '../overrides.ts';
import type { Plan } from '../schedule/plan.ts';
import { webgpuCore } from '../target.ts';
import { CliError } from './cli-error.ts';
import type { ExecuteRequest, NamedTensor, Prepared } from './execution.ts';
import { projectOptions } from './options.ts';
import { loadProject } from './project.ts';

/**
 * Reads, checks and compiles; reads the weights, except for a run on the GPU alone: there the model reads them itself, piece by
 * piece, and a copy here would be held for nothing. Throws CliError 1 with the diagnostics.
 */
export async function prepare(request: ExecuteRequest, weightsFor: 'host' | 'device' = 'host'): Promise<Prepared> {
  const project = await loadProject(request.modelFile, projectOptions(request));
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
    target: request.target ?? webgpuCore,
    entries: [wanted],
    sources: project.sources,
  });
  const { manifest } = compilation;
  if (manifest === null || hasErrors(compilation.diagnostics)) return fail(compilation.diagnostics);
  const entry = compilation.entries.find((e) => e.name === wanted);
  if (entry === undefined) return fail(compilation.diagnostics);
  return { project, program, compilation, manifest, entry, stores: await readStores(manifest, request, weightsFor) };
}

async function readStores(
  manifest: Manifest,
  request: ExecuteRequest,
  weightsFor: 'host' | 'device',
): Promise<ReadonlyMap<string, Float64Array>> {
  const stores = new Map<string, Float64Array>();
  const { weights } = request;
  await weights?.open?.(tensorsOf(manifest), request.signal);
  if (weights !== null && weightsFor === 'host') {
    for (const binding of bindStores(manifest, weights, request.missing ?? 'error')) {
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
export function controlsOf(prepared: Prepared, request: ExecuteRequest): ReadonlyMap<string, NamedTensor> {
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

/**
 * The sizes of a run: those that were given, and those that inputs and controls show. Throws InputError where they contradict one
 * another, where the run needs one that nothing shows, and where inputs do not fit them.
 */
export function sizesOf(prepared: Prepared, request: ExecuteRequest): ReadonlyMap<string, number> {
  const entry = prepared.program.entries.find((e) => e.name === prepared.entry.name);
  if (entry === undefined) throw new CliError(70, 'the entry vanished');
  const problems: Diagnostic[] = [];
  const shapes = new Map([...request.inputs].map(([name, t]) => [name, t.shape]));
  const sizes = bindSizes(prepared.program, entry, shapes, (p) => problems.push(p), givenSizes(prepared, request));
  const [first] = problems;
  if (first !== undefined) throw new InputError(codeOf(first.code), first.message, '');
  const { losses, outputs, updates } = request.want;
  checkConditions(prepared.manifest.entries[0]?.conditions ?? [], sizes, losses || outputs || updates === true);
  checkBuffers(planOf(prepared, request), sizes, request.on);
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

/** Sizes that were said, and those that the shapes of controls show beside them. */
function givenSizes(prepared: Prepared, request: ExecuteRequest): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const [axis, size] of request.sizes ?? []) {
    if (!prepared.manifest.dynamic.includes(axis))
      throw new InputError('MOE0706', `there is no axis ${axis} whose size a run decides`);
    sizes.set(axis, size);
  }
  for (const spec of prepared.manifest.stores) {
    const tensor = spec.kind === 'control' ? request.inputs.get(spec.path) : undefined;
    if (tensor === undefined || tensor.shape.length !== spec.axes.length) continue;
    spec.axes.forEach(({ size: axis }, i) => {
      const size = tensor.shape[i];
      if (typeof axis !== 'string' || size === undefined) return;
      const known = sizes.get(axis) ?? size;
      if (known !== size)
        throw new InputError(
          'MOE0709',
          `${spec.path} gives the axis ${axis} the size ${size}, it is ${known}`,
          spec.path,
        );
      sizes.set(axis, size);
    });
  }
  return sizes;
}

function planOf(prepared: Prepared, request: ExecuteRequest): Plan {
  const { losses, outputs, updates } = request.want;
  return (losses || outputs || updates === true ? prepared.entry.full : prepared.entry.plain).plan;
}

/** What the kernels on the CPU hold at most in all, in numbers (8 bytes each): more than tests need, less than a machine has. */
const mostNumbers = 2 ** 29;

/** Whether every value of a run has a size, and one that can be. Looked at before anything is allocated. */
function checkBuffers(plan: Plan, sizes: ReadonlyMap<string, number>, on: ExecuteRequest['on']): void {
  let total = 0;
  for (const { label, elements } of plan.buffers) {
    const count = evaluateCount(sizeFormula(elements), sizes, `the number of elements of ${label}`);
    total += count;
    if (count < 2 ** 31 && (on !== 'kernels' || total <= mostNumbers)) continue;
    const bound = [...sizes].map(([axis, size]) => `${axis} = ${size}`).join(', ');
    throw new InputError(
      'MOE0715',
      `${label} has ${count} elements, ${on === 'kernels' ? `too many for --on kernels, which holds ${mostNumbers}` : 'and a buffer has fewer than 2^31'}${bound === '' ? '' : ` (in a run with ${bound})`}`,
    );
  }
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
