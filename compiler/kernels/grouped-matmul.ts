/**
 * grouped matmul: out[row, column] = Σ x[row, …] · w[group(row), column, …] over the rows of a relation; out: [rows, columns].
 *
 * Rows are assignments, sorted by group (expert), so that neighbours mostly use the same weights. A thread computes a block of
 * `tileRows` × `tileColumns`: when its rows are of one group, each weight it loads serves all its rows and each input all its
 * columns; a block that straddles two groups is done row by row. One launch whatever the number of experts; the number of rows
 * is known on the GPU only: threads past it leave.
 *
 * Every sum runs over the contracted points in index order, in f32, in both ways: a result does not depend on its neighbours.
 */
import type { BufferDecl, Expr } from '../kernel/ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, div, f32, le, lt, min, mul, rem, sub } from '../kernel/build.ts';
import { forEachThread } from './space.ts';

/** `P` is a row's point, with or without a column; `I` the indices of the contracted axes. */
export interface GroupedMatmulConfig<P, I> {
  readonly tileRows: number;
  readonly tileColumns: number;
  /** Upper bound of the number of rows, u32: what the grid is made for. */
  readonly capacity: Expr;
  /** Number of rows there are, u32. */
  readonly count: Expr;
  /** Number of columns, u32. */
  readonly width: Expr;
  /** The point of a row. */
  readonly enterRow: (row: Expr) => P;
  /** The same point at a column (the column's number decoded into its axes). */
  readonly atColumn: (point: P, column: Expr) => P;
  /** Whether two rows use the same weights. */
  readonly sameGroup: (a: P, b: P) => Expr;
  /** Emits the loop nest over the contracted axes. */
  readonly loop: (body: (inner: I) => void) => void;
  /** The input at a row, which has no column axis. */
  readonly input: (point: P, inner: I) => Expr;
  /** The weight at a row and column, which is the same for all rows of a group. */
  readonly weight: (point: P, inner: I) => Expr;
  readonly out: BufferDecl;
}

/** ceil(capacity / tileRows) × ceil(width / tileColumns) threads. */
export function groupedMatmul<P, I>(k: KernelBuilder, config: GroupedMatmulConfig<P, I>): void {
  const { tileRows, tileColumns, capacity, count, width, enterRow, atColumn, sameGroup, loop, input, weight, out } =
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
      const put = (row: Expr, sums: readonly Expr[]) => {
        for (const [j, sum] of sums.entries()) {
          const target = add(column, j);
          k.when(lt(target, width), () => k.store(out, add(mul(row, width), target), sum));
        }
      };
      const points = Array.from({ length: tileRows }, (_, i) =>
        enterRow(i === 0 ? first : k.let(min(add(first, i), last), 'r')),
      );
      const [top] = points;
      const bottom = points[tileRows - 1];
      if (top === undefined || bottom === undefined) return;
      const whole = () => {
        const tile = points.map(() => columns.map(() => k.var(f32(0))));
        const tops = columns.map((c) => atColumn(top, c));
        loop((inner) => {
          const weights = tops.map((point) => k.let(weight(point, inner)));
          for (const [i, point] of points.entries()) {
            const x = k.let(input(point, inner));
            for (const [j, w] of weights.entries()) {
              const sum = tile[i]?.[j];
              if (sum !== undefined) k.assign(sum, add(sum, mul(x, w)));
            }
          }
        });
        for (const [i, sums] of tile.entries()) {
          if (i === 0) put(first, sums);
          else k.when(le(add(first, i), last), () => put(add(first, i), sums));
        }
      };
      const byRow = () => {
        k.forRange(first, add(last, 1), 1, (row) => {
          const sums = columns.map(() => k.var(f32(0)));
          const point = enterRow(row);
          const cells = columns.map((c) => atColumn(point, c));
          loop((inner) => {
            const x = k.let(input(point, inner));
            for (const [j, cell] of cells.entries()) {
              const sum = sums[j];
              if (sum !== undefined) k.assign(sum, add(sum, mul(x, weight(cell, inner))));
            }
          });
          put(row, sums);
        });
      };
      if (tileRows === 1) byRow();
      else k.when(sameGroup(top, bottom), whole, byRow);
    });
  });
}
