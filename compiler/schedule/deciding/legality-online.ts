/**
 * Which sums of a softmax may be computed in one launch that goes along them once (kernels/online.ts), so that neither scores nor weights
 * are stored. Pure, asked by planning, reading and verifying (legality.ts).
 *
 * Legal is it where nobody else looks at the weights or what they are made of (graph/softmax.ts), the sum stands on dense points, and its
 * columns have a size for which a workgroup has room. Scores may be anything: contractions of them that nobody else reads are computed at
 * the point (heads), all else is what it is anywhere.
 */
import { at, missing } from '../../../dsl/diagnostics/invariants.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Graph, Node, NodeId } from '../../graph/graph-ir.ts';
import { liveNodes, nodeOf, operandsOf, outputNodes, usesOf } from '../../graph/node-uses.ts';
import { softmaxSumsIn, type SoftmaxSum } from '../../graph/softmax.ts';
import type { DeviceClass, Target } from '../../target.ts';
import type { StoredSpace } from '../memory/memory.ts';
import { LANES, loadsVectors, pointsAlong, type Spaces } from './legality-tiles.ts';
import type { OnlineChoice, OnlineForm, OnlineHead } from './schedule-ir.ts';

type Contraction = Extract<Node, { readonly kind: 'contract' }>;

/** Rows that a workgroup has at once, those that share keys and values. */
export const legalOnlineRows: readonly number[] = [8, 4, 2, 1];
/** Sums that a thread keeps at most of those that are weighed, without the levels of their tree. */
const MOST_SUMS = 64;
/** Threads of a workgroup that has no class. */
const THREADS = 64;

/** What may be computed online in a graph, by the node that is stored; and how many nodes that are live read each node, outputs too. */
export interface OnlineFacts {
  readonly sums: ReadonlyMap<NodeId, SoftmaxSum>;
  readonly uses: readonly number[];
}

export function onlineFactsOf({ graph }: FusedGraph): OnlineFacts {
  const sums = new Map(softmaxSumsIn(graph).map((sum) => [sum.node.id, sum] as const));
  if (sums.size === 0) return { sums, uses: [] };
  const live = liveNodes(graph);
  const returned = new Set<number>(outputNodes(graph));
  const uses = usesOf(graph).map(
    (users, id) => users.filter((user) => live[user] === true).length + (returned.has(id) ? 1 : 0),
  );
  return { sums, uses };
}

/** How a sum is computed online, without how many rows at once; null: it may not be. `isStored`: what has memory by decision. */
function legalOnline(
  fused: FusedGraph,
  { uses }: OnlineFacts,
  sum: SoftmaxSum,
  space: StoredSpace,
  spaces: Spaces,
  isStored: (id: NodeId) => boolean,
): Omit<OnlineChoice, 'tileRows' | 'forms'> | null {
  const { graph } = fused;
  const { node, over, weights, value } = sum;
  if (space.assignmentList !== null) return null;
  const ofRows = nodeOf(graph, weights).axes;
  const columns = space.axes.filter((a) => !ofRows.includes(a));
  const width = pointsAlong(graph, columns);
  if (width === null || width === 0) return null;
  const inside = insideOf(fused, uses, sum, isStored);
  const heads = [...inside].flatMap((id): readonly OnlineHead[] => {
    const own = nodeOf(graph, id);
    if (own.kind !== 'contract') return [];
    const { input, weight } = sidesOf(graph, own, over) ?? missing('schedule: side of a head', id);
    const byVectors = [input, weight].every((side) => loadsVectors(fused, spaces, own, nodeOf(graph, side)));
    return [{ node: own, input, weight, lanes: byVectors ? LANES : 1 }];
  });
  /** What all rows of a workgroup load once: keys and values. */
  const shared = [...heads.map(({ weight }) => weight), ...(value === null ? [] : [value])];
  const keyed = new Set(shared.flatMap((id) => nodeOf(graph, id).axes));
  const rows = space.axes.filter((a) => !columns.includes(a));
  const last = columns.at(-1);
  const byVectors =
    value !== null && last !== undefined && loadsVectors(fused, spaces, { over: [last], element: 'f32' }, nodeOf(graph, value));
  return {
    family: 'online',
    node,
    sum,
    heads,
    inside: [...inside].toSorted((a, b) => a - b),
    groups: rows.filter((a) => keyed.has(a)),
    rows: rows.filter((a) => !keyed.has(a)),
    columns,
    lanes: byVectors ? LANES : 1,
  };
} // prettier-ignore

/** What is wrong with how many rows a workgroup has, of its threads; null: nothing. */
export function onlineRowsFault(
  { graph }: FusedGraph,
  { columns, lanes, rows }: Pick<OnlineChoice, 'columns' | 'lanes' | 'rows'>,
  tileRows: number,
  threads: number,
): string | null {
  if (!legalOnlineRows.includes(tileRows)) return `a workgroup has ${legalOnlineRows.join(', ')} rows`;
  if (rows.length === 0 && tileRows > 1) return 'no rows share what a workgroup goes along';
  const width = pointsAlong(graph, columns) ?? Infinity;
  const { rowsOfThread, rounds } = onlineShares(width / lanes, tileRows, threads);
  const sums = rowsOfThread * rounds * lanes;
  return sums > MOST_SUMS ? `a thread would keep ${sums} sums, and ${MOST_SUMS} are the most` : null;
}

/** How the threads of a workgroup share so many rows of so many columns (vectors of them). */
export function onlineShares(
  columns: number,
  tileRows: number,
  threads: number,
): {
  /** Groups of threads that have rows of their own, every so manyth; they divide the rows. */
  readonly groups: number;
  readonly rowsOfThread: number;
  /** Columns of a thread, a workgroup's width apart. */
  readonly rounds: number;
} {
  let groups = 1;
  while (groups * 2 <= tileRows && groups * 2 * columns <= threads) groups *= 2;
  return { groups, rowsOfThread: tileRows / groups, rounds: groups > 1 ? 1 : Math.ceil(columns / threads) };
}

/** Every way in which a sum may be computed online, what costs want of them first. */
export function onlineChoices(
  fused: FusedGraph,
  facts: OnlineFacts,
  sum: SoftmaxSum,
  space: StoredSpace,
  spaces: Spaces,
  isStored: (id: NodeId) => boolean,
  target: Target,
): readonly OnlineChoice[] {
  const legal = legalOnline(fused, facts, sum, space, spaces, isStored);
  if (legal === null) return [];
  const fits = (tileRows: number, threads: number): boolean =>
    onlineRowsFault(fused, legal, tileRows, threads) === null;
  /** As many rows as a class wants, or as there is room for. */
  const formOf = (own: DeviceClass): readonly OnlineForm[] => {
    const tileRows = legalOnlineRows.find((rows) => rows <= own.onlineRows && fits(rows, own.subgroupSize));
    return tileRows === undefined ? [] : [{ class: own, tileRows }];
  };
  const forms = target.classes.flatMap(formOf);
  const single = target.classes.flatMap((own): readonly OnlineForm[] =>
    fits(1, own.subgroupSize) ? [{ class: own, tileRows: 1 }] : [],
  );
  const sets = [
    forms,
    ...(forms.every(({ tileRows }) => tileRows === 1) ? [] : [single]),
    ...(forms.length === 0 ? [] : [[]]),
  ];
  return legalOnlineRows
    .filter((tileRows) => fits(tileRows, THREADS))
    .flatMap((tileRows) => sets.map((own): OnlineChoice => ({ ...legal, tileRows, forms: own })));
}

/**
 * What is computed in the launch and nowhere else: the softmax, and of the scores what has all axes of a row and a key, and is read by
 * nobody else.
 */
function insideOf(
  { graph }: FusedGraph,
  uses: OnlineFacts['uses'],
  sum: SoftmaxSum,
  isStored: (id: NodeId) => boolean,
): ReadonlySet<NodeId> {
  const { core, over, weights, node } = sum;
  const points = nodeOf(graph, weights).axes;
  const readers = new Map<NodeId, NodeId[]>();
  const inside = new Set<NodeId>(core);
  const pending = new Set<NodeId>();
  const readsOf = (id: NodeId): void => {
    for (const operand of new Set(operandsOf(graph, nodeOf(graph, id)))) {
      const known = readers.get(operand);
      if (known === undefined) readers.set(operand, [id]);
      else known.push(id);
      if (!inside.has(operand)) pending.add(operand);
    }
  };
  readsOf(node.id);
  for (const id of core) readsOf(id);
  // Who reads a node has a greater number.
  for (;;) {
    const next = [...pending].reduce<NodeId | null>((most, id) => (most === null || id > most ? id : most), null);
    if (next === null) return inside;
    pending.delete(next);
    const own = nodeOf(graph, next);
    const isWhole = points.every((a) => own.axes.includes(a)) && own.axes.every((a) => points.includes(a));
    const isAlone = at(uses, next, 'schedule: uses of a node') === (readers.get(next)?.length ?? 0);
    if (!isWhole || !isAlone || isStored(next)) continue;
    const isHead = own.kind === 'contract' && own.element === 'f32' && sidesOf(graph, own, over) !== null;
    if (own.kind !== 'map' && own.kind !== 'predicated' && !isHead) continue;
    inside.add(next);
    if (own.kind !== 'contract') readsOf(next);
  }
}

/** The sides of a contraction of scores: what a row has of it, and what a key has; null: both go along the keys. */
function sidesOf(
  graph: Graph,
  { left, right }: Contraction,
  over: readonly AxisId[],
): { readonly input: NodeId; readonly weight: NodeId } | null {
  const isKeyed = (id: NodeId): boolean => nodeOf(graph, id).axes.some((a) => over.includes(a));
  if (isKeyed(left) === isKeyed(right)) return null;
  return isKeyed(left) ? { input: right, weight: left } : { input: left, weight: right };
}
