/** compact-count: counts[chunk] = present positions of each chunk; one thread a chunk. See compaction.ts. */
import type { BufferDecl } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, min, mul, u32 } from '../kernel/make-expressions.ts';
import { CHUNK, chunksOf } from './compaction.ts';
import { forEachThread } from './space.ts';
import type { Mask } from './compaction.ts';

export interface CompactCountConfig {
  readonly mask: Mask;
  /** [chunks] u32. */
  readonly counts: BufferDecl;
}

export function compactCount(k: KernelBuilder, { mask, counts }: CompactCountConfig): void {
  forEachThread(k, chunksOf(mask.positions), (chunk) => {
    const first = k.let(mul(chunk, CHUNK), 'first');
    const count = k.var(u32(0), 'count');
    k.forRange(first, min(add(first, CHUNK), mask.positions), 1, (position) => {
      k.when(mask.present(position), () => k.assign(count, add(count, 1)));
    });
    k.store(counts, chunk, count);
  });
}
