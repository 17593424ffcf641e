/**
 * What to write where `a @ b` share several axes: which of them is meant cannot be known, but the sensible one can be guessed, the
 * axis over which a side was just normalised or which a family of functions added, and the others have to meet or to become twins.
 */
import type * as ast from '../syntax/ast.ts';
import { axesOfType, hasAxis, sharedAxes } from '../types/axes.ts';
import type { Context } from './context.ts';
import { asOperand, shown } from './foreign-idioms.ts';
import type { AxisVar, Expr } from '../types/program.ts';
import { listAxes } from './types.ts';

/** Normalised over an axis, so that a sum over it is a weighted mean. */
const normalised: ReadonlySet<string> = new Set(['softmax', 'l2norm', 'one_hot']);

export function contractionHelp(cx: Context, expr: ast.Dot, left: Expr, right: Expr): string {
  const shared = sharedAxes(axesOfType(left.type), axesOfType(right.type));
  const axis = sensibleAxis(cx, shared, left, right);
  if (axis === undefined) return 'dot(a, b, over: …) contracts the axes it is given';
  const [a, b] = [shown(expr.left), shown(expr.right)];
  const others = shared.filter((s) => !(s.axis === axis.axis && s.primes === axis.primes));
  const meet = `\`dot(${a}, ${b}, over: ${cx.nameOf(axis)})\` contracts ${cx.nameOf(axis)} and meets ${listAxes(others, cx.nameOf)} by name`;
  const [other] = others;
  if (other === undefined) return meet;
  const name = cx.nameOf(other);
  const pairs = others.map((o) => `${cx.nameOf(o)}: ${cx.nameOf(o)}'`).join(', ');
  return `${meet}; for every pair of two points of ${name}, the second becomes a twin: \`${asOperand(a)} @ rename(${b}, ${pairs})\``;
}

function sensibleAxis(cx: Context, shared: readonly AxisVar[], left: Expr, right: Expr): AxisVar | undefined {
  const over = [left, right].flatMap((side) => normalisedOver(cx, side)).filter((axis) => hasAxis(shared, axis));
  if (over[0] !== undefined) return over[0];
  const added = [left, right].flatMap((side) => familyAxes(cx, side)).filter((axis) => hasAxis(shared, axis));
  if (added[0] !== undefined) return added[0];
  // Features stand last and have a size of their own; tokens stand first and have that of the run.
  const inOrder = axesOfType(left.type).filter((axis) => hasAxis(shared, axis));
  return inOrder.findLast((axis) => !cx.isDynamic(axis.axis)) ?? inOrder.at(-1);
}

/** The expression behind names and changes of order. */
export function behind(cx: Context, expr: Expr): Expr {
  let value = expr;
  for (;;) {
    const next = value.kind === 'coerce' ? value.value : value.kind === 'local' ? cx.bound.get(value.local) : undefined;
    if (next === undefined) return value;
    value = next;
  }
}

function normalisedOver(cx: Context, side: Expr): readonly AxisVar[] {
  const expr = behind(cx, side);
  return expr.kind === 'primitive' && normalised.has(expr.name) ? (expr.axes.get('over') ?? []) : [];
}

/** The axes of a call's result that none of its arguments has: those of the family, and the ones it makes. */
function familyAxes(cx: Context, side: Expr): readonly AxisVar[] {
  const expr = behind(cx, side);
  if (expr.kind !== 'call') return [];
  const given = expr.args.flatMap((arg) => axesOfType(arg.type));
  return axesOfType(expr.type).filter((axis) => !hasAxis(given, axis));
}
