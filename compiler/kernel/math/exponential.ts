/**
 * exp and what is made of it, in operations that every driver computes alike: exp, sigmoid, tanh, softplus.
 *
 * Sources: the reduction of Cody and Waite (1980) and the polynomials of Cephes (expf, tanhf; S. Moshier); log1p by the inverse
 * hyperbolic tangent, its rest a minimax polynomial on [0, 1/9] (4.6e-9 of the whole).
 * Errors, relative: exp 3u, sigmoid 8u, tanh 5u, softplus 8u (u = 2^-24), where the result is a normal number.
 */
import { abs, add, convert, div, f32, floor, ge, lt, max, min, mul, neg, select, sub } from '../make-expressions.ts';
import type { KernelExpr } from '../kernel-ir.ts';
import type { KernelBuilder } from '../kernel-builder.ts';
import { unlessNaN } from '../not-a-number.ts';
import { polynomial } from './polynomial.ts';
import { scaled } from './scale.ts';

/** Beyond these exp is infinite in f32, and less than half of its smallest number. */
const [LOWEST, HIGHEST] = [-104, 89];

/** e^x: infinity above, 0 far below; NaN stays NaN. */
export function exp(k: KernelBuilder, argument: KernelExpr): KernelExpr {
  const x = k.let(argument);
  return k.let(unlessNaN(x, expOfNumber(k, x)));
}

/** The same, of what is no NaN. */
function expOfNumber(k: KernelBuilder, x: KernelExpr): KernelExpr {
  const c = k.let(min(max(x, LOWEST), HIGHEST));
  const n = k.let(floor(add(mul(c, f32(Math.LOG2E)), 0.5)));
  // ln 2 in two parts, of which the first has 9 bits: n · part is exact, and so is the first difference.
  const r = k.let(sub(sub(c, mul(n, f32(0.693359375))), mul(n, f32(-2.12194440054690583e-4))));
  const tail = polynomial(
    k, r, [5.0000001201e-1, 1.6666665459e-1, 4.1665795894e-2, 8.3334519073e-3, 1.3981999507e-3, 1.98756915e-4],
  ); // prettier-ignore
  const y = add(add(mul(tail, mul(r, r)), r), 1);
  return scaled(k, y, convert('i32', n));
}

/** exp(-|x|), in (0, 1]. */
const decay = (k: KernelBuilder, x: KernelExpr): KernelExpr => k.let(expOfNumber(k, k.let(neg(abs(x)))));

/** 1 / (1 + exp(-x)), with exp of -|x| only: the tail below 0 keeps its digits. */
export function sigmoid(k: KernelBuilder, argument: KernelExpr): KernelExpr {
  const x = k.let(argument);
  const e = decay(k, x);
  return k.let(unlessNaN(x, k.let(div(select(ge(x, 0), f32(1), e), add(e, 1)))));
}

/** An odd polynomial near 0, where 1 - 2 / (exp(2x) + 1) would lose its digits. */
export function tanh(k: KernelBuilder, argument: KernelExpr): KernelExpr {
  const x = k.let(argument);
  const size = k.let(abs(x));
  const z = k.let(mul(x, x));
  const rest = polynomial(
    k, z, [-3.33332819422e-1, 1.33314422036e-1, -5.37397155531e-2, 2.06390887954e-2, -5.70498872745e-3],
  ); // prettier-ignore
  const near = add(mul(mul(rest, z), x), x);
  // exp(-2 |x|) cannot overflow: (1 - e) / (1 + e).
  const e = k.let(expOfNumber(k, k.let(mul(size, -2))));
  const far = div(sub(f32(1), e), add(e, 1));
  return k.let(unlessNaN(x, k.let(select(lt(size, 0.625), near, select(lt(x, 0), neg(far), far)))));
}

/** log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)). */
export function softplus(k: KernelBuilder, argument: KernelExpr): KernelExpr {
  const x = k.let(argument);
  return k.let(unlessNaN(x, k.let(add(max(x, 0), logOfOnePlus(k, decay(k, x))))));
}

/** log(1 + e) for e in [0, 1]: 2 atanh(s), s = e / (2 + e). */
function logOfOnePlus(k: KernelBuilder, e: KernelExpr): KernelExpr {
  const s = k.let(div(e, add(e, 2)));
  const z = k.let(mul(s, s));
  const rest = polynomial(k, z, [0.66666413, 0.40021699, 0.27999139, 0.28024466]);
  return k.let(add(mul(mul(rest, z), s), mul(s, 2)));
}
