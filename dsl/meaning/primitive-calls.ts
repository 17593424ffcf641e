/** Calls of primitives: axes, numbers and operands made concrete, what they must satisfy noted, and the call handed to the algebra. */
import { axesOfType } from '../types/axes.ts';
import type { Expr, PrimitiveExpr, ValueType } from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import type { Backend } from './backend.ts';
import type { Operand } from '../types/call.ts';
import type { Axis } from '../types/axis.ts';
import { axesOfOperand, type Frame } from './frame.ts';
import type { SizeConstraints } from './size-constraints.ts';
import type { InstanceScope } from './instance-scope.ts';
import { asInteger, type Size } from '../types/size.ts';

export class PrimitiveCalls<T, R> {
  readonly #scope: InstanceScope;
  readonly #algebra: Backend<T, R>;
  readonly #obligations: SizeConstraints;

  constructor(scope: InstanceScope, algebra: Backend<T, R>, obligations: SizeConstraints) {
    this.#scope = scope;
    this.#algebra = algebra;
    this.#obligations = obligations;
  }

  /** `operand` walks an argument. */
  call(
    expr: PrimitiveExpr & { readonly type: ValueType; readonly span: Span },
    operand: (expr: Expr) => Operand<T, R>,
    frame: Frame<T, R>,
  ): Operand<T, R> {
    const axes = new Map([...expr.axes].map(([name, vars]) => [name, vars.map((v) => this.#scope.axis(v, frame))]));
    const along = alongWhat(expr.name, axes);
    const args = new Map<string, Operand<T, R>>();
    for (const [name, e] of expr.args) {
      args.set(name, this.#withAxes(operand(e), e, along, frame));
    }
    const statics = new Map<string, Size | boolean>();
    for (const [name, value] of expr.statics) {
      const v = this.#scope.static(value, frame);
      if (v.kind === 'string') throw new CompilerBug('walk', `a string as ${name}`);
      statics.set(name, v.kind === 'bool' ? v.value : v.size);
    }
    this.#partLayout(expr, axes, statics);
    this.#obligations.primitive(expr, axes, statics, () => this.#scope.where(frame));
    return this.#algebra.primitive({
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
  #withAxes(value: Operand<T, R>, expr: Expr, along: readonly Axis[], frame: Frame<T, R>): Operand<T, R> {
    if (along.length === 0 || expr.type.kind === 'tuple') return value;
    const has = axesOfOperand(value, this.#algebra);
    const missing = axesOfType(expr.type)
      .map((a) => this.#scope.axis(a, frame))
      .filter((a) => along.includes(a) && !has.includes(a));
    if (missing.length === 0) return value;
    const payload = expr.type.kind === 'route' ? expr.type.payload.map((a) => this.#scope.axis(a, frame)) : [];
    return this.#algebra.broadcast(value, [...missing, ...has], payload);
  }

  /** `part` and `is` name a member of a union: here it becomes a range of the union's axis. */
  #partLayout(
    expr: PrimitiveExpr,
    axes: ReadonlyMap<string, readonly Axis[]>,
    statics: Map<string, Size | boolean>,
  ): void {
    if (expr.name !== 'part' && expr.name !== 'is') return;
    const union = axes.get('axis')?.[0];
    const part = statics.get('part');
    const index = part === undefined || typeof part === 'boolean' ? null : asInteger(part);
    if (union === undefined || index === null) throw new CompilerBug('walk', `${expr.name} without a part`);
    const member = this.#scope.unionLayout(union).members[index];
    if (member === undefined) throw new CompilerBug('walk', 'no such part');
    statics.set('offset', member.offset);
    statics.set('length', member.length);
  }
}

/** The axes that an operation goes along. A contraction knows what to do where one of its sides lacks an axis. */
function alongWhat(name: PrimitiveExpr['name'], axes: ReadonlyMap<string, readonly Axis[]>): readonly Axis[] {
  if (name === 'dot') return [];
  const looked = name === 'gather' ? (axes.get('axis') ?? []) : [];
  return [...(axes.get('over') ?? []), ...(axes.get('along') ?? []), ...looked];
}
