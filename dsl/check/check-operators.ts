/** Operators: each is the primitive of its sign, with the operands it is written between. `@` finds the axes that it contracts. */
import type * as ast from '../syntax/ast.ts';
import type { PrimitiveName } from '../types/primitive-names.ts';
import { contractionAxes } from '../primitives/dot.ts';
import { isProblem } from '../primitives/primitive.ts';
import { applyPrimitive } from './check-primitive-calls.ts';
import type { Context } from './context.ts';
import { contractionHelp } from './contraction-help.ts';
import { errorValue, type CheckedValue, type ExprContext } from './name-scope.ts';
import { toExpr } from './values.ts';

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

export function checkBinary(cx: Context, env: ExprContext, expr: ast.Binary | ast.Compare | ast.Logical): CheckedValue {
  const x = cx.expr(env, expr.left);
  const y = cx.expr(env, expr.right);
  const spans = new Map([
    ['x', expr.left.span],
    ['y', expr.right.span],
  ]);
  return applyPrimitive(
    cx,
    signs[expr.op],
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

export function checkUnary(cx: Context, env: ExprContext, expr: ast.Unary): CheckedValue {
  const x = cx.expr(env, expr.operand);
  const name = expr.op === '-' ? 'neg' : 'not';
  return applyPrimitive(
    cx,
    name,
    { values: new Map([['x', x]]), spans: new Map([['x', expr.operand.span]]) },
    expr.span,
  );
}

/** `a @ b`: which axes it contracts is the primitive's rule, the program holds them. */
export function checkDot(cx: Context, env: ExprContext, expr: ast.Dot): CheckedValue {
  const left = cx.expr(env, expr.left);
  const right = cx.expr(env, expr.right);
  if (left.kind === 'error' || right.kind === 'error') return errorValue;
  const a = toExpr(cx, left, null, expr.left.span);
  const b = toExpr(cx, right, null, expr.right.span);
  if (a === null || b === null) return errorValue;
  const axes = contractionAxes(a.type, b.type, cx.nameOf);
  if (isProblem(axes)) {
    const culprit = axes.at === 'left' ? expr.left.span : axes.at === 'right' ? expr.right.span : expr.span;
    const help = axes.code === 'MOE0335' ? contractionHelp(cx, expr, a, b) : axes.help;
    cx.report(axes.code, culprit, { message: axes.message, help });
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
