/**
 * share-values
 *
 * What: makes equal operations on equal operands one node, a graph input read in several places one graph input.
 * Why: a chain over layers that share their experts reads the same parameters in every step; two routers of one score
 * compute it once. The builder shares as it builds: building again shares what other passes have made equal. A check goes where one
 * before it fails wherever it does: of a run's faults the first is told. Layers that look up keys and values by one index
 * ask the same of it again and again, and each of these would be a launch.
 * Before: `%4 = silu %3`, `%9 = silu %3`   After: one of them.
 */
import type { Check, Graph } from '../graph/graph-ir.ts';
import { rewriteGraph } from '../graph/node-uses.ts';
import { definePass } from './pass.ts';

export const shareValues = definePass({
  name: 'share-values',
  summary: 'makes equal values one',
  run: (graph) => withoutRepeated(rewriteGraph(graph, () => null)),
});

function withoutRepeated(graph: Graph): Graph {
  const kept: Check[] = [];
  for (const check of graph.checks) if (!kept.some((before) => implies(before, check))) kept.push(check);
  return kept.length === graph.checks.length ? graph : { ...graph, checks: kept };
}

/** Whether a check fails, and counts, in every run in which the other one does. */
function implies(before: Check, other: Check): boolean {
  return (
    before.kind === other.kind &&
    before.node === other.node &&
    before.where.every((presence) => other.where.includes(presence)) &&
    // Results are asked for in every run.
    (before.role === 'result' || before.role === other.role) &&
    before.skipIfGiven.every((control) => other.skipIfGiven.includes(control))
  );
}
