/**
 * summed: out[row, column] = result(Σ over slots of a value made of contractions, contractions at the row, …); out: [rows, columns].
 *
 * For few rows: each goes by itself, so nothing is shared and nothing has to be in an order. A *unit* is what a thread computes at some
 * columns without others: what one slot adds, or the contractions of the row. Where it is known how many units there are a workgroup
 * has the columns of several threads, and for each of them a thread for every unit: as many threads as if units were launches. They put
 * what they come to into the workgroup's memory, and the first adds up what slots come to, in their order; one that is absent adds 0,
 * which changes no sum that begins with 0. Otherwise a thread goes through all units.
 *
 * Sums are in the order of sums (sums.ts) either way, and the same as in launches of their own.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { at } from '../../dsl/diagnostics/invariants.ts';
import type { KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import {
  add, and, div, f32, loadArray, localIdX, lt, min, mul, rem, sub, subgroupLane, u32, workgroupNumber, eq,
} from '../kernel/make-expressions.ts'; // prettier-ignore
import { reducedBeside } from './reduce-kernel.ts';
import type { Space } from './space.ts';
import { nestOfTerms, Sums, type Terms } from './sums.ts';
import { neighboursOf } from './tile.ts';

/** What a unit of a part comes to at a point, at some columns: of each of its values a number for each column. */
export type UnitValues<P> = (point: P, columns: readonly KernelExpr[]) => readonly (readonly KernelExpr[])[];

export interface SummedPart<P> {
  /** The slots of a row, of which one value is added up; null: contractions at the row. */
  readonly slots: {
    /** How many there are, if that is known. */
    readonly count: number | null;
    readonly terms: Terms<P>;
    /** Enters a slot by its number, if it is there. */
    readonly enter: (row: P, slot: KernelExpr, inside: (point: P) => void) => void;
  } | null;
  /** How many values it has. */
  readonly values: number;
  readonly at: UnitValues<P>;
}

export interface SummedConfig<P> {
  readonly rows: Space<P>;
  readonly width: KernelExpr;
  readonly parts: readonly SummedPart<P>[];
  /** A number as a value that a run gives. */
  readonly opaque: (value: number) => KernelExpr;
  /** What is stored at a row and a column, of what each part comes to. */
  readonly result: (point: P, column: KernelExpr, totals: readonly (readonly KernelExpr[])[]) => KernelExpr;
  readonly put: (row: KernelExpr, column: KernelExpr, value: KernelExpr) => void;
}

/** How many units a row has, if a workgroup of so many threads has one for each; null: it has not. */
export function unitsFor(parts: readonly { readonly count: number | null }[], threads: number): number | null {
  const units = parts.reduce<number | null>((sum, { count }) => (sum === null || count === null ? null : sum + count), 0);
  return units === null || units < 2 || units > threads ? null : units;
} // prettier-ignore

/** As many workgroups as there are rows, times ceil(width / (⌊threads / units⌋ · tileColumns)). */
export function summedByGroups<P>(k: KernelBuilder, config: SummedConfig<P>, units: number, tileColumns: number): void {
  const { rows, width, parts, put } = config;
  const side = Math.floor(k.workgroupSize / units);
  const total = k.let(rows.total, 'rows');
  const ofRow = k.let(div(add(width, side * tileColumns - 1), side * tileColumns), 'columns');
  const number = k.let(workgroupNumber, 'group');
  // Barriers are for all: a surplus workgroup does what the last one does, and stores nothing.
  const row = k.let(min(div(number, ofRow), sub(total, 1)), 'row');
  const there = lt(div(number, ofRow), total);
  const unit = k.let(div(localIdX, side), 'unit');
  const first = k.let(mul(add(mul(rem(number, ofRow), side), rem(localIdX, side)), tileColumns), 'col');
  const targets = neighboursOf(first, tileColumns);
  const columns = targets.map((target) => k.let(min(target, sub(width, 1)), 'c'));
  const mostValues = Math.max(...parts.map(({ values }) => values));
  const cells = k.shared('units', 'f32', k.workgroupSize * mostValues * tileColumns);
  const cellOf = (ofUnit: KernelExpr, value: number, column: number): KernelExpr =>
    add(mul(add(mul(ofUnit, side), rem(localIdX, side)), mostValues * tileColumns), value * tileColumns + column);
  let before = 0;
  for (const { slots, values, at: valuesAt } of parts) {
    const count = slots === null ? 1 : (slots.count ?? 1);
    const own = before;
    before += count;
    k.when(lt(sub(unit, own), count), () => {
      for (let value = 0; value < values; value++)
        for (const j of columns.keys()) k.storeArray(cells, cellOf(unit, value, j), f32(0));
      const compute = (point: P): void =>
        valuesAt(point, columns).forEach((some, value) => some.forEach((n, j) => k.storeArray(cells, cellOf(unit, value, j), n)));
      rows.enter(row, (point) => (slots === null ? compute(point) : slots.enter(point, k.let(sub(unit, own), 'slot'), compute)));
    }); // prettier-ignore
  }
  k.barrier();
  k.when(and(there, eq(unit, u32(0))), () => {
    let start = 0;
    const totals = parts.map(({ slots, values }) => {
      const own = start;
      const count = slots === null ? 1 : (slots.count ?? 1);
      start += count;
      if (slots === null)
        return Array.from({ length: values }, (_, value) =>
          columns.map((__, j) => k.let(loadArray(cells, cellOf(u32(own), value, j)))),
        );
      const sums = new Sums(k, 'f32', tileColumns, count);
      const loop = { from: u32(0), to: config.opaque(count), size: count, enter: (_: KernelExpr, i: KernelExpr) => i };
      const body = (slot: KernelExpr): void =>
        columns.forEach((_, j) => sums.add(j, loadArray(cells, cellOf(add(slot, own), 0, j))));
      nestOfTerms<KernelExpr>(k, [loop], u32(0), body, sums.close);
      return [columns.map((_, j) => sums.total(j))];
    });
    rows.enter(row, (point) => store(k, config, { row, point, targets, put }, totals));
  });
}

/** As many threads as there are rows, times ceil(width / tileColumns): each goes through all units. */
export function summedByThreads<P>(k: KernelBuilder, config: SummedConfig<P>, tileColumns: number): void {
  const { rows, width } = config;
  const ofRow = k.let(div(add(width, tileColumns - 1), tileColumns), 'columns');
  const id = k.let(add(mul(workgroupNumber, k.workgroupSize), localIdX), 'id');
  k.when(lt(id, mul(rows.total, ofRow)), () => {
    const first = k.let(mul(rem(id, ofRow), tileColumns), 'col');
    oneByOne(k, config, k.let(div(id, ofRow), 'row'), neighboursOf(first, tileColumns));
  });
}

/** The same by subgroups, as many as there are rows times ceil(width / (lanes · tileColumns)): a lane has columns that are `lanes` apart. */
export function summedBySubgroups<P>(
  k: KernelBuilder,
  config: SummedConfig<P>,
  { lanes, tileColumns }: { readonly lanes: number; readonly tileColumns: number },
): void {
  const { rows, width } = config;
  const total = k.let(rows.total, 'rows');
  const ofRow = k.let(div(add(width, lanes * tileColumns - 1), lanes * tileColumns), 'columns');
  const number = k.let(workgroupNumber, 'tile');
  k.when(lt(number, mul(total, ofRow)), () => {
    // Neighbouring workgroups have the same columns: rows of one expert find its weights in the cache.
    const first = k.let(add(mul(div(number, total), lanes * tileColumns), subgroupLane), 'col');
    const targets = Array.from({ length: tileColumns }, (_, j) => (j === 0 ? first : k.let(add(first, j * lanes), 'c')));
    oneByOne(k, config, k.let(rem(number, total), 'row'), targets);
  });
} // prettier-ignore

/** All units of a row at some columns, one after another. */
function oneByOne<P>(
  k: KernelBuilder,
  config: SummedConfig<P>,
  row: KernelExpr,
  targets: readonly KernelExpr[],
): void {
  const { rows, width, parts, put } = config;
  rows.enter(row, (point) => {
    const columns = targets.map((target) => k.let(min(target, sub(width, 1)), 'c'));
    const totals = parts.map(({ slots, at: valuesAt }) => {
      if (slots === null) return valuesAt(point, columns);
      const [first] = [(inner: P) => at(valuesAt(inner, columns), 0, 'kernels: value of a slot')];
      return [reducedBeside(k, { op: 'sum', type: 'f32', terms: slots.terms, count: columns.length, values: first }, point)];
    });
    store(k, config, { row, point, targets, put }, totals);
  });
} // prettier-ignore

interface Place<P> {
  readonly row: KernelExpr;
  readonly point: P;
  readonly targets: readonly KernelExpr[];
  readonly put: SummedConfig<P>['put'];
}

/** Stores what parts come to, each value of theirs at each column. */
function store<P>(
  k: KernelBuilder,
  { width, result }: SummedConfig<P>,
  { row, point, targets, put }: Place<P>,
  totals: readonly (readonly (readonly KernelExpr[])[])[],
): void {
  for (const [j, target] of targets.entries()) {
    k.when(lt(target, width), () => {
      const here = totals.map((values) => values.map((columns) => columns[j] ?? unknown()));
      put(row, target, result(point, target, here));
    });
  }
}

function unknown(): never {
  throw new CompilerBug('kernels', 'a part has no value at a column');
}
