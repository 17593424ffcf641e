/**
 * argmax: position of the first largest element along an axis, at a point; i32.
 *
 * Compared as sort keys (sortable.ts): a NaN is below everything, so it is chosen only among NaNs, the same on every driver. With
 * `report`, a point that met a NaN is reported: the last key of all is remembered beside the first.
 */
import type { KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { bitcast, eq, i32, lt, max, u32 } from '../kernel/make-expressions.ts';
import { NAN_DESCENDING, sortKey } from './sortable.ts';
import type { PointValue } from './space.ts';

export interface ArgmaxConfig<P> {
  /** Along the axis, in order; gives the index too. */
  readonly loop: (point: P, body: (inner: P, index: KernelExpr) => void) => void;
  readonly value: PointValue<P>;
  /** Emits the report of a point that met a NaN; for values of f32 only. */
  readonly report: ((point: P) => void) | null;
}

export function argmaxAt<P>(k: KernelBuilder, { loop, value, report }: ArgmaxConfig<P>, point: P): KernelExpr {
  const best = k.var(u32(0xffffffff), 'best');
  const where = k.var(i32(0), 'at');
  const last = report === null ? null : k.var(u32(0), 'last');
  loop(point, (inner, index) => {
    const key = k.let(sortKey(k, k.let(value(inner)), true), 'key');
    k.when(lt(key, best), () => {
      k.assign(best, key);
      k.assign(where, bitcast('i32', index));
    });
    if (last !== null) k.assign(last, max(last, key));
  });
  if (last !== null && report !== null) k.when(eq(last, u32(NAN_DESCENDING)), () => report(point));
  return where;
}
