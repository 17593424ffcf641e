/**
 * row-blocks: cuts the rows of an assignment list into blocks of at most `blockRows` neighbours that are of one group; one workgroup.
 *
 *   blocks[b] = first row of block b, for all blocks there are; the number of rows behind them, up to `maxBlocks`
 *
 * so that block b is the rows blocks[b] .. blocks[b + 1], and blocks past the last have none. A group's blocks are whole but for its
 * last one. Rows of a group are neighbours: a row begins a group where it and the one before it are of two.
 *
 * Each thread looks at a run of neighbouring rows, three times: for the last group that begins in it, which tells the next threads
 * where the group of their first row began; for the number of its blocks; and to write them.
 */
import type { BufferDecl, KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, eq, ge, loadArray, localIdX, max, ne, rem, sub, u32 } from '../kernel/make-expressions.ts';
import { beforeThis, shareOf } from './space.ts';

/** Threads of the one workgroup. */
export const BLOCK_THREADS = 64;

export interface RowBlocksConfig {
  /** Rows of a block. */
  readonly blockRows: number;
  /** Number of rows there are, u32. */
  readonly count: KernelExpr;
  /** Number of blocks there are room for, u32. */
  readonly maxBlocks: KernelExpr;
  /** Whether a row (u32, not the first) is of another group than the one before it. */
  readonly beginsGroup: (row: KernelExpr) => KernelExpr;
  /** Told the local that ends a thread's share of the rows: who states the work of the launch knows how many those are at most. */
  readonly share?: (end: KernelExpr) => void;
  /** [maxBlocks + 1] u32. */
  readonly blocks: BufferDecl;
}

export function rowBlocks(k: KernelBuilder, config: RowBlocksConfig): void {
  const { blockRows, count, maxBlocks, beginsGroup, blocks } = config;
  const begins = k.shared('begins', 'u32', BLOCK_THREADS);
  const sums = k.shared('sums', 'u32', BLOCK_THREADS);
  const rows = k.let(count, 'rows');
  const [first, end] = shareOf(k, rows);
  config.share?.(end);
  /** Visits the thread's rows; `begin` is where the group of a row begins. */
  const visit = (begin: KernelExpr, body: (row: KernelExpr) => void): void =>
    k.forRange(first, end, 1, (row) => {
      const begun = k.var(eq(row, u32(0)), 'begun');
      k.when(ne(row, u32(0)), () => k.assign(begun, beginsGroup(row)));
      k.when(begun, () => k.assign(begin, row));
      body(row);
    });
  const beginsBlock = (row: KernelExpr, begin: KernelExpr): KernelExpr => eq(rem(sub(row, begin), blockRows), u32(0));

  const last = k.var(u32(0), 'last');
  visit(last, () => undefined);
  k.storeArray(begins, localIdX, last);
  k.barrier();
  // Groups begin in ascending order: the last that began before this thread's rows is the highest.
  const before = beforeThis(k, begins, max);
  const own = k.var(u32(0), 'own');
  const group = k.var(before, 'group');
  visit(group, (row) => k.when(beginsBlock(row, group), () => k.assign(own, add(own, 1))));
  k.storeArray(sums, localIdX, own);
  k.barrier();
  const block = beforeThis(k, sums, add);
  k.assign(group, before);
  visit(group, (row) =>
    k.when(beginsBlock(row, group), () => {
      k.store(blocks, block, row);
      k.assign(block, add(block, 1));
    }),
  );
  // What is behind the blocks there are.
  const total = k.var(u32(0), 'total');
  k.forRange(u32(0), BLOCK_THREADS, 1, (i) => k.assign(total, add(total, loadArray(sums, i))));
  const [from, to] = shareOf(k, k.let(add(maxBlocks, 1), 'entries'));
  k.forRange(from, to, 1, (i) => k.when(ge(i, total), () => k.store(blocks, i, rows)));
}
