/** What the text of a loop says of its rounds, and what writing them out comes to. */
import type { KernelExpr, KernelStmt } from './kernel-ir.ts';
import { blocksOf, expressionsOf, forEachOperand } from './visit-kernel.ts';

export type LoopStmt = Extract<KernelStmt, { kind: 'for' }>;

/** Rounds that a loop may be written out in. */
export const MAX_UNROLLED_ROUNDS = 64;

/**
 * Expressions and statements that a kernel may have when its loops are written out: about 64 KiB of shader text. Drivers take longer
 * than in proportion for long bodies, and every first run pays it.
 */
export const MAX_UNROLLED_SIZE = 16_384;

/** The values of a loop's counter, where literals say them; null: a run does. */
export function roundsOf({ from, to, step }: LoopStmt): readonly number[] | null {
  const [first, end, by] = [from, to, step].map((e) => (e.kind === 'literal' ? Number(e.value) : NaN));
  if (first === undefined || end === undefined || by === undefined) return null;
  if (Number.isNaN(first + end + by) || !(by > 0)) return null;
  const count = Math.max(0, Math.ceil((end - first) / by));
  return Array.from({ length: Math.min(count, MAX_UNROLLED_ROUNDS + 1) }, (_, i) => first + i * by);
}

/** Statements and expressions of a block, each as often as it stands there once loops are written out. */
export function unrolledSize(body: readonly KernelStmt[]): number {
  return body.reduce((sum, statement) => {
    const times = statement.kind === 'for' && statement.unroll === true ? (roundsOf(statement)?.length ?? 1) : 1;
    const inner = blocksOf(statement).reduce((size, block) => size + unrolledSize(block), 0);
    return sum + 1 + expressionsOf(statement).reduce((size, expr) => size + sizeOf(expr), 0) + times * inner;
  }, 0);
}

/** Whether a statement can leave the loop around it. */
export function leavesLoop(statement: KernelStmt): boolean {
  if (statement.kind === 'break') return true;
  if (statement.kind === 'for') return false;
  return blocksOf(statement).some((block) => block.some(leavesLoop));
}

function sizeOf(expr: KernelExpr): number {
  let size = 1;
  forEachOperand(expr, (operand) => (size += sizeOf(operand)));
  return size;
}
