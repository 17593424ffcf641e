/**
 * Which readings of variables a graph is made of. Instantiation reads whatever a body names, in the order of the text; what nothing is
 * made of (a `let` that nobody reads, the half of a tuple) needs no weights.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import type { VariableRead } from '../../dsl/meaning/variable-reader.ts';
import type { Graph, Node, NodeId } from '../graph/graph-ir.ts';
import { nodeOf, nodesOfCheck, nodesOfOutput, operandsOf } from '../graph/node-uses.ts';
import type { GraphTensor } from './lowering-context.ts';

/** The readings that the outputs and checks of a graph depend on, in their order. */
export function liveReads(
  graph: Graph,
  reads: readonly VariableRead<GraphTensor>[],
): readonly VariableRead<GraphTensor>[] {
  const read = new Set(reads.map(({ value }) => value.node));
  const live = new Set<NodeId>();
  const open = [...graph.outputs.flatMap(nodesOfOutput), ...graph.checks.flatMap(nodesOfCheck)];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (live.has(id)) continue;
    live.add(id);
    const node = nodeOf(graph, id);
    // A reading is of its own members: the graph input below it, which stands for all of them, is not read as a whole by it.
    if (!read.has(id)) open.push(...operandsOf(graph, node));
    const defaultNode = defaultOf(graph, node);
    if (defaultNode !== null) open.push(defaultNode);
  }
  return reads.filter(({ value }) => live.has(value.node));
}

/** The default of the control that a node is, or is a part of. */
function defaultOf(graph: Graph, node: Node): NodeId | null {
  let below = node;
  while (below.kind === 'slice' || below.kind === 'rename') below = nodeOf(graph, below.operand);
  return below.kind === 'input' ? at(graph.inputs, below.input, 'elaborate: input').default : null;
}
