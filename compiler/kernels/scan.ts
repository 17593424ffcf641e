/**
 * scan: running sums along one axis, one line a thread; out: [points of the lines × axis].
 *
 * Sequential along the line: it suits the many short lines of routing (places in a queue, prefix sums over experts). A running sum
 * is what its last block of 32 terms comes to so far, and to that is added what the closed blocks before it come to, in the
 * order of sums (sums.ts): one addition more than a sum of as many terms.
 */
import type { KernelExpr, ScalarType } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, f32 } from '../kernel/make-expressions.ts';
import type { PointValue } from './space.ts';
import { Sums } from './sums.ts';
import type { Terms } from './sums.ts';

export interface ScanConfig<P> {
  readonly type: ScalarType;
  /** Along a line, in order. */
  readonly terms: Terms<P>;
  readonly value: PointValue<P>;
  /** Puts what a sum comes to at a point of a line where it goes. */
  readonly put: (point: P, value: KernelExpr) => void;
  /** Leaves the point itself out of its sum. */
  readonly exclusive: boolean;
}

/** Goes along one line. */
export function scanLine<P>(k: KernelBuilder, config: ScanConfig<P>, line: P): void {
  const { type, terms, value, put, exclusive } = config;
  const sums = new Sums(k, type, 1, terms.maxTerms);
  const { close } = sums;
  const closed = close === undefined ? null : k.var(f32(0), 'closed');
  const here = () => (closed === null ? sums.open(0) : add(closed, sums.open(0)));
  const step = (point: P) => {
    const before = exclusive ? k.let(here()) : null;
    sums.add(0, value(point));
    put(point, before ?? here());
  };
  const closing = () => {
    close?.();
    if (closed !== null) k.assign(closed, sums.closed(0));
  };
  terms.visit(line, step, close === undefined ? undefined : closing);
}
