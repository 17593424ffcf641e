/**
 * Reading variables: which members of a param, a state or an input a frame means, over which axes, and the values that
 * initialisers give. What is read is noted: only the members that something is made of are required of a checkpoint.
 */
import type { ConcreteAxisId, IndexId } from '../types/ids.ts';
import type { Expr } from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import { diagnostic, type Diagnostic } from '../diagnostics/diagnostic.ts';
import { MAX_STEPS, withinLimit } from '../types/expansion-limits.ts';
import type { Backend, Selection, Variable } from './backend.ts';
import type { Operand } from '../types/call.ts';
import type { Axis } from '../types/axis.ts';
import type { Calls } from './calls.ts';
import { stackOperands, type Frame } from './frame.ts';
import type { UsedVariable } from './instances.ts';
import { sameSizes, type InstanceScope, type StaticFrame } from './instance-scope.ts';
import { exact, integerOf } from '../types/size.ts';

/** One reading of a variable in an instantiation: what it gave, and which members it was of. */
export interface VariableRead<T> {
  readonly used: UsedVariable;
  readonly selection: readonly Selection[];
  readonly value: T;
}

export class VariableReader<T, R> {
  readonly #scope: InstanceScope;
  readonly #backend: Backend<T, R>;
  readonly #calls: Calls<T, R>;
  /** Instantiation's own evaluation of a dense expression. */
  readonly #evaluate: (expr: Expr, frame: Frame<T, R>) => T;
  readonly #report: (problem: Diagnostic) => void;
  /** Every reading, in order. Whether its value is used for anything, only what is made of instantiation knows. */
  readonly reads: VariableRead<T>[] = [];
  readonly #initials = new Map<string, T>();
  /** The variables whose initial values are being computed, outermost first. */
  readonly #making: UsedVariable[] = [];

  constructor(
    scope: InstanceScope,
    backend: Backend<T, R>,
    calls: Calls<T, R>,
    evaluate: (expr: Expr, frame: Frame<T, R>) => T,
    report: (problem: Diagnostic) => void,
  ) {
    this.#scope = scope;
    this.#backend = backend;
    this.#calls = calls;
    this.#evaluate = evaluate;
    this.#report = report;
  }

  /** A variable as a frame sees it: the members of its selection, over the axes that its declaration means there. */
  readHere(used: UsedVariable, frame: StaticFrame): Operand<T, R> {
    const here = this.#axesHere(used, frame);
    if (!sameSizes(used.variable.declared, here)) {
      this.#scope.reportShape(used, here, frame);
      return this.#backend.broadcast(
        { kind: 'tensor', value: this.#backend.scalar(exact(0), used.variable.element) },
        here,
      );
    }
    const whole = this.#read(used, this.selectionOf(used, frame));
    return this.#backend.rename({ kind: 'tensor', value: whole }, renaming(used.variable.declared, here));
  }

  /** A new value for a variable, over the axes that the variable has everywhere; null if a member's own axes have other sizes. */
  asStored(used: UsedVariable, value: T, frame: StaticFrame): T | null {
    const here = this.#axesHere(used, frame);
    if (!sameSizes(used.variable.declared, here)) {
      this.#scope.reportShape(used, here, frame);
      return null;
    }
    const own = this.#backend.axesOf(value);
    const back = new Map([...renaming(here, used.variable.declared)].filter(([a]) => own.includes(a)));
    const renamed = this.#backend.rename({ kind: 'tensor', value }, back);
    if (renamed.kind === 'route') throw new CompilerBug('instantiate', 'a new value of a state is dense');
    return renamed.value;
  }

  /** How a frame reads the family axes around a variable. */
  selectionOf({ instance }: UsedVariable, frame: StaticFrame): ReadonlyMap<ConcreteAxisId, Selection> {
    return this.#scope.selectionOf(instance, this.#scope.commonInstance(instance, frame), frame);
  }

  /**
   * An axis whose definition names an index (`seen[Q] = every | group[…]` in `task[k in Task]`) is one axis for each
   * index, but a variable has one shape for all: its axes, as they are called here.
   */
  #axesHere({ variable, instance }: UsedVariable, frame: StaticFrame): readonly Axis[] {
    return variable.declaration.type.axes.map((a) => this.#scope.axis(a, { ...frame, instance }));
  }

  #read(used: UsedVariable, selection: ReadonlyMap<ConcreteAxisId, Selection>): T {
    const list = used.variable.family.map((a): Selection => selection.get(a.id) ?? { kind: 'all', axis: a });
    const { role } = used.variable.declaration;
    const made = this.#making.at(-1)?.variable;
    if (made !== undefined && made.declaration.role !== 'control' && role !== 'param')
      this.#reportMoving(made, used.variable);
    const value = this.#backend.variable(used.variable, list, role === 'control' ? this.initialOf(used) : null);
    this.reads.push({ used, selection: list, value });
    return value;
  }

  #reportMoving(made: Variable, read: Variable): void {
    const what = read.declaration.role === 'state' ? 'a state, which runs change' : 'an input, which a run gives';
    this.#report(
      diagnostic('MOE0363', {
        message: `the initial value of ${made.path} reads ${read.path}, ${what}`,
        span: made.declaration.initial?.span ?? made.declaration.span,
        labels: [{ span: read.declaration.span, text: `${read.path} is declared here` }],
        help: 'an initial value is made before any run: of numbers, sizes, draws and params',
      }),
    );
  }

  /** What an initialiser gives, over all axes of the variable; computed once an instantiation, so that its draws are drawn once. */
  initialOf(used: UsedVariable): T | null {
    const { initial } = used.variable.declaration;
    if (initial === null) return null;
    // A control's default is computed at its first reading, when not all of its variants may have been met.
    const key = `${used.variable.id} ${used.variants.length}`;
    const known = this.#initials.get(key);
    if (known !== undefined) return known;
    if (this.#making.includes(used))
      throw new CompilerBug('instantiate', `the initial value of ${used.variable.path} needs itself`);
    this.#making.push(used);
    const wide = this.#initialAt(initial, used, this.#indicesOf(used), new Map());
    this.#making.pop();
    if (wide.kind === 'route') throw new CompilerBug('instantiate', 'an initial value is dense');
    this.#initials.set(key, wide.value);
    return wide.value;
  }

  /** The indices at which the initial value may be another one, with their axes. */
  #indicesOf(used: UsedVariable): readonly { readonly index: IndexId; readonly axis: Axis }[] {
    return this.#scope
      .namedIndices(used.instance)
      .filter(
        ({ index }) =>
          used.variants.some(({ instance }) => instance.indices.has(index)) ||
          this.#scope.indicesAround(used.variable.declaration.id).has(index),
      );
  }

  /** An initial value over all axes of its variable; where bodies name family indices, each point's own with its index. */
  #initialAt(
    initial: Expr,
    used: UsedVariable,
    named: readonly { readonly index: IndexId; readonly axis: Axis }[],
    indices: ReadonlyMap<IndexId, number>,
  ): Operand<T, R> {
    const axes = [...used.variable.family, ...used.variable.declared];
    const own =
      used.variants.find((v) => [...v.instance.indices].every(([index, at]) => indices.get(index) === at)) ?? used;
    const { instance } = own;
    const frame: Frame<T, R> = {
      instance,
      selection: new Map(instance.family.map((a) => [a.id, { kind: 'all', axis: a }])),
      indices,
      locals: new Map(),
      batchAxes: instance.family,
      routes: [],
      restore: new Map(),
      seedKey: used.variable.path,
      calledAt: null,
    };
    const [first, ...rest] = named;
    if (first === undefined) {
      const value = this.#evaluate(initial, frame);
      const here = renaming(this.#axesHere(own, frame), used.variable.declared);
      const has = this.#backend.axesOf(value);
      const stored = new Map([...here].filter(([a]) => has.includes(a)));
      return this.#backend.broadcast(this.#backend.rename({ kind: 'tensor', value }, stored), axes);
    }
    const { axis } = first;
    const n = withinLimit(
      integerOf(axis.size, 'instantiate: size of a family'),
      MAX_STEPS,
      `an initial value that names its index of ${axis.name} is written out`,
      initial.span,
    );
    const points = Array.from({ length: n }, (_, i) => {
      const at = new Map([...indices, [first.index, i]]);
      // Whole, then one point of it: a draw is the same as without the index.
      return this.#calls.sliceAt(this.#initialAt(initial, used, rest, at), first.axis, i, frame, initial.span);
    });
    return this.#backend.broadcast(stackOperands(points, first.axis, this.#backend), axes);
  }
}

function renaming(from: readonly Axis[], to: readonly Axis[]): ReadonlyMap<Axis, Axis> {
  return new Map(from.flatMap((a, i) => (to[i] === undefined || to[i] === a ? [] : [[a, to[i]] as const])));
}
