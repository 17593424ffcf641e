/**
 * A column of a value at points that differ in axes the value lacks: it is evaluated once for all that are the same to it, and so many
 * terms at a time, so that sums of sums cost what the sums do.
 */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import type { Node } from '../graph/graph-ir.ts';
import type { RowMajorOffsets } from '../graph/row-major-offsets.ts';
import { loopOf } from './node-facts.ts';
import { chosen, indexAt, type BoundedColumn, type Points } from './point-blocks.ts';

/** Elements that are evaluated at once, with all they sum over. */
export const EVALUATED_AT_ONCE = 1 << 16;

/** A value that sums nothing is evaluated at all points as they are. */
export function atDistinctPoints(
  p: Points,
  node: Node,
  offsets: RowMajorOffsets,
  evaluate: (p: Points) => BoundedColumn,
): BoundedColumn {
  if (loopOf(node).length === 0) return evaluate(p);
  const columns = node.axes.map((axis) => ({ index: indexAt(p, axis), length: offsets.length(axis) }));
  const terms = offsets.count(loopOf(node));
  const firstAt = new Map<number, number>();
  const sameAs = Int32Array.from({ length: p.count }, (_, i) => {
    const key = columns.reduce((n, { index, length }) => n * length + (index[i] ?? noNumber()), 0);
    const known = firstAt.get(key) ?? i;
    firstAt.set(key, known);
    return known;
  });
  const distinct = [...firstAt.values()];
  const [v, d, left] = [new Float64Array(p.count), new Float64Array(p.count), new Uint8Array(p.count)];
  const some = Math.max(1, Math.floor(EVALUATED_AT_ONCE / Math.max(terms, 1)));
  for (let from = 0; from < distinct.length; from += some) {
    const here = distinct.slice(from, from + some);
    const part = evaluate(chosen(p, here));
    here.forEach((i, k) => {
      v[i] = part.v[k] ?? noNumber();
      d[i] = part.d[k] ?? noNumber();
      if (part.left?.[k] === 1) left[i] = 1;
    });
  }
  sameAs.forEach((from, i) => {
    v[i] = v[from] ?? noNumber();
    d[i] = d[from] ?? noNumber();
    left[i] = left[from] ?? noNumber();
  });
  return { v, d, left: left.some((flag) => flag !== 0) ? left : null };
}
