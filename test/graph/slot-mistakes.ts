/**
 * The fact `slots` (compiler/graph/slots.ts) against the masks themselves: in an interpreted graph, every true point of a mask that
 * has slots is named at its sources, once; of a choice itself, every named point is true; and what a choice goes over is named in
 * order.
 */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import { asInteger, substitute, type Size } from '../../dsl/types/size.ts';
import type { AxisId, Graph, Node, NodeId } from '../../compiler/graph/graph-ir.ts';
import { nodeOf } from '../../compiler/graph/node-uses.ts';
import { isDistinct, namedAxes, slotAxes, slotsAmong, slotsOf, type Slots } from '../../compiler/graph/slots.ts';
import { inOrder, type NodeNumbers } from '../../compiler/graph/tensor-points.ts';

type Point = ReadonlyMap<AxisId, number>;

let checked = 0;
let ordered = 0;

/** True points of masks with slots that have been looked at. */
export const slotsChecked = (): number => checked;

/** Points that choices go over because slots name them. */
export const slotsInOrder = (): number => ordered;

export function slotMistakes(
  graph: Graph,
  values: readonly (NodeNumbers | undefined)[],
  sizes: ReadonlyMap<string, number>,
): readonly string[] {
  const sizeOf = (axis: AxisId): number =>
    asInteger(substitute(graph.axes.get(axis)?.size ?? noNumber(), sizes)) ?? noNumber();
  const lookup = (id: NodeId): Node => nodeOf(graph, id);
  const numberAt = (id: NodeId, point: Point): number => {
    const value = values[id];
    if (value === undefined) throw new Error(`no value %${id}`);
    const offset = value.axes.reduce((at, axis, i) => at * (value.shape[i] ?? 0) + (point.get(axis) ?? noNumber()), 0);
    return value.data[offset] ?? noNumber();
  };
  const mistakes: string[] = [];
  const declared = (axis: AxisId): Size => graph.axes.get(axis)?.size ?? noNumber();
  for (const choice of graph.nodes) {
    const slots = slotsAmong(choice, lookup, declared);
    if (slots === null || choice.kind !== 'choose') continue;
    const sources = choice.axes.filter((a) => a !== choice.along);
    if (choice.candidates !== null && values[choice.candidates]?.data.some(Number.isNaN)) continue;
    eachPoint(sources, sizeOf, (source) => {
      const found: number[] = [];
      eachPoint(slotAxes(slots), sizeOf, (numbers) => {
        const point = namedAt(slots, source, numbers);
        if (point !== null) found.push(choice.over.reduce((p, a) => p * sizeOf(a) + (point.get(a) ?? noNumber()), 0));
      });
      ordered += found.length;
      if (found.some((p, i) => p <= (found[i - 1] ?? -1)))
        mistakes.push(`%${choice.id}: goes over points out of order`);
    });
  }
  for (const node of graph.nodes) {
    if (node.element !== 'bool') continue;
    const slots = slotsOf(node.id, lookup, declared);
    if (slots === null) continue;
    const named = namedAxes(slots);
    const sources = node.axes.filter((a) => !named.includes(a));
    const mask = values[node.id];
    if (mask === undefined) continue;
    const whole = [...inOrder(mask, [...sources, ...named])];
    const size = named.reduce((n, a) => n * sizeOf(a), 1);
    eachPoint(sources, sizeOf, (source, i) => {
      const there = whole.slice(i * size, (i + 1) * size);
      // Where nobody reads a mask it is poisoned.
      if (there.some(Number.isNaN)) return;
      const found: number[] = [];
      eachPoint(slotAxes(slots), sizeOf, (numbers) => {
        const point = namedAt(slots, source, numbers);
        if (point !== null) found.push(named.reduce((at, a) => at * sizeOf(a) + (point.get(a) ?? noNumber()), 0));
      });
      if (isDistinct(slots) && new Set(found).size < found.length) mistakes.push(`%${node.id}: a point is named twice`);
      there.forEach((is, at) => {
        if (is === 1) checked++;
        if (is === 1 && !found.includes(at)) mistakes.push(`%${node.id}: a true point is not named`);
        const isExact = slots.kind === 'chosen' || slots.kind === 'picked';
        if (is === 0 && isExact && slots.mask === node.id && found.includes(at))
          mistakes.push(`%${node.id}: a point is named that was not chosen`);
      });
    });
  }
  return mistakes;

  function namedAt(slots: Slots, source: Point, numbers: Point): Point | null {
    switch (slots.kind) {
      case 'chosen': {
        const id = numberAt(slots.ids, new Map([...source, ...numbers]));
        return id >= 0 ? digits(id, slots.over, source) : null;
      }
      case 'picked': {
        const id = numberAt(slots.ids, source);
        return id >= 0 && id < sizeOf(slots.axis) ? new Map([...source, [slots.axis, id]]) : null;
      }
      case 'pairs': {
        const first = namedAt(slots.first, source, numbers);
        return first === null ? null : namedAt(slots.second, first, numbers);
      }
      case 'projected':
        return namedAt(
          slots.of,
          new Map([...source, ...[...numbers].filter(([a]) => slots.over.includes(a))]),
          numbers,
        );
      case 'view': {
        const { node, of } = slots;
        const inside = new Map(source);
        if (node.kind === 'rename') node.from.forEach((a, i) => inside.set(a, source.get(node.to[i] ?? a) ?? 0));
        const point = namedAt(of, inside, numbers);
        if (point === null) return null;
        const out = new Map([...source, ...[...point].filter(([a]) => namedAxes(of).includes(a))]);
        const at = (axis: AxisId): number => point.get(axis) ?? noNumber();
        if (node.kind === 'rename') node.from.forEach((a, i) => out.set(node.to[i] ?? a, point.get(a) ?? 0));
        if (node.kind === 'merge')
          out.set(
            node.into,
            node.from.reduce((p, a) => p * sizeOf(a) + at(a), 0),
          );
        if (node.kind === 'slice' && node.as !== null) {
          const first = asInteger(substitute(node.at, sizes)) ?? noNumber();
          const index = at(node.axis) - first;
          if (index < 0 || index >= sizeOf(node.as)) return null;
          out.set(node.as, index);
        }
        return node.kind === 'split' ? digits(at(node.axis), node.into, out) : out;
      }
    }
  }

  function digits(position: number, axes: readonly AxisId[], point: Point): Point {
    const found = new Map(point);
    let rest = position;
    for (const axis of [...axes].reverse()) {
      found.set(axis, rest % sizeOf(axis));
      rest = Math.floor(rest / sizeOf(axis));
    }
    return found;
  }
}

/** Every point of some axes, the last innermost, with its number. */
function eachPoint(axes: readonly AxisId[], sizeOf: (a: AxisId) => number, visit: (p: Point, i: number) => void): void {
  const total = axes.reduce((n, a) => n * sizeOf(a), 1);
  for (let i = 0; i < total; i++) {
    const point = new Map<AxisId, number>();
    let rest = i;
    for (const axis of [...axes].reverse()) {
      point.set(axis, rest % sizeOf(axis));
      rest = Math.floor(rest / sizeOf(axis));
    }
    visit(point, i);
  }
}
