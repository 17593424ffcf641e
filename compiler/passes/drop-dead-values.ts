/**
 * drop-dead-values
 *
 * What: drops nodes that no root needs, params, states and controls that nothing reads, calls of externs that nobody
 * waits for, and axes nothing has. Inputs of the entry stay: its signature is fixed.
 * Why: elaboration builds what might be wanted (the rank of every route).
 */
import { at, get } from '../../dsl/diagnostics/invariants.ts';
import type { AxisId, Graph } from '../graph/graph-ir.ts';
import { rewriteGraph } from '../graph/node-uses.ts';
import { definePass } from './pass.ts';

export const dropDeadValues = definePass({
  name: 'drop-dead-values',
  summary: 'drops what no result needs',
  run: (graph) => dropLeaves(rewriteGraph(graph, () => null)),
});

function dropLeaves(graph: Graph): Graph {
  const used = new Set(graph.nodes.flatMap((n) => (n.kind === 'leaf' ? [n.leaf] : [])));
  const kept = graph.leaves.flatMap((leaf, index) => (used.has(index) || leaf.role === 'input' ? [index] : []));
  const place = new Map(kept.map((index, i) => [index, i]));
  const leaves = kept.map((index) => at(graph.leaves, index, 'passes: leaf'));
  const nodes = graph.nodes.map((n) => (n.kind === 'leaf' ? { ...n, leaf: get(place, n.leaf, 'passes: leaf') } : n));
  const axes = new Set<AxisId>(nodes.flatMap((n) => [...n.axes, ...axesInside(n)]));
  for (const leaf of leaves)
    for (const a of [...leaf.axes, ...(leaf.within === null ? [] : [leaf.within])]) axes.add(a);
  for (const call of graph.externs)
    for (const a of [...call.family, ...call.carried, ...call.mentions, ...call.results.flatMap((r) => r.axes)])
      axes.add(a);
  for (const root of graph.roots) {
    for (const a of root.kind === 'tensor' ? root.axes : [...root.sources, ...root.targets, ...root.payload])
      axes.add(a);
  }
  return { ...graph, leaves, nodes, axes: new Map([...graph.axes].filter(([id]) => axes.has(id))) };
}

/** Axes a node names beyond those it has. */
function axesInside(node: Graph['nodes'][number]): readonly AxisId[] {
  switch (node.kind) {
    case 'contract':
    case 'reduce':
      return node.over;
    case 'argmax':
    case 'gather':
    case 'slice':
    case 'split':
      return [node.axis];
    case 'rename':
    case 'merge':
      return node.from;
    case 'concat':
      return node.parts.flatMap((p) => (p.axis === null ? [] : [p.axis]));
    default:
      return [];
  }
}
