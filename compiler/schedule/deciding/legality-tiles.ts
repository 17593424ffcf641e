/**
 * What a tile may be: which contractions are tiles at all, how their rows may go, how large a tile may be, and which contractions may be
 * heads of one value. Pure, asked by planning, reading and verifying (legality.ts).
 */
import { SUM_BLOCK } from '../../../dsl/tensors/sum-order.ts';
import { get } from '../../../dsl/diagnostics/invariants.ts';
import { asInteger, multiply } from '../../../dsl/types/size.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Graph, Node, NodeId } from '../../graph/graph-ir.ts';
import { nodeOf } from '../../graph/node-uses.ts';
import type { DeviceClass, Target } from '../../target.ts';
import type { StoredSpace } from '../memory/memory.ts';
import type { Head, TileChoice, TileForm } from './schedule-ir.ts';

type Contraction = Extract<Node, { readonly kind: 'contract' }>;
export type TileRows = TileChoice['rows'];

/** Rows of a block of a list: whole tiles of every class, or of those with small ones. */
export const legalBlockRows: readonly number[] = [16, 8, 4, 32];
/** The largest tile that a thread is asked to compute, each way; and sums that it keeps, of all heads. */
export const LARGEST_TILE = 16;
export const MOST_SUMS = 256;
/** Contractions of one launch at most: each has registers of its own. */
export const MAX_HEADS = 4;
/** Elements of a vector. */
export const LANES = 4;

/** What a contraction is as a tile: its weight has columns that its input lacks. */
export interface TileSides {
  readonly head: Head;
  readonly input: NodeId;
  readonly columns: readonly AxisId[];
}

/** What a tile of some contractions may be. */
export interface TileOptions {
  readonly rows: readonly TileRows[];
  readonly lanes: readonly (1 | 4)[];
  /** Classes that may have forms, if loads go by vectors. */
  readonly classes: readonly DeviceClass[];
}

/** Where values stand that tiles read. */
export type Spaces = ReadonlyMap<NodeId, StoredSpace>;

/** The sides of a contraction that stands there; null: it has no columns of its own. */
export function sidesOf({ graph }: FusedGraph, node: Contraction, space: StoredSpace): TileSides | null {
  const left = nodeOf(graph, node.left);
  const right = nodeOf(graph, node.right);
  const last = space.axes.at(-1);
  if (last === undefined || left.axes.includes(last) === right.axes.includes(last)) return null;
  const [input, weight] = left.axes.includes(last) ? [right, left] : [left, right];
  const columns = lastWhile(space.axes, (a) => weight.axes.includes(a) && !input.axes.includes(a));
  return { head: { node, weight: weight.id }, input: input.id, columns };
}

/** What the tile of one contraction may be. */
export function tileOptions(
  fused: FusedGraph,
  { head, input, columns }: TileSides,
  space: StoredSpace,
  spaces: Spaces,
  target: Target,
): TileOptions {
  const { graph } = fused;
  const weight = nodeOf(graph, head.weight);
  const sides = [nodeOf(graph, input), weight];
  const lanes: readonly (1 | 4)[] = sides.every((side) => loadsVectors(fused, spaces, head.node, side)) ? [LANES, 1] : [1];
  const rows: readonly TileRows[] = [...rowsTogether(head.node, space, columns, weight, spaces), { kind: 'single' }];
  return { rows, lanes, classes: hasWholeVectors(graph, head.node.over) ? target.classes : [] };
} // prettier-ignore

/**
 * The ways in which rows that use the same weights go in blocks. On an assignment list the weight has some target and nothing else
 * of a row; elsewhere it lacks the axes before the columns.
 */
function rowsTogether(
  node: Contraction,
  { assignmentList, axes }: StoredSpace,
  columns: readonly AxisId[],
  weight: Node,
  spaces: Spaces,
): readonly TileRows[] {
  if (node.element === 'i32') return [];
  const before = axes.slice(0, axes.length - columns.length);
  if (assignmentList === null) {
    const rows = lastWhile(before, (a) => !weight.axes.includes(a));
    return rows.length === 0 ? [] : [{ kind: 'dense', groups: before.slice(0, before.length - rows.length), axes: rows }];
  }
  const { targets, form } = assignmentList;
  const ofRow = assignmentList.axes.filter((a) => weight.axes.includes(a));
  const ofGroup = before.length === 0 && ofRow.length > 0 && ofRow.every((a) => targets.includes(a));
  // Slots are in no order: those of one group are no neighbours.
  if (!ofGroup || form.kind === 'slots' || (spaces.get(weight.id)?.assignmentList ?? null) !== null) return [];
  return legalBlockRows.map((blockRows) => ({ kind: 'blocks', blockRows }));
} // prettier-ignore

/** What several contractions may be together. */
export function sharedOptions(all: readonly TileOptions[]): TileOptions {
  return all.reduce((a, b) => ({
    rows: a.rows.filter((rows) => b.rows.some((other) => sameRows(rows, other))),
    lanes: a.lanes.filter((lanes) => b.lanes.includes(lanes)),
    classes: a.classes.filter((own) => b.classes.includes(own)),
  }));
}

export const sameRows = (a: TileRows, b: TileRows): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Subgroups go through a sum by vectors: it has whole blocks of them, or is one line, whose last block may be shorter. */
function hasWholeVectors(graph: Graph, over: readonly AxisId[]): boolean {
  const last = over.at(-1);
  const terms = last === undefined ? null : pointsAlong(graph, [last]);
  return terms !== null && terms > 0 && (over.length === 1 || terms % SUM_BLOCK === 0);
}

/** What is wrong with a tile of contractions that may be `options` together, as a sentence without its end; null if nothing is. */
export function tileFault(choice: TileChoice, options: TileOptions): string | null {
  const { rows, tileRows, tileColumns, lanes, heads, forms } = choice;
  const known = options.rows.find((other) => sameRows(rows, other));
  if (known === undefined) return `rows do not go ${rowsText(rows)} here`;
  if (!options.lanes.includes(lanes)) return `what it reads is not loaded by vectors of ${lanes}`;
  if (heads.length > MAX_HEADS) return `a tile has ${MAX_HEADS} contractions at most, this one ${heads.length}`;
  if (rows.kind === 'single' && tileRows !== 1) return `a row by itself is no tile of ${tileRows} rows`;
  const size = sizeFault(rows, { tileRows, tileColumns, heads: heads.length });
  if (size !== null) return size;
  if (forms.length > 0 && lanes !== LANES) return 'a subgroup has tiles that are loaded by vectors';
  for (const [i, form] of forms.entries()) {
    const fault = formFault(form, rows, heads.length, options);
    if (fault !== null) return fault;
    if (forms.slice(0, i).some((other) => other.class.name === form.class.name))
      return `it has two tiles for ${form.class.name}`;
  }
  return null;
}

function formFault(form: TileForm, rows: TileRows, heads: number, { classes }: TileOptions): string | null {
  const { class: own, tileRows, tileColumns } = form;
  if (!classes.some(({ name }) => name === own.name)) return `${own.name} has no tile of this sum`;
  if (rows.kind === 'single' && tileRows !== 1) return `${own.name}: a row by itself is no tile of ${tileRows} rows`;
  const size = sizeFault(rows, { tileRows, tileColumns, heads });
  return size === null ? null : `${own.name}: ${size}`;
}

interface TileSize {
  readonly tileRows: number;
  readonly tileColumns: number;
  readonly heads: number;
}

function sizeFault(rows: TileRows, { tileRows, tileColumns, heads }: TileSize): string | null {
  if (![tileRows, tileColumns].every((n) => Number.isInteger(n) && n >= 1 && n <= LARGEST_TILE))
    return `a tile has 1 to ${LARGEST_TILE} rows and columns, this one ${tileRows} x ${tileColumns}`;
  if (tileRows * tileColumns * heads > MOST_SUMS)
    return `a thread keeps ${MOST_SUMS} sums at most, and ${tileRows} x ${tileColumns} of ${heads} are more`;
  if (rows.kind === 'blocks' && rows.blockRows % tileRows !== 0)
    return `blocks of ${rows.blockRows} rows are no whole tiles of ${tileRows}`;
  return null;
}

function rowsText(rows: TileRows): string {
  switch (rows.kind) {
    case 'blocks':
      return `in blocks of ${rows.blockRows}`;
    case 'dense':
      return 'in blocks along dense axes';
    case 'single':
      return 'one by one';
  }
}

/** How many points there are along axes; null: a run decides. */
export function pointsAlong({ axes: known }: Graph, axes: readonly AxisId[]): number | null {
  return asInteger(multiply(axes.map((a) => get(known, a, 'schedule: axis').size)));
}

function lastWhile(axes: readonly AxisId[], holds: (axis: AxisId) => boolean): readonly AxisId[] {
  return axes.slice(1 + axes.findLastIndex((a) => !holds(a)));
}

/** Whether a side of a contraction is read by vectors along the last axis of the sum: neighbours in memory, in whole vectors. */
export function loadsVectors(
  fused: FusedGraph,
  spaces: Spaces,
  { over, element }: Pick<Contraction, 'over' | 'element'>,
  side: Node,
): boolean {
  const { graph } = fused;
  const along = over.at(-1);
  if (along === undefined || element === 'i32') return false;
  const from = (node: Node, axis: AxisId): boolean => {
    const size = pointsAlong(graph, [axis]);
    const space = node.kind === 'input' ? node : spaces.get(node.id);
    if (space !== undefined)
      return (node.element === 'f32' || node.element === 'f16') && space.axes.at(-1) === axis && size !== null && size > 0 && size % LANES === 0; // prettier-ignore
    switch (node.kind) {
      case 'rename': {
        const at = node.to.indexOf(axis);
        return from(nodeOf(graph, node.operand), at === -1 ? axis : (node.from[at] ?? axis));
      }
      case 'broadcast':
        return from(nodeOf(graph, node.operand), axis);
      case 'slice':
        return node.axis !== axis && node.as !== axis && from(nodeOf(graph, node.operand), axis);
      default:
        return false;
    }
  };
  return side.axes.includes(along) && from(side, along);
}
