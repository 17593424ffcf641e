/**
 * What orders and greatest points mean, in float64, by definition; see interpret-graph.ts. NaN is below every number, of equal
 * ones the first comes first, and points that are no candidates have no place.
 */
import { at, noNumber } from '../../dsl/diagnostics/invariants.ts';
import type { GraphEvaluation } from './interpret-graph.ts';
import type { AxisId, Node, NodeId } from './graph-ir.ts';
import { count, forEachPoint, inOrder, stridesOf } from './tensor-points.ts';

interface Key {
  readonly node: NodeId;
  readonly descending: boolean;
}

/** What is put in order: candidates by keys along `over`, for each point of `rest`. */
interface Ordering {
  readonly id: NodeId;
  readonly keys: readonly Key[];
  readonly candidates: NodeId | null;
  readonly rest: readonly AxisId[];
  readonly over: readonly AxisId[];
  readonly report: boolean;
}

/** The candidates of a group, the first in order first; null where a poisoned value decides who they are. */
type Ordered = { readonly points: readonly number[]; readonly poisoned: boolean } | null;

/** The place of every candidate in the order of the keys; with `report` the NaN keys of candidates are errors. */
export function sortRanks(node: Node & { kind: 'sort_rank' }, run: GraphEvaluation): Float64Array {
  const rest = node.axes.filter((a) => !node.over.includes(a));
  const axes = [...rest, ...node.over];
  const whole = axes.map((a) => run.sizeOf(a));
  const group = count(node.over.map((a) => run.sizeOf(a)));
  const out = new Float64Array(count(whole));
  for (const [i, ordered] of inGroups({ ...node, rest }, run).entries()) {
    // Nobody may read the rank of a point that is no candidate.
    out.fill(ordered === null || run.poison ? NaN : 0, i * group, (i + 1) * group);
    ordered?.points.forEach((p, rank) => (out[p] = ordered.poisoned ? NaN : rank));
  }
  return inOrder({ axes, shape: whole, data: out }, node.axes);
}

/** The positions of the best candidates, ascending, then -1; with `report` the NaN keys of candidates are errors. */
export function chosenPositions(node: Node & { kind: 'choose' }, run: GraphEvaluation): Float64Array {
  const { key, candidates, over, along } = node;
  const rest = node.axes.filter((a) => a !== along);
  const keys = key === null ? [] : [{ node: key, descending: true }];
  const groups = inGroups({ ...node, keys, candidates, rest, over }, run);
  const lengths = rest.map((a) => run.sizeOf(a));
  const [group, room] = [count(over.map((a) => run.sizeOf(a))), run.sizeOf(along)];
  const counts = node.count === null ? [] : [run.value(node.count)];
  const out = new Float64Array(groups.length * room).fill(-1);
  forEachPoint(rest, lengths, counts.map((c) => c.axes), counts.map((c) => c.shape), (i, [at]) => {
    const ordered = groups[i] ?? null;
    const most = counts[0] === undefined ? room : Math.min(room, counts[0].data[at ?? noNumber()] ?? noNumber());
    if (ordered === null || ordered.poisoned || Number.isNaN(most)) out.fill(NaN, i * room, (i + 1) * room);
    else {
      const best = ordered.points.slice(0, Math.max(0, most)).map((p) => p - i * group);
      best.sort((a, b) => a - b).forEach((position, j) => (out[i * room + j] = position));
    }
  }); // prettier-ignore
  return inOrder({ axes: [...rest, along], shape: [...lengths, room], data: out }, node.axes);
}

/** The candidates of every group in order, groups in the order of `rest`; points are numbered over `rest` and `over`. */
function inGroups(node: Ordering, run: GraphEvaluation): readonly Ordered[] {
  const axes = [...node.rest, ...node.over];
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
  const groups: Ordered[] = [];
  for (let from = 0; from < total; from += group) {
    const points = Array.from({ length: group }, (_, i) => from + i);
    if (points.some((p) => Number.isNaN(candidate[p]))) {
      groups.push(null);
      continue;
    }
    const chosen = points.filter((p) => candidate[p] === 1);
    const bad = chosen.filter((p) => rows[p]?.some(Number.isNaN) === true);
    if (node.report) for (const p of bad) run.errors.push(`%${node.id}: the key is NaN at ${p}`);
    chosen.sort(
      (p, q) => before(node.keys, at(rows, p, 'graph: keys of point'), at(rows, q, 'graph: keys of point')) || p - q,
    );
    groups.push({ points: chosen, poisoned: run.poison && bad.length > 0 });
  }
  // Over an axis without points every group is there, and nobody in it.
  const all = count(node.rest.map((a) => run.sizeOf(a)));
  return group === 0 ? Array.from({ length: all }, () => ({ points: [], poisoned: false })) : groups;
}

function before(keys: readonly Key[], left: readonly number[], right: readonly number[]): number {
  for (let i = 0; i < keys.length; i++) {
    const [a, b] = [left[i] ?? noNumber(), right[i] ?? noNumber()];
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    // NaN is below every number.
    const less = Number.isNaN(a) || a < b;
    return less === (keys[i]?.descending === true) ? 1 : -1;
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
