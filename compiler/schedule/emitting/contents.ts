/**
 * What the buffers of a plan hold, in terms of the graph it was made of: what a verifier (compiler/verify/) compares a run with,
 * launch by launch. The plan itself, and what ships, needs none of it.
 *
 * A buffer that has no entry is the run's own (inputs, params, states), or belongs to how a launch works inside (partial sums):
 * then what is made of it is compared.
 */
import type { AxisId, NodeId } from '../../graph/graph-ir.ts';
import type { SoftmaxSum } from '../../graph/softmax.ts';
import type { IndexShape } from '../deciding/schedule-ir.ts';
import type { Id } from '../../../dsl/types/ids.ts';
import type { AssignmentList, StoredSpace } from '../memory/memory.ts';
import type { BufferId } from '../memory/plan.ts';

/** A compaction of a plan: its place in `Contents.compactions`. */
export type CompactionId = Id<'compaction'>;

export type Content =
  /** A node of the graph, over a space: its own memory. `online`: a sum that was computed with the softmax of its weights. */
  | { readonly kind: 'value'; readonly node: NodeId; readonly space: StoredSpace; readonly online?: SoftmaxSum }
  /** A copy of a node for the host. The node need have no memory of its own: then nobody but the host reads what is here. */
  | { readonly kind: 'copy'; readonly node: NodeId; readonly space: StoredSpace }
  /** What the host computed of a call: taken as it is. */
  | { readonly kind: 'extern'; readonly node: NodeId; readonly space: StoredSpace }
  /** Where all these presences hold, over dense axes. */
  | { readonly kind: 'mask'; readonly presences: readonly NodeId[]; readonly axes: readonly AxisId[] }
  | { readonly kind: 'compaction'; readonly compaction: CompactionId; readonly part: CompactionPart };

export type CompactionPart = 'counts' | 'starts' | 'list' | 'offsets' | 'inverse';

/** An assignment list, or a list of an assignment list's rows by key, with its buffers; see kernels/compaction.ts. */
export interface Compaction {
  readonly what: string;
  readonly of:
    | { readonly kind: 'rows'; readonly assignmentList: AssignmentList }
    | { readonly kind: 'list'; readonly shape: IndexShape };
  /** Null where it is made in one launch. */
  readonly counts: BufferId | null;
  readonly starts: BufferId | null;
  readonly list: BufferId;
  readonly offsets: BufferId;
  readonly inverse: BufferId | null;
}

export interface Contents {
  readonly buffers: ReadonlyMap<BufferId, Content>;
  readonly compactions: readonly Compaction[];
}
