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
 * come after it may be any; what comes before is decided. A point may be among them or not where errors decide whether it is a
 * candidate, or whether as many others as are chosen stand before it.
 */
export function boundChoice(
  node: Pick<Node & { kind: 'choose' }, 'key' | 'candidates' | 'count' | 'over' | 'along'>,
  of: (id: NodeId) => NumbersWithBounds,
  out: NumbersWithBounds,
  places: RowMajorOffsets,
): void {
  const { over, along } = node;
  const others = out.axes.filter((a) => a !== along);
  const loop = [...others, ...over];
  const [n, room] = [places.count(over), places.length(along)];
  const read = (id: NodeId, axes: readonly AxisId[]): ((point: number) => Bounded) => {
    const numbers = of(id);
    const offsets = places.of(axes, numbers.axes);
    return (point) => {
      const at = offsets[point] ?? noNumber();
      return { value: numbers.value[at] ?? noNumber(), delta: numbers.delta[at] ?? noNumber() };
    };
  };
  const key = node.key === null ? () => SAME : read(node.key, loop);
  const candidate = node.candidates === null ? () => CERTAIN : read(node.candidates, loop);
  const limit = node.count === null ? () => ({ value: room, delta: 0 }) : read(node.count, others);
  const to = places.of([...others, along], out.axes);
  for (let group = 0; group < places.count(others); group++) {
    const points = Array.from({ length: n }, (_, i) => ({
      key: key(group * n + i),
      candidate: candidate(group * n + i),
    }));
    const { value: given, delta } = limit(group);
    const most = Math.max(0, Math.min(room, given));
    const { chosen, open } = choiceOf(points, most);
    const first = delta !== 0 ? -1 : open;
    for (let slot = 0; slot < room; slot++) {
      const o = to[group * room + slot] ?? noNumber();
      const position = chosen[slot];
      out.value[o] = position === undefined ? -1 : position;
      out.delta[o] = (position ?? Infinity) >= first && first < Infinity ? n : 0;
    }
  }
}

interface Bounded {
  readonly value: number;
  readonly delta: number;
}

const SAME: Bounded = { value: 0, delta: 0 };
const CERTAIN: Bounded = { value: 1, delta: 0 };

interface Contender {
  readonly key: Bounded;
  readonly candidate: Bounded;
}

/** What is chosen, and the first point that may be chosen or not; Infinity: none. */
function choiceOf(
  points: readonly Contender[],
  most: number,
): { readonly chosen: readonly number[]; readonly open: number } {
  const chosen: number[] = [];
  let open = Infinity;
  points.forEach(({ key, candidate }, p) => {
    const maybe = candidate.delta !== 0;
    if (candidate.value === 0 && !maybe) return;
    // How many others stand before it: by the values, and, whatever the errors are, at least and at most.
    let [before, least, greatest] = [0, 0, 0];
    points.forEach((other, q) => {
      if (q === p || (other.candidate.value === 0 && other.candidate.delta === 0)) return;
      const gap = distance(other.key.value, key.value);
      const slack = other.key.delta + key.delta;
      const decided = !(slack > 0 && Math.abs(gap) <= slack);
      const better = gap === 0 ? q < p : gap > 0;
      if (better && other.candidate.value !== 0) before++;
      if (better && decided && other.candidate.delta === 0) least++;
      if (better || !decided) greatest++;
    });
    if (candidate.value !== 0 && before < most) chosen.push(p);
    const certain = (!maybe && greatest < most) || least >= most;
    if (!certain) open = Math.min(open, p);
  });
  return { chosen, open };
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
