/**
 * check: looks at every point of a space, and reports those at which something is needed that does not hold. Nothing is stored.
 *
 * What must hold is computed only where it is needed: elsewhere there may be anything.
 */
import { not } from '../kernel/make-expressions.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { forEachPoint } from './space.ts';
import type { Space, PointValue } from './space.ts';

export interface CheckConfig<P> {
  readonly space: Space<P>;
  /** Whether a point is needed; null: all are. */
  readonly needed: PointValue<P> | null;
  readonly holds: PointValue<P>;
  /** Emits the report of a point. */
  readonly report: (point: P) => void;
}

export function check<P>(k: KernelBuilder, { space, needed, holds, report }: CheckConfig<P>): void {
  forEachPoint(k, space, (point) => {
    const look = (): void => k.when(not(holds(point)), () => report(point));
    if (needed === null) look();
    else k.when(needed(point), look);
  });
}
