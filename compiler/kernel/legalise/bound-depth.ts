/**
 * No expression is deeper than shader compilers accept: parts of a deep one get a name.
 *
 * Before: a + (b + (c + … 200 levels))     After: let h0 = …; a + (b + … h0)
 *
 * Compilers refuse at about 128 levels of parentheses; half of that leaves room for the blocks around. The guarded side of
 * and/or and the limits of loops stay as they are (the verifier refuses them if they are too deep).
 */
import type { KernelExpr, Kernel } from '../kernel-ir.ts';
import { exprDepth, expressionsOf, forEachStatement, operandsOf } from '../visit-kernel.ts';
import { rewriteExprs } from './rewrite.ts';

export const MAX_EXPR_DEPTH = 48;

export function boundDepth(kernel: Kernel): Kernel {
  // Nearly every kernel is as it should be: it is looked at, and not made again.
  let some = false;
  forEachStatement(kernel.body, (s) => (some ||= expressionsOf(s).some((expr) => exprDepth(expr) >= MAX_EXPR_DEPTH)));
  if (!some) return kernel;
  const depths = new WeakMap<KernelExpr, number>();
  const depthOf = (expr: KernelExpr): number => {
    const known = depths.get(expr);
    if (known !== undefined) return known;
    const depth = 1 + operandsOf(expr).reduce((deepest, operand) => Math.max(deepest, depthOf(operand)), 0);
    depths.set(expr, depth);
    return depth;
  };
  return rewriteExprs(kernel, (expr, share) => {
    if (!share.canShare || depthOf(expr) < MAX_EXPR_DEPTH) return expr;
    return share(expr);
  });
}
