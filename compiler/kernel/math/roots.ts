/**
 * Square roots, within 3u and (one over it) 4u of themselves. NaN below 0; of 0 the second is infinity, of infinity 0.
 *
 * The driver's root is used where all have it alike: of positive normal numbers. A subnormal is its bits times 2^-149, so its root
 * is that of twice the bits, times 2^-75.
 */
import {
  bitAnd,
  bitcast,
  convert,
  eq,
  f32,
  lt,
  mul,
  rsqrt as inverseRoot,
  select,
  sqrt as root,
  u32,
} from '../make-expressions.ts';
import type { KernelExpr } from '../kernel-ir.ts';
import type { KernelBuilder } from '../kernel-builder.ts';

interface Sized {
  readonly x: KernelExpr;
  readonly small: KernelExpr;
  readonly normal: KernelExpr;
  readonly zero: KernelExpr;
  readonly infinite: KernelExpr;
  readonly inside: KernelExpr;
}

function sized(k: KernelBuilder, argument: KernelExpr): Sized {
  const x = k.let(argument);
  const bits = k.let(bitcast('u32', x));
  const small = k.let(lt(bits, u32(0x800000)));
  return {
    x,
    small,
    normal: k.let(select(small, convert('f32', mul(bits, u32(2))), x)),
    zero: k.let(eq(bitAnd(bits, u32(0x7fffffff)), u32(0))),
    infinite: k.let(eq(bits, u32(0x7f800000))),
    inside: k.let(lt(bits, u32(0x7f800000))),
  };
}

/** √x. */
export function sqrt(k: KernelBuilder, argument: KernelExpr): KernelExpr {
  const { small, normal, zero, infinite, inside, x } = sized(k, argument);
  const value = mul(root(normal), select(small, f32(2 ** -75), f32(1)));
  return k.let(select(zero, f32(0), select(infinite, x, select(inside, value, f32(NaN)))));
}

/** 1 / √x. */
export function rsqrt(k: KernelBuilder, argument: KernelExpr): KernelExpr {
  const { small, normal, zero, infinite, inside } = sized(k, argument);
  const value = mul(inverseRoot(normal), select(small, f32(2 ** 75), f32(1)));
  return k.let(select(zero, f32(Infinity), select(infinite, f32(0), select(inside, value, f32(NaN)))));
}
