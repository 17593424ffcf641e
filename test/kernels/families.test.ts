/** Each kernel family by itself, on the kernel interpreter; its shader is good, and is the golden one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawAt, drawKey, foldAxis, hashText } from '../../dsl/primitives/draw-hash.ts';
import { compileKernel } from '../../compiler/kernel/interpret-kernel.ts';
import type { Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { COUNTERS, countsOf, withCounters } from '../../compiler/schedule/executing/count-work.ts';
import { groupingThreads } from '../../compiler/schedule/deciding/legality.ts';
import { legalise } from '../../compiler/kernel/legalise/legalise.ts';
import { verifyKernel } from '../../compiler/kernel/verify-kernel.ts';
import { forEachStatement } from '../../compiler/kernel/visit-kernel.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { printWgsl } from '../../compiler/wgsl/print-wgsl.ts';
import { validateWgsl } from '../support/null-device.ts';
import { treeSum } from '../support/tree-sum.ts';
import {
  argmaxKernel, chooseKernel, chooseLongKernel, compactCountKernel, compactFillKernel, compactScanKernel, contractKernel, drawKernel, groupSlotsKernel,
  groupedMatmulKernel, mapKernel, queuedSlotsKernel, matmulKernel, sortRankKernel, reduceKernel, rowBlocksKernel, samples, scanKernel, subgroupTileKernel,
} from './sample-launches.ts'; // prettier-ignore

type Words = Float32Array | Int32Array | Uint32Array;

/** Runs `threads` threads of a kernel, folded into two dimensions, with race checks. */
function run(kernel: Kernel, threads: number, buffers: Record<string, Words>, uniforms: Record<string, number>): void {
  const groups = Math.ceil(threads / kernel.workgroupSize);
  const columns = Math.max(1, Math.min(3, groups));
  compileKernel(kernel)({
    workgroups: [columns, Math.max(1, Math.ceil(groups / columns))],
    buffers: new Map(Object.entries(buffers).map(([name, data]) => [name, { data }])),
    uniforms: new Map(Object.entries(uniforms)),
    checks: { races: true },
  });
}

const numbers = (n: number, seed = 1) =>
  Float32Array.from({ length: n }, (_, i) => Math.fround(Math.sin(seed * 7.1 + i * 12.9898)));

/** Σ in f32, one rounding for each product and sum, in the order of sums: what a kernel does. */
function dot(a: Float32Array, b: Float32Array, from: number, other: number, n: number): number {
  return treeSum(Array.from({ length: n }, (_, d) => Math.fround((a[from + d] ?? 0) * (b[other + d] ?? 0))));
}

describe('kernel families', () => {
  it.each(samples.map((k) => [k.name, k] as const))(
    '%s is well formed, its shader valid and golden',
    async (name, kernel) => {
      expect(verifyKernel(kernel, webgpuCore.limits)).toEqual([]);
      const text = printWgsl(legalise(kernel, webgpuCore));
      expect(await validateWgsl(text), text).toEqual([]);
      await expect(text).toMatchFileSnapshot(`golden/${name}.wgsl`);
    },
  );

  it('map, over a grid folded into two dimensions', () => {
    const x = numbers(1000);
    const y = new Float32Array(1000);
    run(mapKernel, 1000, { x, y }, { n: 1000 });
    expect(y).toEqual(x.map((v) => 2 * v));
  });

  it('reduce', () => {
    const x = numbers(35);
    const y = new Float32Array(7);
    run(reduceKernel, 7, { x, y }, { rows: 7, width: 5 });
    expect([...y]).toEqual([0, 1, 2, 3, 4, 5, 6].map((i) => Math.max(...x.slice(5 * i, 5 * i + 5))));
    run(reduceKernel, 1, { x: new Float32Array(1), y }, { rows: 1, width: 0 });
    expect(y[0]).toBe(-Infinity);
  });

  it('reduce: a NaN anywhere makes the greatest NaN, an infinity does not', () => {
    const x = Float32Array.of(
      NaN,
      1,
      2,
      1,
      NaN,
      2,
      1,
      2,
      NaN,
      Infinity,
      -Infinity,
      0,
      NaN,
      NaN,
      NaN,
      -Infinity,
      -1,
      -2,
    );
    // A NaN of the other sign, and one with a payload.
    new Uint32Array(x.buffer).set([0xffc00000], 4);
    new Uint32Array(x.buffer).set([0x7f800001], 8);
    const y = new Float32Array(6);
    run(reduceKernel, 6, { x, y }, { rows: 6, width: 3 });
    expect([...y]).toEqual([NaN, NaN, NaN, Infinity, NaN, -1]);
  });

  it.each([contractKernel, matmulKernel(1, 4), matmulKernel(1, 1), matmulKernel(4, 4), matmulKernel(3, 2)])(
    '$name, bit for bit in index order',
    (kernel) => {
      const [rows, width, depth] = [5, 7, 9];
      const [x, w] = [numbers(rows * depth), numbers(width * depth, 2)];
      const y = new Float32Array(rows * width);
      run(kernel, rows * width, { x, w, y }, { rows, width, depth });
      expect([...y]).toEqual(
        Array.from({ length: rows * width }, (_, i) =>
          dot(x, w, Math.floor(i / width) * depth, (i % width) * depth, depth),
        ),
      );
    },
  );

  /** The blocks of rows of groups of these sizes, with room for one block more than there can be. */
  const blocksOf = (sizes: readonly number[], blockRows: number) => {
    const groups = sizes.flatMap((n, g) => Array.from({ length: n }, () => g));
    const most = Math.floor(groups.length / blockRows) + Math.min(sizes.length, groups.length) + 1;
    const blocks = new Uint32Array(most + 1).fill(4_000_000_000);
    const group = Uint32Array.of(...groups, 4_000_000_000);
    run(rowBlocksKernel(blockRows), 64, { count: Uint32Array.of(groups.length), group, blocks }, { most });
    return { groups, most, blocks };
  };

  it('row blocks: no block has rows of two groups, and only the last of a group is not full', () => {
    const check = (sizes: readonly number[], blockRows: number) => {
      const { groups, blocks } = blocksOf(sizes, blockRows);
      const starts: number[] = [];
      sizes.reduce((first, n) => {
        for (let r = 0; r < n; r += blockRows) starts.push(first + r);
        return first + n;
      }, 0);
      const expected = Array.from(blocks, (_, b) => starts[b] ?? groups.length);
      expect([...blocks]).toEqual(expected);
    };
    const groupSizes = fc.array(fc.oneof(fc.nat(9), fc.nat(200)), { maxLength: 70 });
    fc.assert(fc.property(groupSizes, fc.integer({ min: 1, max: 9 }), check), { numRuns: 25 });
  });

  it.each([
    [1, 1],
    [4, 4],
    [2, 3],
    [8, 2],
  ])('grouped matmul in tiles of %i × %i, for any sizes of groups', (tileRows, tileColumns) => {
    const kernel = groupedMatmulKernel(tileRows, tileColumns);
    const [width, depth] = [6, 5];
    const check = (sizes: readonly number[]) => {
      const { groups, most, blocks } = blocksOf(sizes, tileRows);
      const capacity = groups.length + 3;
      const x = numbers(capacity * depth);
      const w = numbers(Math.max(1, sizes.length) * width * depth, 3);
      const y = new Float32Array(capacity * width).fill(NaN);
      const group = Uint32Array.from({ length: capacity }, (_, i) => groups[i] ?? 4_000_000_000);
      run(kernel, most * Math.ceil(width / tileColumns), { blocks, group, x, w, y }, { most, width, depth });
      const expected = groups.flatMap((g, r) =>
        Array.from({ length: width }, (_, j) => dot(x, w, r * depth, (g * width + j) * depth, depth)),
      );
      expect([...y.slice(0, expected.length)]).toEqual(expected);
      // Rows that are not there are not written.
      expect([...y.slice(expected.length)].every(Number.isNaN)).toBe(true);
    };
    fc.assert(fc.property(fc.array(fc.nat(9), { maxLength: 6 }), check), { numRuns: 25 });
  });

  it.each([
    [4, 20],
    [4, 19],
    [8, 24],
    [8, 21],
    [16, 32],
    [16, 13],
    [32, 40],
  ])('tiles of subgroups of %i, of %i vectors: the bits of a thread an output', (lanes, depth) => {
    const kernel = subgroupTileKernel(lanes, depth);
    const width = 2 * lanes + 3;
    const check = (sizes: readonly number[]) => {
      const { groups, most, blocks } = blocksOf(sizes, 8);
      const capacity = groups.length + 3;
      const x = numbers(capacity * depth * 4);
      const w = numbers(Math.max(1, sizes.length) * width * depth * 4, 3);
      const y = new Float32Array(capacity * width).fill(NaN);
      const group = Uint32Array.from({ length: capacity }, (_, i) => groups[i] ?? 4_000_000_000);
      const uniforms = { most, width, depth, [`n${lanes}`]: lanes, n8: 8 };
      run(kernel, most * 2 * 2 * lanes, { blocks, group, x, w, y }, uniforms);
      const expected = groups.flatMap((g, r) =>
        Array.from({ length: width }, (_, j) => {
          const term = (d: number) => (x[r * depth * 4 + d] ?? 0) * (w[(g * width + j) * depth * 4 + d] ?? 0);
          return treeSum(Array.from({ length: depth * 4 }, (_, d) => Math.fround(term(d))));
        }),
      );
      expect([...y.slice(0, expected.length)]).toEqual(expected);
      expect([...y.slice(expected.length)].every(Number.isNaN)).toBe(true);
    };
    fc.assert(fc.property(fc.array(fc.nat(11), { maxLength: 3 }), check), { numRuns: 6 });
  });

  it('a tile with few rows does the work of a small tile', () => {
    const [lanes, depth] = [8, 24];
    const kernel = withCounters(subgroupTileKernel(lanes, depth));
    const flops = (rows: number): number => {
      const { groups, most, blocks } = blocksOf([rows], 8);
      const [x, w] = [numbers(rows * depth * 4), numbers(2 * lanes * depth * 4, 3)];
      const counts = new Uint32Array(COUNTERS);
      const buffers = { blocks, group: Uint32Array.from(groups), x, w, y: new Float32Array(rows * 2 * lanes), counts };
      run(kernel, most * 2 * lanes, buffers, { most, width: 2 * lanes, depth, [`n${lanes}`]: lanes, n8: 8 });
      return countsOf(counts).flops;
    };
    // So many multiplications and additions at least.
    const row = 2 * 2 * lanes * depth * 4;
    const rowsOfWork = [1, 2, 3, 4].map((rows) => Math.floor(flops(rows) / row));
    expect(rowsOfWork).toEqual([2, 2, 4, 4]);
  });

  it('a small tile and a whole one leave their sums in one place, from where they are stored', () => {
    const stores: string[] = [];
    forEachStatement(subgroupTileKernel(8, 24).body, (statement) => {
      if (statement.kind === 'store') stores.push(statement.buffer);
    });
    // Of the two columns of a lane.
    expect(stores).toEqual(['y', 'y']);
  });

  it('a loop over the blocks of the sums of a tile hands none of them on', () => {
    const loops: { readonly own: number; readonly handedOn: number }[] = [];
    forEachStatement(subgroupTileKernel(8, 24).body, (loop) => {
      if (loop.kind !== 'for') return;
      const own = loop.body.flatMap((inside) => (inside.kind === 'var' ? [inside.name] : []));
      const assigned = new Set<string>();
      forEachStatement(loop.body, (inside) => {
        if (inside.kind === 'assign') assigned.add(inside.name);
      });
      loops.push({ own: own.length, handedOn: [...assigned].filter((name) => !own.includes(name)).length });
    });
    // Four rows by two columns; how many blocks there were is counted.
    expect(loops.filter(({ own }) => own === 4 * 2).map(({ handedOn }) => handedOn)).toEqual([1]);
  });

  it('scan, exclusive', () => {
    const x = Int32Array.of(1, 2, 3, 4, -5, 6);
    const y = new Int32Array(6);
    run(scanKernel, 2, { x, y }, { rows: 2, width: 3 });
    expect([...y]).toEqual([0, 1, 3, 0, 4, -1]);
  });

  it('order and argmax: ties by index, -0 is 0, infinities in place, NaN last', () => {
    const inf = Infinity;
    const x = Float32Array.of(0, NaN, -0, 3, -inf, inf, 3, -1, NaN, NaN, NaN, NaN, -inf, NaN, -inf, 0);
    const place = new Int32Array(16);
    run(sortRankKernel, 16, { x, y: place }, { rows: 2, width: 8 });
    expect([...place]).toEqual([3, 7, 4, 1, 6, 0, 2, 5, 3, 4, 5, 6, 1, 7, 2, 0]);
    const best = new Int32Array(4);
    run(
      argmaxKernel,
      4,
      { x: Float32Array.of(1, 5, 5, NaN, NaN, -inf, -inf, -inf, -inf, -0, 0, -1), y: best },
      { rows: 4, width: 3 },
    );
    expect([...best]).toEqual([1, 2, 0, 0]);
  });

  it.each([chooseKernel, chooseLongKernel].map((k) => [k.name, k] as const))(
    '%s takes the greatest candidates, of equal ones the first, and says them in order',
    (_, kernel) => {
      const inf = Infinity;
      const key = fc.oneof(fc.constantFrom(0, -0, 1, 1, inf, -inf, NaN, 5e-45, -3), fc.float());
      const candidate = fc.tuple(key, fc.boolean());
      const group = fc.record({ row: fc.array(candidate, { maxLength: 300 }), count: fc.integer({ min: -2, max: 9 }) });
      const order = (a: number, b: number): number => {
        if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
        return a === b ? 0 : a < b ? 1 : -1;
      };
      const check = (
        groups: readonly { readonly row: readonly (readonly [number, boolean])[]; readonly count: number }[],
        room: number,
      ): void => {
        const width = Math.max(0, ...groups.map((g) => g.row.length));
        const rows = groups.length;
        const [x, c] = [new Float32Array(rows * width), new Uint32Array(rows * width)];
        groups.forEach(({ row }, i) =>
          row.forEach(([value, is], j) => {
            x[i * width + j] = value;
            c[i * width + j] = is ? 1 : 0;
          }),
        );
        const y = new Int32Array(rows * room).fill(77);
        const threads = kernel.name === 'choose' ? rows : rows * kernel.workgroupSize;
        run(kernel, threads, { x, c, count: Int32Array.from(groups, (g) => g.count), y }, { rows, width, room });
        const expected = groups.flatMap(({ row, count }, i) => {
          const those = row.flatMap(([, is], j) => (is ? [j] : []));
          those.sort((a, b) => order(x[i * width + a] ?? 0, x[i * width + b] ?? 0) || a - b);
          const best = those.slice(0, Math.max(0, Math.min(count, room))).sort((a, b) => a - b);
          return Array.from({ length: room }, (__, j) => best[j] ?? -1);
        });
        expect([...y]).toEqual(expected);
      };
      fc.assert(fc.property(fc.array(group, { minLength: 1, maxLength: 5 }), fc.integer({ min: 1, max: 12 }), check), {
        numRuns: 60,
      });
    },
  );

  it('draws the numbers of the definition', () => {
    const n = 2000;
    const y = new Float32Array(n);
    run(drawKernel, n, { y }, { n, seed: 9, place: hashText('here'), name: hashText('T') });
    let worst = 0;
    for (const [i, v] of y.entries()) {
      worst = Math.max(worst, Math.abs(v - drawAt('normal', foldAxis(drawKey(9, 'here'), hashText('T'), i))));
    }
    // Roundings of a square root, a cosine and their product; numbers are below 6.
    expect(worst).toBeLessThan(6 * 4 * 2 ** -24);
  });

  it('compacts any mask: list, inverse and offsets', () => {
    const check = (keys: number, perKey: number, seed: number, share: number) => {
      const positions = keys * perKey;
      const x = numbers(Math.max(1, positions), seed).map((v) => v + share);
      const chunks = Math.ceil(positions / 64);
      const counts = new Uint32Array(Math.max(1, chunks));
      const starts = new Uint32Array(chunks + 1).fill(99);
      const present = [...x.slice(0, positions)].flatMap((v, i) => (v > 0 ? [i] : []));
      const list = new Uint32Array(Math.max(1, present.length));
      const offsets = new Uint32Array(keys + 1).fill(99);
      const place = new Int32Array(Math.max(1, positions)).fill(-7);
      run(compactCountKernel, chunks, { x, counts }, { positions });
      run(compactScanKernel, 256, { counts, starts }, { positions });
      run(
        compactFillKernel,
        Math.max(chunks, keys + 1),
        { x, starts, list, offsets, place },
        { positions, keys, perKey },
      );
      expect([...list.slice(0, present.length)]).toEqual(present);
      expect([...offsets]).toEqual(
        Array.from({ length: keys + 1 }, (_, k) => present.filter((i) => i < k * perKey).length),
      );
      expect([...place.slice(0, positions)]).toEqual(Array.from({ length: positions }, (_, i) => present.indexOf(i)));
    };
    check(0, 5, 1, 0);
    check(5, 0, 1, 0);
    check(3, 64, 1, 2);
    check(300, 67, 1, -0.9);
    fc.assert(fc.property(fc.nat(20), fc.nat(40), fc.nat(1000), fc.double({ min: -1, max: 1, noNaN: true }), check), {
      numRuns: 40,
    });
  });

  it('groups slots by key: list, inverse, offsets and blocks, whatever the keys, blocks also behind the list', () => {
    const check = (
      keys: number,
      threads: number,
      blockRows: number | null,
      drawn: readonly number[],
      behind = false,
    ): void => {
      const ids = drawn.map((n) => (n % (keys + 1)) - 1);
      const rows = Array.from({ length: keys }, (_, key) => ids.flatMap((id, slot) => (id === key ? [slot] : [])));
      const sorted = rows.flat();
      const most = Math.floor(sorted.length / (blockRows ?? 1)) + Math.min(keys, sorted.length);
      const capacity = Math.max(1, sorted.length);
      const list = new Uint32Array(capacity + (behind ? most + 1 : 0)).fill(99);
      const offsets = new Uint32Array(keys + 1).fill(99);
      const place = new Int32Array(Math.max(1, ids.length)).fill(-7);
      const apart = new Uint32Array(most + 1).fill(99);
      const buffers = { ids: Int32Array.from(ids.length === 0 ? [0] : ids), list, offsets, place };
      const kernel = groupSlotsKernel(keys, threads, blockRows, behind);
      const sizes = { keys, slots: ids.length };
      if (blockRows === null) run(kernel, threads, buffers, sizes);
      else if (behind) run(kernel, threads, buffers, { ...sizes, most, capacity });
      else run(kernel, threads, { ...buffers, blocks: apart }, { ...sizes, most });
      expect([...list.slice(0, sorted.length)]).toEqual(sorted.map((slot) => slot * 10 + 1));
      const firsts = rows.reduce<readonly number[]>((sums, of) => [...sums, (sums.at(-1) ?? 0) + of.length], [0]);
      expect([...offsets]).toEqual(firsts);
      expect([...place.slice(0, ids.length)]).toEqual(ids.map((_, slot) => sorted.indexOf(slot)));
      if (blockRows === null) return;
      const cut = rows.flatMap((of, key) =>
        of.flatMap((_, i) => (i % blockRows === 0 ? [(firsts[key] ?? 0) + i] : [])),
      );
      const blocks = behind ? list.slice(capacity) : apart;
      expect([...blocks]).toEqual(Array.from({ length: most + 1 }, (_, b) => cut[b] ?? sorted.length));
    };
    check(1, 4, 4, []);
    check(3, 8, 2, [0, 0, 0]);
    check(2, 64, 4, [1, 2, 1, 1, 2, 1, 1, 0, 1]);
    check(2, 64, 4, [1, 2, 1, 1, 2, 1, 1, 0, 1], true);
    const keys = fc.integer({ min: 1, max: 9 });
    const rows = fc.option(fc.integer({ min: 1, max: 5 }), { nil: null });
    fc.assert(
      fc.property(keys, fc.constantFrom(4, 8, 64), rows, fc.array(fc.nat(999), { maxLength: 90 }), fc.boolean(), check),
      {
        numRuns: 60,
      },
    );
  });

  it('queues: of each key those are let in who come first by rank and then by slot, in every group or in all', () => {
    const check = (
      keys: number,
      ranks: number,
      threads: number,
      each: number | null,
      wanted: readonly number[],
      room: number,
    ): void => {
      const slots = each === null ? wanted : wanted.slice(0, each === 0 ? 0 : wanted.length - (wanted.length % each));
      // Some numbers are no key at all.
      const ids = slots.map((n) => (n % (keys + 1)) - 1);
      const rank = slots.map((n) => (n >> 4) % ranks);
      const groupOf = (slot: number): number => (each === null ? 0 : Math.floor(slot / each));
      const isIn = (slot: number): boolean => {
        const before = ids.filter((key, other) =>
          key === ids[slot] && groupOf(other) === groupOf(slot) &&
          ((rank[other] ?? 0) < (rank[slot] ?? 0) || (rank[other] === rank[slot] && other < slot))); // prettier-ignore
        return (ids[slot] ?? -1) >= 0 && before.length < room;
      };
      const rows = Array.from({ length: keys }, (_, key) => [...ids.keys()].filter((s) => ids[s] === key && isIn(s)));
      const sorted = rows.flat();
      const some = (n: number): number => Math.max(1, n);
      const list = new Uint32Array(some(ids.length));
      const offsets = new Uint32Array(keys + 1).fill(99);
      const place = new Int32Array(some(ids.length)).fill(-7);
      const kernel = queuedSlotsKernel(keys, ranks, threads, each !== null);
      const grouped: Record<string, number> = each === null ? {} : { groups: each === 0 ? 0 : ids.length / each, each };
      const buffers = {
        ids: Int32Array.from([...ids, 0]),
        ranks: Uint32Array.from([...rank, 0]),
        list,
        offsets,
        place,
      };
      run(kernel, threads, buffers, { keys, slots: ids.length, room, ...grouped });
      expect([...list.slice(0, sorted.length)]).toEqual(sorted.map((slot) => slot * 10 + 1));
      expect([...offsets]).toEqual([0, ...rows.map((_, key) => rows.slice(0, key + 1).flat().length)]);
      expect([...place.slice(0, ids.length)]).toEqual(ids.map((_, slot) => sorted.indexOf(slot)));
    };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 }), fc.constantFrom(4, 8, 64),
        fc.option(fc.integer({ min: 0, max: 7 }), { nil: null }), fc.array(fc.nat(999), { maxLength: 60 }), fc.nat(4), check,
      ), // prettier-ignore
      { numRuns: 80 },
    );
  });

  it('as many threads group slots as have room for a counter of each key', () => {
    const bytes = 16_384;
    for (const [keys, threads] of [
      [1, 64],
      [8, 64],
      [60, 64],
      [64, 32],
      [128, 16],
      [256, 8],
      [680, 4],
      [700, null],
    ] as const)
      expect(groupingThreads(keys, bytes)[0] ?? null, String(keys)).toBe(threads);
    for (const keys of [8, 64, 256, 680]) {
      const { arrays } = groupSlotsKernel(keys, groupingThreads(keys, bytes)[0] ?? 0, 4);
      expect(4 * arrays.reduce((n, { length }) => n + length, 0)).toBeLessThanOrEqual(bytes);
    }
  });
});
