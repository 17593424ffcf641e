/**
 * contract: sums of products; out: [points] f32 or i32. The plain family, right for every pattern of axes.
 *
 * One thread computes `columns` neighbours along the last output axis when only one side has that axis: what the other side
 * loads is then used that often. With `columns` 1 a thread is one output point. Sums are in f32, in the order of sums (sums.ts).
 */
import type { BufferDecl, KernelExpr, ScalarType } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, div, lt, min, mul, rem, sub } from '../kernel/make-expressions.ts';
import { forEachPoint, forEachThread } from './space.ts';
import type { Space, PointValue } from './space.ts';
import { Sums } from './sums.ts';
import type { Terms } from './sums.ts';

export interface ContractConfig<P> {
  readonly type: ScalarType;
  readonly space: Space<P>;
  /** Over the contracted axes. */
  readonly terms: Terms<P>;
  readonly left: PointValue<P>;
  readonly right: PointValue<P>;
  readonly out: BufferDecl;
}

/** One output point a thread. */
export function contract<P>(k: KernelBuilder, config: ContractConfig<P>): void {
  const { type, space, terms, left, right, out } = config;
  forEachPoint(k, space, (point, id) => {
    const sums = new Sums(k, type, 1, terms.maxTerms);
    terms.visit(point, (inner) => sums.add(0, mul(left(inner), right(inner))), sums.close);
    k.store(out, id, sums.total(0));
  });
}

export interface ContractColumnsConfig<P> {
  readonly type: ScalarType;
  /** The output points without their last axis. */
  readonly rows: Space<P>;
  /** Size of the last output axis, u32. */
  readonly width: KernelExpr;
  /** Number of neighbours along it that one thread computes. */
  readonly columns: number;
  /** A point at one index of the last axis. */
  readonly at: (point: P, column: KernelExpr) => P;
  readonly terms: Terms<P>;
  /** The side without the last axis. */
  readonly shared: PointValue<P>;
  /** The side with it. */
  readonly own: PointValue<P>;
  readonly out: BufferDecl;
}

/** `columns` output points a thread; rows × ceil(width / columns) threads. */
export function contractColumns<P>(k: KernelBuilder, config: ContractColumnsConfig<P>): void {
  const { type, rows, width, columns, at, terms, shared, own, out } = config;
  const blocks = k.let(div(add(width, columns - 1), columns), 'blocks');
  forEachThread(k, mul(rows.total, blocks), (id) => {
    const row = k.let(div(id, blocks), 'row');
    const first = k.let(mul(rem(id, blocks), columns), 'col');
    rows.enter(row, (point) => {
      const last = sub(width, 1);
      // A column past the end repeats the last one and is not stored.
      const column = Array.from({ length: columns }, (_, j) => k.let(j === 0 ? first : min(add(first, j), last), 'c'));
      const sums = new Sums(k, type, columns, terms.maxTerms);
      const eachColumn = (inner: P) => {
        const common = k.let(shared(inner));
        for (const [j, c] of column.entries()) sums.add(j, mul(common, own(at(inner, c))));
      };
      terms.visit(point, eachColumn, sums.close);
      for (const j of column.keys()) {
        const target = add(first, j);
        k.when(lt(target, width), () => k.store(out, add(mul(row, width), target), sums.total(j)));
      }
    });
  });
}
