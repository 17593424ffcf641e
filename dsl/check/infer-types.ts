/**
 * Expressions: what each one is, a static, a typed value or a family of functions. One mistake gives one diagnostic: an
 * expression with a mistake is an error value, and whatever is made of it says nothing.
 */
import type * as ast from '../syntax/ast.ts';
import { unreachable } from '../diagnostics/bug.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import type { PrimitiveName } from '../types/primitive-names.ts';
import { contractionAxes } from '../primitives/dot.ts';
import { isProblem } from '../primitives/primitive.ts';
import { predefinedNames, primitivesNamed } from '../primitives/primitive-table.ts';
import { checkChain } from './check-chains.ts';
import { checkIf } from './conditions.ts';
import { contractionHelp } from './contraction-help.ts';
import { foreignCall, reportMember } from './foreign-calls.ts';
import { adviceFor, isForeignModule } from './foreign-idioms.ts';
import { callFamily, type BoundArgument } from './check-calls.ts';
import type { Context } from './context.ts';
import { variablePath } from './check-families.ts';
import { checkIndex } from './check-indexing.ts';
import { describe, isElementType, resolve } from './lookup.ts';
import { applyPrimitive, callPrimitive, writtenArguments, type Argument } from './check-primitive-calls.ts';
import { errorValue, type Entity, type ExprContext, type Family, type CheckedValue } from './name-scope.ts';
import { exactLiteral, truncatedToI32 } from './check-statics.ts';
import { directCall } from './templates.ts';
import { checkIs } from './unions.ts';
import { localExpr, untypedByConversion, typedValue, toExpr } from './values.ts';

export function checkExpr(cx: Context, env: ExprContext, expr: ast.AstExpr): CheckedValue {
  switch (expr.kind) {
    case 'Number': {
      const exact = exactLiteral(expr.text);
      // The lexer has said what is wrong with any other text.
      if (exact === null) return errorValue;
      return { kind: 'static', value: { kind: 'number', type: 'number', ...exact, span: expr.span } };
    }
    case 'String':
      return { kind: 'static', value: { kind: 'string', type: 'string', value: expr.value, span: expr.span } };
    case 'Bool':
      return { kind: 'static', value: { kind: 'bool', type: 'bool', value: expr.value, span: expr.span } };
    case 'Name':
      return checkName(cx, env, expr);
    case 'Call':
      return checkCall(cx, env, expr.callee, writtenArguments(expr.args), expr.span);
    case 'Pipe': {
      const input = checkExpr(cx, { ...env, points: null }, expr.input);
      const first: Argument = { label: null, ast: null, value: input, span: expr.input.span };
      return checkCall(cx, env, expr.callee, [first, ...writtenArguments(expr.args)], expr.span);
    }
    case 'Index':
      return checkIndex(cx, env, expr);
    case 'Path':
      return checkPath(cx, env, expr);
    case 'Unary':
      return unary(cx, env, expr);
    case 'Binary':
    case 'Compare':
    case 'Logical':
      return binary(cx, env, expr, signs[expr.op]);
    case 'Dot':
      return contraction(cx, env, expr);
    case 'Tuple':
      return tuple(cx, env, expr);
    case 'Record':
      return record(cx, env, expr);
    case 'Chain':
      return checkChain(cx, env, expr);
    case 'If':
      return checkIf(cx, env, expr);
    case 'Error':
      return errorValue;
    default:
      return unreachable(expr, 'check');
  }
}

const signs: Record<ast.AstBinaryOp | ast.CompareOp | ast.Logical['op'], PrimitiveName> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'mod',
  '**': 'pow',
  '==': 'eq',
  '!=': 'ne',
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
  and: 'and',
  or: 'or',
};

function binary(
  cx: Context,
  env: ExprContext,
  expr: ast.Binary | ast.Compare | ast.Logical,
  name: PrimitiveName,
): CheckedValue {
  const x = checkExpr(cx, env, expr.left);
  const y = checkExpr(cx, env, expr.right);
  const spans = new Map([
    ['x', expr.left.span],
    ['y', expr.right.span],
  ]);
  return applyPrimitive(
    cx,
    name,
    {
      values: new Map([
        ['x', x],
        ['y', y],
      ]),
      spans,
    },
    expr.span,
  );
}

function unary(cx: Context, env: ExprContext, expr: ast.Unary): CheckedValue {
  const x = checkExpr(cx, env, expr.operand);
  const name = expr.op === '-' ? 'neg' : 'not';
  return applyPrimitive(
    cx,
    name,
    { values: new Map([['x', x]]), spans: new Map([['x', expr.operand.span]]) },
    expr.span,
  );
}

/** `a @ b`: which axes it contracts is the algebra's rule, the program holds them. */
function contraction(cx: Context, env: ExprContext, expr: ast.Dot): CheckedValue {
  const left = checkExpr(cx, env, expr.left);
  const right = checkExpr(cx, env, expr.right);
  if (left.kind === 'error' || right.kind === 'error') return errorValue;
  const a = toExpr(cx, left, null, expr.left.span);
  const b = toExpr(cx, right, null, expr.right.span);
  if (a === null || b === null) return errorValue;
  const axes = contractionAxes(a.type, b.type, cx.nameOf);
  if (isProblem(axes)) {
    const place = axes.at === 'left' ? expr.left.span : axes.at === 'right' ? expr.right.span : expr.span;
    const help = axes.code === 'MOE0335' ? contractionHelp(cx, expr, a, b) : axes.help;
    cx.report(axes.code, place, { message: axes.message, help });
    return errorValue;
  }
  const values = new Map([
    ['left', left],
    ['right', right],
  ]);
  const spans = new Map([
    ['left', expr.left.span],
    ['right', expr.right.span],
    ['over', expr.span],
  ]);
  return applyPrimitive(cx, 'dot', { values, axes: new Map([['over', axes]]), spans }, expr.span);
}

function tuple(cx: Context, env: ExprContext, expr: ast.Tuple): CheckedValue {
  const items = expr.items.map((item) => checkExpr(cx, env, item));
  if (items.some((item) => item.kind === 'error')) return errorValue;
  return { kind: 'tuple', items, names: [], span: expr.span };
}

/** A record, in the order of the declared result if that has the same names. */
function record(cx: Context, env: ExprContext, expr: ast.RecordExpr): CheckedValue {
  const read = expr.fields.map((field) => ({ name: field.name.text, value: checkExpr(cx, env, field.value) }));
  if (read.some((field) => field.value.kind === 'error')) return errorValue;
  const order = env.scope.owner.resultNames;
  const sorted = order.flatMap((name) => read.filter((field) => field.name === name));
  const fields = sorted.length === read.length && sorted.length === order.length ? sorted : read;
  return { kind: 'tuple', items: fields.map((f) => f.value), names: fields.map((f) => f.name), span: expr.span };
}

function checkName(cx: Context, env: ExprContext, expr: ast.NameExpr): CheckedValue {
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
  const pointOf = (axis: { readonly axis: number; readonly primes: number }): CheckedValue | null => {
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
      return entity.ones ? untypedByConversion(local) : typedValue(local);
    }
    case 'store': {
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
      return typedValue({ kind: 'store', decl: declaration.id, via: [], type: declaration.type, span });
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

/** A call or a pipe: of a primitive, an element type, a family, a template without stores. */
function checkCall(
  cx: Context,
  env: ExprContext,
  callee: ast.AstExpr,
  args: readonly Argument[],
  span: Span,
): CheckedValue {
  const inner: ExprContext = { scope: env.scope, points: null };
  if (callee.kind === 'Name' && callee.primes === 0) {
    const found = env.scope.lookup(callee.name);
    if (found === null) {
      if (callee.name === 'is') return checkIs(cx, inner, args, span);
      if (isElementType(callee.name)) return callConvert(cx, inner, callee.name, args, span);
      if (primitivesNamed(callee.name).length > 0) return callPrimitive(cx, inner, callee.name, args, span);
    } else if (found.binding.entity.kind === 'template') {
      const written = args.flatMap((a) => (a.ast?.kind === 'Name' ? [a.ast.name] : []));
      const family = directCall(cx, env.scope, found.binding.entity.template, written, callee.span);
      return family === null ? skipArguments(cx, inner, args) : applyFamily(cx, inner, family, args, span);
    }
  }
  const foreign = foreignCall(cx, inner, callee, args);
  if (foreign !== null) return foreign;
  const target = callee.kind === 'Name' ? calledName(cx, inner, callee) : checkExpr(cx, inner, callee);
  if (target.kind === 'family') return applyFamily(cx, inner, target.family, args, span);
  if (target.kind !== 'error') {
    const what = callee.kind === 'Name' ? callee.name : 'this';
    cx.report('MOE0216', callee.span, {
      message: `${what} is a value, only a function can be called`,
      help: 'an index is written in brackets: x[T: 0]',
    });
  }
  return skipArguments(cx, inner, args);
}

/** A name that is called: suggestions are functions. */
function calledName(cx: Context, env: ExprContext, callee: ast.NameExpr): CheckedValue {
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

/** Reads the arguments of a call that cannot be typed: their own mistakes are still told. */
function skipArguments(cx: Context, env: ExprContext, args: readonly Argument[]): CheckedValue {
  for (const arg of args) if (arg.label === null && arg.ast !== null) checkExpr(cx, env, arg.ast);
  return errorValue;
}

function callConvert(
  cx: Context,
  env: ExprContext,
  element: 'f32' | 'f16' | 'i32' | 'bool',
  args: readonly Argument[],
  span: Span,
): CheckedValue {
  const [arg] = args;
  if (arg === undefined || args.length !== 1 || arg.label !== null) {
    cx.report('MOE0328', span, { message: `${element} converts one value`, help: `${element}(x)` });
    return errorValue;
  }
  const x = arg.value ?? (arg.ast === null ? errorValue : checkExpr(cx, env, arg.ast));
  if (x.kind === 'static' && x.value.type === 'number' && element === 'i32') {
    const value = truncatedToI32(cx, x.value);
    return value === null ? errorValue : typedValue(toExpr(cx, { kind: 'static', value }, element, arg.span));
  }
  // What has no settled element type yet is made of the wanted one.
  if (x.kind === 'static' || (x.kind === 'value' && x.adopt !== null)) {
    if (element !== 'bool' && !(x.kind === 'static' && x.value.type !== 'number'))
      return typedValue(toExpr(cx, x, element, arg.span));
  }
  return applyPrimitive(
    cx,
    'convert',
    { values: new Map([['x', x]]), spans: new Map([['x', arg.span]]), element },
    span,
  );
}

/** Arguments of a family: by position, or by the names of the formals. */
function applyFamily(
  cx: Context,
  env: ExprContext,
  family: Family,
  args: readonly Argument[],
  span: Span,
): CheckedValue {
  const read = (arg: Argument): BoundArgument => ({
    value: arg.value ?? (arg.ast === null ? errorValue : checkExpr(cx, env, arg.ast)),
    span: arg.span,
  });
  if (args.every((a) => a.label === null)) return callFamily(cx, env.scope, family, args.map(read), span);
  const placed: (BoundArgument | undefined)[] = family.formals.map(() => undefined);
  let next = 0;
  for (const arg of args) {
    const { label } = arg;
    const name = label?.kind === 'NameLabel' ? label.name : null;
    const position = label === null ? next++ : family.formals.findIndex((f) => f.name === name);
    if (position < 0 || position >= placed.length || placed[position] !== undefined) {
      cx.report('MOE0306', label?.span ?? arg.span, {
        message: `${family.name} has no argument ${name ?? 'here'} left to give`,
        help: `its arguments are ${family.formals.map((f) => f.name).join(', ')}`,
      });
      return errorValue;
    }
    placed[position] = read(arg);
  }
  const whole = placed.filter((p) => p !== undefined);
  return callFamily(cx, env.scope, family, whole, span);
}

function checkPath(cx: Context, env: ExprContext, expr: ast.PathExpr): CheckedValue {
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
  const target = checkExpr(cx, { ...env, points: null }, root);
  if (target.kind === 'error') return errorValue;
  if (target.kind === 'family') return variablePath(cx, env.scope, target.family, names, expr.span);
  reportMember(cx, expr, target);
  return errorValue;
}
