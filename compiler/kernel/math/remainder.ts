/**
 * The rest of a division rounded down, x - y · floor(x / y), without the quotient, which a float may not hold: long division of the
 * significands, eight bits a step, in integers. Exact where |x| >= |y| or the signs agree; else |y| - |x| is rounded.
 *
 * It has the sign of y and is between 0 and y. NaN of a divisor 0 and of an infinite x; of an infinite y it is x, or y where the signs
 * differ.
 */
import {
  add, bitAnd, bitOr, bitXor, bitcast, convert, eq, f32, ge, gt, i32, lt, max, neg, or, rem, select, shl, shr, sub, u32,
} from '../make-expressions.ts'; // prettier-ignore
import type { KernelExpr } from '../kernel-ir.ts';
import type { KernelBuilder } from '../kernel-builder.ts';
import { scaled } from './scale.ts';

const INFINITY_BITS = 0x7f800000;
/** Exponents are 1 to 255 (that of an infinity), so they are 254 bits apart at most. */
const MAX_STEPS = Math.ceil(254 / 8);

/** Significand and exponent: |x| = significand · 2^(exponent - 150). */
function partsOf(k: KernelBuilder, size: KernelExpr): { significand: KernelExpr; exponent: KernelExpr } {
  const field = shr(size, u32(23));
  const implied = select(ge(size, u32(0x800000)), u32(0x800000), u32(0));
  return {
    significand: k.let(bitOr(bitAnd(size, u32(0x7fffff)), implied)),
    exponent: k.let(bitcast('i32', max(field, u32(1)))),
  };
}

export function remainder(k: KernelBuilder, left: KernelExpr, right: KernelExpr): KernelExpr {
  const [x, y] = [k.let(left), k.let(right)];
  const [xs, ys] = [x, y].map((v) => k.let(bitAnd(bitcast('u32', v), u32(0x7fffffff))));
  if (xs === undefined || ys === undefined) return x;
  const [a, b] = [partsOf(k, xs), partsOf(k, ys)];
  const divisor = k.let(max(b.significand, u32(1)));
  const below = k.let(lt(xs, ys));
  const apart = k.let(select(below, i32(0), sub(a.exponent, b.exponent)));
  const rest = k.var(select(below, u32(0), a.significand), 'rest');
  // rest · 2^apart modulo divisor: rest < 2^24 before each shift by at most 8.
  k.assign(rest, rem(rest, divisor));
  const left8 = k.var(apart, 'left');
  const shiftOn = (): void => {
    const step = k.let(select(lt(left8, i32(8)), left8, i32(8)));
    k.assign(rest, rem(shl(rest, bitcast('u32', step)), divisor));
    k.assign(left8, sub(left8, step));
  };
  k.forRange(i32(0), apart, i32(8), shiftOn, MAX_STEPS);
  const turned = k.let(ge(bitXor(bitcast('u32', x), bitcast('u32', y)), u32(0x80000000)));
  const whole = k.let(select(turned, select(eq(rest, u32(0)), u32(0), sub(b.significand, rest)), rest));
  const units = scaled(k, k.let(convert('f32', whole)), sub(b.exponent, i32(150)));
  // Where |x| < |y| the rest is x itself, or y + x.
  const small = select(turned, select(eq(xs, u32(0)), f32(0), add(y, x)), x);
  const value = select(below, small, select(ge(bitcast('u32', y), u32(0x80000000)), neg(units), units));
  const nothing = or(eq(ys, u32(0)), or(ge(xs, u32(INFINITY_BITS)), gt(ys, u32(INFINITY_BITS))));
  return k.let(select(nothing, f32(NaN), value));
}
