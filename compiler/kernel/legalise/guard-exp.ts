/**
 * exp neither overflows nor meets an infinity on the way: below the normal range it is exactly 0, above it stays finite.
 *
 * Before: exp(x)     After: select(x < -87.3, 0.0, exp(min(max(x, -87.3), 88.72))), or x where x is NaN
 *
 * exp(88.72) is the largest power that f32 holds; exp(-87.3) the smallest that is normal, below which drivers flush to zero
 * anyway. Drivers compute exp2(x * log2(e)), and for the masking value -3.4e38 that product is already infinite, which WGSL
 * allows an implementation to assume away. Exact zero matters: a masked entry of a softmax weighs nothing.
 */
import { exp, f32, lt, max, min, select } from '../build.ts';
import type { Kernel } from '../ir.ts';
import { unlessNaN } from '../not-a-number.ts';
import { rewriteExprs } from './rewrite.ts';

export const EXP_LOWEST = Math.fround(-87.3);
export const EXP_HIGHEST = Math.fround(88.72);

export function guardExp(kernel: Kernel): Kernel {
  return rewriteExprs(kernel, (expr, share) => {
    if (expr.kind !== 'unary' || expr.op !== 'exp') return expr;
    const x = share(expr.operand);
    return unlessNaN(x, select(lt(x, EXP_LOWEST), f32(0), exp(min(max(x, EXP_LOWEST), EXP_HIGHEST))));
  });
}
