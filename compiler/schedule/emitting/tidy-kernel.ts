/**
 * Tidying a kernel that was written from the inside out: indices are decoded whether anybody needs them or not, and a value gets a
 * name where it already had one.
 *
 * Before: `let v1 = i0; let q2 = p / n1; y[v1] = x[v1]`. After: `y[i0] = x[i0]`. Exact: only names go, no operation is moved.
 */
import type { KernelExpr, Kernel, KernelStmt } from '../../kernel/kernel-ir.ts';
import { rewriteExprs } from '../../kernel/legalise/rewrite.ts';
import { blocksOf, expressionsOf, forEachExpr, forEachOperand, forEachStatement } from '../../kernel/visit-kernel.ts';

export function tidyKernel(kernel: Kernel): Kernel {
  const named = withoutDeadStores(withoutCopies(kernel));
  return { ...named, body: withoutDeadLets(named.body) };
}

/** Without what is kept and never read again: arrays, and mutable locals. */
function withoutDeadStores(kernel: Kernel): Kernel {
  const read = new Set<string>();
  const arrays = new Set<string>();
  forEachExpr(kernel.body, (expr) => {
    if (expr.kind === 'local') read.add(expr.name);
    if (expr.kind === 'load_array') arrays.add(expr.array);
  });
  const isDead = (statement: KernelStmt): boolean =>
    (statement.kind === 'store_array' && !arrays.has(statement.array)) ||
    ((statement.kind === 'var' || statement.kind === 'assign') && !read.has(statement.name));
  const sweep = (block: readonly KernelStmt[]): readonly KernelStmt[] =>
    block
      .filter((statement) => !isDead(statement))
      .map((statement) => {
        if (statement.kind === 'if') return { ...statement, then: sweep(statement.then), else: sweep(statement.else) };
        return statement.kind === 'for' ? { ...statement, body: sweep(statement.body) } : statement;
      });
  return { ...kernel, arrays: kernel.arrays.filter(({ name }) => arrays.has(name)), body: sweep(kernel.body) };
}

/** Names of buffers, uniforms and locals that are read or stored to. */
export function namesUsed(body: readonly KernelStmt[]): ReadonlySet<string> {
  const used = new Set<string>();
  forEachExpr(body, (expr) => {
    if (expr.kind === 'local' || expr.kind === 'uniform') used.add(expr.name);
    if (expr.kind === 'load' || expr.kind === 'buffer_length') used.add(expr.buffer);
  });
  forEachStatement(body, (statement) => {
    if (statement.kind === 'store' || statement.kind === 'atomic') used.add(statement.buffer);
  });
  return used;
}

/** Reads of a let that only repeats another let, a counter or a uniform read that instead. */
function withoutCopies(kernel: Kernel): Kernel {
  const fixed = new Set<string>();
  const copies = new Map<string, KernelExpr>();
  forEachStatement(kernel.body, (statement) => {
    if (statement.kind === 'for') fixed.add(statement.name);
    if (statement.kind !== 'let') return;
    fixed.add(statement.name);
    const { value } = statement;
    // A let of a mutable local is a snapshot of it, no copy.
    const same = value.kind === 'uniform' || (value.kind === 'local' && fixed.has(value.name));
    if (same) copies.set(statement.name, value.kind === 'local' ? (copies.get(value.name) ?? value) : value);
  });
  if (copies.size === 0) return kernel;
  return rewriteExprs(kernel, (expr) => (expr.kind === 'local' ? (copies.get(expr.name) ?? expr) : expr));
}

/**
 * The statements without lets that are never read, nor those only such lets read. One backward pass over each block is enough: a
 * local is read only after it is declared.
 */
function withoutDeadLets(body: readonly KernelStmt[]): readonly KernelStmt[] {
  const live = new Set<string>();
  const reads = (expr: KernelExpr): void => {
    if (expr.kind === 'local') live.add(expr.name);
    forEachOperand(expr, reads);
  };
  const sweep = (block: readonly KernelStmt[]): readonly KernelStmt[] => {
    const kept: KernelStmt[] = [];
    for (const statement of [...block].reverse()) {
      if (statement.kind === 'let' && !live.has(statement.name)) continue;
      let swept = statement;
      if (statement.kind === 'if') swept = { ...statement, then: sweep(statement.then), else: sweep(statement.else) };
      if (statement.kind === 'for') swept = { ...statement, body: sweep(statement.body) };
      const blocks = blocksOf(swept);
      if (blocks.length > 0 && blocks.every((b) => b.length === 0)) continue;
      expressionsOf(swept).forEach(reads);
      kept.push(swept);
    }
    return kept.reverse();
  };
  return sweep(body);
}
