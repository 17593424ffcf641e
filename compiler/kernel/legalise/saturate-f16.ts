/**
 * Rounding to f16 saturates at the largest finite f16, and leaves NaN and infinities as they are.
 *
 * Before: quantize_f16(x)     After: quantize_f16(min(max(x, -65504.0), 65504.0)), or x where |x| >= 1e30 or x is NaN
 *
 * Beyond 65504 WGSL's quantizeToF16 is indeterminate (drivers give Inf or NaN). Values that round to 65504 are not changed. One
 * test of the bits without sign finds what is kept, for NaN is above all numbers there.
 */
import { INFINITE, bitcastValue } from '../arithmetic.ts';
import { ge, max, min, quantizeF16, select, u32 } from '../build.ts';
import type { Kernel } from '../ir.ts';
import { magnitudeBits } from '../not-a-number.ts';
import { rewriteExprs } from './rewrite.ts';

export const F16_MAX = 65504;
const INFINITE_BITS = bitcastValue('f32', 'u32', INFINITE);

export function saturateF16(kernel: Kernel): Kernel {
  return rewriteExprs(kernel, (expr, share) => {
    if (expr.kind !== 'unary' || expr.op !== 'quantize_f16') return expr;
    const x = share(expr.operand);
    const kept = ge(magnitudeBits(x), u32(INFINITE_BITS));
    return select(kept, x, quantizeF16(min(max(x, -F16_MAX), F16_MAX)));
  });
}
