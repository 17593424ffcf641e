/** The rows of a list that are slots (schedule/memory/memory.ts), from the choices that a run has in memory. */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import type { AxisId } from '../graph/graph-ir.ts';
import { namedAxes, slotAxes, type Slots } from '../graph/slots.ts';
import type { AssignmentList, AssignmentListId, SlotForm } from '../schedule/memory/memory.ts';
import type { LaunchEvaluation } from './evaluate.ts';
import { chosen, counted, indexAt, points, type Points } from './point-blocks.ts';
import type { Rows } from './rows.ts';

/** What slots name at points that have their numbers: the indices, and whether they name something (2: rounding could turn it). */
interface Named {
  readonly at: ReadonlyMap<AxisId, Int32Array>;
  readonly is: Uint8Array;
}

/** The points that the slots of a list name, by slot, and which of them are present (2: rounding could turn it). */
export function slotPoints(
  list: AssignmentList,
  { slots, others }: SlotForm,
  evaluation: LaunchEvaluation,
): { readonly total: number; readonly at: ReadonlyMap<AxisId, Int32Array>; readonly is: Uint8Array } {
  const { offsets } = evaluation;
  const axes = [...others, ...slotAxes(slots)];
  const total = offsets.count(axes);
  const numbered = points(total, counted(0, total, axes.map((axis) => ({ axis, length: offsets.length(axis) })))); // prettier-ignore
  const named = namedBy(slots, numbered, evaluation);
  const there = Int32Array.from(named.is.keys()).filter((i) => named.is[i] === 1);
  const at = new Map([...numbered.at, ...named.at].filter(([axis]) => list.axes.includes(axis)));
  const holds = evaluation.holds(list.presences, chosen(points(total, at), there));
  const is = Uint8Array.from(named.is);
  there.forEach((slot, i) => (is[slot] = holds[i] ?? noNumber()));
  return { total, at, is };
}

export function slotRows(list: AssignmentList, form: SlotForm, evaluation: LaunchEvaluation): Rows {
  const { offsets } = evaluation;
  const { total, at, is } = slotPoints(list, form, evaluation);
  const row = Int32Array.from(is.keys()).filter((slot) => is[slot] === 1);
  const present = chosen(points(total, at), row);
  const inverse = new Int32Array(offsets.count([...list.majorAxes, ...list.minorAxes])).fill(-1);
  const columns = [...list.majorAxes, ...list.minorAxes].map((a) => ({ index: indexAt(present, a), length: offsets.length(a) })); // prettier-ignore
  row.forEach((r, i) => {
    const position = columns.reduce((p, { index, length }) => p * length + (index[i] ?? noNumber()), 0);
    inverse[position] = r;
  });
  const above = new Map<AssignmentListId, Int32Array>([[list.id, row]]);
  return {
    assignmentList: list,
    count: row.length,
    inverse,
    at: present.at,
    above,
    entries: new Uint32Array(),
    words: 1,
  };
}

function namedBy(slots: Slots, p: Points, evaluation: LaunchEvaluation): Named {
  const { offsets } = evaluation;
  switch (slots.kind) {
    case 'chosen': {
      const { v, d } = evaluation.value(slots.ids, p);
      const is = Uint8Array.from(v, (id, i) => (d[i] !== 0 ? 2 : id >= 0 ? 1 : 0));
      return { at: digitsOf(Int32Array.from(v, (id) => Math.max(id, 0)), slots.over, evaluation), is }; // prettier-ignore
    }
    case 'picked': {
      const { v, d } = evaluation.value(slots.ids, p);
      const size = offsets.length(slots.axis);
      const is = Uint8Array.from(v, (id, i) => (d[i] !== 0 ? 2 : id >= 0 && id < size ? 1 : 0));
      return { at: new Map([[slots.axis, Int32Array.from(v, (id) => Math.min(Math.max(id, 0), size - 1))]]), is };
    }
    case 'pairs': {
      const first = namedBy(slots.first, p, evaluation);
      const second = namedBy(slots.second, points(p.count, new Map([...p.at, ...first.at])), evaluation);
      return { at: new Map([...first.at, ...second.at]), is: both(first.is, second.is) };
    }
    case 'projected': {
      const { at, is } = namedBy(slots.of, p, evaluation);
      return { at, is: both(is, evaluation.holds([slots.operand], points(p.count, new Map([...p.at, ...at])))) };
    }
    case 'view': {
      const { node, of } = slots;
      const inside = new Map(p.at);
      if (node.kind === 'rename')
        node.from.forEach((a, i) => {
          const index = p.at.get(node.to[i] ?? a);
          if (index !== undefined && !namedAxes(of).includes(a)) inside.set(a, index);
        });
      const within = namedBy(of, points(p.count, inside), evaluation);
      const at = new Map(within.at);
      const column = (axis: AxisId): Int32Array => at.get(axis) ?? indexAt(p, axis);
      if (node.kind === 'rename') {
        const from = new Map([...within.at].map(([a, index]) => [node.to[node.from.indexOf(a)] ?? a, index] as const));
        return { at: from, is: within.is };
      }
      if (node.kind === 'merge') {
        const parts = node.from.map((a) => ({ index: column(a), length: offsets.length(a) }));
        at.set(node.into, Int32Array.from({ length: p.count }, (_, i) =>
          parts.reduce((n, { index, length }) => n * length + (index[i] ?? noNumber()), 0))); // prettier-ignore
      }
      if (node.kind === 'slice' && node.as !== null) {
        const [first, length] = [evaluation.number(node.at), offsets.length(node.as)];
        const index = column(node.axis).map((i) => i - first);
        const inSlice = index.map((i) => Number(i >= 0 && i < length));
        const inside = index.map((i) => Math.min(Math.max(i, 0), length - 1));
        at.set(node.as, inside);
        return { at, is: within.is.map((is, i) => (inSlice[i] === 1 ? is : 0)) };
      }
      if (node.kind === 'split')
        for (const [a, index] of digitsOf(column(node.axis), node.into, evaluation)) at.set(a, index);
      return { at, is: within.is };
    }
  }
}

/** Row-major numbers along axes as indices. */
function digitsOf(
  numbers: Int32Array,
  axes: readonly AxisId[],
  { offsets }: LaunchEvaluation,
): Map<AxisId, Int32Array> {
  let stride = 1;
  const digits = [...axes].reverse().map((axis) => {
    const [below, length] = [stride, offsets.length(axis)];
    stride *= length;
    return [axis, numbers.map((n) => Math.floor(n / below) % length)] as const;
  });
  return new Map(digits);
}

/** Whether both of two hold. */
function both(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((x, i) => (x === 0 || b[i] === 0 ? 0 : Math.max(x, b[i] ?? noNumber())));
}
