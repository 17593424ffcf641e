/**
 * The natural logarithm, within 3u of itself (u = 2^-24): near 1 and for subnormal arguments too.
 *
 * x = m · 2^e by its bits, m in [√½, √2); then Cephes' logf (S. Moshier): log m = f - f²/2 + f³ P(f) of f = m - 1, which is exact,
 * and e · ln 2 in two parts, of which the first is exact. -infinity at 0, NaN below; infinity and NaN stay.
 */
import {
  add,
  bitAnd,
  bitOr,
  bitcast,
  convert,
  eq,
  f32,
  gt,
  i32,
  lt,
  mul,
  select,
  shr,
  sub,
  u32,
} from '../make-expressions.ts';
import type { KernelExpr } from '../kernel-ir.ts';
import type { KernelBuilder } from '../kernel-builder.ts';
import { polynomial } from './polynomial.ts';

export function log(k: KernelBuilder, argument: KernelExpr): KernelExpr {
  const x = k.let(argument);
  const bits = k.let(bitcast('u32', x));
  // A subnormal is its bits times 2^-149: as a number of its own it is normal.
  const small = k.let(lt(bits, u32(0x800000)));
  const normal = k.let(select(small, bitcast('u32', convert('f32', bits)), bits));
  const high = k.let(gt(bitAnd(normal, u32(0x7fffff)), u32(0x3504f3)));
  const exponent = sub(convert('i32', shr(normal, u32(23))), select(high, i32(126), i32(127)));
  const e = k.let(convert('f32', sub(exponent, select(small, i32(149), i32(0)))));
  const m = bitOr(bitAnd(normal, u32(0x7fffff)), select(high, u32(0x3f000000), u32(0x3f800000)));
  const f = k.let(sub(bitcast('f32', m), 1));
  const z = k.let(mul(f, f));
  const rest = polynomial(k, f, [
    3.3333331174e-1, -2.4999993993e-1, 2.0000714765e-1, -1.6668057665e-1, 1.4249322787e-1, -1.2420140846e-1,
    1.1676998740e-1, -1.1514610310e-1, 7.0376836292e-2,
  ]); // prettier-ignore
  const tail = add(mul(mul(rest, f), z), mul(e, f32(-2.12194440054690583e-4)));
  const value = add(add(f, sub(tail, mul(z, 0.5))), mul(e, f32(0.693359375)));
  // By bits: 0 of either sign; what is below 0 or NaN has larger ones than infinity.
  const outside = select(eq(bitAnd(bits, u32(0x7fffffff)), u32(0)), f32(-Infinity), f32(NaN));
  const inside = k.let(lt(sub(bits, u32(1)), u32(0x7f800000 - 1)));
  return k.let(select(inside, value, select(eq(bits, u32(0x7f800000)), x, outside)));
}
