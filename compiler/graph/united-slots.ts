/**
 * Slots of a union: where one of two bools holds, whose true points are named, the points that either names are one list, if those that
 * both name are in it once. A pass writes that list beside the union (passes/unite-slots.ts):
 *
 *   ids        = concat along J of first[.., j], where(not any over j of first[.., j] = second[.., k], second[.., k], -1)[.., k]
 *   named      = any over J of ids = position
 *   the union  = and(or(a, b), named)
 *
 * Here is what is known of it: that no point is named twice, what is true at all that are named, and who is true only there. `second`
 * may be a single index as well, which says a point or lies outside: that it is inside is asked first.
 */
import { exact, type Size } from '../../dsl/types/size.ts';
import { compareProducts, type SizeOf } from './presence-bounds.ts';
import type { AxisId, Node, NodeId } from './graph-ir.ts';
import type { NodeLookup } from './node-views.ts';

type MapNode = Extract<Node, { readonly kind: 'map' }>;

/** A list that names no point twice: its numbers, and the axis they stand along; null: there is one. */
export interface NamedList {
  readonly ids: NodeId;
  readonly along: AxisId | null;
}

/** The lists that are united in one; null: it is no such list. */
export function unitedLists(ids: NodeId, along: AxisId, node: NodeLookup): readonly [NamedList, NamedList] | null {
  const n = node(ids);
  if (n.kind !== 'concat' || n.axis !== along || n.element !== 'i32') return null;
  const [first, second, ...others] = n.parts;
  if (first === undefined || second === undefined || others.length > 0) return null;
  const own = orNone(second.node, node);
  const isFresh = own === null ? null : operand(own.where, 'not', 0, node);
  if (own === null || isFresh === null) return null;
  const before: NamedList = { ids: first.node, along: first.axis };
  return isNamedBy(isFresh, before, own.ids, node) ? [before, { ids: own.ids, along: second.axis }] : null;
}

/** Whether a bool is that a number is one of a list. */
function isNamedBy(id: NodeId, { ids, along }: NamedList, number: NodeId, node: NodeLookup): boolean {
  const found = node(id);
  const isAny = found.kind === 'reduce' && found.op === 'any' && found.over.length === 1 && found.over[0] === along;
  const same = along === null ? id : isAny ? found.operand : null;
  return same !== null && operand(same, 'eq', 0, node) === ids && operand(same, 'eq', 1, node) === number;
}

/** `where(c, ids, -1)` */
function orNone(id: NodeId, node: NodeLookup): { readonly where: NodeId; readonly ids: NodeId } | null {
  const n = node(id);
  const [where, ids, none] = n.kind === 'map' && n.op === 'where' ? n.operands : [];
  if (where === undefined || ids === undefined || none === undefined) return null;
  const least = node(none);
  return least.kind === 'constant' && least.value === -1 ? { where, ids } : null;
}

/** What a list was made of: the ids of a choice, or an index before it was asked whether it is inside. */
export function numberOf({ ids, along }: NamedList, node: NodeLookup): NodeId {
  return along === null ? (indexWithin(ids, node)?.index ?? ids) : ids;
}

/** An index, or -1 where it is none of the points along some axes; null: it is not written so. */
export function insideOf(id: NodeId, axes: readonly AxisId[], node: NodeLookup, sizeOf: SizeOf): NodeId | null {
  const within = indexWithin(id, node);
  return within !== null && compareProducts([within.size], axes.map(sizeOf)) === 0 ? within.index : null;
}

/** `where(and(index >= 0, index < size), index, -1)` */
function indexWithin(id: NodeId, node: NodeLookup): { readonly index: NodeId; readonly size: Size } | null {
  const own = orNone(id, node);
  const sides = own === null ? null : node(own.where);
  const [low, high] = sides?.kind === 'map' && sides.op === 'and' ? sides.operands : [];
  if (own === null || low === undefined || high === undefined) return null;
  const same = operand(low, 'ge', 0, node) === own.ids && operand(high, 'lt', 0, node) === own.ids;
  const [from, end] = [operand(low, 'ge', 1, node), operand(high, 'lt', 1, node)];
  const [first, last] = [from, end].map((side) => (side === null ? null : node(side)));
  if (!same || first?.kind !== 'constant' || first.value !== 0) return null;
  if (last?.kind === 'size') return { index: own.ids, size: last.size };
  return last?.kind === 'constant' ? { index: own.ids, size: exact(last.value) } : null;
}

function operand(id: NodeId, op: MapNode['op'], at: number, node: NodeLookup): NodeId | null {
  const n = node(id);
  return n.kind === 'map' && n.op === op ? (n.operands[at] ?? null) : null;
}

/** Whether a bool that says what one list names is true only where `any` is, which says what a union names that this list is part of. */
export function isPartOfUnion(strong: NodeId, any: NodeId, node: NodeLookup): boolean {
  const whole = namedIn(any, node);
  const part = namedIn(strong, node);
  if (whole === null || part === null || whole.along === null || whole.position !== part.position) return false;
  const among = (list: NamedList): boolean => {
    // Less than a list is, what is left of it: only an index that lies outside names nothing anyway.
    const index = list.along === null ? indexWithin(list.ids, node)?.index : undefined;
    if (list.ids === part.ids || (index === part.ids && part.along === null)) return true;
    const lists = list.along === null ? null : unitedLists(list.ids, list.along, node);
    return lists !== null && lists.some(among);
  };
  return among({ ids: whole.ids, along: whole.along });
}

/** Whether a bool is true where all of these are. */
export function holdsIf(id: NodeId, known: ReadonlySet<NodeId>, node: NodeLookup): boolean {
  const n = node(id);
  if (known.has(id)) return true;
  if (n.kind === 'presence') return holdsIf(n.mask, known, node);
  if (n.kind === 'predicated') return holdsIf(n.presence, known, node) && holdsIf(n.value, known, node);
  return n.kind === 'map' && n.op === 'and' && n.operands.every((operand) => holdsIf(operand, known, node));
}

/** Whether a bool is that a point is named by one of two lists that are united. */
export function isNamedByUnion(id: NodeId, node: NodeLookup): boolean {
  const named = namedIn(id, node);
  return named !== null && named.along !== null && unitedLists(named.ids, named.along, node) !== null;
}

/** `any over j of ids = position`, or `ids = position` */
function namedIn(id: NodeId, node: NodeLookup): (NamedList & { readonly position: NodeId }) | null {
  const n = node(id);
  const isAny = n.kind === 'reduce' && n.op === 'any' && n.over.length === 1;
  const hit = isAny ? n.operand : id;
  const [ids, position] = [operand(hit, 'eq', 0, node), operand(hit, 'eq', 1, node)];
  return ids === null || position === null ? null : { ids, position, along: isAny ? (n.over[0] ?? null) : null };
}
