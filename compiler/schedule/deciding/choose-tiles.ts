/**
 * Tiles: which contractions are computed in blocks of rows and columns (kernels/tile.ts), by how large ones, by vectors or not, and
 * which of them share a launch with the value they are made into.
 *
 * A contraction is a tile if one side, the weight, has its last axes and the other, the input, lacks them: its columns. Rows go in blocks
 * where several use the same weights, else one by one.
 *
 * A contraction is a *head* of a value that is stored over the same space, and is not stored itself, if nobody reads it but what is
 * computed in passing for that value, at the same point. Heads of one launch have the same input, terms and tile.
 */
import { get } from '../../../dsl/diagnostics/invariants.ts';
import { SUM_BLOCK } from '../../../dsl/tensors/sum-order.ts';
import { asInteger, multiply } from '../../../dsl/types/size.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Graph, Node, NodeId } from '../../graph/graph-ir.ts';
import type { MemoryReason } from '../../graph/memory-reasons.ts';
import { nodeOf, nodesOfCheck, operandsOf, writtenNodes } from '../../graph/node-uses.ts';
import type { DeviceClass, Target } from '../../target.ts';
import type { StoredSpace } from '../memory/memory.ts';
import { dependenciesOf, type Storage } from './choose-storage.ts';
import type { Head, TileChoice, TileForm } from './schedule-ir.ts';

type Contraction = Extract<Node, { readonly kind: 'contract' }>;
type TileOf = Omit<TileChoice, 'family' | 'node' | 'heads' | 'tileColumns' | 'forms'>;

/** Rows of a tile, and the columns that a thread computes of each, of all heads together. */
const TILE_ROWS = 4;
const TILE_COLUMNS = 4;
/** Rows of a block of an assignment list: so many that no tile of a class has more. */
const BLOCK_ROWS = 16;
/** Dense rows are cut into blocks where this many columns at least leave enough threads. */
const MANY_COLUMNS = 64;
/** Terms of a sum that loads by vectors are worth their text for. */
const MANY_TERMS = 128;
/** Contractions of one launch at most: each has registers of its own. */
const MAX_HEADS = 4;
/** Elements of a vector. */
const LANES = 4;

/** The tile that a contraction is by itself; null: it has no columns. */
export function chooseTile(
  fused: FusedGraph,
  node: Contraction,
  space: StoredSpace,
  storage: Storage,
  target: Target,
): TileChoice | null {
  const found = tileOf(fused, node, space, storage, target);
  return found === null ? null : withHeads(fused, node, [found.head], found.tile, target);
}

function withHeads(
  { graph }: FusedGraph,
  node: Node,
  heads: readonly Head[],
  tile: TileOf,
  target: Target,
): TileChoice {
  const tileColumns = Math.max(1, Math.floor(TILE_COLUMNS / heads.length));
  const width = pointsAlong(graph, tile.columns);
  const forms = hasForms(graph, tile) ? target.classes.map((own) => formOf(own, heads.length, width)) : [];
  return { family: 'tile', node, heads, tileColumns, ...tile, forms };
}

/**
 * Whether subgroups can compute a tile: several rows use the same weights, and a sum is loaded by vectors in whole blocks, or is
 * one line of them, whose last block may be shorter.
 */
function hasForms(graph: Graph, { rows, lanes, over }: TileOf): boolean {
  const last = over.at(-1);
  if (rows.kind === 'single' || lanes !== LANES || last === undefined) return false;
  const terms = pointsAlong(graph, [last]);
  return terms !== null && terms > 0 && (over.length === 1 || terms % SUM_BLOCK === 0);
}

/** The tile of a class; no more columns than there are for all lanes. */
function formOf(own: DeviceClass, heads: number, width: number | null): TileForm {
  const { rows, columns, shortRows } = own.tile;
  const most = width === null ? columns : Math.max(1, Math.floor(width / own.subgroupSize));
  const tileColumns = Math.min(most, Math.max(1, Math.floor(columns / heads)));
  return { class: own, tileRows: rows, tileColumns, shortRows };
}

interface FoundTile {
  readonly head: Head;
  readonly tile: TileOf;
}

function tileOf(
  fused: FusedGraph,
  node: Contraction,
  space: StoredSpace,
  storage: Storage,
  target: Target,
): FoundTile | null {
  const { graph } = fused;
  const left = nodeOf(graph, node.left);
  const right = nodeOf(graph, node.right);
  const last = space.axes.at(-1);
  if (last === undefined || left.axes.includes(last) === right.axes.includes(last)) return null;
  const [input, weight] = left.axes.includes(last) ? [right, left] : [left, right];
  const columns = lastWhile(space.axes, (a) => weight.axes.includes(a) && !input.axes.includes(a));
  const terms = pointsAlong(graph, node.over);
  const width = pointsAlong(graph, columns);
  const isLarge = terms === null || width === null || terms * width >= target.tileFrom;
  const blocks = isLarge && node.element !== 'i32' ? blocksOf(space, columns, weight, width, storage) : null;
  const isLong = isLarge || (terms !== null && terms >= MANY_TERMS);
  const vectors = isLong && [input, weight].every((side) => loadsVectors(fused, storage, node, side));
  const tile: TileOf = {
    input: input.id,
    over: node.over,
    columns,
    rows: blocks ?? { kind: 'single' },
    tileRows: blocks === null ? 1 : TILE_ROWS,
    lanes: vectors ? LANES : 1,
  };
  return { head: { node, weight: weight.id }, tile };
}

/**
 * The blocks of rows that use the same weights; null: there are none. On an assignment list the weight has some target and nothing else
 * of a row; elsewhere it lacks the axes before the columns.
 */
function blocksOf(
  { assignmentList, axes }: StoredSpace,
  columns: readonly AxisId[],
  weight: Node,
  width: number | null,
  storage: Storage,
): Exclude<TileChoice['rows'], { readonly kind: 'single' }> | null {
  const before = axes.slice(0, axes.length - columns.length);
  if (assignmentList === null) {
    const rows = lastWhile(before, (a) => !weight.axes.includes(a));
    if (rows.length === 0 || width === null || width < MANY_COLUMNS) return null;
    return { kind: 'dense', groups: before.slice(0, before.length - rows.length), axes: rows };
  }
  const { targets } = assignmentList;
  const ofRow = assignmentList.axes.filter((a) => weight.axes.includes(a));
  const ofGroup = before.length === 0 && ofRow.length > 0 && ofRow.every((a) => targets.includes(a));
  return ofGroup && (storage.spaces.get(weight.id)?.assignmentList ?? null) === null
    ? { kind: 'blocks', blockRows: BLOCK_ROWS }
    : null;
}

/** How many points there are along axes; null: a run decides. */
function pointsAlong({ axes: known }: Graph, axes: readonly AxisId[]): number | null {
  return asInteger(multiply(axes.map((a) => get(known, a, 'schedule: axis').size)));
}

function lastWhile(axes: readonly AxisId[], holds: (axis: AxisId) => boolean): readonly AxisId[] {
  return axes.slice(1 + axes.findLastIndex((a) => !holds(a)));
}

/** Whether a side of a contraction is read by vectors along the last axis of the sum: neighbours in memory, in whole vectors. */
function loadsVectors(fused: FusedGraph, storage: Storage, { over, element }: Contraction, side: Node): boolean {
  const { graph } = fused;
  const along = over.at(-1);
  if (along === undefined || element === 'i32') return false;
  const from = (node: Node, axis: AxisId): boolean => {
    const size = pointsAlong(graph, [axis]);
    const space = node.kind === 'input' ? node : storage.spaces.get(node.id);
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

/** Tiles of values, and why contractions that such a value reads are no heads of it. */
export interface Heads {
  readonly tiles: ReadonlyMap<NodeId, TileChoice>;
  readonly refused: ReadonlyMap<NodeId, MemoryReason>;
}

/** The stored values that are computed where their contractions are, each with the tile of its launch. */
export function chooseHeads(fused: FusedGraph, storage: Storage, target: Target, split: ReadonlySet<NodeId>): Heads {
  const { graph } = fused;
  const { spaces } = storage;
  const readers = readersOf(fused, storage.live);
  const inPassing = (id: NodeId): boolean => {
    const { kind } = nodeOf(graph, id);
    return !spaces.has(id) && (kind === 'map' || kind === 'predicated');
  };
  /** Whether all that becomes of a value is part of another one, at the same point. */
  const isOnlyFor = (id: NodeId, root: NodeId): boolean => {
    const all = readers.get(id) ?? [];
    return all.length > 0 && all.every((r) => r === root || (r !== null && inPassing(r) && isOnlyFor(r, root)));
  };
  const refused = new Map<NodeId, MemoryReason>();
  const headsOf = (root: Node, space: StoredSpace): TileChoice | null => {
    const found: FoundTile[] = [];
    const seen = new Set<NodeId>();
    const visit = (id: NodeId): void => {
      if (seen.has(id)) return;
      seen.add(id);
      const node = nodeOf(graph, id);
      if (inPassing(id)) operandsOf(graph, node).forEach(visit);
      const own = spaces.get(id);
      if (node.kind !== 'contract' || own === undefined) return;
      const refuse = (reason: MemoryReason['reason'], text: string): void => void refused.set(id, { reason, text });
      if (split.has(id)) return refuse('bindings', `with it %${root.id} would bind too many buffers`);
      if (!sameSpace(own, space)) return refuse('grid', `%${root.id} reads it at other points than its own`);
      if (!isOnlyFor(id, root.id)) return refuse('grid', `others than %${root.id} read it, or at other points`);
      const tile = tileOf(fused, node, own, storage, target);
      if (tile === null) refuse('kernel', 'it has no columns of its own, and a tile is rows by columns');
      else found.push(tile);
    };
    operandsOf(graph, root).forEach(visit);
    const [first] = found;
    if (first === undefined) return null;
    const alike = found.filter(({ tile }) => sameTile(tile, first.tile));
    const together = alike.slice(0, MAX_HEADS);
    for (const { head } of found.filter(({ tile }) => !sameTile(tile, first.tile)))
      refused.set(head.node.id, {
        reason: 'kernel',
        text: `%${first.head.node.id} goes with %${root.id}, and this one has another loop`,
      });
    for (const { head } of alike.slice(MAX_HEADS))
      refused.set(head.node.id, { reason: 'registers', text: `%${root.id} has ${MAX_HEADS} contractions beside it` });
    return withHeads(fused, root, together.map(({ head }) => head), first.tile, target); // prettier-ignore
  };
  const tiles = new Map(
    [...spaces].flatMap(([id, space]) => {
      const node = nodeOf(graph, id);
      if (node.kind !== 'map' && node.kind !== 'predicated') return [];
      const tile = headsOf(node, space);
      return tile === null ? [] : [[id, tile] as const];
    }),
  );
  return { tiles, refused };
}

/** Who reads a node: other nodes, for what they are and where they are; null stands for the run and its checks. */
function readersOf(fused: FusedGraph, live: readonly NodeId[]): ReadonlyMap<NodeId, readonly (NodeId | null)[]> {
  const { graph } = fused;
  const readers = new Map<NodeId, (NodeId | null)[]>();
  const note = (id: NodeId, reader: NodeId | null): void => {
    const known = readers.get(id);
    if (known === undefined) readers.set(id, [reader]);
    else known.push(reader);
  };
  for (const id of live) {
    const node = nodeOf(graph, id);
    const operands = new Set(operandsOf(graph, node));
    for (const operand of operands) note(operand, node.kind === 'extern' ? null : id);
    for (const before of dependenciesOf(fused, node)) if (!operands.has(before)) note(before, null);
  }
  for (const id of [...writtenNodes(graph), ...graph.checks.flatMap(nodesOfCheck)]) note(id, null);
  return readers;
}

function sameSpace(a: StoredSpace, b: StoredSpace): boolean {
  return a.assignmentList === b.assignmentList && a.axes.join() === b.axes.join();
}

function sameTile(a: TileOf, b: TileOf): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
