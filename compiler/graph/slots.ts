/**
 * Slots: what is known of a mask by how it was made, that its true points stand in a list. Where a choice made it, and whatever was
 * asked of its points or done to their axes since then, each true point of the mask is one of a few that the choice names at the
 * point's sources: nobody has to look at the others.
 *
 *   ids(s, j) for j along the choice's axis, row-major in the axes it chose along; -1: none
 *   ids(s) = position        the one point that an index says, which may be outside
 *   and, predicated          the slots of either side, of those that say the same axes the fewer; pairs where they say other axes
 *   or                       the slots of both, where they are the same; a list of both is written beside it (united-slots.ts)
 *   rename, merge, split     the same points, under other axes
 *   slice                    those of the points that are in it
 *   broadcast, presence      the same points, at more sources
 *   any along sources        the points of all those sources, one after another: a point may come several times
 *
 * Every true point is in its list, and once but for the last. Not everything in a list is true: what else was asked is asked of each. The fact is
 * derived, so it cannot be stale: false means "not known", as for `implies`.
 */
import { exact, multiply, type Size } from '../../dsl/types/size.ts';
import type { AxisId, Node, NodeId } from './graph-ir.ts';
import type { NodeLookup } from './node-views.ts';
import { compareProducts, type SizeOf } from './presence-bounds.ts';
import { holdsIf, insideOf, numberOf, unitedLists, type NamedList } from './united-slots.ts';

export type SlotView = Extract<Node, { readonly kind: 'rename' | 'split' | 'merge' | 'broadcast' | 'slice' }>;

export type Slots =
  | {
      readonly kind: 'chosen';
      /** The node that is true exactly at the named points, and what is true there because only it was chosen from. */
      readonly mask: NodeId;
      readonly candidates: NodeId | null;
      readonly ids: NodeId;
      readonly along: AxisId;
      /** The axes that are named. */
      readonly over: readonly AxisId[];
      /** Whether points are named in order. */
      readonly ascending: boolean;
    }
  /** `mask` is true where `ids` is the position along `axis`: at one point, or at none where that is outside. */
  | { readonly kind: 'picked'; readonly mask: NodeId; readonly ids: NodeId; readonly axis: AxisId }
  | { readonly kind: 'view'; readonly node: SlotView; readonly of: Slots }
  /** Of each in the first list what the second names there. */
  | { readonly kind: 'pairs'; readonly first: Slots; readonly second: Slots }
  /** `mask` is true where `operand` is at some point along `over`: what is named at any of these. */
  | {
      readonly kind: 'projected';
      readonly mask: NodeId;
      readonly operand: NodeId;
      readonly over: readonly AxisId[];
      readonly of: Slots;
    };

/** The axes whose indices slots say. */
export function namedAxes(slots: Slots): readonly AxisId[] {
  switch (slots.kind) {
    case 'chosen':
      return slots.over;
    case 'picked':
      return [slots.axis];
    case 'pairs':
      return [...namedAxes(slots.first), ...namedAxes(slots.second)];
    case 'projected':
      return namedAxes(slots.of);
    case 'view': {
      const { node } = slots;
      const [from, to] = replaced(node);
      const named = namedAxes(slots.of);
      // In the place of what they are instead of: points that are named in order stay so (`inOrder`).
      if (node.kind === 'rename') return named.map((a) => to[from.indexOf(a)] ?? a);
      if (node.kind === 'split' || node.kind === 'slice') return named.flatMap((a) => (a === node.axis ? to : [a]));
      return from.some((a) => named.includes(a)) ? [...named.filter((a) => !from.includes(a)), ...to] : named;
    }
  }
}

/** The axes that lists stand along, the first outermost. */
export function slotAxes(slots: Slots): readonly AxisId[] {
  switch (slots.kind) {
    case 'chosen':
      return [slots.along];
    case 'picked':
      return [];
    case 'pairs':
      return [...slotAxes(slots.first), ...slotAxes(slots.second)];
    case 'projected':
      return [...slots.over, ...slotAxes(slots.of)];
    case 'view':
      return slotAxes(slots.of);
  }
}

/** Whether no point is named twice. */
export function isDistinct(slots: Slots): boolean {
  switch (slots.kind) {
    case 'chosen':
    case 'picked':
      return true;
    case 'pairs':
      return isDistinct(slots.first) && isDistinct(slots.second);
    case 'projected':
      return false;
    case 'view':
      return isDistinct(slots.of);
  }
}

/** Whether two are the same lists, of the same points. */
export function sameSlots(a: Slots, b: Slots): boolean {
  switch (a.kind) {
    case 'chosen':
      return b.kind === 'chosen' && a.ids === b.ids && a.along === b.along && a.over.join() === b.over.join();
    case 'picked':
      return b.kind === 'picked' && a.ids === b.ids && a.axis === b.axis;
    case 'pairs':
      return b.kind === 'pairs' && sameSlots(a.first, b.first) && sameSlots(a.second, b.second);
    case 'projected':
      return b.kind === 'projected' && a.mask === b.mask && sameSlots(a.of, b.of);
    case 'view':
      return b.kind === 'view' && a.node.id === b.node.id && sameSlots(a.of, b.of);
  }
}

/** The lists of ids that slots are read from. */
export function idsOfSlots(slots: Slots): readonly NodeId[] {
  switch (slots.kind) {
    case 'chosen':
    case 'picked':
      return [slots.ids];
    case 'pairs':
      return [...idsOfSlots(slots.first), ...idsOfSlots(slots.second)];
    case 'projected':
    case 'view':
      return idsOfSlots(slots.of);
  }
}

/** What is true wherever slots name a point: nobody has to ask it there. */
export function masksOfSlots(slots: Slots): ReadonlySet<NodeId> {
  switch (slots.kind) {
    case 'chosen':
      return new Set(slots.candidates === null ? [slots.mask] : [slots.mask, slots.candidates]);
    case 'picked':
      return new Set([slots.mask]);
    case 'pairs':
      return new Set([...masksOfSlots(slots.first), ...masksOfSlots(slots.second)]);
    case 'projected':
      return new Set([slots.mask, slots.operand]);
    case 'view':
      return masksOfSlots(slots.of);
  }
}

/** How many points are looked at for each point of the sources. */
export function slotCount(slots: Slots, sizeOf: SizeOf): Size {
  return multiply(slotAxes(slots).map(sizeOf));
}

/** What a view takes away and puts in its place. */
function replaced(node: SlotView): readonly [from: readonly AxisId[], to: readonly AxisId[]] {
  switch (node.kind) {
    case 'rename':
      return [node.from, node.to];
    case 'merge':
      return [node.from, [node.into]];
    case 'split':
      return [[node.axis], node.into];
    case 'slice':
      return [[node.axis], node.as === null ? [] : [node.as]];
    case 'broadcast':
      return [[], []];
  }
}

/** The slots of where all of some bools hold, if it is known to have some. */
export function slotsOfAll(ids: readonly NodeId[], node: NodeLookup, sizeOf: SizeOf): Slots | null {
  return ids
    .map((id) => slotsOf(id, node, sizeOf))
    .reduce((left, right) =>
      left !== null && right !== null ? joined(left, right, node, sizeOf) : (left ?? right), null); // prettier-ignore
}

/** The slots of a bool, if it is known to have some. */
export function slotsOf(id: NodeId, node: NodeLookup, sizeOf: SizeOf): Slots | null {
  const of = (operand: NodeId): Slots | null => slotsOf(operand, node, sizeOf);
  const either = (ids: readonly NodeId[]): Slots | null => slotsOfAll(ids, node, sizeOf);
  const n = node(id);
  switch (n.kind) {
    case 'presence':
      return of(n.mask);
    case 'map':
      if (n.op === 'and') return ofUnion(either(n.operands), n.operands, node, of);
      return n.op === 'or' ? sameOfAll(n.operands.map(of)) : pickedBy(n, node);
    case 'predicated':
      return n.otherwise === 0 ? either([n.presence, n.value]) : null;
    case 'reduce':
      return chosenBy(n, node, sizeOf) ?? projected(n, of(n.operand));
    case 'rename':
    case 'split':
    case 'merge':
    case 'broadcast':
    case 'slice': {
      const inside = of(n.operand);
      if (inside === null) return null;
      const [from] = replaced(n);
      const named = namedAxes(inside);
      // A merge of what is named with what is not, or of sources: nobody says which points those are.
      const whole =
        n.kind === 'rename' || (from.every((a) => named.includes(a)) && !(n.kind === 'slice' && n.as === null));
      return whole ? { kind: 'view', node: n, of: inside } : null;
    }
    default:
      return null;
  }
}

/** The slots that several bools have, if these are the same. */
function sameOfAll([first, ...others]: readonly (Slots | null)[]): Slots | null {
  if (first === undefined || first === null) return null;
  return others.every((other) => other !== null && sameSlots(other, first)) ? first : null;
}

/** The slots of a union, which holds wherever they name a point if each of its sides does where its own slots name one. */
function ofUnion(
  slots: Slots | null,
  operands: readonly NodeId[],
  node: NodeLookup,
  of: (id: NodeId) => Slots | null,
): Slots | null {
  const lists = slots?.kind === 'chosen' ? unitedLists(slots.ids, slots.along, node) : null;
  if (slots?.kind !== 'chosen' || slots.candidates !== null || lists === null) return slots;
  const says = (id: NodeId, list: NamedList): boolean => {
    const own = of(id);
    return own !== null && idsOfSlots(own).join() === `${numberOf(list, node)}` && holdsIf(id, masksOfSlots(own), node);
  };
  const union = operands.find((id) => {
    const sides = node(id);
    return sides.kind === 'map' && sides.op === 'or' && lists.every((list) => sides.operands.some((side) => says(side, list)));
  }); // prettier-ignore
  return union === undefined ? slots : { ...slots, candidates: union };
}

/** What is named at any point along axes at which lists are read, if it is not these that are named. */
function projected(n: Extract<Node, { kind: 'reduce' }>, of: Slots | null): Slots | null {
  if (n.op !== 'any' || of === null) return null;
  const taken = [...namedAxes(of), ...slotAxes(of)];
  if (n.over.some((a) => taken.includes(a))) return null;
  return { kind: 'projected', mask: n.id, operand: n.operand, over: n.over, of };
}

/** Two lists of the points where both of two bools hold. */
function joined(a: Slots, b: Slots, node: NodeLookup, sizeOf: SizeOf): Slots {
  const [left, right] = [namedAxes(a), namedAxes(b)];
  const twice = slotAxes(a).some((axis) => slotAxes(b).includes(axis));
  if (!twice && !left.some((axis) => right.includes(axis))) {
    if (!sourcesOf(a, node).some((axis) => right.includes(axis))) return { kind: 'pairs', first: a, second: b };
    if (!sourcesOf(b, node).some((axis) => left.includes(axis))) return { kind: 'pairs', first: b, second: a };
  }
  if (left.length !== right.length) return left.length > right.length ? a : b;
  if (isDistinct(a) !== isDistinct(b)) return isDistinct(a) ? a : b;
  return compareProducts([slotCount(b, sizeOf)], [slotCount(a, sizeOf)]) === -1 ? b : a;
}

/** The axes at whose points lists are read. */
export function sourcesOf(slots: Slots, node: NodeLookup): readonly AxisId[] {
  switch (slots.kind) {
    case 'chosen':
      return node(slots.ids).axes.filter((a) => a !== slots.along);
    case 'picked':
      return node(slots.ids).axes;
    case 'pairs': {
      const first = namedAxes(slots.first);
      return [...sourcesOf(slots.first, node), ...sourcesOf(slots.second, node).filter((a) => !first.includes(a))];
    }
    case 'projected':
      return sourcesOf(slots.of, node).filter((a) => !slots.over.includes(a));
    case 'view': {
      const [from, to] = replaced(slots.node);
      const sources = sourcesOf(slots.of, node);
      return slots.node.kind === 'rename' ? sources.map((a) => to[from.indexOf(a)] ?? a) : sources;
    }
  }
}

/** `any over j of ids(s, j) = position`, of what a choice gave or of a part of it. */
function chosenBy(n: Extract<Node, { kind: 'reduce' }>, node: NodeLookup, sizeOf: SizeOf): Slots | null {
  const [along, ...more] = n.over;
  const hit = node(n.operand);
  if (n.op !== 'any' || along === undefined || more.length > 0 || hit.kind !== 'map' || hit.op !== 'eq') return null;
  const [ids, position] = hit.operands;
  if (ids === undefined || position === undefined) return null;
  const choice = choiceOf(ids, along, node);
  const over = choice?.over ?? positionAxes(position, node);
  if (!isPosition(position, over, node, sizeOf)) return null;
  const named = { kind: 'chosen', mask: n.id, ids, along, over } as const;
  if (choice !== null) return { ...named, candidates: choice.candidates, ascending: true };
  return isUnited(ids, along, over, node, sizeOf) ? { ...named, candidates: null, ascending: false } : null;
}

/** Whether some ids are those of two lists that each name points along these axes, and none twice. */
function isUnited(
  ids: NodeId,
  own: AxisId,
  over: readonly AxisId[],
  node: NodeLookup,
  sizeOf: SizeOf,
): boolean {
  const lists = unitedLists(ids, own, node);
  return lists !== null && lists.every(({ ids: list, along }) => {
    if (along === null) return insideOf(list, over, node, sizeOf) !== null;
    const choice = choiceOf(list, along, node);
    return choice === null ? isUnited(list, along, over, node, sizeOf) : choice.over.join() === over.join();
  });
} // prettier-ignore

/** `ids = position` along an axis that ids do not have. */
function pickedBy(n: Extract<Node, { kind: 'map' }>, node: NodeLookup): Slots | null {
  if (n.op !== 'eq') return null;
  const [a, b] = n.operands;
  if (a === undefined || b === undefined) return null;
  const of = (ids: NodeId, position: NodeId): Slots | null => {
    const [index, other] = [node(position), node(ids)];
    if (index.kind !== 'iota' || other.element !== 'i32' || other.axes.includes(index.axis)) return null;
    return { kind: 'picked', mask: n.id, ids, axis: index.axis };
  };
  return of(a, b) ?? of(b, a);
}

/** The choice that some ids are of: all of it, or -1 in the place of some. */
function choiceOf(ids: NodeId, along: AxisId, node: NodeLookup): Extract<Node, { kind: 'choose' }> | null {
  const n = node(ids);
  if (n.kind === 'choose') return n.along === along ? n : null;
  if (n.kind !== 'map' || n.op !== 'where') return null;
  const [, then, otherwise] = n.operands;
  const none = otherwise === undefined ? null : node(otherwise);
  return then !== undefined && none?.kind === 'constant' && none.value === -1 ? choiceOf(then, along, node) : null;
}

/** The axes that a node may be the row-major position along. */
function positionAxes(id: NodeId, node: NodeLookup): readonly AxisId[] {
  const n = node(id);
  if (n.kind === 'iota') return [n.axis];
  const [scaled, index] = n.kind === 'map' && n.op === 'add' ? n.operands.map(node) : [];
  const [before] = scaled?.kind === 'map' && scaled.op === 'mul' ? scaled.operands : [];
  return before === undefined || index?.kind !== 'iota' ? [] : [...positionAxes(before, node), index.axis];
}

/** Whether a node is the row-major position along these axes. */
function isPosition(id: NodeId, axes: readonly AxisId[], node: NodeLookup, sizeOf: SizeOf): boolean {
  const n = node(id);
  const last = axes.at(-1);
  if (axes.length === 1) return n.kind === 'iota' && n.axis === last;
  if (n.kind !== 'map' || n.op !== 'add' || last === undefined) return false;
  const [scaled, index] = n.operands;
  const [product, digit] = [scaled === undefined ? null : node(scaled), index === undefined ? null : node(index)];
  if (digit?.kind !== 'iota' || digit.axis !== last || product?.kind !== 'map' || product.op !== 'mul') return false;
  const [before, size] = product.operands;
  const factor = size === undefined ? null : node(size);
  if (before === undefined || factor === null || !isPosition(before, axes.slice(0, -1), node, sizeOf)) return false;
  if (factor.kind === 'size') return compareProducts([factor.size], [sizeOf(last)]) === 0;
  return factor.kind === 'constant' && compareProducts([sizeOf(last)], [exact(factor.value)]) === 0;
}

/** The slots of what a choice is among, if they name its points in order, fewer than there are: nobody else can be chosen. */
export function slotsAmong(choice: Node, node: NodeLookup, sizeOf: SizeOf): Slots | null {
  if (choice.kind !== 'choose' || choice.candidates === null) return null;
  const { over, along, axes } = choice;
  const slots = slotsOf(choice.candidates, node, sizeOf);
  if (slots === null || !inOrder(slots)) return null;
  const named = namedAxes(slots);
  const same = named.length === over.length && named.every((a, i) => a === over[i]);
  const known = sourcesOf(slots, node).every((a) => a !== along && axes.includes(a));
  const fewer = compareProducts([slotCount(slots, sizeOf)], over.map(sizeOf));
  return same && known && fewer === -1 ? slots : null;
}

/** Whether slots name points by ascending row-major position along their axes. */
function inOrder(slots: Slots): boolean {
  switch (slots.kind) {
    case 'chosen':
      return slots.ascending;
    case 'picked':
      return true;
    case 'pairs':
      return inOrder(slots.first) && inOrder(slots.second);
    case 'projected':
      return false;
    case 'view': {
      const { node, of } = slots;
      const named = namedAxes(of);
      if (!inOrder(of)) return false;
      return node.kind !== 'merge' || (named.length === node.from.length && named.every((a, i) => a === node.from[i]));
    }
  }
}
