/**
 * reduce: one output point a thread, its reduced points visited in order; out: [points].
 *
 * The loop is the caller's: a dense nest over axes, or the list of assignments that belong to the output point (the combine of
 * experts: work in proportion to what is present). The order of visits is fixed, so a sum has one value: no atomics on floats.
 *
 * The greatest and the least are NaN if there is one. WGSL's max and min drop it, so the greatest magnitude in bits is found on the
 * side (kernel/not-a-number.ts): two integer operations a visit, and one comparison at the end.
 */
import type { BufferDecl, Expr, ScalarType } from '../kernel/ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, asExpr, bitcast, bool, max, min, or, select, u32 } from '../kernel/build.ts';
import { isNaNMagnitude, magnitudeBits } from '../kernel/not-a-number.ts';
import { extreme, forEachPoint, stored } from './space.ts';
import type { Loop, Space, Value } from './space.ts';

export type ReduceOp = 'sum' | 'max' | 'min' | 'any';

export interface ReduceConfig<P> {
  readonly op: ReduceOp;
  /** Type of the values; `any` has bools. */
  readonly type: ScalarType;
  readonly space: Space<P>;
  readonly loop: Loop<P>;
  readonly value: Value<P>;
  readonly out: BufferDecl;
}

/** The result over no points. */
export function identity(op: ReduceOp, type: ScalarType): Expr {
  switch (op) {
    case 'sum':
      return asExpr(0, type);
    case 'max':
      return extreme(type, 'lowest');
    case 'min':
      return extreme(type, 'highest');
    case 'any':
      return bool(false);
  }
}

function combine(op: ReduceOp, total: Expr, value: Expr): Expr {
  switch (op) {
    case 'sum':
      return add(total, value);
    case 'max':
      return max(total, value);
    case 'min':
      return min(total, value);
    case 'any':
      return or(total, value);
  }
}

export function reduce<P>(k: KernelBuilder, config: ReduceConfig<P>): void {
  const { op, type, space, loop, value, out } = config;
  forEachPoint(k, space, (point, id) => {
    const total = k.var(identity(op, type));
    if (type !== 'f32' || op === 'sum') {
      loop(point, (inner) => k.assign(total, combine(op, total, value(inner))));
      k.store(out, id, stored(total));
      return;
    }
    const most = k.var(u32(0), 'most');
    loop(point, (inner) => {
      const here = k.let(value(inner));
      k.assign(total, combine(op, total, here));
      k.assign(most, max(most, magnitudeBits(here)));
    });
    k.store(out, id, select(isNaNMagnitude(most), bitcast('f32', most), total));
  });
}
