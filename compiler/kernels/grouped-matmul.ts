/**
 * grouped matmul: out[row, column] = Σ x[row, …] · w[group(row), column, …] over the rows of an assignment list; out: [rows, columns].
 *
 * Rows are assignments, sorted by group (expert) and cut into blocks of one group (row-blocks.ts). A thread computes a block of
 * `tileRows` × `tileColumns`: each weight it loads serves all its rows and each input all its columns. A block with few rows, as a
 * group's last may be, is done row by row. One launch whatever the number of experts; how many blocks there are is known on the GPU
 * only: threads of blocks without rows leave.
 *
 * Sums are in f32, in the order of sums (sums.ts), in both ways: a result does not depend on its neighbours.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import type { BufferDecl, KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, div, le, load, lt, min, mul, rem, sub } from '../kernel/make-expressions.ts';
import { forEachThread } from './space.ts';
import { Sums } from './sums.ts';
import type { Terms } from './sums.ts';

/** `P` is a row's point, with or without a column; `I` the indices of the contracted axes. */
export interface GroupedMatmulConfig<P, I> {
  readonly tileRows: number;
  readonly tileColumns: number;
  /** Number of blocks there are room for, u32: what the grid is made for. */
  readonly maxBlocks: KernelExpr;
  /** [maxBlocks + 1] u32: the first row of each block (row-blocks.ts). */
  readonly blocks: BufferDecl;
  /** Number of columns, u32. */
  readonly width: KernelExpr;
  /** The point of a row. */
  readonly enterRow: (row: KernelExpr) => P;
  /** The same point at a column (the column's number decoded into its axes). */
  readonly atColumn: (point: P, column: KernelExpr) => P;
  /** Over the contracted axes: the same for all rows and columns. */
  readonly terms: Terms<null, I>;
  /** The input at a row, which has no column axis. */
  readonly input: (point: P, inner: I) => KernelExpr;
  /** The weight at a row and column, which is the same for all rows of a group. */
  readonly weight: (point: P, inner: I) => KernelExpr;
  readonly out: BufferDecl;
}

/** maxBlocks × ceil(width / tileColumns) threads. */
export function groupedMatmul<P, I>(k: KernelBuilder, config: GroupedMatmulConfig<P, I>): void {
  const { tileRows, tileColumns, maxBlocks, blocks, width, enterRow, atColumn, terms, input, weight, out } = config;
  const columnBlocks = k.let(div(add(width, tileColumns - 1), tileColumns), 'blocks');
  forEachThread(k, mul(maxBlocks, columnBlocks), (id) => {
    // Neighbouring threads take neighbouring columns of the same rows.
    const block = k.let(div(id, columnBlocks), 'block');
    const column = k.let(mul(rem(id, columnBlocks), tileColumns), 'col');
    const first = k.let(load(blocks, block), 'row');
    const end = k.let(load(blocks, add(block, 1)), 'end');
    k.when(lt(first, end), () => {
      const last = k.let(sub(end, 1), 'last');
      const edge = sub(width, 1);
      // Rows and columns past the end repeat the last one and are not stored.
      const columns = Array.from({ length: tileColumns }, (_, j) =>
        k.let(j === 0 ? column : min(add(column, j), edge), 'c'),
      );
      /** Stores a row's sums: those from number `from` on. */
      const put = (row: KernelExpr, sums: Sums, from: number) => {
        for (const j of columns.keys()) {
          const target = add(column, j);
          k.when(lt(target, width), () => k.store(out, add(mul(row, width), target), sums.total(from + j)));
        }
      };
      // A padded tile costs a whole one, and a row on its own about half: it loads as many weights.
      const few = Math.max(1, Math.floor(tileRows / 2));
      const whole = () => {
        const points = Array.from({ length: tileRows }, (_, i) =>
          enterRow(i === 0 ? first : k.let(min(add(first, i), last), 'r')),
        );
        const top = at(points, 0, 'kernels: row of a tile');
        const sums = new Sums(k, 'f32', tileRows * tileColumns, terms.maxTerms);
        const tops = columns.map((c) => atColumn(top, c));
        const step = (inner: I) => {
          const weights = tops.map((point) => k.let(weight(point, inner)));
          for (const [i, point] of points.entries()) {
            const x = k.let(input(point, inner));
            for (const [j, w] of weights.entries()) sums.add(i * tileColumns + j, mul(x, w));
          }
        };
        terms.visit(null, step, sums.close);
        for (const i of points.keys()) {
          if (i === 0) put(first, sums, 0);
          else k.when(le(add(first, i), last), () => put(add(first, i), sums, i * tileColumns));
        }
      };
      const byRow = () => {
        k.forRange(first, k.let(min(end, add(first, few)), 'few'), 1, (row) => {
          const sums = new Sums(k, 'f32', tileColumns, terms.maxTerms);
          const point = enterRow(row);
          const cells = columns.map((c) => atColumn(point, c));
          const step = (inner: I) => {
            const x = k.let(input(point, inner));
            for (const [j, cell] of cells.entries()) sums.add(j, mul(x, weight(cell, inner)));
          };
          terms.visit(null, step, sums.close);
          put(row, sums, 0);
        });
      };
      if (tileRows === 1) byRow();
      else k.when(lt(sub(end, first), few + 1), byRow, whole);
    });
  });
}
