/** The rows of an assignment list as a run made them: which points they are, and where a point's row is. */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import type { AxisId } from '../graph/graph-ir.ts';
import type { RowMajorOffsets } from '../graph/row-major-offsets.ts';
import type { AssignmentList, AssignmentListId } from '../schedule/memory/memory.ts';
import { countedRows, indexAt, type Points } from './point-blocks.ts';

export interface Rows {
  readonly assignmentList: AssignmentList;
  /** How many there are. */
  readonly count: number;
  /** Row of each position, -1 where there is none. */
  readonly inverse: Int32Array;
  /** Indices of the rows along all axes of the assignment list, the parent's included. */
  readonly at: ReadonlyMap<AxisId, Int32Array>;
  /** Rows of the ancestors, and the assignment list's own, by assignment list. */
  readonly above: ReadonlyMap<AssignmentListId, Int32Array>;
  /** What the run's list says of each row: its position, then what the parent's list says of the parent's row. */
  readonly entries: Uint32Array;
  /** Words of an entry: as many as the assignment list is deep. */
  readonly words: number;
}

/** Words of a list's entry. */
export function wordsOf(assignmentList: AssignmentList): number {
  return assignmentList.parent === null ? 1 : 1 + wordsOf(assignmentList.parent);
}

/** How positions of an assignment list are counted: over its keys, the rows of its parent, the other axes. */
export interface Positions {
  readonly keys: number;
  readonly perKey: number;
  readonly total: number;
}

/** `capacityOf` is the number of rows an assignment list has room for in this run. */
export function positionsOf(
  assignmentList: AssignmentList,
  offsets: RowMajorOffsets,
  capacityOf: (r: AssignmentList) => number,
): Positions {
  const keys = offsets.count(assignmentList.majorAxes);
  const above = assignmentList.parent === null ? 1 : capacityOf(assignmentList.parent);
  const perKey = above * offsets.count(assignmentList.minorAxes);
  return { keys, perKey, total: keys * perKey };
}

/** The indices of positions `first` to `first + count` of an assignment list, and the parent's row of each. */
export function pointsOfPositions(
  assignmentList: AssignmentList,
  first: number,
  count: number,
  offsets: RowMajorOffsets,
  capacityOf: (r: AssignmentList) => number,
): { readonly at: Map<AxisId, Int32Array>; readonly parentRow: Int32Array | null } {
  const axis = (a: AxisId) => ({ axis: a, length: offsets.length(a) });
  const middle = assignmentList.parent === null ? [] : [{ axis: null, length: capacityOf(assignmentList.parent) }];
  const digits = [...assignmentList.majorAxes.map(axis), ...middle, ...assignmentList.minorAxes.map(axis)];
  const { at, row } = countedRows(first, count, digits);
  return { at, parentRow: row };
}

/** Rows from the list of positions that a run filled; null if an entry is no position or no row of the parent. */
export function rowsOf(
  assignmentList: AssignmentList,
  list: Uint32Array,
  count: number,
  parent: Rows | null,
  offsets: RowMajorOffsets,
  capacityOf: (r: AssignmentList) => number,
): Rows | null {
  const { total } = positionsOf(assignmentList, offsets, capacityOf);
  const words = wordsOf(assignmentList);
  const inverse = new Int32Array(total).fill(-1);
  const at = new Map<AxisId, Int32Array>(assignmentList.axes.map((a) => [a, new Int32Array(count)]));
  const above = new Map<AssignmentListId, Int32Array>([
    [assignmentList.id, Int32Array.from({ length: count }, (_, r) => r)],
  ]);
  for (const id of parent?.above.keys() ?? []) above.set(id, new Int32Array(count));
  const digits = [
    ...assignmentList.majorAxes.map((a) => ({ axis: a, length: offsets.length(a) })),
    ...(assignmentList.parent === null ? [] : [{ axis: null, length: capacityOf(assignmentList.parent) }]),
    ...assignmentList.minorAxes.map((a) => ({ axis: a, length: offsets.length(a) })),
  ];
  for (let row = 0; row < count; row++) {
    const position = list[row * words] ?? total;
    if (position >= total) return null;
    inverse[position] = row;
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
  return { assignmentList, count, inverse, at, above, entries: list, words };
}

/** The row of each point in an assignment list, -1 where it has none. */
export function rowsAt(
  p: Points,
  assignmentList: AssignmentList,
  offsets: RowMajorOffsets,
  capacityOf: (r: AssignmentList) => number,
  rowsOfAssignmentList: (r: AssignmentList) => Rows,
): Int32Array {
  const known = p.rows.get(assignmentList.id);
  if (known !== undefined) return known;
  const { inverse } = rowsOfAssignmentList(assignmentList);
  const above =
    assignmentList.parent === null ? null : rowsAt(p, assignmentList.parent, offsets, capacityOf, rowsOfAssignmentList);
  const capacity = assignmentList.parent === null ? 1 : capacityOf(assignmentList.parent);
  const keys = assignmentList.majorAxes.map((a) => ({ index: indexAt(p, a), length: offsets.length(a) }));
  const rest = assignmentList.minorAxes.map((a) => ({ index: indexAt(p, a), length: offsets.length(a) }));
  const out = new Int32Array(p.count);
  for (let i = 0; i < p.count; i++) {
    const row = above === null ? 0 : (above[i] ?? noNumber());
    let position = 0;
    for (const { index, length } of keys) position = position * length + (index[i] ?? noNumber());
    position = position * capacity + row;
    for (const { index, length } of rest) position = position * length + (index[i] ?? noNumber());
    out[i] = row < 0 ? -1 : (inverse[position] ?? -1);
  }
  return out;
}
