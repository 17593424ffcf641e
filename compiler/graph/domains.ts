/**
 * Where a value is computed. `sparsify` (passes/sparsify.ts) finds for every node the points at which somebody reads it
 * (SEMANTICS 8.4) and writes them down as a domain: a conjunction of presences, full along every other axis. What
 * stands at other points is never read: a scheduler may compute nothing there, or anything.
 *
 * Invariants of a `SparseGraph` (checked by `verifySparse`):
 * - every node has a domain; each presence in it is a `presence` node whose axes are a subset of the node's axes;
 * - a presence has a smaller id than every node that has it in its domain: computing nodes in id order never meets a
 *   domain that is not known yet;
 * - presences of a domain are in id order. A presence may itself be computed on a domain only (a router inside an
 *   expert); the presences of that domain are then true wherever the ones listed before it are: test them in order,
 *   stopping at the first that is false.
 */
import type { MemoryReason } from './memory-reasons.ts';
import type { Graph, NodeId, Span } from './graph-ir.ts';

/**
 * Why a value over sources and targets of a route is computed everywhere all the same (SEMANTICS 8.6):
 * `a` it reaches a result, a reduction, a softmax or the choice of a route without crossing a route;
 * `b` an operation before that reads all along one of the axes;
 * `c` two uses want different points that do not merge.
 */
export type DenseReason = 'a' | 'b' | 'c';

export interface DenseFallback {
  readonly reason: DenseReason;
  /** A sentence without full stop: "sum over E reads it everywhere". */
  readonly text: string;
  /** The place that caused it. */
  readonly span: Span;
}

export interface Domain {
  /** All true at the points that are computed; empty: everywhere. */
  readonly presences: readonly NodeId[];
  /** Set if the value has a source and a target axis of some route and is computed everywhere. */
  readonly dense: DenseFallback | null;
}

export interface SparseGraph {
  readonly graph: Graph;
  readonly domains: ReadonlyMap<NodeId, Domain>;
}

/** After `fuse-elementwise`: what gets memory. Everything else is computed where it is used. */
export interface FusedGraph extends SparseGraph {
  readonly materialised: ReadonlySet<NodeId>;
  /** Why each of them is; absent where a graph was read or made by hand, and nobody decided. */
  readonly because?: ReadonlyMap<NodeId, MemoryReason>;
}

/** The domain of a value computed at every point, about which there is nothing to say. */
export const everywhere: Domain = { presences: [], dense: null };

/** The domain of a node; `everywhere` for nodes the map does not know. */
export function domainOf(sparse: SparseGraph, node: NodeId): Domain {
  return sparse.domains.get(node) ?? everywhere;
}
