/**
 * Running an entry in the reference interpreter: numbers in, numbers out, by the definition of the language.
 *
 * Results, outputs and losses come by name, each with its axes; a route comes with its presence, ranks and weights over
 * (sources, targets[, payload]). New states come as whole tensors, and only if nothing went wrong.
 */
import type { ElementType, Program } from '../types/program.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import { TooMuch } from '../types/expansion-limits.ts';
import type { Variable } from '../meaning/backend.ts';
import type { Axis } from '../types/axis.ts';
import { bindSizes } from '../meaning/bind-sizes.ts';
import type { StaticValue } from '../meaning/instances.ts';
import { InstanceScope } from '../meaning/instance-scope.ts';
import { instantiateEntry, instantiateInitial } from '../meaning/instantiate.ts';
import type { F64Operand } from '../tensors/operand.ts';
import { float64Backend, type ExternRun, type Float64Backend } from './float64-backend.ts';
import { inOrderOfText, type RunProblem } from '../tensors/deferred-errors.ts';
import type { F64Route } from '../tensors/route.ts';
import { inStorageOrder, outside } from './variables.ts';
import { keepAs, makeTensor, spread, type F64Tensor, sizeOf } from '../tensors/tensor.ts';

export interface NumberTensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export interface InterpretOptions {
  readonly program: Program;
  readonly entry: string;
  readonly overrides: ReadonlyMap<string, StaticValue>;
  readonly inputs: ReadonlyMap<string, NumberTensor>;
  /** Sizes of dynamic axes that do not follow from the inputs. */
  readonly sizes?: ReadonlyMap<string, number>;
  /** Numbers of a param, state or control by path, row-major; null: its initial value or default. */
  readonly variables: (path: string) => Float64Array | null;
  readonly seed: number;
  readonly want: { readonly losses: boolean; readonly outputs: boolean; readonly updates: boolean };
  /** Host functions. A promise is waited for, and the run is begun again with its value. */
  readonly extern?: (run: ExternRun) => readonly Float64Array[] | Promise<readonly Float64Array[]>;
  readonly poison?: boolean;
  readonly report: (problem: Diagnostic) => void;
}

export interface NamedAxis {
  readonly name: string;
  readonly size: number;
}

export type InterpretedValue =
  | {
      readonly kind: 'tensor';
      readonly element: ElementType;
      readonly axes: readonly NamedAxis[];
      readonly data: Float64Array;
    }
  | {
      readonly kind: 'route';
      /** Of the weights. */
      readonly element: ElementType;
      readonly sources: readonly NamedAxis[];
      readonly targets: readonly NamedAxis[];
      readonly payload: readonly NamedAxis[];
      readonly present: Float64Array;
      readonly rank: Float64Array;
      readonly weight: Float64Array;
    };

export interface Interpreted {
  readonly results: ReadonlyMap<string, InterpretedValue>;
  readonly outputs: ReadonlyMap<string, InterpretedValue>;
  readonly losses: ReadonlyMap<string, InterpretedValue>;
  readonly states: ReadonlyMap<string, InterpretedValue>;
  /** Errors that a result, loss or update depends on. */
  readonly problems: readonly RunProblem[];
}

/** Thrown by an extern whose value is still on its way. */
class Pending extends Error {
  readonly value: Promise<readonly Float64Array[]>;
  constructor(value: Promise<readonly Float64Array[]>) {
    super('an extern is pending');
    this.value = value;
  }
}

export async function interpretEntry(options: InterpretOptions): Promise<Interpreted> {
  const answered: (readonly Float64Array[])[] = [];
  for (;;) {
    let call = 0;
    const extern = (run: ExternRun): readonly Float64Array[] => {
      const known = answered[call++];
      if (known !== undefined) return known;
      const value = options.extern?.(run);
      if (value === undefined) throw new CompilerBug('interpret', `no function is given for the extern ${run.name}`);
      if (value instanceof Promise) throw new Pending(value);
      answered.push(value);
      return value;
    };
    try {
      return runOnce(options, extern);
    } catch (error) {
      if (error instanceof TooMuch) {
        options.report(error.diagnostic);
        return { results: new Map(), losses: new Map(), outputs: new Map(), states: new Map(), problems: [] };
      }
      if (!(error instanceof Pending)) throw error;
      answered.push(await error.value);
    }
  }
}

function runOnce(options: InterpretOptions, extern: (run: ExternRun) => readonly Float64Array[]): Interpreted {
  const { program, report } = options;
  const entry = program.entries.find((e) => e.name === options.entry);
  if (entry === undefined) throw new CompilerBug('interpret', `no entry ${options.entry}`);
  const shapes = new Map([...options.inputs].map(([name, t]) => [name, t.shape]));
  const dynamic = bindSizes(program, entry, shapes, report, options.sizes);
  const scope = new InstanceScope({ program, overrides: options.overrides, dynamic, report });
  const problems: RunProblem[] = [];
  /** Of a param or state that is not given; a control's default comes with the read itself. */
  const initialValue = (variable: Variable): Float64Array | null => {
    const used = variable.declaration.role === 'control' ? undefined : scope.usedOf(variable);
    const made =
      used === undefined || used === null
        ? null
        : instantiateInitial<F64Tensor, F64Route>({ program, scope, backend, report }, used);
    return made === null ? null : inStorageOrder(variable, made.value);
  };
  const backend: Float64Backend = float64Backend({
    variables: (variable: Variable) => options.variables(variable.path) ?? initialValue(variable),
    seed: options.seed,
    extern,
    onProblem: (problem) => problems.push(problem),
    ...(options.poison === undefined ? {} : { poison: options.poison }),
  });
  const instantiated = instantiateEntry<F64Tensor, F64Route>({
    program,
    scope,
    backend,
    entry: options.entry,
    want: options.want,
    input: (name, type, axes, within) => {
      const given = options.inputs.get(name);
      const count = axes.reduce((n, a) => n * sizeOf(a), 1);
      if (given === undefined || given.data.length !== count)
        throw new CompilerBug('interpret', `input ${name} does not fit its axes`);
      const data = given.data.map((v) => keepAs(type.element, v));
      return makeTensor(type.element, axes, data, outside(name, entry.span, within, axes, data));
    },
    report,
  });
  const value = (
    operand: F64Operand,
    axes: readonly Axis[],
    targets: readonly Axis[],
    payload: readonly Axis[],
  ): InterpretedValue => {
    backend.demand(operand);
    if (operand.kind === 'tensor') {
      return {
        kind: 'tensor',
        element: operand.value.element,
        axes: axes.map(named),
        data: spread(operand.value, axes).data,
      };
    }
    const { support, present, rank, weight, payload: own, element } = operand.value;
    const sources = axes.filter((a) => !targets.includes(a) && !payload.includes(a));
    const order = [...sources, ...targets];
    const read = (from: readonly Axis[], data: ArrayLike<number>, to: readonly Axis[]): Float64Array =>
      spread(makeTensor(element, from, Float64Array.from(data)), to).data;
    return {
      kind: 'route',
      element,
      sources: sources.map(named),
      targets: targets.map(named),
      payload: payload.map(named),
      present: read(support, present, order),
      rank: read(support, rank, order),
      weight: read([...support, ...own], weight, [...order, ...payload]),
    };
  };
  const results = instantiated.results.map((r): [string, InterpretedValue] => {
    const n = r.type.kind === 'route' ? r.type.sources.length : 0;
    const m = r.type.kind === 'route' ? r.type.targets.length : 0;
    const route = r.type.kind === 'route';
    return [r.name, value(r.value, r.axes, route ? r.axes.slice(n, n + m) : [], route ? r.axes.slice(n + m) : [])];
  });
  const outputs = instantiated.outputs.map((o): [string, InterpretedValue] => [
    o.path,
    value(o.value, o.axes, o.targets, o.payload),
  ]);
  const losses = instantiated.losses.map((l): [string, InterpretedValue] => [l.path, value(l.value, l.axes, [], [])]);
  const states = instantiated.updates.map((s): [string, InterpretedValue] => [
    s.variable.path,
    value({ kind: 'tensor', value: s.value }, [...s.variable.family, ...s.variable.declared], [], []),
  ]);
  return {
    results: new Map(results),
    outputs: new Map(outputs),
    losses: new Map(losses),
    states: new Map(states),
    problems: inOrderOfText(problems),
  };
}

function named(axis: Axis): NamedAxis {
  return { name: axis.name, size: sizeOf(axis) };
}
