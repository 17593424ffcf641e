/**
 * The passes in order, and why each stands where it does; then the two that end the graph: where values are computed
 * (sparsify) and which of them get memory (fuse-elementwise).
 */
import { everywhere, type FusedGraph, type SparseGraph } from '../graph/domains.ts';
import type { Graph, NodeId } from '../graph/graph-ir.ts';
import { verifyFused, verifyGraph, verifySparse } from '../graph/verify-graph.ts';
import { distributeOverConcat } from './distribute-over-concat.ts';
import { dropDeadValues } from './drop-dead-values.ts';
import { foldConstants } from './fold-constants.ts';
import { fuseElementwise } from './fuse-elementwise.ts';
import { runPasses, timed, requested, type Pass, type PassOptions } from './pass.ts';
import { packFoldOperands } from './pack-fold-operands.ts';
import { shareValues } from './share-values.ts';
import { simplifyViews } from './simplify-views.ts';
import { sparsify } from './sparsify.ts';
import { uniteSlots } from './unite-slots.ts';

// prettier-ignore
export const passList: readonly Pass[] = [
  dropDeadValues,        // elaboration builds more than anyone asks for: the rest has less to look at
  foldConstants,         // a mask that is always true would look like a route to everything below
  simplifyViews,         // windows and parts of concats become the part itself, so that unions are seen as such
  distributeOverConcat,  // before sparsify: each part of a union gets an assignment list of its own
  foldConstants,         // parts that are zero, masks of parts that are never chosen
  simplifyViews,         // the views that cutting left behind
  uniteSlots,            // routes are what they will be: lists are written beside what they are lists of
  shareValues,           // what has become equal by then: parameters of shared layers, slices of one presence
  dropDeadValues,        // before sparsify: what nobody reads must not widen a domain
  packFoldOperands,      // last: which results a recurrence has, and which operands are one, is known by now
];

export const sparsifyName = 'sparsify';
export const fuseName = 'fuse-elementwise';

/** All passes by name, in order: what `--skip-pass` and `--print-after` know. */
export const passNames: readonly string[] = [...passList.map((p) => p.name), sparsifyName, fuseName];

export interface OptimiseOptions extends PassOptions {
  /** After sparsify and after fuse-elementwise. */
  readonly afterSparse?: (name: string, sparse: SparseGraph | FusedGraph, time: number) => void;
}

/** From the graph of elaboration to the graph that is scheduled. */
export function optimise(graph: Graph, options: OptimiseOptions = {}): FusedGraph {
  verifyGraph(graph, 'elaborate');
  const dense = runPasses(graph, passList, options);
  const sparse = sparsified(dense, options);
  const { value: fused, time } = timed(options, () => fuseElementwise(sparse));
  if (!requested(fuseName, passList.length + 1, options)) return { ...sparse, materialised: everything(sparse.graph) };
  verifyFused(fused, `pass ${fuseName}`);
  options.afterSparse?.(fuseName, fused, time);
  return fused;
}

function sparsified(graph: Graph, options: OptimiseOptions): SparseGraph {
  if (!requested(sparsifyName, passList.length, options)) {
    return { graph, domains: new Map(graph.nodes.map((n) => [n.id, everywhere])) };
  }
  const { value, time } = timed(options, () => sparsify(graph));
  verifySparse(value, `pass ${sparsifyName}`);
  options.afterSparse?.(sparsifyName, value, time);
  return value;
}

/** Without fusion every value that is not given is stored. */
function everything(graph: Graph): ReadonlySet<NodeId> {
  const given = new Set(['input', 'constant', 'size', 'iota']);
  return new Set(graph.nodes.filter((n) => !given.has(n.kind)).map((n) => n.id));
}
