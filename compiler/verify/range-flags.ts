/**
 * Columns of numbers with their bounds, and the flags of those that left the range of f32: a flag says that nothing is known of
 * a number, and what is made of it has one too.
 */
import { noNumber, at } from '../../dsl/diagnostics/invariants.ts';
import { LARGEST } from '../graph/infinity.ts';
import type { BoundedColumn } from './point-blocks.ts';

/** Zeroes that are exact. */
export function blank(count: number): { readonly v: Float64Array; readonly d: Float64Array; readonly left: null } {
  return { v: new Float64Array(count), d: new Float64Array(count), left: null };
}

/** Sums that leave the range of f32, added to what was flagged before. */
export function beyond(
  sums: Float64Array,
  operands: readonly BoundedColumn[],
  before: Uint8Array | null,
): Uint8Array | null {
  let left = before;
  const inner = at(operands, 0, 'verify: operand of a sum').v.length / Math.max(sums.length, 1);
  sums.forEach((sum, i) => {
    if (!(Math.abs(sum) > LARGEST)) return;
    for (let k = i * inner; k < (i + 1) * inner; k++) {
      if (operands.some((o) => !(Math.abs(o.v[k] ?? noNumber()) <= LARGEST))) return;
    }
    left = left === null ? new Uint8Array(sums.length) : left;
    left[i] = 1;
  });
  return left;
}

/** Of lists of flags over lines: whether any of a point's line is set. */
export function pointFlags(flags: readonly (Uint8Array | null)[], count: number): Uint8Array {
  const out = new Uint8Array(count);
  for (const list of flags) {
    if (list === null) continue;
    const inner = list.length / Math.max(count, 1);
    list.forEach((flag, k) => {
      if (flag === 1) out[Math.floor(k / inner)] = 1;
    });
  }
  return out;
}

/** The same for every point of the line. */
export function lineFlags(flags: readonly (Uint8Array | null)[], count: number, total: number): Uint8Array {
  const ofPoint = pointFlags(flags, count);
  const inner = total / Math.max(count, 1);
  return Uint8Array.from({ length: total }, (_, k) => ofPoint[Math.floor(k / inner)] ?? noNumber());
}

/** Nothing is known of a number that left the range, nor where the bound itself is none. */
export function flagged({ v, d, left }: BoundedColumn): BoundedColumn {
  for (let i = 0; i < d.length; i++)
    if (left?.[i] === 1 || (Number.isNaN(d[i]) && !Number.isNaN(v[i]))) d[i] = Infinity;
  return { v, d, left };
}
