/**
 * scan: running sums along one axis, one line a thread; out: [points of the lines × axis].
 *
 * Sequential along the line: it suits the many short lines of routing (places in a queue, prefix sums over experts). A running sum
 * is what its last block of 32 terms comes to so far, and to that is added what the closed blocks before it come to, in the
 * order of sums (sums.ts): one addition more than a sum of as many terms.
 */
import type { BufferDecl, KernelExpr, ScalarType } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, f32 } from '../kernel/make-expressions.ts';
import { forEachPoint } from './space.ts';
import type { Space, PointValue } from './space.ts';
import { Sums } from './sums.ts';
import type { Terms } from './sums.ts';

export interface ScanConfig<P> {
  readonly type: ScalarType;
  /** The lines. */
  readonly space: Space<P>;
  /** Along a line, in order. */
  readonly terms: Terms<P>;
  readonly value: PointValue<P>;
  /** Element of `out` for a point of a line. */
  readonly index: (point: P) => KernelExpr;
  /** Leaves the point itself out of its sum. */
  readonly exclusive: boolean;
  readonly out: BufferDecl;
}

export function scan<P>(k: KernelBuilder, config: ScanConfig<P>): void {
  const { type, space, terms, value, index, exclusive, out } = config;
  forEachPoint(k, space, (line) => {
    const sums = new Sums(k, type, 1, terms.maxTerms);
    const { close } = sums;
    const closed = close === undefined ? null : k.var(f32(0), 'closed');
    const here = () => (closed === null ? sums.open(0) : add(closed, sums.open(0)));
    const step = (point: P) => {
      const before = exclusive ? k.let(here()) : null;
      sums.add(0, value(point));
      k.store(out, index(point), before ?? here());
    };
    const closing = () => {
      close?.();
      if (closed !== null) k.assign(closed, sums.closed(0));
    };
    terms.visit(line, step, close === undefined ? undefined : closing);
  });
}
