/**
 * x ** y, within 2u of itself for |y| up to 2^18 (u = 2^-24), and log2 in wide numbers (wide.ts).
 *
 * log2 x is an f32 guess g, corrected by log2(x · 2^-g), which is next to 0; y · log2 x and its power of two are wide, so that nothing
 * of the exponent is lost. Small whole powers are products: 7u at most.
 *
 * 1 where y is 0, whatever x is. A negative x has whole powers only, with the sign of odd ones; other powers of it are NaN, but -inf has
 * the power of inf. 0 has powers 0 and (below 0) infinity. 1 and -1 to the power of an infinity are NaN.
 */
import {
  abs, and, div, eq, f32, floor, lt, mul, ne, neg, or, select, u32,
} from '../make-expressions.ts'; // prettier-ignore
import type { KernelExpr } from '../kernel-ir.ts';
import type { KernelBuilder } from '../kernel-builder.ts';
import { isNaNBits, magnitudeBits } from '../not-a-number.ts';
import { numberOf } from '../simplify.ts';
import { log } from './logarithm.ts';
import { rsqrt, sqrt } from './roots.ts';
import { f32Of, wideConstant, wideNegated, wideOfFloat, widePower2, wideProduct, wideSum } from './wide.ts';
import type { Wide } from './wide.ts';

/** Whole powers up to this are products. */
const LARGEST_PRODUCT = 8;

export function power(k: KernelBuilder, base: KernelExpr, exponent: KernelExpr): KernelExpr {
  const [x, y] = [k.let(base), numberOf(exponent) === undefined ? k.let(exponent) : exponent];
  const n = numberOf(exponent);
  if (n !== undefined && Number.isInteger(n) && Math.abs(n) <= LARGEST_PRODUCT) {
    return n >= 0 ? products(k, x, n) : k.let(reciprocal(products(k, x, -n)));
  }
  if (n === 0.5) return k.let(select(eq(x, f32(-Infinity)), f32(Infinity), sqrt(k, x)));
  if (n === -0.5) return k.let(select(eq(x, f32(-Infinity)), f32(0), rsqrt(k, x)));
  const size = k.let(abs(x));
  const exact = f32Of(k, widePower2(k, wideProduct(k, log2(k, size), wideOfFloat(k, y))));
  const limit = select(eq(eq(size, 0), lt(y, 0)), f32(Infinity), f32(0));
  const magnitude = k.let(select(or(eq(size, 0), eq(size, f32(Infinity))), limit, exact));
  const whole = eq(floor(y), y);
  const odd = and(whole, ne(mul(floor(mul(y, 0.5)), 2), y));
  const endless = eq(magnitudeBits(y), u32(0x7f800000));
  const undefinedHere = or(
    or(isNaNBits(x), isNaNBits(y)),
    or(and(lt(x, 0), and(ne(floor(y), y), ne(x, f32(-Infinity)))), and(endless, eq(size, 1))),
  );
  const signed = select(and(lt(x, 0), odd), neg(magnitude), magnitude);
  return k.let(select(eq(y, 0), f32(1), select(undefinedHere, f32(NaN), signed)));
}

/** 1 / x, infinity of 0: the same for both zeros. */
const reciprocal = (x: KernelExpr): KernelExpr => select(eq(x, 0), f32(Infinity), div(f32(1), x));

/** x to a power n >= 0, by repeated squaring. */
function products(k: KernelBuilder, x: KernelExpr, n: number): KernelExpr {
  let result: KernelExpr | null = null;
  let square = x;
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result === null ? square : k.let(mul(result, square));
    if (rest > 1) square = k.let(mul(square, square));
  }
  return result ?? f32(1);
}

/** log2 of a positive finite f32, to within 2^-44; of `exact` where that is what `value` was rounded from. */
export function log2(k: KernelBuilder, value: KernelExpr, exact?: Wide): Wide {
  const known = numberOf(value);
  if (exact === undefined && known !== undefined && known > 0) return wideConstant(Math.log2(known));
  const x = k.let(value);
  const guess = wideOfFloat(k, k.let(mul(log(k, x), f32(Math.LOG2E))));
  const near = wideProduct(k, exact ?? wideOfFloat(k, x), widePower2(k, wideNegated(guess)));
  // log(1 + d) = d - d²/2 + …, d below 2^-15: the next term is below 2^-46.
  const d = wideSum(k, near, wideConstant(-1));
  const square = wideProduct(k, wideProduct(k, d, d), wideConstant(0.5));
  const log1p = wideSum(k, d, wideNegated(square));
  return wideSum(k, guess, wideProduct(k, log1p, wideConstant(Math.LOG2E)));
}
