/**
 * compact-fill: the list, its inverse and the offsets of its keys; one thread a chunk, and one a key. See compaction.ts.
 *
 * Offsets are counted from the start of the key's chunk on, so that no thread waits for another.
 */
import type { BufferDecl, KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, bitcast, div, i32, load, lt, max, min, mul, select, sub, u32 } from '../kernel/make-expressions.ts';
import { CHUNK, chunksOf } from './compaction.ts';
import { forEachThread } from './space.ts';
import type { Mask } from './compaction.ts';

export interface CompactFillConfig {
  readonly mask: Mask;
  /** Number of keys, u32, and of positions for each key. */
  readonly keys: KernelExpr;
  readonly perKey: KernelExpr;
  /** [chunks + 1] u32. */
  readonly starts: BufferDecl;
  /** [capacity × words] u32: for each present position in order, what `entry` says of it. */
  readonly list: BufferDecl;
  readonly entry: (position: KernelExpr) => readonly KernelExpr[];
  /** [keys + 1] u32. */
  readonly offsets: BufferDecl;
  /** [positions] i32, or null where nobody asks. */
  readonly inverse: BufferDecl | null;
}

export function compactFill(k: KernelBuilder, config: CompactFillConfig): void {
  const { mask, keys, perKey, starts, list, entry, offsets, inverse } = config;
  const chunks = k.let(chunksOf(mask.positions), 'chunks');
  forEachThread(k, max(chunks, add(keys, 1)), (id) => {
    k.when(lt(id, chunks), () => {
      const first = k.let(mul(id, CHUNK), 'first');
      const rank = k.var(load(starts, id), 'rank');
      k.forRange(first, min(add(first, CHUNK), mask.positions), 1, (position) => {
        const row = inverse === null ? null : k.var(i32(-1), 'row');
        k.when(mask.present(position), () => {
          const words = entry(position);
          words.forEach((word, i) => k.store(list, words.length === 1 ? rank : add(mul(rank, words.length), i), word));
          if (row !== null) k.assign(row, bitcast('i32', rank));
          k.assign(rank, add(rank, 1));
        });
        if (inverse !== null && row !== null) k.store(inverse, position, row);
      });
    });
    k.when(lt(id, add(keys, 1)), () => {
      const position = k.let(mul(id, perKey), 'end');
      const chunk = k.let(min(div(position, CHUNK), select(lt(u32(0), chunks), sub(chunks, 1), u32(0))), 'chunk');
      const before = k.var(load(starts, chunk), 'before');
      const ask = (earlier: KernelExpr): void => k.when(mask.present(earlier), () => k.assign(before, add(before, 1)));
      k.forRange(mul(chunk, CHUNK), position, 1, ask, CHUNK);
      k.store(offsets, id, before);
    });
  });
}
