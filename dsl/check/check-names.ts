/** Names and paths as expressions: what the thing that a name means is as a value. */
import type * as ast from '../syntax/ast.ts';
import { unreachable } from '../diagnostics/bug.ts';
import type { AxisVar } from '../types/program.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import { predefinedNames, primitivesNamed } from '../primitives/primitive-table.ts';
import { variablePath } from './check-families.ts';
import type { Context } from './context.ts';
import { reportMember } from './foreign-calls.ts';
import { adviceFor, isForeignModule } from './foreign-idioms.ts';
import { describe, isElementType, resolve } from './lookup.ts';
import { errorValue, type CheckedValue, type Entity, type ExprContext } from './name-scope.ts';
import { localExpr, typedValue, untypedByConversion } from './values.ts';

export function checkName(cx: Context, env: ExprContext, expr: ast.NameExpr): CheckedValue {
  const { scope } = env;
  const point = expr.primes === 0 ? pointNamed(cx, env, expr.name, expr.span) : null;
  if (point !== null) return point;
  if (expr.name === 'inf' && expr.primes === 0)
    return { kind: 'static', value: { kind: 'infinity', type: 'number', span: expr.span } };
  if (scope.lookup(expr.name) === null && (primitivesNamed(expr.name).length > 0 || isElementType(expr.name))) {
    cx.report('MOE0205', expr.span, {
      message: `${expr.name} is an operation of the language, not a value`,
      help: `call it: ${expr.name}(…)`,
    });
    return errorValue;
  }
  const entity = resolve(cx, scope, expr.name, expr.span);
  return entity === null ? errorValue : valueOfEntity(cx, env, entity, expr);
}

/** A named point: of the axis that is indexed, else of the one axis that has it, unless the name is declared. */
function pointNamed(cx: Context, env: ExprContext, name: string, span: Span): CheckedValue | null {
  const { points, scope } = env;
  const pointOf = (axis: AxisVar): CheckedValue | null => {
    const of = cx.axisOf(axis).of;
    const position = of.kind === 'points' ? of.names.indexOf(name) : -1;
    return position < 0 ? null : { kind: 'static', value: { kind: 'point', type: 'number', axis, position, span } };
  };
  if (points !== null) {
    const point = pointOf(points);
    if (point !== null) return point;
  }
  if (scope.lookup(name) !== null) return null;
  const axes = scope.pointAxes(name);
  const [axis] = axes;
  if (axis === undefined) return null;
  if (axes.length === 1) return pointOf(axis);
  cx.report('MOE0213', span, {
    message: `${name} is a point of ${axes.map(cx.nameOf).join(' and of ')}`,
    help: `say which: [${cx.nameOf(axis)}: ${name}]`,
  });
  return errorValue;
}

function valueOfEntity(cx: Context, env: ExprContext, entity: Entity, expr: ast.NameExpr): CheckedValue {
  const { span } = expr;
  if (expr.primes > 0 && entity.kind !== 'axis' && entity.kind !== 'error') {
    cx.report('MOE0204', span, { message: `only an axis has twins, ${expr.name} is ${describe(entity)}` });
    return errorValue;
  }
  switch (entity.kind) {
    case 'error':
    case 'pending':
      return errorValue;
    case 'axis':
      return {
        kind: 'static',
        value: { kind: 'size', type: 'number', axis: { axis: entity.axis.axis, primes: expr.primes }, span },
      };
    case 'const':
      return { kind: 'static', value: { kind: 'const', decl: entity.decl, type: entity.type, span } };
    case 'index':
      return { kind: 'static', value: { kind: 'index', index: entity.index, type: 'number', span } };
    case 'static':
      return { kind: 'static', value: entity.value };
    case 'local': {
      const local = localExpr(entity.local, expr.name, entity.type, span);
      return entity.untyped ? untypedByConversion(local) : typedValue(local);
    }
    case 'variable': {
      const { declaration } = entity;
      const { named, name } = env.scope.owner;
      const unnamed =
        named === null
          ? []
          : declaration.type.axes.filter((a) => cx.isDynamic(a.axis) && !named.some((n) => n.axis === a.axis));
      const [axis] = unnamed;
      if (axis !== undefined) {
        cx.report('MOE0322', span, {
          message: `${expr.name} runs over ${cx.nameOf(axis)}, which the signature of ${name} does not name`,
          labels: [{ span: declaration.span, text: `${expr.name} is declared here` }],
          help: `name ${cx.nameOf(axis)} in the signature, or give ${expr.name} as an argument`,
        });
        return errorValue;
      }
      return typedValue({ kind: 'variable', decl: declaration.id, via: [], type: declaration.type, span });
    }
    case 'family':
      return { kind: 'family', family: { ...entity.family, expr: { ...entity.family.expr, span } } };
    case 'template':
      cx.report('MOE0403', span, {
        message: `${entity.template.name} is a template, not a value`,
        help: `make an instance of it: ${instanceKeyword[entity.template.role]} f = ${entity.template.name}<…>`,
      });
      return errorValue;
    default:
      return unreachable(entity, 'check');
  }
}

const instanceKeyword = { expert: 'experts', router: 'router', fn: 'fn' } as const;

/** A name that is called: suggestions are functions. */
export function calledName(cx: Context, env: ExprContext, callee: ast.NameExpr): CheckedValue {
  const entity = resolve(
    cx,
    env.scope,
    callee.name,
    callee.span,
    (e) => e.kind === 'family' || e.kind === 'template',
    predefinedNames,
  );
  return entity === null ? errorValue : valueOfEntity(cx, env, entity, callee);
}

export function checkPath(cx: Context, env: ExprContext, expr: ast.PathExpr): CheckedValue {
  const names: ast.Ident[] = [expr.name];
  let root: ast.AstExpr = expr.target;
  while (root.kind === 'Path') {
    names.unshift(root.name);
    root = root.target;
  }
  if (root.kind === 'Name' && isForeignModule(root.name) && env.scope.lookup(root.name) === null) {
    cx.report('MOE0201', expr.span, {
      message: `nothing is called ${root.name}`,
      help: adviceFor(expr.name.text, [], null) ?? 'operations are called by their names: `softmax(x, over: D)`',
    });
    return errorValue;
  }
  const target = cx.expr({ ...env, points: null }, root);
  if (target.kind === 'error') return errorValue;
  if (target.kind === 'family') return variablePath(cx, env.scope, target.family, names, expr.span);
  reportMember(cx, expr, target);
  return errorValue;
}
