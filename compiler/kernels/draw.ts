/**
 * draw: the random number of a point, f32.
 *
 * A number is a function of the seed, the place of the draw in the program and the indices along the roots of its axes
 * (dsl/primitives/draw-hash.ts has the definition; this is the same arithmetic on u32). No state, no dependence on sizes: threads need
 * nothing of one another.
 */
import type { KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, bitXor, convert, eq, f32, mul, neg, select, shl, shr, u32 } from '../kernel/make-expressions.ts';
import { log } from '../kernel/math/logarithm.ts';
import { sqrt } from '../kernel/math/roots.ts';
import { cosine, turnedBy } from '../kernel/math/turn.ts';

export interface DrawConfig<P> {
  readonly distribution: 'uniform' | 'normal' | 'gumbel';
  readonly seed: KernelExpr;
  /** Hash of the seed key, u32. */
  readonly seedKey: KernelExpr;
  /** For each axis, in canonical order: hash of its root's name, and the index in the root; u32. */
  readonly folds: (point: P) => readonly { readonly name: KernelExpr; readonly index: KernelExpr }[];
}

const UNIT = 2 ** -24;

export function drawnAt<P>(k: KernelBuilder, config: DrawConfig<P>, point: P): KernelExpr {
  const folds = config.folds(point);
  const key = fold(k, mix(k, config.seed), config.seedKey);
  const hash = folds.reduce((h, { name, index }) => fold(k, fold(k, h, name), index), key);
  return numberAt(k, config.distribution, hash);
}

/** The number of a distribution at a point's hash, u32. */
export function numberAt(
  k: KernelBuilder,
  distribution: DrawConfig<never>['distribution'],
  hash: KernelExpr,
): KernelExpr {
  const a = k.let(shr(fold(k, hash, u32(0)), u32(8)));
  switch (distribution) {
    case 'uniform':
      return unit(a);
    case 'normal': {
      // A turn in units of 2^-24: nothing is rounded before the cosine.
      const turns = k.let(shl(shr(fold(k, hash, u32(1)), u32(8)), u32(8)));
      const radius = sqrt(k, mul(log(k, unit(add(a, 1))), -2));
      return mul(radius, cosine(k, turnedBy(k, turns)));
    }
    case 'gumbel': {
      // u = max(a, 1/2) / 2^24: the smallest number is half a step.
      const u = select(eq(a, u32(0)), f32(UNIT / 2), unit(a));
      return neg(log(k, neg(log(k, u))));
    }
  }
}

/** n / 2^24. */
const unit = (n: KernelExpr): KernelExpr => mul(convert('f32', n), f32(UNIT));

function mix(k: KernelBuilder, h: KernelExpr): KernelExpr {
  const a = k.let(mul(bitXor(h, shr(h, u32(16))), u32(0x7feb352d)));
  const b = k.let(mul(bitXor(a, shr(a, u32(15))), u32(0x846ca68b)));
  return k.let(bitXor(b, shr(b, u32(16))), 'h');
}

function fold(k: KernelBuilder, h: KernelExpr, v: KernelExpr): KernelExpr {
  return mix(k, k.let(bitXor(h, mix(k, k.let(add(v, u32(0x9e3779b9)))))));
}
