/**
 * grouped matmul: out[row, column] = Σ x[row, …] · w[group(row), column, …] over the rows of an assignment list; out: [rows, columns].
 *
 * Rows are assignments, sorted by group (expert), so that neighbours mostly use the same weights. A thread computes a block of
 * `tileRows` × `tileColumns`: when its rows are of one group, each weight it loads serves all its rows and each input all its
 * columns; a block that straddles two groups is done row by row. One launch whatever the number of experts; the number of rows
 * is known on the GPU only: threads past it leave.
 *
 * Sums are in f32, in the order of sums (sums.ts), in both ways: a result does not depend on its neighbours.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import type { BufferDecl, KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, div, le, lt, min, mul, rem, sub } from '../kernel/make-expressions.ts';
import { forEachThread } from './space.ts';
import { Sums } from './sums.ts';
import type { Terms } from './sums.ts';

/** `P` is a row's point, with or without a column; `I` the indices of the contracted axes. */
export interface GroupedMatmulConfig<P, I> {
  readonly tileRows: number;
  readonly tileColumns: number;
  /** Upper bound of the number of rows, u32: what the grid is made for. */
  readonly capacity: KernelExpr;
  /** Number of rows there are, u32. */
  readonly count: KernelExpr;
  /** Number of columns, u32. */
  readonly width: KernelExpr;
  /** The point of a row. */
  readonly enterRow: (row: KernelExpr) => P;
  /** The same point at a column (the column's number decoded into its axes). */
  readonly atColumn: (point: P, column: KernelExpr) => P;
  /** Whether two rows use the same weights. */
  readonly sameGroup: (a: P, b: P) => KernelExpr;
  /** Over the contracted axes: the same for all rows and columns. */
  readonly terms: Terms<null, I>;
  /** The input at a row, which has no column axis. */
  readonly input: (point: P, inner: I) => KernelExpr;
  /** The weight at a row and column, which is the same for all rows of a group. */
  readonly weight: (point: P, inner: I) => KernelExpr;
  readonly out: BufferDecl;
}

/** ceil(capacity / tileRows) × ceil(width / tileColumns) threads. */
export function groupedMatmul<P, I>(k: KernelBuilder, config: GroupedMatmulConfig<P, I>): void {
  const { tileRows, tileColumns, capacity, count, width, enterRow, atColumn, sameGroup, terms, input, weight, out } =
    config;
  const blocks = k.let(div(add(width, tileColumns - 1), tileColumns), 'blocks');
  const rowBlocks = div(add(capacity, tileRows - 1), tileRows);
  forEachThread(k, mul(rowBlocks, blocks), (id) => {
    // Neighbouring threads take neighbouring columns of the same rows.
    const first = k.let(mul(div(id, blocks), tileRows), 'row');
    const column = k.let(mul(rem(id, blocks), tileColumns), 'col');
    const rows = k.let(count, 'rows');
    k.when(lt(first, rows), () => {
      const last = k.let(min(add(first, tileRows - 1), sub(rows, 1)), 'last');
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
      const points = Array.from({ length: tileRows }, (_, i) =>
        enterRow(i === 0 ? first : k.let(min(add(first, i), last), 'r')),
      );
      const top = at(points, 0, 'kernels: row of a tile');
      const bottom = at(points, tileRows - 1, 'kernels: row of a tile');
      const whole = () => {
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
        k.forRange(first, add(last, 1), 1, (row) => {
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
      else k.when(sameGroup(top, bottom), whole, byRow);
    });
  });
}
