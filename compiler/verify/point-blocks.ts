/**
 * Points at which values are evaluated: an index for each axis, in columns. A block of points is what one evaluation step works
 * on, so that memory is bounded whatever the size of a value.
 */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import type { Terms } from '../graph/addition-bound.ts';
import type { AxisId, NodeId } from '../graph/graph-ir.ts';
import type { AssignmentListId } from '../schedule/memory/memory.ts';

/** A value and its error bound at each point of a block; `left`: points where something left the range of f32 on the way. */
export interface BoundedColumn {
  readonly v: Float64Array;
  readonly d: Float64Array;
  readonly left: Uint8Array | null;
  /** What it adds up, where it is a sum that has no memory. */
  readonly terms?: (() => Terms) | undefined;
}

/** A block of points. Values that were evaluated at them are kept with them. */
export interface Points {
  readonly count: number;
  readonly at: ReadonlyMap<AxisId, Int32Array>;
  /** Rows that the points are known to have, by assignment list. */
  readonly rows: ReadonlyMap<AssignmentListId, Int32Array>;
  /** Presences that hold at all of them: a row in scope was made of these. */
  readonly known: ReadonlySet<NodeId>;
  readonly values: Map<NodeId, BoundedColumn>;
  readonly views: Map<NodeId, Points>;
}

const none: ReadonlyMap<AssignmentListId, Int32Array> = new Map();
const noPresences: ReadonlySet<NodeId> = new Set();

export function points(
  count: number,
  at: ReadonlyMap<AxisId, Int32Array>,
  rows: ReadonlyMap<AssignmentListId, Int32Array> = none,
  known: ReadonlySet<NodeId> = noPresences,
): Points {
  return { count, at, rows, known, values: new Map(), views: new Map() };
}

export function indexAt(p: Points, axis: AxisId): Int32Array {
  const index = p.at.get(axis);
  if (index === undefined) throw new CompilerBug('verify', `axis ${axis} has no index here`);
  return index;
}

/** Those of a block's points, by number. */
export function chosen(p: Points, which: ArrayLike<number>): Points {
  const take = (column: Int32Array): Int32Array => Int32Array.from(which, (i) => column[i] ?? noNumber());
  const columns = <K>(all: ReadonlyMap<K, Int32Array>) => new Map([...all].map(([k, c]) => [k, take(c)] as const));
  return points(which.length, columns(p.at), columns(p.rows), p.known);
}

/** Each point as often as there are points of the further axes, which have other indices from then on. */
export function expanded(p: Points, axes: readonly { readonly axis: AxisId; readonly length: number }[]): Points {
  const inner = axes.reduce((n, { length }) => n * length, 1);
  const count = p.count * inner;
  const repeat = (column: Int32Array): Int32Array => {
    const out = new Int32Array(count);
    for (let i = 0; i < p.count; i++) out.fill(column[i] ?? noNumber(), i * inner, (i + 1) * inner);
    return out;
  };
  const at = new Map([...p.at].map(([axis, column]) => [axis, repeat(column)] as const));
  let stride = inner;
  for (const { axis, length } of axes) {
    stride /= Math.max(length, 1);
    const column = new Int32Array(count);
    for (let i = 0; i < count; i++) column[i] = Math.floor(i / stride) % length;
    at.set(axis, column);
  }
  // What was known of a point does not hold where an axis of it has another index.
  const moved = axes.some(({ axis }) => p.at.has(axis));
  if (moved) return points(count, at);
  return points(count, at, new Map([...p.rows].map(([id, column]) => [id, repeat(column)] as const)), p.known);
}

/** The digits of row-major numbers from `first` on, by axis. */
export function counted<A>(
  first: number,
  count: number,
  axes: readonly { readonly axis: A; readonly length: number }[],
): Map<A, Int32Array> {
  const at = new Map<A, Int32Array>();
  let stride = axes.reduce((n, { length }) => n * length, 1);
  for (const { axis, length } of axes) {
    stride /= Math.max(length, 1);
    const column = new Int32Array(count);
    for (let i = 0; i < count; i++) column[i] = Math.floor((first + i) / stride) % length;
    at.set(axis, column);
  }
  return at;
}

/** As `counted`, where one of the digits is the row of another assignment list: it has no axis, and its column stands apart. */
export function countedRows(
  first: number,
  count: number,
  digits: readonly { readonly axis: AxisId | null; readonly length: number }[],
): { readonly at: Map<AxisId, Int32Array>; readonly row: Int32Array | null } {
  const at = new Map<AxisId, Int32Array>();
  let row: Int32Array | null = null;
  for (const [axis, column] of counted(first, count, digits)) {
    if (axis === null) row = column;
    else at.set(axis, column);
  }
  return { at, row };
}
