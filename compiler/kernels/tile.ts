/**
 * tile: out[row, column] = result(Σ x[row, k] · w[row, column, k], …), where several contractions (*heads*) share rows, columns, terms
 * and x; out: [rows, columns].
 *
 * A thread computes a block of `tileRows` × `tileColumns`: each weight it loads serves all its rows, and each input all its columns
 * and heads. What the heads come to is made into the result where they are, so that nothing of them is written (gate, up and
 * activation of an expert are one launch). Rows of a block use the same weights: blocks of an assignment list are of one expert
 * (row-blocks.ts), and dense rows are neighbours along axes that the weights lack. A block with few rows, as the last of a group may
 * be, is done row by row. How many blocks a list has is known on the GPU only: threads of blocks without rows leave.
 *
 * Sums are in the order of sums (sums.ts), whatever the tile: a result does not depend on its neighbours.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import type { BufferDecl, KernelExpr, ScalarType } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, div, le, load, lt, min, mul, rem, sub } from '../kernel/make-expressions.ts';
import { forEachThread } from './space.ts';
import { Sums } from './sums.ts';
import type { Terms } from './sums.ts';

/** How rows are cut into blocks of neighbours that use the same weights. */
export type TileRows =
  /** By memory: block b is rows blocks[b] .. blocks[b + 1]; [maxBlocks + 1] u32. */
  | { readonly kind: 'blocks'; readonly blocks: BufferDecl; readonly maxBlocks: KernelExpr }
  /** One by one, of those of a list: `count` of them at a run, u32, of `capacity` that there is room for. */
  | { readonly kind: 'rows'; readonly count: KernelExpr; readonly capacity: KernelExpr }
  /** `groups` times `size` rows, u32: those of a group use the same weights. */
  | { readonly kind: 'dense'; readonly groups: KernelExpr; readonly size: KernelExpr };

/** `P` is a row's point, with or without a column; `I` the indices of the contracted axes. */
export interface TileConfig<P, I> {
  readonly tileRows: number;
  readonly tileColumns: number;
  readonly heads: number;
  /** Of the sums. */
  readonly type: ScalarType;
  readonly rows: TileRows;
  /** Number of columns, u32. */
  readonly width: KernelExpr;
  /** The point of a row. */
  readonly enterRow: (row: KernelExpr) => P;
  /** The same point at a column (the column's number decoded into its axes). */
  readonly atColumn: (point: P, column: KernelExpr) => P;
  /** Over the contracted axes: the same for all rows, columns and heads. A term may be several neighbours: a vector. */
  readonly terms: Terms<null, I>;
  /** The input at a row, which has no column axis. */
  readonly input: (point: P, inner: I) => KernelExpr;
  /** The weight of a head at a row and column, which is the same for all rows of a block; as wide as the input. */
  readonly weight: (head: number, point: P, inner: I) => KernelExpr;
  /** What is stored at a row and column, of what the heads come to there. Statements it needs are its own. */
  readonly result: (row: KernelExpr, column: KernelExpr, sums: readonly KernelExpr[]) => KernelExpr;
  readonly out: BufferDecl;
}

/** As many threads as there are blocks, times ceil(width / tileColumns). */
export function tile<P, I>(k: KernelBuilder, config: TileConfig<P, I>): void {
  const { tileColumns, width } = config;
  const columnBlocks = k.let(div(add(width, tileColumns - 1), tileColumns), 'columns');
  forEachBlock(k, config, columnBlocks, (id, first, end) => {
    // Neighbouring threads take neighbouring columns of the same rows.
    const column = k.let(mul(rem(id, columnBlocks), tileColumns), 'col');
    tileOf(k, config, first, end, column);
  });
}

/** Emits `body` for every thread whose block has rows: `first .. end`. */
function forEachBlock<P, I>(
  k: KernelBuilder,
  { rows, tileRows }: TileConfig<P, I>,
  columnBlocks: KernelExpr,
  body: (id: KernelExpr, first: KernelExpr, end: KernelExpr) => void,
): void {
  switch (rows.kind) {
    case 'blocks':
      forEachThread(k, mul(rows.maxBlocks, columnBlocks), (id) => {
        const block = k.let(div(id, columnBlocks), 'block');
        const first = k.let(load(rows.blocks, block), 'row');
        const end = k.let(load(rows.blocks, add(block, 1)), 'end');
        k.when(lt(first, end), () => body(id, first, end));
      });
      return;
    case 'rows':
      forEachThread(k, mul(rows.capacity, columnBlocks), (id) => {
        const row = k.let(div(id, columnBlocks), 'row');
        k.when(lt(row, rows.count), () => body(id, row, add(row, 1)));
      });
      return;
    case 'dense': {
      if (tileRows === 1) {
        forEachThread(k, mul(mul(rows.groups, rows.size), columnBlocks), (id) => {
          const row = k.let(div(id, columnBlocks), 'row');
          body(id, row, add(row, 1));
        });
        return;
      }
      const inGroup = k.let(div(add(rows.size, tileRows - 1), tileRows), 'blocks');
      forEachThread(k, mul(mul(rows.groups, inGroup), columnBlocks), (id) => {
        const block = k.let(div(id, columnBlocks), 'block');
        const start = k.let(mul(div(block, inGroup), rows.size), 'group');
        const first = k.let(add(start, mul(rem(block, inGroup), tileRows)), 'row');
        body(id, first, k.let(min(add(first, tileRows), add(start, rows.size)), 'end'));
      });
      return;
    }
  }
}

/** Emits what a thread does: rows `first .. end`, columns from `column` on. */
function tileOf<P, I>(
  k: KernelBuilder,
  config: TileConfig<P, I>,
  first: KernelExpr,
  end: KernelExpr,
  column: KernelExpr,
): void {
  const { tileRows, tileColumns, heads, type, width, enterRow, atColumn, terms, input, weight, result, out } = config;
  const edge = sub(width, 1);
  // Rows and columns past the end repeat the last one and are not stored.
  const columns = Array.from({ length: tileColumns }, (_, j) =>
    k.let(j === 0 ? column : min(add(column, j), edge), 'c'),
  );
  /** The number of a sum among those of a tile. */
  const place = (i: number, head: number, j: number): number => (i * heads + head) * tileColumns + j;
  const sumsOf = (rows: number): Sums => new Sums(k, type, rows * heads * tileColumns, terms.maxTerms);
  /** Adds the terms of all sums of these rows, whose weights are those of the first. */
  const addTerms = (sums: Sums, points: readonly P[]): void => {
    const cells = columns.map((c) => atColumn(at(points, 0, 'kernels: row of a tile'), c));
    const step = (inner: I): void => {
      const weights = Array.from({ length: heads }, (_, head) =>
        cells.map((cell) => (points.length === 1 ? weight(head, cell, inner) : k.let(weight(head, cell, inner)))),
      );
      for (const [i, point] of points.entries()) {
        const x = k.let(input(point, inner));
        for (const [head, own] of weights.entries())
          for (const [j, w] of own.entries()) sums.addProduct(place(i, head, j), x, w);
      }
    };
    terms.visit(null, step, sums.close);
  };
  /** Stores a row: number `i` of those that were added up. */
  const put = (row: KernelExpr, i: number, sums: Sums): void => {
    for (const j of columns.keys()) {
      const target = add(column, j);
      k.when(lt(target, width), () => {
        const totals = Array.from({ length: heads }, (_, head) => sums.total(place(i, head, j)));
        k.store(out, add(mul(row, width), target), result(row, target, totals));
      });
    }
  };
  const byRow = (row: KernelExpr): void => {
    const sums = sumsOf(1);
    addTerms(sums, [enterRow(row)]);
    put(row, 0, sums);
  };
  if (tileRows === 1) {
    byRow(first);
    return;
  }
  const last = k.let(sub(end, 1), 'last');
  const whole = (): void => {
    const sums = sumsOf(tileRows);
    const rows = Array.from({ length: tileRows }, (_, i) => (i === 0 ? first : k.let(min(add(first, i), last), 'r')));
    addTerms(sums, rows.map(enterRow));
    for (const i of rows.keys()) {
      const row = add(first, i);
      if (i === 0) put(first, i, sums);
      else k.when(le(row, last), () => put(row, i, sums));
    }
  };
  // A padded tile costs a whole one, and a row on its own about half: it loads as many weights.
  const few = Math.max(1, Math.floor(tileRows / 2));
  const some = (): void => k.forRange(first, k.let(min(end, add(first, few)), 'few'), 1, byRow);
  k.when(lt(sub(end, first), few + 1), some, whole);
}
