/**
 * fuse-elementwise
 *
 * What: decides which values get memory. Sums, orders, scans, look-ups, draws and what comes from the host do, and so do
 * results. Elementwise values, masks and views are computed where they are used, unless that would repeat real work:
 * a value that takes more than a few operations and is used several times, or by something that reads it again and
 * again because it has more axes (or sums over more) than the value. Repeated all the same is what is made of weights alone and is little beside
 * a matrix product at each point where it is repeated: kept, it would be a launch that the product waits for.
 * A presence is stored on the assignments it was made within: it is tested at every one of its points, and a mask that joins it
 * with those around it (`predicated`) then costs a few loads and is never stored itself, over axes that multiply.
 * Why: memory traffic. silu(w1 @ x) * (w3 @ x) is stored once, not three times; a bias is added in passing.
 * Before: every node a buffer. After: `materialised`.
 */
import { at, get } from '../../dsl/diagnostics/invariants.ts';
import type { MemoryReason } from '../graph/memory-reasons.ts';
import { memoryOf, mostInlined, mostParts } from '../graph/node-memory.ts';
import type { Size } from '../../dsl/types/size.ts';
import { domainOf, type FusedGraph, type SparseGraph } from '../graph/domains.ts';
import type { AxisId, Graph, Node, NodeId } from '../graph/graph-ir.ts';
import { loopAxes } from '../graph/moved-axes.ts';
import { isView } from '../graph/node-views.ts';
import { cheap, ownCost } from '../graph/operation-cost.ts';
import { nodesOfOutput, operandsOf, usesOf } from '../graph/node-uses.ts';
import { compareProducts } from '../graph/presence-bounds.ts';
import { namedAxes, slotCount, slotsAmong, slotsOf } from '../graph/slots.ts';
import { isLittleBesideProduct } from '../graph/weights-alone.ts';

export function fuseElementwise(sparse: SparseGraph): FusedGraph {
  const { graph } = sparse;
  const uses = usesOf(graph);
  // The default of a control is computed where it is put, in the control's own memory.
  const outputs = new Set(graph.outputs.flatMap(nodesOfOutput));
  const forHost = new Set(graph.externs.flatMap((e) => e.operands.map((o) => o.node)));
  const because = new Map<NodeId, MemoryReason>();
  /** Operations to compute a value at one point, where it is not stored. */
  const cost: number[] = [];
  /** Values on the longest way from one to what is stored: views cost nothing, but each is a step of whoever computes it. */
  const depth: number[] = [];
  /** What is loaded to compute a value at one point, where it is not stored, of what has as many axes. */
  const loaded: ReadonlySet<NodeId>[] = [];
  /** Why what could be computed in passing is not: `inside` is what it takes. */
  const reasonOf = (node: Node, inside: number): MemoryReason | null => {
    if (node.kind !== 'input' && outputs.has(node.id)) return { reason: 'result', text: 'a run returns it' };
    if (node.kind !== 'input' && forHost.has(node.id))
      return { reason: 'host', text: 'a function of the host reads it' };
    if (node.kind === 'concat' && node.parts.length > mostParts)
      return { reason: 'text', text: `it has ${node.parts.length} parts, and ${mostParts} at most are chosen between` };
    if (node.kind === 'concat' && isFolded(graph, uses, node.id))
      return { reason: 'kernel', text: 'a recurrence reads what is laid end to end as one buffer' };
    if (node.kind === 'presence' && inside > 1 && graph.nodes[node.mask]?.kind !== 'predicated')
      return { reason: 'cost', text: `it is asked at each of its points, and takes ${inside} operations` };
    if (isView(node) || isNamed(graph, node)) return null;
    const users = usersOf(graph, uses, node.id).length;
    const parts = at(loaded, node.id, 'passes: what a node loads').size;
    if (users >= manyReaders && parts >= manyLoads && node.kind === 'map' && node.element === 'f32')
      return { reason: 'cost', text: `it is made of ${parts} values in memory, and ${users} values read it` };
    if (inside <= cheap) return null;
    if (users > 1) return { reason: 'cost', text: `it takes ${inside} operations, and ${users} values read it` };
    return repeated(sparse, uses, node) && !isLittle(node)
      ? { reason: 'cost', text: `it takes ${inside} operations, and would be computed again for each of many points` }
      : null;
  };
  /** Repeated it costs little wherever it is read. */
  const isLittle = (node: Node): boolean =>
    usersOf(graph, uses, node.id).every((id) =>
      isLittleBesideProduct(graph, node, at(graph.nodes, id, 'passes: node')),
    );
  const loadedFor = ({ id, kind }: Node): readonly NodeId[] => {
    return because.has(id) || kind === 'input' ? [id] : [...at(loaded, id, 'passes: what a node loads')];
  };
  for (const node of graph.nodes) {
    const operands = [...new Set(operandsOf(graph, node))];
    const inside = operands.reduce((sum, id) => sum + at(cost, id, 'passes: cost of node'), ownCost(node));
    const deep = operands.reduce((most, id) => Math.max(most, at(depth, id, 'passes: depth of node')), 0) + 1;
    loaded.push(new Set(operands.flatMap((id) => loadedFor(at(graph.nodes, id, 'passes: node')))));
    const reason = ownMemory(node) ?? tooLong(inside, deep) ?? reasonOf(node, inside);
    if (reason !== null) because.set(node.id, reason);
    cost.push(reason !== null || node.kind === 'input' ? 0 : inside);
    depth.push(reason !== null || node.kind === 'input' ? 0 : deep);
  }
  return { ...sparse, materialised: new Set(because.keys()), because };
}

/** So many loads by so many readers are more than one store, and a load each, of what they come to; and each binds a buffer. */
const [manyLoads, manyReaders] = [3, 3];

/** What a thread cannot compute in passing. */
function ownMemory(node: Node): MemoryReason | null {
  if (node.kind === 'concat' || memoryOf(node) !== 'needed') return null;
  return node.kind === 'extern'
    ? { reason: 'host', text: 'a function of the host gives it' }
    : { reason: 'kernel', text: `a ${node.kind} goes over points of its own before there is a number to read` };
}

function tooLong(inside: number, deep: number): MemoryReason | null {
  const most = Math.max(inside, deep);
  return most > mostInlined
    ? {
        reason: 'text',
        text: `${most} operations or steps lead to it, and ${mostInlined} at most are computed in passing`,
      }
    : null;
}

/** Whether the points at which a mask may be true are named, fewer than there are: who looks at those alone computes it there. */
function isNamed(graph: Graph, node: Node): boolean {
  if (node.element !== 'bool') return false;
  const sizeOf = sizeIn(graph);
  const slots = slotsOf(node.id, (id) => at(graph.nodes, id, 'passes: node'), sizeOf);
  return slots !== null && compareProducts([slotCount(slots, sizeOf)], namedAxes(slots).map(sizeOf)) === -1;
}

/** Whether a recurrence reads a value: what is laid end to end for it is one buffer. */
function isFolded(graph: Graph, uses: readonly (readonly NodeId[])[], id: NodeId): boolean {
  return at(uses, id, 'passes: uses of node').some((user) => at(graph.nodes, user, 'passes: node').kind === 'fold');
}

/** Who reads a value, seen through views. */
function usersOf(graph: Graph, uses: readonly (readonly NodeId[])[], id: NodeId): readonly NodeId[] {
  const users = at(uses, id, 'passes: uses of node').flatMap((user) => {
    return isView(at(graph.nodes, user, 'passes: node')) ? usersOf(graph, uses, user) : [user];
  });
  return [...new Set(users)];
}

/** Whether some user computes more points than the value has: each would compute it again. */
function repeated(sparse: SparseGraph, uses: readonly (readonly NodeId[])[], node: Node): boolean {
  const more = (own: readonly AxisId[], other: readonly AxisId[]): boolean => other.some((a) => !own.includes(a));
  return at(uses, node.id, 'passes: uses of node').some((id) => {
    const user = at(sparse.graph.nodes, id, 'passes: node');
    if (isView(user)) return user.kind === 'broadcast' || repeated(sparse, uses, user);
    // Among what was chosen a choice looks at few points of a group: to have all of them in memory takes longer.
    if (slotsAmong(user, (n) => at(sparse.graph.nodes, n, 'passes: node'), sizeIn(sparse.graph)) !== null) return false;
    if (more(node.axes, [...user.axes, ...loopAxes(user)])) return true;
    // One point of these reads a whole group, and the next point of the group reads it again.
    // A step reads what it captures again, or several times.
    if (user.kind === 'fold') return true;
    return (
      user.kind === 'sort_rank' || user.kind === 'choose' || user.kind === 'scan' || onMorePoints(sparse, node, user)
    );
  });
}

function sizeIn({ axes }: Graph): (axis: AxisId) => Size {
  return (axis) => get(axes, axis, 'passes: axis').size;
}

/** A value on assignments read by one that is not: the points differ, so it cannot be computed in passing there. */
function onMorePoints(sparse: SparseGraph, node: Node, user: Node): boolean {
  const presences = domainOf(sparse, node.id).presences;
  return (
    presences.length > 0 &&
    user.kind !== 'predicated' &&
    user.kind !== 'reduce' &&
    domainOf(sparse, user.id).presences.length === 0
  );
}
