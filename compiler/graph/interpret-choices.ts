/**
 * What orders and greatest points mean, in float64, by definition; see interpret-graph.ts. NaN is below every number, of equal
 * ones the first comes first, and points that are no candidates have no place.
 */
import { at, noNumber } from '../../dsl/diagnostics/invariants.ts';
import type { GraphEvaluation } from './interpret-graph.ts';
import type { Node } from './graph-ir.ts';
import { count, forEachPoint, inOrder, stridesOf } from './tensor-points.ts';

/** The place of every candidate in the order of the keys; with `report` the NaN keys of candidates are errors. */
export function sortRanks(node: Node & { kind: 'sort_rank' }, run: GraphEvaluation): Float64Array {
  const rest = node.axes.filter((a) => !node.over.includes(a));
  const axes = [...rest, ...node.over];
  const whole = axes.map((a) => run.sizeOf(a));
  const group = count(node.over.map((a) => run.sizeOf(a)));
  const keys = node.keys.map((k) => run.value(k.node));
  const candidates = node.candidates === null ? [] : [run.value(node.candidates)];
  const total = count(whole);
  const rows: number[][] = [];
  const candidate: number[] = [];
  const operands = [...keys, ...candidates];
  forEachPoint(axes, whole, operands.map((o) => o.axes), operands.map((o) => o.shape), (point, offsets) => {
    candidate[point] = candidates.length === 0 ? 1 : (candidates[0]?.data[offsets[keys.length] ?? noNumber()] ?? noNumber());
    rows[point] = keys.map((k, i) => k.data[offsets[i] ?? noNumber()] ?? noNumber());
  }); // prettier-ignore
  const out = new Float64Array(total);
  for (let from = 0; from < total; from += group) {
    const points = Array.from({ length: group }, (_, i) => from + i);
    if (points.some((p) => Number.isNaN(candidate[p]))) {
      for (const p of points) out[p] = NaN;
      continue;
    }
    const chosen = points.filter((p) => candidate[p] === 1);
    const bad = chosen.filter((p) => rows[p]?.some(Number.isNaN) === true);
    if (node.report) for (const p of bad) run.errors.push(`%${node.id}: the key is NaN at ${p}`);
    chosen.sort(
      (p, q) => before(node, at(rows, p, 'graph: keys of point'), at(rows, q, 'graph: keys of point')) || p - q,
    );
    // Nobody may read the place of a point that is no candidate.
    for (const p of points) out[p] = run.poison ? NaN : 0;
    chosen.forEach((p, rank) => (out[p] = run.poison && bad.length > 0 ? NaN : rank));
  }
  return inOrder({ axes, shape: whole, data: out }, node.axes);
}

function before(node: Node & { kind: 'sort_rank' }, left: readonly number[], right: readonly number[]): number {
  for (let i = 0; i < node.keys.length; i++) {
    const [a, b] = [left[i] ?? noNumber(), right[i] ?? noNumber()];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    // NaN is below every number.
    const less = Number.isNaN(a) || a < b;
    return less === (node.keys[i]?.descending === true) ? 1 : -1;
  }
  return 0;
}

/** The first point along the axis with the greatest value; 0 where all are NaN. */
export function argmaxValues(
  node: Node & { kind: 'argmax' },
  shape: readonly number[],
  run: GraphEvaluation,
): Float64Array {
  const operand = run.value(node.operand);
  const length = run.sizeOf(node.axis);
  const stride = stridesOf(operand.shape)[operand.axes.indexOf(node.axis)] ?? noNumber();
  return run.fill(node, shape, [operand], ([o]) => {
    let best = 0;
    let greatest = NaN;
    for (let i = 0; i < length; i++) {
      const value = operand.data[(o ?? noNumber()) + i * stride] ?? noNumber();
      if (Number.isNaN(value)) {
        if (run.poison) return NaN;
        run.errors.push(`%${node.id}: argmax met NaN`);
      } else if (Number.isNaN(greatest) || value > greatest) {
        [best, greatest] = [i, value];
      }
    }
    return best;
  });
}
