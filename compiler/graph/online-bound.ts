/**
 * Error bounds of sums of weights of a softmax that are added up along it (softmax.ts, kernels/online.ts).
 *
 * In such a sum an exponential is exp(s - m') with the greatest score m' so far, and is multiplied by exp(m' - m") whenever a block of 32
 * terms raises it to m": in exact numbers exp(s - m). Each factor errs by 4 roundings as exp does, and each product by one; the
 * roundings of the differences come to no more than that of s - m, since they are differences of ascending numbers, which add up to it.
 * So an exponential errs by 5 roundings more for each block but the first, and for what else is subtracted, and may be flushed to zero as
 * often. Blocks are added one after the other, not in a tree, which adds one rounding for each. Nothing else is new: the sum of the exponentials
 * is made of the same ones, and dividing a sum rounds once where dividing each term rounds each.
 *
 * What is added up are exponentials of the greatest scores so far, that is up to 1, times values: sums of these may leave f32 where those
 * of weights do not.
 */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import { SUM_BLOCK } from '../../dsl/tensors/sum-order.ts';
import { infiniteFrom, tiny, u } from './scalar-bound.ts';
import type { SoftmaxSum } from './softmax.ts';

/** How often an exponential is multiplied, of so many terms. */
function rescales({ isGuarded, shift, max }: SoftmaxSum, terms: number): number {
  return Math.max(0, Math.ceil(terms / SUM_BLOCK) - 1) + (isGuarded && shift === max ? 0 : 1);
}

/** Widens the bounds of exponentials, of `terms` of them to a sum. */
export function widenExponentials(
  sum: SoftmaxSum,
  terms: number,
  { v, d }: { readonly v: Float64Array; readonly d: Float64Array },
): void {
  const times = rescales(sum, terms);
  const k = 6 * times;
  const relative = (k * u) / (1 - k * u);
  if (times === 0) return;
  for (const [i, value] of v.entries()) {
    // What is infinite or NaN stays so, and 0 is 0 whatever it is multiplied by.
    if (value === 0 && d[i] === 0) continue;
    const own = d[i] ?? noNumber();
    if (Number.isFinite(value)) d[i] = own + relative * (Math.abs(value) + own) + times * tiny;
  }
}

/**
 * Widens the bounds of sums: sum i has the terms `i * terms` and so on. `values`: what is weighed, null: 1.
 */
export function widenSums(
  sum: SoftmaxSum,
  terms: number,
  weights: { readonly v: Float64Array; readonly d: Float64Array },
  values: Float64Array | null,
  { v, d }: { readonly v: Float64Array; readonly d: Float64Array },
): void {
  const times = rescales(sum, terms);
  for (let i = 0; i < v.length; i++) {
    let size = 0;
    let most = 0;
    for (let k = i * terms; k < (i + 1) * terms; k++) {
      const value = Math.abs(values === null ? 1 : (values[k] ?? noNumber()));
      if (Number.isFinite(value)) size += value;
      const weight = Math.abs(weights.v[k] ?? noNumber()) + (weights.d[k] ?? noNumber());
      if (weight > most) most = weight;
    }
    if (size >= infiniteFrom) d[i] = Infinity;
    // What was added up may be flushed where it is multiplied: of exponentials of which the greatest is 1.
    else if (Number.isFinite(v[i] ?? noNumber()) && times > 0) d[i] = (d[i] ?? noNumber()) + times * tiny * most;
  }
}
