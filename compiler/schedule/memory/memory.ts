/**
 * Where values are stored while a plan is made.
 *
 * A value is stored over a *space*: dense, one element for each point of its axes, row-major; or on an *assignment list*: one row for each
 * present assignment, times the axes that are no support axes. An assignment list is a compaction (kernels/compaction.ts) of the
 * conjunction of presences, over all their axes or, when a presence is itself known on assignments only, over the rows of its parent
 * times the further axes: assignments of assignments.
 *
 * Positions of an assignment list are counted row-major over [new target axes, parent row, new source axes]: rows of one expert are
 * neighbours, in the order of the tokens. Where the points are named by what chose them (graph/slots.ts) no position is asked: the slots
 * are sorted; and where nobody needs the rows of an expert side by side, the rows are the slots themselves: there is nothing to make, and
 * what is absent is a row that nobody reads.
 */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { multiply } from '../../../dsl/types/size.ts';
import type { Size } from '../../../dsl/types/size.ts';
import type { AxisId, Bound, NodeId } from '../../graph/graph-ir.ts';
import { slotAxes, type Slots } from '../../graph/slots.ts';
import { idOf, type Id } from '../../../dsl/types/ids.ts';
import type { AllocationId, BufferId, BufferRole, PlanBuffer, StorageType } from './plan.ts';

/** Counts the assignment lists of a plan. */
export type AssignmentListId = Id<'assignment list'>;

/** How the rows of an assignment list come about. */
export type ListForm =
  /** Every position is asked whether it is present; who is gets the next row. */
  | { readonly kind: 'scanned' }
  /**
   * A row for each slot at each point of `others`, row-major over these and the axes of the slots: a row may be absent, and a point
   * that several slots name has several rows, which hold the same. `queue`: what stays away follows from places in queues, which whoever
   * asks counts (emitting/queue-places.ts). Who computes rows does not ask: all who wait have one.
   */
  | {
      readonly kind: 'slots';
      readonly slots: Slots;
      readonly others: readonly AxisId[];
      readonly queue: ListQueue | null;
    }
  /**
   * The slots at the points of `others`, sorted by the major axes by so many threads (kernels/group-slots.ts); the inverse is by
   * slot. `blockRows`: they are cut into blocks of so many rows as well. `queue`: what stays away follows from places in queues, which the
   * same launch counts.
   */
  | {
      readonly kind: 'grouped';
      readonly slots: Slots;
      readonly others: readonly AxisId[];
      readonly threads: number;
      readonly blockRows: number | null;
      readonly queue: ListQueue | null;
    };

/** Queues of slots that name the same target: whether a slot is present follows from its place in its queue. */
export interface ListQueue {
  /** The node that says the place. It has no memory. */
  readonly place: NodeId;
  /** The presence of those who stand in queues: they are what the slots name, or some of it. */
  readonly waiting: NodeId;
  /** Each point of these axes has queues of its own. They are the first of those that slots stand at. */
  readonly groups: readonly AxisId[];
  /** A number for each slot, below `ranks`: lower ones come first, then who comes first; null: who comes first. */
  readonly by: { readonly rank: NodeId; readonly ranks: number } | null;
}

/** The presence that the slots of a list have by their queues: it is had from the rows of the list, and has no other memory. */
export function queuedPresence({ form, presences }: AssignmentList): NodeId | null {
  return form.kind === 'grouped' && form.queue !== null ? (presences[0] ?? null) : null;
}

/** What has to hold where a list has a row: all of the conjunction, or that somebody waits there, whether he is let in or not. */
export function presencesOfRows({ form, presences }: AssignmentList): readonly NodeId[] {
  return form.kind === 'slots' && form.queue !== null ? [form.queue.waiting] : presences;
}

/** A form whose rows, or whose inverse, slots count. */
export type SlotForm = Exclude<ListForm, { readonly kind: 'scanned' }>;

/** Slots that stand in queues. */
export interface QueuedSlots {
  readonly form: SlotForm;
  readonly queue: ListQueue;
}

/** How many slots there are. */
export function slotTotal({ slots, others }: SlotForm, sizeOf: (axis: AxisId) => Size): Size {
  return multiply([...others, ...slotAxes(slots)].map(sizeOf));
}

export interface AssignmentList {
  readonly id: AssignmentListId;
  readonly form: ListForm;
  /** All presences of the conjunction, the parent's included; in id order. */
  readonly presences: readonly NodeId[];
  readonly parent: AssignmentList | null;
  /** The presences the parent does not have. */
  readonly refinedBy: readonly NodeId[];
  /** Axes the parent does not have: targets, then sources. */
  readonly majorAxes: readonly AxisId[];
  readonly minorAxes: readonly AxisId[];
  /** All axes, the parent's included. */
  readonly axes: readonly AxisId[];
  /** All axes rows are grouped by. */
  readonly targets: readonly AxisId[];
  /** Static upper bound of the number of rows. */
  readonly capacity: Size;
  /** How many rows there are at most for each point of some axes. */
  readonly bounds: readonly Bound[];
}

/** A space values are stored over: rows of an assignment list or one, times dense axes. */
export interface StoredSpace {
  readonly assignmentList: AssignmentList | null;
  readonly axes: readonly AxisId[];
}

export function elementsOf(space: StoredSpace, sizeOf: (axis: AxisId) => Size): Size {
  const sizes = space.axes.map(sizeOf);
  return multiply(space.assignmentList === null ? sizes : [space.assignmentList.capacity, ...sizes]);
}

/** Whether `ancestor` is the assignment list itself or one it refines. */
export function descends(list: AssignmentList | null, ancestor: AssignmentList): boolean {
  return list !== null && (list.id === ancestor.id || descends(list.parent, ancestor));
}

/** How many assignment lists a row stands in: its own and those it refines, one after another. */
export function depthOf(list: AssignmentList): number {
  return list.parent === null ? 1 : 1 + depthOf(list.parent);
}

/**
 * Buffers of an assignment list: see kernels/compaction.ts. `indices` has as many words for a row as the assignment list is deep: its position,
 * then those of the rows it was made within, so that one buffer says all of a point however deep routers are nested.
 */
export interface AssignmentListBuffers {
  readonly indices: BufferId;
  readonly inverse: BufferId;
  readonly offsets: BufferId;
}

type Draft = Omit<PlanBuffer, 'role'> & { readonly role: BufferRole | 'scratch' };

/** The buffers of a plan in the making; scratch allocations are given out when all steps are known. */
export class BufferTable {
  readonly #drafts: Draft[] = [];
  readonly #given = new Map<string, BufferId>();

  scratch(label: string, storageType: StorageType, elements: Size): BufferId {
    return this.#add({ label, storageType, elements, role: 'scratch' });
  }

  result(label: string, storageType: StorageType, elements: Size): BufferId {
    return this.#add({ label, storageType, elements, role: { kind: 'result' } });
  }

  /** What the run is given, or the fault words: one buffer for each. */
  given(key: string, draft: PlanBuffer): BufferId {
    const known = this.#given.get(key);
    if (known !== undefined) return known;
    const id = this.#add(draft);
    this.#given.set(key, id);
    return id;
  }

  /** Makes a scratch buffer the buffer of a result. */
  promote(buffer: BufferId, label: string): void {
    const draft = this.at(buffer);
    this.#drafts[buffer] = { ...draft, label, role: { kind: 'result' } };
  }

  /** Sets the final number of elements (of the fault words). */
  resize(buffer: BufferId, elements: Size): void {
    this.#drafts[buffer] = { ...this.at(buffer), elements };
  }

  at(buffer: BufferId): Draft {
    const draft = this.#drafts[buffer];
    if (draft === undefined) throw new CompilerBug('schedule', `no buffer ${buffer}`);
    return draft;
  }

  isScratch(buffer: BufferId): boolean {
    return this.at(buffer).role === 'scratch';
  }

  /** All buffers so far. */
  get ids(): readonly BufferId[] {
    return this.#drafts.map((_, i) => idOf<BufferId>(i));
  }

  /** The buffers with their allocations. */
  finish(allocationOf: (buffer: BufferId) => AllocationId): readonly PlanBuffer[] {
    return this.ids.map((id) => {
      const draft = this.at(id);
      const { role } = draft;
      return { ...draft, role: role === 'scratch' ? { kind: 'scratch', allocation: allocationOf(id) } : role };
    });
  }

  #add(draft: Draft): BufferId {
    return idOf<BufferId>(this.#drafts.push(draft) - 1);
  }
}
