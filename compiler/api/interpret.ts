/** `interpret`: the reference, in float64, by the definition of the language. */
import { isCode } from '../../dsl/diagnostics/catalogue.ts';
import { diagnostic, hasErrors, type Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import { interpretEntry, type InterpretedValue, type NumberTensor } from '../../dsl/interpret/interpret-entry.ts';
import type { RunProblem } from '../../dsl/tensors/deferred-errors.ts';
import type { ExternFunction } from '../../runtime/contract/ask-host.ts';
import { InputError, MoecError } from '../../runtime/contract/errors.ts';
import type { VariableSpec } from '../../runtime/contract/manifest.ts';
import { toMap, type Named } from '../../runtime/contract/named.ts';
import { checkFlags, checkFunction, checkNamed, checkSeed, checkSizes } from '../../runtime/running/call-options.ts';
import { evaluateCount, evaluateShape } from '../../runtime/contract/sizes.ts';
import type { ShapedTensor, TensorData } from '../../runtime/contract/tensors.ts';
import { locator } from '../compile.ts';
import { conditionsOf, inputSpec } from '../emit/build-manifest.ts';
import { elaborate } from '../elaborate/elaborate.ts';
import { sizeFormula } from '../emit/size-formula.ts';
import { variableSpec } from '../emit/variable-specs.ts';
import type { Graph } from '../graph/graph-ir.ts';
import { noEntry } from './compile-text.ts';
import { checkElements, checkShape, tensorsOf, weightsOf } from './given-numbers.ts';
import { interpretedExtern } from './interpreted-extern.ts';
import { CheckedProgram, type ProgramParts } from './checked-program.ts';
import { checkInputs, controlsAmong, entryNameOf, sizesOfRun, type RunSpec } from './run-sizes.ts';
import { checkKnown, type Told } from './source-options.ts';

/** How a program is interpreted. */
export interface InterpretOptions {
  /** What is run: `forward`, or the only entry, by default. */
  readonly entry?: string;
  /**
   * Numbers of params and states by path (`gate.w`, `ffn.up`), row-major, the axes of a family in front. One that is not given has its
   * initial value; without that it is an error (MOE0635) where a result needs it.
   */
  readonly weights?: Named<TensorData>;
  /** Sizes of dynamic axes that do not follow from the inputs. */
  readonly sizes?: Named<number>;
  /** Of draws, a whole number of 32 bits; 0 unless given. */
  readonly seed?: number;
  /** Whether losses, outputs and new states are evaluated too; what of them cannot be computed is then an error. */
  readonly losses?: boolean;
  readonly outputs?: boolean;
  readonly states?: boolean;
  /** Functions of the host that the program declares (`extern`), as a compiled model takes them. */
  readonly externs?: Named<ExternFunction>;
}

/** What a program means for some inputs. Empty but for diagnostics if there are errors. */
export interface Interpretation extends Told {
  /** By name; a single result without a name is `output`. */
  readonly results: ReadonlyMap<string, InterpretedValue>;
  /** By path, like losses and states. */
  readonly outputs: ReadonlyMap<string, InterpretedValue>;
  readonly losses: ReadonlyMap<string, InterpretedValue>;
  readonly states: ReadonlyMap<string, InterpretedValue>;
}

const known = ['entry', 'weights', 'sizes', 'seed', 'losses', 'outputs', 'states', 'externs'] as const;

/** The numbers of a run, as they were given. */
interface Given {
  readonly inputs: ReadonlyMap<string, NumberTensor>;
  readonly weights: ReadonlyMap<string, Float64Array>;
  readonly sizes: ReadonlyMap<string, number>;
}

/**
 * Runs an entry of a checked program by definition, in float64, with dense loops: the numbers that everything else has to agree with.
 * Slow, and meant for small sizes.
 *
 * `inputs` are the parameters of the entry by name and controls (`input` declarations) by path, each with its shape, outermost axis
 * first, and its numbers in row-major order; an i32 input holds whole numbers, a bool input 0 and 1. A result is a tensor (axes with
 * names and sizes, `data` row-major), or a route (presence, rank and weight over its sources and targets).
 *
 * Inputs that do not fit and errors of the run (an index outside its axis, a score that is NaN, a `require` that is false) are
 * returned as diagnostics, never thrown. Throws `MoecError` MOE0767 for arguments that their types refuse.
 *
 * @example
 * const { results, diagnostics } = await interpret(program, { x: { shape: [3, 4], data: new Float32Array(12) } });
 * const y = results.get('output');
 */
export async function interpret(
  program: CheckedProgram,
  inputs: Named<ShapedTensor>,
  options: InterpretOptions = {},
): Promise<Interpretation> {
  const parts = CheckedProgram.partsOf('interpret', program);
  checkKnown('interpret', options, known);
  checkFlags(options, ['losses', 'outputs', 'states']);
  const { seed = 0, sizes = {}, externs = {} } = options;
  checkSeed(seed);
  checkSizes(sizes);
  checkNamed(externs, 'externs');
  for (const [name, run] of toMap(externs)) checkFunction(run, `externs.${name}`);
  const given: Given = {
    inputs: tensorsOf(inputs),
    weights: weightsOf(options.weights ?? {}),
    sizes: toMap(sizes),
  };
  try {
    return await run(parts, given, { ...options, seed });
  } catch (error) {
    // What does not fit or has no meaning; everything else is a bug of moec.
    if (!(error instanceof MoecError) || !isCode(error.code)) throw error;
    return failed(parts, [diagnostic(error.code, { message: error.message.replace(/^MOE\d{4}: /, '') })]);
  }
}

async function run(parts: ProgramParts, given: Given, options: InterpretOptions): Promise<Interpretation> {
  const { program, settings, sources } = parts;
  const { losses = false, outputs = false, states = false } = options;
  const name = entryNameOf(program, options.entry);
  const entry = program.entries.find((e) => e.name === name);
  const names = program.entries.map((e) => e.name);
  if (entry === undefined) return failed(parts, [noEntry(program.name, name, names)]);
  const diagnostics: Diagnostic[] = [];
  const report = (problem: Diagnostic): void => void diagnostics.push(problem);
  const locationOf = locator(sources);
  const elaboration = elaborate(program, { overrides: settings, entries: [name] }, report);
  const [elaborated] = elaboration.entries;
  if (elaborated === undefined || hasErrors(diagnostics)) return failed(parts, diagnostics);

  const variables = elaboration.variables.map((variable) => variableSpec(variable, null));
  const spec: RunSpec = {
    program,
    entry,
    dynamic: elaboration.dynamic,
    inputs: elaborated.inputs.map(inputSpec),
    conditions: conditionsOf(elaborated, locationOf),
    controls: variables.filter((s) => s.kind === 'control'),
  };
  const controls = controlsAmong(spec, given.inputs);
  const withAux = losses || outputs || states;
  const sizes = sizesOfRun(spec, given.inputs, given.sizes, withAux);
  checkBound(withAux ? elaborated.withAux : elaborated.inference, sizes);
  checkInputs(spec, given.inputs, sizes);
  spec.inputs.forEach((input) => checkElements(input.name, input.element, given.inputs.get(input.name)?.data));
  for (const { path, element, axes } of spec.controls) {
    const control = controls.get(path);
    if (control === undefined) continue;
    checkShape(path, control.shape, evaluateShape(axes, sizes));
    checkElements(path, element, control.data);
  }
  diagnostics.push(...checkWeights(name, variables, given.weights));

  const externs = toMap(options.externs ?? {});
  const interpreted = await interpretEntry({
    program,
    entry: name,
    overrides: settings,
    inputs: given.inputs,
    sizes,
    variables: (path) => controls.get(path)?.data ?? given.weights.get(path) ?? null,
    seed: options.seed ?? 0,
    want: { losses, outputs, updates: states },
    extern: interpretedExtern((called) => externOf(externs, called), locationOf, undefined),
    report,
  });
  diagnostics.push(...interpreted.problems.filter(isFirst).map(toDiagnostic));
  return hasErrors(diagnostics) ? failed(parts, diagnostics) : { ...interpreted, diagnostics, sources };
}

function failed({ sources }: ProgramParts, diagnostics: readonly Diagnostic[]): Interpretation {
  const none = new Map<string, never>();
  return { results: none, outputs: none, losses: none, states: none, diagnostics, sources };
}

/** Several results may need the same wrong value, which is one error. */
function isFirst({ code, span }: RunProblem, i: number, all: readonly RunProblem[]): boolean {
  return i === all.findIndex((p) => p.code === code && p.span.source === span.source && p.span.start === span.start);
}

/** An error of a run at its place, with the first point at which it showed. */
function toDiagnostic({ code, message, span, point }: RunProblem): Diagnostic {
  const at = point.map(({ axis, index }) => `${axis} ${index}`).join(', ');
  return diagnostic(code, { message: at === '' ? message : `${message} (first at ${at})`, span });
}

function externOf(externs: ReadonlyMap<string, ExternFunction>, name: string): ExternFunction {
  const found = externs.get(name);
  if (found === undefined)
    throw new InputError('MOE0706', `the model calls ${name} on the host: give it in externs`, name);
  return found;
}

/** Throws where an axis has a size that nothing shows: the interpreter evaluates everything that was written. */
function checkBound(graph: Graph, sizes: ReadonlyMap<string, number>): void {
  for (const { name, size } of graph.axes.values()) evaluateCount(sizeFormula(size), sizes, `the size of axis ${name}`);
}

/** Weights as the entry reads them; about others there is a warning. */
function checkWeights(
  entry: string,
  variables: readonly VariableSpec[],
  given: ReadonlyMap<string, Float64Array>,
): readonly Diagnostic[] {
  const wanted = new Map(variables.filter((s) => s.kind !== 'control').map((s) => [s.path, s]));
  const diagnostics: Diagnostic[] = [];
  for (const [path, data] of given) {
    const variable = wanted.get(path);
    if (variable === undefined) {
      const help = `it reads ${[...wanted.keys()].join(', ') || 'none'}`;
      diagnostics.push(
        diagnostic('MOE0706', { severity: 'warning', message: `${entry} reads no param or state ${path}`, help }),
      );
      continue;
    }
    const shape = evaluateShape(variable.axes, new Map());
    const count = shape.reduce((a, b) => a * b, 1);
    if (data.length !== count)
      throw new InputError(
        'MOE0708',
        `${path} has the shape [${shape.join(', ')}], ${data.length} numbers were given`,
        path,
      );
    checkElements(path, variable.element, data);
  }
  return diagnostics;
}
