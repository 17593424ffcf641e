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
import type { FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Node, NodeId } from '../../graph/graph-ir.ts';
import { givenMemory, type MemoryReason } from '../../graph/memory-reasons.ts';
import { loopAxes } from '../../graph/moved-axes.ts';
import { nodeOf, nodesOfCheck, operandsOf, writtenNodes } from '../../graph/node-uses.ts';
import type { DeviceClass, Target } from '../../target.ts';
import type { StoredSpace } from '../memory/memory.ts';
import { dependenciesOf, type Storage } from './choose-storage.ts';
import type { Decider } from './decider.ts';
import {
  LANES, MAX_HEADS, pointsAlong, sharedOptions, sidesOf, tileOptions, type TileOptions, type TileRows,
} from './legality-tiles.ts'; // prettier-ignore
import type { Choice, Head, TileChoice, TileForm } from './schedule-ir.ts';
import { countedIn } from './slots-summed.ts';

type Contraction = Extract<Node, { readonly kind: 'contract' }>;
type TileOf = Omit<TileChoice, 'family' | 'node' | 'heads' | 'tileColumns' | 'forms'>;

/** Rows of a tile, and the columns that a thread computes of each, of all heads together. */
const TILE_ROWS = 4;
const TILE_COLUMNS = 4;
/** Dense rows are cut into blocks where this many columns at least leave enough threads. */
const MANY_COLUMNS = 64;
/** Terms of a sum that loads by vectors are worth their text for. */
const MANY_TERMS = 128;

/** Who chooses tiles, and for which target. */
export interface Choosing {
  readonly target: Target;
  readonly decider: Decider;
}

/** The tile that a contraction is by itself; null: it has no columns. */
export function chooseTile(
  fused: FusedGraph,
  node: Contraction,
  space: StoredSpace,
  storage: Storage,
  { target, decider }: Choosing,
): TileChoice | null {
  const found = tileOf(fused, node, space, storage, { target, decider });
  return found === null ? null : withHeads(fused, node, [found], { target, decider });
}

function withHeads(
  { graph }: FusedGraph,
  node: Node,
  found: readonly [FoundTile, ...FoundTile[]],
  { target, decider }: Choosing,
): TileChoice {
  const [{ tile }] = found;
  const options = sharedOptions(found.map((own) => own.options));
  const tileColumns = Math.max(1, Math.floor(TILE_COLUMNS / found.length));
  const width = pointsAlong(graph, tile.columns);
  // Few rows go one by one on every device; of many, those that do are worth no subgroup.
  const isRow = tile.rows.kind === 'single';
  const hasForms = tile.lanes === LANES && (!isRow || decider.regime === 'few');
  const terms = pointsAlong(graph, tile.over);
  const isWorthIt = ({ tile: { fromTimes } }: DeviceClass): boolean =>
    terms === null || width === null || terms * width >= fromTimes * target.tileFrom;
  const forms = hasForms ? options.classes.filter(isWorthIt).map((own) => formOf(own, found.length, width, isRow)) : [];
  const heads = found.map(({ head }) => head);
  return decider.tile({ family: 'tile', node, heads, tileColumns, ...tile, forms }, options);
}

/** The tile of a class; no more columns than there are for all lanes. */
function formOf(own: DeviceClass, heads: number, width: number | null, isRow: boolean): TileForm {
  const { rows, columns } = own.tile;
  // Columns that a run decides are as few as rows, where those are few.
  const most = width === null ? (isRow ? 1 : columns) : Math.max(1, Math.floor(width / own.subgroupSize));
  const tileColumns = Math.min(most, Math.max(1, Math.floor(columns / heads)));
  return { class: own, tileRows: isRow ? 1 : rows, tileColumns };
}

interface FoundTile {
  readonly head: Head;
  /** As costs want it. */
  readonly tile: TileOf;
  readonly options: TileOptions;
}

function tileOf(
  fused: FusedGraph,
  node: Contraction,
  space: StoredSpace,
  storage: Storage,
  { target, decider }: Choosing,
): FoundTile | null {
  const { graph } = fused;
  const sides = sidesOf(fused, node, space);
  if (sides === null) return null;
  const { head, input, columns } = sides;
  const options = tileOptions(fused, sides, space, storage.spaces, target);
  const terms = pointsAlong(graph, node.over);
  const width = pointsAlong(graph, columns);
  const isLarge = terms === null || width === null || terms * width >= target.tileFrom;
  const isLong = isLarge || (terms !== null && terms >= MANY_TERMS);
  const isWorthIt = (rows: TileRows): boolean =>
    rows.kind === 'single' ||
    (rows.kind === 'blocks' ? isLarge : isWorthTiles(fused, { over: node.over, columns }, target));
  const isFew = decider.regime === 'few' && areFewRows(storage, space.axes, columns);
  const rows = (isFew ? undefined : options.rows.find(isWorthIt)) ?? { kind: 'single' };
  const tile: TileOf = {
    input,
    over: node.over,
    columns,
    rows,
    tileRows: rows.kind === 'single' ? 1 : TILE_ROWS,
    lanes: isLong && options.lanes.includes(LANES) ? LANES : 1,
  };
  return { head, tile, options };
}

/** Whether dense rows are cut into blocks. */
export function isWorthTiles({ graph }: FusedGraph, { over, columns }: Pick<TileChoice, 'over' | 'columns'>, target: Target): boolean {
  const [terms, width] = [pointsAlong(graph, over), pointsAlong(graph, columns)];
  return width !== null && width >= MANY_COLUMNS && (terms === null || terms * width >= target.tileFrom);
} // prettier-ignore

/** Whether the rows of a dense value are those that choose, of which there are few (regimes.ts). */
function areFewRows({ assignmentLists }: Storage, axes: readonly AxisId[], columns: readonly AxisId[]): boolean {
  const few = assignmentLists.flatMap(({ form }) => (form.kind === 'slots' ? form.others : []));
  return few.length > 0 && axes.every((a) => few.includes(a) || columns.includes(a));
}

/** Tiles of values, and why contractions that such a value reads are no heads of it. */
export interface Heads {
  readonly tiles: ReadonlyMap<NodeId, TileChoice>;
  readonly refused: ReadonlyMap<NodeId, MemoryReason>;
}

/**
 * The stored values that are computed where their contractions are, each with the tile of its launch. `familyOf`: by which family any other
 * value would be computed. `others`: values that are computed otherwise.
 */
export function chooseHeads(
  fused: FusedGraph,
  storage: Storage,
  choosing: Choosing,
  split: ReadonlySet<NodeId>,
  familyOf: (node: Node, space: StoredSpace) => Choice['family'],
  others: Pick<ReadonlyMap<NodeId, unknown>, 'has'>,
): Heads {
  const { graph } = fused;
  const { spaces } = storage;
  const { decider } = choosing;
  const inPassing = (id: NodeId): boolean => isInPassing(nodeOf(graph, id), spaces);
  const isOnlyFor = partsOf(fused, storage.live, spaces);
  const depths = depthsOf(fused, storage.live);
  const depthOf = (id: NodeId): number => get(depths, id, 'schedule: depth');
  const refused = new Map<NodeId, MemoryReason>();
  const headsOf = (root: Node, space: StoredSpace): TileChoice | null => {
    const found: FoundTile[] = [];
    const seen = new Set<NodeId>();
    /** Sums that the value alone is made of, a point at a time: it can be computed in their launch instead (merge-rows.ts). */
    const sums: NodeId[] = [];
    const visit = (id: NodeId): void => {
      if (seen.has(id)) return;
      seen.add(id);
      const node = nodeOf(graph, id);
      if (inPassing(id)) operandsOf(graph, node).forEach(visit);
      const own = spaces.get(id);
      if (node.kind === 'reduce' && own !== undefined && sameSpace(own, space) && isOnlyFor(id, root.id)) {
        if (familyOf(node, own) !== 'reduce_listed') sums.push(id);
      }
      if (node.kind !== 'contract' || own === undefined) return;
      const refuse = (reason: MemoryReason['reason'], text: string): void => void refused.set(id, { reason, text });
      if (decider.stored?.has(id) === true) return void refused.set(id, givenMemory);
      if (split.has(id)) return refuse('bindings', `with it %${root.id} would bind too many buffers`);
      if (!sameSpace(own, space)) return refuse('grid', `%${root.id} reads it at other points than its own`);
      if (!isOnlyFor(id, root.id)) return refuse('grid', `others than %${root.id} read it, or at other points`);
      const tile = tileOf(fused, node, own, storage, choosing);
      if (tile === null) refuse('kernel', 'it has no columns of its own, and a tile is rows by columns');
      else found.push(tile);
    };
    operandsOf(graph, root).forEach(visit);
    // The head that is there last: who waits for it waits for no other.
    const [first] = found.toSorted((a, b) => depthOf(b.head.node.id) - depthOf(a.head.node.id));
    if (first === undefined) return null;
    const later = sums.find((id) => depthOf(id) > depthOf(first.head.node.id));
    if (later !== undefined && decider.stored === null) {
      const text = `%${root.id} waits for %${later} and is computed with it, and this need not wait`;
      for (const { head } of found) refused.set(head.node.id, { reason: 'cost', text });
      return null;
    }
    const alike = found.filter(({ tile }) => sameTile(tile, first.tile));
    for (const { head } of found.filter(({ tile }) => !sameTile(tile, first.tile)))
      refused.set(head.node.id, {
        reason: 'kernel',
        text: `%${first.head.node.id} goes with %${root.id}, and this one has another loop`,
      });
    const others = alike.filter((one) => one !== first);
    for (const { head } of others.slice(MAX_HEADS - 1))
      refused.set(head.node.id, { reason: 'registers', text: `%${root.id} has ${MAX_HEADS} contractions beside it` });
    return withHeads(fused, root, [first, ...others.slice(0, MAX_HEADS - 1)], choosing);
  };
  const tiles = new Map(
    [...spaces].flatMap(([id, space]) => {
      const node = nodeOf(graph, id);
      if (others.has(id) || (node.kind !== 'map' && node.kind !== 'predicated')) return [];
      const tile = headsOf(node, space);
      return tile === null ? [] : [[id, tile] as const];
    }),
  );
  return { tiles, refused };
}

/** How many loops one after another each value is behind. Ids ascend, but for defaults of controls, which are behind none. */
function depthsOf(fused: FusedGraph, live: readonly NodeId[]): ReadonlyMap<NodeId, number> {
  const depths = new Map<NodeId, number>();
  for (const id of live) {
    const node = nodeOf(fused.graph, id);
    const below = Math.max(0, ...dependenciesOf(fused, node).map((before) => depths.get(before) ?? 0));
    depths.set(id, below + (loopAxes(node).length > 0 ? 1 : 0));
  }
  return depths;
}

/** Whether a value is computed where its readers are, at their points: what is between a head and what is stored. */
export function isInPassing({ id, kind }: Node, spaces: Pick<ReadonlySet<NodeId>, 'has'>): boolean {
  return !spaces.has(id) && (kind === 'map' || kind === 'predicated');
}

/** Whether all that becomes of a value is part of another one, at the same point. */
export function partsOf(
  fused: FusedGraph,
  live: readonly NodeId[],
  spaces: Pick<ReadonlySet<NodeId>, 'has'>,
): (id: NodeId, root: NodeId) => boolean {
  const readers = readersOf(fused, live);
  const isOnlyFor = (id: NodeId, root: NodeId): boolean => {
    const all = readers.get(id) ?? [];
    return all.length > 0 && all.every((r) => r === root || (r !== null && isInPassing(nodeOf(fused.graph, r), spaces) && isOnlyFor(r, root)));
  };
  return isOnlyFor;
} // prettier-ignore

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
    // Who sums what counts somewhere reads that itself, beside what it is elsewhere.
    const operands = new Set([...operandsOf(graph, node), ...countedIn(fused, node)]);
    for (const operand of operands) note(operand, node.kind === 'extern' ? null : id);
    for (const before of dependenciesOf(fused, node)) if (!operands.has(before)) note(before, null);
  }
  for (const id of [...writtenNodes(graph), ...graph.checks.flatMap(nodesOfCheck)]) note(id, null);
  return readers;
}

export function sameSpace(a: StoredSpace, b: StoredSpace): boolean {
  return a.assignmentList === b.assignmentList && a.axes.join() === b.axes.join();
}

function sameTile(a: TileOf, b: TileOf): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
