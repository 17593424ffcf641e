/**
 * `require c else "…"`: what must hold wherever the result of the body is needed. It changes no value. Known when compiling it is
 * an obligation of compiling (MOE0360), else of the run (MOE0723).
 */
import type * as ast from '../syntax/ast.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import type { Context } from './context.ts';
import type { MessagePart, Stmt } from '../types/program.ts';
import type { NameScope } from './name-scope.ts';
import { formatType } from './types.ts';
import { toExpr } from './values.ts';

export function checkRequire(cx: Context, scope: NameScope, stmt: ast.Require, out: Stmt[]): void {
  const value = cx.expr({ scope, points: null }, stmt.condition);
  const message = stmt.message === undefined ? null : messageOf(cx, scope, stmt.message);
  const { span } = stmt.condition;
  if (value.kind === 'static' && value.value.type !== 'bool') {
    cx.report('MOE0441', span, {
      message: `what is required is a condition, this is a ${value.value.type}`,
      help: 'compare it: … != 0',
    });
    return;
  }
  const expr = toExpr(cx, value, 'bool', span);
  if (expr === null) return;
  const { type } = expr;
  if (type.kind !== 'tensor' || type.element !== 'bool') {
    cx.report('MOE0441', span, {
      message: `what is required is a condition, this is ${formatType(type, cx.nameOf)}`,
      help:
        type.kind === 'route'
          ? `say how many points must be present: count(…, over: ${type.targets.map(cx.nameOf).join(', ')}) > 0`
          : 'compare it: … != 0',
    });
    return;
  }
  out.push({ kind: 'require', value: expr, message: message ?? [], span });
}

/** The text with what stands in braces: scalars in sight, and axes, which show their size. Null after a diagnostic. */
function messageOf(cx: Context, scope: NameScope, literal: ast.StringLiteral): readonly MessagePart[] | null {
  const parts: MessagePart[] = [];
  const pieces = literal.value.split(/([{}])/);
  let name: string | null = null;
  for (const piece of pieces) {
    if (piece === '{') {
      if (name !== null) return refused(cx, literal.span, 'a brace within braces');
      name = '';
    } else if (piece === '}') {
      if (name === null) return refused(cx, literal.span, 'a brace that closes nothing');
      const shown = shownValue(cx, scope, name.trim(), literal.span);
      if (shown === null) return null;
      parts.push(shown);
      name = null;
    } else if (name === null) parts.push(piece);
    else name = piece;
  }
  return name === null ? parts.filter((part) => part !== '') : refused(cx, literal.span, 'a brace that is not closed');
}

function shownValue(cx: Context, scope: NameScope, name: string, span: Span): MessagePart | null {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return refused(cx, span, `\`{${name}}\``);
  const value = cx.expr({ scope, points: null }, { kind: 'Name', name, primes: 0, span });
  const expr = value.kind === 'error' ? null : toExpr(cx, value, null, span);
  if (expr === null) return null;
  if (expr.type.kind === 'tensor' && expr.type.axes.length === 0) return { name, value: expr };
  return refused(cx, span, `${name}, which is ${formatType(expr.type, cx.nameOf)}`);
}

function refused(cx: Context, span: Span, what: string): null {
  cx.report('MOE0361', span, {
    message: `this text has ${what}`,
    help: 'in braces stands the name of a scalar in sight, or of an axis, which shows its size',
  });
  return null;
}
