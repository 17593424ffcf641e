/** What the instantiation of folds leaves behind: steps made of placeholders, of which the bodies of the folds are copies. */
import { get } from '../../dsl/diagnostics/invariants.ts';
import type { Graph, GraphInputId } from '../graph/graph-ir.ts';
import { inputsOf } from '../graph/outside-tables.ts';
import { rewriteGraph } from '../graph/node-uses.ts';
import { idOf } from '../../dsl/types/ids.ts';

/** The graph without what nobody reads, and without these inputs; the graph itself if it has none of them. */
export function withoutPlaceholders(graph: Graph, placeholders: ReadonlySet<string>): Graph {
  if (placeholders.size === 0) return graph;
  const live = rewriteGraph(graph, () => null);
  const kept = inputsOf(live).filter(([, { name }]) => !placeholders.has(name));
  const moved = new Map(kept.map(([id], i) => [id, idOf<GraphInputId>(i)]));
  const nodes = live.nodes.map((node) =>
    node.kind === 'input' ? { ...node, input: get(moved, node.input, 'elaborate: input') } : node,
  );
  return { ...live, inputs: kept.map(([, input]) => input), nodes };
}
