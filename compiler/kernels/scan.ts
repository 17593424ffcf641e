/**
 * scan: running sums along one axis, one line a thread; out: [points of the lines × axis].
 *
 * Sequential along the line, so the sums have the order of the index. It suits the many short lines of routing (places in a
 * queue, prefix sums over experts).
 */
import type { BufferDecl, Expr, ScalarType } from '../kernel/ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, asExpr } from '../kernel/build.ts';
import { forEachPoint } from './space.ts';
import type { Loop, Space, Value } from './space.ts';

export interface ScanConfig<P> {
  readonly type: ScalarType;
  /** The lines. */
  readonly space: Space<P>;
  /** Along a line, in order. */
  readonly loop: Loop<P>;
  readonly value: Value<P>;
  /** Element of `out` for a point of a line. */
  readonly index: (point: P) => Expr;
  /** Leaves the point itself out of its sum. */
  readonly exclusive: boolean;
  readonly out: BufferDecl;
}

export function scan<P>(k: KernelBuilder, config: ScanConfig<P>): void {
  const { type, space, loop, value, index, exclusive, out } = config;
  forEachPoint(k, space, (line) => {
    const sum = k.var(asExpr(0, type));
    loop(line, (point) => {
      const before = exclusive ? k.let(sum) : null;
      k.assign(sum, add(sum, value(point)));
      k.store(out, index(point), before ?? sum);
    });
  });
}
