/**
 * Written types: `[T, D]`, `i32[T] in V`, `route[T -> E] of [D]`.
 */
import type * as ast from '../syntax/ast.ts';
import { nameHelp, type Context } from './context.ts';
import { isElementType, resolveAxisList, resolveAxisName } from './lookup.ts';
import { elementTypes, type AxisVar, type ValueType } from '../types/program.ts';
import type { NameScope } from './name-scope.ts';
import { repeatedAxes, tensorType } from './types.ts';

/** The type that is written, or null after a diagnostic. */
export function checkType(cx: Context, scope: NameScope, type: ast.TypeExpr): ValueType | null {
  if (type.kind === 'RouteType') {
    const lists = [type.sources, type.targets, type.payload];
    const [sources, targets, payload] = lists.map((list) => resolveAxisList(cx, scope, list));
    if (!sources || !targets || !payload) return null;
    if (!distinct(cx, lists.flat(), [...sources, ...targets, ...payload])) return null;
    return { kind: 'route', element: 'f32', sources, targets, payload };
  }
  const element = type.element?.text ?? 'f32';
  const axes = resolveAxisList(cx, scope, type.axes);
  const within = type.within === undefined ? undefined : resolveAxisName(cx, scope, type.within);
  if (!isElementType(element)) {
    const span = type.element?.span ?? type.span;
    cx.report('MOE0215', span, {
      message: `${element} is not an element type`,
      help: 'element types are f32, f16, i32 and bool',
      ...nameHelp(element, span, [...elementTypes, 'route']),
    });
    return null;
  }
  if (axes === null || within === null || !distinct(cx, type.axes, axes)) return null;
  if (within !== undefined && element !== 'i32') {
    cx.report('MOE0215', type.within?.span ?? type.span, {
      message: `only i32 indexes an axis, this is ${element}`,
      help: `i32[…] in ${cx.nameOf(within)}`,
    });
    return null;
  }
  return within === undefined ? tensorType(element, axes) : { ...tensorType(element, axes), within };
}

function distinct(cx: Context, names: readonly ast.AxisName[], axes: readonly AxisVar[]): boolean {
  const [twice] = repeatedAxes(axes);
  if (twice === undefined) return true;
  const name = cx.nameOf(twice);
  const span = names.findLast((n) => n.name + "'".repeat(n.primes) === name)?.span ?? names[0]?.span;
  if (span !== undefined) {
    cx.report('MOE0301', span, {
      message: `${name} stands twice in this type`,
      help: `a second axis of its size is ${name}'`,
    });
  }
  return false;
}
