/**
 * Tiles: which contractions are computed in blocks of rows and columns (kernels/tile.ts), by how large ones, by vectors or not, and
 * which of them share a launch with the value they are made into.
 *
 * A contraction is a tile if one side, the input, lacks its columns and the other, the weight, its rows: rows of an assignment list
 * whose targets the weight has, or neighbours along dense axes that the weight lacks.
 *
 * A contraction is a *head* of a value that is stored over the same space, and is not stored itself, if nobody reads it but what is
 * computed in passing for that value, at the same point. Heads of one launch have the same input, terms and tile.
 */
import { asInteger, multiply } from '../../../dsl/types/size.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Node, NodeId } from '../../graph/graph-ir.ts';
import { nodeOf, nodesOfCheck, operandsOf, writtenNodes } from '../../graph/node-uses.ts';
import type { Target } from '../../target.ts';
import type { StoredSpace } from '../memory/memory.ts';
import { dependenciesOf, type Storage } from './choose-storage.ts';
import type { Head, TileChoice } from './schedule-ir.ts';

type Contraction = Extract<Node, { readonly kind: 'contract' }>;
type TileOf = Omit<TileChoice, 'family' | 'node' | 'heads' | 'tileColumns'>;

/** Rows of a block, and the columns that a thread computes of each, of all heads together. */
const TILE_ROWS = 4;
const TILE_COLUMNS = 4;
/** Dense rows are cut into blocks where this many columns at least leave enough threads. */
const MANY_COLUMNS = 64;
/** Terms of a sum that loads by vectors are worth their text for. */
const MANY_TERMS = 128;
/** Contractions of one launch at most: each has registers of its own. */
const MAX_HEADS = 4;
/** Elements of a vector. */
const LANES = 4;

/** The tile that a contraction is by itself; null: it is none. */
export function chooseTile(
  fused: FusedGraph,
  node: Contraction,
  space: StoredSpace,
  storage: Storage,
  target: Target,
): TileChoice | null {
  const found = tileOf(fused, node, space, storage, target);
  return found === null ? null : withHeads(node, [found.head], found.tile);
}

function withHeads(node: Node, heads: readonly Head[], tile: TileOf): TileChoice {
  const tileColumns = Math.max(1, Math.floor(TILE_COLUMNS / heads.length));
  return { family: 'tile', node, heads, tileColumns, ...tile };
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
  const sides = [node.left, node.right].map((id) => nodeOf(fused.graph, id));
  const [left, right] = sides;
  if (left === undefined || right === undefined) return null;
  for (const [input, weight] of [
    [left, right],
    [right, left],
  ] as const) {
    const found =
      space.assignmentList === null
        ? denseTile(fused, node, input, weight, space)
        : listTile(node, input, weight, space, storage);
    if (found === null) continue;
    const large = isLarge(fused, [...node.over, ...found.columns], target);
    const long = large || isLong(fused, node.over);
    const vectors = long && loadsVectors(fused, storage, node, input) && loadsVectors(fused, storage, node, weight);
    const shape = large ? found : byRow(found);
    const tile = { ...shape, input: input.id, over: node.over, lanes: vectors ? LANES : 1 } as const;
    return { head: { node, weight: weight.id }, tile };
  }
  return null;
}

/** Whether a matrix of these axes may be worth a long kernel. */
function isLarge({ graph }: FusedGraph, axes: readonly AxisId[], { tileFrom }: Target): boolean {
  const elements = asInteger(multiply(axes.flatMap((a) => graph.axes.get(a)?.size ?? [])));
  return elements === null || elements >= tileFrom;
}

/** Whether sums have so many terms that loads by vectors are worth their text, also one row at a time. */
function isLong({ graph }: FusedGraph, over: readonly AxisId[]): boolean {
  const terms = asInteger(multiply(over.flatMap((a) => graph.axes.get(a)?.size ?? [])));
  return terms !== null && terms >= MANY_TERMS;
}

/** The tile whose blocks are single rows. */
function byRow(shape: Shape): Shape {
  return { ...shape, rows: shape.rows.kind === 'blocks' ? { kind: 'rows' } : shape.rows, tileRows: 1 };
}

type Shape = Pick<TileOf, 'rows' | 'columns' | 'tileRows'>;

/** Rows of an assignment list: the weight has all columns and some target, and nothing else of a row; the input no column. */
function listTile(
  { element }: Contraction,
  input: Node,
  weight: Node,
  { assignmentList, axes }: StoredSpace,
  storage: Storage,
): Shape | null {
  if (assignmentList === null || axes.length === 0 || element === 'i32') return null;
  const sources = assignmentList.axes.filter((a) => !assignmentList.targets.includes(a));
  const isWeight =
    !weight.axes.some((a) => sources.includes(a)) &&
    axes.every((a) => weight.axes.includes(a)) &&
    weight.axes.some((a) => assignmentList.targets.includes(a)) &&
    (storage.spaces.get(weight.id)?.assignmentList ?? null) === null;
  if (!isWeight || input.axes.some((a) => axes.includes(a))) return null;
  return { rows: { kind: 'blocks' }, columns: axes, tileRows: TILE_ROWS };
}

/** Dense rows: columns are the last axes, which only the weight has; rows of a block those before them, which only the input may. */
function denseTile(
  { graph }: FusedGraph,
  node: Contraction,
  input: Node,
  weight: Node,
  { axes }: StoredSpace,
): Shape | null {
  const columns = lastWhile(axes, (a) => weight.axes.includes(a) && !input.axes.includes(a));
  if (columns.length === 0) return null;
  const before = axes.slice(0, axes.length - columns.length);
  const rows = lastWhile(before, (a) => !weight.axes.includes(a));
  const width = asInteger(multiply(columns.flatMap((a) => graph.axes.get(a)?.size ?? [])));
  const tall = rows.length > 0 && width !== null && width >= MANY_COLUMNS && node.element !== 'i32';
  const groups = before.slice(0, before.length - rows.length);
  return { rows: { kind: 'dense', groups, axes: rows }, columns, tileRows: tall ? TILE_ROWS : 1 };
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
    const size = asInteger(graph.axes.get(axis)?.size ?? multiply([]));
    const space = node.kind === 'input' ? node : storage.spaces.get(node.id);
    if (space !== undefined)
      return (node.element === 'f32' || node.element === 'f16') && space.axes.at(-1) === axis && size !== null && size % LANES === 0; // prettier-ignore
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

/** The stored values that are computed where their contractions are, each with the tile of its launch. */
export function chooseHeads(
  fused: FusedGraph,
  storage: Storage,
  target: Target,
  split: ReadonlySet<NodeId>,
): ReadonlyMap<NodeId, TileChoice> {
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
  const headsOf = (root: Node, space: StoredSpace): TileChoice | null => {
    const found: FoundTile[] = [];
    const seen = new Set<NodeId>();
    const visit = (id: NodeId): void => {
      if (seen.has(id)) return;
      seen.add(id);
      const node = nodeOf(graph, id);
      if (inPassing(id)) operandsOf(graph, node).forEach(visit);
      const own = spaces.get(id);
      if (node.kind !== 'contract' || own === undefined || split.has(id)) return;
      if (!sameSpace(own, space) || !isOnlyFor(id, root.id)) return;
      const tile = tileOf(fused, node, own, storage, target);
      if (tile !== null) found.push(tile);
    };
    operandsOf(graph, root).forEach(visit);
    const [first] = found;
    if (first === undefined) return null;
    const together = found.filter(({ tile }) => sameTile(tile, first.tile)).slice(0, MAX_HEADS);
    return withHeads(root, together.map(({ head }) => head), first.tile); // prettier-ignore
  };
  return new Map(
    [...spaces].flatMap(([id, space]) => {
      const node = nodeOf(graph, id);
      if (node.kind !== 'map' && node.kind !== 'predicated') return [];
      const tile = headsOf(node, space);
      return tile === null ? [] : [[id, tile] as const];
    }),
  );
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
