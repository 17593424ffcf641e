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
import { add, div, lt, min, mul, rem, sub, subgroupLane, workgroupNumber } from '../kernel/make-expressions.ts';
import { loopOf, type Sums, type TermLoop } from './sums.ts';
import { TilePart, tilesOfRows, type AddTerm, type TileRows, type TileValues } from './tile.ts';

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
  /** Rows up to which a block is a tile of so many. */
  readonly smallRows: number;
  readonly rows: TileRows<P>;
  readonly terms: VectorTerms<I>;
}

/** Elements of a vector, and vectors of a block of the sum. */
const VECTOR = 4;
const PART = SUM_BLOCK / VECTOR;

/** As many workgroups as there are tiles of rows, times ceil(width / (lanes · tileColumns)). */
export function subgroupTile<P, I>(k: KernelBuilder, config: SubgroupTileConfig<P, I>): void {
  const { rows, tileRows, tileColumns, lanes, width, terms } = config;
  const columnsOfTile = lanes * tileColumns;
  const { total, enter } = tilesOf<P, I>(k, rows, tileRows);
  const tiles = k.let(total, 'tiles');
  const columnTiles = k.let(div(add(width, columnsOfTile - 1), columnsOfTile), 'columns');
  const number = k.let(workgroupNumber, 'tile');
  k.when(lt(number, mul(tiles, columnTiles)), () => {
    // Neighbouring workgroups have the same columns: tiles of rows with the same weights find them in the cache.
    const column = k.let(add(mul(div(number, tiles), columnsOfTile), subgroupLane), 'col');
    const targets = Array.from({ length: tileColumns }, (_, j) =>
      j === 0 ? column : k.let(add(column, j * lanes), 'c'),
    );
    const edge = sub(width, 1);
    const part = new TilePart<P, I>(k, {
      ...config,
      targets,
      columns: targets.map((target) => k.let(min(target, edge), 'c')),
      maxTerms: terms.maxTerms,
      inBlocks: true,
      few: { rows: config.smallRows, go: 'as a tile of so many' },
      visit: (points, addTerm, sums) => visitTogether(k, config, points, addTerm, sums),
    });
    enter(k.let(rem(number, tiles), 'block'), part);
  });
}

/** Tiles of rows, or rows that go one by one: how many there are, and what of the sums is done at one. */
function tilesOf<P, I>(
  k: KernelBuilder,
  rows: TileRows<P>,
  tileRows: number,
): { readonly total: KernelExpr; readonly enter: (tile: KernelExpr, part: TilePart<P, I>) => void } {
  if (rows.kind === 'single') {
    const { total, enter } = rows.space;
    return { total, enter: (row, part) => enter(row, (point) => part.row(row, point)) };
  }
  const { total, enter } = tilesOfRows(k, rows, tileRows);
  return { total, enter: (tile, part) => enter(tile, (first, end) => part.block(first, end, rows.enter)) };
}

/** Visits the terms with all lanes of a subgroup: each loads another vector of every row, and all go through these in order. */
export function visitTogether<P, I>(
  k: KernelBuilder,
  { terms, input, lanes, opaque }: Pick<SubgroupTileConfig<P, I>, 'terms' | 'input' | 'lanes' | 'opaque'>,
  points: readonly P[],
  addTerm: AddTerm<I>,
  { begin, close }: Pick<Sums, 'begin' | 'close'>,
): void {
  const { vectors } = terms;
  const isWhole = vectors.size !== null && vectors.size % lanes === 0;
  /** So many vectors as there are lanes, from `start` on, or as are left. */
  const round = (indices: I, start: KernelExpr): void => {
    const mine = add(start, subgroupLane);
    const place = k.let(isWhole ? mine : min(mine, sub(vectors.to, 1)), 'at');
    const own = points.map((point) => k.let(input(point, vectors.enter(indices, place)), 'x'));
    const ownOf = (row: number): KernelExpr => at(own, row, 'kernels: row of a tile');
    const left = isWhole ? lanes : k.let(min(sub(vectors.to, start), opaque(lanes)), 'left');
    const handOut = (first: KernelOperand, end: KernelOperand): void =>
      k.forOnce(first, end, 1, (s) =>
        addTerm([vectors.enter(indices, add(start, s))], (row) => k.shuffle(ownOf(row), s)),
      );
    // Few lanes are written out, which SwiftShader runs a fifth faster: for eight the text would be twice as long again.
    const each = Array.from({ length: lanes }, (_, s) => s);
    if (lanes < PART && isWhole)
      addTerm(
        each.map((s) => vectors.enter(indices, add(start, s))),
        (row, s) => k.broadcast(ownOf(row), s),
      );
    else if (lanes <= PART) handOut(0, isWhole ? opaque(lanes) : left);
    else
      k.forOnce(0, left, PART, (block) => {
        begin?.();
        const end = add(block, opaque(PART));
        handOut(block, isWhole ? end : k.let(min(end, left), 'end'));
        close?.();
      });
  };
  const along = (indices: I): void => {
    const { from, to } = vectors;
    if (lanes > PART) k.forOnce(from, to, lanes, (start) => round(indices, start));
    else
      k.forOnce(from, to, PART, (block) => {
        begin?.();
        if (lanes === PART) round(indices, block);
        else k.forOnce(block, min(add(block, opaque(PART)), to), lanes, (start) => round(indices, start));
        close?.();
      });
  };
  const nest = (loops: readonly TermLoop<I>[], indices: I): void => {
    const [loop, ...others] = loops;
    if (loop === undefined) along(indices);
    else loopOf(k, loop, 1, (i) => nest(others, loop.enter(indices, i)));
  };
  nest(terms.outer, terms.start);
}
