/**
 * choose: the positions of the best candidates of each group, ascending, then -1; out: [groups, room] i32.
 *
 * One thread a group. It looks for the best that comes after the last one found, as often as so many are wanted: what it found last
 * is the worst that is taken. Then it goes over the group once more, in order, and writes down what is as good. So nothing is kept
 * but one key, and positions ascend by themselves. It costs (room + 1) rounds over the group: right for groups of experts. What is
 * longer has choose-long.ts, with the same results: they depend on keys and positions alone.
 *
 * Keys are compared as integers (sortable.ts); without a key the first come first. With `report`, a candidate whose key is NaN is
 * told.
 */
import type { KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { isNaNBits } from '../kernel/not-a-number.ts';
import { add, and, bitcast, bool, eq, ge, i32, le, lt, max, min, or, u32 } from '../kernel/make-expressions.ts';
import { sortKey } from './sortable.ts';
import type { Loop, PointValue } from './space.ts';

/** What is chosen, whoever goes over it. */
export interface Choosing<P> {
  /** How many are written for each group, u32. */
  readonly room: KernelExpr;
  /** i32; null: as many as there is room for. */
  readonly count: PointValue<P> | null;
  /** The greatest is best; null: what comes first. */
  readonly key: PointValue<P> | null;
  /** Null: every point is a candidate. */
  readonly candidate: PointValue<P> | null;
  /** Emits the report of a NaN at a point. */
  readonly report: ((point: P) => void) | null;
  /** Puts a position, i32, in the place of one of what a group chooses. */
  readonly put: (group: P, number: KernelExpr, position: KernelExpr) => void;
}

export interface ChooseConfig<P> extends Choosing<P> {
  /** All points of a group, by ascending position. */
  readonly loop: Loop<P>;
  /** Position of a point in its group, u32. */
  readonly position: PointValue<P>;
}

/** How many a group chooses at most, u32. */
export function wantedOf<P>({ room, count }: Pick<Choosing<P>, 'room' | 'count'>, group: P): KernelExpr {
  return count === null ? room : min(bitcast('u32', max(count(group), i32(0))), room);
}

/** The sort key of a candidate; a NaN is reported where that is asked for. */
export function keyAt<P>(k: KernelBuilder, { key, report }: Choosing<P>, point: P, tells: boolean): KernelExpr {
  if (key === null) return u32(0);
  const value = k.let(key(point));
  if (tells && report !== null && value.type === 'f32') k.when(isNaNBits(value), () => report(point));
  return k.let(sortKey(k, value, true), 'key');
}

/** What one group chooses. */
export function chooseIn<P>(k: KernelBuilder, config: ChooseConfig<P>, group: P): void {
  const { loop, position, key, candidate, room, put } = config;
  const among = (group: P, body: (point: P, at: KernelExpr) => void): void =>
    loop(group, (point) =>
      k.when(candidate?.(point) ?? bool(true), () => body(point, k.let(bitcast('i32', position(point)), 'pos'))),
    );
  const wanted = k.let(wantedOf(config, group), 'wanted');
  const [lastKey, last] = [k.var(u32(0), 'last'), k.var(i32(-1), 'at')];
  if (key !== null)
    k.forRange(u32(0), wanted, 1, () => {
      const [bestKey, best] = [k.var(u32(0), 'best'), k.var(i32(-1), 'at')];
      among(group, (point, at) => {
        const own = keyAt(k, config, point, false);
        const open = or(lt(lastKey, own), and(eq(own, lastKey), lt(last, at)));
        k.when(and(open, or(lt(best, i32(0)), lt(own, bestKey))), () => {
          k.assign(bestKey, own);
          k.assign(best, at);
        });
      });
      k.when(ge(best, i32(0)), () => {
        k.assign(lastKey, bestKey);
        k.assign(last, best);
      });
    });
  const chosen = k.var(u32(0), 'chosen');
  among(group, (point, at) => {
    const own = keyAt(k, config, point, true);
    const taken = and(
      lt(chosen, wanted),
      ...(key === null ? [] : [or(lt(own, lastKey), and(eq(own, lastKey), le(at, last)))]),
    );
    k.when(taken, () => {
      put(group, chosen, at);
      k.assign(chosen, add(chosen, 1));
    });
  });
  k.forRange(u32(0), room, 1, (number) => {
    k.when(ge(number, chosen), () => put(group, number, i32(-1)));
  });
}
