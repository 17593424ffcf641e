/**
 * Roots stay in their domain.
 *
 * Before: sqrt(x)      After: sqrt(max(x, 0.0))
 * Before: rsqrt(x)     After: rsqrt(max(x, 2^-126))
 *
 * A mean of squares that rounding made -1e-9 gives 0 and not NaN, and 1/sqrt of zero (or of a subnormal that a driver
 * flushes to zero) is large and finite.
 */
import { F32_MIN_NORMAL } from '../arithmetic.ts';
import { max, rsqrt, sqrt } from '../build.ts';
import type { Kernel } from '../ir.ts';
import { rewriteExprs } from './rewrite.ts';

export function guardRoots(kernel: Kernel): Kernel {
  return rewriteExprs(kernel, (expr) => {
    if (expr.kind !== 'unary') return expr;
    if (expr.op === 'sqrt') return sqrt(max(expr.operand, 0));
    if (expr.op === 'rsqrt') return rsqrt(max(expr.operand, F32_MIN_NORMAL));
    return expr;
  });
}
