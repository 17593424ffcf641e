/**
 * A value where a written type stands: a body's result, an annotated `let`, a carry's start, an initial value.
 *
 * Allowed without a word: axes that are missing (the value is broadcast), another order of axes, another arrow of a route,
 * f32 for f16 and back (it rounds there), a route over a part of a union for a route over the union. Anything else is one
 * diagnostic.
 */
import type { Code, Span } from '../diagnostics/diagnostic.ts';
import { denseHelp } from '../primitives/operand-typing.ts';
import type { Context } from './context.ts';
import type { AxisVar, Block, Expr, RouteType, TensorType, ValueType } from '../types/program.ts';
import type { CheckedValue } from './name-scope.ts';
import { hasAxis, isSubset, sameAxes, withoutAxes } from '../types/axes.ts';
import { staticExpr } from './check-statics.ts';
import { formatType, listAxes, sameType, supportOf } from './types.ts';
import { convert, reportFamily, spanOf, tupleExpr } from './values.ts';

/** Where the type is written: `the result`, `x`, …, with the place. */
export interface WrittenType {
  readonly what: string;
  readonly span: Span | null;
  /** Whether missing axes are filled by repeating. Default: yes. */
  readonly broadcast?: boolean;
  /** The diagnostic of a mismatch. Default: MOE0307. */
  readonly code?: Code;
}

/** The value as an expression of this type, or null after a diagnostic. */
export function coerce(
  cx: Context,
  value: CheckedValue,
  to: ValueType | null,
  written: WrittenType,
  span: Span,
): Expr | null {
  if (to === null || value.kind === 'error') return null;
  if (value.kind === 'family') {
    reportFamily(cx, value.family, span);
    return null;
  }
  if (value.kind === 'static') {
    if (to.kind !== 'tensor') return mismatch(cx, 'a number', to, written, value.value.span);
    const scalar = staticExpr(cx, value.value, to.element);
    if (scalar === null) return null;
    if (scalar.type.kind === 'tensor' && scalar.type.element !== to.element) {
      return mismatch(cx, `a ${value.value.type}`, to, written, value.value.span);
    }
    return to.axes.length === 0 ? scalar : { kind: 'coerce', value: scalar, type: to, span: scalar.span };
  }
  if (value.kind === 'tuple') return coerceItems(cx, value, to, written);
  const open = value.typedAs !== null && to.kind !== 'tuple' && value.expr.type.kind !== 'tuple';
  const expr = open && value.typedAs !== null && to.element !== 'bool' ? value.typedAs(to.element) : value.expr;
  return coerceExpr(cx, expr, to, written, spanOf(value, span));
}

/** Item by item, so that each literal adopts the type of its own place. */
function coerceItems(
  cx: Context,
  value: CheckedValue & { kind: 'tuple' },
  to: ValueType,
  written: WrittenType,
): Expr | null {
  if (to.kind !== 'tuple' || to.items.length !== value.items.length) {
    return mismatch(cx, `a tuple of ${value.items.length}`, to, written, value.span);
  }
  const items = to.items.map((item, i) => {
    const given = value.items[i];
    if (given === undefined) return null;
    return coerce(cx, given, item.type, { ...written, what: item.name ?? written.what }, spanOf(given, value.span));
  });
  const whole = items.filter((item) => item !== null);
  return whole.length === items.length
    ? tupleExpr(
        whole,
        to.items.map((item) => item.name),
        value.span,
      )
    : null;
}

export function coerceExpr(cx: Context, expr: Expr, to: ValueType, written: WrittenType, span: Span): Expr | null {
  const from = expr.type;
  if (sameType(from, to)) return expr;
  if (to.kind === 'tensor' && from.kind === 'tensor') return coerceTensor(cx, expr, from, to, written, span);
  if (to.kind === 'route' && from.kind === 'route') return coerceRoute(cx, expr, from, to, written, span);
  if (to.kind === 'tuple' && from.kind === 'tuple' && from.items.length === to.items.length) {
    return coerceTuple(cx, expr, to, written, span);
  }
  if (to.kind === 'tensor' && from.kind === 'route') {
    return mismatch(cx, formatType(from, cx.nameOf), to, written, span, denseHelp(cx, from));
  }
  if (to.kind === 'route' && from.kind === 'tensor') {
    return mismatch(
      cx,
      formatType(from, cx.nameOf),
      to,
      written,
      span,
      'a selection makes a route of a tensor: top_k, top_p, keep, pick, all',
    );
  }
  return mismatch(cx, formatType(from, cx.nameOf), to, written, span);
}

function coerceTensor(
  cx: Context,
  expr: Expr,
  from: TensorType,
  to: TensorType,
  written: WrittenType,
  span: Span,
): Expr | null {
  const typed = coerceElement(cx, expr, from, to, written, span);
  if (typed === null) return null;
  if (from.within !== undefined && to.within !== undefined && from.within.axis !== to.within.axis) {
    const message = `these indices are in ${cx.nameOf(from.within)}, ${written.what} wants them in ${cx.nameOf(to.within)}`;
    cx.report('MOE0307', span, { message, labels: declaredAt(cx, to, written) });
    return null;
  }
  if (!isSubset(from.axes, to.axes))
    return mismatch(cx, formatType(from, cx.nameOf), to, written, span, axesHelp(cx, from.axes, to.axes));
  if (from.axes.length === to.axes.length) return typed;
  if (written.broadcast === false && from.axes.length > 0)
    return mismatch(cx, formatType(from, cx.nameOf), to, written, span);
  return { kind: 'coerce', value: typed, type: to, span: expr.span };
}

/** What to do about axes that should not be there. */
function axesHelp(cx: Context, from: readonly AxisVar[], to: readonly AxisVar[]): string | undefined {
  const extra = withoutAxes(from, to);
  const missing = withoutAxes(to, from);
  const [one] = extra;
  const [other] = missing;
  if (one === undefined) return undefined;
  if (extra.length === 1 && missing.length === 1 && other !== undefined && one.axis === other.axis) {
    return `rename it: rename(…, ${cx.nameOf(one)}: ${cx.nameOf(other)})`;
  }
  if (missing.length === 0)
    return `contract or reduce ${listAxes(extra, cx.nameOf)}, or write ${extra.length === 1 ? 'it' : 'them'} in the type`;
  return undefined;
}

/** Element types: equal, or both floats, where f16 rounds. */
export function coerceElement(
  cx: Context,
  expr: Expr,
  from: TensorType | RouteType,
  to: TensorType | RouteType,
  written: WrittenType,
  span: Span,
): Expr | null {
  if (from.element === to.element) return expr;
  const isFloat = (e: string) => e === 'f32' || e === 'f16';
  if (isFloat(from.element) && isFloat(to.element)) return convert(expr, to.element);
  const how =
    to.element === 'i32' && isFloat(from.element)
      ? 'i32(floor(…))'
      : to.element === 'bool'
        ? 'compare it: … != 0'
        : `${to.element}(…)`;
  return mismatch(
    cx,
    formatType(from, cx.nameOf),
    to,
    written,
    span,
    to.element === 'bool' ? how : `convert it: ${how}`,
  );
}

function coerceRoute(
  cx: Context,
  expr: Expr,
  from: RouteType,
  to: RouteType,
  written: WrittenType,
  span: Span,
): Expr | null {
  const typed = coerceElement(cx, expr, from, to, written, span);
  if (typed === null) return null;
  const have = supportOf(from);
  const want = supportOf(to);
  if (!sameAxes(from.payload, to.payload)) return mismatch(cx, formatType(from, cx.nameOf), to, written, span);
  if (sameAxes(have, want)) return { kind: 'coerce', value: typed, type: to, span: expr.span };
  const embedded = embed(cx, typed, from, want, span);
  if (embedded === 'ambiguous') return null;
  if (embedded !== null) return coerceExpr(cx, embedded, to, written, span);
  if (isSubset(have, want) && isSubset(withoutAxes(want, have), to.sources) && isSubset(to.targets, have)) {
    return { kind: 'coerce', value: typed, type: to, span: expr.span };
  }
  return mismatch(cx, formatType(from, cx.nameOf), to, written, span, axesHelp(cx, have, want));
}

/**
 * A route over a part's axes as a route over the union: for a union axis among `want` that the route lacks, the member whose
 * axes it has. Null if there is none; 'ambiguous' after a diagnostic.
 */
export function embed(
  cx: Context,
  expr: Expr,
  from: RouteType,
  want: readonly AxisVar[],
  span: Span,
): Expr | null | 'ambiguous' {
  const have = supportOf(from);
  for (const union of want) {
    const declaration = cx.unions.get(union.axis);
    if (declaration === undefined || hasAxis(have, union)) continue;
    const twin = (axes: readonly AxisVar[]) => axes.map((a) => ({ axis: a.axis, primes: a.primes + union.primes }));
    const fits = declaration.members.flatMap((member, part) => {
      const axes = twin(member.axes);
      return axes.length > 0 && isSubset(axes, have) && axes.every((a) => !hasAxis(want, a))
        ? [{ axes, part, name: member.name }]
        : [];
    });
    if (fits.length > 1) {
      const names = fits.map((f) => f.name);
      cx.report('MOE0416', span, {
        message: `this ${formatType(from, cx.nameOf)} could be of ${names.join(' or ')}, which have the same axes`,
        help: 'give the members axes of their own',
      });
      return 'ambiguous';
    }
    const fit = fits[0];
    if (fit === undefined) continue;
    const swap = (axes: readonly AxisVar[]) =>
      axes.some((a) => hasAxis(fit.axes, a)) ? [...axes.filter((a) => !hasAxis(fit.axes, a)), union] : axes;
    const targets = swap(from.targets);
    const sources = hasAxis(targets, union) ? withoutAxes(from.sources, fit.axes) : swap(from.sources);
    return { kind: 'embed', value: expr, union, part: fit.part, type: { ...from, sources, targets }, span: expr.span };
  }
  return null;
}

function coerceTuple(
  cx: Context,
  expr: Expr,
  to: ValueType & { kind: 'tuple' },
  written: WrittenType,
  span: Span,
): Expr | null {
  if (expr.kind === 'tuple') {
    const items = expr.items.map((item, i) => {
      const type = to.items[i]?.type;
      return type === undefined ? null : coerceExpr(cx, item, type, written, item.span);
    });
    const whole = items.filter((item) => item !== null);
    return whole.length === items.length ? { kind: 'tuple', items: whole, type: to, span: expr.span } : null;
  }
  if (expr.kind === 'if') {
    const side = (block: Block): Block | null => {
      const result = coerceExpr(cx, block.result, to, written, block.result.span);
      return result === null ? null : { ...block, result };
    };
    const then = side(expr.then);
    const otherwise = side(expr.else);
    return then === null || otherwise === null ? null : { ...expr, then, else: otherwise, type: to };
  }
  // A call or chain gives all its values at once: names aside, their types have to be the written ones.
  const bare = (type: ValueType): ValueType =>
    type.kind === 'tuple' ? { kind: 'tuple', items: type.items.map((i) => ({ type: i.type })) } : type;
  if (sameType(bare(expr.type), bare(to))) return expr;
  return mismatch(
    cx,
    formatType(expr.type, cx.nameOf),
    to,
    written,
    span,
    'take it apart with `let (a, b) = …` and give back a tuple',
  );
}

function declaredAt(cx: Context, to: ValueType, written: WrittenType): { span: Span; text: string }[] {
  return written.span === null ? [] : [{ span: written.span, text: `${written.what} is ${formatType(to, cx.nameOf)}` }];
}

function mismatch(cx: Context, found: string, to: ValueType, written: WrittenType, span: Span, help?: string): null {
  cx.report(written.code ?? 'MOE0307', span, {
    message: `${written.what} is ${written.span === null ? '' : 'declared '}${formatType(to, cx.nameOf)}, this is ${found}`,
    labels: declaredAt(cx, to, written),
    help,
  });
  return null;
}
