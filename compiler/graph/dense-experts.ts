/**
 * Programs that run every expert although a route is there: experts' outputs that are computed at all points of a route's axes and
 * only then weighed by the route, so that what it left out was computed for nothing.
 *
 * A value is such an output if it is a contraction with a param that has the route's target axis (or is one point of it, in a loop
 * over experts), has axes of its own beside the route's (scores, which have none, are what a route is chosen by), is computed
 * everywhere along the target, and meets the route below: as the value of a mask, or as a factor of what the mask gave.
 */
import { at, get } from '../../dsl/diagnostics/invariants.ts';
import type { Span } from '../../dsl/diagnostics/diagnostic.ts';
import { domainOf, type SparseGraph } from './domains.ts';
import type { AxisId, Graph, Node, NodeId } from './graph-ir.ts';
import { liveNodes, nodeOf, operandsOf, usesOf } from './node-uses.ts';

export interface DenseExperts {
  /** The experts' name: `ffn` of the param `ffn.w1`. */
  readonly family: string;
  /** The name of the axis that is computed whole. */
  readonly axis: string;
  /** The first place in the program's own file at which their outputs are used. */
  readonly span: Span;
}

type Presence = Extract<Node, { kind: 'presence' }>;

/** `main` is the name of the program's own file. */
export function denseExperts(sparse: SparseGraph, main: string): readonly DenseExperts[] {
  const { graph } = sparse;
  const live = liveNodes(graph);
  const uses = usesOf(graph);
  const presences = graph.nodes.filter((n): n is Presence => n.kind === 'presence' && live[n.id] === true);
  if (presences.length === 0) return [];
  const found: DenseExperts[] = [];
  for (const node of graph.nodes) {
    if (node.kind !== 'contract' || live[node.id] !== true) continue;
    const expert = [node.left, node.right].map((id) => paramBelow(graph, id)).find((p) => p !== null);
    if (expert === undefined || expert === null) continue;
    const meant = presences.filter((s) => isOutput(sparse, node, expert, s));
    if (meant.length === 0) continue;
    const below = descendants(uses, node.id);
    const route = meant.find((s) => !below.has(s.id) && meets(graph, below, s));
    const target = route?.targets.find((a) => expert.whole.includes(a) || expert.points.includes(a));
    if (route === undefined || target === undefined) continue;
    const span = firstSpan(sparse, uses, node.id, main);
    if (found.some((f) => f.span.start === span.start && f.span.source === span.source)) continue;
    const axis = get(graph.axes, target, 'graph: axis').name;
    found.push({ family: expert.name.replace(/\.[^.]*$/, ''), axis, span });
  }
  return found;
}

interface Param {
  readonly name: string;
  /** Axes of the param as it is used, and those of which it is one point. */
  readonly whole: readonly AxisId[];
  readonly points: readonly AxisId[];
}

/** The param that a value is, seen through views. */
function paramBelow(graph: Graph, id: NodeId): Param | null {
  const points: AxisId[] = [];
  const top = nodeOf(graph, id);
  for (let node = top; ;) {
    switch (node.kind) {
      case 'input': {
        const input = graph.inputs[node.input];
        return input?.role === 'param' ? { name: input.name, whole: top.axes, points } : null;
      }
      case 'slice':
        if (node.as === null) points.push(node.axis);
        node = nodeOf(graph, node.operand);
        break;
      case 'rename':
      case 'split':
      case 'merge':
      case 'broadcast':
        node = nodeOf(graph, node.operand);
        break;
      default:
        return null;
    }
  }
}

/** Whether a contraction is an output of experts that this route chooses among, computed whether it chose them or not. */
function isOutput(sparse: SparseGraph, node: Node, param: Param, route: Presence): boolean {
  const domain = domainOf(sparse, node.id).presences.map((s) => nodeOf(sparse.graph, s));
  const own = node.axes.filter((a) => !route.axes.includes(a));
  if (own.length === 0 || !route.sources.some((a) => node.axes.includes(a))) return false;
  const along = route.targets.filter((a) => param.whole.includes(a) && node.axes.includes(a));
  if (along.length > 0) return !domain.some((s) => along.some((a) => s.axes.includes(a)));
  return route.targets.some((a) => param.points.includes(a)) && domain.length === 0;
}

function descendants(uses: readonly (readonly NodeId[])[], id: NodeId): ReadonlySet<NodeId> {
  const found = new Set<NodeId>([id]);
  for (const node of found) for (const user of at(uses, node, 'graph: uses of node')) found.add(user);
  return found;
}

/** Whether something below a value is predicated on a route or multiplied with what the route's mask gave. */
function meets(graph: Graph, below: ReadonlySet<NodeId>, route: Presence): boolean {
  for (const id of below) {
    const node = nodeOf(graph, id);
    if (node.kind === 'predicated' && node.presence === route.id && below.has(node.value)) return true;
    if (node.kind !== 'contract' && !(node.kind === 'map' && node.op === 'mul')) continue;
    const factors = operandsOf(graph, node);
    if (factors.some((f) => below.has(f)) && factors.some((f) => !below.has(f) && isWeight(graph, f, route)))
      return true;
  }
  return false;
}

/** Whether a value is what a route's mask gave, seen through views and arithmetic. */
function isWeight(graph: Graph, id: NodeId, route: Presence): boolean {
  const seen = new Set<NodeId>([id]);
  for (const at of seen) {
    const node = nodeOf(graph, at);
    if (node.kind === 'predicated' && node.presence === route.id) return true;
    switch (node.kind) {
      case 'map':
      case 'slice':
      case 'rename':
      case 'split':
      case 'merge':
      case 'broadcast':
        for (const operand of operandsOf(graph, node)) seen.add(operand);
        break;
      default:
        break;
    }
  }
  return false;
}

/** The first use of a value that stands in the program's own file and is itself computed everywhere; breadth first. */
function firstSpan(sparse: SparseGraph, uses: readonly (readonly NodeId[])[], id: NodeId, main: string): Span {
  const { graph } = sparse;
  for (const at of descendants(uses, id)) {
    const { span } = nodeOf(graph, at);
    if (span.source === main && domainOf(sparse, at).presences.length === 0) return span;
  }
  return nodeOf(graph, id).span;
}
