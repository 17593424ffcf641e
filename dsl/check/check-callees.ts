/** What is called, and with which arguments: a primitive, an element type, a family of functions, a template. */
import type { ElementType } from '../types/program.ts';
import type * as ast from '../syntax/ast.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import { primitivesNamed } from '../primitives/primitive-table.ts';
import { callFamily, type BoundArgument } from './check-calls.ts';
import { calledName } from './check-names.ts';
import { applyPrimitive, callPrimitive, type Argument } from './check-primitive-calls.ts';
import { truncatedToI32 } from './check-statics.ts';
import type { Context } from './context.ts';
import { foreignCall } from './foreign-calls.ts';
import { isElementType } from './lookup.ts';
import { errorValue, type CheckedValue, type ExprContext, type Family } from './name-scope.ts';
import { directCall } from './templates.ts';
import { checkIs } from './unions.ts';
import { toExpr, typedValue } from './values.ts';

/** A call or a pipe: of a primitive, an element type, a family, a template without params, states or controls. */
export function checkCall(
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
      // A primitive of its own kind: its argument is the name of a part of a union, which is no value.
      if (callee.name === 'is') return checkIs(cx, inner, args, span);
      if (isElementType(callee.name)) return callConvert(cx, inner, callee.name, args, span);
      if (primitivesNamed(callee.name).length > 0) return callPrimitive(cx, inner, callee.name, args, span);
    } else if (found.binding.entity.kind === 'template') {
      // Names among the arguments, for advice: who writes `SwiGLU(D, F)` meant axes.
      const names = args.flatMap((a) => (a.ast?.kind === 'Name' ? [a.ast.name] : []));
      const family = directCall(cx, env.scope, found.binding.entity.template, names, callee.span);
      return family === null ? skipArguments(cx, inner, args) : applyFamily(cx, inner, family, args, span);
    }
  }
  const foreign = foreignCall(cx, inner, callee, args);
  if (foreign !== null) return foreign;
  const target = callee.kind === 'Name' ? calledName(cx, inner, callee) : cx.expr(inner, callee);
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

/** Reads the arguments of a call that cannot be typed: their own mistakes are still told. */
function skipArguments(cx: Context, env: ExprContext, args: readonly Argument[]): CheckedValue {
  for (const arg of args) if (arg.label === null && arg.ast !== null) cx.expr(env, arg.ast);
  return errorValue;
}

function callConvert(
  cx: Context,
  env: ExprContext,
  element: ElementType,
  args: readonly Argument[],
  span: Span,
): CheckedValue {
  const [arg] = args;
  if (arg === undefined || args.length !== 1 || arg.label !== null) {
    cx.report('MOE0328', span, { message: `${element} converts one value`, help: `${element}(x)` });
    return errorValue;
  }
  const x = arg.value ?? (arg.ast === null ? errorValue : cx.expr(env, arg.ast));
  if (x.kind === 'static' && x.value.type === 'number' && element === 'i32') {
    const value = truncatedToI32(cx, x.value);
    return value === null ? errorValue : typedValue(toExpr(cx, { kind: 'static', value }, element, arg.span));
  }
  // An untyped value takes the wanted element type; it is not converted.
  if (x.kind === 'static' || (x.kind === 'value' && x.typedAs !== null)) {
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
    value: arg.value ?? (arg.ast === null ? errorValue : cx.expr(env, arg.ast)),
    span: arg.span,
  });
  if (args.every((a) => a.label === null)) return callFamily(cx, env.scope, family, args.map(read), span);
  const bound: (BoundArgument | undefined)[] = family.formals.map(() => undefined);
  let next = 0;
  for (const arg of args) {
    const { label } = arg;
    const name = label?.kind === 'NameLabel' ? label.name : null;
    const position = label === null ? next++ : family.formals.findIndex((f) => f.name === name);
    if (position < 0 || position >= bound.length || bound[position] !== undefined) {
      cx.report('MOE0306', label?.span ?? arg.span, {
        message: `${family.name} has no argument ${name ?? 'here'} left to give`,
        help: `its arguments are ${family.formals.map((f) => f.name).join(', ')}`,
      });
      return errorValue;
    }
    bound[position] = read(arg);
  }
  const lacking = family.formals.filter((_, i) => bound[i] === undefined).map((f) => f.name);
  if (lacking.length > 0) {
    cx.report('MOE0306', span, {
      message: `${family.name} lacks the argument${lacking.length === 1 ? '' : 's'} ${lacking.join(', ')}`,
      help: `its arguments are ${family.formals.map((f) => f.name).join(', ')}`,
    });
    return errorValue;
  }
  return callFamily(
    cx,
    env.scope,
    family,
    bound.filter((p) => p !== undefined),
    span,
  );
}
