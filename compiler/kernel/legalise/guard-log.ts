/**
 * log of what is not positive has a defined value: minus the largest finite f32, the masking value of the language.
 *
 * Before: log(x)     After: select(log(max(x, 2^-126)), -3.4028235e38, x <= 0)
 *
 * WGSL leaves log(x <= 0) indeterminate: one driver gives -Inf and NaN, another -88.03 for 0 and 5.3 for -200. Subnormals,
 * which a GPU may flush to 0, count as the smallest normal.
 */
import { F32_MAX, F32_MIN_NORMAL } from '../arithmetic.ts';
import { f32, le, log, max, select } from '../build.ts';
import type { Kernel } from '../ir.ts';
import { rewriteExprs } from './rewrite.ts';

export function guardLog(kernel: Kernel): Kernel {
  return rewriteExprs(kernel, (expr, share) => {
    if (expr.kind !== 'unary' || expr.op !== 'log') return expr;
    const x = share(expr.operand);
    return select(le(x, 0), f32(-F32_MAX), log(max(x, F32_MIN_NORMAL)));
  });
}
