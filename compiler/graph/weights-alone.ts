/**
 * What is made of weights alone, as the square root of a batch norm's variance, may be computed at each point of a product that it scales: beside
 * the terms of the product it is little, and kept in memory it would be a launch that the product waits for.
 */
import { at, get } from '../../dsl/diagnostics/invariants.ts';
import { asInteger } from '../../dsl/types/size.ts';
import type { AxisId, Graph, Node, NodeId } from './graph-ir.ts';
import { operandsOf } from './node-uses.ts';
import { isView } from './node-views.ts';
import { ownCost } from './operation-cost.ts';

/** Of the operations of a product, a part of so many may be what is computed again at each of its points. */
const repeatedOf = 4;

/** Whether a value of weights alone is little beside the product at each point of the value that reads it. */
export function isLittleBesideProduct(graph: Graph, node: Node, reader: Node): boolean {
  if (node.axes.length === 0 || reader.kind !== 'map') return false;
  const cost = costOfWeights(graph, node);
  return cost !== null && cost * repeatedOf <= productAt(graph, reader, reader.axes);
}

/** Operations to compute a point of a value that is made of weights alone; null: it is made of something else, or of many points. */
function costOfWeights(graph: Graph, node: Node): number | null {
  if (node.kind === 'constant') return 0;
  if (node.kind === 'input') {
    const { role } = at(graph.inputs, node.input, 'graph: input');
    return role === 'param' || role === 'state' ? 0 : null;
  }
  if (node.kind !== 'map' && !isView(node)) return null;
  return operandsOf(graph, node).reduce<number | null>((sum, id) => {
    const own = costOfWeights(graph, operandAt(graph, id));
    return sum === null || own === null ? null : sum + own;
  }, ownCost(node));
}

/** Operations of the products that a value is computed with at each of its points, at most of one; where a run decides how many: none. */
function productAt(graph: Graph, node: Node, axes: readonly AxisId[]): number {
  if (!axes.every((a) => node.axes.includes(a))) return 0;
  if (node.kind === 'contract')
    return node.over.reduce((terms, a) => terms * (asInteger(get(graph.axes, a, 'graph: axis').size) ?? 0), 2);
  if (node.kind !== 'map') return 0;
  return Math.max(0, ...operandsOf(graph, node).map((id) => productAt(graph, operandAt(graph, id), axes)));
}

const operandAt = (graph: Graph, id: NodeId): Node => at(graph.nodes, id, 'graph: operand');
