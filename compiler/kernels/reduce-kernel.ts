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
import { at, missing } from '../../dsl/diagnostics/invariants.ts';
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

export function reduced<P>(k: KernelBuilder, { value, ...config }: ReduceConfig<P>, point: P): KernelExpr {
  const [total] = reducedBeside(k, { ...config, count: 1, values: (inner) => [value(inner)] }, point);
  return total ?? missing('kernels: result of a reduction', 0);
}

/** Reductions of so many values over the same terms, each by itself. */
export interface ReduceBesideConfig<P> extends Omit<ReduceConfig<P>, 'value'> {
  readonly count: number;
  readonly values: (inner: P) => readonly KernelExpr[];
}

export function reducedBeside<P>(
  k: KernelBuilder,
  { op, type, terms, count, values }: ReduceBesideConfig<P>,
  point: P,
): readonly KernelExpr[] {
  if (op === 'sum') {
    const sums = new Sums(k, type, count, terms.maxTerms);
    terms.visit(point, (inner) => values(inner).forEach((value, i) => sums.add(i, value)), sums.close);
    return Array.from({ length: count }, (_, i) => sums.total(i));
  }
  const isFloat = type === 'f32';
  const all = Array.from({ length: count }, () => ({
    total: k.var(identity(op, type)),
    largest: isFloat ? k.var(u32(0), 'most') : null,
  }));
  terms.visit(point, (inner) => {
    const here = values(inner);
    for (const [i, { total, largest }] of all.entries()) {
      const each = at(here, i, 'kernels: value of a reduction');
      const value = largest === null ? each : k.let(each);
      k.assign(total, combine(op, total, value));
      if (largest !== null) k.assign(largest, max(largest, magnitudeBits(value)));
    }
  });
  return all.map(({ total, largest }) =>
    largest === null ? total : select(isNaNMagnitude(largest), bitcast('f32', largest), total),
  );
}
