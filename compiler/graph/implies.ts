/**
 * What is known, from how they were made, about bool values of a graph: whether one can be true only where another is.
 * Syntactic and incomplete: `false` means "not known". Axes of the weaker one that the stronger one lacks count for all
 * points along them.
 */
import { operandsOfDraft } from './draft.ts';
import type { Node, NodeId } from './ir.ts';

export type NodeLookup = (id: NodeId) => Node;

/** A support stands for its mask. */
function bare(id: NodeId, node: NodeLookup): NodeId {
  const n = node(id);
  return n.kind === 'support' ? bare(n.mask, node) : id;
}

/** Whether `strong` is true only where `weak` is. */
export function implies(strong: NodeId, weak: NodeId, node: NodeLookup, depth = 24): boolean {
  const s = bare(strong, node);
  const w = bare(weak, node);
  if (s === w) return true;
  if (depth === 0) return false;
  const next = (a: NodeId, b: NodeId): boolean => implies(a, b, node, depth - 1);
  const weaker = node(w);
  if (weaker.kind === 'constant' && weaker.value === 1) return true;
  if (weaker.kind === 'map' && weaker.op === 'or' && weaker.operands.some((o) => next(s, o))) return true;
  if (weaker.kind === 'map' && weaker.op === 'and' && weaker.operands.every((o) => next(s, o))) return true;
  // Some point above the projected one is true if this one is.
  if (weaker.kind === 'reduce' && weaker.op === 'any' && next(s, weaker.operand)) return true;
  const stronger = node(s);
  switch (stronger.kind) {
    case 'constant':
      return stronger.value === 0;
    case 'map':
      if (stronger.op === 'and') return stronger.operands.some((o) => next(o, w));
      return stronger.op === 'or' && stronger.operands.every((o) => next(o, w));
    case 'masked':
      return stronger.otherwise === 0 && (next(stronger.support, w) || next(stronger.value, w));
    case 'reduce':
      // any over Z of s implies any over Z of w if s implies w.
      if (stronger.op !== 'any') return false;
      if (weaker.kind === 'reduce' && weaker.op === 'any' && sameList(stronger.over, weaker.over))
        return next(stronger.operand, weaker.operand);
      return !stronger.over.some((a) => weaker.axes.includes(a)) && next(stronger.operand, w);
    case 'rename':
    case 'slice':
    case 'split':
    case 'merge':
      return sameView(stronger, weaker) && next(operandsOfDraft(stronger)[0] ?? s, operandsOfDraft(weaker)[0] ?? w);
    default:
      return false;
  }
}

const sameList = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/** The same view of two operands. */
function sameView(a: Node, b: Node): boolean {
  if (a.kind === 'rename' && b.kind === 'rename') return sameList(a.from, b.from) && sameList(a.to, b.to);
  if (a.kind === 'slice' && b.kind === 'slice') {
    const { axis, as } = a;
    return (
      axis === b.axis &&
      as === b.as &&
      a.at.kind === 'exact' &&
      b.at.kind === 'exact' &&
      a.at.numerator === b.at.numerator
    );
  }
  if (a.kind === 'split' && b.kind === 'split') return a.axis === b.axis && sameList(a.into, b.into);
  if (a.kind === 'merge' && b.kind === 'merge') return a.into === b.into && sameList(a.from, b.from);
  return false;
}

/** Support nodes that are true wherever this bool is: those it was masked by. */
export function guardsOf(id: NodeId, node: NodeLookup): readonly NodeId[] {
  const n = node(id);
  if (n.kind === 'support') return [id];
  if (n.kind === 'masked' && n.otherwise === 0)
    return [...new Set([...guardsOf(n.support, node), ...guardsOf(n.value, node)])];
  if (n.kind === 'map' && n.op === 'and') return [...new Set(n.operands.flatMap((o) => guardsOf(o, node)))];
  return [];
}
