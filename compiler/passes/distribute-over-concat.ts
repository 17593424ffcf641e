/**
 * distribute-over-concat
 *
 * What: a sum over an axis along which values stand side by side becomes a sum of one reduction for each part, over the
 * part's own axes. Everything between the concat and the sum that acts point by point along the axis is cut into parts
 * with it; the route's presence is cut likewise. A part that is 0 disappears, a part without axes is one predicated term.
 *
 * Why: a union of experts, `mix[P] = ffn | consts | copy | zero`, is one family over P. Cut into parts, each gets a
 * assignment list of its own, over its own axes: ffn's grouped matmuls see only ffn's assignments, a copy costs one
 * multiplication for each token that chose it, zero experts cost nothing.
 *
 * Before: sum over P of predicated(s[T, P], w[T, P] * concat(ffn[T, E, D], copy[T, D], 0))
 * After:  sum over E of predicated(s[P: ffn], w[P: ffn] * ffn) + predicated(s[P: copy], w[P: copy] * copy)
 *
 * A part of weight times 0 is 0: weights of a union are taken to be finite.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { apply, one, sizeKey, zero, type Size } from '../../dsl/types/size.ts';
import { replaceInBounds } from '../graph/presence-bounds.ts';
import type { GraphBuilder } from '../graph/graph-builder.ts';
import type { AxisId, Node, NodeId } from '../graph/graph-ir.ts';
import { copyNode, rewriteGraph } from '../graph/node-uses.ts';
import { operandsOfDraft } from '../graph/draft.ts';
import { definePass } from './pass.ts';
import { sliced } from './simplify-views.ts';

type Concat = Extract<Node, { kind: 'concat' }>;

/** A concat of more parts than this stays one value: a long chain's collected steps. */
const maxParts = 16;

export const distributeOverConcat = definePass({
  name: 'distribute-over-concat',
  summary: 'sums over the axis of a union part by part',
  run(graph) {
    const find = new Finder();
    return rewriteGraph(graph, (node, b, to) => {
      if (node.kind === 'reduce' && node.op === 'sum') return distribute(b, find, [to(node.operand)], node);
      if (node.kind === 'contract') return distribute(b, find, [to(node.left), to(node.right)], node);
      return null;
    });
  },
});

function distribute(
  b: GraphBuilder,
  find: Finder,
  operands: readonly NodeId[],
  node: Node & { readonly over: readonly AxisId[] },
): NodeId | null {
  for (const axis of node.over) {
    // Under a route everything is cut: the parts are computed on different assignments. Without one, cutting what
    // others read whole would compute it twice: only products and views are.
    const found = operands
      .map((id) => find.concat(b, id, axis, b.node(id).kind === 'predicated'))
      .find((c) => c !== null);
    if (found === undefined || found === null || found.parts.length > maxParts) continue;
    return sumOfParts(b, find, operands, node, axis, found);
  }
  return null;
}

/** Finds concats in what a value is made of; what it found is remembered, for nodes never change. */
class Finder {
  readonly #known = new Map<string, Concat | null>();

  /** The concat along an axis, if everything between acts point by point along the axis. */
  concat(b: GraphBuilder, id: NodeId, axis: AxisId, deep: boolean): Concat | null {
    const key = `${id}:${axis}:${deep}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = this.#search(b, b.node(id), axis, deep);
    this.#known.set(key, found);
    return found;
  }

  #search(b: GraphBuilder, node: Node, axis: AxisId, deep: boolean): Concat | null {
    if (!node.axes.includes(axis)) return null;
    if (node.kind === 'concat' && node.axis === axis) return node;
    const plain = node.kind === 'map' ? node.op === 'mul' : node.kind === 'rename' || node.kind === 'broadcast';
    const inner = deep || plain ? innerAxis(node, axis) : null;
    if (inner === null) return null;
    for (const operand of operandsOfDraft(node)) {
      const found = this.concat(b, operand, inner, deep);
      if (found !== null) return found;
    }
    return null;
  }
}

/** The name of an axis below a node that acts point by point along it; null if it does not. */
function innerAxis(node: Node, axis: AxisId): AxisId | null {
  switch (node.kind) {
    case 'map':
    case 'predicated':
    case 'presence':
    case 'broadcast':
      return axis;
    case 'contract':
    case 'reduce':
      return node.over.includes(axis) ? null : axis;
    case 'rename': {
      const position = node.to.indexOf(axis);
      return position < 0 ? axis : at(node.from, position, 'passes: axis of a rename');
    }
    case 'slice':
      return node.as === axis ? null : axis;
    case 'split':
      return node.into.includes(axis) ? null : axis;
    case 'merge':
      return node.into === axis ? null : axis;
    case 'concat':
      return node.axis === axis ? null : axis;
    default:
      return null;
  }
}

/** Where a part lies and the axes it runs along in the cut graph (none: a point). */
interface Cut {
  readonly find: Finder;
  readonly at: Size;
  readonly length: Size;
  readonly own: readonly AxisId[];
  readonly known: Map<string, NodeId>;
}

function sumOfParts(
  b: GraphBuilder,
  find: Finder,
  operands: readonly NodeId[],
  node: Node & { readonly over: readonly AxisId[] },
  axis: AxisId,
  concat: Concat,
): NodeId {
  const taken = new Set(operands.flatMap((id) => [...b.axesOf(id)]));
  const rest = node.over.filter((a) => a !== axis);
  let at: Size = zero;
  let sum: NodeId | null = null;
  for (const part of concat.parts) {
    const length = part.axis === null ? one : b.sizeOf(part.axis);
    const own = ownAxes(b, part).map((a) => (taken.has(a) ? b.twin(a) : a));
    const cut: Cut = { find, at, length, own, known: new Map() };
    const values = operands.map((id) => cutOut(b, id, axis, cut));
    at = apply('add', at, length);
    if (values.some((v) => b.constantOf(v) === 0)) continue;
    const over = [...rest, ...own];
    const [first, second] = values;
    if (first === undefined) throw new CompilerBug('passes', 'a sum over the parts of a union has no operand');
    const term =
      second === undefined
        ? b.reduce('sum', b.broadcast(first, over), over)
        : b.contract(b.broadcast(first, over), second, over);
    sum = sum === null ? term : b.map('add', [sum, term]);
  }
  return b.broadcast(sum ?? b.constant(0, node.element), node.axes);
}

/** The axes a part of a union has itself, before they were merged into one. */
function ownAxes(b: GraphBuilder, part: Concat['parts'][number]): readonly AxisId[] {
  if (part.axis === null) return [];
  const node = b.node(part.node);
  return node.kind === 'merge' && node.into === part.axis ? node.from : [part.axis];
}

function cutOut(b: GraphBuilder, id: NodeId, axis: AxisId, cut: Cut): NodeId {
  const node = b.node(id);
  if (!node.axes.includes(axis)) return id;
  const key = `${id}:${axis}`;
  const known = cut.known.get(key);
  if (known !== undefined) return known;
  const made = cutNode(b, node, axis, cut);
  cut.known.set(key, made);
  return made;
}

function cutNode(b: GraphBuilder, node: Node, axis: AxisId, cut: Cut): NodeId {
  if (cut.find.concat(b, node.id, axis, true) === null) return viewOf(b, node.id, axis, cut);
  if (node.kind === 'concat' && node.axis === axis) return partOf(b, node, cut) ?? viewOf(b, node.id, axis, cut);
  const inner = innerAxis(node, axis) ?? axis;
  const { own } = cut;
  const become = (axes: readonly AxisId[]): readonly AxisId[] => axes.flatMap((a) => (a === axis ? own : [a]));
  const to = (operand: NodeId): NodeId => cutOut(b, operand, inner, cut);
  switch (node.kind) {
    case 'map': {
      const operands = node.operands.map(to);
      const nothing = node.op === 'mul' && operands.some((o) => b.constantOf(o) === 0);
      if (nothing) return b.broadcast(b.constant(0, node.element), become(node.axes));
      return b.broadcast(b.map(node.op, operands, node.element), become(node.axes));
    }
    case 'predicated': {
      const [presence, value] = [to(node.presence), to(node.value)];
      const same = b.constantOf(value) === node.otherwise;
      return b.broadcast(same ? value : b.predicated(presence, value, node.otherwise), become(node.axes));
    }
    case 'presence': {
      const bounds = replaceInBounds(node.bounds, [axis], own, b.sizeOf);
      const mask = b.broadcast(to(node.mask), become(node.axes));
      return b.presence(mask, become(node.sources), become(node.targets), bounds);
    }
    case 'broadcast': {
      return b.broadcast(to(node.operand), become(node.axes));
    }
    default:
      // Views and reductions along other axes: the same on the cut operands.
      return copyNode(b, node, to);
  }
}

/** The part of a concat as a value over its own axes; null if its boundaries are not those of the cut. */
function partOf(b: GraphBuilder, concat: Concat, cut: Cut): NodeId | null {
  let start: Size = zero;
  for (const part of concat.parts) {
    const size = part.axis === null ? one : b.sizeOf(part.axis);
    if (sizeKey(start) === sizeKey(cut.at) && sizeKey(size) === sizeKey(cut.length)) return aligned(b, part, cut);
    start = apply('add', start, size);
  }
  return null;
}

function aligned(b: GraphBuilder, part: Concat['parts'][number], { own }: Cut): NodeId | null {
  if (part.axis === null) return part.node;
  if (own.length === 0) return b.slice(part.node, part.axis, zero, null);
  const node = b.node(part.node);
  const constant = b.constantOf(part.node);
  if (constant !== null) {
    const others = node.axes.filter((a) => a !== part.axis);
    return b.broadcast(b.constant(constant, node.element), [...others, ...own]);
  }
  if (node.kind === 'merge' && node.into === part.axis && node.from.length === own.length) {
    const same = node.from.every((a, i) => sizeKey(b.sizeOf(a)) === sizeKey(b.sizeOf(own[i] ?? a)));
    if (same) return b.rename(node.operand, node.from, own);
  }
  return own.length === 1 ? b.rename(part.node, [part.axis], own) : b.split(part.node, part.axis, own);
}

/** The range of an axis, as the part's own axes. */
function viewOf(b: GraphBuilder, id: NodeId, axis: AxisId, { at, length, own }: Omit<Cut, 'known' | 'find'>): NodeId {
  const presence = b.node(id);
  if (presence.kind === 'presence') {
    const become = (axes: readonly AxisId[]): readonly AxisId[] => axes.flatMap((a) => (a === axis ? own : [a]));
    const mask = viewOf(b, presence.mask, axis, { at, length, own });
    const bounds = replaceInBounds(presence.bounds, [axis], own, b.sizeOf);
    return b.presence(b.broadcast(mask, own), become(presence.sources), become(presence.targets), bounds);
  }
  const [only, ...more] = own;
  const as =
    only === undefined ? null : more.length === 0 ? only : b.axis(own.map((a) => b.axisOf(a).name).join(''), length);
  const cut = sliced(b, id, axis, at, as) ?? b.slice(id, axis, at, as);
  return as === null || more.length === 0 ? cut : b.split(cut, as, own);
}
