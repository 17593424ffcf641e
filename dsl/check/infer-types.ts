/**
 * Expressions: what each one is, a static, a typed value or a family of functions. One mistake gives one diagnostic: an
 * expression with a mistake is an error value, and whatever is made of it says nothing. The rules are in a file for each way of
 * writing: names, calls, operators, indices, chains, `if`; here are literals and tuples.
 */
import type * as ast from '../syntax/ast.ts';
import { unreachable } from '../diagnostics/bug.ts';
import { checkCall } from './check-callees.ts';
import { checkChain } from './check-chains.ts';
import { checkIndex } from './check-indexing.ts';
import { checkName, checkPath } from './check-names.ts';
import { checkBinary, checkDot, checkUnary } from './check-operators.ts';
import { writtenArguments, type Argument } from './check-primitive-calls.ts';
import { exactLiteral } from './check-statics.ts';
import { checkIf } from './conditions.ts';
import type { Context } from './context.ts';
import { errorValue, type CheckedValue, type ExprContext } from './name-scope.ts';

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
      return checkUnary(cx, env, expr);
    case 'Binary':
    case 'Compare':
    case 'Logical':
      return checkBinary(cx, env, expr);
    case 'Dot':
      return checkDot(cx, env, expr);
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
