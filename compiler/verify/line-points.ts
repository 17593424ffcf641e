/** A running sum or an order that has no memory, at some points: every line that one of them is on is evaluated, once. */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import type { AxisId, Node } from '../graph/graph-ir.ts';
import type { RowMajorOffsets } from '../graph/row-major-offsets.ts';
import { indexAt, points, type BoundedColumn, type Points } from './point-blocks.ts';

type Line = Extract<Node, { readonly kind: 'scan' | 'sort_rank' }>;

/** `lines`: the numbers at all points of lines, one line after another. */
export function linesAt(
  node: Line,
  p: Points,
  offsets: RowMajorOffsets,
  lines: (p: Points) => { readonly numbers: BoundedColumn },
): BoundedColumn {
  const over = node.kind === 'scan' ? [node.axis] : node.over;
  const numbersAlong = (axes: readonly AxisId[]): Int32Array => {
    const columns = axes.map((axis) => ({ index: indexAt(p, axis), length: offsets.length(axis) }));
    return Int32Array.from({ length: p.count }, (_, i) => columns.reduce((n, { index, length }) => n * length + (index[i] ?? noNumber()), 0)); // prettier-ignore
  };
  const others = node.axes.filter((axis) => !over.includes(axis));
  const [line, place, length] = [numbersAlong(others), numbersAlong(over), offsets.count(over)];
  const firstAt = new Map<number, number>();
  line.forEach((number, i) => {
    if (!firstAt.has(number)) firstAt.set(number, i);
  });
  const distinct = [...firstAt];
  const nth = new Map(distinct.map(([number], i) => [number, i] as const));
  const columns = others.map((axis) => [axis, Int32Array.from(distinct, ([, i]) => indexAt(p, axis)[i] ?? noNumber())] as const); // prettier-ignore
  const { numbers } = lines(points(distinct.length, new Map(columns)));
  const at = Int32Array.from(line, (number, i) => (nth.get(number) ?? noNumber()) * length + (place[i] ?? noNumber()));
  return {
    v: Float64Array.from(at, (i) => numbers.v[i] ?? noNumber()),
    d: Float64Array.from(at, (i) => numbers.d[i] ?? noNumber()),
    left: numbers.left === null ? null : Uint8Array.from(at, (i) => numbers.left?.[i] ?? noNumber()),
  };
}
