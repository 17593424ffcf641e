/**
 * Tidying a kernel that was written from the inside out: indices are decoded whether anybody needs them or not.
 *
 * Before: `let q2 = p / n1; y[i0] = x[i0]`. After: `y[i0] = x[i0]`. Exact: only names go, no operation is moved.
 */
import type { KernelExpr, Kernel, KernelStmt } from '../../kernel/kernel-ir.ts';
import { forEachExpr, forEachOperand, forEachOwnExpr } from '../../kernel/visit-kernel.ts';

/**
 * The kernel without what is kept and never read: arrays, mutable locals, lets that only other such lets read, and blocks that are empty
 * then; and the names of buffers, uniforms and locals that are read or stored to in it. One backward pass over each block is enough for
 * lets: one is read only after it is declared.
 */
export function tidyKernel(kernel: Kernel): { readonly kernel: Kernel; readonly used: ReadonlySet<string> } {
  const { arrays, locals } = readIn(kernel.body);
  const used = new Set<string>();
  const use = (expr: KernelExpr): void => {
    if (expr.kind === 'local' || expr.kind === 'uniform') used.add(expr.name);
    else if (expr.kind === 'load' || expr.kind === 'buffer_length') used.add(expr.buffer);
    forEachOperand(expr, use);
  };
  /** The statement without what nobody reads in it; null where nothing of it is left. */
  const swept = (statement: KernelStmt): KernelStmt | null => {
    switch (statement.kind) {
      case 'let':
        return used.has(statement.name) ? statement : null;
      case 'var':
      case 'assign':
        return locals.has(statement.name) ? statement : null;
      case 'store_array':
        return arrays.has(statement.array) ? statement : null;
      case 'if': {
        const [then, otherwise] = [sweep(statement.then), sweep(statement.else)];
        if (then.length + otherwise.length === 0) return null;
        const same = then === statement.then && otherwise === statement.else;
        return same ? statement : { ...statement, then, else: otherwise };
      }
      case 'for': {
        const body = sweep(statement.body);
        if (body.length === 0) return null;
        return body === statement.body ? statement : { ...statement, body };
      }
      default:
        return statement;
    }
  };
  const sweep = (block: readonly KernelStmt[]): readonly KernelStmt[] => {
    const kept: KernelStmt[] = [];
    let same = true;
    for (const statement of block.toReversed()) {
      const left = swept(statement);
      same &&= left === statement;
      if (left === null) continue;
      if (left.kind === 'store' || left.kind === 'atomic') used.add(left.buffer);
      forEachOwnExpr(left, use);
      kept.push(left);
    }
    return same ? block : kept.reverse();
  };
  const body = sweep(kernel.body);
  return { kernel: { ...kernel, arrays: kernel.arrays.filter(({ name }) => arrays.has(name)), body }, used };
}

/** Arrays and locals that anything reads. */
function readIn(body: readonly KernelStmt[]): { readonly arrays: Set<string>; readonly locals: Set<string> } {
  const [arrays, locals] = [new Set<string>(), new Set<string>()];
  forEachExpr(body, (expr) => {
    if (expr.kind === 'local') locals.add(expr.name);
    else if (expr.kind === 'load_array') arrays.add(expr.array);
  });
  return { arrays, locals };
}
