/**
 * The order of sums: one tree for every sum of every executor.
 *
 * The terms stand in row-major order of the axes that are summed over. 32 neighbours are added one after the other; the sums
 * of 32 such blocks likewise; and so on, until there is one. The last block of each level has what is left; the last level,
 * whose terms are sums of 32^4 = 1,048,576, takes as many as there are. So the tree depends on the number of terms alone, a term
 * passes through at most 31 additions a level, and n terms err by at most `sumDepth(n)` roundings of the sum of their sizes (Higham
 * 2002, section 4.2), where one accumulator errs by n.
 *
 * Why 32: sums of equal terms, which err to one side, stay within 2e-6 up to 32^5 of them (test/kernels/sums.test.ts); a kernel has two
 * accumulators for each sum up to 1,024 terms; closing a block costs two operations in 32; and a block is one round of a subgroup of
 * eight lanes that load four terms each (kernels/subgroup-tile.ts), which needs no loop of its own, as blocks of sixteen did. Twos
 * would have a tree of a third of the depth and three times the accumulators.
 *
 * Integers are added in any order: they wrap, and come to the same.
 */

import { at } from '../diagnostics/invariants.ts';
/** Terms of a block, and blocks of a block. */
export const SUM_BLOCK = 32;
/** Levels of the tree: 32^5 terms fill it. */
export const SUM_LEVELS = 5;

/** How many additions that round a term of n passes through: the first of a block adds it to 0. */
export function sumDepth(terms: number): number {
  let depth = 0;
  let n = Math.max(terms, 1);
  for (let level = 1; level < SUM_LEVELS; level++) {
    depth += Math.min(n, SUM_BLOCK) - 1;
    n = Math.ceil(n / SUM_BLOCK);
  }
  return depth + n - 1;
}

/** The sums of blocks as they come, one after the other, added up in the order of sums. */
export class BlockSums {
  /** What the unfinished block of each level comes to so far. */
  readonly #open: number[] = [];
  #blocks = 0;

  /** Adds the sum of the next block of 32 terms, or of the last ones. */
  enter(block: number): void {
    this.#blocks++;
    let carry = block;
    for (let level = 0, nth = this.#blocks; ; level++, nth /= SUM_BLOCK) {
      carry = (this.#open[level] ?? 0) + carry;
      if (nth % SUM_BLOCK !== 0 || level === SUM_LEVELS - 2) {
        this.#open[level] = carry;
        return;
      }
      this.#open[level] = 0;
    }
  }

  /** The sum of all blocks so far. */
  total(): number {
    let total = 0;
    for (const sum of this.#open) total = sum + total;
    return total;
  }
}

/** Σ term(k) for k in 0 .. count, in the order of sums. */
export function sumInOrder(count: number, term: (k: number) => number): number {
  const sums = new BlockSums();
  for (let first = 0; first < count; first += SUM_BLOCK) {
    const end = Math.min(first + SUM_BLOCK, count);
    let block = 0;
    for (let k = first; k < end; k++) block += term(k);
    sums.enter(block);
  }
  return sums.total();
}

/** Values that are no numbers yet, at least one, added up in the order of sums. */
export function addedInOrder<T>(first: T, others: readonly T[], plus: (a: T, b: T) => T): T {
  const head = others.slice(0, SUM_BLOCK - 1).reduce(plus, first);
  const blocks: T[] = [];
  for (let i = SUM_BLOCK - 1; i < others.length; i += SUM_BLOCK)
    blocks.push(others.slice(i + 1, i + SUM_BLOCK).reduce(plus, at(others, i, 'tensors: block of a sum')));
  return blocks.length === 0 ? head : addedInOrder(head, blocks, plus);
}
