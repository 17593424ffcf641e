/**
 * Whole numbers of 64 bits, as two u32: what drivers compute alike whatever they assume about floats.
 *
 * A pair is `hi · 2^32 + lo`. Literal zeros are seen and cost nothing.
 */
import {
  add,
  bitAnd,
  bitOr,
  bitcast,
  convert,
  eq,
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
import { numberOf } from '../simplify.ts';

export interface Pair {
  readonly hi: KernelExpr;
  readonly lo: KernelExpr;
}

export const ZERO: Pair = { hi: u32(0), lo: u32(0) };
const isZero = (word: KernelExpr): boolean => numberOf(word) === 0;

/** 1 where a sum of u32 wrapped: it is below what was added. */
const carry = (sum: KernelExpr, part: KernelExpr): KernelExpr => convert('u32', lt(sum, part));

/** a · b, all 64 bits, by 16-bit halves. */
export function product(k: KernelBuilder, a: KernelExpr, b: KernelExpr): Pair {
  if (isZero(a) || isZero(b)) return ZERO;
  const low = (word: KernelExpr): KernelExpr => k.let(bitAnd(word, u32(0xffff)));
  const high = (word: KernelExpr): KernelExpr => k.let(shr(word, u32(16)));
  const [a0, a1, b0, b1] = [low(a), high(a), low(b), high(b)];
  const p01 = k.let(mul(a0, b1));
  const p10 = k.let(mul(a1, b0));
  const middle = add(add(shr(mul(a0, b0), u32(16)), bitAnd(p01, u32(0xffff))), bitAnd(p10, u32(0xffff)));
  const hi = add(add(mul(a1, b1), add(shr(p01, u32(16)), shr(p10, u32(16)))), shr(middle, u32(16)));
  return { hi: k.let(hi), lo: k.let(mul(a, b)) };
}

/** The upper word of a · b. */
export const upper = (k: KernelBuilder, a: KernelExpr, b: KernelExpr): KernelExpr => product(k, a, b).hi;

/** The upper 64 of the 128 bits of a · b, low by less than 3 units of the last one. */
export function upperPair(k: KernelBuilder, a: Pair, b: Pair): Pair {
  const whole = product(k, a.hi, b.hi);
  let { hi, lo } = whole;
  for (const part of [upper(k, a.hi, b.lo), upper(k, a.lo, b.hi)]) {
    if (isZero(part)) continue;
    const sum = k.let(add(lo, part));
    hi = k.let(add(hi, carry(sum, part)));
    lo = sum;
  }
  return { hi, lo };
}

/** a + b, modulo 2^64. */
export function sum(k: KernelBuilder, a: Pair, b: Pair): Pair {
  if (isZero(b.hi) && isZero(b.lo)) return a;
  const lo = k.let(add(a.lo, b.lo));
  return { hi: k.let(add(add(a.hi, b.hi), isZero(b.lo) ? u32(0) : carry(lo, b.lo))), lo };
}

/** a - b, modulo 2^64. */
export function difference(k: KernelBuilder, a: Pair, b: Pair): Pair {
  const borrow = convert('u32', lt(a.lo, b.lo));
  return { hi: k.let(sub(sub(a.hi, b.hi), borrow)), lo: k.let(sub(a.lo, b.lo)) };
}

export function either(k: KernelBuilder, condition: KernelExpr, then: Pair, otherwise: Pair): Pair {
  return { hi: k.let(select(condition, then.hi, otherwise.hi)), lo: k.let(select(condition, then.lo, otherwise.lo)) };
}

/** Bits of a word from below: `word >> places` for places up to 32, where it is 0. */
const down = (word: KernelExpr, bits: KernelExpr): KernelExpr => select(lt(bits, u32(32)), shr(word, bits), u32(0));
const up = (word: KernelExpr, bits: KernelExpr): KernelExpr => select(lt(bits, u32(32)), shl(word, bits), u32(0));

/** a >> places; places up to 64, beyond which nothing is left. */
export function shiftedDown(k: KernelBuilder, a: Pair, bits: KernelExpr): Pair {
  const n = k.let(min(bits, u32(64)));
  const far = k.let(sub(n, u32(32)));
  const lo = select(lt(n, u32(32)), bitOr(down(a.lo, n), up(a.hi, sub(u32(32), n))), down(a.hi, far));
  return { hi: k.let(down(a.hi, n)), lo: k.let(lo) };
}

/** a << places; places up to 64. */
export function shiftedUp(k: KernelBuilder, a: Pair, bits: KernelExpr): Pair {
  const n = k.let(min(bits, u32(64)));
  const far = k.let(sub(n, u32(32)));
  const hi = select(lt(n, u32(32)), bitOr(up(a.hi, n), down(a.lo, sub(u32(32), n))), up(a.lo, far));
  return { hi: k.let(hi), lo: k.let(up(a.lo, n)) };
}

/** The number of zeros before the first bit of a word; 32 of 0. */
export function leadingZeros(k: KernelBuilder, word: KernelExpr): KernelExpr {
  // Without the bit after a bit, conversion cannot round up to the next power: the exponent of the float tells.
  const clear = bitAnd(word, sub(u32(0xffffffff), shr(word, u32(1))));
  const exponent = shr(bitcast('u32', convert('f32', clear)), u32(23));
  return k.let(select(eq(word, u32(0)), u32(32), sub(u32(158), exponent)));
}

/** The same of a pair; 64 of 0. */
export function leadingZerosOf(k: KernelBuilder, { hi, lo }: Pair): KernelExpr {
  const above = leadingZeros(k, hi);
  if (isZero(lo)) return select(gt(hi, u32(0)), above, u32(64));
  return k.let(select(gt(hi, u32(0)), above, add(leadingZeros(k, lo), u32(32))));
}
