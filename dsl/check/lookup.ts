/**
 * Names in expressions and types: which entity is meant, with one diagnostic for a name that is none or of the wrong kind.
 */
import type * as ast from '../syntax/ast.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import { nameHelp, type Context } from './context.ts';
import { elementTypes, type AxisVar, type ElementType } from '../types/program.ts';
import type { Entity, NameScope } from './name-scope.ts';

export function isElementType(name: string): name is ElementType {
  return elementTypes.some((element) => element === name);
}

const described: Record<Entity['kind'], string> = {
  error: 'a mistake',
  pending: 'a declaration',
  axis: 'an axis',
  const: 'a const',
  index: 'an index',
  local: 'a value',
  static: 'a value',
  variable: 'a stored tensor',
  family: 'a function',
  template: 'a template',
};

/** What an entity is, for messages: `an axis`, `a param`, `an expert`. */
export function describe(entity: Entity): string {
  if (entity.kind === 'variable')
    return entity.declaration.role === 'control' ? 'an input' : `a ${entity.declaration.role}`;
  if (entity.kind === 'family')
    return entity.family.role === 'expert' ? 'a family of experts' : `a ${entity.family.role}`;
  return described[entity.kind];
}

/** The entity of a name, or null after a diagnostic. */
export function resolve(
  cx: Context,
  scope: NameScope,
  name: string,
  span: Span,
  accept: (e: Entity) => boolean = () => true,
  others: readonly string[] = [],
): Entity | null {
  const found = scope.lookup(name);
  if (found === null) {
    if (scope.comesLater(name)) {
      cx.report('MOE0207', span, {
        message: `${name} is a value of the body around, which declarations do not see`,
        help: `give it as an argument`,
      });
      return null;
    }
    const details = {
      message: `nothing is called ${name}`,
      ...missingHelp(cx, name, span, [...scope.visibleNames(accept), ...others]),
    };
    cx.reportUnknown(`value of ${scope.owner.name}: ${name}`, 'MOE0201', span, details);
    return null;
  }
  if (found.hidden) {
    cx.report('MOE0207', span, {
      message: `${name} is a value of the body around, which ${scope.owner.name} does not see`,
      labels: found.binding.span === null ? [] : [{ span: found.binding.span, text: `${name} is bound here` }],
      help: `give it as an argument`,
    });
    return null;
  }
  return found.binding.entity;
}

function missingHelp(
  cx: Context,
  name: string,
  span: Span,
  candidates: readonly string[],
): ReturnType<typeof nameHelp> {
  if (cx.isInLibrary(name)) return { help: `it is in the library: import { ${name} } from "std"` };
  return nameHelp(name, span, candidates);
}

/** The axis of a name, or null after a diagnostic. */
export function resolveAxis(cx: Context, scope: NameScope, name: string, primes: number, span: Span): AxisVar | null {
  const found = scope.lookup(name);
  if (found === null) {
    const axes = scope.visibleNames((e) => e.kind === 'axis');
    const help = { help: `declare it: axis ${name} = …`, ...nameHelp(name, span, axes) };
    cx.reportUnknown(`axis ${name}`, 'MOE0201', span, { message: `no axis is called ${name}`, ...help });
    return null;
  }
  const { entity } = found.binding;
  switch (entity.kind) {
    case 'axis':
      return { axis: entity.axis.axis, primes: entity.axis.primes + primes };
    case 'error':
    case 'pending':
      return null;
    default: {
      const axes = scope.visibleNames((e) => e.kind === 'axis');
      cx.reportUnknown(`axis ${name}`, 'MOE0204', span, {
        message: `an axis is wanted here, ${name} is ${describe(entity)}`,
        labels: found.binding.span === null ? [] : [{ span: found.binding.span, text: `${name} is declared here` }],
        ...nameHelp(name, span, axes),
      });
      return null;
    }
  }
}

export function resolveAxisName(cx: Context, scope: NameScope, axis: ast.AxisName): AxisVar | null {
  return resolveAxis(cx, scope, axis.name, axis.primes, axis.span);
}

/** The axes that `over:` or a list in parentheses names; null after a diagnostic. */
export function axesOfExpr(cx: Context, scope: NameScope, expr: ast.AstExpr): readonly AxisVar[] | null {
  if (expr.kind === 'Name') {
    const axis = resolveAxis(cx, scope, expr.name, expr.primes, expr.span);
    return axis === null ? null : [axis];
  }
  if (expr.kind === 'Tuple') {
    const axes = expr.items.map((item) => (item.kind === 'Tuple' ? notAnAxis(cx, item) : axesOfExpr(cx, scope, item)));
    const found = axes.filter((a) => a !== null);
    return found.length === axes.length ? found.flat() : null;
  }
  return notAnAxis(cx, expr);
}

function notAnAxis(cx: Context, expr: ast.AstExpr): null {
  if (expr.kind !== 'Error')
    cx.report('MOE0204', expr.span, { message: 'an axis is wanted here, or several in parentheses' });
  return null;
}

export function axesOfLabel(cx: Context, scope: NameScope, label: ast.ArgLabel): readonly AxisVar[] | null {
  if (label.kind === 'NameLabel') {
    const axis = resolveAxis(cx, scope, label.name, label.primes, label.span);
    return axis === null ? null : [axis];
  }
  return resolveAxisList(cx, scope, label.axes);
}

export function resolveAxisList(
  cx: Context,
  scope: NameScope,
  axes: readonly ast.AxisName[],
): readonly AxisVar[] | null {
  const found = axes.map((a) => resolveAxisName(cx, scope, a));
  const whole = found.filter((a) => a !== null);
  return whole.length === found.length ? whole : null;
}
