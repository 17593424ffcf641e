/** When a reduction need not look at all points: those that count are named (graph/slots.ts). */
import { get } from '../../../dsl/diagnostics/invariants.ts';
import type { Size } from '../../../dsl/types/size.ts';
import { domainOf, type FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Node, NodeId } from '../../graph/graph-ir.ts';
import { nodeOf } from '../../graph/node-uses.ts';
import { compareProducts } from '../../graph/presence-bounds.ts';
import { isDistinct, namedAxes, slotCount, slotsOf, sourcesOf, type Slots } from '../../graph/slots.ts';

type Reduction = Extract<Node, { readonly kind: 'reduce' }>;

/** What a reduction takes where something holds, and nothing elsewhere; a bool of which it asks whether any is true holds itself. */
export function guardedOperand({ graph }: FusedGraph, node: Reduction): Guarded | null {
  const operand = nodeOf(graph, node.operand);
  if (operand.kind === 'predicated')
    return { presence: operand.presence, value: operand.value, otherwise: operand.otherwise };
  if (node.op !== 'any' || operand.element !== 'bool') return null;
  return { presence: operand.id, value: operand.id, otherwise: 0 };
}

/** What a reduction reads if it goes only where its operand counts: not the operand, but what that is there. */
export function countedIn(fused: FusedGraph, node: Node): readonly NodeId[] {
  const operand = node.kind === 'reduce' ? guardedOperand(fused, node) : null;
  return operand === null ? [] : [operand.value, operand.presence];
}

export interface Guarded {
  readonly presence: NodeId;
  readonly value: NodeId;
  readonly otherwise: number;
}

/**
 * The slots of what a reduction sums, if they name axes it goes along, fewer points than there are, from where its result stands or from points
 * that it goes through itself.
 */
export function slotsSummed(fused: FusedGraph, node: Reduction): Slots | null {
  const { graph } = fused;
  const operand = guardedOperand(fused, node);
  if (operand === null) return null;
  const lookup = (id: NodeId): Node => nodeOf(graph, id);
  const sizeOf = (axis: AxisId): Size => get(graph.axes, axis, 'schedule: axis').size;
  // Inside experts values stand on rows of rows: a list of rows names them at once, a point would be looked up router by router.
  const inExperts = domainOf(fused, node.id).presences.some((s) => {
    const around = lookup(s);
    return around.kind === 'presence' && around.targets.length > 0;
  });
  if (inExperts) return null;
  const slots = slotsOf(operand.presence, lookup, sizeOf);
  // A point that is named twice would be counted twice.
  if (slots === null || !isDistinct(slots)) return null;
  const named = namedAxes(slots);
  const others = lookup(operand.presence).axes.filter((a) => !named.includes(a));
  const sources = sourcesOf(slots, lookup);
  const stands = (a: AxisId): boolean => node.axes.includes(a) || (sources.includes(a) && node.over.includes(a));
  const within = named.every((a) => node.over.includes(a)) && others.every(stands);
  const fewer = compareProducts([slotCount(slots, sizeOf)], named.map(sizeOf));
  return within && sources.every(stands) && (fewer === null || fewer < 0) ? slots : null;
}
