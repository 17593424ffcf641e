/**
 * pow(x, y), which WGSL defines only for x >= 0 (and drivers disagree below), becomes something defined everywhere.
 *
 * Before: pow(x, 2.0)          After: x * x          (exact powers up to 8 by repeated squaring, negative ones by 1/x)
 * Before: pow(x, 0.5)          After: sqrt(x)
 * Before: pow(x, y)            After: select(x < 2^-126, limit, exp(y * log(x))), where limit is that of x -> 0:
 *                                     0 for y > 0, 1 for y = 0, the largest finite f32 for y < 0
 *                                     (subnormals count as 0, to which a GPU may flush them)
 *
 * exp(y * log(x)) is how WGSL's own pow is bounded, so nothing is lost. A negative x with an exponent that is not a small
 * literal is outside the language's domain of pow: it gives the limit at 0.
 */
import { F32_MAX, F32_MIN_NORMAL } from '../arithmetic.ts';
import { div, eq, exp, f32, gt, log, lt, mul, select, sqrt } from '../build.ts';
import type { Expr, Kernel } from '../ir.ts';
import { numberOf } from '../simplify.ts';
import { rewriteExprs } from './rewrite.ts';

const LARGEST_EXACT_POWER = 8;

export function expandPow(kernel: Kernel): Kernel {
  return rewriteExprs(kernel, (expr, share) => {
    if (expr.kind !== 'binary' || expr.op !== 'pow') return expr;
    const power = numberOf(expr.right);
    if (power === 0.5) return sqrt(expr.left);
    if (power !== undefined && Number.isInteger(power) && Math.abs(power) <= LARGEST_EXACT_POWER) {
      const magnitude = integerPower(share(expr.left), Math.abs(power), share);
      return power < 0 ? div(f32(1), magnitude) : magnitude;
    }
    const x = share(expr.left);
    const y = share(expr.right);
    const limit = select(gt(y, 0), f32(0), select(eq(y, 0), f32(1), f32(F32_MAX)));
    return select(lt(x, F32_MIN_NORMAL), limit, exp(mul(y, log(x))));
  });
}

/** x^n by repeated squaring: x^5 = (x^2)^2 * x. */
function integerPower(x: Expr, n: number, share: (expr: Expr) => Expr): Expr {
  if (n === 0) return f32(1);
  if (n === 1) return x;
  const half = share(integerPower(x, Math.floor(n / 2), share));
  const square = mul(half, half);
  return n % 2 === 0 ? square : mul(square, x);
}
