/**
 * argmax: position of the first largest element along an axis, one output point a thread; out: [points] i32.
 *
 * Compared as sort keys (sortable.ts): a NaN is below everything, so it is chosen only among NaNs, the same on every driver.
 */
import type { BufferDecl, Expr } from '../kernel/ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { bitcast, i32, lt, u32 } from '../kernel/build.ts';
import { forEachPoint } from './space.ts';
import { sortKey } from './sortable.ts';
import type { Space, Value } from './space.ts';

export interface ArgmaxConfig<P> {
  readonly space: Space<P>;
  /** Along the axis, in order; gives the index too. */
  readonly loop: (point: P, body: (inner: P, index: Expr) => void) => void;
  readonly value: Value<P>;
  readonly out: BufferDecl;
}

export function argmax<P>(k: KernelBuilder, config: ArgmaxConfig<P>): void {
  const { space, loop, value, out } = config;
  forEachPoint(k, space, (point, id) => {
    const best = k.var(u32(0xffffffff), 'best');
    const where = k.var(i32(0), 'at');
    loop(point, (inner, index) => {
      const key = k.let(sortKey(k, k.let(value(inner)), true), 'key');
      k.when(lt(key, best), () => {
        k.assign(best, key);
        k.assign(where, bitcast('i32', index));
      });
    });
    k.store(out, id, where);
  });
}
