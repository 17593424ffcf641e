/**
 * sort_rank: the place of a candidate in its group, i32.
 *
 * The place of an element is the number of candidates that are better, counted by one thread over its group: no sorting network,
 * no shared memory, ties settled by position, and the same kernel serves top-k, queues and argsort. It costs the square of the
 * group: right for groups of experts, and for the queues of a few thousand tokens.
 *
 * Keys are compared as integers (sortable.ts). With `report`, a candidate whose key is NaN enters its linear index into a status
 * word. Elements that are no candidates get the largest i32: no `place < k` holds there.
 */
import type { KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { isNaNBits } from '../kernel/not-a-number.ts';
import { add, and, bool, eq, i32, lt, or } from '../kernel/make-expressions.ts';
import { sortKey } from './sortable.ts';
import type { Loop, PointValue } from './space.ts';

export interface SortRankConfig<P> {
  /** All elements of a point's group, in any order. */
  readonly loop: Loop<P>;
  /** Position of an element in its group, u32: settles ties. */
  readonly position: PointValue<P>;
  readonly keys: readonly { readonly value: PointValue<P>; readonly descending: boolean }[];
  /** Null: every element is a candidate. */
  readonly candidate: PointValue<P> | null;
  /** Emits the report of a NaN at a point. */
  readonly report: ((point: P) => void) | null;
}

export function rankAt<P>(k: KernelBuilder, config: SortRankConfig<P>, point: P): KernelExpr {
  const { loop, position, keys, candidate, report } = config;
  const rank = k.var(i32(2147483647), 'place');
  k.when(candidate?.(point) ?? bool(true), () => {
    const own = keys.map((key) => {
      const value = k.let(key.value(point));
      if (report !== null && value.type === 'f32') k.when(isNaNBits(value), () => report(point));
      return k.let(sortKey(k, value, key.descending), 'key');
    });
    const self = k.let(position(point), 'pos');
    k.assign(rank, i32(0));
    loop(point, (other) => {
      k.when(candidate?.(other) ?? bool(true), () => {
        const theirs = keys.map((key) => k.let(sortKey(k, k.let(key.value(other)), key.descending), 'key'));
        k.when(precedes(theirs, own, lt(position(other), self)), () => k.assign(rank, add(rank, 1)));
      });
    });
  });
  return rank;
}

/** Lexicographic: the first key that differs decides, else `tie`. */
function precedes(a: readonly KernelExpr[], b: readonly KernelExpr[], tie: KernelExpr): KernelExpr {
  return a.reduceRight((rest, x, i) => {
    const y = b[i];
    return y === undefined ? rest : or(lt(x, y), and(eq(x, y), rest));
  }, tie);
}
