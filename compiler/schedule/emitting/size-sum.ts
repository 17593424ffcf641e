/**
 * Sums of products of sizes, kept as such while they grow: terms of equal factors are one term, so that what a kernel does comes out
 * as one short formula (`304 * T`) instead of a line of as many summands as it has statements.
 */
import { apply, exact, multiply, sizeKey, zero } from '../../../dsl/types/size.ts';
import type { Size } from '../../../dsl/types/size.ts';

interface Term {
  readonly coefficient: bigint;
  /** None of them an integer, in the order they were first met. */
  readonly factors: readonly Size[];
}

/** By the keys of the factors, sorted. */
export type SizeSum = ReadonlyMap<string, Term>;

export const nothing: SizeSum = new Map();

/** A product of sizes as a sum of one term. */
export function termOf(sizes: readonly Size[], times = 1): SizeSum {
  const factors: Size[] = [];
  let coefficient = BigInt(times);
  const take = (size: Size): void => {
    if (size.kind === 'op' && size.op === 'mul') size.args.forEach(take);
    else if (size.kind === 'exact' && size.denominator === 1n) coefficient *= size.numerator;
    else factors.push(size);
  };
  sizes.forEach(take);
  if (coefficient === 0n) return nothing;
  return new Map([[factors.map(sizeKey).sort().join(' * '), { coefficient, factors }]]);
}

/** The sum of sizes, terms of equal factors as one. */
export function sumOf(sizes: readonly Size[]): Size {
  return sizeOfSum(sizes.map((size) => termOf([size])).reduce(plus, nothing));
}

function merged(a: SizeSum, b: SizeSum, of: (x: bigint, y: bigint) => bigint): SizeSum {
  if (a.size === 0) return b;
  if (b.size === 0) return a;
  const all = new Map(a);
  for (const [key, term] of b) {
    const known = all.get(key);
    all.set(key, known === undefined ? term : { ...known, coefficient: of(known.coefficient, term.coefficient) });
  }
  return all;
}

/** So many times a sum; `by` is not 0. */
export function times(sum: SizeSum, by: number): SizeSum {
  const factor = BigInt(by);
  return new Map([...sum].map(([key, term]) => [key, { ...term, coefficient: factor * term.coefficient }]));
}

/** A sum of many: as `plus` of one after the other. */
export class GrowingSum {
  readonly #terms = new Map<string, Term>();

  add(sum: SizeSum): void {
    for (const [key, term] of sum) {
      const known = this.#terms.get(key);
      const coefficient = known === undefined ? term.coefficient : known.coefficient + term.coefficient;
      this.#terms.set(key, { ...(known ?? term), coefficient });
    }
  }

  get sum(): SizeSum {
    return this.#terms;
  }
}

export function plus(a: SizeSum, b: SizeSum): SizeSum {
  return merged(a, b, (x, y) => x + y);
}

/** At least as much as either, term by term: the larger of two sums of like terms, and never less than it. */
export function larger(a: SizeSum, b: SizeSum): SizeSum {
  return merged(a, b, (x, y) => (x > y ? x : y));
}

export function sizeOfSum(sum: SizeSum): Size {
  const sizes = [...sum.values()].map(({ coefficient, factors }) => multiply([...factors, exact(coefficient)]));
  return sizes.reduce((a, b) => apply('add', a, b), zero);
}
