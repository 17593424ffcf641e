/** Polynomials by Horner's rule: a product and a sum a step, fused or not. */
import { add, f32, mul } from '../make-expressions.ts';
import type { KernelExpr } from '../kernel-ir.ts';
import type { KernelBuilder } from '../kernel-builder.ts';

/** c[0] + c[1] x + c[2] x² + …; `x` may be repeated. */
export function polynomial(k: KernelBuilder, x: KernelExpr, coefficients: readonly number[]): KernelExpr {
  const [last = 0, ...rest] = [...coefficients].reverse();
  return k.let(rest.reduce<KernelExpr>((sum, c) => add(mul(sum, x), f32(c)), f32(last)));
}
