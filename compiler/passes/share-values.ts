/**
 * share-values
 *
 * What: makes equal operations on equal operands one node, a graph input read in several places one graph input.
 * Why: a chain over layers that share their experts reads the same parameters in every step; two routers of one score
 * compute it once. The builder shares as it builds: building again shares what other passes have made equal.
 * Before: `%4 = silu %3`, `%9 = silu %3`   After: one of them.
 */
import { rewriteGraph } from '../graph/node-uses.ts';
import { definePass } from './pass.ts';

export const shareValues = definePass({
  name: 'share-values',
  summary: 'makes equal values one',
  run: (graph) => rewriteGraph(graph, () => null),
});
