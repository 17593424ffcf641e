/** Multiplication by a power of two, without a float that overflows on the way. */
import { add, bitcast, i32, max, min, mul, shl, shr, sub, u32 } from '../make-expressions.ts';
import type { KernelExpr } from '../kernel-ir.ts';
import type { KernelBuilder } from '../kernel-builder.ts';

/** 2^n as f32, n in -126 .. 127. */
function powerOfTwo(n: KernelExpr): KernelExpr {
  return bitcast('f32', shl(bitcast('u32', add(n, i32(127))), u32(23)));
}

/**
 * value · 2^n for a value in [2^-2, 2^33] and any n: infinity where it is too large, rounded where it is subnormal (a driver may
 * flush it to 0 there). Two factors of about half the power each: the first product is exact, or the result is infinite too.
 */
export function scaled(k: KernelBuilder, value: KernelExpr, n: KernelExpr): KernelExpr {
  const steps = k.let(min(max(n, i32(-250)), i32(250)));
  const half = k.let(shr(steps, u32(1)));
  return k.let(mul(mul(value, powerOfTwo(half)), powerOfTwo(sub(steps, half))));
}
