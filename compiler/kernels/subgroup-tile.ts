/**
 * subgroup-tile: what tile.ts computes, by subgroups: for devices whose lanes work in step (device classes, runtime/contract/device-class.ts).
 *
 * A subgroup is a workgroup and computes `tileRows` rows at a subgroup's width times `tileColumns` columns; a lane has the columns that
 * are a subgroup's width apart. Each lane loads another vector of every row, and hands it to the others: a vector of an input is
 * loaded once for all columns of the subgroup. Weights are a lane's own.
 *
 * Terms are added in the order of sums, each lane's columns by that lane alone: the bits are those of tile.ts.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import { SUM_BLOCK } from '../../dsl/tensors/sum-order.ts';
import type { KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelOperand } from '../kernel/make-expressions.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, div, le, lt, min, mul, rem, sub, subgroupLane } from '../kernel/make-expressions.ts';
import { workgroupNumber } from './space.ts';
import { loopOf, Sums, type TermLoop } from './sums.ts';
import { tilesOfRows, type TileRows, type TileValues } from './tile.ts';

/** The terms of the sums, the last axis by vectors. */
export interface VectorTerms<I> {
  readonly maxTerms: number | null;
  readonly outer: readonly TermLoop<I>[];
  /** Vectors along the last axis, at least one. Where there are outer loops, they are whole blocks of a sum. */
  readonly vectors: TermLoop<I>;
  readonly start: I;
}

export interface SubgroupTileConfig<P, I> extends TileValues<P, I> {
  readonly tileRows: number;
  /** Of a lane. */
  readonly tileColumns: number;
  readonly lanes: number;
  /** A number as a value that a run gives: a loop to a literal is written out by drivers, which then take seconds for it. */
  readonly opaque: (value: number) => KernelExpr;
  /** How a lane's vector of an input reaches the others: lane by lane, written out, or in a loop over lanes. */
  readonly share: 'broadcast' | 'shuffle';
  /** Rows up to which a tile goes row by row. */
  readonly shortRows: number;
  readonly rows: Exclude<TileRows<P>, { readonly kind: 'single' }>;
  readonly terms: VectorTerms<I>;
}

/** Elements of a vector, and vectors of a block of the sum. */
const VECTOR = 4;
const PART = SUM_BLOCK / VECTOR;

/** As many workgroups as there are tiles of rows, times ceil(width / (lanes · tileColumns)). */
export function subgroupTile<P, I>(k: KernelBuilder, config: SubgroupTileConfig<P, I>): void {
  const { rows, tileRows, tileColumns, lanes, width } = config;
  const columnsOfTile = lanes * tileColumns;
  const { total, enter } = tilesOfRows(k, rows, tileRows);
  const tiles = k.let(total, 'tiles');
  const columnTiles = k.let(div(add(width, columnsOfTile - 1), columnsOfTile), 'columns');
  const number = k.let(workgroupNumber, 'tile');
  k.when(lt(number, mul(tiles, columnTiles)), () => {
    // Neighbouring workgroups have the same columns: tiles of rows with the same weights find them in the cache.
    const column = k.let(add(mul(div(number, tiles), columnsOfTile), subgroupLane), 'col');
    const tile = new SubgroupTile(k, config, column);
    enter(k.let(rem(number, tiles), 'block'), (first, end) => tile.rows(first, end));
  });
}

/** What a lane does: some rows, at its columns. Columns past the last repeat it and are not stored. */
class SubgroupTile<P, I> {
  readonly #k: KernelBuilder;
  readonly #config: SubgroupTileConfig<P, I>;
  readonly #targets: readonly KernelExpr[];
  readonly #columns: readonly KernelExpr[];

  constructor(k: KernelBuilder, config: SubgroupTileConfig<P, I>, column: KernelExpr) {
    const edge = sub(config.width, 1);
    this.#k = k;
    this.#config = config;
    this.#targets = Array.from({ length: config.tileColumns }, (_, j) =>
      j === 0 ? column : k.let(add(column, j * config.lanes), 'c'),
    );
    this.#columns = this.#targets.map((target) => k.let(min(target, edge), 'c'));
  }

  /** Rows `first .. end`, at least one; rows that the tile has beyond them repeat the last and are not stored. */
  rows(first: KernelExpr, end: KernelExpr): void {
    const k = this.#k;
    const { tileRows, shortRows, rows } = this.#config;
    const whole = (): void => {
      const last = k.let(sub(end, 1), 'last');
      const all = Array.from({ length: tileRows }, (_, i) => (i === 0 ? first : k.let(min(add(first, i), last), 'r')));
      const sums = this.#sums(all.map(rows.enter));
      for (const i of all.keys()) {
        const row = add(first, i);
        const put = (): void => this.#store(row, rows.enter(row), sums, i);
        if (i === 0) put();
        else k.when(le(row, last), put);
      }
    };
    k.when(
      lt(sub(end, first), shortRows + 1),
      () =>
        k.forRange(first, k.let(min(end, add(first, shortRows)), 'few'), 1, (row) => {
          const point = rows.enter(row);
          this.#store(row, point, this.#sums([point]), 0);
        }),
      whole,
    );
  }

  /** The sums of rows with the same weights, which are those of the first. */
  #sums(points: readonly P[]): Sums {
    const k = this.#k;
    const { type, heads, terms, input, weight, atColumn, tileColumns, lanes, share, opaque } = this.#config;
    const sums = new Sums(k, type, points.length * heads * tileColumns, terms.maxTerms);
    const cells = this.#columns.map((c) => atColumn(at(points, 0, 'kernels: row of a tile'), c));
    const { vectors } = terms;
    const isWhole = vectors.size !== null && vectors.size % lanes === 0;
    /** One vector of every row and column: `hand` gives what a lane has of a row. */
    const step = (indices: I, number: KernelExpr, own: readonly KernelExpr[], hand: (x: KernelExpr) => KernelExpr) => {
      const here = vectors.enter(indices, number);
      const weights = Array.from({ length: heads }, (_, h) => cells.map((c) => k.let(weight(h, c, here))));
      for (const [i, x] of own.entries()) {
        const given = hand(x);
        for (const [h, ws] of weights.entries())
          for (const [j, w] of ws.entries()) sums.addProduct((i * heads + h) * tileColumns + j, given, w);
      }
    };
    /** Vectors `start .. start + left` of every row: one a lane, handed out in order; `left` is as many as there are lanes, or fewer. */
    const round = (indices: I, start: KernelExpr): void => {
      const mine = add(start, subgroupLane);
      const place = k.let(isWhole ? mine : min(mine, sub(vectors.to, 1)), 'at');
      const own = points.map((point) => k.let(input(point, vectors.enter(indices, place)), 'x'));
      const left = isWhole ? lanes : k.let(min(sub(vectors.to, start), opaque(lanes)), 'left');
      const from = (first: KernelOperand, end: KernelOperand): void =>
        k.forOnce(first, end, 1, (s) => step(indices, add(start, s), own, (x) => k.shuffle(x, s)));
      if (share === 'broadcast' && isWhole && lanes <= PART)
        for (let s = 0; s < lanes; s++) step(indices, add(start, s), own, (x) => k.broadcast(x, s));
      else if (lanes <= PART) from(0, isWhole ? opaque(lanes) : left);
      else
        k.forOnce(0, left, PART, (block) => {
          from(block, isWhole ? add(block, opaque(PART)) : k.let(min(add(block, opaque(PART)), left), 'end'));
          sums.close?.();
        });
    };
    const along = (indices: I): void => {
      const { from, to } = vectors;
      if (lanes > PART) k.forOnce(from, to, lanes, (start) => round(indices, start));
      else
        k.forOnce(from, to, PART, (block) => {
          if (lanes === PART) round(indices, block);
          else k.forOnce(block, min(add(block, opaque(PART)), to), lanes, (start) => round(indices, start));
          sums.close?.();
        });
    };
    const nest = (loops: readonly TermLoop<I>[], indices: I): void => {
      const [loop, ...others] = loops;
      if (loop === undefined) along(indices);
      else loopOf(k, loop, 1, (i) => nest(others, loop.enter(indices, i)));
    };
    nest(terms.outer, terms.start);
    return sums;
  }

  /** Stores row number `i` of those that were added up. */
  #store(row: KernelExpr, point: P, sums: Sums, i: number): void {
    const k = this.#k;
    const { heads, tileColumns, width, result, out } = this.#config;
    for (const [j, target] of this.#targets.entries()) {
      k.when(lt(target, width), () => {
        const totals = Array.from({ length: heads }, (_, h) => sums.total((i * heads + h) * tileColumns + j));
        k.store(out, add(mul(row, width), target), result(point, target, totals));
      });
    }
  }
}
