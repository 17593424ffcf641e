/**
 * Instantiation: what the structure of a program means, once for every executor. It enters an entry, resolves instances,
 * families, windows and unions, binds arguments, sets carried axes apart, unrolls chains, takes the live side of every
 * `if`, and hands each operation with concrete axes to a backend (backend.ts). Losses, outputs and updates are
 * gathered by path. Size constraints are decided here, with spans: a failing one is reported once per place.
 *
 * Source: SEMANTICS 5.1, 5.2, 5.5, 5.6, 5.7 and 5.10; tagless interpretation (Carette, Kiselyov, Shan 2009) for the backend.
 */
import type { AxisVar, Block, Expr, PrimitiveExpr, Program, TensorType, ValueType } from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Diagnostic, Span } from '../diagnostics/diagnostic.ts';
import type { Backend } from './backend.ts';
import type { Operand } from '../types/call.ts';
import type { Axis } from '../types/axis.ts';
import { Calls } from './calls.ts';
import { Chains, onlyValues } from './chains.ts';
import { coerce } from './coerce.ts';
import { Effects, type GatheredState, type GatheredValue } from './effects.ts';
import { axesOfType } from '../types/axes.ts';
import { familyOf } from './family-exprs.ts';
import { asOperand, type Frame, type InstantiatedValue } from './frame.ts';
import type { UsedVariable } from './instances.ts';
import { SizeConstraints, type SizeConstraint } from './size-constraints.ts';
import { clashes, runValues } from './run-names.ts';
import { PrimitiveCalls } from './primitive-calls.ts';
import { Requirements, type Surroundings } from './requirements.ts';
import type { InstanceScope, StaticFrame } from './instance-scope.ts';
import { VariableReader, type VariableRead } from './variable-reader.ts';
import { withinNesting } from '../types/expansion-limits.ts';

export interface InstantiateOptions<T, R> {
  readonly program: Program;
  readonly scope: InstanceScope;
  readonly backend: Backend<T, R>;
  readonly entry: string;
  /** The value of an entry's formal. */
  readonly input: (name: string, type: TensorType, axes: readonly Axis[], within: Axis | null) => T;
  /** Which auxiliary results are evaluated. */
  readonly want: { readonly losses: boolean; readonly outputs: boolean; readonly updates: boolean };
  readonly report: (problem: Diagnostic) => void;
  /** Told of what the sizes of a run must satisfy. */
  readonly require?: (condition: SizeConstraint) => void;
}

export interface InstantiatedResult<T, R> {
  readonly name: string;
  readonly value: Operand<T, R>;
  readonly type: ValueType;
  /** Axes in the written order; for a route sources, targets and payload in order. */
  readonly axes: readonly Axis[];
}

export interface InstantiatedEntry<T, R> {
  readonly results: readonly InstantiatedResult<T, R>[];
  readonly losses: readonly GatheredValue<T, R>[];
  readonly outputs: readonly GatheredValue<T, R>[];
  readonly updates: readonly GatheredState<T>[];
  /** Every reading of a variable; only what is made of instantiation knows which of them count (`Scope.markUsed`). */
  readonly reads: readonly VariableRead<T>[];
}

/** Instantiates one entry. Mistakes (sizes that do not fit, ranges that leave an axis) go to `report`; instantiation goes on where it can. */
export function instantiateEntry<T, R>(options: InstantiateOptions<T, R>): InstantiatedEntry<T, R> {
  return new Instantiation(options).run();
}

/** The value of a variable's initialiser over its family's and declared axes, or null when it has none. */
export function instantiateInitial<T, R>(
  options: Omit<InstantiateOptions<T, R>, 'entry' | 'input' | 'want'>,
  used: UsedVariable,
): { readonly value: T; readonly reads: readonly VariableRead<T>[] } | null {
  const want = { losses: false, outputs: false, updates: false };
  const input = (name: string): T => {
    throw new CompilerBug('instantiate', `an initial value reads the input ${name}`);
  };
  return new Instantiation({ ...options, entry: '', input, want }).initialOf(used);
}

class Instantiation<T, R> {
  readonly #options: InstantiateOptions<T, R>;
  /** Expressions around the one that is evaluated. */
  #nested = 0;
  readonly #scope: InstanceScope;
  readonly #backend: Backend<T, R>;
  readonly #calls: Calls<T, R>;
  readonly #variables: VariableReader<T, R>;
  readonly #effects: Effects<T, R>;
  readonly #sizeConstraints: SizeConstraints;
  readonly #primitives: PrimitiveCalls<T, R>;
  readonly #chains: Chains<T, R>;

  constructor(options: InstantiateOptions<T, R>) {
    this.#options = options;

    this.#scope = options.scope;
    this.#backend = options.backend;
    this.#calls = new Calls(options.scope, options.backend, (body, frame) => this.#block(body, frame));
    this.#variables = new VariableReader(
      this.#scope,
      this.#backend,
      this.#calls,
      (expr, frame) => this.#tensor(expr, frame),
      (p) => this.#sizeConstraints.report(p),
    );
    this.#sizeConstraints = new SizeConstraints(options.report, options.require ?? (() => undefined));
    this.#primitives = new PrimitiveCalls(this.#scope, this.#backend, this.#sizeConstraints);
    this.#chains = new Chains({
      backend: this.#backend,
      axis: (variable, frame) => this.#axis(variable, frame),
      expression: (expr, frame) => this.#expression(expr, frame),
      block: (block, frame) => this.#block(block, frame),
      coerced: (value, type, frame) => this.#coerced(value, type, frame),
    });
    this.#effects = new Effects(
      options.backend,
      (id) => this.#scope.spanOf(id),
      options.entry,
      (problem) => this.#sizeConstraints.report(problem),
    );
  }

  run(): InstantiatedEntry<T, R> {
    const entry = this.#options.program.entries.find((e) => e.name === this.#options.entry);
    if (entry === undefined) throw new CompilerBug('instantiate', `no entry ${this.#options.entry}`);
    const instance = this.#scope.entryInstance(entry);
    const frame: Frame<T, R> = {
      instance,
      selection: new Map(),
      indices: new Map(),
      locals: new Map(),
      batchAxes: [],
      routes: [],
      restore: new Map(),
      seedKey: entry.name,
      calledAt: null,
    };
    for (const formal of entry.formals) {
      if (formal.type.kind !== 'tensor')
        throw new CompilerBug('instantiate', `entry ${entry.name} takes a ${formal.type.kind}`);
      const axes = formal.type.axes.map((a) => this.#axis(a, frame));
      const within = formal.type.within === undefined ? null : this.#axis(formal.type.within, frame);
      frame.locals.set(formal.local, {
        kind: 'tensor',
        value: this.#options.input(formal.name, formal.type, axes, within),
      });
    }
    if (entry.body === null) throw new CompilerBug('instantiate', 'an entry without a body');
    const value = this.#block(entry.body, frame);
    const items = value.kind === 'tuple' ? value.items : [value];
    const types = entry.result.kind === 'tuple' ? entry.result.items : [{ type: entry.result }];
    const results = items.map((item, i): InstantiatedResult<T, R> => {
      const type = types[i];
      if (type === undefined || item.kind === 'tuple' || item.kind === 'family')
        throw new CompilerBug('instantiate', 'entry result');
      const name = 'name' in type && type.name !== undefined ? type.name : types.length === 1 ? 'output' : `output${i}`;
      const axes = axesOfType(type.type).map((a) => this.#axis(a, frame));
      const payload = type.type.kind === 'route' ? type.type.payload.map((a) => this.#axis(a, frame)) : [];
      return { name, value: this.#backend.broadcast(item, axes, payload), type: type.type, axes };
    });
    const gathered = this.#effects.gather();
    for (const clash of clashes(runValues(entry.span, types, results, gathered))) this.#sizeConstraints.report(clash);
    return { results, ...gathered, reads: this.#variables.reads };
  }

  initialOf(used: UsedVariable): { readonly value: T; readonly reads: readonly VariableRead<T>[] } | null {
    const value = this.#variables.initialOf(used);
    return value === null ? null : { value, reads: this.#variables.reads };
  }

  #axis(variable: AxisVar, frame: StaticFrame): Axis {
    return this.#scope.axis(variable, frame);
  }

  // --- blocks and statements ---------------------------------------------------------------------------------------

  #block(block: Block, frame: Frame<T, R>): InstantiatedValue<T, R> {
    const required = new Requirements<T, R>(this.#surroundings);
    /** What is told of the run, once all that the body requires is known. */
    const effects: (() => void)[] = [];
    for (const statement of block.statements) {
      if (this.#chains.folding) onlyValues(statement);
      switch (statement.kind) {
        case 'let': {
          const value = this.#expression(statement.value, frame);
          const items = statement.locals.length === 1 || value.kind !== 'tuple' ? [value] : value.items;
          statement.locals.forEach((local, i) => {
            const item = items[i];
            if (local !== null && item !== undefined) frame.locals.set(local, item);
          });
          break;
        }
        case 'let_family':
          frame.locals.set(statement.local, {
            kind: 'family',
            family: familyOf(statement.family, frame, this.#scope, this.#sizeConstraints),
          });
          break;
        case 'update':
          if (this.#options.want.updates) {
            const used = this.#scope.variable(statement.state, [], frame);
            const selection = this.#variables.selectionOf(used, frame);
            this.#scope.markUsed(used, [...selection.values()]);
            const value = this.#variables.asStored(used, this.#tensor(statement.value, frame), frame);
            const at = { span: statement.span, call: frame.calledAt };
            if (value !== null)
              effects.push(() => this.#effects.update(used.variable, selection, required.onTensor(value), at));
          }
          break;
        case 'loss':
          if (this.#options.want.losses) {
            const value = this.#tensor(statement.value, frame);
            effects.push(() => this.#effects.loss(statement.name, required.onTensor(value), frame, statement.span));
          }
          break;
        case 'output':
          if (this.#options.want.outputs) {
            const value = this.#operand(statement.value, frame);
            const own = axesOfType(statement.value.type).map((a) => this.#axis(a, frame));
            effects.push(() =>
              this.#effects.output(
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
    const result = this.#expression(block.result, frame);
    for (const effect of effects) effect();
    return required.on(result);
  }

  get #surroundings(): Surroundings<T, R> {
    return {
      backend: this.#backend,
      report: (problem) => this.#sizeConstraints.report(problem),
      isRun: this.#options.require === undefined,
      static: (value, frame) => this.#scope.static(value, frame),
      number: (value, frame) => this.#scope.number(value, frame),
      tensor: (expr, frame) => this.#tensor(expr, frame),
    };
  }

  #operand(expr: Expr, frame: Frame<T, R>): Operand<T, R> {
    return asOperand(this.#expression(expr, frame));
  }

  #tensor(expr: Expr, frame: Frame<T, R>): T {
    const value = this.#operand(expr, frame);
    if (value.kind !== 'tensor') throw new CompilerBug('instantiate', 'a route where a dense tensor is wanted');
    return value.value;
  }

  // --- expressions -------------------------------------------------------------------------------------------------

  /**
   * The value of an expression. Down the first operands it goes in a loop, so that a sum of thousands of terms, or as many steps of a
   * pipe, are a row and not a depth.
   */
  #expression(expr: Expr, frame: Frame<T, R>): InstantiatedValue<T, R> {
    const around: (readonly [Expr, Expr])[] = [];
    let start = expr;
    for (let first = firstOf(start); first !== null; first = firstOf(start)) {
      around.push([start, first]);
      start = first;
    }
    const outside = this.#nested;
    withinNesting(outside + 1, 'functions that are called', expr.span);
    this.#nested = outside + 1;
    try {
      let value = this.#started(start, frame);
      for (const [outer, first] of around.reverse()) value = this.#continued(outer, value, first, frame);
      return value;
    } finally {
      this.#nested = outside;
    }
  }

  /** An expression whose first operand has this value. */
  #continued(expr: Expr, first: InstantiatedValue<T, R>, of: Expr, frame: Frame<T, R>): InstantiatedValue<T, R> {
    switch (expr.kind) {
      case 'primitive':
        return this.#primitive(expr, first, of, frame);
      case 'call':
        return this.#calls.call(
          familyOf(expr.callee, frame, this.#scope, this.#sizeConstraints),
          expr.args.map((e) => (e === of ? asOperand(first) : this.#operand(e, frame))),
          frame,
          expr.span,
          `${frame.seedKey}/${expr.span.start}`,
        );
      case 'coerce':
        return this.#coerced(first, expr.type, frame);
      case 'embed': {
        if (first.kind !== 'route') throw new CompilerBug('instantiate', 'only a route is embedded in a union');
        const axis = this.#axis(expr.union, frame);
        const member = this.#scope.unionLayout(axis).members[expr.part];
        if (member === undefined) throw new CompilerBug('instantiate', 'no such part');
        return { kind: 'route', value: this.#backend.embed(first.value, member.axes, axis, member.offset) };
      }
      default:
        throw new CompilerBug('instantiate', `a ${expr.kind} has no first operand`);
    }
  }

  /** An expression without operands, or whose operands are a matter of its own. */
  #started(expr: Expr, frame: Frame<T, R>): InstantiatedValue<T, R> {
    switch (expr.kind) {
      case 'static': {
        const value = this.#scope.static(expr.value, frame);
        const element = expr.type.kind === 'tuple' ? 'f32' : expr.type.element;
        if (value.kind === 'string') throw new CompilerBug('instantiate', 'a string where a tensor is wanted');
        if (value.kind === 'number' && element === 'i32') this.#sizeConstraints.asI32(value.size, expr.span);
        return {
          kind: 'tensor',
          value: this.#backend.scalar(value.kind === 'bool' ? value.value : value.size, element),
        };
      }
      case 'local': {
        const value = frame.locals.get(expr.local);
        if (value === undefined) throw new CompilerBug('instantiate', `local ${expr.name} has no value`);
        return value;
      }
      case 'variable': {
        const used = this.#scope.variable(expr.decl, expr.via, frame);
        return this.#variables.readHere(used, frame);
      }
      case 'primitive':
        return this.#primitive(expr, null, null, frame);
      case 'call':
        return this.#calls.call(
          familyOf(expr.callee, frame, this.#scope, this.#sizeConstraints),
          [],
          frame,
          expr.span,
          `${frame.seedKey}/${expr.span.start}`,
        );
      case 'tuple':
        return { kind: 'tuple', items: expr.items.map((item) => this.#expression(item, frame)) };
      case 'if': {
        const condition = this.#scope.static(expr.condition, frame);
        return this.#block(condition.kind === 'bool' && condition.value ? expr.then : expr.else, frame);
      }
      case 'chain':
        return this.#chains.value(expr, frame);
      case 'coerce':
      case 'embed':
        throw new CompilerBug('instantiate', `a ${expr.kind} of nothing`);
    }
  }

  #coerced(value: InstantiatedValue<T, R>, type: ValueType, frame: Frame<T, R>): InstantiatedValue<T, R> {
    return coerce(value, type, frame, this.#backend, (variable) => this.#axis(variable, frame));
  }

  #primitive(
    expr: PrimitiveExpr & { readonly type: ValueType; readonly span: Span },
    first: InstantiatedValue<T, R> | null,
    of: Expr | null,
    frame: Frame<T, R>,
  ): Operand<T, R> {
    const instantiated = (e: Expr): InstantiatedValue<T, R> =>
      e === of && first !== null ? first : this.#expression(e, frame);
    return this.#primitives.call(expr, (e) => asOperand(instantiated(e)), frame);
  }
}

/** The operand of an expression that is evaluated before all others of it. */
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
