/** Sums inside a thread are bit for bit the tree that the order of sums defines, whatever the nest, and however they are cut up. */
import { describe, expect, it } from 'vitest';
import { BlockSums, addedInOrder, sumDepth, sumInOrder } from '../../dsl/tensors/sum-order.ts';
import { compileKernel } from '../../compiler/kernel/interpret-kernel.ts';
import type { Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { treeSum } from '../support/tree-sum.ts';
import { contractKernel, floatScanKernel, groupedMatmulKernel, matmulKernel, nestSumKernel, sumKernel } from './sample-launches.ts'; // prettier-ignore

function run(
  kernel: Kernel,
  threads: number,
  buffers: Record<string, Float32Array | Uint32Array>,
  uniforms: Record<string, number>,
): void {
  compileKernel(kernel)({
    workgroups: [Math.ceil(threads / kernel.workgroupSize), 1],
    buffers: new Map(Object.entries(buffers).map(([name, data]) => [name, { data }])),
    uniforms: new Map(Object.entries(uniforms)),
    checks: { races: true },
  });
}

/** Numbers of several magnitudes and both signs, so that another order shows in the bits. */
const numbers = (n: number) =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898 + 1) * 10 ** (2 * Math.sin(i * 78.233)));

/** Terms of a block, by the definition. */
const BLOCK = 32;
const lengths = [0, 1, 2, 16, 31, 32, 33, 63, 64, 65, 1023, 1024, 1025, 1055, 1056, 1057, 32_767, 32_769, 70_000];

describe('the order of sums', () => {
  it.each(lengths)('of %i terms, known to a run only', (n) => {
    const [x, y] = [numbers(Math.max(n, 1)), new Float32Array(1)];
    run(sumKernel('sum', null), 1, { x, y }, { rows: 1, width: n });
    expect(y[0]).toBe(treeSum([...x.slice(0, n)]));
  });

  it.each(lengths)('of %i terms, known when compiling: the same bits', (n) => {
    const [x, y] = [numbers(Math.max(n, 1)), new Float32Array(1)];
    run(sumKernel('sum', n), 1, { x, y }, { rows: 1, width: n });
    expect(y[0]).toBe(treeSum([...x.slice(0, n)]));
  });

  it.each([
    [[null, null]], [[5, 7]], [[40, 3]], [[null, 3]], [[null, 2]], [[7, 2, 4]], [[null, 16]], [[3, 32]], [[3, null, 32]],
    [[100, 8]], [[3, 24, 2]], [[3, 20, 2]], [[null, 1]], [[2, 2, 2, 2]], [[null, 0]], [[9, 48, 1, 5]],
  ])('of a nest %j: the same as of one row of terms', (sizes: readonly (number | null)[]) => {
    const counts = sizes.map((s) => s ?? 37);
    const n = counts.reduce((a, b) => a * b, 1);
    const [x, y] = [numbers(Math.max(n, 1)), new Float32Array(1)];
    run(nestSumKernel(sizes), 1, { x, y }, Object.fromEntries(counts.map((c, i) => [`n${i}`, c])));
    expect(y[0]).toBe(treeSum([...x.slice(0, n)]));
  }); // prettier-ignore

  it('of products, one or several columns a thread, and grouped, whole tiles and torn ones', () => {
    const depth = 4321;
    const [x, w] = [numbers(2 * depth), numbers(7 * depth).map((v) => v * 0.37)];
    const wanted = (row: number, j: number) =>
      treeSum(Array.from({ length: depth }, (_, d) => Math.fround((x[row * depth + d] ?? 0) * (w[j * depth + d] ?? 0))));
    for (const kernel of [contractKernel, matmulKernel(1, 4), matmulKernel(2, 2)]) {
      const y = new Float32Array(10);
      run(kernel, 10, { x, w, y }, { rows: 2, width: 5, depth });
      expect([...y]).toEqual(Array.from({ length: 10 }, (_, i) => wanted(Math.floor(i / 5), i % 5)));
    }
    for (const group of [[1, 1], [0, 1]] as const) {
      const y = new Float32Array(6);
      const blocks = group[0] === group[1] ? [0, 2, 2] : [0, 1, 2];
      const buffers = { blocks: Uint32Array.from(blocks), group: Uint32Array.from(group), x, w, y };
      run(groupedMatmulKernel(2, 2), 4, buffers, { most: 2, width: 3, depth });
      expect([...y]).toEqual(Array.from({ length: 6 }, (_, i) => wanted(Math.floor(i / 3), (group[i < 3 ? 0 : 1] ?? 0) * 3 + (i % 3))));
    }
  }); // prettier-ignore

  it('of running sums: the closed blocks, and the open one', () => {
    const n = 5000;
    const x = numbers(n);
    for (const exclusive of [false, true]) {
      const y = new Float32Array(n);
      run(floatScanKernel(exclusive), 1, { x, y }, { rows: 1, width: n });
      for (let i = 0; i < n; i += i < 600 ? 1 : 97) {
        const [end, first] = [exclusive ? i : i + 1, BLOCK * Math.floor((exclusive ? i : i + 1) / BLOCK)];
        // Where a block has just ended it stands open until its last term has been written.
        const open = !exclusive && end % BLOCK === 0 ? first - BLOCK : first;
        const sum = Math.fround(treeSum([...x.slice(0, open)]) + treeSum([...x.slice(open, end)]));
        expect(y[i], `${i}`).toBe(sum);
      }
    }
  });

  it('in float64 is the same tree', () => {
    const terms = [...numbers(5000)];
    const tree = (level: readonly number[]): number => {
      if (level.length <= 1) return level[0] ?? 0;
      const blocks = Array.from({ length: Math.ceil(level.length / BLOCK) }, (_, i) =>
        level.slice(BLOCK * i, BLOCK * (i + 1)).reduce((a, b) => a + b, 0),
      );
      return tree(blocks);
    };
    for (const n of [0, 1, 32, 33, 1024, 1025, 5000])
      expect(sumInOrder(n, (k) => terms[k] ?? 0)).toBe(tree(terms.slice(0, n)));
    expect(new BlockSums().total()).toBe(0);
    for (const n of [1, 2, 32, 33, 65, 1024, 1025, 5000])
      expect(addedInOrder(terms[0] ?? 0, terms.slice(1, n), (a, b) => a + b)).toBe(tree(terms.slice(0, n)));
  });

  it('adds up equal terms within 2e-6, however many: their errors go one way', () => {
    const times = (x: number, n: number): number => {
      let sum = 0;
      for (let i = 0; i < n; i++) sum = Math.fround(sum + x);
      return sum;
    };
    for (let i = 0; i < 500; i++) {
      const x = Math.fround(1 + i / 500);
      for (const n of [100_000, 4_400_000, BLOCK ** 5]) {
        // Of each level: the blocks that are full are equal, and what is left of them is the last block of the next.
        let [total, block, left] = [0, x, n];
        for (; left > 0; left = Math.floor(left / BLOCK)) {
          total = Math.fround(times(block, left % BLOCK) + total);
          block = times(block, BLOCK);
        }
        expect(Math.abs(total / (n * x) - 1), `${n} times ${x}`).toBeLessThan(2e-6);
      }
    }
  });

  it('has the depth it says', () => {
    /** The most additions that round, over all terms, counted on the tree itself. */
    const depth = (level: readonly number[]): number => {
      if (level.length <= 1) return level[0] ?? 0;
      const blocks = Array.from({ length: Math.ceil(level.length / BLOCK) }, (_, i) =>
        level.slice(BLOCK * i, BLOCK * (i + 1)).reduce((a, b) => Math.max(a, b) + 1),
      );
      return depth(blocks);
    };
    for (const n of lengths) expect(sumDepth(n), `${n}`).toBe(depth(new Array<number>(n).fill(0)));
    expect(sumDepth(4_400_000)).toBe(128);
  });
});
