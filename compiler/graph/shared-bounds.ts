/**
 * Parts of one whole: two sets of points that both lie in a third are together no more than that has. The parts of a
 * selection that was cut (by a condition and its opposite, or into ranges of its axis) are as few as the selection.
 */
import type { GraphBuilder } from './graph-builder.ts';
import { implies, operandsBelow, type NodeLookup } from './implies.ts';
import type { Bound, NodeId } from './graph-ir.ts';

/** Facts about all points where either holds, from what both of them imply; about axes of the two. */
export function boundsBehindBoth(first: NodeId, second: NodeId, b: GraphBuilder): readonly Bound[] {
  const node: NodeLookup = (id) => b.node(id);
  const { axes } = node(first);
  const parts = operandsBelow([first, second], node);
  return b.presences().flatMap((whole): readonly Bound[] => {
    if (!parts.has(whole.id) && !parts.has(whole.mask)) return [];
    if (!whole.axes.every((a) => axes.includes(a))) return [];
    if (!implies(first, whole.id, node) || !implies(second, whole.id, node)) return [];
    const missing = axes.filter((a) => !whole.axes.includes(a));
    return whole.bounds.map(({ per, atMost }) => ({ per: [...per, ...missing], atMost }));
  });
}
