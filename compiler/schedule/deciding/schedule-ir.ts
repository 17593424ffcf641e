/**
 * The schedule: every decision between a graph and its plan, as data. What has memory and over which points, which sets of assignments
 * are listed, which kernel family computes a value with which tile, and in which order all of it happens. Lowering it
 * (emitting/lower-schedule.ts) decides nothing.
 *
 * Invariants (verify-schedule.ts): a step comes after what it reads; everything with memory is computed by exactly one step, every
 * list is made before it is used, every output is returned once.
 */
import type { DeviceClass } from '../../target.ts';
import type { FoldLayout } from './choose-fold.ts';
import type { AxisId, ExternCallId, GraphInputId, Node, NodeId } from '../../graph/graph-ir.ts';
import type { MemoryReason } from '../../graph/memory-reasons.ts';
import type { Slots } from '../../graph/slots.ts';
import type { SoftmaxSum } from '../../graph/softmax.ts';
import type { AssignmentList, StoredSpace } from '../memory/memory.ts';

export interface Schedule {
  readonly entry: string;
  /** Nodes with memory of their own (graph inputs have theirs from outside), and where they are stored. */
  readonly spaces: ReadonlyMap<NodeId, StoredSpace>;
  /** Why each of them has memory: what is between it and its readers. */
  readonly because: ReadonlyMap<NodeId, MemoryReason>;
  /** Nodes a run needs, in id order: outputs, defaults, externs, presences of domains, and all they read. */
  readonly live: readonly NodeId[];
  /** Of these, values that nobody asks: they need no memory, and nothing computes them. */
  readonly unread: ReadonlySet<NodeId>;
  readonly assignmentLists: readonly AssignmentList[];
  readonly steps: readonly ScheduleStep[];
  /**
   * Steps that share the launch of a step before them, by what they compute (`keyOf`): each with that step. Their workgroups stand side by
   * side (kernel/side-by-side.ts).
   */
  readonly beside: ReadonlyMap<NodeId, NodeId>;
}

/** How many neighbours along the last axis of what a step computes one thread computes at once (legality-neighbours.ts). */
export type Neighbours = 1 | 4;

export type ScheduleStep =
  /** Makes an assignment list: its rows counted, scanned, filled; or slots sorted, with its blocks. */
  | { readonly kind: 'rows'; readonly list: AssignmentList }
  /** Cuts the rows of an assignment list into blocks of one group (kernels/row-blocks.ts). */
  | { readonly kind: 'blocks'; readonly list: AssignmentList; readonly blockRows: number }
  /** Makes the list of an assignment list's rows for each key. */
  | { readonly kind: 'index'; readonly shape: IndexShape }
  /** Computes a value into its memory. */
  | {
      readonly kind: 'value';
      readonly choice: Choice;
      readonly space: StoredSpace;
      readonly neighbours: Neighbours;
    }
  /** Computes values that stand on the same rows, one after another. */
  | RowStep
  /** Puts the default of a control where the control is read, unless the run gives it. */
  | { readonly kind: 'default'; readonly input: GraphInputId }
  /** Goes through the steps of a recurrence; all results of it that have memory. */
  | { readonly kind: 'fold'; readonly nodes: readonly NodeId[]; readonly layout: FoldLayout }
  /** Calls the host; all results of the call. */
  | { readonly kind: 'extern'; readonly call: ExternCallId }
  /** Looks at what must hold, at the points of a space. */
  | { readonly kind: 'check'; readonly check: number; readonly space: StoredSpace }
  /** Returns an output: in its own memory where that is possible, else by a copy. */
  | { readonly kind: 'output'; readonly output: number };

/** What a step that may share a launch is known by: a value that it computes. Null of steps that never do. */
export function keyOf(step: ScheduleStep): NodeId | null {
  if (step.kind === 'row') return step.phases[0]?.[0]?.choice.node.id ?? null;
  // The parts of a long value are a launch each.
  return step.kind === 'value' && step.choice.family !== 'concat_parts' ? step.choice.node.id : null;
}

/** The step whose launch a step shares, by its key; null: it has its own. */
export function leaderOf(step: ScheduleStep, { beside }: Pick<Schedule, 'beside'>): NodeId | null {
  const key = keyOf(step);
  return key === null ? null : (beside.get(key) ?? null);
}

/** A list of an assignment list's rows for each key: which rows belong to an output point. */
export interface IndexShape {
  readonly assignmentList: AssignmentList;
  /** Keys are rows of this assignment list (an ancestor), or null. */
  readonly ancestor: AssignmentList | null;
  /** Further axes of the keys. */
  readonly keys: readonly AxisId[];
  /** The axes listed, in the order of the sums. */
  readonly listed: readonly AxisId[];
}

/** The same for lists of the same rows by the same keys: made once. */
export function indexKey({ assignmentList, ancestor, keys, listed }: IndexShape): string {
  return [assignmentList.id, ancestor?.id ?? '', keys.join(), listed.join()].join(';');
}

/** The same for blocks of the same rows: made once. */
export function blocksKey(list: AssignmentList, blockRows: number): string {
  return `${list.id};${blockRows}`;
}

/** Whether a list is made with such blocks of its rows: no step of their own cuts them. */
export function hasBlocks({ form }: AssignmentList, blockRows: number): boolean {
  return form.kind === 'grouped' && form.blockRows === blockRows;
}

type NodeOf<K extends Node['kind']> = Extract<Node, { readonly kind: K }>;

/** Families of a kind of nodes that need nothing but the node. */
type Named = 'scan' | 'argmax' | 'gather' | 'draw' | 'sort_rank';

/** A family with the node it computes: who emits it need not ask again what kind of node that is. */
export type Choice =
  | { readonly family: 'map'; readonly node: Node }
  | { readonly [K in Named]: { readonly family: K; readonly node: NodeOf<K> } }[Named]
  /** `slots`: it is among what was chosen, and goes over that alone. */
  | { readonly family: 'choose'; readonly node: NodeOf<'choose'>; readonly slots: Slots | null }
  | { readonly family: 'choose_long'; readonly node: NodeOf<'choose'> }
  | { readonly family: 'contract'; readonly node: NodeOf<'contract'> }
  | TileChoice
  | OnlineChoice
  | SummedChoice
  | { readonly family: 'reduce'; readonly node: NodeOf<'reduce'> }
  | ListedChoice
  | SlotsChoice
  | { readonly family: 'concat_parts'; readonly node: NodeOf<'concat'> };

/**
 * Values on the same rows, computed by whoever has the row (kernels/row.ts): none of them reads another row of the others. All have the
 * axes of the rows.
 */
export interface RowStep {
  readonly kind: 'row';
  readonly rows: readonly AxisId[];
  /** The list whose rows they are, of which each has its point along the axes of the list; null: rows are all points of their axes. */
  readonly list: AssignmentList | null;
  /** Each reads only what phases before its own compute. */
  readonly phases: readonly (readonly RowMember[])[];
  /** Who does a row on devices of no class. */
  readonly lanes: 'one' | 'group';
  /** Classes on which one thread does, or keeps what the row holds otherwise. */
  readonly forms: readonly DeviceClass[];
  /** Contractions that it came together through and that have launches of their own, where it would not have without them. */
  readonly through: readonly NodeId[];
  /** Neighbouring rows, of rows that are points. */
  readonly neighbours: Neighbours;
}

export interface RowMember {
  readonly choice: RowChoice;
  readonly space: StoredSpace;
  /** The cell it is kept in for those of the row that read it, by number; null: none does. Others take the cell when nobody does any more. */
  readonly cell: number | null;
  /** In memory of its own, for others. */
  readonly stored: boolean;
}

/** Families that have launches of their own: threads share what they compute, or go through more than a row. */
const apartFromRows = ['summed', 'reduce_listed', 'choose_long', 'concat_parts', 'online'] as const;

/** Families that one thread computes at the points of a row. */
export type RowChoice = Exclude<Choice, { readonly family: (typeof apartFromRows)[number] }>;

export function isInRow(choice: Choice): choice is RowChoice {
  return !apartFromRows.some((family) => family === choice.family);
}

/** Families that compute several points at once, or one after another. */
const ofSeveralPoints = ['tile', 'summed', 'scan', 'choose', 'choose_long', 'concat_parts', 'online'] as const;

/** What is computed a point at a time. */
export type PointChoice = Exclude<Choice, { readonly family: (typeof ofSeveralPoints)[number] }>;

/** Whether a family computes a point at a time. */
export function isOfPoints(choice: Choice): choice is PointChoice {
  return !ofSeveralPoints.some((family) => family === choice.family);
}

/** Contractions in blocks of rows and columns, and the value that they are made into where they are (kernels/tile.ts). */
export interface TileChoice {
  readonly family: 'tile';
  /** What is stored: the only head itself, or a value that heads are computed in passing for. */
  readonly node: Node;
  readonly heads: readonly Head[];
  /** The side of every head that has no column. */
  readonly input: NodeId;
  readonly over: readonly AxisId[];
  /**
   * Blocks of the rows of the list that the value is stored on; blocks of the points of `axes`, at each point of `groups`; or one row at a
   * time, whatever the value is stored over.
   */
  readonly rows:
    | { readonly kind: 'blocks'; readonly blockRows: number }
    | { readonly kind: 'dense'; readonly groups: readonly AxisId[]; readonly axes: readonly AxisId[] }
    | { readonly kind: 'single' };
  /** The last axes of the value. */
  readonly columns: readonly AxisId[];
  readonly tileRows: number;
  readonly tileColumns: number;
  /** Elements of a load along the last axis of the sum. */
  readonly lanes: 1 | 4;
  /** Tiles of classes of devices, of a subgroup each (kernels/subgroup-tile.ts). */
  readonly forms: readonly TileForm[];
}

/**
 * Sums along slots with the contractions that they are made of, and contractions at the row itself, in one launch with the value that they
 * are made into (kernels/summed.ts): of few rows, which go one by one.
 */
export interface SummedChoice {
  readonly family: 'summed';
  /** What is stored: the only sum, or a value that is computed in passing of all parts. */
  readonly node: Node;
  readonly parts: readonly SummedPart[];
  /** The last axes of the value, which every head has. */
  readonly columns: readonly AxisId[];
  readonly tileColumns: number;
  /** Of a subgroup each; a row has one. */
  readonly forms: readonly TileForm[];
}

/** Heads with the same input and terms. */
export interface SummedPart extends Pick<TileChoice, 'heads' | 'input' | 'over' | 'lanes'> {
  /** The sum that they are part of, at the points that slots name; null: they are at the row itself. */
  readonly sum: SlotsChoice | null;
}

/** What a launch computes in passing for what it stores. */
export function insidesOf(choice: Choice): readonly NodeId[] {
  const idsOf = (heads: readonly Head[]): readonly NodeId[] => heads.map(({ node }) => node.id);
  const all =
    choice.family === 'tile'
      ? idsOf(choice.heads)
      : choice.family === 'summed'
        ? choice.parts.flatMap(({ heads, sum }) => [...idsOf(heads), ...(sum === null ? [] : [sum.node.id])])
        : [];
  return all.filter((id) => id !== choice.node.id);
}

export interface TileForm {
  readonly class: DeviceClass;
  readonly tileRows: number;
  /** Of a lane, for each head. */
  readonly tileColumns: number;
}

export interface Head {
  readonly node: NodeOf<'contract'>;
  readonly weight: NodeId;
}

/**
 * A sum of weights of a softmax, by workgroups that go along it once, in blocks of a sum (kernels/online.ts): neither scores nor weights
 * have memory.
 */
export interface OnlineChoice {
  readonly family: 'online';
  /** What is stored. */
  readonly node: SoftmaxSum['node'];
  readonly sum: SoftmaxSum;
  /** Contractions of the scores that are computed at their points. */
  readonly heads: readonly OnlineHead[];
  /** Everything that is computed in it alone: the softmax, its scores, these. */
  readonly inside: readonly NodeId[];
  /** Axes of the rows along which keys or values differ, and those along which they are the same. */
  readonly groups: readonly AxisId[];
  readonly rows: readonly AxisId[];
  /** Axes of the value that weights lack. */
  readonly columns: readonly AxisId[];
  /** Elements of a load of the value, along the last column. */
  readonly lanes: 1 | 4;
  /** Rows that a workgroup has at once. */
  readonly tileRows: number;
  /** Rows of the workgroups of classes of devices, of a subgroup each. */
  readonly forms: readonly OnlineForm[];
}

export interface OnlineForm {
  readonly class: DeviceClass;
  readonly tileRows: number;
}

export interface OnlineHead {
  readonly node: NodeOf<'contract'>;
  /** What a row has of it, and what a key has. */
  readonly input: NodeId;
  readonly weight: NodeId;
  /** Elements of a load along the last axis of the sum. */
  readonly lanes: 1 | 4;
}

export interface ListedChoice {
  readonly family: 'reduce_listed';
  readonly node: NodeOf<'reduce'>;
  readonly index: IndexShape;
  /** The reduced axes the assignment list does not have, looped over at each row. */
  readonly dense: readonly AxisId[];
  readonly value: NodeId;
}

/** A reduction of what counts where a presence holds, at the points that the presence's slots name. */
export interface SlotsChoice {
  readonly family: 'reduce_slots';
  readonly node: NodeOf<'reduce'>;
  readonly slots: Slots;
  readonly presence: NodeId;
  /** The reduced axes that no slot names, looped over at each point. */
  readonly dense: readonly AxisId[];
  readonly value: NodeId;
}
