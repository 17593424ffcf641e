/**
 * map: one fused expression for each point of a space; out: [points].
 *
 * Whatever is elementwise ends here: chains of scalar functions, views, selections, look-ups. One thread a point, one store a
 * thread, no communication. It wins whenever nothing is summed.
 */
import type { BufferDecl } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { forEachPoint, stored } from './space.ts';
import type { Space, PointValue } from './space.ts';

export interface MapConfig<P> {
  readonly space: Space<P>;
  readonly out: BufferDecl;
  readonly value: PointValue<P>;
  /** Where the value goes, if not to the element of the point's number (a part of a larger buffer). */
  readonly index?: PointValue<P>;
}

export function map<P>(k: KernelBuilder, config: MapConfig<P>): void {
  forEachPoint(k, config.space, (point, id) => {
    const value = stored(config.value(point));
    k.store(config.out, config.index?.(point) ?? id, value);
  });
}
