/**
 * Chains: a body instantiated once for each point of an axis, each step with what the one before gave. They are unrolled for every
 * executor, so their axis has a constant size, and there is a limit to what is written out.
 */
import type { AxisVar, Block, ChainExpr, Expr, ValueType } from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import type { Backend } from './backend.ts';
import type { Operand } from '../types/call.ts';
import type { Axis } from '../types/axis.ts';
import { withoutPoints } from './coerce.ts';
import { stackOperands, type Frame, type InstantiatedValue } from './frame.ts';
import { MAX_STEPS, withinLimit } from '../types/expansion-limits.ts';
import { asInteger } from '../types/size.ts';

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

  constructor(context: ChainContext<T, R>) {
    this.#context = context;
  }

  /** The value of a chain: what it carries in the end, then what it collected. */
  value(
    expr: ChainExpr & { readonly type: ValueType; readonly span: Span },
    frame: Frame<T, R>,
  ): InstantiatedValue<T, R> {
    const axis = this.#context.axis(expr.axis, frame);
    const steps = asInteger(axis.size);
    if (steps === null) throw new CompilerBug('instantiate', `chain over ${axis.name}, whose size is not constant`);
    let carried = expr.carries.map((c) =>
      this.#context.coerced(this.#context.expression(c.start, frame), c.type, frame),
    );
    const collected: Operand<T, R>[][] = expr.collecting.map(() => []);
    const around = this.#stepsAround;
    this.#stepsAround = withinLimit(
      around * Math.max(steps, 1),
      MAX_STEPS,
      `a chain over ${axis.name} is written out`,
      expr.span,
    );
    for (let i = 0; i < steps; i++) {
      const step: Frame<T, R> = {
        ...frame,
        indices: new Map([...frame.indices, [expr.index, i]]),
        locals: new Map(frame.locals),
        seedKey: `${frame.seedKey}/${expr.span.start}.${i}`,
      };
      expr.carries.forEach((c, k) => {
        const value = carried[k];
        if (value !== undefined) step.locals.set(c.local, value);
      });
      const value = this.#context.block(expr.body, step);
      const items = expr.carries.length === 1 || value.kind !== 'tuple' ? [value] : value.items;
      carried = expr.carries.map((c, k) => {
        const item = items[k];
        if (item === undefined) throw new CompilerBug('instantiate', 'a chain step gives too few values');
        return this.#context.coerced(item, c.type, frame);
      });
      expr.collecting.forEach((c, k) => {
        const item = step.locals.get(c.local);
        if (item === undefined || item.kind === 'tuple' || item.kind === 'family')
          throw new CompilerBug('instantiate', `nothing to collect as ${c.name}`);
        collected[k]?.push(item);
      });
    }
    this.#stepsAround = around;
    const types = expr.type.kind === 'tuple' ? expr.type.items.map(({ type }) => type) : [expr.type];
    const all = [
      ...carried,
      ...collected.map((operands, k) => {
        const type = types[expr.carries.length + k];
        return operands.length === 0 && type !== undefined
          ? withoutPoints(type, this.#context.backend, (a) => this.#context.axis(a, frame), expr.span)
          : stackOperands(operands, axis, this.#context.backend);
      }),
    ];
    const [only] = all;
    return all.length === 1 && only !== undefined ? only : { kind: 'tuple', items: all };
  }
}
