/**
 * The typing of primitives that replace axes of a value by others and move nothing else: each axis in its place and,
 * in a route, in its role (source, target, payload).
 */
import type { AxisVar } from '../types/program.ts';
import { axesOfType, hasAxis, sameAxis, withoutAxes } from '../types/axes.ts';
import type { Inferred, TypeCall, TypeProblem } from './primitive.ts';
import { distinct, fresh, format, substituteAxes, type Computable } from './operand-typing.ts';

/** `from` axes (which the value must have) become `to`, at the place of the first of them. */
export function replaceAxes(
  call: TypeCall,
  x: Computable,
  from: readonly AxisVar[],
  to: readonly AxisVar[],
  named: { readonly from: string; readonly to: string },
): Inferred | TypeProblem {
  const problem = hasAll(call, x, from, named.from) ?? distinct(call, to, named.to);
  if (problem !== null) return problem;
  const rest = withoutAxes(axesOfType(x), from);
  for (const axis of to) {
    const taken = fresh(call, axis, rest, 'this value', named.to);
    if (taken !== null) return taken;
  }
  const first = axesOfType(x).find((axis) => hasAxis(from, axis));
  const type = substituteAxes(x, (axis) => {
    if (first !== undefined && sameAxis(axis, first)) return to;
    return hasAxis(from, axis) ? [] : [axis];
  });
  return withTargets(call, type, x, from);
}

export function hasAll(call: TypeCall, x: Computable, axes: readonly AxisVar[], named: string): TypeProblem | null {
  const missing = axes.find((axis) => !hasAxis(axesOfType(x), axis));
  if (missing === undefined) return distinct(call, axes, named);
  return { code: 'MOE0332', message: `${format(call, x)} has no axis ${call.nameOf(missing)}`, at: named };
}

/** A route that lost its last target is no route. */
function withTargets(
  call: TypeCall,
  type: Computable,
  before: Computable,
  gone: readonly AxisVar[],
): Inferred | TypeProblem {
  if (type.kind !== 'route' || type.targets.length > 0) return { type };
  const name = gone.map((axis) => call.nameOf(axis)).join(', ');
  return {
    code: 'MOE0437',
    message: `${format(call, before)} without ${name} would have no target left`,
    at: 'x',
    help: `the weighted sum of what is chosen is \`r @ ffn(x)\`, which runs no other expert; keep(r, iota(${name}) == …) leaves one target`,
  };
}
