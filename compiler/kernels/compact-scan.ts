/**
 * compact-scan: starts[i] = counts[0] + … + counts[i-1] for i in 0 .. chunks; one workgroup. See compaction.ts.
 *
 * Each thread sums a run of neighbouring counts, the threads' sums are added up in workgroup memory, and each thread writes its run.
 */
import type { BufferDecl, KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, eq, load, localIdX, u32 } from '../kernel/make-expressions.ts';
import { beforeThis, shareOf } from './space.ts';

/** Threads of the one workgroup. */
export const SCAN_THREADS = 256;

export interface CompactScanConfig {
  /** Number of counts, u32. */
  readonly chunks: KernelExpr;
  /** [chunks] u32. */
  readonly counts: BufferDecl;
  /** [chunks + 1] u32. */
  readonly starts: BufferDecl;
}

export function compactScan(k: KernelBuilder, { chunks, counts, starts }: CompactScanConfig): void {
  const sums = k.shared('sums', 'u32', SCAN_THREADS);
  const [first, end] = shareOf(k, chunks);
  const own = k.var(u32(0), 'own');
  k.forRange(first, end, 1, (i) => k.assign(own, add(own, load(counts, i))));
  k.storeArray(sums, localIdX, own);
  k.barrier();
  const before = beforeThis(k, sums, add);
  k.forRange(first, end, 1, (i) => {
    k.store(starts, i, before);
    k.assign(before, add(before, load(counts, i)));
  });
  // The last thread has seen everything, also where its run is empty.
  k.when(eq(localIdX, SCAN_THREADS - 1), () => k.store(starts, chunks, before));
}
