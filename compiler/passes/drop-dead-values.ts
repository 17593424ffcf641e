/**
 * drop-dead-values
 *
 * What: drops nodes that no output needs, params, states and controls that nothing reads, calls of externs that nobody
 * waits for, and axes nothing has. Inputs of the entry stay: its signature is fixed.
 * Why: elaboration builds what might be wanted (the rank of every route).
 */
import { get } from '../../dsl/diagnostics/invariants.ts';
import { idOf } from '../../dsl/types/ids.ts';
import type { AxisId, Graph, GraphInputId, FoldId } from '../graph/graph-ir.ts';
import { rewriteGraph } from '../graph/node-uses.ts';
import { inputsOf } from '../graph/outside-tables.ts';
import { definePass } from './pass.ts';

export const dropDeadValues = definePass({
  name: 'drop-dead-values',
  summary: 'drops what no result needs',
  run: (graph) => dropInputs(dropFolds(rewriteGraph(graph, () => null))),
});

/** Bodies of which no result is left. */
function dropFolds(graph: Graph): Graph {
  if (graph.folds.length === 0) return graph;
  const used = new Set(graph.nodes.flatMap((n) => (n.kind === 'fold' ? [n.fold] : [])));
  const kept = graph.folds.flatMap((fold, i) => (used.has(idOf<FoldId>(i)) ? [{ fold, id: idOf<FoldId>(i) }] : []));
  const moved = new Map(kept.map(({ id }, i) => [id, idOf<FoldId>(i)]));
  const nodes = graph.nodes.map((n) => (n.kind === 'fold' ? { ...n, fold: get(moved, n.fold, 'passes: fold') } : n));
  return { ...graph, folds: kept.map(({ fold }) => fold), nodes };
}

function dropInputs(graph: Graph): Graph {
  const used = new Set(graph.nodes.flatMap((n) => (n.kind === 'input' ? [n.input] : [])));
  const kept = inputsOf(graph).filter(([id, input]) => used.has(id) || input.role === 'input');
  const renumbered = new Map(kept.map(([id], i) => [id, idOf<GraphInputId>(i)]));
  const inputs = kept.map(([, input]) => input);
  const nodes = graph.nodes.map((n) =>
    n.kind === 'input' ? { ...n, input: get(renumbered, n.input, 'passes: graph input') } : n,
  );
  const axes = new Set<AxisId>(nodes.flatMap((n) => [...n.axes, ...axesInside(n)]));
  for (const input of inputs)
    for (const a of [...input.axes, ...(input.within === null ? [] : [input.within])]) axes.add(a);
  for (const { axis, body } of graph.folds)
    for (const a of [axis, ...body.nodes.flatMap((n) => [...n.axes, ...axesInside(n)])]) axes.add(a);
  for (const call of graph.externs)
    for (const a of [...call.family, ...call.carried, ...call.mentions, ...call.results.flatMap((r) => r.axes)])
      axes.add(a);
  for (const output of graph.outputs) {
    for (const a of output.kind === 'tensor' ? output.axes : [...output.sources, ...output.targets, ...output.payload])
      axes.add(a);
  }
  return { ...graph, inputs, nodes, axes: new Map([...graph.axes].filter(([id]) => axes.has(id))) };
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
