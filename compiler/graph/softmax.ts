/**
 * Sums whose terms are weights of a softmax, by their structure: Σ w · v along some axes, where w is exp(s - m) times and divided by what
 * is the same along these axes, and m the greatest s along them. Attention is one; so is a mean under a softmax. What goes along the axes
 * once can compute it: whatever the greatest was so far, all that was added up before it is worth exp(before - now) of itself.
 *
 * Nothing here is known by name: scores are any value, weights may be normalised before or not at all, and what is subtracted may be
 * greater than all scores (a sink beside them).
 */
import type { AxisId, Graph, Node, NodeId } from './graph-ir.ts';
import { liveNodes, nodeOf, operandsOf, outputNodes, usesOf } from './node-uses.ts';

type NodeOf<K extends Node['kind']> = Extract<Node, { readonly kind: K }>;

/** A contraction or a sum of weights of a softmax. */
export interface SoftmaxSum {
  readonly node: NodeOf<'contract' | 'reduce'>;
  /** What is added up along: all of it, in this order. */
  readonly over: readonly AxisId[];
  readonly score: NodeId;
  /** The greatest score. */
  readonly max: NodeId;
  /** What is taken from every score: that, or the greater of that and something else. */
  readonly shift: NodeId;
  /** exp(score - shift). */
  readonly exponential: NodeId;
  /** Whether a score of -inf counts nothing by itself; else exp(-inf - -inf) is NaN, as it says. */
  readonly isGuarded: boolean;
  /** The sum of the exponentials, if something asks for it. */
  readonly total: NodeId | null;
  /** What the exponentials become before they are weights, innermost first: the same along `over`. */
  readonly after: readonly { readonly op: 'mul' | 'div'; readonly by: NodeId }[];
  /** The weights, and what they are weights of; null: of 1. */
  readonly weights: NodeId;
  readonly value: NodeId | null;
  /** All that is made of the greatest score on the way to the sum: with it. */
  readonly core: ReadonlySet<NodeId>;
}

interface Exponential extends Pick<SoftmaxSum, 'score' | 'max' | 'shift' | 'exponential' | 'isGuarded'> {
  readonly after: SoftmaxSum['after'];
}

/** The sum that a node is; null: its terms are no weights of a softmax. */
function softmaxSumOf(graph: Graph, node: Node): SoftmaxSum | null {
  if (node.element !== 'f32') return null;
  if (node.kind === 'contract') {
    const [left, right] = [weightsOf(graph, node.left, node.over), weightsOf(graph, node.right, node.over)];
    if ((left === null) === (right === null)) return null;
    return left !== null
      ? whole(graph, node, left, node.left, node.right)
      : right !== null
        ? whole(graph, node, right, node.right, node.left)
        : null;
  }
  if (node.kind !== 'reduce' || node.op !== 'sum') return null;
  const weights = weightsOf(graph, node.operand, node.over);
  return weights === null ? null : whole(graph, node, weights, node.operand, null);
}

/** Those of a graph whose softmax nobody else looks at: neither its weights, nor what they are made of, nor their sum. */
export function softmaxSumsIn(graph: Graph): readonly SoftmaxSum[] {
  const sums = graph.nodes.flatMap((node) => softmaxSumOf(graph, node) ?? []);
  if (sums.length === 0) return [];
  const live = liveNodes(graph);
  const readers = usesOf(graph).map((users) => users.filter((id) => live[id] === true));
  const returned = new Set(outputNodes(graph));
  const isClosed = ({ core, node }: SoftmaxSum): boolean =>
    [...core].every((id) => !returned.has(id) && readers[id]?.every((reader) => core.has(reader) || reader === node.id));
  return sums.filter((sum) => live[sum.node.id] === true && isClosed(sum));
} // prettier-ignore

function whole(
  graph: Graph,
  node: SoftmaxSum['node'],
  { after, ...exponential }: Exponential,
  weights: NodeId,
  value: NodeId | null,
): SoftmaxSum | null {
  const { over } = node;
  const core = madeOf(graph, exponential.max, node);
  const isRow = (id: NodeId): boolean => nodeOf(graph, id).axes.every((a) => !over.includes(a));
  const totals: NodeId[] = [];
  const known = weightsOnTheWay(graph, weights, exponential);
  for (const id of core) {
    const own = nodeOf(graph, id);
    if (id === exponential.max || known.has(id)) continue;
    if (own.kind === 'reduce' && own.op === 'sum' && own.operand === exponential.exponential && own.over.join() === over.join())
      totals.push(id);
    else if (own.kind !== 'map' || !isRow(id)) return null;
  }
  const [total = null, ...others] = totals;
  const isApart = (id: NodeId | null): boolean => id === null || !core.has(id);
  if (others.length > 0 || !isApart(value) || !isApart(exponential.score)) return null;
  if (graph.nodes[exponential.score]?.element !== 'f32' || (value !== null && graph.nodes[value]?.element !== 'f32')) return null;
  return { node, over, ...exponential, total, after, weights, value, core };
} // prettier-ignore

/** The exponential that weights are made of, with what they are multiplied and divided by. */
function weightsOf(graph: Graph, id: NodeId, over: readonly AxisId[]): Exponential | null {
  const node = nodeOf(graph, id);
  const own = exponentialOf(graph, node, over);
  if (own !== null) return own;
  if (node.kind !== 'map' || (node.op !== 'mul' && node.op !== 'div') || node.element !== 'f32') return null;
  const [first, second] = node.operands;
  if (first === undefined || second === undefined) return null;
  const isRow = (by: NodeId): boolean => nodeOf(graph, by).axes.every((a) => !over.includes(a));
  const { op } = node;
  if (isRow(second)) {
    const inner = weightsOf(graph, first, over);
    return inner === null ? null : { ...inner, after: [...inner.after, { op, by: second }] };
  }
  if (op === 'div' || !isRow(first)) return null;
  const inner = weightsOf(graph, second, over);
  return inner === null ? null : { ...inner, after: [...inner.after, { op, by: first }] };
}

/** The nodes from the weights down to what is subtracted. */
function weightsOnTheWay(graph: Graph, weights: NodeId, { shift }: Pick<Exponential, 'shift'>): ReadonlySet<NodeId> {
  const seen = new Set<NodeId>();
  const visit = (id: NodeId): void => {
    if (seen.has(id) || id === shift) return;
    const node = nodeOf(graph, id);
    if (node.kind !== 'map') return;
    seen.add(id);
    // What stands beside the way is looked at by itself.
    if (node.op === 'mul' || node.op === 'div' || node.op === 'where' || node.op === 'exp') node.operands.forEach(visit);
  };
  visit(weights);
  return seen;
} // prettier-ignore

/** exp(s - m), or 0 where s is -inf, with m the greatest s along `over` or greater. */
function exponentialOf(graph: Graph, node: Node, over: readonly AxisId[]): Omit<Exponential, 'after'> & { readonly after: [] } | null {
  const guarded = guardedBy(graph, node);
  const exp = guarded === null ? node : nodeOf(graph, guarded.value);
  if (exp.kind !== 'map' || exp.op !== 'exp' || exp.element !== 'f32') return null;
  const difference = nodeOf(graph, exp.operands[0] ?? node.id);
  if (difference.kind !== 'map' || difference.op !== 'sub') return null;
  const [score, shift] = difference.operands;
  if (score === undefined || shift === undefined || (guarded !== null && guarded.score !== score)) return null;
  const max = greatestIn(graph, shift, score, over);
  return max === null ? null : { score, max, shift, exponential: node.id, isGuarded: guarded !== null, after: [] };
} // prettier-ignore

/** What is 0 where a score is -inf, and another value elsewhere. */
function guardedBy(graph: Graph, node: Node): { readonly score: NodeId; readonly value: NodeId } | null {
  if (node.kind !== 'map' || node.op !== 'where') return null;
  const [test, zero, value] = node.operands;
  if (test === undefined || zero === undefined || value === undefined || !isConstant(graph, zero, 0)) return null;
  const condition = nodeOf(graph, test);
  if (condition.kind !== 'map' || condition.op !== 'eq') return null;
  const [left, right] = condition.operands;
  if (left === undefined || right === undefined) return null;
  if (isConstant(graph, right, -Infinity)) return { score: left, value };
  return isConstant(graph, left, -Infinity) ? { score: right, value } : null;
}

/** The greatest score that a shift is, or is no less than. */
function greatestIn(graph: Graph, shift: NodeId, score: NodeId, over: readonly AxisId[]): NodeId | null {
  const node = nodeOf(graph, shift);
  if (node.axes.some((a) => over.includes(a))) return null;
  if (node.kind === 'reduce')
    return node.op === 'max' && node.operand === score && node.over.join() === over.join() ? shift : null;
  if (node.kind !== 'map' || node.op !== 'maximum') return null;
  return node.operands.map((id) => greatestIn(graph, id, score, over)).find((max) => max !== null) ?? null;
}

const isConstant = (graph: Graph, id: NodeId, value: number): boolean => {
  const node = nodeOf(graph, id);
  return node.kind === 'constant' && node.value === value;
};

/** What is made of a node on the way to another one: with it, and without that. */
function madeOf(graph: Graph, from: NodeId, to: Node): ReadonlySet<NodeId> {
  const found = new Set<NodeId>([from]);
  const known = new Map<NodeId, boolean>([[from, true]]);
  const visit = (id: NodeId): boolean => {
    // Operands come before who reads them.
    if (id < from) return false;
    const before = known.get(id);
    if (before !== undefined) return before;
    const is = operandsOf(graph, nodeOf(graph, id)).map(visit).includes(true);
    known.set(id, is);
    if (is) found.add(id);
    return is;
  };
  operandsOf(graph, to).forEach(visit);
  return found;
}
