/**
 * contract: sums of products, at one point; f32 or i32. Right for every pattern of axes; where rows and columns are those of two sides,
 * tile.ts loads less. Sums are in the order of sums (sums.ts).
 */
import type { KernelExpr, ScalarType } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import type { PointValue } from './space.ts';
import { Sums } from './sums.ts';
import type { Terms } from './sums.ts';

export interface ContractConfig<P> {
  readonly type: ScalarType;
  /** Over the contracted axes. */
  readonly terms: Terms<P>;
  readonly left: PointValue<P>;
  readonly right: PointValue<P>;
}

/** What the sum comes to at a point. */
export function contracted<P>(k: KernelBuilder, { type, terms, left, right }: ContractConfig<P>, point: P): KernelExpr {
  const sums = new Sums(k, type, 1, terms.maxTerms);
  terms.visit(point, (inner) => sums.addProduct(0, left(inner), right(inner)), sums.close);
  return sums.total(0);
}
