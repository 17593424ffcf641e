/**
 * Sort keys: a number as a u32 whose unsigned order is the order wanted, so that kernels compare integers only.
 *
 * Floats on GPUs compare NaN contradictorily, and a driver may assume there is none: a NaN is found by its bits, on a value that
 * was loaded, and its key is the last of all, ascending or descending. −0 and +0 have one key. Infinities order as they should.
 */
import { bitAnd, bitNot, bitOr, bitXor, bitcast, convert, eq, gt, ne, select, u32 } from '../kernel/build.ts';
import type { Expr } from '../kernel/ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';

const SIGN = 0x80000000;
const MAGNITUDE = 0x7fffffff;
const INFINITY_BITS = 0x7f800000;
/** The key of a NaN: after every number. */
export const NAN_KEY = 0xffffffff;

/** Whether an f32 is NaN, by its bits: right on drivers for which `x != x` is not. */
export function isNaNBits(value: Expr): Expr {
  return gt(bitAnd(bitcast('u32', value), u32(MAGNITUDE)), u32(INFINITY_BITS));
}

/** The sort key of a value: smaller key, earlier place. Emits lets. */
export function sortKey(k: KernelBuilder, value: Expr, descending: boolean): Expr {
  if (value.type === 'bool' || value.type === 'u32') {
    const key = convert('u32', value);
    return descending ? bitNot(key) : key;
  }
  if (value.type === 'i32') {
    const key = bitXor(bitcast('u32', value), u32(SIGN));
    return descending ? bitNot(key) : key;
  }
  const bits = k.let(bitcast('u32', value), 'bits');
  const magnitude = k.let(bitAnd(bits, u32(MAGNITUDE)), 'mag');
  // Negative numbers: all bits flipped, so that larger magnitudes come first; others go above them. Zero has no sign.
  const negative = ne(bitAnd(bits, u32(SIGN)), u32(0));
  const merged = select(eq(magnitude, u32(0)), u32(SIGN), select(negative, bitNot(bits), bitOr(bits, u32(SIGN))));
  return select(gt(magnitude, u32(INFINITY_BITS)), u32(NAN_KEY), descending ? bitNot(merged) : merged);
}
