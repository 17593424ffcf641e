/**
 * Values of the checker turned into typed expressions, and element types that are not settled yet.
 *
 * A literal, a size, `iota`, the weights 1 of `pick` and `mask` adopt the element type they meet. Until they meet one they
 * are f32; `typedAs` of a value builds the same expression again with another element type.
 */
import { CompilerBug } from '../diagnostics/bug.ts';
import type { LocalId } from '../types/ids.ts';
import type { PrimitiveName } from '../types/primitive-names.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import type * as ast from '../syntax/ast.ts';
import type { Context } from './context.ts';
import type { ElementType, Expr, StaticType, Static, ValueType } from '../types/program.ts';
import { errorValue, type Family, type NameScope, type CheckedValue } from './name-scope.ts';
import { staticExpr } from './check-statics.ts';

/** The value as a typed expression; `want` settles an open element type. Null if there was or is a mistake. */
export function toExpr(cx: Context, value: CheckedValue, want: ElementType | null, span: Span): Expr | null {
  switch (value.kind) {
    case 'error':
      return null;
    case 'static':
      return staticExpr(cx, at(value.value, span), want === 'bool' || want === null ? 'f32' : want);
    case 'value':
      if (want === null || value.typedAs === null || elementOf(value.expr.type) === want) return value.expr;
      return value.typedAs(want);
    case 'family':
      reportFamily(cx, value.family, span);
      return null;
    case 'tuple': {
      const items = value.items.map((item) => toExpr(cx, item, null, spanOf(item, value.span)));
      const whole = items.filter((item) => item !== null);
      if (whole.length !== items.length) return null;
      return tupleExpr(whole, value.names, value.span);
    }
  }
}

export function tupleExpr(items: readonly Expr[], names: readonly (string | undefined)[], span: Span): Expr {
  const type: ValueType = {
    kind: 'tuple',
    items: items.map((item, i) => {
      const name = names[i];
      return name === undefined ? { type: item.type } : { name, type: item.type };
    }),
  };
  return { kind: 'tuple', items, type, span };
}

/** A static named by a `let` is shown where it is used. */
export function at<T extends { readonly span: Span }>(node: T, span: Span): T {
  return node.span === span ? node : { ...node, span };
}

export function reportFamily(cx: Context, family: Family, span: Span): void {
  const kind = family.role === 'expert' ? 'a family of experts' : `a ${family.role}`;
  cx.report('MOE0205', span, { message: `${family.name} is ${kind}, not a value`, help: `call it: ${family.name}(…)` });
}

/** The span an error about the value belongs to. */
export function spanOf(value: CheckedValue, fallback: Span): Span {
  if (value.kind === 'value') return value.expr.span;
  if (value.kind === 'static') return value.value.span;
  if (value.kind === 'tuple') return value.span;
  return fallback;
}

export function elementOf(type: ValueType): ElementType | null {
  return type.kind === 'tuple' ? null : type.element;
}

export function withElement(type: ValueType, element: ElementType): ValueType {
  if (type.kind === 'tuple') throw new CompilerBug('check', 'a tuple has no element type');
  if (type.kind === 'route') return { ...type, element };
  return { kind: 'tensor', element, axes: type.axes };
}

/** A finished expression with a settled type. */
export function typedValue(expr: Expr | null): CheckedValue {
  return expr === null ? errorValue : { kind: 'value', expr, typedAs: null };
}

/** `element(x)`. */
export function convert(expr: Expr, element: ElementType): Expr {
  return {
    kind: 'primitive',
    name: 'convert',
    args: new Map([['x', expr]]),
    axes: new Map(),
    attributes: new Map(),
    type: withElement(expr.type, element),
    span: expr.span,
  };
}

/**
 * Whether the values of an expression are whole numbers whatever its element type: what is made of `iota` and of weights 1 by
 * moving them. Only such a value may be converted silently; `mask(r) * 0.5` may not become i32 behind a name.
 */
export function isWhole(expr: Expr): boolean {
  let at = expr;
  while (at.kind === 'coerce') at = at.value;
  if (at.kind !== 'primitive') return false;
  if (at.name === 'pick' || at.name === 'mask' || at.name === 'iota') return true;
  const [first] = at.args.values();
  return moves.has(at.name) && first !== undefined && isWhole(first);
}

const moves: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>([
  'keep',
  'limit',
  'rename',
  'split',
  'merge',
  'at',
  'window',
  'part',
  'gather',
  'dense',
]);

/** An expression whose weights are 1 though its type was settled, such as a name of a `pick`: it adopts by conversion. */
export function untypedByConversion(expr: Expr): CheckedValue {
  return {
    kind: 'value',
    expr,
    typedAs: (element) => (elementOf(expr.type) === element ? expr : convert(expr, element)),
  };
}

export function localExpr(local: LocalId, name: string, type: ValueType, span: Span): Expr {
  return { kind: 'local', local, name, type, span };
}

/** An expression that must be static; null after a diagnostic. */
export function staticOf(cx: Context, scope: NameScope, expr: ast.AstExpr, type: StaticType | null): Static | null {
  const value = cx.expr({ scope, points: null }, expr);
  if (value.kind === 'error') return null;
  if (value.kind === 'static') {
    if (type === null || value.value.type === type) return value.value;
    cx.report('MOE0304', expr.span, { message: `a ${type} is wanted here, this is a ${value.value.type}` });
    return null;
  }
  if (value.kind === 'family') reportFamily(cx, value.family, expr.span);
  else
    cx.report('MOE0305', expr.span, {
      message: 'this must be known when compiling',
      help: 'a number made of literals, consts and sizes is known',
    });
  return null;
}
