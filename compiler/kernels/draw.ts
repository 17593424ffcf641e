/**
 * draw: one random number for each point of a space; out: [points] f32.
 *
 * A number is a function of the seed, the place of the draw in the program and the indices along the roots of its axes
 * (dsl/algebra/draw-hash.ts has the definition; this is the same arithmetic on u32). No state, no dependence on sizes: threads need
 * nothing of one another.
 *
 * Logarithms of numbers near 1 lose all their digits on a GPU, so -ln u is taken of 1 - u by its series there.
 */
import type { BufferDecl, Expr } from '../kernel/ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import {
  add,
  bitXor,
  convert,
  cos,
  f32,
  fma,
  log,
  lt,
  max,
  mul,
  neg,
  select,
  shr,
  sqrt,
  sub,
  u32,
} from '../kernel/build.ts';
import { forEachPoint } from './space.ts';
import type { Space } from './space.ts';

export interface DrawConfig<P> {
  readonly distribution: 'uniform' | 'normal' | 'gumbel';
  readonly space: Space<P>;
  readonly seed: Expr;
  /** Hash of the place, u32. */
  readonly place: Expr;
  /** For each axis, in canonical order: hash of its root's name, and the index in the root; u32. */
  readonly folds: (point: P) => readonly { readonly name: Expr; readonly index: Expr }[];
  readonly out: BufferDecl;
}

const UNIT = 2 ** -24;

export function draw<P>(k: KernelBuilder, config: DrawConfig<P>): void {
  forEachPoint(k, config.space, (point, id) => {
    const folds = config.folds(point);
    const key = fold(k, mix(k, config.seed), config.place);
    const hash = folds.reduce((h, { name, index }) => fold(k, fold(k, h, name), index), key);
    k.store(config.out, id, numberAt(k, config.distribution, hash));
  });
}

function numberAt(k: KernelBuilder, distribution: DrawConfig<never>['distribution'], hash: Expr): Expr {
  const a = k.let(shr(fold(k, hash, u32(0)), u32(8)));
  switch (distribution) {
    case 'uniform':
      return mul(convert('f32', a), f32(UNIT));
    case 'normal': {
      const b = k.let(shr(fold(k, hash, u32(1)), u32(8)));
      const angle = mul(convert('f32', b), f32(2 * Math.PI * UNIT));
      return mul(sqrt(mul(negLog(k, add(a, 1)), 2)), cos(angle));
    }
    case 'gumbel': {
      // u = max(a, 1/2) / 2^24: the smallest number is half a step.
      const small = select(lt(a, u32(1)), f32(Math.log(2 ** 25)), negLog(k, max(a, u32(1))));
      return neg(log(small));
    }
  }
}

/** -ln(n / 2^24) for n in 1 .. 2^24. */
function negLog(k: KernelBuilder, n: Expr): Expr {
  const u = mul(convert('f32', n), f32(UNIT));
  // 1 - u is exact in integers: 2^24 - n.
  const w = k.let(mul(convert('f32', sub(u32(2 ** 24), n)), f32(UNIT)));
  const series = [1 / 7, 1 / 6, 1 / 5, 1 / 4, 1 / 3, 1 / 2, 1].reduce<Expr | null>(
    (s, c) => (s === null ? f32(c) : fma(s, w, c)),
    null,
  );
  return select(lt(w, f32(0.0625)), mul(series ?? f32(1), w), neg(log(u)));
}

function mix(k: KernelBuilder, h: Expr): Expr {
  const a = k.let(mul(bitXor(h, shr(h, u32(16))), u32(0x7feb352d)));
  const b = k.let(mul(bitXor(a, shr(a, u32(15))), u32(0x846ca68b)));
  return k.let(bitXor(b, shr(b, u32(16))), 'h');
}

function fold(k: KernelBuilder, h: Expr, v: Expr): Expr {
  return mix(k, k.let(bitXor(h, mix(k, k.let(add(v, u32(0x9e3779b9)))))));
}
