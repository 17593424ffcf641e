/** Kernels as data: a change to every expression or statement, bottom up, without folding or checking anything. */
import type { KernelExpr, Kernel, KernelStmt } from '../../compiler/kernel/kernel-ir.ts';

export type OnExpr = (expr: KernelExpr) => KernelExpr;
export type OnStmt = (stmt: KernelStmt, depth: number) => KernelStmt;

export function inExpr(expr: KernelExpr, f: OnExpr): KernelExpr {
  const go = (e: KernelExpr): KernelExpr => inExpr(e, f);
  switch (expr.kind) {
    case 'literal':
    case 'local':
    case 'builtin':
    case 'uniform':
    case 'buffer_length':
      return f(expr);
    case 'load':
    case 'load_array':
      return f({ ...expr, index: go(expr.index) });
    case 'unary':
    case 'convert':
    case 'bitcast':
    case 'splat':
    case 'component':
      return f({ ...expr, operand: go(expr.operand) });
    case 'vector':
      return f({ ...expr, parts: expr.parts.map(go) });
    case 'binary':
      return f({ ...expr, left: go(expr.left), right: go(expr.right) });
    case 'select':
      return f({ ...expr, condition: go(expr.condition), then: go(expr.then), else: go(expr.else) });
    case 'fma':
      return f({ ...expr, a: go(expr.a), b: go(expr.b), c: go(expr.c) });
  }
}

/** `depth` is the number of loops around a statement. */
export function inBody(body: readonly KernelStmt[], onExpr: OnExpr, onStmt: OnStmt, depth = 0): readonly KernelStmt[] {
  const go = (e: KernelExpr): KernelExpr => inExpr(e, onExpr);
  return body.map((s): KernelStmt => {
    switch (s.kind) {
      case 'let':
      case 'var':
      case 'assign':
        return onStmt({ ...s, value: go(s.value) }, depth);
      case 'store':
      case 'store_array':
      case 'atomic':
        return onStmt({ ...s, index: go(s.index), value: go(s.value) }, depth);
      case 'if': {
        const part = (list: readonly KernelStmt[]) => inBody(list, onExpr, onStmt, depth);
        return onStmt({ ...s, condition: go(s.condition), then: part(s.then), else: part(s.else) }, depth);
      }
      case 'for': {
        const inner = inBody(s.body, onExpr, onStmt, depth + 1);
        return onStmt({ ...s, from: go(s.from), to: go(s.to), step: go(s.step), body: inner }, depth);
      }
      case 'subgroup':
        return onStmt({ ...s, value: go(s.value), lane: s.lane === null ? null : go(s.lane) }, depth);
      case 'break':
      case 'return':
      case 'barrier':
        return onStmt(s, depth);
    }
  });
}

export function inKernel(kernel: Kernel, changes: { readonly expr?: OnExpr; readonly stmt?: OnStmt }): Kernel {
  const { expr = (e) => e, stmt = (s) => s } = changes;
  return { ...kernel, name: `mutant_${kernel.name}`, body: inBody(kernel.body, expr, stmt) };
}
