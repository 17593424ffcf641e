/**
 * Families of functions as the checker handles them: slices, windows, and their params read by path (`ffn.w1`).
 */
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import type * as ast from '../syntax/ast.ts';
import type { DeclarationId, ProgramAxisId } from '../types/ids.ts';
import { hasAxis, sameAxis, withoutAxes } from '../types/axes.ts';
import { nameHelp, type Context } from './context.ts';
import { applyPrimitive } from './check-primitive-calls.ts';
import type { AxisVar, Expr, FamilyExpr, Static, TensorType, ValueType } from '../types/program.ts';
import { errorValue, type Family, type Inner, type NameScope, type CheckedValue } from './name-scope.ts';
import { formatAxes, mentionedAxes, repeatedAxes, substituteAxis, substituteType } from './types.ts';
import { typedValue } from './values.ts';

/** One point of a family's axis. */
export function sliceFamily(cx: Context, family: Family, axis: AxisVar, index: Static, span: Span): CheckedValue {
  if (!hasFamilyAxis(cx, family, axis, span)) return errorValue;
  const slice = (of: FamilyExpr): FamilyExpr => ({ kind: 'at', family: of, axis, index, span });
  return {
    kind: 'family',
    family: {
      ...family,
      expr: slice(family.expr),
      source: slice(family.source),
      axes: withoutAxes(family.axes, [axis]),
    },
  };
}

/** A range of a family's axis, called `as`. */
export function windowFamily(
  cx: Context,
  family: Family,
  axis: AxisVar,
  from: Static,
  to: Static,
  as: AxisVar,
  span: Span,
): CheckedValue {
  if (!hasFamilyAxis(cx, family, axis, span)) return errorValue;
  const others = [...withoutAxes(family.axes, [axis]), ...boundaryAxes(family)];
  if (hasAxis(others, as)) {
    cx.report('MOE0317', span, {
      message: `${family.name} already has the axis ${cx.nameOf(as)}`,
      help: 'declare an axis of that size under another name',
    });
    return errorValue;
  }
  const slice = (of: FamilyExpr): FamilyExpr => ({ kind: 'window', family: of, axis, from, to, as, span });
  const axes = family.axes.map((a) => (sameAxis(a, axis) ? as : a));
  return { kind: 'family', family: { ...family, expr: slice(family.expr), source: slice(family.source), axes } };
}

function hasFamilyAxis(cx: Context, family: Family, axis: AxisVar, span: Span): boolean {
  if (hasAxis(family.axes, axis)) return true;
  const message =
    family.axes.length === 0
      ? `${family.name} is a single function, it has no axis ${cx.nameOf(axis)}`
      : `${family.name} has no axis ${cx.nameOf(axis)}, it has ${formatAxes(family.axes, cx.nameOf)}`;
  cx.report('MOE0315', span, { message });
  return false;
}

/** The axes of a family's formals and result. */
export function boundaryAxes(family: Pick<Family, 'formals' | 'result'>): readonly AxisVar[] {
  const types = [...family.formals.map((f) => f.type), family.result];
  return types.flatMap((type) => (type === null ? [] : mentionedAxes(type)));
}

/** `ffn.w1`, `head.norm.weight`: a param, state or input of an instance, with the family's axes in front. */
export function variablePath(
  cx: Context,
  scope: NameScope,
  family: Family,
  names: readonly ast.Ident[],
  span: Span,
): CheckedValue {
  let inner: Inner = family.inner;
  let within = family.name;
  const via: DeclarationId[] = [family.decl];
  const renamings: ReadonlyMap<ProgramAxisId, AxisVar>[] = [family.bound];
  const axes: AxisVar[] = [...family.rootAxes];
  const outward = (axis: AxisVar): AxisVar => renamings.reduceRight((a, map) => substituteAxis(a, map), axis);
  for (const [i, name] of names.entries()) {
    const member = inner.get(name.text);
    const last = i === names.length - 1;
    if (member?.kind === 'error') return errorValue;
    if (member === undefined || (member.kind === 'variable') !== last) {
      cx.report('MOE0214', name.span, {
        message:
          member === undefined
            ? `${within} has no param called ${name.text}`
            : `${name.text} is not a param of ${within}`,
        ...nameHelp(name.text, name.span, inner.keys()),
      });
      return errorValue;
    }
    if (member.kind === 'family') {
      via.push(member.family.decl);
      axes.push(...member.family.rootAxes.map(outward));
      renamings.push(member.family.bound);
      inner = member.family.inner;
      within = name.text;
      continue;
    }
    const declared = renamings.reduceRight<ValueType>(
      (type, map) => substituteType(type, map),
      member.declaration.type,
    );
    if (declared.kind !== 'tensor') throw new CompilerBug('check', 'a stored tensor has a type that is not dense');
    const type: TensorType = { ...declared, axes: [...axes, ...declared.axes] };
    const own = type.axes.find((a) => !isVisible(cx, scope, a));
    const twice = repeatedAxes(type.axes)[0];
    if (own !== undefined || twice !== undefined) {
      cx.report('MOE0214', span, {
        message:
          own !== undefined
            ? `${name.text} runs over ${cx.nameOf(own)}, an axis of ${family.name}'s own, which has no name here`
            : `${name.text} would have the axis ${twice === undefined ? '' : cx.nameOf(twice)} twice`,
        help: 'give the value back from the function, or make it an output',
      });
      return errorValue;
    }
    const expr: Expr = { kind: 'variable', decl: member.declaration.id, via, type, span };
    return sliced(cx, typedValue(expr), family.source, span);
  }
  return errorValue;
}

function isVisible(cx: Context, scope: NameScope, axis: AxisVar): boolean {
  const found = scope.lookup(cx.axisOf(axis).name)?.binding.entity;
  return found?.kind === 'axis' && found.axis.axis === axis.axis;
}

/** The slices of a family applied to a tensor that has the axes of the whole family. */
function sliced(cx: Context, value: CheckedValue, expr: FamilyExpr, span: Span): CheckedValue {
  switch (expr.kind) {
    case 'named':
    case 'local_family':
      return value;
    case 'at': {
      const x = sliced(cx, value, expr.family, span);
      return applyPrimitive(
        cx,
        'at',
        {
          values: new Map([['x', x]]),
          axes: new Map([['axis', [expr.axis]]]),
          attributes: new Map([['index', expr.index]]),
        },
        span,
      );
    }
    case 'window': {
      const x = sliced(cx, value, expr.family, span);
      const axes = new Map([
        ['axis', [expr.axis]],
        ['as', [expr.as]],
      ]);
      const attributes = new Map([
        ['from', expr.from],
        ['to', expr.to],
      ]);
      return applyPrimitive(cx, 'window', { values: new Map([['x', x]]), axes, attributes }, span);
    }
  }
}
