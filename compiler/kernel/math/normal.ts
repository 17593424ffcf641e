/**
 * The normal distribution: erf (within 1e-7, and near 0 within 4u of itself), and gelu by it, whose tail keeps its digits.
 *
 * erf is an odd polynomial near 0 and 1 - exp(polynomial) further out; beyond 4 it is 1 in f32. The distribution below 0 is
 * Φ(-x) = exp(-x²/2) · M(x), M (Mills' ratio over √2π) a minimax polynomial in t = 1 / (1 + 0.3 x), 3.5e-9 of itself for x up to 15.
 * x² is taken in two parts, so that its rounding does not show in the exponent.
 */
import {
  abs,
  add,
  bitAnd,
  bitcast,
  div,
  f32,
  fma,
  ge,
  gt,
  lt,
  min,
  mul,
  neg,
  select,
  sub,
  u32,
} from '../make-expressions.ts';
import type { KernelExpr } from '../kernel-ir.ts';
import type { KernelBuilder } from '../kernel-builder.ts';
import { unlessNaN } from '../not-a-number.ts';
import { exp } from './exponential.ts';
import { polynomial } from './polynomial.ts';

export function erf(k: KernelBuilder, argument: KernelExpr): KernelExpr {
  const x = k.let(argument);
  const t = k.let(min(abs(x), 4));
  const s = k.let(mul(t, t));
  const near = polynomial(
    k, s, [1.28379166e-1, -3.76125336e-1, 1.12819925e-1, -2.67681349e-2, 4.99119423e-3, -5.96761703e-4],
  ); // prettier-ignore
  const high = polynomial(k, t, [2.42546219e-2, -3.88396438e-3, 3.83197126e-4, -1.7285347e-5]);
  const rest = [-1.06777877e-1, -6.34846687e-1, -1.28717512e-1].reduce<KernelExpr>(
    (sum, c) => fma(sum, t, f32(c)),
    high,
  );
  const far = k.let(sub(f32(1), exp(k, fma(rest, t, neg(t)))));
  const value = select(gt(t, f32(0.927734375)), select(lt(x, 0), neg(far), far), add(mul(near, x), x));
  return k.let(unlessNaN(x, k.let(value)));
}

/** x · Φ(x): of a large negative x it is small, but has its digits. */
export function gelu(k: KernelBuilder, argument: KernelExpr): KernelExpr {
  const x = k.let(argument);
  // Beyond 15 the tail is 0 in f32.
  const size = k.let(min(abs(x), 15));
  const t = k.let(div(f32(1), add(mul(size, f32(0.3)), 1)));
  const ratio = polynomial(
    k,
    t,
    [
      0.11968671530485153, 0.11957131326198578, 0.11023937910795212, 0.07837207615375519, 0.09620537608861923,
      -0.07951004058122635, 0.191884383559227, -0.22828562557697296, 0.11246515810489655, -0.020628729835152626,
    ],
  );
  // size² = high² + (size - high)(size + high), high of 12 bits: its square is exact, the rest small.
  const high = k.let(bitcast('f32', bitAnd(bitcast('u32', size), u32(0xfffff000))));
  const rest = k.let(mul(mul(sub(size, high), add(size, high)), -0.5));
  const more = polynomial(k, rest, [1, 1, 1 / 2, 1 / 6, 1 / 24]);
  const tail = k.let(mul(mul(mul(exp(k, mul(mul(high, high), -0.5)), more), t), ratio));
  const share = k.let(select(ge(x, 0), sub(f32(1), tail), tail));
  return k.let(unlessNaN(x, k.let(mul(x, share))));
}
