/**
 * Rounding to f16 saturates at the largest finite f16.
 *
 * Before: quantize_f16(x)     After: quantize_f16(min(max(x, -65504.0), 65504.0))
 *
 * Beyond it WGSL's quantizeToF16 is indeterminate (drivers give Inf or NaN). Values that round to 65504 are not changed.
 */
import { max, min, quantizeF16 } from '../build.ts';
import type { Kernel } from '../ir.ts';
import { rewriteExprs } from './rewrite.ts';

export const F16_MAX = 65504;

export function saturateF16(kernel: Kernel): Kernel {
  return rewriteExprs(kernel, (expr) =>
    expr.kind === 'unary' && expr.op === 'quantize_f16' ? quantizeF16(min(max(expr.operand, -F16_MAX), F16_MAX)) : expr,
  );
}
