/**
 * What is known, from how they were made, about bool values of a graph: whether one can be true only where another is.
 * Syntactic and incomplete: `false` means "not known". Axes of the weaker one that the stronger one lacks count for all
 * points along them. Views are taken off first: a selection that was split and merged again is the selection.
 */
import type { AxisId, NodeId } from './graph-ir.ts';
import { bare, mentions, sameViews, seen, viewedAxes, type NodeLookup, type Seen } from './node-views.ts';
import { isPartOfUnion } from './united-slots.ts';

export type { NodeLookup } from './node-views.ts';

/** Whether `strong` is true only where `weak` is. */
export function implies(strong: NodeId, weak: NodeId, node: NodeLookup): boolean {
  return follows({ node: strong, views: [] }, { node: weak, views: [] }, node, 24);
}

function follows(strong: Seen, weak: Seen, node: NodeLookup, depth: number): boolean {
  const s = bare(strong, node);
  const w = bare(weak, node);
  if (s.node === w.node && sameViews(s.views, w.views)) return true;
  if (depth === 0) return false;
  const next = (a: Seen, b: Seen): boolean => follows(a, b, node, depth - 1);
  const weaker = node(w.node);
  if (weaker.kind === 'constant' && weaker.value === 1) return true;
  if (weaker.kind === 'map' && weaker.op === 'or' && weaker.operands.some((o) => next(s, seen(o, w)))) return true;
  if (weaker.kind === 'map' && weaker.op === 'and' && weaker.operands.every((o) => next(s, seen(o, w)))) return true;
  // A view over an axis that was reduced is about another axis of that name.
  const apart = (over: readonly AxisId[]): boolean => !mentions(s.views, over) && !mentions(w.views, over);
  // Some point above the projected one is true if this one is.
  if (weaker.kind === 'reduce' && weaker.op === 'any' && apart(weaker.over) && next(s, seen(weaker.operand, w)))
    return true;
  // What one list names, of several that are united.
  if (weaker.kind === 'reduce' && sameViews(s.views, w.views) && isPartOfUnion(s.node, w.node, node)) return true;
  const stronger = node(s.node);
  switch (stronger.kind) {
    case 'constant':
      return stronger.value === 0;
    case 'map':
      if (stronger.op === 'and') return stronger.operands.some((o) => next(seen(o, s), w));
      return stronger.op === 'or' && stronger.operands.every((o) => next(seen(o, s), w));
    case 'predicated':
      return stronger.otherwise === 0 && (next(seen(stronger.presence, s), w) || next(seen(stronger.value, s), w));
    case 'reduce':
      // any over Z of s implies any over Z of w if s implies w.
      if (stronger.op !== 'any' || !apart(stronger.over)) return false;
      if (weaker.kind === 'reduce' && weaker.op === 'any' && sameList(stronger.over, weaker.over))
        return next(seen(stronger.operand, s), seen(weaker.operand, w));
      return !stronger.over.some((a) => viewedAxes(w, node).includes(a)) && next(seen(stronger.operand, s), w);
    default:
      return false;
  }
}

const sameList = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/** Presence nodes that are true wherever this bool is: those it was predicated on. */
export function guardsOf(id: NodeId, node: NodeLookup): readonly NodeId[] {
  const n = node(id);
  if (n.kind === 'presence') return [id];
  if (n.kind === 'broadcast') return guardsOf(n.operand, node);
  if (n.kind === 'predicated' && n.otherwise === 0)
    return [...new Set([...guardsOf(n.presence, node), ...guardsOf(n.value, node)])];
  if (n.kind === 'map' && n.op === 'and') return [...new Set(n.operands.flatMap((o) => guardsOf(o, node)))];
  return [];
}

/** What bools are made of by masks, conjunctions and unions, themselves first. */
export function operandsBelow(ids: readonly NodeId[], node: NodeLookup): ReadonlySet<NodeId> {
  const found = new Set(ids);
  // A set is gone over in the order of what is added to it.
  for (const id of found) {
    const n = node(id);
    if (n.kind === 'presence') found.add(n.mask);
    else if (n.kind === 'predicated') found.add(n.presence).add(n.value);
    else if (n.kind === 'map' && (n.op === 'and' || n.op === 'or')) n.operands.forEach((o) => found.add(o));
  }
  return found;
}
