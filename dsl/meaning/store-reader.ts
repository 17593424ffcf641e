/**
 * Reading stores: which cells of a param, a state or an input a frame means, over which axes, and the values that
 * initialisers give. What is read is noted in the scope: only those cells are required of a checkpoint.
 */
import type { Expr, Id } from '../check/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import { MOST_STEPS, withinLimit } from './limits.ts';
import type { Algebra, Operand, Selection } from './algebra.ts';
import type { Axis } from './axis.ts';
import type { Calls } from './calls.ts';
import { stackOperands, type Frame } from './frame.ts';
import type { UsedStore } from './instances.ts';
import type { Scope, StaticFrame } from './scope.ts';
import { asInteger } from './size.ts';

export class StoreReader<T, R> {
  private readonly initials = new Map<number, T>();

  constructor(
    private readonly scope: Scope,
    private readonly algebra: Algebra<T, R>,
    private readonly calls: Calls<T, R>,
    /** The walk's own evaluation of a dense expression. */
    private readonly evaluate: (expr: Expr, frame: Frame<T, R>) => T,
  ) {}

  /** A store as a frame sees it: the cells of its selection, over the axes that its declaration means there. */
  readHere(used: UsedStore, frame: StaticFrame): Operand<T, R> {
    const whole = this.read(used, this.selectionOf(used, frame));
    return this.algebra.rename({ kind: 'tensor', value: whole }, this.axesHere(used, frame));
  }

  /** How a frame reads the family axes around a store. */
  selectionOf({ instance }: UsedStore, frame: StaticFrame): ReadonlyMap<number, Selection> {
    return this.scope.selectionOf(instance, this.scope.commonInstance(instance, frame), frame);
  }

  /**
   * An axis whose definition names an index (`seen[Q] = every | group[…]` in `task[k in Task]`) is one axis for each
   * index, but a store has one shape for all: its axes, as they are called here.
   */
  private axesHere({ store, instance }: UsedStore, frame: StaticFrame): ReadonlyMap<Axis, Axis> {
    const here = store.declaration.type.axes.map((a) => this.scope.axis(a, { ...frame, instance }));
    return new Map(
      store.declared.flatMap((a, i) => (here[i] === undefined || here[i] === a ? [] : [[a, here[i]] as const])),
    );
  }

  private read(used: UsedStore, selection: ReadonlyMap<number, Selection>): T {
    const list = used.store.family.map((a): Selection => selection.get(a.id) ?? { kind: 'all', axis: a });
    this.scope.markUsed(used, list);
    const control = used.store.declaration.store === 'input';
    return this.algebra.store(used.store, list, control ? this.initialOf(used) : null);
  }

  /** What an initialiser gives, over all axes of the store; computed once a walk, so that its draws are drawn once. */
  initialOf(used: UsedStore): T | null {
    const known = this.initials.get(used.store.id);
    if (known !== undefined) return known;
    const { initial } = used.store.declaration;
    if (initial === null) return null;
    const { instance } = used;
    const frame: Frame<T, R> = {
      instance,
      selection: new Map(instance.family.map((a) => [a.id, { kind: 'all', axis: a }])),
      indices: new Map(),
      locals: new Map(),
      hidden: instance.family,
      routes: [],
      restore: new Map(),
      place: used.store.path,
      calledAt: null,
    };
    const wide = this.initialAt(initial, used, this.scope.namedIndices(used), frame);
    if (wide.kind === 'route') throw new CompilerBug('walk', 'an initial value is dense');
    this.initials.set(used.store.id, wide.value);
    return wide.value;
  }

  /** An initial value over all axes of its store; where bodies name family indices, each point's own with its index. */
  private initialAt(
    initial: Expr,
    used: UsedStore,
    named: readonly { readonly index: Id; readonly axis: Axis }[],
    frame: Frame<T, R>,
  ): Operand<T, R> {
    const axes = [...used.store.family, ...used.store.declared];
    const [first, ...rest] = named;
    if (first === undefined) {
      return this.algebra.broadcast({ kind: 'tensor', value: this.evaluate(initial, frame) }, axes);
    }
    const { axis } = first;
    const n = withinLimit(
      asInteger(axis.size) ?? 0,
      MOST_STEPS,
      `an initial value that names its index of ${axis.name} is written out`,
      initial.span,
    );
    const points = Array.from({ length: n }, (_, i) => {
      const own = { ...frame, indices: new Map([...frame.indices, [first.index, i]]) };
      // Whole, then one point of it: a draw is the same as without the index.
      return this.calls.sliceAt(this.initialAt(initial, used, rest, own), first.axis, i, frame, initial.span);
    });
    return this.algebra.broadcast(stackOperands(points, first.axis, this.algebra), axes);
  }
}
