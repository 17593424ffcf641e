/**
 * online: sums of weights of a softmax, without the weights: out[row, column] = Σ exp(s[row, key] - m[row]) · v[key, column], with m the
 * greatest s of the row, and the sum of the exponentials beside it (Milakov and Gimelshein 2018; Dao et al. 2022).
 *
 * A workgroup has some rows that share keys and values, and goes along the keys in blocks of 32, those of a sum (sums.ts). In a block its
 * threads first share the scores, by keys; the greatest of each row may grow then, and what was added up so far is multiplied by
 * exp(before - now). The exponentials of a block lie in workgroup memory, from which threads, now each with columns of its own, weigh values.
 * Between these phases stand barriers. So nothing of a length that a run decides is kept, and nothing but the sums is written.
 *
 * Blocks begin at key 0 and are added up one after the other (scaled-sums.ts), so the bits of a row depend neither on other rows, nor on how many a
 * workgroup has, nor on how many threads it has.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import { SUM_BLOCK } from '../../dsl/tensors/sum-order.ts';
import type { ArrayDecl, KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import {
  add, componentsOf, div, eq, f32, loadArray, localIdX, lt, max, min, mul, rem, select, sub, u32, workgroupNumber,
} from '../kernel/make-expressions.ts'; // prettier-ignore
import { exp } from '../kernel/math/exponential.ts';
import { extreme } from './space.ts';
import { ScaledSums } from './scaled-sums.ts';
import { shortBlock, tilesOfRows, type TileRows } from './tile.ts';

/** What a row comes to: its greatest score, and the sum of its exponentials (1 where nobody asks for it). */
export interface OnlineRow {
  readonly max: KernelExpr;
  readonly total: KernelExpr;
}

export interface OnlineConfig<P> {
  /** Of a workgroup; rows of a group share keys and values. A power of two. */
  readonly tileRows: number;
  readonly rows: Extract<TileRows<P>, { readonly kind: 'dense' }> & {
    /** The indices of a row's point, u32, and the point that has these. */
    readonly digits: number;
    readonly indicesOf: (row: KernelExpr) => readonly KernelExpr[];
    readonly enterFrom: (indices: readonly KernelExpr[]) => P;
  };
  /** How many keys there are, u32. */
  readonly keys: KernelExpr;
  /** A number as a value that a run gives: a loop to a literal is written out by drivers, which then take seconds for it. */
  readonly opaque: (value: number) => KernelExpr;
  readonly atKey: (row: P, key: KernelExpr) => P;
  /** Sums that scores are made of: those of rows at keys, of each row those at all of them. */
  readonly heads: readonly ((rows: readonly P[], keys: readonly KernelExpr[]) => readonly KernelExpr[])[];
  /** The score of a row at a key, of what the heads come to there. */
  readonly score: (point: P, heads: readonly KernelExpr[]) => KernelExpr;
  /** Columns of the value, in vectors of so many. */
  readonly columns: number;
  readonly lanes: 1 | 4;
  readonly atColumn: (point: P, column: KernelExpr) => P;
  /** The value at a key and a column (a vector of them), the same for all rows of a group; null: 1. */
  readonly value: ((point: P) => KernelExpr) | null;
  /** Whether somebody asks for the sum of the exponentials. */
  readonly hasTotal: boolean;
  /** How the threads share rows and columns (deciding/legality-online.ts). */
  readonly shares: (tileRows: number) => {
    readonly groups: number;
    readonly rowsOfThread: number;
    readonly rounds: number;
  };
  /** Puts a row's sums at columns where they go. `of` is made once for each row. */
  readonly finish: (row: P, of: OnlineRow) => (column: KernelExpr, sums: readonly KernelExpr[]) => void;
  /** Told of the two ways that workgroups go. */
  readonly ways: (isShort: KernelExpr) => void;
}

/** As many workgroups as there are tiles of rows. */
export function online<P>(k: KernelBuilder, config: OnlineConfig<P>): void {
  const { rows, tileRows } = config;
  const { total, enter } = tilesOfRows(k, rows, tileRows);
  const number = k.let(workgroupNumber, 'tile');
  const memory: OnlineMemory = {
    weights: k.shared('weights', 'f32', tileRows * SUM_BLOCK),
    greatest: k.shared('greatest', 'f32', tileRows),
    factor: k.shared('factor', 'f32', tileRows),
    indices: k.shared('indices', 'u32', Math.max(1, tileRows * rows.digits)),
    heads: config.heads.map((_, i) => k.shared(`head${i}`, 'f32', tileRows * SUM_BLOCK)),
  };
  k.when(lt(number, total), () =>
    enter(number, (first, end) => {
      if (tileRows === 1) {
        goAlong(k, config, memory, 1, first, end);
        return;
      }
      // Few rows, as the last tile may have, go one by one.
      const isShort = k.let(lt(sub(end, first), shortBlock(tileRows) + 1), 'short');
      config.ways(isShort);
      k.when(
        isShort,
        () =>
          k.forRange(first, end, 1, (row) => goAlong(k, config, memory, 1, row, k.let(add(row, 1))), shortBlock(tileRows)),
        () => goAlong(k, config, memory, tileRows, first, end),
      );
    }),
  ); // prettier-ignore
}

interface OnlineMemory {
  /** Of a block: scores, and then exponentials; row-major over rows and keys. */
  readonly weights: ArrayDecl;
  /** Of each row: the greatest score so far, and by what earlier sums are multiplied; in the end the sum of the exponentials. */
  readonly greatest: ArrayDecl;
  readonly factor: ArrayDecl;
  /** Of each row: the indices of its point. */
  readonly indices: ArrayDecl;
  /** Of a block: what scores are made of. */
  readonly heads: readonly ArrayDecl[];
}

/** Rows `first .. end`, at least one; those of a tile beyond them repeat the last. */
function goAlong<P>(
  k: KernelBuilder,
  config: OnlineConfig<P>,
  memory: OnlineMemory,
  tileRows: number,
  first: KernelExpr,
  end: KernelExpr,
): void {
  const { opaque, keys, rows, lanes, hasTotal, atKey, atColumn, value } = config;
  const { weights, greatest, factor, indices, heads } = memory;
  const { digits } = rows;
  const threads = k.workgroupSize;
  const last = k.let(sub(end, 1), 'last');
  const rowAt = (i: KernelExpr): KernelExpr => (tileRows === 1 ? first : k.let(min(add(first, i), last), 'r'));
  const lowest = extreme('f32', 'lowest');

  // Scores: threads have keys, several where a workgroup has fewer threads than a block has keys, and some of the rows.
  const scoring = Math.min(tileRows, Math.max(1, Math.floor(threads / SUM_BLOCK)));
  const ownRows = Array.from({ length: tileRows / scoring }, (_, j) => j * scoring);
  const ownKeys = Array.from({ length: Math.ceil(SUM_BLOCK / threads) }, (_, j) => j * threads);
  const group = scoring === 1 ? u32(0) : k.let(div(localIdX, SUM_BLOCK), 'group');
  const ownKey = threads > SUM_BLOCK ? k.let(rem(localIdX, SUM_BLOCK), 'key') : localIdX;
  const scoredRows = ownRows.map((j) => k.let(add(group, j), 'i'));
  const scored = scoredRows.map((i) => rows.enter(rowAt(i)));
  const whereScored = (body: () => void): void =>
    threads > SUM_BLOCK * scoring ? k.when(lt(localIdX, SUM_BLOCK * scoring), body) : body();

  // What is one number for each row is done by as many threads.
  const isRow = k.let(lt(localIdX, tileRows), 'isRow');
  k.when(isRow, () => {
    const own = rows.indicesOf(rowAt(localIdX));
    own.forEach((index, d) => k.storeArray(indices, add(mul(localIdX, digits), d), index));
  });
  k.barrier();
  const most = k.var(lowest, 'most');
  const total = hasTotal ? new ScaledSums(k, 1) : null;

  // Sums: threads have columns, and some of the rows.
  const { groups, rowsOfThread, rounds } = config.shares(tileRows);
  const columns = config.columns / lanes;
  const width = Math.min(columns, threads);
  const part = groups === 1 ? u32(0) : k.let(div(localIdX, width), 'part');
  const ownColumn = width === threads ? localIdX : k.let(rem(localIdX, width), 'own');
  const summedRows = Array.from({ length: rowsOfThread }, (_, j) => k.let(add(part, j * groups), 'i'));
  const isEven = columns % threads === 0 || rounds === 1;
  const summedColumns = Array.from({ length: rounds }, (_, j) => {
    const own = k.let(add(ownColumn, j * threads), 'c');
    return { own, loaded: isEven ? own : k.let(min(own, columns - 1), 'c') };
  });
  const whereSummed = (body: () => void): void =>
    width * groups < threads ? k.when(lt(localIdX, width * groups), body) : body();
  const sums = new ScaledSums(k, rowsOfThread * rounds * lanes);
  const sumAt = (row: number, round: number): number => (row * rounds + round) * lanes;
  const sharedRow = rows.enter(first);

  const weightAt = (row: KernelExpr, key: KernelExpr): KernelExpr => loadArray(weights, add(mul(row, SUM_BLOCK), key));
  k.forRange(u32(0), keys, SUM_BLOCK, (start) => {
    const stop = k.let(min(add(start, SUM_BLOCK), keys), 'stop');
    const along = (body: (key: KernelExpr, inBlock: KernelExpr) => void): void =>
      k.forOnce(start, stop, 1, (key) => body(key, k.let(sub(key, start), 'j')));
    const isMade = heads.length > 0;
    if (isMade)
      whereScored(() => {
        // Beyond the last key stands it again, and counts nothing.
        const there = ownKeys.map((j) => k.let(min(add(start, add(ownKey, j)), sub(keys, 1)), 'k'));
        config.heads.forEach((head, h) => {
          const made = head(scored, there);
          scoredRows.forEach((i, row) =>
            ownKeys.forEach((j, key) => {
              const cell = add(mul(i, SUM_BLOCK), add(ownKey, j));
              const sum = at(made, row * ownKeys.length + key, 'kernels: sum of a score');
              k.storeArray(at(heads, h, 'kernels: head of scores'), cell, sum);
            }),
          );
        });
      });
    if (isMade) k.barrier();
    const cells = tileRows * SUM_BLOCK;
    /** All threads go through rows and keys of the block, each row after the other. */
    const eachCell = (body: (row: KernelExpr, inBlock: KernelExpr, cell: KernelExpr) => void): void =>
      k.forRange(
        localIdX,
        opaque(cells),
        threads,
        (cell) => body(k.let(div(cell, SUM_BLOCK), 'row'), k.let(rem(cell, SUM_BLOCK), 'j'), cell),
        Math.ceil(cells / threads),
      );
    eachCell((row, j, cell) => {
      const place = k.let(add(start, j), 'at');
      const point = rows.enterFrom(Array.from({ length: digits }, (_, d) => k.let(loadArray(indices, add(mul(row, digits), d)), 'i')));
      const made = heads.map((head) => k.let(loadArray(head, cell), 'head'));
      const score = config.score(atKey(point, k.let(min(place, sub(keys, 1)), 'k')), made);
      k.storeArray(weights, cell, select(lt(place, keys), score, lowest));
    });
    k.barrier();
    k.when(isRow, () => {
      const now = k.var(most, 'now');
      along((_, j) => k.assign(now, max(now, weightAt(localIdX, j))));
      // Also where both are infinite nothing is another multiple than before.
      k.storeArray(factor, localIdX, select(eq(now, most), f32(1), exp(k, k.let(sub(most, now), 'x'))));
      k.storeArray(greatest, localIdX, now);
      k.assign(most, now);
    });
    k.barrier();
    eachCell((row, _, cell) => {
      const score = k.let(loadArray(weights, cell), 's');
      const e = k.let(exp(k, k.let(sub(score, loadArray(greatest, row)), 'x')), 'e');
      k.storeArray(weights, cell, select(eq(score, lowest), f32(0), e));
    });
    k.barrier();
    if (total !== null)
      k.when(isRow, () => {
        const scale = k.let(loadArray(factor, localIdX), 'f');
        total.begin();
        along((_, j) => total.add(0, weightAt(localIdX, j)));
        total.close(() => scale);
      });
    whereSummed(() => {
      sums.begin();
      along((key, j) => {
        const values = summedColumns.map(({ loaded }) =>
          value === null ? [f32(1)] : componentsOf(k.let(value(atColumn(atKey(sharedRow, key), loaded)), 'v')),
        );
        summedRows.forEach((i, row) => {
          const e = k.let(weightAt(i, j), 'e');
          values.forEach((own, round) =>
            own.forEach((v, lane) => {
              sums.add(sumAt(row, round) + lane, value === null ? e : mul(e, v));
            }),
          );
        });
      });
      const scales = summedRows.map((i) => k.let(loadArray(factor, i), 'f'));
      sums.close((sum) => at(scales, Math.floor(sum / (rounds * lanes)), 'kernels: factor of a row'));
    });
    k.barrier();
  });
  k.when(isRow, () => {
    k.storeArray(greatest, localIdX, most);
    if (total !== null) k.storeArray(factor, localIdX, total.total(0));
  });
  k.barrier();
  whereSummed(() =>
    summedRows.forEach((i, row) => {
      const number = k.let(add(first, i), 'row');
      k.when(lt(number, end), () => {
        const of = { max: k.let(loadArray(greatest, i), 'm'), total: hasTotal ? k.let(loadArray(factor, i), 'l') : f32(1) };
        const store = config.finish(rows.enter(number), of);
        summedColumns.forEach(({ own }, round) => {
          const put = (): void =>
            store(own, Array.from({ length: lanes }, (_, lane) => sums.total(sumAt(row, round) + lane)));
          if (isEven) put();
          else k.when(lt(own, columns), put);
        });
      });
    }),
  );
  // What is here is read before the next row of the workgroup is done.
  k.barrier();
} // prettier-ignore
