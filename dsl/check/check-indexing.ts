/**
 * `x[T: 0]`, `x[T: a .. b as S]`, `t[V: ids]`, `v[P: part]`, `ffn[l]`, and `normal[E, D]`, which only looks like an index.
 *
 * The axis may be left out where the index says it: static indices of exactly one axis occur in it.
 */
import type * as ast from '../syntax/ast.ts';
import { axesOfType } from '../types/axes.ts';
import { primitivesNamed } from '../primitives/primitive-table.ts';
import type { Context } from './context.ts';
import { windowFamily, sliceFamily } from './check-families.ts';
import { shown } from './foreign-idioms.ts';
import { resolveAxis, resolveAxisName } from './lookup.ts';
import { applyPrimitive } from './check-primitive-calls.ts';
import type { AxisVar, Static } from '../types/program.ts';
import { errorValue, type ExprContext, type CheckedValue } from './name-scope.ts';
import { indexedAxes } from './check-statics.ts';
import { formatType, listAxes } from './types.ts';
import { partNamed } from './unions.ts';

export function checkIndex(cx: Context, env: ExprContext, expr: ast.IndexExpr): CheckedValue {
  const { target } = expr;
  if (target.kind === 'Name' && target.primes === 0 && env.scope.lookup(target.name) === null) {
    if (primitivesNamed(target.name).some((p) => p.syntax === 'made')) return checkMade(cx, env, target.name, expr);
  }
  let value = cx.expr({ ...env, points: null }, target);
  for (const index of expr.indices) {
    if (value.kind === 'error') return errorValue;
    value = applyIndex(cx, env, value, index, expr);
  }
  if (expr.indices.length === 0 && value.kind !== 'error') {
    cx.report('MOE0314', expr.span, { message: 'an index is missing between the brackets' });
    return errorValue;
  }
  return value;
}

function checkMade(cx: Context, env: ExprContext, name: string, expr: ast.IndexExpr): CheckedValue {
  const axes: AxisVar[] = [];
  let whole = true;
  for (const index of expr.indices) {
    if (index.axis === undefined && index.range === undefined && index.index.kind === 'Name') {
      const axis = resolveAxis(cx, env.scope, index.index.name, index.index.primes, index.index.span);
      if (axis === null) whole = false;
      else axes.push(axis);
    } else {
      if (index.index.kind !== 'Error')
        cx.report('MOE0204', index.span, { message: `${name} takes axes`, help: `for example: ${name}[E, D]` });
      whole = false;
    }
  }
  if (!whole) return errorValue;
  const rule = primitivesNamed(name).find((p) => p.syntax === 'made');
  const parameter = rule?.parameters.find((p) => p.kind === 'axes')?.name ?? 'axes';
  if (rule === undefined) return errorValue;
  return applyPrimitive(
    cx,
    rule.name,
    { values: new Map(), axes: new Map([[parameter, axes]]), spans: new Map([[parameter, expr.span]]) },
    expr.span,
  );
}

function applyIndex(
  cx: Context,
  env: ExprContext,
  value: CheckedValue,
  index: ast.Index,
  whole: ast.IndexExpr,
): CheckedValue {
  const written = index.axis === undefined ? null : resolveAxisName(cx, env.scope, index.axis);
  if (index.axis !== undefined && written === null) return errorValue;
  if (written !== null && index.range === undefined && value.kind !== 'family') {
    const part = asPart(cx, env, written, index.index);
    if (part !== null) {
      const found = partNamed(cx, written, part.name, part.span);
      if (found === null) return errorValue;
      const axes = new Map([
        ['axis', [written]],
        ['into', found.axes],
      ]);
      const spans = new Map([
        ['axis', index.span],
        ['into', index.span],
      ]);
      return applyPrimitive(
        cx,
        'part',
        { values: new Map([['x', value]]), axes, attributes: found.attributes, spans },
        whole.span,
      );
    }
  }
  const at = cx.expr({ scope: env.scope, points: written }, index.index);
  const to = index.range === undefined ? null : cx.expr({ scope: env.scope, points: written }, index.range.to);
  const as = index.range === undefined ? null : resolveAxisName(cx, env.scope, index.range.as);
  if (at.kind === 'error' || to?.kind === 'error') return errorValue;
  if (index.range !== undefined && as === null) return errorValue;
  if (at.kind === 'family' || at.kind === 'tuple' || to?.kind === 'family' || to?.kind === 'tuple') {
    const part = at.kind === 'family' && written !== null ? at.family.name : null;
    if (part !== null && written !== null) partNamed(cx, written, part, index.index.span);
    else cx.report('MOE0316', index.index.span, { message: 'this cannot be an index' });
    return errorValue;
  }
  if (value.kind === 'family' && (at.kind === 'value' || to?.kind === 'value')) {
    const { axes, name } = value.family;
    const within = at.kind === 'value' && at.expr.type.kind === 'tensor' ? at.expr.type.within : undefined;
    const chosen = written ?? axes.find((a) => a.axis === within?.axis) ?? axes.at(-1);
    const over = chosen === undefined ? '…' : cx.nameOf(chosen);
    cx.report('MOE0415', index.index.span, {
      message: `${name} is indexed when compiling, this index is computed at a run`,
      help: `a choice at run time is a route: \`pick(${shown(index.index)}, over: ${over}) @ ${name}(x)\``,
    });
    return errorValue;
  }
  const axis = written ?? axisSaid(cx, [at, to], index, value);
  if (axis === null) return errorValue;

  if (at.kind === 'value' || to?.kind === 'value') {
    if (to !== null || at.kind !== 'value') {
      cx.report('MOE0305', index.index.span, { message: 'the ends of a range must be known when compiling' });
      return errorValue;
    }
    const spans = new Map([
      ['axis', index.axis?.span ?? index.span],
      ['ids', index.index.span],
      ['x', whole.target.span],
    ]);
    return applyPrimitive(
      cx,
      'gather',
      {
        values: new Map([
          ['x', value],
          ['ids', at],
        ]),
        axes: new Map([['axis', [axis]]]),
        spans,
      },
      whole.span,
    );
  }
  for (const end of [at.value, ...(to === null ? [] : [to.value])]) {
    if (end.type === 'number') continue;
    cx.report('MOE0316', end.span, { message: `an index is a number, this is a ${end.type}` });
    return errorValue;
  }
  const end = to === null ? null : to.value;
  if (value.kind === 'family') {
    return end === null || as === null
      ? sliceFamily(cx, value.family, axis, at.value, index.span)
      : windowFamily(cx, value.family, axis, at.value, end, as, index.span);
  }
  if (value.kind === 'static') {
    cx.report('MOE0329', whole.target.span, { message: 'a number has no axis to index' });
    return errorValue;
  }
  if (value.kind === 'value' && value.expr.type.kind === 'tuple') {
    cx.report('MOE0329', whole.target.span, {
      message: `this is a tuple, ${formatType(value.expr.type, cx.nameOf)}, and has no axes`,
      help: 'take it apart with `let (a, b) = …`',
    });
    return errorValue;
  }
  const spans = new Map([
    ['axis', index.axis?.span ?? index.span],
    ['as', index.range?.as.span ?? index.span],
    ['x', whole.target.span],
  ]);
  const values = new Map([['x', value]]);
  if (end === null || as === null) {
    const attributes = new Map<string, Static>([['index', at.value]]);
    return applyPrimitive(cx, 'at', { values, axes: new Map([['axis', [axis]]]), attributes, spans }, whole.span);
  }
  const attributes = new Map<string, Static>([
    ['from', at.value],
    ['to', end],
  ]);
  return applyPrimitive(
    cx,
    'window',
    {
      values,
      axes: new Map([
        ['axis', [axis]],
        ['as', [as]],
      ]),
      attributes,
      spans,
    },
    whole.span,
  );
}

/** A bare name along a union's axis that is a member's, or a function's along any axis: a part is meant. */
function asPart(cx: Context, env: ExprContext, axis: AxisVar, index: ast.AstExpr): ast.NameExpr | null {
  if (index.kind !== 'Name' || index.primes > 0) return null;
  const union = cx.unions.get(axis.axis);
  if (union !== undefined && union.members.some((m) => m.name === index.name)) return index;
  const found = env.scope.lookup(index.name)?.binding.entity;
  return found?.kind === 'family' || found?.kind === 'template' ? index : null;
}

/** The axis that the static indices in an index belong to. */
function axisSaid(
  cx: Context,
  values: readonly (CheckedValue | null)[],
  index: ast.Index,
  target: CheckedValue,
): AxisVar | null {
  const found: AxisVar[] = [];
  let computed = false;
  for (const value of values) {
    if (value === null) continue;
    const step = value.kind === 'value' && value.expr.kind === 'local' ? cx.stepAxes.get(value.expr.local) : undefined;
    if (step !== undefined) found.push(step);
    else if (value.kind === 'value') computed = true;
    if (value.kind !== 'static') continue;
    for (const axis of indexedAxes(cx, value.value)) {
      if (!found.some((a) => a.axis === axis.axis && a.primes === axis.primes)) found.push(axis);
    }
  }
  const [axis] = found;
  if (axis !== undefined && found.length === 1 && !computed) return axis;
  cx.report('MOE0314', index.span, {
    message:
      found.length > 1
        ? `indices of ${listAxes(found, cx.nameOf)} occur here: which axis is indexed?`
        : 'which axis is indexed?',
    help: `name it: [${nameOrDots(cx, found.length > 1 ? axis : likelyAxis(values[0] ?? null, target))}: ${shown(index.index)}]`,
  });
  return null;
}

/** The axis that an index without one most likely means: the one its numbers are points of, else the first of what is indexed. */
function likelyAxis(at: CheckedValue | null, target: CheckedValue): AxisVar | undefined {
  const axes =
    target.kind === 'family'
      ? target.family.axes
      : target.kind === 'value' && target.expr.type.kind !== 'tuple'
        ? axesOfType(target.expr.type)
        : [];
  const within = at?.kind === 'value' && at.expr.type.kind === 'tensor' ? at.expr.type.within : undefined;
  return axes.find((a) => a.axis === within?.axis) ?? axes[0];
}

function nameOrDots(cx: Context, axis: AxisVar | undefined): string {
  return axis === undefined ? '…' : cx.nameOf(axis);
}
