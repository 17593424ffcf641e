/**
 * choose-long: what choose.ts computes, for long groups: one workgroup a group, ten rounds over it however many are chosen.
 *
 * The worst key that is taken is found four bits at a time, the highest first: each lane counts, of its share of the group, how many
 * keys that begin like it go on with each of sixteen digits; the counts are added up, and the digit is where as many as are wanted
 * have been counted. Then it is known how many are better and how many of those that equal it are taken, the first ones. A round
 * more counts both in each share, and a last one writes positions down, each lane behind what the lanes before it write.
 */
import type { KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import {
  add, and, bitAnd, bitcast, bitOr, bool, eq, ge, i32, loadArray, localIdX, lt, min, mul, not, or, select, shl, shr, sub, u32, workgroupNumber,
} from '../kernel/make-expressions.ts'; // prettier-ignore
import { keyAt, wantedOf } from './choose.ts';
import type { Choosing } from './choose.ts';
import { shareOf } from './space.ts';

/** Threads of the workgroup of a group. */
export const CHOOSE_LANES = 128;
const DIGITS = 16;
const BITS = 4;
/** Lanes that add up the counts of one digit, each of as many lanes. */
const PARTS = CHOOSE_LANES / DIGITS;
const SHARE = CHOOSE_LANES / PARTS;

export interface ChooseLongConfig<P> extends Choosing<P> {
  /** How many groups, u32. */
  readonly groups: KernelExpr;
  readonly groupAt: (number: KernelExpr) => P;
  /** Points of a group, u32. */
  readonly points: KernelExpr;
  readonly pointAt: (group: P, position: KernelExpr) => P;
  /** A number as a value of the run: rounds that a driver can count it writes out, which takes llvmpipe seconds (DECISIONS 71). */
  readonly opaque: (value: number) => KernelExpr;
}

export function chooseLong<P>(k: KernelBuilder, config: ChooseLongConfig<P>): void {
  const { groups, groupAt, points, pointAt, key, candidate, room, put, opaque } = config;
  const bins = k.shared('bins', 'u32', DIGITS * CHOOSE_LANES);
  const number = k.let(workgroupNumber, 'group');
  // Barriers are for all: a surplus workgroup goes through them with nothing to look at.
  const there = k.let(lt(number, groups), 'there');
  const group = groupAt(k.let(min(number, sub(groups, 1)), 'row'));
  /** Goes over a thread's share of what the group has so many of. */
  const among = (size: KernelExpr, body: (i: KernelExpr) => void): void => {
    const [first, end] = shareOf(k, size, k.let(select(there, size, u32(0)), 'limit'));
    k.forRange(first, end, 1, body);
  };
  const wanted = k.let(wantedOf(config, group), 'wanted');
  const times = (rounds: number, body: (i: KernelExpr) => void): void =>
    k.forRange(u32(0), opaque(rounds), 1, body, rounds);
  const candidates = (body: (position: KernelExpr, point: P) => void): void =>
    among(points, (position) => {
      const point = pointAt(group, position);
      k.when(candidate?.(point) ?? bool(true), () => body(position, point));
    });
  const own = (point: P, tells: boolean): KernelExpr => keyAt(k, config, point, tells);

  // The worst key that is taken, and how many of those that equal it.
  const [worst, ties] = [k.var(u32(0), 'worst'), k.var(wanted, 'ties')];
  if (key !== null) findWorst();

  // What is better and what equals it, in each share.
  const [better, equal] = [k.var(u32(0), 'better'), k.var(u32(0), 'equal')];
  candidates((_, point) => {
    const mine = own(point, false);
    k.when(lt(mine, worst), () => k.assign(better, add(better, 1)));
    k.when(eq(mine, worst), () => k.assign(equal, add(equal, 1)));
  });
  k.storeArray(bins, localIdX, better);
  k.storeArray(bins, add(localIdX, CHOOSE_LANES), equal);
  k.barrier();
  const [betterBefore, equalBefore] = [k.var(u32(0), 'before'), k.var(u32(0), 'before')];
  const [allBetter, allEqual] = [k.var(u32(0), 'all'), k.var(u32(0), 'all')];
  times(CHOOSE_LANES, (lane) => {
    const [b, e] = [k.let(loadArray(bins, lane)), k.let(loadArray(bins, add(lane, CHOOSE_LANES)))];
    k.assign(allBetter, add(allBetter, b));
    k.assign(allEqual, add(allEqual, e));
    k.when(lt(lane, localIdX), () => {
      k.assign(betterBefore, add(betterBefore, b));
      k.assign(equalBefore, add(equalBefore, e));
    });
  });

  const taken = k.let(min(ties, allEqual), 'taken');
  const next = k.var(add(betterBefore, min(equalBefore, taken)), 'next');
  const seen = k.var(equalBefore, 'seen');
  candidates((position, point) => {
    const mine = own(point, true);
    k.when(or(lt(mine, worst), and(eq(mine, worst), lt(seen, taken))), () => {
      put(group, next, bitcast('i32', position));
      k.assign(next, add(next, 1));
    });
    k.when(eq(mine, worst), () => k.assign(seen, add(seen, 1)));
  });
  const chosen = k.let(add(allBetter, taken), 'chosen');
  among(room, (i) => {
    k.when(ge(i, chosen), () => put(group, i, i32(-1)));
  });

  function findWorst(): void {
    const parts = k.shared('parts', 'u32', CHOOSE_LANES);
    const found = k.shared('found', 'u32', 2);
    times(32 / BITS, (round) => {
      const shift = k.let(sub(u32(32 - BITS), mul(round, BITS)), 'shift');
      times(DIGITS, (d) => k.storeArray(bins, add(mul(d, CHOOSE_LANES), localIdX), u32(0)));
      candidates((_, point) => {
        const mine = k.let(shr(own(point, false), shift), 'digits');
        k.when(eq(shr(mine, u32(BITS)), worst), () => {
          const bin = k.let(add(mul(bitAnd(mine, DIGITS - 1), CHOOSE_LANES), localIdX), 'bin');
          k.storeArray(bins, bin, add(loadArray(bins, bin), 1));
        });
      });
      k.barrier();
      const part = k.var(u32(0), 'part');
      times(SHARE, (i) => k.assign(part, add(part, loadArray(bins, add(mul(localIdX, SHARE), i)))));
      k.storeArray(parts, localIdX, part);
      k.barrier();
      k.when(eq(localIdX, 0), () => takeDigit());
      k.barrier();
      k.assign(worst, bitOr(shl(worst, u32(BITS)), loadArray(found, u32(0))));
      k.assign(ties, loadArray(found, u32(1)));
    });

    /** The digit at which as many as are wanted have been counted, or the last there is; how many are wanted of it. */
    function takeDigit(): void {
      const [digit, base, before] = [k.var(u32(0), 'digit'), k.var(u32(0), 'base'), k.var(u32(0), 'sum')];
      times(DIGITS, (d) => {
        const total = k.var(u32(0), 'total');
        times(PARTS, (i) => k.assign(total, add(total, loadArray(parts, add(mul(d, PARTS), i)))));
        k.when(and(lt(before, ties), not(eq(total, u32(0)))), () => {
          k.assign(digit, d);
          k.assign(base, before);
          k.assign(before, add(before, total));
        });
      });
      k.storeArray(found, u32(0), digit);
      k.storeArray(found, u32(1), sub(min(ties, before), base));
    }
  }
}
