/**
 * log of what is no positive normal number has a defined value: minus the largest finite f32, the language's masking value.
 *
 * Before: log(x)     After: select(x < 2^-126, -3.4028235e38, log(max(x, 2^-126))), or x where x is NaN
 *
 * WGSL leaves log(x <= 0) indeterminate: one driver gives -Inf and NaN, another -88.03 for 0 and 5.3 for -200. Subnormals
 * count as 0 because a GPU may flush them to 0: so all give the same.
 */
import { F32_MAX, F32_MIN_NORMAL } from '../arithmetic.ts';
import { f32, log, lt, max, select } from '../build.ts';
import type { Kernel } from '../ir.ts';
import { unlessNaN } from '../not-a-number.ts';
import { rewriteExprs } from './rewrite.ts';

export function guardLog(kernel: Kernel): Kernel {
  return rewriteExprs(kernel, (expr, share) => {
    if (expr.kind !== 'unary' || expr.op !== 'log') return expr;
    const x = share(expr.operand);
    return unlessNaN(x, select(lt(x, F32_MIN_NORMAL), f32(-F32_MAX), log(max(x, F32_MIN_NORMAL))));
  });
}
