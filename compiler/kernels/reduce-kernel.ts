/**
 * reduce: what a reduction comes to at a point, its reduced points visited in order.
 *
 * The loop is the caller's: a dense nest over axes, or the list of assignments that belong to the output point (the combine of
 * experts: work in proportion to what is present). A sum is in the order of sums (sums.ts), so it has one value: no atomics on
 * floats.
 *
 * The greatest and the least are NaN if there is one. WGSL's max and min drop it, so the greatest magnitude in bits is found on the
 * side (kernel/not-a-number.ts): two integer operations a visit, and one comparison at the end.
 */
import type { ReduceOp } from '../../dsl/types/primitive-names.ts';
import type { KernelExpr, ScalarType } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { bitcast, bool, max, min, or, select, u32 } from '../kernel/make-expressions.ts';
import { isNaNMagnitude, magnitudeBits } from '../kernel/not-a-number.ts';
import { extreme } from './space.ts';
import type { PointValue } from './space.ts';
import { Sums } from './sums.ts';
import type { Terms } from './sums.ts';

export interface ReduceConfig<P> {
  readonly op: ReduceOp;
  /** Type of the values; `any` has bools. */
  readonly type: ScalarType;
  readonly terms: Terms<P>;
  readonly value: PointValue<P>;
}

/** The result over no points, of what is no sum. */
function identity(op: Exclude<ReduceOp, 'sum'>, type: ScalarType): KernelExpr {
  switch (op) {
    case 'max':
      return extreme(type, 'lowest');
    case 'min':
      return extreme(type, 'highest');
    case 'any':
      return bool(false);
  }
}

function combine(op: Exclude<ReduceOp, 'sum'>, total: KernelExpr, value: KernelExpr): KernelExpr {
  switch (op) {
    case 'max':
      return max(total, value);
    case 'min':
      return min(total, value);
    case 'any':
      return or(total, value);
  }
}

export function reduced<P>(k: KernelBuilder, { op, type, terms, value }: ReduceConfig<P>, point: P): KernelExpr {
  if (op === 'sum') {
    const sums = new Sums(k, type, 1, terms.maxTerms);
    terms.visit(point, (inner) => sums.add(0, value(inner)), sums.close);
    return sums.total(0);
  }
  const total = k.var(identity(op, type));
  if (type !== 'f32') {
    terms.visit(point, (inner) => k.assign(total, combine(op, total, value(inner))));
    return total;
  }
  const largest = k.var(u32(0), 'most');
  terms.visit(point, (inner) => {
    const here = k.let(value(inner));
    k.assign(total, combine(op, total, here));
    k.assign(largest, max(largest, magnitudeBits(here)));
  });
  return select(isNaNMagnitude(largest), bitcast('f32', largest), total);
}
