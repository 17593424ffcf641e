/**
 * Numbers of a run against what they should be, each within its bound: how many were compared, how tight, which is worst.
 *
 * A bound that is as large as the value it bounds says nothing. `looseness` is Σ bounds / Σ |expected| over what was compared: an
 * error of less than that part of the tensor can hide in it.
 */
import { LARGEST } from '../graph/infinity.ts';
import type { ElementType } from '../graph/graph-ir.ts';
import { tiny } from '../graph/scalar-bound.ts';

export interface Compared {
  readonly index: readonly number[];
  readonly actual: number;
  readonly expected: number;
  /** |actual - expected|. */
  readonly error: number;
  readonly bound: number;
  /** error / bound: at most 1 if the number is right. */
  readonly ratio: number;
}

export interface Tally {
  /** Numbers that were compared; of them, those that are off. */
  readonly compared: number;
  readonly wrong: number;
  /** Numbers that hang on a choice which rounding could turn: not compared. */
  readonly undecided: number;
  /** Numbers on whose way something left the range of f32: not compared. */
  readonly left: number;
  /** The first that is off, and the one furthest off in units of its bound. */
  readonly firstWrong: Compared | null;
  readonly worst: Compared | null;
  /** The largest error and the largest bound among those compared. */
  readonly error: number;
  readonly bound: number;
  /** Σ bounds / Σ |expected| of those compared; 0 if all bounds are below the smallest numbers. */
  readonly looseness: number;
}

/** From this looseness on a value is not verified: an error of an eighth of it could hide in its bounds. */
export const looseFrom = 1 / 8;

/** What became of one number. */
export const fates = { outside: 0, right: 1, wrong: 2, undecided: 3, left: 4 } as const;
export type Fate = (typeof fates)[keyof typeof fates];

/**
 * Bounds are of first order. What they leave out is a product of two relative errors, the larger of which (that of a
 * function, or of a sum of 2^9 terms) is below 2^-14.
 */
const secondOrder = 1 + 2 ** -14;

export class Tallying {
  readonly exact: boolean;
  #compared = 0;
  #wrong = 0;
  #undecided = 0;
  #left = 0;
  #error = 0;
  #bound = 0;
  #bounds = 0;
  #sizes = 0;
  #firstWrong: Compared | null = null;
  #worst: Compared | null = null;

  constructor(element: ElementType) {
    this.exact = element === 'i32' || element === 'bool';
  }

  /** A number that was not compared. */
  skip(fate: typeof fates.undecided | typeof fates.left): Fate {
    if (fate === fates.left) this.#left++;
    else this.#undecided++;
    return fate;
  }

  /** Compares a number. `unwritten`: what stands there was put there before the launch, and is no result. */
  compare(actual: number, expected: number, delta: number, unwritten: boolean, index: () => readonly number[]): Fate {
    if (delta === Infinity || (this.exact && delta !== 0)) return this.skip(fates.undecided);
    this.#compared++;
    const error = Math.abs(actual - expected);
    const bound = this.exact ? 0 : delta * secondOrder + tiny;
    const same = Object.is(actual, expected) || actual === expected;
    const ratio = unwritten ? Infinity : same ? 0 : Number.isFinite(error) ? error / bound : Infinity;
    this.#error = Math.max(this.#error, Number.isFinite(error) ? error : ratio > 0 ? Infinity : 0);
    if (Number.isFinite(bound)) {
      this.#bound = Math.max(this.#bound, bound);
      if (delta > 0 && Math.abs(expected) < LARGEST) {
        this.#bounds += delta;
        this.#sizes += Math.abs(expected);
      } else if (Math.abs(expected) < LARGEST) this.#sizes += Math.abs(expected);
    }
    if (this.#worst === null || ratio > this.#worst.ratio)
      this.#worst = { index: index(), actual, expected, error, bound, ratio };
    if (ratio <= 1) return fates.right;
    this.#wrong++;
    this.#firstWrong ??= { index: index(), actual, expected, error, bound, ratio };
    return fates.wrong;
  }

  get tally(): Tally {
    // What is flushed to zero, for each number up to 2^26 times.
    const negligible = this.#bounds <= this.#compared * 2 ** 26 * tiny;
    return {
      compared: this.#compared,
      wrong: this.#wrong,
      undecided: this.#undecided,
      left: this.#left,
      firstWrong: this.#firstWrong,
      worst: this.#worst,
      error: this.#error,
      bound: this.#bound,
      looseness: negligible ? 0 : this.#bounds / this.#sizes,
    };
  }
}
