/**
 * Queues (`limit`): whether what a choice names is there follows from its place among those of the same target. Where the slots are sorted
 * by target anyway, whoever sorts them can count places: no launch of their own, and no mask of what was let in.
 *
 * Known are places by position (a running count of those who wait) and by rank of choice and then position, which is what `limit` asks for. An
 * order by other keys is a step of its own, and the list asks it.
 */
import { asInteger } from '../../../dsl/types/size.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Node, NodeId } from '../../graph/graph-ir.ts';
import { nodeOf, operandsOf } from '../../graph/node-uses.ts';
import type { SizeOf } from '../../graph/presence-bounds.ts';
import { isDistinct, namedAxes, sameSlots, slotsOf, type Slots } from '../../graph/slots.ts';
import type { AssignmentList, ListQueue, SlotForm } from '../memory/memory.ts';

type Lookup = (id: NodeId) => Node;
type Place = Extract<Node, { readonly kind: 'scan' | 'sort_rank' }>;

/** The queues that say which slots of a list are there; null: none do, or not in a way that is known. */
export function queueOf(fused: FusedGraph, list: AssignmentList, form: SlotForm, sizeOf: SizeOf): ListQueue | null {
  const node: Lookup = (id) => nodeOf(fused.graph, id);
  const [presence, ...others] = list.presences;
  const named = namedAxes(form.slots);
  if (presence === undefined || others.length > 0 || list.parent !== null || !isDistinct(form.slots)) return null;
  if (named.length !== list.majorAxes.length || !named.every((a) => list.majorAxes.includes(a))) return null;
  const places = [...placesOf(presence, node)];
  const [place] = places;
  if (place === undefined || places.length > 1) return null;
  const waiting = waitingIn(place, node);
  const slots = waiting === null ? null : slotsOf(waiting, node, sizeOf);
  if (waiting === null || slots === null || !sameSlots(slots, form.slots)) return null;
  const over = place.kind === 'scan' ? [place.axis] : place.over;
  const groups = form.others.slice(0, form.others.length - over.length);
  const stands = [...groups, ...over];
  const axes = new Set([...stands, ...named]);
  if (stands.join() !== form.others.join() || axes.size !== place.axes.length || !place.axes.every((a) => axes.has(a)))
    return null;
  const by = place.kind === 'scan' ? null : orderOf(place, form.slots, node, sizeOf);
  return by === 'unknown' ? null : { place: place.id, waiting, groups, by };
}

/** What a list with queues is made of: what its presence is made of but for the places. */
export function madeOf(fused: FusedGraph, presence: NodeId, queue: ListQueue): readonly NodeId[] {
  const { place, by } = queue;
  const way = fromPlaces(fused, presence, queue);
  const isOnWay = new Set([...way, place]);
  const beside = way.flatMap((id) => operandsOf(fused.graph, nodeOf(fused.graph, id)).filter((o) => !isOnWay.has(o)));
  return [...new Set([...beside, ...(by === null ? [] : [by.rank])])];
}

/** What a presence is made of that is made of places itself, and the presence. */
export function fromPlaces(fused: FusedGraph, presence: NodeId, { place }: ListQueue): readonly NodeId[] {
  const leads = new Map<NodeId, boolean>([[place, true]]);
  const isOnWay = (id: NodeId): boolean => {
    const known = leads.get(id);
    if (known !== undefined) return known;
    // What a presence guards is on the way, what else says a presence is not.
    const node = nodeOf(fused.graph, id);
    const found = (id === presence || isPassed(node)) && operandsOf(fused.graph, node).map(isOnWay).includes(true);
    leads.set(id, found);
    return found;
  };
  isOnWay(presence);
  return [...leads].flatMap(([id, is]) => (is && id !== place ? [id] : []));
}

const isPassed = ({ kind }: Node): boolean => kind === 'map' || kind === 'predicated';

/** The places that a presence asks, beside other presences. */
function placesOf(presence: NodeId, node: Lookup): ReadonlySet<Place> {
  const found = new Set<Place>();
  const seen = new Set<NodeId>();
  const visit = (id: NodeId): void => {
    if (seen.has(id)) return;
    seen.add(id);
    const own = node(id);
    if (own.kind === 'scan' || own.kind === 'sort_rank') found.add(own);
    else if (own.kind === 'predicated') visit(own.value);
    else if (own.kind === 'map') own.operands.forEach(visit);
  };
  const own = node(presence);
  if (own.kind === 'presence') visit(own.mask);
  return found;
}

/** Who stands in the queues: the presence that is counted, or whose points are ranked. */
function waitingIn(place: Place, node: Lookup): NodeId | null {
  const own = place.kind === 'sort_rank' ? place.candidates : place.exclusive ? counted(place.operand, node) : null;
  return own !== null && node(own).kind === 'presence' ? own : null;
}

/** The bool whose points a sum counts. */
function counted(id: NodeId, node: Lookup): NodeId | null {
  const own = node(id);
  const [of] = own.kind === 'map' && own.op === 'convert' ? own.operands : [];
  return of !== undefined && own.element === 'i32' && node(of).element === 'bool' ? of : null;
}

/** What an order of slots goes by, but for keys that are the same everywhere; null: by position. */
function orderOf(
  { keys }: Extract<Node, { readonly kind: 'sort_rank' }>,
  slots: Slots,
  node: Lookup,
  sizeOf: SizeOf,
): ListQueue['by'] | 'unknown' {
  const [key, ...others] = keys.filter((k) => !isConstant(k.node, node));
  if (key === undefined) return null;
  if (others.length > 0 || key.descending || slots.kind !== 'chosen') return 'unknown';
  const ranks = asInteger(sizeOf(slots.along));
  const rank = rankOf(key.node, slots, ranks, node);
  return ranks === null || rank === null ? 'unknown' : { rank, ranks };
}

/** Whether a value is one number at all points, and no NaN. */
function isConstant(id: NodeId, node: Lookup): boolean {
  const own = node(id);
  if (own.kind === 'broadcast' || own.kind === 'rename') return isConstant(own.operand, node);
  return own.kind === 'constant' && !Number.isNaN(own.value);
}

/** The rank of each slot, if a value is that at the point which the slot names: the least of the ranks of those that name it. */
function rankOf(
  id: NodeId,
  { along, mask, ids }: Extract<Slots, { readonly kind: 'chosen' }>,
  ranks: number | null,
  node: Lookup,
): NodeId | null {
  const [least, any] = [node(id), node(mask)];
  if (least.kind !== 'reduce' || least.op !== 'min' || !isOver(least.over, along)) return null;
  if (any.kind !== 'reduce' || any.op !== 'any' || !isOver(any.over, along)) return null;
  const where = node(least.operand);
  const [names, rank, otherwise] = where.kind === 'map' && where.op === 'where' ? where.operands : [];
  if (names !== any.operand || rank === undefined || otherwise === undefined || ranks === null) return null;
  const [own, most] = [node(rank), node(otherwise)];
  const isRank = own.kind === 'sort_rank' && isOver(own.over, along) && (own.candidates === null || isNamed(own.candidates, ids, node));
  return isRank && most.kind === 'constant' && most.value >= ranks - 1 ? rank : null;
} // prettier-ignore

const isOver = (over: readonly AxisId[], axis: AxisId): boolean => over.length === 1 && over[0] === axis;

/** Whether a bool is that something was chosen: the id is no -1. */
function isNamed(id: NodeId, ids: NodeId, node: Lookup): boolean {
  const own = node(id);
  const [left, right] = own.kind === 'map' && own.op === 'ge' ? own.operands : [];
  if (left !== ids || right === undefined) return false;
  const least = node(right);
  return least.kind === 'constant' && least.value === 0;
}
