/** What an evaluation of a launch asks of the run. */
import type { NodeId } from '../graph/graph-ir.ts';
import type { AssignmentList, StoredSpace } from '../schedule/memory/memory.ts';
import type { Rows } from './rows.ts';

/** Numbers that a run has in memory, over a space. */
export interface Stored {
  readonly space: StoredSpace;
  readonly data: ArrayLike<number>;
}

/** What an evaluation may ask of the run. */
export interface RunMemory {
  /** A node's numbers as they are in memory; null if it is computed where it is used. */
  stored(id: NodeId): Stored | null;
  rows(list: AssignmentList): Rows;
  capacity(list: AssignmentList): number;
}
