/**
 * Error bounds of choices: orders and greatest points. What a device chooses differs from the exact choice only where
 * the errors of the keys reach across their distance. There the choice is *undecided*, and its δ is as large as the
 * choice may be wrong; see error-bound.ts.
 */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import type { AxisId, Node, NodeId } from './graph-ir.ts';
import type { NumbersWithBounds, RowMajorOffsets } from './row-major-offsets.ts';
import { distance } from './scalar-bound.ts';

/** The sort rank of each point of `over`; δ counts the points that may stand on either side of it. */
export function boundOrder(
  node: Pick<Node & { kind: 'sort_rank' }, 'keys' | 'candidates' | 'over'>,
  of: (id: NodeId) => NumbersWithBounds,
  out: NumbersWithBounds,
  offsets: RowMajorOffsets,
): void {
  const keys = node.keys.map((k) => ({ ...of(k.node), sign: k.descending ? -1 : 1 }));
  const candidates = node.candidates === null ? null : of(node.candidates);
  const others = out.axes.filter((a) => !node.over.includes(a));
  const loop = [...others, ...node.over];
  const to = offsets.of(loop, out.axes);
  const from = keys.map((k) => offsets.of(loop, k.axes));
  const chosen = candidates === null ? null : offsets.of(loop, candidates.axes);
  const n = offsets.count(node.over);
  for (let group = 0; group < offsets.count(others); group++) {
    for (let a = 0; a < n; a++) {
      const pa = group * n + a;
      let rank = 0;
      let unsure = 0;
      for (let b = 0; b < n; b++) {
        if (b === a) continue;
        const pb = group * n + b;
        const is =
          candidates === null || chosen === null ? 1 : (candidates.value[chosen[pb] ?? noNumber()] ?? noNumber());
        const maybe = candidates !== null && chosen !== null && candidates.delta[chosen[pb] ?? noNumber()] !== 0;
        if (is === 0 && !maybe) continue;
        let before = b < a;
        let decided = true;
        for (const [k, key] of keys.entries()) {
          const [ia, ib] = [from[k]?.[pa] ?? noNumber(), from[k]?.[pb] ?? noNumber()];
          const [va, vb] = [key.value[ia] ?? noNumber(), key.value[ib] ?? noNumber()];
          const gap = distance(vb, va) * key.sign;
          const slack = (key.delta[ia] ?? noNumber()) + (key.delta[ib] ?? noNumber());
          if (slack > 0 && Math.abs(gap) <= slack) decided = false;
          if (gap !== 0) {
            before = gap < 0;
            break;
          }
        }
        if (before && is !== 0) rank++;
        if (!decided || maybe) unsure++;
      }
      const at = to[pa] ?? noNumber();
      out.value[at] = rank;
      out.delta[at] = unsure;
    }
  }
}

/**
 * The positions of the best of each group, ascending, then -1. Where some point may be among them or not, its position and all that
 * come after it may be any; what comes before is decided.
 */
export function boundChoice(
  node: Pick<Node & { kind: 'choose' }, 'key' | 'candidates' | 'count' | 'over' | 'along'>,
  of: (id: NodeId) => NumbersWithBounds,
  out: NumbersWithBounds,
  places: RowMajorOffsets,
): void {
  const { key, candidates, over, along } = node;
  const others = out.axes.filter((a) => a !== along);
  const loop = [...others, ...over];
  const [n, room] = [places.count(over), places.length(along)];
  const total = places.count(loop);
  const order: NumbersWithBounds = { axes: loop, value: new Float64Array(total), delta: new Float64Array(total) };
  boundOrder({ keys: key === null ? [] : [{ node: key, descending: true }], candidates, over }, of, order, places);
  const among = candidates === null ? null : { ...of(candidates), at: places.of(loop, of(candidates).axes) };
  const limit = node.count === null ? null : { ...of(node.count), at: places.of(others, of(node.count).axes) };
  const scores = key === null ? null : { ...of(key), at: places.of(loop, of(key).axes) };
  /** Whether errors may put one of two points in the other's place. */
  const undecided = (p: number, q: number): boolean => {
    if (scores === null) return false;
    const [a, b] = [scores.at[p] ?? noNumber(), scores.at[q] ?? noNumber()];
    const slack = (scores.delta[a] ?? noNumber()) + (scores.delta[b] ?? noNumber());
    return slack > 0 && Math.abs(distance(scores.value[a] ?? noNumber(), scores.value[b] ?? noNumber())) <= slack;
  };
  const to = places.of([...others, along], out.axes);
  for (let group = 0; group < places.count(others); group++) {
    const given = limit === null ? room : (limit.value[limit.at[group] ?? noNumber()] ?? noNumber());
    const most = Math.max(0, Math.min(room, given));
    const points = Array.from({ length: n }, (_, i) => group * n + i);
    const at = (p: number): number => among?.at[p] ?? noNumber();
    const maybe = (p: number): boolean => among !== null && among.delta[at(p)] !== 0;
    const before = (p: number): boolean => (order.value[p] ?? noNumber()) < most;
    const chosen = points.filter((p) => (among === null || among.value[at(p)] !== 0) && before(p));
    const rest = points.filter((p) => !chosen.includes(p) && (among === null || among.value[at(p)] !== 0 || maybe(p)));
    const open = [
      ...chosen.filter((p) => maybe(p) || rest.some((q) => undecided(p, q))),
      ...rest.filter((q) => (maybe(q) && before(q)) || chosen.some((p) => undecided(p, q))),
    ];
    const counts = limit !== null && limit.delta[limit.at[group] ?? noNumber()] !== 0;
    const first = counts ? -1 : Math.min(...open);
    for (let slot = 0; slot < room; slot++) {
      const o = to[group * room + slot] ?? noNumber();
      const p = chosen[slot];
      out.value[o] = p === undefined ? -1 : p - group * n;
      out.delta[o] = (p ?? Infinity) >= first && first < Infinity ? n : 0;
    }
  }
}

/** The first greatest point; δ is all of the axis where another may be the greatest. */
export function boundArgmax(
  operand: NumbersWithBounds,
  axis: AxisId,
  out: NumbersWithBounds,
  offsets: RowMajorOffsets,
): void {
  const from = offsets.of([...out.axes, axis], operand.axes);
  const n = offsets.length(axis);
  for (let i = 0; i < out.value.length; i++) {
    const at = (k: number): number => from[i * n + k] ?? noNumber();
    const value = (k: number): number => operand.value[at(k)] ?? noNumber();
    const delta = (k: number): number => operand.delta[at(k)] ?? noNumber();
    let best = 0;
    for (let k = 1; k < n; k++) if (distance(value(k), value(best)) > 0) best = k;
    let unsure = 0;
    for (let k = 0; k < n; k++) {
      const slack = delta(best) + delta(k);
      if (k !== best && slack > 0 && distance(value(best), value(k)) <= slack) unsure = n;
    }
    out.value[i] = best;
    out.delta[i] = unsure;
  }
}
