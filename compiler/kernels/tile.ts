/**
 * tile: out[row, column] = result(Σ x[row, k] · w[row, column, k], …), where several contractions (*heads*) share rows, columns, terms
 * and x; out: [rows, columns].
 *
 * A thread computes a block of `tileRows` × `tileColumns`: each weight it loads serves all its rows, and each input all its columns
 * and heads. What the heads come to is made into the result where they are, so that nothing of them is written (gate, up and
 * activation of an expert are one launch). Rows of a block use the same weights: blocks of an assignment list are of one expert
 * (row-blocks.ts), and dense rows are neighbours along axes that the weights lack. A block with few rows, as the last of a group may
 * be, is done row by row, or as a smaller tile. How many blocks a list has is known on the GPU only: threads of blocks without rows leave.
 *
 * Sums are in the order of sums (sums.ts), whatever the tile: a result does not depend on its neighbours.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import type { ArrayDecl, BufferDecl, KernelExpr, ScalarType } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, componentsOf, div, le, load, lt, min, mul, rem, sub, u32 } from '../kernel/make-expressions.ts';
import { forEachThread } from './space.ts';
import type { Space } from './space.ts';
import { arrayForClosed, Sums } from './sums.ts';
import type { Terms } from './sums.ts';

/** How threads get at rows. `enter` is the point of a row of a block. */
export type TileRows<P> =
  /**
   * Blocks of rows with the same weights, by memory: block b is rows blocks[b] .. blocks[b + 1]; [maxBlocks + 1] u32, behind `from` others
   * (absent: none). A block has at most `parts` times as many rows as a tile.
   */
  | {
      readonly kind: 'blocks';
      readonly blocks: BufferDecl;
      readonly from?: KernelExpr;
      readonly maxBlocks: KernelExpr;
      readonly parts: number;
      readonly enter: (row: KernelExpr) => P;
    }
  /** Blocks of the `groups` times `size` rows there are, u32: those of a group use the same weights. */
  | {
      readonly kind: 'dense';
      readonly groups: KernelExpr;
      readonly size: KernelExpr;
      readonly enter: (row: KernelExpr) => P;
    }
  /** One by one: `tileRows` is 1. */
  | { readonly kind: 'single'; readonly space: Space<P> };

/** What tiles compute. `P` is a row's point, with or without a column; `I` the indices of the contracted axes. */
export interface TileValues<P, I> {
  readonly heads: number;
  /** Of the sums. */
  readonly type: ScalarType;
  /** Number of columns, u32. */
  readonly width: KernelExpr;
  /** A row's point at a column (the column's number decoded into its axes). */
  readonly atColumn: (point: P, column: KernelExpr) => P;
  /** The input at a row, which has no column axis. */
  readonly input: (point: P, inner: I) => KernelExpr;
  /** The weight of a head at a row and column, which is the same for all rows of a block; as wide as the input. */
  readonly weight: (head: number, point: P, inner: I) => KernelExpr;
  /** What is stored at a row's point and a column, of what the heads come to there; in a block of its own. */
  readonly result: (point: P, column: KernelExpr, sums: readonly KernelExpr[]) => KernelExpr;
  /** Puts it where it goes: the row's number, the column's, and what is stored. */
  readonly put: (row: KernelExpr, column: KernelExpr, value: KernelExpr) => void;
}

/** How one thread computes tiles. */
export interface TileShape<P, I> extends TileValues<P, I> {
  readonly tileRows: number;
  readonly tileColumns: number;
  /** Over the contracted axes: the same for all rows, columns and heads. A term may be several neighbours: a vector. */
  readonly terms: Terms<null, I>;
  /** Told of the two ways that blocks go, whose work is stated by who knows how many rows there are (schedule/emitting/launch-builder.ts). */
  readonly ways?: (isShort: KernelExpr) => void;
}

export interface TileConfig<P, I> extends TileShape<P, I> {
  readonly rows: TileRows<P>;
}

/** Rows up to which a block of so many goes row by row: a padded tile costs a whole one, a row on its own about half. */
export function shortBlock(tileRows: number): number {
  return Math.max(1, Math.floor(tileRows / 2));
}

/** As many threads as there are blocks, or rows, times ceil(width / tileColumns). */
export function tile<P, I>(k: KernelBuilder, config: TileConfig<P, I>): void {
  const { rows, tileColumns, width } = config;
  const columnBlocks = k.let(div(add(width, tileColumns - 1), tileColumns), 'columns');
  /** Neighbouring threads take neighbouring columns of the same rows. */
  const each = (blocks: KernelExpr, body: (block: KernelExpr, column: KernelExpr) => void): void =>
    forEachThread(k, mul(blocks, columnBlocks), (id) =>
      body(k.let(div(id, columnBlocks), 'block'), k.let(mul(rem(id, columnBlocks), tileColumns), 'col')),
    );
  if (rows.kind === 'single') {
    each(rows.space.total, (row, column) =>
      rows.space.enter(row, (point) => tileAt(k, config, column).row(row, point)),
    );
    return;
  }
  const { total, enter } = tilesOfRows(k, rows, config.tileRows);
  each(total, (block, column) => enter(block, (first, end) => tileAt(k, config, column).block(first, end, rows.enter)));
}

/** The part of a thread at neighbouring columns; those past the last repeat it. */
export function tileAt<P, I>(k: KernelBuilder, config: TileShape<P, I>, column: KernelExpr): TilePart<P, I> {
  const { tileRows, tileColumns, width, terms, input } = config;
  const targets = neighboursOf(column, tileColumns);
  return new TilePart<P, I>(k, {
    ...config,
    few: { rows: shortBlock(tileRows), go: 'one by one' },
    targets,
    columns: targets.map((target, j) => k.let(j === 0 ? target : min(target, sub(width, 1)), 'c')),
    maxTerms: terms.maxTerms,
    inBlocks: false,
    visit: visitAlone(k, terms, input),
  });
}

/** So many columns from one on. */
export function neighboursOf(column: KernelExpr, count: number): readonly KernelExpr[] {
  return Array.from({ length: count }, (_, j) => (j === 0 ? column : add(column, j)));
}

/** Visits terms in one thread, which loads what each row has at them. */
export function visitAlone<P, I>(
  k: KernelBuilder,
  terms: Terms<null, I>,
  input: TileValues<P, I>['input'],
): TilePartConfig<P, I>['visit'] {
  return (points, addTerm, { close }) =>
    terms.visit(
      null,
      (inner) => addTerm([inner], (row) => k.let(input(at(points, row, 'kernels: row of a tile'), inner))),
      close,
    );
}

/** Tiles of at most `tileRows` neighbours with the same weights: how many there are room for, and the rows of one that has any. */
export function tilesOfRows<P>(
  k: KernelBuilder,
  rows: Exclude<TileRows<P>, { readonly kind: 'single' }>,
  tileRows: number,
): {
  readonly total: KernelExpr;
  readonly enter: (tile: KernelExpr, body: (first: KernelExpr, end: KernelExpr) => void) => void;
} {
  switch (rows.kind) {
    case 'blocks': {
      const { blocks, from, maxBlocks, parts } = rows;
      return {
        total: parts === 1 ? maxBlocks : mul(maxBlocks, parts),
        enter: (tile, body) => {
          const number = parts === 1 ? tile : k.let(div(tile, parts), 'of');
          const block = from === undefined ? number : k.let(add(from, number), 'at');
          const start = load(blocks, block);
          const first = k.let(parts === 1 ? start : add(start, mul(rem(tile, parts), tileRows)), 'row');
          const last = load(blocks, add(block, 1));
          const end = k.let(parts === 1 ? last : min(last, add(first, tileRows)), 'end');
          k.when(lt(first, end), () => body(first, end));
        },
      };
    }
    case 'dense': {
      const inGroup = k.let(div(add(rows.size, tileRows - 1), tileRows), 'blocks');
      return {
        total: mul(rows.groups, inGroup),
        enter: (tile, body) => {
          const start = k.let(mul(div(tile, inGroup), rows.size), 'group');
          const first = k.let(add(start, mul(rem(tile, inGroup), tileRows)), 'row');
          body(first, k.let(min(add(first, tileRows), add(start, rows.size)), 'end'));
        },
      };
    }
  }
}

/** Up to how many rows a block is not a whole tile, and what it is instead. */
export interface FewRows {
  readonly rows: number;
  readonly go: 'one by one' | 'as a tile of so many';
}

/** What a thread of a tile does: some rows with the same weights, at columns of its own. */
export interface TilePartConfig<P, I> extends TileValues<P, I> {
  readonly tileRows: number;
  readonly few: FewRows;
  /** Those past the last column are not stored; sums there are of any column. */
  readonly targets: readonly KernelExpr[];
  /** As many, all of them there. */
  readonly columns: readonly KernelExpr[];
  readonly maxTerms: number | null;
  /** Whether the sums of several rows go in blocks (sums.ts): `visit` then calls `begin` and `close` around all terms there are. */
  readonly inBlocks: boolean;
  /** Visits the terms of all sums. At some of them, `add` is told where they are, and how a row comes by its input there. */
  readonly visit: (points: readonly P[], add: AddTerm<I>, { begin, close }: Pick<Sums, 'begin' | 'close'>) => void;
  readonly ways?: TileConfig<P, I>['ways'];
}

/** Adds neighbouring terms to all sums. `input` is what a row has at one of them, by its number among them. */
export type AddTerm<I> = (terms: readonly I[], input: (row: number, term: number) => KernelExpr) => void;

/** What the sums of a part are made of. */
export type SumsConfig<P, I> = Pick<
  TilePartConfig<P, I>,
  'heads' | 'type' | 'columns' | 'weight' | 'atColumn' | 'maxTerms' | 'visit'
>;

/** The sums of rows with the same weights, which are those of the first. */
export function sumsOf<P, I>(
  k: KernelBuilder,
  config: SumsConfig<P, I>,
  points: readonly P[],
  closed: ArrayDecl | null,
): Sums {
  const { type, heads, columns, weight, atColumn, maxTerms, visit } = config;
  const sums = new Sums(k, type, points.length * heads * columns.length, maxTerms, closed);
  const cells = columns.map((c) => atColumn(at(points, 0, 'kernels: row of a tile'), c));
  const addTerm: AddTerm<I> = (terms, input) => {
    const weights = Array.from({ length: heads }, (_, head) =>
      cells.map((cell) => terms.flatMap((inner) => componentsOf(k.let(weight(head, cell, inner))))),
    );
    for (const i of points.keys()) {
      const x = terms.flatMap((_, term) => componentsOf(input(i, term)));
      for (const [head, own] of weights.entries())
        for (const [j, w] of own.entries()) sums.addProducts(numberOf(config, i, head, j), x, w);
    }
  };
  visit(points, addTerm, sums);
  return sums;
}

/** The number of a sum among those of a tile. */
export function numberOf(
  { heads, columns }: Pick<SumsConfig<unknown, unknown>, 'heads' | 'columns'>,
  row: number,
  head: number,
  column: number,
): number {
  return (row * heads + head) * columns.length + column;
}

/** Neighbouring rows, the last of them `last`. */
interface RowsOfTile {
  readonly first: KernelExpr;
  readonly last: KernelExpr;
}

export class TilePart<P, I> {
  readonly #k: KernelBuilder;
  readonly #config: TilePartConfig<P, I>;
  /** Of the largest tile. */
  readonly #closed: ArrayDecl | null;

  constructor(k: KernelBuilder, config: TilePartConfig<P, I>) {
    const { inBlocks, type, tileRows, maxTerms } = config;
    this.#k = k;
    this.#config = config;
    this.#closed =
      inBlocks && tileRows > 1 ? arrayForClosed(k, type, numberOf(config, tileRows, 0, 0), maxTerms) : null;
  }

  /** One row. */
  row(row: KernelExpr, point: P): void {
    const sums = this.#sums([point], null);
    this.#store(row, point, (head, column) => sums.total(this.#number(0, head, column)));
  }

  /** Rows `first .. end`, at least one; rows that the tile has beyond them repeat the last and are not stored. */
  block(first: KernelExpr, end: KernelExpr, enter: (row: KernelExpr) => P): void {
    const k = this.#k;
    const { few, tileRows, ways } = this.#config;
    const rows = (): RowsOfTile => ({ first, last: k.let(sub(end, 1), 'last') });
    const isAsTile = few.go === 'as a tile of so many';
    if (isAsTile && few.rows >= tileRows) return this.#tile(tileRows, rows(), enter);
    const isFew = k.let(lt(sub(end, first), few.rows + 1), isAsTile ? 'small' : 'short');
    if (isAsTile) return this.#tiles(rows(), isFew, enter);
    ways?.(isFew);
    k.when(
      isFew,
      () => k.forRange(first, k.let(min(end, add(first, few.rows)), 'few'), 1, (row) => this.row(row, enter(row))),
      () => this.#tile(tileRows, rows(), enter),
    );
  }

  /** As a small tile where they are few, and as a whole one. */
  #tiles(rows: RowsOfTile, isFew: KernelExpr, enter: (row: KernelExpr) => P): void {
    const k = this.#k;
    const { few, tileRows } = this.#config;
    if (this.#closed === null) {
      k.when(
        isFew,
        () => this.#tile(few.rows, rows, enter),
        () => this.#tile(tileRows, rows, enter),
      );
      return;
    }
    // Both leave what they come to in the same places: what becomes of it is written, and compiled by a driver, once.
    const sums: Sums[] = [];
    const add = (size: number): void => void sums.push(this.#sumsOfTile(size, rows, enter));
    k.when(
      isFew,
      () => add(few.rows),
      () => add(tileRows),
    );
    this.#storeTile(at(sums, 1, 'kernels: sums of a tile'), tileRows, rows, enter);
  }

  #tile(size: number, rows: RowsOfTile, enter: (row: KernelExpr) => P): void {
    this.#storeTile(this.#sumsOfTile(size, rows, enter), size, rows, enter);
  }

  /** Of at most `size` rows: those of a tile that are not there repeat the last one. */
  #sumsOfTile(size: number, { first, last }: RowsOfTile, enter: (row: KernelExpr) => P): Sums {
    const k = this.#k;
    const rows = Array.from({ length: size }, (_, i) => (i === 0 ? first : k.let(min(add(first, i), last), 'r')));
    return this.#sums(rows.map(enter), this.#closed);
  }

  #storeTile(sums: Sums, size: number, { first, last }: RowsOfTile, enter: (row: KernelExpr) => P): void {
    const k = this.#k;
    if (sums.areNumbered) {
      const count = k.let(add(sub(last, first), 1), 'rows');
      const sumsOfRow = this.#number(1, 0, 0);
      const put = (i: KernelExpr): void => {
        const row = k.let(add(first, i), 'row');
        this.#store(row, enter(row), (head, j) => sums.totalOf(add(mul(i, sumsOfRow), this.#number(0, head, j))));
      };
      k.forRange(u32(0), count, 1, put, size);
      return;
    }
    for (let i = 0; i < size; i++) {
      const row = add(first, i);
      const put = (): void => this.#store(row, enter(row), (head, j) => sums.total(this.#number(i, head, j)));
      if (i === 0) put();
      else k.when(le(row, last), put);
    }
  }

  #sums(points: readonly P[], closed: ArrayDecl | null): Sums {
    return sumsOf(this.#k, this.#config, points, closed);
  }

  #number(row: number, head: number, column: number): number {
    return numberOf(this.#config, row, head, column);
  }

  /** Stores a row of those that were added up. */
  #store(row: KernelExpr, point: P, totalOf: (head: number, column: number) => KernelExpr): void {
    const k = this.#k;
    const { heads, width, targets, result, put } = this.#config;
    for (const [j, target] of targets.entries()) {
      k.when(lt(target, width), () => {
        const totals = Array.from({ length: heads }, (_, head) => totalOf(head, j));
        put(row, target, result(point, target, totals));
      });
    }
  }
}
