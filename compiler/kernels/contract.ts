/**
 * contract: sums of products, one output point a thread; out: [points] f32 or i32. Right for every pattern of axes; where rows and
 * columns are those of two sides, tile.ts loads less. Sums are in the order of sums (sums.ts).
 */
import type { BufferDecl, ScalarType } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { forEachPoint } from './space.ts';
import type { Space, PointValue } from './space.ts';
import { Sums } from './sums.ts';
import type { Terms } from './sums.ts';

export interface ContractConfig<P> {
  readonly type: ScalarType;
  readonly space: Space<P>;
  /** Over the contracted axes. */
  readonly terms: Terms<P>;
  readonly left: PointValue<P>;
  readonly right: PointValue<P>;
  readonly out: BufferDecl;
}

/** One output point a thread. */
export function contract<P>(k: KernelBuilder, config: ContractConfig<P>): void {
  const { type, space, terms, left, right, out } = config;
  forEachPoint(k, space, (point, id) => {
    const sums = new Sums(k, type, 1, terms.maxTerms);
    terms.visit(point, (inner) => sums.addProduct(0, left(inner), right(inner)), sums.close);
    k.store(out, id, sums.total(0));
  });
}
