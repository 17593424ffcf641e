/**
 * Roots stay in their domain.
 *
 * Before: sqrt(x)      After: sqrt(max(x, 0.0)), or x where x is NaN
 * Before: rsqrt(x)     After: rsqrt(max(x, 2^-126)), or x where x is NaN
 *
 * A mean of squares that rounding made -1e-9 gives 0 and not NaN, and 1/sqrt of zero (or of a subnormal that a driver
 * flushes to zero) is large and finite.
 */
import { F32_MIN_NORMAL } from '../arithmetic.ts';
import { max, rsqrt, sqrt } from '../build.ts';
import type { Kernel } from '../ir.ts';
import { unlessNaN } from '../not-a-number.ts';
import { rewriteExprs } from './rewrite.ts';

export function guardRoots(kernel: Kernel): Kernel {
  return rewriteExprs(kernel, (expr, share) => {
    if (expr.kind !== 'unary' || (expr.op !== 'sqrt' && expr.op !== 'rsqrt')) return expr;
    const x = share(expr.operand);
    return unlessNaN(x, expr.op === 'sqrt' ? sqrt(max(x, 0)) : rsqrt(max(x, F32_MIN_NORMAL)));
  });
}
