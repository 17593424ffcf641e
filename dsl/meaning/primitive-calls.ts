/** Calls of primitives: axes, numbers and operands made concrete, what they must satisfy noted, and the call handed to the backend. */
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
  readonly #backend: Backend<T, R>;
  readonly #sizeConstraints: SizeConstraints;

  constructor(scope: InstanceScope, backend: Backend<T, R>, sizeConstraints: SizeConstraints) {
    this.#scope = scope;
    this.#backend = backend;
    this.#sizeConstraints = sizeConstraints;
  }

  /** `operand` evaluates an argument. */
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
    const attributes = new Map<string, Size | boolean>();
    for (const [name, value] of expr.attributes) {
      const v = this.#scope.static(value, frame);
      if (v.kind === 'string') throw new CompilerBug('instantiate', `a string as ${name}`);
      attributes.set(name, v.kind === 'bool' ? v.value : v.size);
    }
    this.#partLayout(expr, axes, attributes);
    this.#sizeConstraints.primitive(expr, axes, attributes, () => this.#scope.where(frame));
    return this.#backend.primitive({
      name: expr.name,
      args,
      axes,
      attributes,
      element: expr.type.kind === 'tuple' ? 'f32' : expr.type.element,
      span: expr.span,
      batchAxes: frame.batchAxes,
      seedKey: `${frame.seedKey}/${expr.span.start}`,
    });
  }

  /** A value that is the same along a family's axis may lack it: an operation that goes along the axis gets it repeated. */
  #withAxes(value: Operand<T, R>, expr: Expr, along: readonly Axis[], frame: Frame<T, R>): Operand<T, R> {
    if (along.length === 0 || expr.type.kind === 'tuple') return value;
    const has = axesOfOperand(value, this.#backend);
    const missing = axesOfType(expr.type)
      .map((a) => this.#scope.axis(a, frame))
      .filter((a) => along.includes(a) && !has.includes(a));
    if (missing.length === 0) return value;
    const payload = expr.type.kind === 'route' ? expr.type.payload.map((a) => this.#scope.axis(a, frame)) : [];
    return this.#backend.broadcast(value, [...missing, ...has], payload);
  }

  /** `part` and `is` name a member of a union: here it becomes a range of the union's axis. */
  #partLayout(
    expr: PrimitiveExpr,
    axes: ReadonlyMap<string, readonly Axis[]>,
    attributes: Map<string, Size | boolean>,
  ): void {
    if (expr.name !== 'part' && expr.name !== 'is') return;
    const union = axes.get('axis')?.[0];
    const part = attributes.get('part');
    const index = part === undefined || typeof part === 'boolean' ? null : asInteger(part);
    if (union === undefined || index === null) throw new CompilerBug('instantiate', `${expr.name} without a part`);
    const member = this.#scope.unionLayout(union).members[index];
    if (member === undefined) throw new CompilerBug('instantiate', 'no such part');
    attributes.set('offset', member.offset);
    attributes.set('length', member.length);
  }
}

/** The axes that an operation goes along. A contraction knows what to do where one of its sides lacks an axis. */
function alongWhat(name: PrimitiveExpr['name'], axes: ReadonlyMap<string, readonly Axis[]>): readonly Axis[] {
  if (name === 'dot') return [];
  const looked = name === 'gather' ? (axes.get('axis') ?? []) : [];
  return [...(axes.get('over') ?? []), ...(axes.get('along') ?? []), ...looked];
}
