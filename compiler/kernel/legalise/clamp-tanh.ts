/**
 * tanh of a large argument is 1, not NaN.
 *
 * Before: tanh(x)     After: tanh(min(max(x, -15.0), 15.0)), or x where x is NaN
 *
 * Some drivers compute sinh/cosh and give NaN from 88.73 (44 on Metal). In f32, tanh is exactly 1 from 9.02 on, so the
 * clamp costs no accuracy.
 */
import { max, min, tanh } from '../build.ts';
import type { Kernel } from '../ir.ts';
import { unlessNaN } from '../not-a-number.ts';
import { rewriteExprs } from './rewrite.ts';

export function clampTanh(kernel: Kernel): Kernel {
  return rewriteExprs(kernel, (expr, share) => {
    if (expr.kind !== 'unary' || expr.op !== 'tanh') return expr;
    const x = share(expr.operand);
    return unlessNaN(x, tanh(min(max(x, -15), 15)));
  });
}
