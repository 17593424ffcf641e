/**
 * Compaction: the present points of a mask as a dense list, in order, without atomics. Three launches, whatever the sizes.
 *
 * A mask over [keys × rest], positions counted row-major, is listed so that the points of one key are neighbours:
 *
 *   count   counts[chunk] = number of present positions in a chunk of `CHUNK` neighbours          (compact-count.ts)
 *   scan    starts[chunk] = present positions before the chunk; starts[chunks] = all of them      (compact-scan.ts)
 *   fill    list[rank] = what a present position stands for; place[position] = rank or -1;
 *           offsets[key] = present positions before the key, offsets[keys] = all of them           (compact-fill.ts)
 *
 * This is the permutation of a Mixture-of-Experts layer (keys: experts, rest: tokens: a stable counting sort), its inverse (keys:
 * tokens, rest: experts: what to combine), and packing. The mask is evaluated in `count` and again in `fill`: it is cheap.
 */
import type { KernelExpr } from '../kernel/kernel-ir.ts';
import { add, div } from '../kernel/make-expressions.ts';

/** Positions a thread goes over. */
export const CHUNK = 64;

/** Number of chunks of so many positions. */
export function chunksOf(positions: KernelExpr): KernelExpr {
  return div(add(positions, CHUNK - 1), CHUNK);
}

export interface Mask {
  /** Number of positions, u32. */
  readonly positions: KernelExpr;
  /** Whether a position (u32, below `positions`) is present, bool. */
  readonly present: (position: KernelExpr) => KernelExpr;
}
