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
import type { Kernel, KernelStmt } from '../kernel-ir.ts';
import { numberOf } from '../simplify.ts';
import { rewriteExprs } from './rewrite.ts';

const QUIET_NAN = 0x7fc00000;

export function nameInfinities(kernel: Kernel): Kernel {
  const names = new Map<number, string>();
  const rewritten = rewriteExprs(kernel, (expr) => {
    const value = expr.type === 'f32' ? numberOf(expr) : undefined;
    if (value === undefined || Number.isFinite(value)) return expr;
    // NaN has many bits, of which a constant that was folded may have any.
    const bits = Number.isNaN(value) ? QUIET_NAN : bitcastValue('f32', 'u32', value);
    const name = names.get(bits) ?? (Number.isNaN(value) ? 'nan' : value > 0 ? 'infinity' : 'below');
    names.set(bits, name);
    return bitcast('f32', local(name, 'u32'));
  });
  if (names.size === 0) return kernel;
  const lets: readonly KernelStmt[] = [...names].map(([bits, name]) => letOf(name, u32(bits)));
  return { ...rewritten, body: [...lets, ...rewritten.body] };
}
