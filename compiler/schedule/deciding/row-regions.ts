/**
 * Regions: values that come together to a row (merge-rows.ts), on which rows they stand, and what they may take of a launch.
 *
 * A value that does not stand on the rows can be of a region all the same, if it is made of what a run is given: a row computes it for itself,
 * and no launch before it has to. Norms of a router's weights, or the heat of a softmax, are such.
 */
import type { FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Graph, NodeId } from '../../graph/graph-ir.ts';
import { loopAxes } from '../../graph/moved-axes.ts';
import type { DeviceClass, Target } from '../../target.ts';
import type { AssignmentList, StoredSpace } from '../memory/memory.ts';
import { hasRoom, hasRoomAlone } from './row-lanes.ts';
import { commonRows, countAlong, isComparedAlone, layoutOf, listOfRows, workOf } from './row-layout.ts';
import { isGiven, type Reads } from './row-reads.ts';
import type { RowChoice, RowStep } from './schedule-ir.ts';

/** Operations that whoever has a row does alone, at most: the scores of a large router. */
const MOST_WORK = 2 ** 21;
/** The same where there are surely fewer rows than this: a workgroup has each, and most of a device has nothing to do meanwhile. */
const [FEW_ROWS, MOST_WORK_OF_FEW] = [64, 2 ** 16];

/** Of the work of a row, a part of so many may be what each row computes for itself although it is the same for all: it saves a launch. */
const REPEATED_OF = 4;

/** A value that may be part of a row. */
export interface Candidate {
  readonly index: number;
  /** The step behind which it may be computed: its own, or an earlier one whose row it was drawn into. */
  readonly place: number;
  readonly choice: RowChoice;
  readonly space: StoredSpace;
  readonly reads: Reads;
  readonly axes: readonly AxisId[];
}

export interface Region {
  readonly members: readonly Candidate[];
  readonly rows: readonly AxisId[];
  /** Members that do not stand on the rows: each row computes them for itself. */
  readonly repeated: ReadonlySet<NodeId>;
}

export interface SettledRegion extends Region {
  readonly through: readonly NodeId[];
}

/** A value by itself. */
export const alone = (candidate: Candidate): Region => ({
  members: [candidate],
  rows: candidate.axes,
  repeated: new Set(),
});

/** The rows of values some of which each row computes for itself: those do not stand on them. */
export const rowsOf = (members: readonly Candidate[], repeated: ReadonlySet<NodeId>): readonly AxisId[] =>
  commonRows(members.filter(({ choice }) => !repeated.has(choice.node.id)));

/** The list whose rows those of a region are; null: they are points. */
export function listOf({ members }: Pick<Region, 'members'>): AssignmentList | null {
  const [first] = members;
  return first === undefined ? null : listOfRows(first.space);
}

/** Whether all members stand on rows of the same list, if one does: what stands elsewhere is no value of such a row. */
export function isOnOneList(region: Pick<Region, 'members' | 'rows'>): boolean {
  const list = listOf(region);
  if (region.members.some(({ space }) => listOfRows(space) !== list)) return false;
  return list === null || list.axes.every((a) => region.rows.includes(a));
}

/**
 * Whether each row may compute for itself what a region repeats: it is made of what a run is given, does not go along the rows, and is little
 * work. Who else reads it is known when all rows are.
 */
export function mayRepeat(fused: FusedGraph, region: Region): boolean {
  const { members, repeated, rows } = region;
  const own = members.filter(({ choice }) => repeated.has(choice.node.id));
  if (own.length === members.length || rows.length === 0) return false;
  const isOwn = ({ choice: { node } }: Candidate): boolean =>
    !isComparedAlone(node) &&
    [...node.axes, ...loopAxes(node)].every((a) => !rows.includes(a)) &&
    fused.graph.checks.every((check) => check.kind !== 'numbers' || check.node !== node.id);
  if (!isOfGiven(fused, { members: own }) || !own.every(isOwn)) return false;
  const [again, all] = [workOf(fused.graph, { members: own, rows }), workOf(fused.graph, region)];
  return again !== null && all !== null && again * REPEATED_OF <= all;
}

/** Whether all that values read is given by a run, or is another one of them. */
export function isOfGiven(fused: FusedGraph, { members }: Pick<Region, 'members'>): boolean {
  const own = new Set(members.map(({ choice }) => choice.node.id));
  return members.every(({ reads }) => [...reads.all].every((id) => own.has(id) || isGiven(fused, id)));
}

/** Whether a workgroup has room for what a region holds, and who has a row does not do too much. */
export function fitsWorkgroup({ graph }: FusedGraph, { limits }: Target, region: Omit<Region, 'repeated'>): boolean {
  const { words } = layoutOf(graph, region);
  const work = workOf(graph, region);
  const most = hasFewRows(graph, region) ? MOST_WORK_OF_FEW : MOST_WORK;
  return words !== null && hasRoom(words, limits.maxComputeWorkgroupStorageSize) && work !== null && work <= most;
}

/** Whether a device is not full of so many rows. */
export function hasFewRows(graph: Graph, { rows }: Pick<Region, 'rows'>): boolean {
  const count = countAlong(graph, rows);
  return count !== null && count < FEW_ROWS;
}

/** Classes on which a row is computed otherwise: by one thread instead of a workgroup, or with arrays of its own. */
export function formsOf(
  graph: Graph,
  region: Region,
  lanes: RowStep['lanes'],
  { limits, classes }: Target,
): readonly DeviceClass[] {
  if (lanes === 'group' && hasFewRows(graph, region)) return [];
  const { words, cellOf } = layoutOf(graph, region);
  const all = words ?? Infinity;
  // A cell of one number is a register.
  const hasArrays = all > new Set(cellOf.values()).size;
  return classes.filter(
    (own) =>
      hasRoomAlone(own, all, limits.maxComputeWorkgroupStorageSize) &&
      (lanes === 'group' || (own.threadArrays && hasArrays)),
  );
}

/** A contraction has the columns that a row has, and goes by vectors through memory only. */
export function inRow(graph: Graph, { choice, reads }: Candidate, { rows, members }: Region): RowChoice {
  if (choice.family !== 'tile') return choice;
  const ids = new Set(members.map((member) => member.choice.node.id));
  const columns = choice.columns.filter((a) => !rows.includes(a));
  const tileColumns = Math.max(1, Math.min(choice.tileColumns, countAlong(graph, columns) ?? choice.tileColumns));
  const row: RowChoice = { ...choice, rows: { kind: 'single' }, columns, tileRows: 1, tileColumns, forms: [] };
  return [...reads.of.keys()].some((id) => ids.has(id)) ? { ...row, lanes: 1 } : row;
}
