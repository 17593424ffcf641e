/** Walking kernels: what an expression is made of, what a statement reads and holds. Every visitor goes through here. */
import type { KernelExpr, KernelStmt } from './kernel-ir.ts';

/** Operands of an expression, in order of evaluation. */
export function operandsOf(expr: KernelExpr): readonly KernelExpr[] {
  const operands: KernelExpr[] = [];
  forEachOperand(expr, (operand) => operands.push(operand));
  return operands;
}

/** Does something with each operand, in order of evaluation: what walks whole kernels makes no list for every leaf. */
export function forEachOperand(expr: KernelExpr, visit: (operand: KernelExpr) => void): void {
  switch (expr.kind) {
    case 'literal':
    case 'local':
    case 'builtin':
    case 'uniform':
    case 'buffer_length':
      return;
    case 'load':
    case 'load_array':
      visit(expr.index);
      return;
    case 'unary':
    case 'convert':
    case 'bitcast':
    case 'splat':
    case 'component':
      visit(expr.operand);
      return;
    case 'binary':
      visit(expr.left);
      visit(expr.right);
      return;
    case 'select':
      visit(expr.condition);
      visit(expr.then);
      visit(expr.else);
      return;
    case 'fma':
      visit(expr.a);
      visit(expr.b);
      visit(expr.c);
      return;
    case 'vector':
      for (const part of expr.parts) visit(part);
  }
}

/** The expressions a statement itself evaluates, in order; not those of the blocks it holds. */
export function expressionsOf(statement: KernelStmt): readonly KernelExpr[] {
  const expressions: KernelExpr[] = [];
  forEachOwnExpr(statement, (expr) => expressions.push(expr));
  return expressions;
}

/** Does something with each expression that a statement itself evaluates, in order, as `forEachOperand` does. */
export function forEachOwnExpr(statement: KernelStmt, visit: (expr: KernelExpr) => void): void {
  switch (statement.kind) {
    case 'let':
    case 'var':
    case 'assign':
      visit(statement.value);
      return;
    case 'store':
    case 'store_array':
    case 'atomic':
      visit(statement.index);
      visit(statement.value);
      return;
    case 'if':
      visit(statement.condition);
      return;
    case 'for':
      visit(statement.from);
      visit(statement.to);
      visit(statement.step);
      return;
    case 'subgroup':
      visit(statement.value);
      if (statement.lane !== null) visit(statement.lane);
      return;
    case 'break':
    case 'return':
    case 'barrier':
  }
}

/** The blocks a statement holds. */
export function blocksOf(statement: KernelStmt): readonly (readonly KernelStmt[])[] {
  switch (statement.kind) {
    case 'if':
      return [statement.then, statement.else];
    case 'for':
      return [statement.body];
    default:
      return [];
  }
}

/** Visits every statement, outer before inner. */
export function forEachStatement(body: readonly KernelStmt[], visit: (statement: KernelStmt) => void): void {
  for (const statement of body) {
    visit(statement);
    if (statement.kind === 'if') {
      forEachStatement(statement.then, visit);
      forEachStatement(statement.else, visit);
    } else if (statement.kind === 'for') forEachStatement(statement.body, visit);
  }
}

/** Names of the locals that statements declare. */
export function declaredIn(body: readonly KernelStmt[]): ReadonlySet<string> {
  const names = new Set<string>();
  forEachStatement(body, (s) => {
    if (s.kind === 'let' || s.kind === 'var' || s.kind === 'for' || s.kind === 'subgroup') names.add(s.name);
  });
  return names;
}

/** Visits every expression and every part of it, outer before inner. */
export function forEachExpr(body: readonly KernelStmt[], visit: (expr: KernelExpr) => void): void {
  const visitAll = (expr: KernelExpr): void => {
    visit(expr);
    forEachOperand(expr, visitAll);
  };
  forEachStatement(body, (statement) => forEachOwnExpr(statement, visitAll));
}

/** Levels of an expression: 1 for a leaf. */
export function exprDepth(expr: KernelExpr): number {
  let below = 0;
  forEachOperand(expr, (operand) => (below = Math.max(below, exprDepth(operand))));
  return 1 + below;
}
