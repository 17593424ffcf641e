/** What the instantiation of folds leaves behind: steps made of placeholders, of which the bodies of the folds are copies. */
import type { Graph } from '../graph/graph-ir.ts';
import { rewriteGraph } from '../graph/node-uses.ts';

/** The graph without what nobody reads, if it has folds. */
export function withoutPlaceholders(graph: Graph): Graph {
  return graph.folds.length === 0 ? graph : rewriteGraph(graph, () => null);
}
