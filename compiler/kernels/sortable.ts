/**
 * Sort keys: a number as a u32 whose unsigned order is the order wanted, so that kernels compare integers only.
 *
 * Floats on GPUs compare NaN contradictorily, and a driver may assume there is none: a NaN is found by its bits, and stands below
 * -inf: first ascending, last descending. −0 and +0 have one key. Infinities order as they should.
 */
import { bitAnd, bitNot, bitOr, bitXor, bitcast, convert, eq, ne, select, u32 } from '../kernel/make-expressions.ts';
import type { KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { isNaNMagnitude, magnitudeBits } from '../kernel/not-a-number.ts';

const SIGN = 0x80000000;
/** The key of a NaN: the first ascending, the last descending; no number has it. */
const NAN_ASCENDING = 0;
export const NAN_DESCENDING = 0xffffffff;

/** The sort key of a value: smaller key, earlier place. Emits lets. */
export function sortKey(k: KernelBuilder, value: KernelExpr, descending: boolean): KernelExpr {
  if (value.type === 'bool' || value.type === 'u32') {
    const key = convert('u32', value);
    return descending ? bitNot(key) : key;
  }
  if (value.type === 'i32') {
    const key = bitXor(bitcast('u32', value), u32(SIGN));
    return descending ? bitNot(key) : key;
  }
  const bits = k.let(bitcast('u32', value), 'bits');
  const magnitude = k.let(magnitudeBits(value), 'mag');
  // Negative numbers: all bits flipped, so that larger magnitudes come first; others go above them. Zero has no sign.
  const negative = ne(bitAnd(bits, u32(SIGN)), u32(0));
  const merged = select(eq(magnitude, u32(0)), u32(SIGN), select(negative, bitNot(bits), bitOr(bits, u32(SIGN))));
  return select(
    isNaNMagnitude(magnitude),
    u32(descending ? NAN_DESCENDING : NAN_ASCENDING),
    descending ? bitNot(merged) : merged,
  );
}
