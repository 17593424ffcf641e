/**
 * fold: a recurrence along an axis in one launch. Each row of what is carried is independent of the others and goes through all steps by
 * itself, as one thread or one workgroup (row.ts). A step is a list of phases.
 */
import type { KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { u32 } from '../kernel/make-expressions.ts';
import { afterPhase, eachRow, throughPoints, type RowConfig, type RowLanes, type RowLoop } from './row.ts';
import type { Space } from './space.ts';

/** A value at the points of a row: where they are, what it is there, and where it is kept. */
export interface FoldValue<P> {
  readonly at: RowLoop<P>['at'];
  readonly compute: (point: P) => KernelExpr;
  readonly keep: (point: P, index: KernelExpr, value: KernelExpr) => void;
}

/** Values at the same points, so many: all are computed at a point before one of them is kept there. */
export interface FoldLoop<P> {
  readonly size: number;
  readonly at: FoldValue<P>['at'];
  readonly values: readonly Omit<FoldValue<P>, 'at'>[];
}

export interface FoldConfig<P> {
  readonly lanes: RowLanes;
  /** As of a row. */
  readonly opaque: RowConfig<P>['opaque'];
  readonly rows: Space<P>;
  /** Number of steps, u32. */
  readonly steps: KernelExpr;
  /** What the memory of a row needs before anything is kept there. */
  readonly begin: () => void;
  readonly starts: readonly FoldLoop<P>[];
  readonly enterStep: (row: P, step: KernelExpr) => P;
  readonly phases: readonly (readonly FoldLoop<P>[])[];
  readonly ends: readonly FoldLoop<P>[];
}

export function fold<P>(k: KernelBuilder, config: FoldConfig<P>): void {
  const { lanes, opaque, rows, steps, starts, enterStep, phases, ends } = config;
  const all = (loops: readonly FoldLoop<P>[], around: P): void =>
    loops.forEach((loop) => throughPoints(k, { lanes, opaque }, { ...loop, visit: visitOf(k, loop) }, around));
  eachRow(k, lanes, rows, (row) => {
    config.begin();
    all(starts, row);
    afterPhase(k, lanes);
    k.forRange(u32(0), steps, 1, (number) => {
      const step = enterStep(row, number);
      for (const phase of phases) {
        all(phase, step);
        afterPhase(k, lanes);
      }
    });
    all(ends, row);
  });
}

function visitOf<P>(k: KernelBuilder, { values }: FoldLoop<P>): RowLoop<P>['visit'] {
  return (point, index) => {
    const computed = values.map(({ compute }) => k.let(compute(point)));
    values.forEach(({ keep }, i) => {
      const value = computed[i];
      if (value !== undefined) keep(point, index, value);
    });
  };
}
