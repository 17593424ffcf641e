/**
 * What a schedule may be: pure functions of the graph and of what is decided before, which planning, reading and verifying all ask. What
 * costs most or least is not said here. Tiles have rules of their own (legality-tiles.ts).
 *
 *   legalSpaces       where a value with memory may stand
 *   legalForms        how the rows of a list may come about
 *   legalChoices      which families may compute a value that is no contraction
 *   legalLayouts      who may go through the steps of a recurrence
 *   tooLong           what takes more than a kernel computes in passing
 */
import { get } from '../../../dsl/diagnostics/invariants.ts';
import { asInteger, multiply, type Size } from '../../../dsl/types/size.ts';
import { domainOf, type FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Graph, Node, NodeId, ReduceOp } from '../../graph/graph-ir.ts';
import { NEG_INF, POS_INF } from '../../graph/infinity.ts';
import { loopAxes } from '../../graph/moved-axes.ts';
import { memoryOf, mostInlined, mostParts } from '../../graph/node-memory.ts';
import { nodeOf, operandsOf } from '../../graph/node-uses.ts';
import { ownCost } from '../../graph/operation-cost.ts';
import { compareProducts } from '../../graph/presence-bounds.ts';
import {
  idsOfSlots, isDistinct, namedAxes, slotAxes, slotsAmong, slotsOfAll, sourcesOf,
} from '../../graph/slots.ts'; // prettier-ignore
import type { Target } from '../../target.ts';
import { descends, type AssignmentList, type ListForm, type ListQueue, type StoredSpace } from '../memory/memory.ts';
import type { FoldLayout } from './choose-fold.ts';
import type { Options } from './decider.ts';
import { legalBlockRows } from './legality-tiles.ts';
import { queueOf } from './queues.ts';
import { hasRoom, LONE_WORDS } from './row-lanes.ts';
import type { PredicateSets } from './predicate-sets.ts';
import type { Choice } from './schedule-ir.ts';
import { guardedOperand, slotsSummed } from './slots-summed.ts';

type NodeOf<K extends Node['kind']> = Extract<Node, { readonly kind: K }>;

// ---------------------------------------------------------------------------------------------------------------- memory

/** Whether a value has to have memory whatever costs say: its kernel needs it, or somebody outside reads it there. */
export function isStoredAnyway(fused: FusedGraph, node: Node): boolean {
  const given = fused.materialised.has(node.id) && fused.because?.get(node.id)?.reason !== 'cost';
  return memoryOf(node) === 'needed' || (given && memoryOf(node) === 'possible');
}

/** The first value that is computed in passing, of those `live`, and takes too much for that; null: there is none. */
export function tooLong(
  { graph }: FusedGraph,
  live: readonly NodeId[],
  isApart: (id: NodeId) => boolean,
): { readonly id: NodeId; readonly operations: number } | null {
  const cost = new Map<NodeId, number>();
  const depth = new Map<NodeId, number>();
  for (const id of live) {
    const node = nodeOf(graph, id);
    if (isApart(id) || node.kind === 'input') continue;
    const operands = [...new Set(operandsOf(graph, node))];
    const inside = operands.reduce((sum, o) => sum + (cost.get(o) ?? 0), ownCost(node));
    const deep = 1 + operands.reduce((most, o) => Math.max(most, depth.get(o) ?? 0), 0);
    if (Math.max(inside, deep) > mostInlined) return { id, operations: Math.max(inside, deep) };
    cost.set(id, inside);
    depth.set(id, deep);
  }
  return null;
}

// ---------------------------------------------------------------------------------------------------------------- spaces

/**
 * The presences of a node's domain an assignment list may be made of: an operation along an axis of theirs (or an extern, whose buffers the
 * host sees) needs the value dense.
 */
export function usablePresences(fused: FusedGraph, node: Node): readonly NodeId[] {
  if (node.kind === 'extern' || node.kind === 'fold' || (node.kind === 'concat' && node.parts.length > mostParts))
    return [];
  const along =
    node.kind === 'contract' ? [] : node.kind === 'reduce' ? chosenFrom(fused.graph, node.over) : loopAxes(node);
  return domainOf(fused, node.id).presences.filter((s) => !nodeOf(fused.graph, s).axes.some((a) => along.includes(a)));
}

/**
 * The axes that groups choose along, of those whose choices stand along one of these. What a point is among them (whether it is
 * chosen, and which) takes as few operations as are chosen: it needs no list of the points that are.
 */
function chosenFrom({ nodes }: Graph, axes: readonly AxisId[]): readonly AxisId[] {
  return nodes.flatMap((node) => (node.kind === 'choose' && axes.includes(node.along) ? node.over : []));
}

/** Whether all an assignment list is made of is computed before a node. */
export function isKnownBefore(assignmentList: AssignmentList, node: Node): boolean {
  const { parent } = assignmentList;
  return assignmentList.presences.every((s) => s < node.id) && (parent === null || isKnownBefore(parent, node));
}

/** Where a node may stand: on the rows of a list that has all points where `presences` hold, the tightest first; or dense. */
export function legalSpaces(
  predicateSets: PredicateSets,
  assignmentLists: readonly AssignmentList[],
  presences: readonly NodeId[],
  node: Node,
): Options<StoredSpace> {
  const dense: StoredSpace = { assignmentList: null, axes: node.axes };
  if (presences.length === 0) return [dense];
  const fits = assignmentLists.filter(
    (r) =>
      isKnownBefore(r, node) &&
      r.axes.every((a) => node.axes.includes(a)) &&
      r.presences.every((s) => predicateSets.holdsUnder(presences, s)),
  );
  const within = (inner: AssignmentList, outer: AssignmentList): boolean =>
    outer.presences.every((s) => predicateSets.holdsUnder(inner.presences, s));
  const tightness = new Map(fits.map((r) => [r, fits.filter((other) => within(r, other)).length] as const));
  const ordered = [...fits].sort((a, b) => get(tightness, b, 'schedule: list') - get(tightness, a, 'schedule: list'));
  const [first, ...others] = ordered.map((list) => ({
    assignmentList: list,
    axes: node.axes.filter((a) => !list.axes.includes(a)),
  }));
  return first === undefined ? [dense] : [first, ...others, dense];
}

// ----------------------------------------------------------------------------------------------------------------- lists

type SlotRows = Extract<ListForm, { readonly kind: 'slots' }>;

export function sizeIn({ graph }: FusedGraph): (axis: AxisId) => Size {
  return (axis) => get(graph.axes, axis, 'schedule: axis').size;
}

/** The rows of a list as slots, if its points are named, and fewer than there are. */
export function slotRowsOf(fused: FusedGraph, { presences, axes, parent }: AssignmentList): SlotRows | null {
  if (parent !== null) return null;
  const sizeOf = sizeIn(fused);
  const node = (id: NodeId): Node => nodeOf(fused.graph, id);
  const slots = slotsOfAll(presences, node, sizeOf);
  if (slots === null) return null;
  const [named, own] = [namedAxes(slots), slotAxes(slots)];
  const others = axes.filter((a) => !named.includes(a));
  const within = named.every((a) => axes.includes(a)) && sourcesOf(slots, node).every((a) => others.includes(a));
  const apart = new Set([...axes, ...own]).size === axes.length + own.length;
  if (!within || !apart) return null;
  const fewer = compareProducts([...others, ...own].map(sizeOf), axes.map(sizeOf));
  return fewer === -1 || (fewer === null && isDistinct(slots)) ? { kind: 'slots', slots, others, queue: null } : null;
}

const THREADS = [64, 32, 16, 8, 4];
/** Buffers a launch that sorts slots may read, beside those it writes. */
const MAX_READ = 4;

/**
 * Threads that may sort slots (kernels/group-slots.ts), each with a counter for each of so many keys in workgroup memory: as many as there
 * is room for, most first. `ranks`: of each key, where they stand in queues by rank.
 */
export function groupingThreads(keys: number, bytes: number, ranks = 1): readonly number[] {
  const words = (threads: number): number => (keys * ranks + 1) * threads + 2 * keys + 1;
  return THREADS.filter((threads) => hasRoom(words(threads), bytes));
}

/**
 * The forms that the rows of a list may have. Rows that others refine are counted, so they are made; and points that are named twice have
 * two rows, so they are not sorted.
 */
export function legalForms(
  fused: FusedGraph,
  list: AssignmentList,
  lists: readonly AssignmentList[],
  target: Target,
): Options<ListForm> {
  const scanned: ListForm = { kind: 'scanned' };
  const form = slotRowsOf(fused, list);
  if (form === null) return [scanned];
  const keys = asInteger(multiply(list.majorAxes.map(sizeIn(fused))));
  const room = keys === null ? [] : groupingThreads(keys, target.limits.maxComputeWorkgroupStorageSize);
  const reads = idsOfSlots(form.slots).length + list.presences.length;
  const sorted = reads <= MAX_READ && isDistinct(form.slots) ? room : [];
  const blocks = [null, ...legalBlockRows];
  const byThreads = (threads: number, queue: ListQueue | null): readonly ListForm[] =>
    blocks.map((blockRows): ListForm => ({ ...form, kind: 'grouped', threads, blockRows, queue }));
  const queue = queueOf(fused, list, form, sizeIn(fused));
  const inQueues = keys === null || queue === null || sorted.length === 0 || reads + (queue.by === null ? 0 : 1) > MAX_READ ? [] :
    groupingThreads(keys, target.limits.maxComputeWorkgroupStorageSize, queue.by?.ranks); // prettier-ignore
  const grouped = [
    ...inQueues.flatMap((threads) => byThreads(threads, queue)),
    ...sorted.flatMap((threads) => byThreads(threads, null)),
  ];
  const asSlots: readonly ListForm[] = queue === null ? [form] : [form, { ...form, queue }];
  return [scanned, ...(lists.some(({ parent }) => parent?.id === list.id) ? [] : asSlots), ...grouped];
}

// -------------------------------------------------------------------------------------------------------------- families

/** What is decided before families are: where values stand, and which lists there are. */
export interface Decided {
  readonly spaces: ReadonlyMap<NodeId, StoredSpace>;
  readonly assignmentLists: readonly AssignmentList[];
  readonly predicateSets: PredicateSets;
}

/** The families that may compute a value that is no contraction, one that costs least first where that is plain. */
export function legalChoices(
  fused: FusedGraph,
  node: Exclude<Node, NodeOf<'contract'>>,
  space: StoredSpace,
  decided: Decided,
): Options<Choice> {
  switch (node.kind) {
    case 'reduce':
      return legalReductions(fused, node, space, decided);
    case 'concat': {
      const map: Choice = { family: 'map', node };
      const parts: Choice = { family: 'concat_parts', node };
      if (space.assignmentList !== null) return [map];
      return node.parts.length > mostParts ? [parts] : [map, parts];
    }
    case 'choose':
      return legalChosen(fused, node, space);
    case 'scan':
      return [{ family: 'scan', node }];
    case 'sort_rank':
      return [{ family: 'sort_rank', node }];
    case 'argmax':
      return [{ family: 'argmax', node }];
    case 'gather':
      return [{ family: 'gather', node }];
    case 'draw':
      return [{ family: 'draw', node }];
    default:
      return [{ family: 'map', node }];
  }
}

function legalChosen(fused: FusedGraph, node: NodeOf<'choose'>, space: StoredSpace): Options<Choice> {
  const slots = slotsAmong(node, (id) => nodeOf(fused.graph, id), sizeIn(fused));
  const alone: Choice = { family: 'choose', node, slots: null };
  // Rows of a list are counted in memory: a workgroup cannot know before its barriers whether its row is there.
  const together: readonly Choice[] = space.assignmentList === null ? [{ family: 'choose_long', node }] : [];
  return slots === null ? [alone, ...together] : [{ family: 'choose', node, slots }, alone, ...together];
}

/** Whether a reduction finds nothing where its operand is `otherwise`. */
export function isIdentity(op: ReduceOp, otherwise: number): boolean {
  switch (op) {
    case 'sum':
    case 'any':
      return otherwise === 0;
    case 'max':
      return otherwise <= NEG_INF;
    case 'min':
      return otherwise >= POS_INF;
  }
}

/**
 * A reduction whose operand counts only where a presence holds may visit the points that are named, or the rows of a list of assignments
 * made of that presence (and of presences that hold on the whole domain of the result), along axes of the list.
 */
function legalReductions(
  fused: FusedGraph,
  node: NodeOf<'reduce'>,
  space: StoredSpace,
  decided: Decided,
): Options<Choice> {
  const everywhere: Choice = { family: 'reduce', node };
  const operand = guardedOperand(fused, node);
  if (operand === null || !isIdentity(node.op, operand.otherwise)) return [everywhere];
  const { presence, value } = operand;
  const slots = slotsSummed(fused, node);
  const named = slots === null ? [] : namedAxes(slots);
  const dense = node.over.filter((a) => !named.includes(a));
  const along: readonly Choice[] =
    slots === null ? [] : [{ family: 'reduce_slots', node, slots, presence, dense, value }];
  const listed = operand.value === node.operand ? [] : listsSummed(fused, node, presence, decided);
  const [first, ...others] = [...along, ...listed.map((list) => alongList(node, space, list, value)), everywhere];
  return first === undefined ? [everywhere] : [first, ...others];
}

/** The lists whose rows have everything that a reduction counts at its points, those with the most axes first. */
function listsSummed(
  fused: FusedGraph,
  node: NodeOf<'reduce'>,
  presence: NodeId,
  { assignmentLists, predicateSets }: Decided,
): readonly AssignmentList[] {
  const holds = [...domainOf(fused, node.id).presences, presence];
  const reachable = [...node.axes, ...node.over];
  return assignmentLists
    .filter(
      (r) =>
        r.form.kind !== 'slots' &&
        isKnownBefore(r, node) &&
        predicateSets.holdsUnder(r.presences, presence) &&
        r.presences.every((s) => predicateSets.holdsUnder(holds, s)) &&
        r.axes.every((a) => reachable.includes(a)) &&
        r.axes.some((a) => node.over.includes(a)),
    )
    .sort((a, b) => b.axes.length - a.axes.length);
}

function alongList(node: NodeOf<'reduce'>, space: StoredSpace, list: AssignmentList, value: NodeId): Choice {
  const ancestor = space.assignmentList !== null && descends(list, space.assignmentList) ? space.assignmentList : null;
  const listed = node.over.filter((a) => list.axes.includes(a));
  const keys = list.axes.filter((a) => !listed.includes(a) && !(ancestor?.axes.includes(a) ?? false));
  const dense = node.over.filter((a) => !list.axes.includes(a));
  return { family: 'reduce_listed', node, index: { assignmentList: list, ancestor, keys, listed }, dense, value };
}

// ----------------------------------------------------------------------------------------------------------- recurrences

/** Who may go through the steps of a row; what a step keeps is as it was laid out. */
export function legalLayouts(layout: FoldLayout): Options<FoldLayout> {
  const other = layout.lanes === 'group' ? 'one' : 'group';
  const fits = other === 'group' || (layout.words !== null && layout.words <= LONE_WORDS);
  return fits ? [layout, { ...layout, lanes: other }] : [layout];
}
