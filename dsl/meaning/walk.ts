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
  ChainExpr,
  Expr,
  FamilyExpr,
  PrimitiveExpr,
  Program,
  TensorType,
  ValueType,
} from '../check/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Diagnostic, Span } from '../diagnostics/diagnostic.ts';
import type { Algebra, Operand } from './algebra.ts';
import type { Axis } from './axis.ts';
import { Calls } from './calls.ts';
import { coerce, withoutPoints } from './coerce.ts';
import { Effects, type GatheredState, type GatheredValue } from './effects.ts';
import { axesOfType } from '../algebra/primitive.ts';
import { axesOfOperand, stackOperands, type Frame, type WalkValue } from './frame.ts';
import type { FamilyValue, UsedStore } from './instances.ts';
import { Obligations, type Condition } from './obligations.ts';
import { clashes, runValues } from './run-names.ts';
import { Requirements, type Surroundings } from './requirements.ts';
import { Scope, type StaticFrame } from './scope.ts';
import { StoreReader, type StoreRead } from './store-reader.ts';
import { MOST_STEPS, withinLimit, withinNesting } from './limits.ts';
import { asInteger, exact, type Size } from './size.ts';

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
  /** Every reading of a store; only what is made of the walk knows which of them count (`Scope.markUsed`). */
  readonly reads: readonly StoreRead<T>[];
}

/** Walks one entry. Mistakes (sizes that do not fit, ranges that leave an axis) go to `report`; the walk goes on where it can. */
export function walkEntry<T, R>(options: WalkOptions<T, R>): Walked<T, R> {
  return new Walk(options).run();
}

/** The value of a store's initialiser over its family's and declared axes, or null when it has none. */
export function walkInitial<T, R>(
  options: Omit<WalkOptions<T, R>, 'entry' | 'input' | 'want'>,
  used: UsedStore,
): { readonly value: T; readonly reads: readonly StoreRead<T>[] } | null {
  const want = { losses: false, outputs: false, updates: false };
  const input = (name: string): T => {
    throw new CompilerBug('walk', `an initial value reads the input ${name}`);
  };
  return new Walk({ ...options, entry: '', input, want }).initialOf(used);
}

class Walk<T, R> {
  /** How often what is walked now is written out: the product of the steps of the chains around it. */
  private stepsAround = 1;
  /** Expressions around the one that is walked. */
  private nested = 0;
  private readonly scope: Scope;
  private readonly algebra: Algebra<T, R>;
  private readonly calls: Calls<T, R>;
  private readonly stores: StoreReader<T, R>;
  private readonly effects: Effects<T, R>;
  private readonly obligations: Obligations;

  constructor(private readonly options: WalkOptions<T, R>) {
    this.scope = options.scope;
    this.algebra = options.algebra;
    this.calls = new Calls(options.scope, options.algebra, (body, frame) => this.block(body, frame));
    this.stores = new StoreReader(
      this.scope,
      this.algebra,
      this.calls,
      (expr, frame) => this.tensor(expr, frame),
      (p) => this.obligations.report(p),
    );
    this.obligations = new Obligations(options.report, options.require ?? (() => undefined));
    this.effects = new Effects(
      options.algebra,
      (id) => this.scope.spanOf(id),
      options.entry,
      (problem) => this.obligations.report(problem),
    );
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
      calledAt: null,
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
      const payload = type.type.kind === 'route' ? type.type.payload.map((a) => this.axis(a, frame)) : [];
      return { name, value: this.algebra.broadcast(item, axes, payload), type: type.type, axes };
    });
    const gathered = this.effects.gather();
    for (const clash of clashes(runValues(entry.span, types, results, gathered))) this.obligations.report(clash);
    return { results, ...gathered, reads: this.stores.reads };
  }

  initialOf(used: UsedStore): { readonly value: T; readonly reads: readonly StoreRead<T>[] } | null {
    const value = this.stores.initialOf(used);
    return value === null ? null : { value, reads: this.stores.reads };
  }

  private axis(variable: AxisVar, frame: StaticFrame): Axis {
    return this.scope.axis(variable, frame);
  }

  // --- blocks and statements ---------------------------------------------------------------------------------------

  private block(block: Block, frame: Frame<T, R>): WalkValue<T, R> {
    const required = new Requirements<T, R>(this.surroundings);
    /** What is told of the run, once all that the body requires is known. */
    const effects: (() => void)[] = [];
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
            const selection = this.stores.selectionOf(used, frame);
            this.scope.markUsed(used, [...selection.values()]);
            const value = this.stores.asStored(used, this.tensor(statement.value, frame), frame);
            const at = { span: statement.span, call: frame.calledAt };
            if (value !== null)
              effects.push(() => this.effects.update(used.store, selection, required.onTensor(value), at));
          }
          break;
        case 'loss':
          if (this.options.want.losses) {
            const value = this.tensor(statement.value, frame);
            effects.push(() => this.effects.loss(statement.name, required.onTensor(value), frame, statement.span));
          }
          break;
        case 'output':
          if (this.options.want.outputs) {
            const value = this.operand(statement.value, frame);
            const own = axesOfType(statement.value.type).map((a) => this.axis(a, frame));
            effects.push(() =>
              this.effects.output(
                statement.name,
                required.onOperand(value),
                statement.value.type,
                own,
                frame,
                statement.span,
              ),
            );
          }
          break;
        case 'require':
          required.add(statement.value, statement.message, frame, statement.span);
          break;
      }
    }
    const result = this.expression(block.result, frame);
    for (const effect of effects) effect();
    return required.on(result);
  }

  private get surroundings(): Surroundings<T, R> {
    return {
      algebra: this.algebra,
      report: (problem) => this.obligations.report(problem),
      isRun: this.options.require === undefined,
      static: (value, frame) => this.scope.static(value, frame),
      number: (value, frame) => this.scope.number(value, frame),
      tensor: (expr, frame) => this.tensor(expr, frame),
    };
  }

  private operand(expr: Expr, frame: Frame<T, R>): Operand<T, R> {
    return asOperand(this.expression(expr, frame));
  }

  private tensor(expr: Expr, frame: Frame<T, R>): T {
    const value = this.operand(expr, frame);
    if (value.kind !== 'tensor') throw new CompilerBug('walk', 'a route where a dense tensor is wanted');
    return value.value;
  }

  // --- expressions -------------------------------------------------------------------------------------------------

  /**
   * The value of an expression. Down the first operands it goes in a loop, so that a sum of thousands of terms, or as many steps of a
   * pipe, are a row and not a depth.
   */
  private expression(expr: Expr, frame: Frame<T, R>): WalkValue<T, R> {
    const around: (readonly [Expr, Expr])[] = [];
    let start = expr;
    for (let first = firstOf(start); first !== null; first = firstOf(start)) {
      around.push([start, first]);
      start = first;
    }
    const outside = this.nested;
    withinNesting(outside + 1, 'functions that are called', expr.span);
    this.nested = outside + 1;
    try {
      let value = this.started(start, frame);
      for (const [outer, first] of around.reverse()) value = this.continued(outer, value, first, frame);
      return value;
    } finally {
      this.nested = outside;
    }
  }

  /** An expression whose first operand has this value. */
  private continued(expr: Expr, first: WalkValue<T, R>, of: Expr, frame: Frame<T, R>): WalkValue<T, R> {
    switch (expr.kind) {
      case 'primitive':
        return this.primitive(expr, first, of, frame);
      case 'call':
        return this.calls.call(
          this.family(expr.callee, frame),
          expr.args.map((e) => (e === of ? asOperand(first) : this.operand(e, frame))),
          frame,
          expr.span,
          `${frame.place}/${expr.span.start}`,
        );
      case 'coerce':
        return this.coerced(first, expr.type, frame);
      case 'embed': {
        if (first.kind !== 'route') throw new CompilerBug('walk', 'only a route is embedded in a union');
        const axis = this.axis(expr.union, frame);
        const member = this.scope.unionLayout(axis).members[expr.part];
        if (member === undefined) throw new CompilerBug('walk', 'no such part');
        return { kind: 'route', value: this.algebra.embed(first.value, member.axes, axis, member.offset) };
      }
      default:
        throw new CompilerBug('walk', `a ${expr.kind} has no first operand`);
    }
  }

  /** An expression without operands, or whose operands are a matter of its own. */
  private started(expr: Expr, frame: Frame<T, R>): WalkValue<T, R> {
    switch (expr.kind) {
      case 'static': {
        const value = this.scope.static(expr.value, frame);
        const element = expr.type.kind === 'tuple' ? 'f32' : expr.type.element;
        if (value.kind === 'string') throw new CompilerBug('walk', 'a string where a tensor is wanted');
        if (value.kind === 'number' && element === 'i32') this.obligations.asI32(value.size, expr.span);
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
        return this.stores.readHere(used, frame);
      }
      case 'primitive':
        return this.primitive(expr, null, null, frame);
      case 'call':
        return this.calls.call(
          this.family(expr.callee, frame),
          [],
          frame,
          expr.span,
          `${frame.place}/${expr.span.start}`,
        );
      case 'tuple':
        return { kind: 'tuple', items: expr.items.map((item) => this.expression(item, frame)) };
      case 'if': {
        const condition = this.scope.static(expr.condition, frame);
        return this.block(condition.kind === 'bool' && condition.value ? expr.then : expr.else, frame);
      }
      case 'chain':
        return this.chain(expr, frame);
      case 'coerce':
      case 'embed':
        throw new CompilerBug('walk', `a ${expr.kind} of nothing`);
    }
  }

  private coerced(value: WalkValue<T, R>, type: ValueType, frame: Frame<T, R>): WalkValue<T, R> {
    return coerce(value, type, frame, this.algebra, (variable) => this.axis(variable, frame));
  }

  private chain(
    expr: ChainExpr & { readonly type: ValueType; readonly span: Span },
    frame: Frame<T, R>,
  ): WalkValue<T, R> {
    const axis = this.axis(expr.axis, frame);
    const steps = asInteger(axis.size);
    if (steps === null) throw new CompilerBug('walk', `chain over ${axis.name}, whose size is not constant`);
    let carried = expr.carries.map((c) => this.coerced(this.expression(c.start, frame), c.type, frame));
    const collected: Operand<T, R>[][] = expr.collecting.map(() => []);
    const around = this.stepsAround;
    this.stepsAround = withinLimit(
      around * Math.max(steps, 1),
      MOST_STEPS,
      `a chain over ${axis.name} is written out`,
      expr.span,
    );
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
        return this.coerced(item, c.type, frame);
      });
      expr.collecting.forEach((c, k) => {
        const item = step.locals.get(c.local);
        if (item === undefined || item.kind === 'tuple' || item.kind === 'family')
          throw new CompilerBug('walk', `nothing to collect as ${c.name}`);
        collected[k]?.push(item);
      });
    }
    this.stepsAround = around;
    const types = expr.type.kind === 'tuple' ? expr.type.items.map(({ type }) => type) : [expr.type];
    const all = [
      ...carried,
      ...collected.map((operands, k) => {
        const type = types[expr.carries.length + k];
        return operands.length === 0 && type !== undefined
          ? withoutPoints(type, this.algebra, (a) => this.axis(a, frame), expr.span)
          : stackOperands(operands, axis, this.algebra);
      }),
    ];
    const [only] = all;
    return all.length === 1 && only !== undefined ? only : { kind: 'tuple', items: all };
  }

  private primitive(
    expr: PrimitiveExpr & { readonly type: ValueType; readonly span: Span },
    first: WalkValue<T, R> | null,
    of: Expr | null,
    frame: Frame<T, R>,
  ): Operand<T, R> {
    const axes = new Map([...expr.axes].map(([name, vars]) => [name, vars.map((v) => this.axis(v, frame))]));
    const along = alongWhat(expr.name, axes);
    const args = new Map<string, Operand<T, R>>();
    for (const [name, e] of expr.args) {
      const value = asOperand(e === of && first !== null ? first : this.expression(e, frame));
      args.set(name, this.withAxes(value, e, along, frame));
    }
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

  /** A value that is the same along a family's axis may lack it: an operation that goes along the axis gets it repeated. */
  private withAxes(value: Operand<T, R>, expr: Expr, along: readonly Axis[], frame: Frame<T, R>): Operand<T, R> {
    if (along.length === 0 || expr.type.kind === 'tuple') return value;
    const has = axesOfOperand(value, this.algebra);
    const missing = axesOfType(expr.type)
      .map((a) => this.axis(a, frame))
      .filter((a) => along.includes(a) && !has.includes(a));
    if (missing.length === 0) return value;
    const payload = expr.type.kind === 'route' ? expr.type.payload.map((a) => this.axis(a, frame)) : [];
    return this.algebra.broadcast(value, [...missing, ...has], payload);
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
        return this.scope.families.select(this.family(expr.family, frame), axis, { kind: 'at', index: inside });
      }
      case 'window': {
        const axis = this.axis(expr.axis, frame);
        const as = this.axis(expr.as, frame);
        const [from, to] = [this.scope.integer(expr.from, frame), this.scope.integer(expr.to, frame)];
        const inside = this.obligations.range(axis, as, exact(from ?? 0), exact(to ?? 0), expr.span, this.where(frame));
        return this.scope.families.select(this.family(expr.family, frame), axis, {
          kind: 'window',
          from: inside ? (from ?? 0) : 0,
          as,
        });
      }
    }
  }
}

/** The axes that an operation goes along. A contraction knows what to do where one of its sides lacks an axis. */
function alongWhat(name: PrimitiveExpr['name'], axes: ReadonlyMap<string, readonly Axis[]>): readonly Axis[] {
  if (name === 'dot') return [];
  const looked = name === 'gather' ? (axes.get('axis') ?? []) : [];
  return [...(axes.get('over') ?? []), ...(axes.get('along') ?? []), ...looked];
}

/** The operand of an expression that is walked before all others of it. */
function firstOf(expr: Expr): Expr | null {
  switch (expr.kind) {
    case 'primitive':
      return expr.args.values().next().value ?? null;
    case 'call':
      return expr.args[0] ?? null;
    case 'coerce':
    case 'embed':
      return expr.value;
    default:
      return null;
  }
}

function asOperand<T, R>(value: WalkValue<T, R>): Operand<T, R> {
  if (value.kind === 'tuple' || value.kind === 'family')
    throw new CompilerBug('walk', `a ${value.kind} where a value is wanted`);
  return value;
}
