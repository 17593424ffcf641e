/**
 * Regions: values that come together to a row (merge-rows.ts), on which rows they stand, and what they may take of a launch.
 *
 * A value that does not stand on the rows can be of a region all the same, if it is made of what a run is given: a row computes it for itself,
 * and no launch before it has to. Norms of a router's weights, or the heat of a softmax, are such.
 */
import type { FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Graph, NodeId } from '../../graph/graph-ir.ts';
import { loopAxes } from '../../graph/moved-axes.ts';
import type { Target } from '../../target.ts';
import type { StoredSpace } from '../memory/memory.ts';
import { hasRoom } from './row-lanes.ts';
import { commonRows, countAlong, isComparedAlone, layoutOf, workOf } from './row-layout.ts';
import { isGiven, type Reads } from './row-reads.ts';
import type { RowChoice } from './schedule-ir.ts';

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

/** The rows of a region whose members some of them repeat. */
export const rowsOf = (members: readonly Candidate[], repeated: ReadonlySet<NodeId>): readonly AxisId[] =>
  commonRows(members.filter(({ choice }) => !repeated.has(choice.node.id)));

/**
 * Whether each row may compute for itself what a region repeats: it is made of what a run is given, does not go along the rows, and is little
 * work. Who else reads it is known when all rows are.
 */
export function mayRepeat(fused: FusedGraph, region: Region): boolean {
  const { members, repeated, rows } = region;
  const own = members.filter(({ choice }) => repeated.has(choice.node.id));
  if (own.length === members.length || rows.length === 0) return false;
  const isOwn = ({ choice: { node }, reads }: Candidate): boolean =>
    !isComparedAlone(node) &&
    [...node.axes, ...loopAxes(node)].every((a) => !rows.includes(a)) &&
    fused.graph.checks.every((check) => check.kind !== 'numbers' || check.node !== node.id) &&
    [...reads.all].every((id) => repeated.has(id) || isGiven(fused, id));
  if (!own.every(isOwn)) return false;
  const [again, all] = [workOf(fused.graph, { members: own, rows }), workOf(fused.graph, region)];
  return again !== null && all !== null && again * REPEATED_OF <= all;
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
