/**
 * The walk: what the structure of a program means, once for every executor. It enters an entry, resolves instances,
 * families, windows and unions, binds arguments, sets carried axes apart, unrolls chains, takes the live side of every
 * `if`, and hands each operation with concrete axes to an algebra (algebra.ts). Losses, outputs and updates are
 * gathered by path. Sizes are obligations discharged here, with spans: a failing one is reported once per place.
 *
 * Source: core.md 2.1 to 2.4, 2.8, 2.9; tagless interpretation (Carette, Kiselyov, Shan 2009) for the algebra.
 */
import type {
  AxisVar,
  Block,
  CallableDeclaration,
  ChainExpr,
  Expr,
  FamilyExpr,
  Id,
  PrimitiveExpr,
  Program,
  TensorType,
  ValueType,
} from '../check/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Diagnostic, Span } from '../diagnostics/diagnostic.ts';
import type { Algebra, Operand, Selection } from './algebra.ts';
import type { Axis } from './axis.ts';
import { Effects, type GatheredState, type GatheredValue } from './effects.ts';
import type { FamilyValue, Instance, UsedStore } from './instances.ts';
import { Obligations, type Condition } from './obligations.ts';
import { Scope, type StaticFrame } from './scope.ts';
import { asInteger, exact, type Size } from './size.ts';

export type WalkValue<T, R> =
  | Operand<T, R>
  | { readonly kind: 'tuple'; readonly items: readonly WalkValue<T, R>[] }
  | { readonly kind: 'family'; readonly family: FamilyValue<never> };

export interface Frame<T, R> extends StaticFrame {
  readonly locals: Map<Id, WalkValue<T, R>>;
  /** Axes carried into this body and the ones of its family: unseen by it, met by name. */
  readonly hidden: readonly Axis[];
  /** Routes the call was lifted over: its values are meant where all of them are present. */
  readonly routes: readonly R[];
  /** Gives values of this frame the axes they have outside: applied to outputs and losses. */
  readonly restore: ReadonlyMap<Axis, Axis>;
  readonly place: string;
}

export interface WalkOptions<T, R> {
  readonly program: Program;
  readonly scope: Scope;
  readonly algebra: Algebra<T, R>;
  readonly entry: string;
  /** The value of an entry's formal. */
  readonly input: (name: string, type: TensorType, axes: readonly Axis[], within: Axis | null) => T;
  /** Which auxiliary results are evaluated. */
  readonly want: { readonly losses: boolean; readonly outputs: boolean; readonly updates: boolean };
  readonly report: (problem: Diagnostic) => void;
  /** Told of what the sizes of a run must satisfy. */
  readonly require?: (condition: Condition) => void;
}

export interface WalkedResult<T, R> {
  readonly name: string;
  readonly value: Operand<T, R>;
  readonly type: ValueType;
  /** Axes in the written order; for a route sources, targets and payload in order. */
  readonly axes: readonly Axis[];
}

export interface Walked<T, R> {
  readonly results: readonly WalkedResult<T, R>[];
  readonly losses: readonly GatheredValue<T, R>[];
  readonly outputs: readonly GatheredValue<T, R>[];
  readonly updates: readonly GatheredState<T>[];
  readonly stores: readonly UsedStore[];
}

/** Walks one entry. Mistakes (sizes that do not fit, ranges that leave an axis) go to `report`; the walk goes on where it can. */
export function walkEntry<T, R>(options: WalkOptions<T, R>): Walked<T, R> {
  return new Walk(options).run();
}

/** The value of a store's initialiser over its family's and declared axes, or null when it has none. */
export function walkInitial<T, R>(
  options: Omit<WalkOptions<T, R>, 'entry' | 'input' | 'want'>,
  used: UsedStore,
): T | null {
  const want = { losses: false, outputs: false, updates: false };
  const input = (name: string): T => {
    throw new CompilerBug('walk', `an initial value reads the input ${name}`);
  };
  return new Walk({ ...options, entry: '', input, want }).initialOf(used);
}

class Walk<T, R> {
  private readonly scope: Scope;
  private readonly algebra: Algebra<T, R>;
  private readonly effects: Effects<T, R>;
  private readonly obligations: Obligations;
  private readonly initials = new Map<number, T>();

  constructor(private readonly options: WalkOptions<T, R>) {
    this.scope = options.scope;
    this.algebra = options.algebra;
    this.obligations = new Obligations(options.report, options.require ?? (() => undefined));
    this.effects = new Effects(options.algebra, (problem) => this.obligations.report(problem));
  }

  run(): Walked<T, R> {
    const entry = this.options.program.entries.find((e) => e.name === this.options.entry);
    if (entry === undefined) throw new CompilerBug('walk', `no entry ${this.options.entry}`);
    const instance = this.scope.entryInstance(entry);
    const frame: Frame<T, R> = {
      instance,
      selection: new Map(),
      indices: new Map(),
      locals: new Map(),
      hidden: [],
      routes: [],
      restore: new Map(),
      place: entry.name,
    };
    for (const formal of entry.formals) {
      if (formal.type.kind !== 'tensor')
        throw new CompilerBug('walk', `entry ${entry.name} takes a ${formal.type.kind}`);
      const axes = formal.type.axes.map((a) => this.axis(a, frame));
      const within = formal.type.within === undefined ? null : this.axis(formal.type.within, frame);
      frame.locals.set(formal.local, {
        kind: 'tensor',
        value: this.options.input(formal.name, formal.type, axes, within),
      });
    }
    if (entry.body === null) throw new CompilerBug('walk', 'an entry without a body');
    const value = this.block(entry.body, frame);
    const items = value.kind === 'tuple' ? value.items : [value];
    const types = entry.result.kind === 'tuple' ? entry.result.items : [{ type: entry.result }];
    const results = items.map((item, i): WalkedResult<T, R> => {
      const type = types[i];
      if (type === undefined || item.kind === 'tuple' || item.kind === 'family')
        throw new CompilerBug('walk', 'entry result');
      const name = 'name' in type && type.name !== undefined ? type.name : types.length === 1 ? 'output' : `output${i}`;
      const axes = axesOfType(type.type).map((a) => this.axis(a, frame));
      return { name, value: this.algebra.broadcast(item, axes), type: type.type, axes };
    });
    return { results, ...this.effects.gather(), stores: this.scope.usedStores() };
  }

  private axis(variable: AxisVar, frame: StaticFrame): Axis {
    return this.scope.axis(variable, frame);
  }

  // --- blocks and statements ---------------------------------------------------------------------------------------

  private block(block: Block, frame: Frame<T, R>): WalkValue<T, R> {
    for (const statement of block.statements) {
      switch (statement.kind) {
        case 'let': {
          const value = this.expression(statement.value, frame);
          const items = statement.locals.length === 1 || value.kind !== 'tuple' ? [value] : value.items;
          statement.locals.forEach((local, i) => {
            const item = items[i];
            if (local !== null && item !== undefined) frame.locals.set(local, item);
          });
          break;
        }
        case 'let_family':
          frame.locals.set(statement.local, { kind: 'family', family: this.family(statement.family, frame) });
          break;
        case 'update':
          if (this.options.want.updates) {
            const used = this.scope.store(statement.store, [], frame);
            const selection = this.selectionOf(used.instance, frame);
            this.scope.markUsed(used, [...selection.values()]);
            this.effects.update(used.store, selection, this.tensor(statement.value, frame), statement.span);
          }
          break;
        case 'loss':
          if (this.options.want.losses)
            this.effects.loss(statement.name, this.tensor(statement.value, frame), frame, statement.span);
          break;
        case 'output':
          if (this.options.want.outputs) {
            const value = this.operand(statement.value, frame);
            const own = axesOfType(statement.value.type).map((a) => this.axis(a, frame));
            this.effects.output(statement.name, value, statement.value.type, own, frame, statement.span);
          }
          break;
      }
    }
    return this.expression(block.result, frame);
  }

  private operand(expr: Expr, frame: Frame<T, R>): Operand<T, R> {
    const value = this.expression(expr, frame);
    if (value.kind === 'tuple' || value.kind === 'family')
      throw new CompilerBug('walk', `a ${value.kind} where a value is wanted`);
    return value;
  }

  private tensor(expr: Expr, frame: Frame<T, R>): T {
    const value = this.operand(expr, frame);
    if (value.kind !== 'tensor') throw new CompilerBug('walk', 'a route where a dense tensor is wanted');
    return value.value;
  }

  // --- expressions -------------------------------------------------------------------------------------------------

  private expression(expr: Expr, frame: Frame<T, R>): WalkValue<T, R> {
    switch (expr.kind) {
      case 'static': {
        const value = this.scope.static(expr.value, frame);
        const element = expr.type.kind === 'tuple' ? 'f32' : expr.type.element;
        if (value.kind === 'string') throw new CompilerBug('walk', 'a string where a tensor is wanted');
        return {
          kind: 'tensor',
          value: this.algebra.scalar(value.kind === 'bool' ? value.value : value.size, element),
        };
      }
      case 'local': {
        const value = frame.locals.get(expr.local);
        if (value === undefined) throw new CompilerBug('walk', `local ${expr.name} has no value`);
        return value;
      }
      case 'store': {
        const used = this.scope.store(expr.decl, expr.via, frame);
        const whole = this.readStore(used, this.selectionOf(used.instance, frame));
        return this.algebra.rename({ kind: 'tensor', value: whole }, this.axesHere(used, frame));
      }
      case 'primitive':
        return this.primitive(expr, frame);
      case 'call': {
        const family = this.family(expr.callee, frame);
        const args = expr.args.map((a) => this.operand(a, frame));
        return this.call(family, args, frame, expr.span, `${frame.place}/${expr.span.start}`);
      }
      case 'tuple':
        return { kind: 'tuple', items: expr.items.map((item) => this.expression(item, frame)) };
      case 'if': {
        const condition = this.scope.static(expr.condition, frame);
        return this.block(condition.kind === 'bool' && condition.value ? expr.then : expr.else, frame);
      }
      case 'chain':
        return this.chain(expr, frame);
      case 'coerce':
        return this.coerce(this.expression(expr.value, frame), expr.type, frame);
      case 'embed': {
        const value = this.operand(expr.value, frame);
        if (value.kind !== 'route') throw new CompilerBug('walk', 'only a route is embedded in a union');
        const axis = this.axis(expr.union, frame);
        const member = this.scope.unionLayout(axis).members[expr.part];
        if (member === undefined) throw new CompilerBug('walk', 'no such part');
        return { kind: 'route', value: this.algebra.embed(value.value, member.axes, axis, member.offset) };
      }
    }
  }

  private coerce(value: WalkValue<T, R>, type: ValueType, frame: Frame<T, R>): WalkValue<T, R> {
    if (value.kind === 'family') return value;
    if (value.kind === 'tuple') {
      if (type.kind !== 'tuple') return value;
      const items = value.items.map((item, i) => {
        const t = type.items[i];
        return t === undefined ? item : this.coerce(item, t.type, frame);
      });
      return { kind: 'tuple', items };
    }
    const axes = axesOfType(type).map((a) => this.axis(a, frame));
    const wide = this.algebra.broadcast(value, axes);
    if (wide.kind === 'route' && type.kind === 'route') {
      const targets = type.targets.map((a) => this.axis(a, frame));
      const sources = this.algebra.supportOf(wide.value).filter((a) => !targets.includes(a));
      return { kind: 'route', value: this.algebra.orient(wide.value, sources, targets) };
    }
    if (
      wide.kind === 'tensor' &&
      type.kind === 'tensor' &&
      type.element === 'f16' &&
      this.algebra.elementOf(wide.value) !== 'f16'
    ) {
      return this.algebra.primitive({
        name: 'convert',
        args: new Map([['x', wide]]),
        axes: new Map(),
        statics: new Map(),
        element: 'f16',
        span: { source: '', start: 0, end: 0 },
        hidden: frame.hidden,
        place: frame.place,
      });
    }
    return wide;
  }

  private chain(expr: ChainExpr & { readonly span: Span }, frame: Frame<T, R>): WalkValue<T, R> {
    const axis = this.axis(expr.axis, frame);
    const steps = asInteger(axis.size);
    if (steps === null) throw new CompilerBug('walk', `chain over ${axis.name}, whose size is not constant`);
    let carried = expr.carries.map((c) => this.coerce(this.expression(c.start, frame), c.type, frame));
    const collected: Operand<T, R>[][] = expr.collecting.map(() => []);
    for (let i = 0; i < steps; i++) {
      const step: Frame<T, R> = {
        ...frame,
        indices: new Map([...frame.indices, [expr.index, i]]),
        locals: new Map(frame.locals),
        place: `${frame.place}/${expr.span.start}.${i}`,
      };
      expr.carries.forEach((c, k) => {
        const value = carried[k];
        if (value !== undefined) step.locals.set(c.local, value);
      });
      const value = this.block(expr.body, step);
      const items = expr.carries.length === 1 || value.kind !== 'tuple' ? [value] : value.items;
      carried = expr.carries.map((c, k) => {
        const item = items[k];
        if (item === undefined) throw new CompilerBug('walk', 'a chain step gives too few values');
        return this.coerce(item, c.type, frame);
      });
      expr.collecting.forEach((c, k) => {
        const item = step.locals.get(c.local);
        if (item === undefined || item.kind === 'tuple' || item.kind === 'family')
          throw new CompilerBug('walk', `nothing to collect as ${c.name}`);
        collected[k]?.push(item);
      });
    }
    const all = [...carried, ...collected.map((operands) => this.stack(operands, axis))];
    const [only] = all;
    return all.length === 1 && only !== undefined ? only : { kind: 'tuple', items: all };
  }

  private stack(operands: readonly Operand<T, R>[], axis: Axis): Operand<T, R> {
    const axes: Axis[] = [];
    for (const o of operands) {
      const own =
        o.kind === 'tensor'
          ? this.algebra.axesOf(o.value)
          : [...this.algebra.supportOf(o.value), ...this.algebra.payloadOf(o.value)];
      for (const a of own) if (!axes.includes(a)) axes.push(a);
    }
    return this.algebra.stack(
      operands.map((o) => this.algebra.broadcast(o, axes)),
      axis,
    );
  }

  private primitive(
    expr: PrimitiveExpr & { readonly type: ValueType; readonly span: Span },
    frame: Frame<T, R>,
  ): Operand<T, R> {
    const args = new Map([...expr.args].map(([name, e]) => [name, this.operand(e, frame)]));
    const axes = new Map([...expr.axes].map(([name, vars]) => [name, vars.map((v) => this.axis(v, frame))]));
    const statics = new Map<string, Size | boolean>();
    for (const [name, value] of expr.statics) {
      const v = this.scope.static(value, frame);
      if (v.kind === 'string') throw new CompilerBug('walk', `a string as ${name}`);
      statics.set(name, v.kind === 'bool' ? v.value : v.size);
    }
    this.partLayout(expr, axes, statics);
    this.obligations.primitive(expr, axes, statics, () => this.where(frame));
    return this.algebra.primitive({
      name: expr.name,
      args,
      axes,
      statics,
      element: expr.type.kind === 'tuple' ? 'f32' : expr.type.element,
      span: expr.span,
      hidden: frame.hidden,
      place: `${frame.place}/${expr.span.start}`,
    });
  }

  /** `part` and `is` name a member of a union: here it becomes a range of the union's axis. */
  private partLayout(
    expr: PrimitiveExpr,
    axes: ReadonlyMap<string, readonly Axis[]>,
    statics: Map<string, Size | boolean>,
  ): void {
    if (expr.name !== 'part' && expr.name !== 'is') return;
    const union = axes.get('axis')?.[0];
    const part = statics.get('part');
    const index = part === undefined || typeof part === 'boolean' ? null : asInteger(part);
    if (union === undefined || index === null) throw new CompilerBug('walk', `${expr.name} without a part`);
    const member = this.scope.unionLayout(union).members[index];
    if (member === undefined) throw new CompilerBug('walk', 'no such part');
    statics.set('offset', member.offset);
    statics.set('length', member.length);
  }

  /** " (at l = 0)": the first instance at which an obligation fails. */
  private where(frame: StaticFrame): string {
    const parts = [...frame.indices].map(([id, value]) => `${this.scope.indexName(id)} = ${value}`);
    return parts.length === 0 ? '' : ` (at ${parts.join(', ')})`;
  }

  // --- families and calls ------------------------------------------------------------------------------------------

  private family(expr: FamilyExpr, frame: Frame<T, R>): FamilyValue<never> {
    switch (expr.kind) {
      case 'named':
        return this.scope.family(expr.decl, frame);
      case 'local_family': {
        const value = frame.locals.get(expr.local);
        if (value === undefined || value.kind !== 'family') throw new CompilerBug('walk', 'a local that is no family');
        return value.family;
      }
      case 'at': {
        const axis = this.axis(expr.axis, frame);
        const index = this.scope.integer(expr.index, frame);
        this.obligations.point(this.scope.number(expr.index, frame), axis, expr.span, this.where(frame));
        const n = asInteger(axis.size);
        const inside = Math.min(Math.max(index ?? 0, 0), (n ?? 1) - 1);
        return this.scope.select(this.family(expr.family, frame), axis, { kind: 'at', index: inside });
      }
      case 'window': {
        const axis = this.axis(expr.axis, frame);
        const as = this.axis(expr.as, frame);
        const [from, to] = [this.scope.integer(expr.from, frame), this.scope.integer(expr.to, frame)];
        const inside = this.obligations.range(axis, as, exact(from ?? 0), exact(to ?? 0), expr.span, this.where(frame));
        return this.scope.select(this.family(expr.family, frame), axis, {
          kind: 'window',
          from: inside ? (from ?? 0) : 0,
          as,
        });
      }
    }
  }

  /**
   * An axis whose definition names an index (`seen[Q] = every | group[…]` in `task[k in Task]`) is one axis for each
   * index, but a store has one shape for all: its axes, as they are called here.
   */
  private axesHere({ store, instance }: UsedStore, frame: Frame<T, R>): ReadonlyMap<Axis, Axis> {
    const here = store.declaration.type.axes.map((a) => this.axis(a, { ...frame, instance }));
    return new Map(
      store.declared.flatMap((a, i) => (here[i] === undefined || here[i] === a ? [] : [[a, here[i]] as const])),
    );
  }

  private readStore(used: UsedStore, selection: ReadonlyMap<number, Selection>): T {
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
      return this.algebra.broadcast({ kind: 'tensor', value: this.tensor(initial, frame) }, axes);
    }
    const points = Array.from({ length: asInteger(first.axis.size) ?? 0 }, (_, i) => {
      const own = { ...frame, indices: new Map([...frame.indices, [first.index, i]]) };
      // Whole, then one point of it: a draw is the same as without the index.
      return this.sliceAt(this.initialAt(initial, used, rest, own), first.axis, i, frame, initial.span);
    });
    return this.algebra.broadcast(this.stack(points, first.axis), axes);
  }

  /** The selection of an instance's family axes as this frame has it. */
  private selectionOf(instance: Instance, frame: Frame<T, R>): ReadonlyMap<number, Selection> {
    return this.scope.selectionOf(instance, this.scope.commonInstance(instance, frame), frame);
  }

  private call(
    family: FamilyValue<never>,
    args: readonly Operand<T, R>[],
    frame: Frame<T, R>,
    span: Span,
    place: string,
  ): WalkValue<T, R> {
    if (family.kind === 'union') return this.callUnion(family, args, frame, span, place);
    const callable = this.scope.callable(family.callable);
    const named = this.scope.openIndex(family);
    if (named === null) return this.callOne(family, callable, args, frame, span, place);
    // A family that names its index is specialised for each of its points.
    const n = asInteger(named.as.size);
    if (n === null) throw new CompilerBug('walk', `family axis ${named.as.name} of no constant size`);
    const results: WalkValue<T, R>[] = [];
    for (let i = 0; i < n; i++) {
      const one = this.scope.selectRoot(family, named.root, { kind: 'at', index: named.from + i });
      const own = args.map((a) => this.sliceAt(a, named.as, i, frame, span));
      results.push(this.call(one, own, frame, span, place));
    }
    return this.stackValues(results, named.as);
  }

  private stackValues(values: readonly WalkValue<T, R>[], axis: Axis): WalkValue<T, R> {
    const [first] = values;
    if (first === undefined) throw new CompilerBug('walk', `a call of no instances along ${axis.name}`);
    if (first.kind === 'tuple') {
      return {
        kind: 'tuple',
        items: first.items.map((_, k) =>
          this.stackValues(
            values.map((v) => (v.kind === 'tuple' ? (v.items[k] ?? v) : v)),
            axis,
          ),
        ),
      };
    }
    return this.stack(
      values.map((v) => {
        if (v.kind === 'tuple' || v.kind === 'family')
          throw new CompilerBug('walk', 'results of one family differ in kind');
        return v;
      }),
      axis,
    );
  }

  private sliceAt(operand: Operand<T, R>, axis: Axis, index: number, frame: Frame<T, R>, span: Span): Operand<T, R> {
    const axes =
      operand.kind === 'tensor'
        ? this.algebra.axesOf(operand.value)
        : [...this.algebra.supportOf(operand.value), ...this.algebra.payloadOf(operand.value)];
    if (!axes.includes(axis)) return operand;
    return this.algebra.primitive({
      name: 'at',
      args: new Map([['x', operand]]),
      axes: new Map([['axis', [axis]]]),
      statics: new Map([['index', exact(index)]]),
      element: operand.kind === 'tensor' ? this.algebra.elementOf(operand.value) : 'f32',
      span,
      hidden: frame.hidden,
      place: frame.place,
    });
  }

  private callUnion(
    family: FamilyValue<never> & { kind: 'union' },
    args: readonly Operand<T, R>[],
    frame: Frame<T, R>,
    span: Span,
    place: string,
  ): WalkValue<T, R> {
    const axis = family.axis;
    const parts = family.members.map((member, i) => {
      const layout = family.layout.members[i];
      if (layout === undefined) throw new CompilerBug('walk', 'a union without a layout');
      // An argument that has the union's axis gives each member its own part.
      const own = args.map((a): Operand<T, R> => {
        const axes =
          a.kind === 'tensor'
            ? this.algebra.axesOf(a.value)
            : [...this.algebra.supportOf(a.value), ...this.algebra.payloadOf(a.value)];
        if (!axes.includes(axis)) return a;
        return this.algebra.primitive({
          name: 'part',
          args: new Map([['x', a]]),
          axes: new Map([
            ['axis', [axis]],
            ['into', member.axes],
          ]),
          statics: new Map([
            ['part', exact(i)],
            ['offset', layout.offset],
            ['length', layout.length],
          ]),
          element: a.kind === 'tensor' ? this.algebra.elementOf(a.value) : 'f32',
          span,
          hidden: frame.hidden,
          place,
        });
      });
      return { value: this.call(member.family, own, frame, span, `${place}.${i}`), axes: member.axes };
    });
    const routes: R[] = [];
    const dense = parts.map((part) => {
      if (part.value.kind === 'tensor') return { value: part.value.value, axes: part.axes };
      if (part.value.kind !== 'route') throw new CompilerBug('walk', 'members of a union return one value');
      routes.push(this.algebra.embed(part.value.value, part.axes, axis, exact(0)));
      return { value: this.algebra.weights(part.value.value), axes: part.axes };
    });
    const value = this.algebra.unite(dense, axis);
    const lifted = args.filter((a): a is { kind: 'route'; value: R } => a.kind === 'route').map((a) => a.value);
    return routes.length > 0
      ? { kind: 'route', value: this.algebra.present(lifted, value) }
      : { kind: 'tensor', value };
  }

  private callOne(
    family: FamilyValue<never> & { kind: 'function' },
    callable: CallableDeclaration,
    args: readonly Operand<T, R>[],
    frame: Frame<T, R>,
    span: Span,
    place: string,
  ): WalkValue<T, R> {
    const instance = family.instance;
    const statics: StaticFrame = { instance, selection: family.selection, indices: family.indices };
    const uses = new Set(callable.uses.map((u) => this.axis(u, statics)));

    // Axes of the family and what is carried; those the body itself mentions are set apart under fresh names.
    const familyAxes = [...family.selection.values()].flatMap((s): Axis[] =>
      s.kind === 'all' ? [s.axis] : s.kind === 'window' ? [s.as] : [],
    );
    const declared = callable.formals.map((f) => axesOfType(f.type).map((a) => this.axis(a, statics)));
    const carried: Axis[] = [];
    const bound = args.map((arg, i): Operand<T, R> => {
      const inner = declared[i] ?? [];
      const boundary = new Map<Axis, Axis>();
      for (const a of inner) {
        const outer = this.scope.outerOf(instance, a);
        if (outer !== a) boundary.set(outer, a);
      }
      return boundary.size === 0 ? arg : this.algebra.rename(arg, boundary);
    });
    bound.forEach((arg, i) => {
      const inner = declared[i] ?? [];
      const own =
        arg.kind === 'tensor'
          ? this.algebra.axesOf(arg.value)
          : [...this.algebra.supportOf(arg.value), ...this.algebra.payloadOf(arg.value)];
      for (const a of own) if (!inner.includes(a) && !carried.includes(a)) carried.push(a);
    });
    const unseen = [...new Set([...frame.hidden, ...familyAxes, ...carried])];
    const apart = new Map<Axis, Axis>();
    for (const a of unseen) if (uses.has(a)) apart.set(a, this.scope.fresh(a));
    const moved = (a: Axis): Axis => apart.get(a) ?? a;

    const locals = new Map<Id, WalkValue<T, R>>();
    const routes: R[] = frame.routes.map((r) => this.renameRoute(r, apart));
    const lifted: R[] = [];
    bound.forEach((arg, i) => {
      const formal = callable.formals[i];
      if (formal === undefined) throw new CompilerBug('walk', `too many arguments for ${callable.name}`);
      const inner = declared[i] ?? [];
      const renaming = new Map([...apart].filter(([a]) => !inner.includes(a)));
      // An axis that is declared and carried by different arguments is renamed only where it is carried.
      const own = renaming.size === 0 ? arg : this.algebra.rename(arg, restrict(renaming, arg, this.algebra));
      if (own.kind === 'route' && formal.type.kind !== 'route') {
        lifted.push(own.value);
        locals.set(formal.local, { kind: 'tensor', value: this.algebra.weights(own.value) });
      } else {
        locals.set(formal.local, this.algebra.broadcast(own, inner));
      }
    });
    const selection = new Map(
      [...family.selection].map(([id, s]): [number, Selection] => {
        if (s.kind === 'all') return [id, { kind: 'all', axis: moved(s.axis) }];
        return [id, s.kind === 'window' ? { kind: 'window', from: s.from, as: moved(s.as) } : s];
      }),
    );
    const restore = new Map<Axis, Axis>();
    for (const [a, fresh] of apart) restore.set(fresh, frame.restore.get(a) ?? a);
    for (const [a, b] of frame.restore) if (!apart.has(a)) restore.set(a, b);
    const callee: Frame<T, R> = {
      instance,
      selection,
      indices: family.indices,
      locals,
      hidden: unseen.map(moved),
      routes: [...routes, ...lifted],
      restore,
      place,
    };
    const raw =
      callable.body === null
        ? this.extern(callable, callee, carried.map(moved), familyAxes.map(moved), span)
        : this.block(callable.body, callee);
    const back = new Map([...apart].map(([a, fresh]) => [fresh, a]));
    for (const [inner, outer] of this.scope.boundary(instance)) back.set(inner, outer);
    return this.leave(raw, lifted, back);
  }

  /** A result on its way out: lifted over the routes it was called with, axes renamed back. */
  private leave(value: WalkValue<T, R>, lifted: readonly R[], back: ReadonlyMap<Axis, Axis>): WalkValue<T, R> {
    if (value.kind === 'family') return value;
    if (value.kind === 'tuple') return { kind: 'tuple', items: value.items.map((v) => this.leave(v, lifted, back)) };
    const whole: Operand<T, R> =
      lifted.length > 0 && value.kind === 'tensor'
        ? { kind: 'route', value: this.algebra.present(lifted, value.value) }
        : value;
    const renaming = restrict(back, whole, this.algebra);
    return renaming.size === 0 ? whole : this.algebra.rename(whole, renaming);
  }

  private renameRoute(route: R, renaming: ReadonlyMap<Axis, Axis>): R {
    const own = restrict<T, R>(renaming, { kind: 'route', value: route }, this.algebra);
    if (own.size === 0) return route;
    const renamed = this.algebra.rename({ kind: 'route', value: route }, own);
    if (renamed.kind !== 'route') throw new CompilerBug('walk', 'renaming made a route dense');
    return renamed.value;
  }

  private extern(
    callable: CallableDeclaration,
    frame: Frame<T, R>,
    carried: readonly Axis[],
    family: readonly Axis[],
    span: Span,
  ): WalkValue<T, R> {
    const own = (type: ValueType): readonly Axis[] => axesOfType(type).map((a) => this.axis(a, frame));
    const args = callable.formals.map((f) => {
      const value = frame.locals.get(f.local);
      if (value === undefined || value.kind !== 'tensor') throw new CompilerBug('walk', 'an extern takes dense values');
      return { name: f.name, value: value.value, axes: own(f.type) };
    });
    const types = callable.result.kind === 'tuple' ? callable.result.items.map((t) => t.type) : [callable.result];
    const results = types.map((t) => ({ element: t.kind === 'tuple' ? ('f32' as const) : t.element, axes: own(t) }));
    const values = this.algebra.extern({
      name: callable.name,
      args,
      results,
      family: [...new Set(family)],
      carried,
      span,
    });
    const items = values.map((value): WalkValue<T, R> => ({ kind: 'tensor', value }));
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : { kind: 'tuple', items };
  }
}

/** Visible axes of a type, in the written order (sources, targets, payload for a route). */
export function axesOfType(type: ValueType): readonly AxisVar[] {
  switch (type.kind) {
    case 'tensor':
      return type.axes;
    case 'route':
      return [...type.sources, ...type.targets, ...type.payload];
    case 'tuple':
      return [];
  }
}

function restrict<T, R>(
  renaming: ReadonlyMap<Axis, Axis>,
  operand: Operand<T, R>,
  algebra: Algebra<T, R>,
): ReadonlyMap<Axis, Axis> {
  if (renaming.size === 0) return renaming;
  const own =
    operand.kind === 'tensor'
      ? algebra.axesOf(operand.value)
      : [...algebra.supportOf(operand.value), ...algebra.payloadOf(operand.value)];
  return new Map([...renaming].filter(([a]) => own.includes(a)));
}
