/**
 * Infinities and NaN are made at run time.
 *
 * Before: select(c, x, inf)     After: let infinity = 2139095040u; … select(c, x, bitcast<f32>(infinity))
 *
 * WGSL has no such constants and refuses expressions of constants that give one. A `let` is no constant to it, so its bits pass;
 * drivers see what they are and keep them.
 */
import { bitcast, letOf, local, u32 } from '../make-expressions.ts';
import { bitcastValue } from '../arithmetic.ts';
import type { Kernel, KernelExpr, KernelStmt } from '../kernel-ir.ts';
import { numberOf } from '../simplify.ts';
import { forEachExpr } from '../visit-kernel.ts';
import { rewriteExprs } from './rewrite.ts';

const QUIET_NAN = 0x7fc00000;

/** The constant an expression is, if it is one that has no spelling. */
function unspelt(expr: KernelExpr): number | undefined {
  const value = expr.type === 'f32' ? numberOf(expr) : undefined;
  return value === undefined || Number.isFinite(value) ? undefined : value;
}

export function nameInfinities(kernel: Kernel): Kernel {
  // Few kernels have one; the others are looked at, and not made again.
  let some = false;
  forEachExpr(kernel.body, (expr) => (some ||= unspelt(expr) !== undefined));
  if (!some) return kernel;
  const names = new Map<number, string>();
  const rewritten = rewriteExprs(kernel, (expr) => {
    const value = unspelt(expr);
    if (value === undefined) return expr;
    // NaN has many bits, of which a constant that was folded may have any.
    const bits = Number.isNaN(value) ? QUIET_NAN : bitcastValue('f32', 'u32', value);
    const name = names.get(bits) ?? (Number.isNaN(value) ? 'nan' : value > 0 ? 'infinity' : 'below');
    names.set(bits, name);
    return bitcast('f32', local(name, 'u32'));
  });
  const lets: readonly KernelStmt[] = [...names].map(([bits, name]) => letOf(name, u32(bits)));
  return { ...rewritten, body: [...lets, ...rewritten.body] };
}
