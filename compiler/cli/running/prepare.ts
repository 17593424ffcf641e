/**
 * What comes before a run, the same for every executor: the file read, checked and compiled, the weights read, the inputs and sizes
 * compared with what the entry takes.
 */
import { bindVariables, tensorsOf } from '../../../runtime/weights/bind-weights.ts';
import { InputError } from '../../../runtime/contract/errors.ts';
import type { Manifest } from '../../../runtime/contract/manifest.ts';
import { evaluateCount, evaluateShape } from '../../../runtime/contract/sizes.ts';
import { loadVariable } from '../../../runtime/weights/weights.ts';
import { hasErrors, type Diagnostic } from '../../../dsl/diagnostics/diagnostic.ts';
import { checkInputs, controlsAmong, entryNameOf, sizesOfRun, type RunSpec } from '../../api/run-sizes.ts';
import { compileProgram, planFor, type CompiledPlan, type CompileOptions } from '../../compile.ts';
import { sizeFormula } from '../../emit/size-formula.ts';
import { parseOverrides } from '../../overrides.ts';
import type { Plan } from '../../schedule/memory/plan.ts';
import { portableOf, webgpuCore } from '../../target.ts';
import { CliError } from '../terminal/cli-error.ts';
import { wantsMore, type ExecuteRequest, type NamedTensor, type Prepared, type Ready } from './execution.ts';
import { projectOptions } from './command-options.ts';
import { givenDecisions } from './given-tuning.ts';
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
  const wanted = entryNameOf(program, request.entry);
  if (!names.includes(wanted))
    throw new CliError(1, `${program.name} has no entry ${wanted}: it has ${names.join(', ')}`);
  const given = await givenDecisions(request);
  const target = request.target ?? webgpuCore;
  // What will not run is not compiled; schedules that somebody wrote are read with all that they say, as are forms that are tuned.
  const isPlain = request.schedule === undefined && request.tuned === undefined;
  const needed: Pick<CompileOptions, 'target' | 'plans' | 'regime'> = {
    target: request.on === 'gpu' || !isPlain ? target : portableOf(target),
    ...(request.schedule === undefined ? { plans: plansOf(request) } : {}),
    ...(request.regime === undefined ? {} : { regime: request.regime }),
  };
  const options: CompileOptions = { ...ofEntry(request, project, wanted), ...needed };
  const { compilation, tuning } = given((decisions) => compileProgram(program, { ...options, ...decisions }));
  const { manifest } = compilation;
  if (manifest === null || hasErrors(compilation.diagnostics)) return fail(compilation.diagnostics);
  const entry = compilation.entries.find((e) => e.name === wanted);
  if (entry === undefined) return fail(compilation.diagnostics);
  return {
    project,
    program,
    compilation,
    manifest,
    entry,
    variables: await readVariables(manifest, request, weightsFor),
    tuning,
  };
}

async function readVariables(
  manifest: Manifest,
  request: ExecuteRequest,
  weightsFor: 'host' | 'device',
): Promise<ReadonlyMap<string, Float64Array>> {
  const variables = new Map<string, Float64Array>();
  const { weights } = request;
  await weights?.open?.(tensorsOf(manifest), request.signal);
  if (weights !== null && weightsFor === 'host') {
    for (const binding of await bindVariables(manifest, weights, request.missing ?? 'error')) {
      if (binding.slices === null) continue;
      const numbers = new Float64Array(binding.elements);
      const problems = await loadVariable(
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
      variables.set(binding.variable.path, numbers);
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
    variables.set(path, Float64Array.from(tensor.data));
  }
  return variables;
}

/** What is compiled of a program for one entry, with the sizes of a request. */
function ofEntry(
  { sets }: ExecuteRequest,
  { sources }: Prepared['project'],
  entry: string,
): Pick<CompileOptions, 'overrides' | 'entries' | 'sources'> {
  return { overrides: parseOverrides(sets), entries: [entry], sources };
}

/** The plan that a request runs. */
const plansOf = ({ want }: ExecuteRequest): NonNullable<CompileOptions['plans']> =>
  wantsMore(want) ? 'all' : 'results';

/** The same program with other schedules: what costs decide, but for these changes. Throws IllegalChange. */
export function withChanges(
  prepared: Prepared,
  request: ExecuteRequest,
  changes: NonNullable<CompileOptions['changes']>,
): Prepared {
  const { program, project, entry } = prepared;
  const compilation = compileProgram(program, {
    ...ofEntry(request, project, entry.name),
    target: request.target ?? webgpuCore,
    plans: plansOf(request),
    ...(request.regime === undefined ? {} : { regime: request.regime }),
    changes,
  });
  const { manifest } = compilation;
  const again = compilation.entries.find(({ name }) => name === entry.name);
  if (manifest === null || again === undefined)
    throw new CliError(1, `${entry.name} does not compile with these changes`, {
      diagnostics: compilation.diagnostics,
      sources: project.sources,
    });
  return { ...prepared, compilation, manifest, entry: again };
}

/** Controls that were given, by path; everything else of the inputs must be a parameter of the entry. */
export function controlsOf(prepared: Prepared, request: ExecuteRequest): ReadonlyMap<string, NamedTensor> {
  return controlsAmong(runSpecOf(prepared), request.inputs);
}

/**
 * The sizes of a run: those that were given, and those that inputs and controls show. Throws InputError where they contradict one
 * another, where the run needs one that nothing shows, and where inputs do not fit them.
 */
export function sizesOf(prepared: Prepared, request: ExecuteRequest): ReadonlyMap<string, number> {
  const spec = runSpecOf(prepared);
  const sizes = sizesOfRun(spec, request.inputs, request.sizes ?? new Map(), wantsMore(request.want));
  checkBuffers(planFor(plansOfWant(prepared, request), sizes).plan, sizes, request.on);
  checkInputs(spec, request.inputs, sizes);
  return sizes;
}

function runSpecOf({ program, manifest, entry: compiled }: Prepared): RunSpec {
  const entry = program.entries.find((e) => e.name === compiled.name);
  if (entry === undefined) throw new CliError(70, 'the entry vanished');
  const [spec] = manifest.entries;
  return {
    program,
    entry,
    dynamic: manifest.dynamic,
    inputs: spec?.inputs ?? [],
    conditions: spec?.conditions ?? [],
    controls: manifest.stores.filter((s) => s.kind === 'control'),
  };
}

/** The compiled plan of a request: with losses, outputs and updates where one of them is asked for, for as many rows as the run has. */
export function planOf({ prepared, request }: Ready): CompiledPlan {
  return planFor(plansOfWant(prepared, request), sizesOf(prepared, request));
}

function plansOfWant({ entry }: Prepared, { want }: ExecuteRequest): CompiledPlan {
  return wantsMore(want) ? entry.withAux : entry.inference;
}

/** What the kernels on the CPU hold at most in all, in numbers (8 bytes each): more than tests need, less than a machine has. */
const maxNumbers = 2 ** 29;

/** Whether every value of a run has a size, and one that can be. Looked at before anything is allocated. */
function checkBuffers(plan: Plan, sizes: ReadonlyMap<string, number>, on: ExecuteRequest['on']): void {
  let total = 0;
  for (const { label, elements } of plan.buffers) {
    const count = evaluateCount(sizeFormula(elements), sizes, `the number of elements of ${label}`);
    total += count;
    if (count < 2 ** 31 && (on !== 'kernels' || total <= maxNumbers)) continue;
    const bound = [...sizes].map(([axis, size]) => `${axis} = ${size}`).join(', ');
    throw new InputError(
      'MOE0715',
      `${label} has ${count} elements, ${on === 'kernels' ? `too many for --on kernels, which holds ${maxNumbers}` : 'and a buffer has fewer than 2^31'}${bound === '' ? '' : ` (in a run with ${bound})`}`,
    );
  }
}
