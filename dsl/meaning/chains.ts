/**
 * Chains: a body instantiated once for each point of an axis, each step with what the one before gave. Over a static axis they are
 * unrolled for every executor, and there is a limit to what is written out. Over an axis whose size a run decides the body is
 * instantiated once, and how often it is done is the backend's matter; an executor that runs while it instantiates takes the steps one
 * by one.
 */
import type { AxisVar, Block, ChainExpr, Expr, ValueType } from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import { diagnostic, type Span } from '../diagnostics/diagnostic.ts';
import type { Backend } from './backend.ts';
import type { Operand } from '../types/call.ts';
import type { Axis } from '../types/axis.ts';
import { withoutPoints } from './coerce.ts';
import { stackOperands, type Frame, type InstantiatedValue } from './frame.ts';
import { MAX_STEPS, TooMuch, withinLimit } from '../types/expansion-limits.ts';
import { asInteger, exact } from '../types/size.ts';

/** What a chain needs of instantiation. */
export interface ChainContext<T, R> {
  readonly backend: Backend<T, R>;
  axis(variable: AxisVar, frame: Frame<T, R>): Axis;
  expression(expr: Expr, frame: Frame<T, R>): InstantiatedValue<T, R>;
  block(block: Block, frame: Frame<T, R>): InstantiatedValue<T, R>;
  coerced(value: InstantiatedValue<T, R>, type: ValueType, frame: Frame<T, R>): InstantiatedValue<T, R>;
}

export class Chains<T, R> {
  readonly #context: ChainContext<T, R>;
  /** How often what is instantiated now is written out: the product of the steps of the chains around it. */
  #stepsAround = 1;
  #folding = 0;

  constructor(context: ChainContext<T, R>) {
    this.#context = context;
  }

  /** Whether what is instantiated now stands in a step that is not written out. */
  get folding(): boolean {
    return this.#folding > 0;
  }

  /** The value of a chain: what it carries in the end, then what it collected. */
  value(expr: Chain, frame: Frame<T, R>): InstantiatedValue<T, R> {
    const axis = this.#context.axis(expr.axis, frame);
    const starts = expr.carries.map((c) =>
      this.#context.coerced(this.#context.expression(c.start, frame), c.type, frame),
    );
    const all =
      expr.step === null ? this.#unrolled(expr, frame, axis, starts) : this.#folded(expr, frame, axis, starts);
    const [only] = all;
    return all.length === 1 && only !== undefined ? only : { kind: 'tuple', items: all };
  }

  #unrolled(expr: Chain, frame: Frame<T, R>, axis: Axis, starts: readonly InstantiatedValue<T, R>[]): Values<T, R> {
    const steps = this.#stepsOf(axis);
    const around = this.#stepsAround;
    this.#stepsAround = withinLimit(
      around * Math.max(steps, 1),
      MAX_STEPS,
      `a chain over ${axis.name} is written out`,
      expr.span,
    );
    const all = this.#oneByOne(expr, frame, axis, starts);
    this.#stepsAround = around;
    return all;
  }

  /** Over an axis of a run: as one operation of the backend, or step by step where the run is under way. */
  #folded(expr: Chain, frame: Frame<T, R>, axis: Axis, starts: readonly InstantiatedValue<T, R>[]): Values<T, R> {
    const { backend } = this.#context;
    this.#folding++;
    try {
      if (backend.fold === undefined) return this.#oneByOne(expr, frame, axis, starts);
      const { carried, collected } = backend.fold({
        axis,
        starts: starts.map(tensorOf),
        step: (number, now) => {
          const step = this.#step(expr, frame, 0, number, now.map(asTensor));
          return { carried: step.carried.map(tensorOf), collected: step.collected.map(tensorOf) };
        },
        span: expr.span,
      });
      return [...carried, ...collected].map(asTensor);
    } finally {
      this.#folding--;
    }
  }

  #oneByOne(expr: Chain, frame: Frame<T, R>, axis: Axis, starts: readonly InstantiatedValue<T, R>[]): Values<T, R> {
    const { backend } = this.#context;
    const steps = this.#stepsOf(axis);
    let carried = starts;
    const gathered: Operand<T, R>[][] = expr.collecting.map(() => []);
    for (let i = 0; i < steps; i++) {
      const number = expr.step === null ? null : backend.scalar(exact(i), 'i32');
      const step = this.#step(expr, frame, i, number, carried);
      carried = step.carried;
      step.collected.forEach((item, k) => gathered[k]?.push(item));
    }
    const types = expr.type.kind === 'tuple' ? expr.type.items.map(({ type }) => type) : [expr.type];
    const collected = gathered.map((operands, k) => {
      const type = types[expr.carries.length + k];
      return operands.length === 0 && type !== undefined
        ? withoutPoints(type, backend, (a) => this.#context.axis(a, frame), expr.span)
        : stackOperands(operands, axis, backend);
    });
    return [...carried, ...collected];
  }

  /** One step: what it carries on, and what is collected of it. */
  #step(expr: Chain, frame: Frame<T, R>, index: number, number: T | null, carried: Values<T, R>): Step<T, R> {
    const step: Frame<T, R> = {
      ...frame,
      indices: new Map([...frame.indices, [expr.index, index]]),
      locals: new Map(frame.locals),
      seedKey: `${frame.seedKey}/${expr.span.start}.${index}`,
    };
    if (expr.step !== null && number !== null) step.locals.set(expr.step, { kind: 'tensor', value: number });
    expr.carries.forEach((c, k) => {
      const value = carried[k];
      if (value !== undefined) step.locals.set(c.local, value);
    });
    const value = this.#context.block(expr.body, step);
    const items = expr.carries.length === 1 || value.kind !== 'tuple' ? [value] : value.items;
    const next = expr.carries.map((c, k) => {
      const item = items[k];
      if (item === undefined) throw new CompilerBug('instantiate', 'a chain step gives too few values');
      return this.#context.coerced(item, c.type, frame);
    });
    const collected = expr.collecting.map((c) => {
      const item = step.locals.get(c.local);
      if (item === undefined || item.kind === 'tuple' || item.kind === 'family')
        throw new CompilerBug('instantiate', `nothing to collect as ${c.name}`);
      return item;
    });
    return { carried: next, collected };
  }

  #stepsOf(axis: Axis): number {
    const steps = asInteger(axis.size);
    if (steps === null) throw new CompilerBug('instantiate', `chain over ${axis.name}, whose size is not constant`);
    return steps;
  }
}

type Chain = ChainExpr & { readonly type: ValueType; readonly span: Span };
type Values<T, R> = readonly InstantiatedValue<T, R>[];

interface Step<T, R> {
  readonly carried: Values<T, R>;
  readonly collected: readonly Operand<T, R>[];
}

function asTensor<T>(value: T): { readonly kind: 'tensor'; readonly value: T } {
  return { kind: 'tensor', value };
}

/** What a chain over a dynamic axis carries and collects is dense: the checker has seen to it. */
function tensorOf<T, R>(value: InstantiatedValue<T, R>): T {
  if (value.kind !== 'tensor') throw new CompilerBug('instantiate', `a fold carries a ${value.kind}`);
  return value.value;
}

/** Steps that are not written out give values and nothing else: what is told of a run, and what it checks, is written out. */
export function onlyValues(statement: Block['statements'][number]): void {
  if (statement.kind === 'let' || statement.kind === 'let_family') return;
  throw new TooMuch(
    diagnostic('MOE0326', {
      span: statement.span,
      message: `a step of a chain whose axis has its size from the run cannot have \`${statement.kind}\`: its steps are not written out`,
      help:
        statement.kind === 'require'
          ? 'require it outside of the chain, of all steps at once, or give the axis of the chain a size'
          : `collect the value, and let the ${statement.kind} stand behind the chain, or give the axis of the chain a size`,
    }),
  );
}
