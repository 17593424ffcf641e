/** One small configuration of each kernel family, written by hand: no graph, no schedule. Points are index tuples. */
import {
  add,
  bitcast,
  div,
  f32,
  ge,
  load,
  lt,
  mul,
  ne,
  rem,
  sub,
  u32,
} from '../../compiler/kernel/make-expressions.ts';
import type { BufferDecl, KernelExpr, Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import { argmaxAt, type ArgmaxConfig } from '../../compiler/kernels/argmax.ts';
import { compactCount } from '../../compiler/kernels/compact-count.ts';
import { compactFill } from '../../compiler/kernels/compact-fill.ts';
import { chooseIn, type ChooseConfig } from '../../compiler/kernels/choose.ts';
import { CHOOSE_LANES, chooseLong } from '../../compiler/kernels/choose-long.ts';
import { SCAN_THREADS, compactScan } from '../../compiler/kernels/compact-scan.ts';
import { chunksOf } from '../../compiler/kernels/compaction.ts';
import { contracted, type ContractConfig } from '../../compiler/kernels/contract.ts';
import { drawnAt, type DrawConfig } from '../../compiler/kernels/draw.ts';
import { tile } from '../../compiler/kernels/tile.ts';
import { groupSlots, type GroupBlocks } from '../../compiler/kernels/group-slots.ts';
import { map } from '../../compiler/kernels/map.ts';
import { rankAt, type SortRankConfig } from '../../compiler/kernels/sort-rank.ts';
import { reduced } from '../../compiler/kernels/reduce-kernel.ts';
import { BLOCK_THREADS, rowBlocks } from '../../compiler/kernels/row-blocks.ts';
import { scanLine, type ScanConfig } from '../../compiler/kernels/scan.ts';
import { forEachPoint, rowMajor } from '../../compiler/kernels/space.ts';
import type { Loop, Space } from '../../compiler/kernels/space.ts';
import { subgroupTile } from '../../compiler/kernels/subgroup-tile.ts';
import { Sums, nestOfTerms } from '../../compiler/kernels/sums.ts';
import type { Terms } from '../../compiler/kernels/sums.ts';

type Point = readonly KernelExpr[];

/** Points of a two-dimensional space. */
function plane(k: KernelBuilder, rows: KernelExpr, width: KernelExpr): Space<Point> {
  return { total: mul(rows, width), enter: (id, inside) => inside([k.let(div(id, width)), k.let(rem(id, width))]) };
}

function line(total: KernelExpr): Space<Point> {
  return { total, enter: (id, inside) => inside([id]) };
}

/** Appends a counter below `size` to a point. */
function along(k: KernelBuilder, size: KernelExpr): Loop<Point> {
  return (point, body) => k.forRange(u32(0), size, 1, (i) => body([...point, i]));
}

/** As `along`, as the terms of a sum: `most` of them, if that is known. */
function termsAlong(k: KernelBuilder, size: KernelExpr, most: number | null = null): Terms<Point> {
  const loop = { from: u32(0), to: size, size: most, enter: (point: Point, i: KernelExpr) => [...point, i] };
  return { maxTerms: most, visit: (point, body, close) => nestOfTerms<Point>(k, [loop], point, body, close) };
}

const at = (point: Point, i: number): KernelExpr => point[i] ?? u32(0);

function kernel(name: string, build: (k: KernelBuilder) => void, workgroupSize = 64): Kernel {
  const k = new KernelBuilder(name, workgroupSize);
  build(k);
  return k.finish();
}

/** y[i] = 2 x[i] */
export const mapKernel = kernel('map', (k) => {
  const x = k.buffer('x', 'f32', 'read');
  const y = k.buffer('y', 'f32', 'read_write');
  map(k, { space: line(k.uniform('n', 'u32')), out: y, value: (p) => mul(load(x, at(p, 0)), 2) });
});

/** y[i] = max over j of x[i, j] */
export const reduceKernel = kernel('reduce_max', (k) => {
  const x = k.buffer('x', 'f32', 'read');
  const y = k.buffer('y', 'f32', 'read_write');
  const [rows, width] = [k.uniform('rows', 'u32'), k.uniform('width', 'u32')];
  const value = (p: Point) => load(x, add(mul(at(p, 0), width), at(p, 1)));
  const config = { op: 'max', type: 'f32', terms: termsAlong(k, width), value } as const;
  map(k, { space: line(rows), out: y, value: (p) => reduced(k, config, p) });
});

/** y[i] = sum over j of x[i, j], at most `most` of them */
export function sumKernel(name: string, most: number | null): Kernel {
  return kernel(name, (k) => {
    const x = k.buffer('x', 'f32', 'read');
    const y = k.buffer('y', 'f32', 'read_write');
    const [rows, width] = [k.uniform('rows', 'u32'), k.uniform('width', 'u32')];
    const value = (p: Point) => load(x, add(mul(at(p, 0), width), at(p, 1)));
    const config = { op: 'sum', type: 'f32', terms: termsAlong(k, width, most), value } as const;
    map(k, { space: line(rows), out: y, value: (p) => reduced(k, config, p) });
  });
}

/** y[0] = sum over the points of axes of these sizes of x, row-major; null: the size is known to a run only. */
export function nestSumKernel(sizes: readonly (number | null)[]): Kernel {
  return kernel('reduce_sum_nest', (k) => {
    const x = k.buffer('x', 'f32', 'read');
    const y = k.buffer('y', 'f32', 'read_write');
    const lengths = sizes.map((_, i) => k.uniform(`n${i}`, 'u32'));
    const loops = sizes.map((size, i) => ({
      from: u32(0),
      to: lengths[i] ?? u32(0),
      size,
      enter: (point: Point, j: KernelExpr) => [...point, j],
    }));
    const most = sizes.reduce<number | null>((n, s) => (n === null || s === null ? null : n * s), 1);
    const terms: Terms<null, Point> = { maxTerms: most, visit: (_, body, close) => nestOfTerms<Point>(k, loops, [], body, close) };
    const sums = new Sums(k, 'f32', 1, most);
    terms.visit(null, (point) => sums.add(0, load(x, rowMajor(point, lengths))), sums.close);
    k.store(y, 0, sums.total(0));
  }, 1); // prettier-ignore
}

/** y[i, j] = sum over d of x[i, d] w[j, d] */
export const contractKernel = kernel('contract', (k) => {
  const x = k.buffer('x', 'f32', 'read');
  const w = k.buffer('w', 'f32', 'read');
  const y = k.buffer('y', 'f32', 'read_write');
  const [rows, width, depth] = [k.uniform('rows', 'u32'), k.uniform('width', 'u32'), k.uniform('depth', 'u32')];
  const config: ContractConfig<Point> = {
    type: 'f32',
    terms: termsAlong(k, depth),
    left: (p) => load(x, add(mul(at(p, 0), depth), at(p, 2))),
    right: (p) => load(w, add(mul(at(p, 1), depth), at(p, 2))),
  };
  map(k, { space: plane(k, rows, width), out: y, value: (p) => contracted(k, config, p) });
});

/** The same in tiles; rows in blocks of `tileRows`, of one group, or one by one. */
export function matmulKernel(tileRows: number, tileColumns: number): Kernel {
  return kernel('matmul', (k) => {
    const x = k.buffer('x', 'f32', 'read');
    const w = k.buffer('w', 'f32', 'read');
    const y = k.buffer('y', 'f32', 'read_write');
    const [rows, width, depth] = [k.uniform('rows', 'u32'), k.uniform('width', 'u32'), k.uniform('depth', 'u32')];
    tile<Point, KernelExpr>(k, {
      ...tileOf(k, depth, width, y),
      tileRows,
      tileColumns,
      rows:
        tileRows === 1
          ? { kind: 'single', space: line(rows) }
          : { kind: 'dense', groups: u32(1), size: rows, enter: (row) => [row] },
      width,
      input: (p, d) => load(x, add(mul(at(p, 0), depth), d)),
      weight: (_, p, d) => load(w, add(mul(at(p, p.length - 1), depth), d)),
    });
  });
}

/** What all samples of tiles have in common: one head, columns behind the other indices, one row of terms. */
function tileOf(k: KernelBuilder, depth: KernelExpr, width: KernelExpr, out: BufferDecl) {
  const loop = { from: u32(0), to: depth, size: null, enter: (_: KernelExpr, i: KernelExpr) => i };
  const visit: Terms<null, KernelExpr>['visit'] = (_, body, close) => nestOfTerms(k, [loop], u32(0), body, close);
  return {
    heads: 1,
    type: 'f32' as const,
    atColumn: (p: Point, column: KernelExpr): Point => [...p, column],
    terms: { maxTerms: null, visit },
    result: (_point: Point, _column: KernelExpr, [sum]: readonly KernelExpr[]) => sum ?? f32(NaN),
    put: (row: KernelExpr, column: KernelExpr, value: KernelExpr): void =>
      k.store(out, add(mul(row, width), column), value),
  };
}

/** blocks[b] = first row of block b of at most `blockRows` rows of one group; [most + 1] */
export function rowBlocksKernel(blockRows: number): Kernel {
  return kernel(
    'row_blocks',
    (k) => {
      const count = k.buffer('count', 'u32', 'read');
      const group = k.buffer('group', 'u32', 'read');
      const blocks = k.buffer('blocks', 'u32', 'read_write');
      rowBlocks(k, {
        blockRows,
        count: load(count, 0),
        maxBlocks: k.uniform('most', 'u32'),
        beginsGroup: (row) => ne(load(group, sub(row, 1)), load(group, row)),
        blocks,
      });
    },
    BLOCK_THREADS,
  );
}

/** y[row, j] = sum over d of x[row, d] w[group[row], j, d] for the rows of blocks */
export function groupedMatmulKernel(tileRows: number, tileColumns: number): Kernel {
  return kernel('grouped_matmul', (k) => {
    const blocks = k.buffer('blocks', 'u32', 'read');
    const group = k.buffer('group', 'u32', 'read');
    const x = k.buffer('x', 'f32', 'read');
    const w = k.buffer('w', 'f32', 'read');
    const y = k.buffer('y', 'f32', 'read_write');
    const [maxBlocks, width, depth] = [k.uniform('most', 'u32'), k.uniform('width', 'u32'), k.uniform('depth', 'u32')];
    tile<Point, KernelExpr>(k, {
      ...tileOf(k, depth, width, y),
      tileRows,
      tileColumns,
      rows: { kind: 'blocks', parts: 1, blocks, maxBlocks, enter: (row) => [row, k.let(load(group, row), 'g')] },
      width,
      input: (p, d) => load(x, add(mul(at(p, 0), depth), d)),
      weight: (_, p, d) => load(w, add(mul(add(mul(at(p, 1), width), at(p, 2)), depth), d)),
    });
  });
}

/** The same by subgroups, `depth` in vectors of four; of blocks with twice as many rows as a tile. */
export function subgroupTileKernel(lanes: number, rounds: number | null): Kernel {
  const k = new KernelBuilder('subgroup_tile', lanes, lanes);
  const blocks = k.buffer('blocks', 'u32', 'read');
  const group = k.buffer('group', 'u32', 'read');
  const x = k.buffer('x', 'f32', 'read', 4);
  const w = k.buffer('w', 'f32', 'read', 4);
  const y = k.buffer('y', 'f32', 'read_write');
  const [maxBlocks, width, depth] = [k.uniform('most', 'u32'), k.uniform('width', 'u32'), k.uniform('depth', 'u32')];
  const opaque = new Map([...new Set([lanes, 8])].map((n) => [n, k.uniform(`n${n}`, 'u32')]));
  subgroupTile<Point, KernelExpr>(k, {
    ...tileOf(k, depth, width, y),
    lanes,
    opaque: (n) => opaque.get(n) ?? u32(n),
    tileRows: 4,
    tileColumns: 2,
    smallRows: 2,
    rows: { kind: 'blocks', parts: 2, blocks, maxBlocks, enter: (row) => [row, k.let(load(group, row), 'g')] },
    width,
    terms: {
      maxTerms: null,
      outer: [],
      vectors: { from: u32(0), to: depth, size: rounds, enter: (_, i) => i },
      start: u32(0),
    },
    input: (p, d) => load(x, add(mul(at(p, 0), depth), d)),
    weight: (_, p, d) => load(w, add(mul(add(mul(at(p, 1), width), at(p, 2)), depth), d)),
  });
  return k.finish();
}

/** y[i, j] = x[i, 0] + … + x[i, j-1] */
export const scanKernel = kernel('scan', (k) => {
  const x = k.buffer('x', 'i32', 'read');
  const y = k.buffer('y', 'i32', 'read_write');
  const [rows, width] = [k.uniform('rows', 'u32'), k.uniform('width', 'u32')];
  const index = (p: Point) => add(mul(at(p, 0), width), at(p, 1));
  const config: ScanConfig<Point> = {
    type: 'i32',
    terms: termsAlong(k, width),
    value: (p) => load(x, index(p)),
    exclusive: true,
    put: (p, value) => k.store(y, index(p), value),
  };
  forEachPoint(k, line(rows), (p) => scanLine(k, config, p));
});

/** y[i, j] = x[i, 0] + … + x[i, j], in f32; without x[i, j] if it is exclusive. */
export function floatScanKernel(exclusive: boolean): Kernel {
  return kernel('scan_f32', (k) => {
    const x = k.buffer('x', 'f32', 'read');
    const y = k.buffer('y', 'f32', 'read_write');
    const [rows, width] = [k.uniform('rows', 'u32'), k.uniform('width', 'u32')];
    const index = (p: Point) => add(mul(at(p, 0), width), at(p, 1));
    const config: ScanConfig<Point> = {
      type: 'f32',
      terms: termsAlong(k, width),
      value: (p) => load(x, index(p)),
      exclusive,
      put: (p, value) => k.store(y, index(p), value),
    };
    forEachPoint(k, line(rows), (p) => scanLine(k, config, p));
  });
}

/** Places of x[i, ·], descending. */
export const sortRankKernel = kernel('sort_rank', (k) => {
  const x = k.buffer('x', 'f32', 'read');
  const y = k.buffer('y', 'i32', 'read_write');
  const [rows, width] = [k.uniform('rows', 'u32'), k.uniform('width', 'u32')];
  const config: SortRankConfig<Point> = {
    loop: (p, body) => k.forRange(u32(0), width, 1, (i) => body([at(p, 0), i])),
    position: (p) => at(p, 1),
    keys: [{ value: (p) => load(x, add(mul(at(p, 0), width), at(p, 1))), descending: true }],
    candidate: null,
    report: null,
  };
  map(k, { space: plane(k, rows, width), out: y, value: (p) => rankAt(k, config, p) });
});

/** What a choice of x[i, ·] among c[i, ·] ≠ 0, count[i] of at most `room`, is made of, into y. */
function choosing(k: KernelBuilder) {
  const [x, c] = [k.buffer('x', 'f32', 'read'), k.buffer('c', 'u32', 'read')];
  const [count, y] = [k.buffer('count', 'i32', 'read'), k.buffer('y', 'i32', 'read_write')];
  const [rows, width, room] = [k.uniform('rows', 'u32'), k.uniform('width', 'u32'), k.uniform('room', 'u32')];
  const index = (p: Point) => add(mul(at(p, 0), width), at(p, 1));
  return {
    rows,
    width,
    room,
    count: (p: Point) => load(count, at(p, 0)),
    key: (p: Point) => load(x, index(p)),
    candidate: (p: Point) => ne(load(c, index(p)), u32(0)),
    report: null,
    put: (p: Point, number: KernelExpr, position: KernelExpr): void =>
      k.store(y, add(mul(at(p, 0), room), number), position),
  };
}

/** The greatest of each row, by one thread, and by a workgroup. */
export const chooseKernel = kernel('choose', (k) => {
  const { rows, width, ...parts } = choosing(k);
  const config: ChooseConfig<Point> = { ...parts, loop: along(k, width), position: (p) => at(p, 1) };
  forEachPoint(k, line(rows), (group) => chooseIn(k, config, group));
});

export const chooseLongKernel = kernel(
  'choose_long',
  (k) => {
    const { rows, width, ...parts } = choosing(k);
    const pointAt = (p: Point, position: KernelExpr): Point => [at(p, 0), position];
    chooseLong<Point>(k, {
      ...parts,
      groups: rows,
      points: width,
      groupAt: (number) => [number],
      pointAt,
      opaque: u32,
    });
  },
  CHOOSE_LANES,
);

export const argmaxKernel = kernel('argmax', (k) => {
  const x = k.buffer('x', 'f32', 'read');
  const y = k.buffer('y', 'i32', 'read_write');
  const [rows, width] = [k.uniform('rows', 'u32'), k.uniform('width', 'u32')];
  const loop = along(k, width);
  const config: ArgmaxConfig<Point> = {
    loop: (p, body) => loop(p, (inner) => body(inner, at(inner, 1))),
    value: (p) => load(x, add(mul(at(p, 0), width), at(p, 1))),
    report: null,
  };
  map(k, { space: line(rows), out: y, value: (p) => argmaxAt(k, config, p) });
});

export const drawKernel = kernel('draw_normal', (k) => {
  const y = k.buffer('y', 'f32', 'read_write');
  const [n, seed, place, name] = [
    k.uniform('n', 'u32'),
    k.uniform('seed', 'u32'),
    k.uniform('place', 'u32'),
    k.uniform('name', 'u32'),
  ];
  const config: DrawConfig<Point> = {
    distribution: 'normal',
    seed,
    seedKey: place,
    folds: (p) => [{ name, index: at(p, 0) }],
  };
  map(k, { space: line(n), out: y, value: (p) => drawnAt(k, config, p) });
});

/** Compaction of x[i] > 0 over keys × rest. */
export const compactCountKernel = kernel('compact_count', (k) => {
  const x = k.buffer('x', 'f32', 'read');
  const counts = k.buffer('counts', 'u32', 'read_write');
  const positions = k.uniform('positions', 'u32');
  compactCount(k, { mask: { positions, present: (i) => lt(f32(0), load(x, i)) }, counts });
});

export const compactScanKernel = kernel(
  'compact_scan',
  (k) => {
    const counts = k.buffer('counts', 'u32', 'read');
    const starts = k.buffer('starts', 'u32', 'read_write');
    compactScan(k, { chunks: k.let(chunksOf(k.uniform('positions', 'u32'))), counts, starts });
  },
  SCAN_THREADS,
);

export const compactFillKernel = kernel('compact_fill', (k) => {
  const x = k.buffer('x', 'f32', 'read');
  const starts = k.buffer('starts', 'u32', 'read');
  const list = k.buffer('list', 'u32', 'read_write');
  const offsets = k.buffer('offsets', 'u32', 'read_write');
  const place = k.buffer('place', 'i32', 'read_write');
  const [positions, keys, perKey] = [
    k.uniform('positions', 'u32'),
    k.uniform('keys', 'u32'),
    k.uniform('perKey', 'u32'),
  ];
  const mask = { positions, present: (i: KernelExpr) => lt(f32(0), load(x, i)) };
  compactFill(k, { mask, keys, perKey, starts, list, entry: (i) => [i], offsets, inverse: place });
});

/**
 * Slots with a key each, or -1, by key; with the rows in blocks where somebody asks for them, in a buffer of their own or behind the
 * list.
 */
export function groupSlotsKernel(keys: number, threads: number, blockRows: number | null, behind = false): Kernel {
  return kernel(
    'group_slots',
    (k) => {
      const ids = k.buffer('ids', 'i32', 'read');
      const list = k.buffer('list', 'u32', 'read_write');
      const offsets = k.buffer('offsets', 'u32', 'read_write');
      const inverse = k.buffer('place', 'i32', 'read_write');
      const blocks = (rows: number): GroupBlocks => ({
        blockRows: rows,
        maxBlocks: k.uniform('most', 'u32'),
        ...(behind
          ? { out: list, from: k.uniform('capacity', 'u32') }
          : { out: k.buffer('blocks', 'u32', 'read_write') }),
      });
      groupSlots(k, {
        keys,
        keyCount: k.uniform('keys', 'u32'),
        slots: k.uniform('slots', 'u32'),
        visit: (slot, there) => {
          const id = k.let(load(ids, slot), 'id');
          k.when(ge(id, 0), () => there(bitcast('u32', id), add(mul(slot, 10), 1)));
        },
        list,
        offsets,
        inverse,
        blocks: blockRows === null ? null : blocks(blockRows),
        queues: null,
      });
    },
    threads,
  );
}

/** Slots with a key each, or -1, and a rank: of each key as many are let in as there is room, in the order of ranks and then of slots. */
export function queuedSlotsKernel(keys: number, ranks: number, threads: number, grouped: boolean): Kernel {
  return kernel(
    'queue_slots',
    (k) => {
      const ids = k.buffer('ids', 'i32', 'read');
      const rank = k.buffer('ranks', 'u32', 'read');
      const keyOf = (slot: KernelExpr, there: (key: KernelExpr) => void): void => {
        const id = k.let(load(ids, slot), 'id');
        k.when(ge(id, 0), () => there(bitcast('u32', id)));
      };
      const room = k.uniform('room', 'u32');
      groupSlots(k, {
        keys,
        keyCount: k.uniform('keys', 'u32'),
        slots: k.uniform('slots', 'u32'),
        visit: (slot, there) => keyOf(slot, (key) => there(key, add(mul(slot, 10), 1))),
        list: k.buffer('list', 'u32', 'read_write'),
        offsets: k.buffer('offsets', 'u32', 'read_write'),
        inverse: k.buffer('place', 'i32', 'read_write'),
        blocks: null,
        queues: {
          ranks,
          groups: grouped
            ? { count: k.uniform('groups', 'u32'), slotsOfEach: k.uniform('each', 'u32'), share: () => undefined }
            : null,
          visit: (slot, there) =>
            keyOf(slot, (key) =>
              there(key, ranks === 1 ? u32(0) : load(rank, slot), (place, inside) => k.when(lt(place, room), inside)),
            ),
        },
      });
    },
    threads,
  );
}

export const samples: readonly Kernel[] = [
  mapKernel,
  reduceKernel,
  contractKernel,
  matmulKernel(1, 4),
  rowBlocksKernel(2),
  groupedMatmulKernel(2, 2),
  subgroupTileKernel(8, null),
  sumKernel('reduce_sum', null),
  nestSumKernel([null, 3]),
  scanKernel,
  floatScanKernel(false),
  sortRankKernel,
  chooseKernel,
  chooseLongKernel,
  argmaxKernel,
  drawKernel,
  compactCountKernel,
  compactScanKernel,
  compactFillKernel,
  groupSlotsKernel(5, 4, 2),
  queuedSlotsKernel(5, 2, 4, false),
];
