/**
 * `if c { … } else { … }`: a choice made when compiling. Both sides are typed and must agree; only the taken one will exist.
 */
import type * as ast from '../syntax/ast.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import { at } from '../diagnostics/invariants.ts';
import { axesOfType, sameAxes } from '../types/axes.ts';
import { coerce, coerceExpr } from './check-coercions.ts';
import type { Context } from './context.ts';
import type { ElementType, Expr, Static, TupleType, ValueType } from '../types/program.ts';
import { errorValue, type ExprContext, type CheckedBody, finishBody, type CheckedValue } from './name-scope.ts';
import { staticIf } from './check-statics.ts';
import { formatType, tensorType } from './types.ts';
import { elementOf, toExpr } from './values.ts';

/** Both sides are typed and must agree; only the side that is taken will exist. */
export function checkIf(cx: Context, env: ExprContext, expr: ast.If): CheckedValue {
  const condition = cx.expr({ scope: env.scope, points: null }, expr.condition);
  const known = staticCondition(cx, condition, expr.condition.span);
  const then = checkSide(cx, env, expr.then);
  const otherwise = expr.otherwise.kind === 'If' ? elseIf(cx, env, expr.otherwise) : checkSide(cx, env, expr.otherwise);
  if (known === null || then.result.kind === 'error' || otherwise.result.kind === 'error') return errorValue;
  if (then.result.kind === 'static' && otherwise.result.kind === 'static' && isBare(then) && isBare(otherwise)) {
    const value = staticIf(cx, known, then.result.value, otherwise.result.value, expr.span);
    return value === null ? errorValue : { kind: 'static', value };
  }
  return joinSides(cx, known, then, otherwise, expr.span);
}

/** A side of an `if` in an index keeps the axis that is indexed: its result may be a named point. */
function checkSide(cx: Context, env: ExprContext, body: ast.Body): CheckedBody {
  if (env.points !== null && body.items.length === 0) {
    const result = cx.expr(env, body.result);
    return { scope: env.scope, declarations: [], statements: [], result, span: body.result.span };
  }
  return cx.body(env.scope, body);
}

function elseIf(cx: Context, env: ExprContext, expr: ast.If): CheckedBody {
  return { scope: env.scope, declarations: [], statements: [], result: checkIf(cx, env, expr), span: expr.span };
}

function isBare(body: CheckedBody): boolean {
  return body.statements.length === 0 && body.declarations.length === 0;
}

function staticCondition(cx: Context, value: CheckedValue, span: Span): Static | null {
  if (value.kind === 'error') return null;
  if (value.kind === 'static' && value.value.type === 'bool') return value.value;
  if (value.kind === 'static') {
    cx.report('MOE0304', span, {
      message: `the condition of an if is a bool, this is a ${value.value.type}`,
      help: 'compare it: … != 0',
    });
    return null;
  }
  cx.report('MOE0308', span, {
    message: 'the condition of an if must be known when compiling, this is computed at a run',
    help: 'where(condition, a, b) chooses values, a route chooses work',
  });
  return null;
}

/** The two sides as one value: a literal takes the type of the other side, a route the other's arrow. */
function joinSides(
  cx: Context,
  condition: Static,
  then: CheckedBody,
  otherwise: CheckedBody,
  span: Span,
): CheckedValue {
  const make = (element: ElementType | null): Expr | null => {
    const a = sideExpr(cx, then, element, otherwise);
    const b = sideExpr(cx, otherwise, element, then);
    if (a === null || b === null) return null;
    const [one, other] = agree(cx, then, a, otherwise, b, span);
    const left = finishBody(then, one);
    const right = finishBody(otherwise, other);
    if (left === null || right === null || one === null) return null;
    return { kind: 'if', condition, then: left, else: right, type: one.type, span };
  };
  const expr = make(null);
  if (expr === null) return errorValue;
  const open = isOpen(then.result) && isOpen(otherwise.result);
  return {
    kind: 'value',
    expr,
    typedAs: open ? (element) => (elementOf(expr.type) === element ? expr : (make(element) ?? expr)) : null,
  };
}

function isOpen(value: CheckedValue): boolean {
  return (
    (value.kind === 'static' && value.value.type === 'number') || (value.kind === 'value' && value.typedAs !== null)
  );
}

function sideExpr(cx: Context, side: CheckedBody, element: ElementType | null, other: CheckedBody): Expr | null {
  let want = element;
  if (want === null && isOpen(side.result) && !isOpen(other.result) && other.result.kind === 'value') {
    want = elementOf(other.result.expr.type);
  }
  return toExpr(cx, side.result, want === 'bool' ? null : want, side.span);
}

/** The type that both tuples take: an item that is open on one side, a literal, takes the type of the other side. */
function commonItems(then: CheckedValue, otherwise: CheckedValue, a: TupleType, b: TupleType): TupleType {
  const isOpenAt = (side: CheckedValue, i: number): boolean => {
    const item = side.kind === 'tuple' ? side.items[i] : undefined;
    return item?.kind === 'static' || (item?.kind === 'value' && item.typedAs !== null);
  };
  const items = a.items.map((item, i) =>
    isOpenAt(then, i) && !isOpenAt(otherwise, i)
      ? { ...item, type: at(b.items, i, 'check: item of a side of an if').type }
      : item,
  );
  return { kind: 'tuple', items };
}

function agree(
  cx: Context,
  then: CheckedBody,
  a: Expr,
  otherwise: CheckedBody,
  b: Expr,
  span: Span,
): readonly [Expr | null, Expr | null] {
  const written = { what: 'the other side of the if', span: null, broadcast: false, code: 'MOE0309' } as const;
  if (then.result.kind === 'static' && a.type.kind === 'tensor')
    return [coerceExpr(cx, a, b.type, written, then.span), b];
  if (otherwise.result.kind === 'static' && b.type.kind === 'tensor')
    return [a, coerceExpr(cx, b, a.type, written, otherwise.span)];
  if (a.type.kind === 'tuple' && b.type.kind === 'tuple' && a.type.items.length === b.type.items.length) {
    const type = commonItems(then.result, otherwise.result, a.type, b.type);
    return [
      coerce(cx, then.result, type, written, then.span),
      coerce(cx, otherwise.result, type, written, otherwise.span),
    ];
  }
  const sameSupport =
    a.type.kind !== 'tuple' &&
    b.type.kind !== 'tuple' &&
    a.type.kind === b.type.kind &&
    sameAxes(axesOfType(a.type), axesOfType(b.type));
  if (sameSupport && elementOf(a.type) === elementOf(b.type))
    return [a, coerceExpr(cx, b, forgetWithin(a.type), written, otherwise.span)];
  if (a.type.kind === 'tuple' && b.type.kind === 'tuple')
    return [a, coerceExpr(cx, b, a.type, written, otherwise.span)];
  cx.report('MOE0309', span, {
    message: `the sides of the if differ: ${formatType(a.type, cx.nameOf)} and ${formatType(b.type, cx.nameOf)}`,
    labels: [
      { span: then.span, text: formatType(a.type, cx.nameOf) },
      { span: otherwise.span, text: formatType(b.type, cx.nameOf) },
    ],
  });
  return [null, null];
}

function forgetWithin(type: ValueType): ValueType {
  return type.kind === 'tensor' ? tensorType(type.element, type.axes) : type;
}
