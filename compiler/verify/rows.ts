/** The rows of a relation as a run made them: which points they are, and where a point's row is. */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import type { AxisId } from '../graph/graph-ir.ts';
import type { RowMajorOffsets } from '../graph/row-major-offsets.ts';
import type { AssignmentList } from '../schedule/memory/memory.ts';
import { countedRows, indexAt, type Points } from './point-blocks.ts';

export interface Rows {
  readonly relation: AssignmentList;
  /** How many there are. */
  readonly count: number;
  /** Row of each position, -1 where there is none. */
  readonly place: Int32Array;
  /** Indices of the rows along all axes of the relation, the parent's included. */
  readonly at: ReadonlyMap<AxisId, Int32Array>;
  /** Rows of the ancestors, and the relation's own, by relation. */
  readonly above: ReadonlyMap<number, Int32Array>;
  /** What the run's list says of each row: its position, then what the parent's list says of the parent's row. */
  readonly entries: Uint32Array;
  /** Words of an entry: as many as the relation is deep. */
  readonly words: number;
}

/** Words of a list's entry. */
export function wordsOf(relation: AssignmentList): number {
  return relation.parent === null ? 1 : 1 + wordsOf(relation.parent);
}

/** How positions of a relation are counted: over its keys, the rows of its parent, the other axes. */
export interface Positions {
  readonly keys: number;
  readonly perKey: number;
  readonly total: number;
}

/** `capacityOf` is the number of rows a relation has room for in this run. */
export function positionsOf(
  relation: AssignmentList,
  places: RowMajorOffsets,
  capacityOf: (r: AssignmentList) => number,
): Positions {
  const keys = places.count(relation.keys);
  const above = relation.parent === null ? 1 : capacityOf(relation.parent);
  const perKey = above * places.count(relation.rest);
  return { keys, perKey, total: keys * perKey };
}

/** The indices of positions `first` to `first + count` of a relation, and the parent's row of each. */
export function pointsOfPositions(
  relation: AssignmentList,
  first: number,
  count: number,
  places: RowMajorOffsets,
  capacityOf: (r: AssignmentList) => number,
): { readonly at: Map<AxisId, Int32Array>; readonly parentRow: Int32Array | null } {
  const axis = (a: AxisId) => ({ axis: a, length: places.length(a) });
  const middle = relation.parent === null ? [] : [{ axis: null, length: capacityOf(relation.parent) }];
  const digits = [...relation.keys.map(axis), ...middle, ...relation.rest.map(axis)];
  const { at, row } = countedRows(first, count, digits);
  return { at, parentRow: row };
}

/** Rows from the list of positions that a run filled; null if an entry is no position or no row of the parent. */
export function rowsOf(
  relation: AssignmentList,
  list: Uint32Array,
  count: number,
  parent: Rows | null,
  places: RowMajorOffsets,
  capacityOf: (r: AssignmentList) => number,
): Rows | null {
  const { total } = positionsOf(relation, places, capacityOf);
  const words = wordsOf(relation);
  const place = new Int32Array(total).fill(-1);
  const at = new Map<AxisId, Int32Array>(relation.axes.map((a) => [a, new Int32Array(count)]));
  const above = new Map<number, Int32Array>([[relation.id, Int32Array.from({ length: count }, (_, r) => r)]]);
  for (const id of parent?.above.keys() ?? []) above.set(id, new Int32Array(count));
  const digits = [
    ...relation.keys.map((a) => ({ axis: a, length: places.length(a) })),
    ...(relation.parent === null ? [] : [{ axis: null, length: capacityOf(relation.parent) }]),
    ...relation.rest.map((a) => ({ axis: a, length: places.length(a) })),
  ];
  for (let row = 0; row < count; row++) {
    const position = list[row * words] ?? total;
    if (position >= total) return null;
    place[position] = row;
    let rest = position;
    for (const { axis, length } of [...digits].reverse()) {
      const digit = rest % length;
      rest = Math.floor(rest / length);
      if (axis !== null) at.get(axis)?.fill(digit, row, row + 1);
      else if (parent === null || digit >= parent.count) return null;
      else {
        for (const [a, column] of parent.at) at.get(a)?.fill(column[digit] ?? noNumber(), row, row + 1);
        for (const [id, column] of parent.above) above.get(id)?.fill(column[digit] ?? noNumber(), row, row + 1);
      }
    }
  }
  return { relation, count, place, at, above, entries: list, words };
}

/** The row of each point in a relation, -1 where it has none. */
export function rowsAt(
  p: Points,
  relation: AssignmentList,
  places: RowMajorOffsets,
  capacityOf: (r: AssignmentList) => number,
  rowsOfRelation: (r: AssignmentList) => Rows,
): Int32Array {
  const known = p.rows.get(relation.id);
  if (known !== undefined) return known;
  const { place } = rowsOfRelation(relation);
  const above = relation.parent === null ? null : rowsAt(p, relation.parent, places, capacityOf, rowsOfRelation);
  const capacity = relation.parent === null ? 1 : capacityOf(relation.parent);
  const keys = relation.keys.map((a) => ({ index: indexAt(p, a), length: places.length(a) }));
  const rest = relation.rest.map((a) => ({ index: indexAt(p, a), length: places.length(a) }));
  const out = new Int32Array(p.count);
  for (let i = 0; i < p.count; i++) {
    const row = above === null ? 0 : (above[i] ?? noNumber());
    let position = 0;
    for (const { index, length } of keys) position = position * length + (index[i] ?? noNumber());
    position = position * capacity + row;
    for (const { index, length } of rest) position = position * length + (index[i] ?? noNumber());
    out[i] = row < 0 ? -1 : (place[position] ?? -1);
  }
  return out;
}
