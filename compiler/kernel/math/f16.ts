/**
 * Rounding to f16, by bits: to nearest, ties to even, subnormals kept, from 65,520 on the infinity of its sign; NaN stays NaN.
 *
 * WGSL's own rounding (quantizeToF16, pack2x16float) may truncate, flush subnormals and give anything beyond 65,504, and drivers do
 * all three. Integers have one meaning: this is bit for bit `Math.fround` and then `roundToF16` of dsl/tensors/round-to-f16.ts.
 *
 * - From 2^-14 on, 13 bits of the significand go: adding half a step (less the tie that is even already) carries into the exponent.
 * - Below, steps are 2^-24: the significand is shifted to a whole number of them, rounded the same way.
 */
import {
  add,
  bitAnd,
  bitOr,
  bitcast,
  convert,
  f32,
  ge,
  gt,
  lt,
  min,
  mul,
  select,
  shl,
  shr,
  sub,
  u32,
} from '../make-expressions.ts';
import type { KernelExpr } from '../kernel-ir.ts';
import type { KernelBuilder } from '../kernel-builder.ts';

const INFINITY_BITS = 0x7f800000;
/** Bits of 2^16, what 65,520 and all above it round to before they become infinity. */
const TOO_LARGE = 0x47800000;
/** Bits of 2^-14, the smallest normal f16. */
const NORMAL = 0x38800000;

/** An f32 as the nearest f16, as an f32. */
export function roundToF16(k: KernelBuilder, value: KernelExpr): KernelExpr {
  const bits = k.let(bitcast('u32', value));
  const size = k.let(bitAnd(bits, u32(0x7fffffff)));
  const odd = bitAnd(shr(size, u32(13)), u32(1));
  const rounded = k.let(bitAnd(add(add(size, u32(0xfff)), odd), u32(0xffffe000)));
  const normal = select(ge(rounded, u32(TOO_LARGE)), u32(INFINITY_BITS), rounded);

  // |x| = significand · 2^(exponent - 150) is significand >> (126 - exponent) steps of 2^-24; a shift by 25 takes everything out.
  const significand = k.let(bitOr(bitAnd(size, u32(0x7fffff)), u32(0x800000)));
  const shift = k.let(min(sub(u32(126), min(shr(size, u32(23)), u32(112))), u32(25)));
  const half = sub(shl(u32(1), sub(shift, u32(1))), u32(1));
  const even = bitAnd(shr(significand, shift), u32(1));
  const steps = shr(add(add(significand, half), even), shift);
  const small = bitcast('u32', mul(convert('f32', steps), f32(2 ** -24)));

  const finite = select(lt(size, u32(NORMAL)), small, normal);
  const kept = select(gt(size, u32(INFINITY_BITS)), size, finite);
  return bitcast('f32', bitOr(kept, bitAnd(bits, u32(0x80000000))));
}
