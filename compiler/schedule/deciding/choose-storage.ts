/**
 * Which values get memory, and over which space.
 *
 * Memory: what the fusion pass says, what cannot be inlined (sums, orders, draws, look-ups, extern results), and what
 * would otherwise be computed once for every step of somebody's inner loop (`recomputed`).
 *
 * Space: dense, unless the value's domain has presences: then on the assignment list of those presences, if that assignment list earns its three
 * launches. It does when some value on it takes more than a constant number of operations for each assignment (it has features, or
 * sums over some): the algebra of weights over tokens × experts stays dense and cheap. Where what chose the points names them the list
 * need not be made at all (list-forms.ts), and that algebra goes where the points are.
 */
import { at, get } from '../../../dsl/diagnostics/invariants.ts';
import type { Size } from '../../../dsl/types/size.ts';
import { domainOf } from '../../graph/domains.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Node, NodeId } from '../../graph/graph-ir.ts';
import { givenMemory, type MemoryReason } from '../../graph/memory-reasons.ts';
import { loopAxes } from '../../graph/moved-axes.ts';
import { memoryOf } from '../../graph/node-memory.ts';
import { nodeOf, nodesOfCheck, nodesOfOutput, operandsOf, whereNumbersCount } from '../../graph/node-uses.ts';
import { slotsAmong } from '../../graph/slots.ts';
import { isLittleBesideProduct } from '../../graph/weights-alone.ts';
import { PredicateSets } from './predicate-sets.ts';
import { AssignmentListTable } from './assignment-list-table.ts';
import type { Decider } from './decider.ts';
import { isStoredAnyway, legalSpaces, usablePresences } from './legality.ts';
import { slotsSummed } from './slots-summed.ts';
import type { AssignmentList, AssignmentListId, StoredSpace } from '../memory/memory.ts';

export interface Storage {
  /** Nodes with memory of their own (graph inputs have theirs from outside). */
  readonly spaces: ReadonlyMap<NodeId, StoredSpace>;
  /** Why each of them has memory. */
  readonly because: ReadonlyMap<NodeId, MemoryReason>;
  /** Nodes a run needs, in id order: outputs, defaults, externs, presences of domains, and all they read. */
  readonly live: readonly NodeId[];
  readonly assignmentLists: readonly AssignmentList[];
  /** Lists along whose rows something is summed. */
  readonly summed: ReadonlySet<AssignmentListId>;
  /** Lists that are there only because their points are named: no step is worth making them. */
  readonly named: ReadonlySet<AssignmentListId>;
  readonly predicateSets: PredicateSets;
  /** Over which points each check looks, by its number; those of numbers are in the kernel of their node. */
  readonly checked: ReadonlyMap<number, StoredSpace>;
}

/**
 * `split`: values that must have memory because a launch ran out of bindings. `known`: those that had memory when costs chose lists,
 * and that nobody reads.
 */
export function chooseStorage(
  fused: FusedGraph,
  split: ReadonlySet<NodeId>,
  known: ReadonlySet<NodeId>,
  decider: Decider,
): Storage {
  const { graph } = fused;
  const live = liveNodes(fused);
  const stored = new Map<NodeId, MemoryReason>();
  const pinned = decider.stored;
  for (const id of live) {
    const node = nodeOf(graph, id);
    if (memoryOf(node) === 'none') continue;
    const own = fused.because?.get(id) ?? givenMemory;
    const byCost = isStoredAnyway(fused, node) || (pinned === null && fused.materialised.has(id));
    if (byCost) stored.set(id, own);
    else if (pinned !== null && (pinned.has(id) || known.has(id))) stored.set(id, givenMemory);
    else if (split.has(id)) stored.set(id, { reason: 'bindings', text: 'without it a launch binds too many buffers' });
  }
  // A value stored lest it be recomputed is a consumer itself: go on until nothing changes.
  for (const id of pinned === null ? [...live].reverse() : []) {
    if (!stored.has(id)) continue;
    for (const extra of recomputed(fused, nodeOf(graph, id), stored))
      stored.set(extra, { reason: 'cost', text: `%${id} would compute it again in each round of its loop` });
  }
  const predicateSets = new PredicateSets(fused);
  const assignmentLists = new AssignmentListTable(fused, predicateSets);
  const wanted: Wanted[] = [];
  for (const id of stored.keys()) {
    const node = nodeOf(graph, id);
    const want = (presences: readonly NodeId[], isSummed: boolean): void => {
      if (presences.length > 0) wanted.push({ presences, isSummed, heavy: isHeavy(fused, node, presences) });
    };
    // What is summed under a presence is visited by assignment: the list needs the assignment list too.
    want(usablePresences(fused, node), false);
    want(summedPresences(fused, node), true);
  }
  // Of several ways to write a set of assignments, the one that is known first makes the assignment list.
  wanted.sort((a, b) => Math.max(...a.presences) - Math.max(...b.presences));
  const summed = new Set<AssignmentListId>();
  for (const { presences, isSummed, heavy } of wanted) {
    if (!heavy) continue;
    const list = assignmentLists.of(presences);
    if (isSummed) summed.add(list.id);
  }
  const made = new Set(assignmentLists.all.map(({ id }) => id));
  for (const { presences, isSummed, heavy } of wanted) if (!heavy && !isSummed) assignmentLists.ofNamed(presences);
  const named = new Set(assignmentLists.all.map(({ id }) => id).filter((id) => !made.has(id)));
  const lists = madeLists(assignmentLists.all, named, decider);
  const spaces = new Map<NodeId, StoredSpace>();
  for (const id of [...stored.keys()].sort((a, b) => a - b)) {
    const node = nodeOf(graph, id);
    const legal = legalSpaces(predicateSets, lists, usablePresences(fused, node), node);
    spaces.set(id, decider.space(id, legal));
  }
  const checked = new Map<number, StoredSpace>();
  graph.checks.forEach((check, i) => {
    if (check.kind !== 'holds') return;
    const [first] = legalSpaces(predicateSets, lists, check.where, nodeOf(graph, check.node));
    checked.set(i, first);
  });
  return { spaces, because: stored, live, assignmentLists: lists, summed, named, predicateSets, checked };
}

/** Of the lists that costs want, those that are made, with what they refine. */
function madeLists(
  all: readonly AssignmentList[],
  named: ReadonlySet<AssignmentListId>,
  decider: Decider,
): readonly AssignmentList[] {
  const made = new Set<AssignmentList>();
  const make = (list: AssignmentList | null): void => {
    if (list === null || made.has(list)) return;
    made.add(list);
    make(list.parent);
  };
  for (const list of all) if (named.has(list.id) || decider.makesList(list)) make(list);
  return all.filter((list) => made.has(list));
}

/** A set of assignments that a stored value lives on, or is summed over. */
interface Wanted {
  readonly presences: readonly NodeId[];
  readonly isSummed: boolean;
  /** Whether it takes more than a constant number of operations for each assignment. */
  readonly heavy: boolean;
}

function liveNodes(fused: FusedGraph): readonly NodeId[] {
  const { graph } = fused;
  const live = new Set<NodeId>();
  const pending = [...graph.outputs.flatMap(nodesOfOutput), ...graph.checks.flatMap(nodesOfCheck)];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (live.has(id)) continue;
    live.add(id);
    pending.push(...dependenciesOf(fused, nodeOf(graph, id)));
  }
  return [...live].sort((a, b) => a - b);
}

/** What must be known before a node: its operands, the presences of its domain, a control's default, where a NaN in it counts. */
export function dependenciesOf(fused: FusedGraph, node: Node): readonly NodeId[] {
  const defaultNode = node.kind === 'input' ? (fused.graph.inputs[node.input]?.default ?? null) : null;
  return [
    ...operandsOf(fused.graph, node),
    // Where somebody reads an input it is there, whoever reads it.
    ...(node.kind === 'input' ? [] : domainOf(fused, node.id).presences),
    ...(defaultNode === null ? [] : [defaultNode]),
    ...whereNumbersCount(fused.graph, node),
  ];
}

/** Whether a value takes more than a few operations for each of the points where these hold. */
export function isHeavy(fused: FusedGraph, node: Node, presences: readonly NodeId[]): boolean {
  const support = new Set(presences.flatMap((s) => nodeOf(fused.graph, s).axes));
  return [...node.axes, ...loopAxes(node)].some((a) => !support.has(a));
}

/** The presences that hold wherever a reduction over a predicated operand finds something; none: no such reduction. */
function summedPresences(fused: FusedGraph, node: Node): readonly NodeId[] {
  if (node.kind !== 'reduce') return [];
  const operand = nodeOf(fused.graph, node.operand);
  if (operand.kind !== 'predicated') return [];
  if (!nodeOf(fused.graph, operand.presence).axes.some((a) => node.over.includes(a))) return [];
  if (slotsSummed(fused, node) !== null) return [];
  return [...domainOf(fused, node.id).presences, operand.presence];
}

/** What has memory, as it is asked for. */
type Stored = Pick<ReadonlySet<NodeId>, 'has'>;

/**
 * Values inlined into the loop of `consumer` that do not vary with all it runs over and take more than a load: each would be
 * computed again and again. Keys and candidates of an order are looked at again and again, and count as such.
 */
function recomputed(fused: FusedGraph, consumer: Node, stored: Stored): readonly NodeId[] {
  const { graph } = fused;
  const loops = loopAxes(consumer);
  const pairwise = consumer.kind === 'sort_rank' || consumer.kind === 'choose';
  if (consumer.kind !== 'contract' && consumer.kind !== 'reduce' && !pairwise) return [];
  const sizeOf = (axis: AxisId): Size => get(graph.axes, axis, 'schedule: axis').size;
  if (slotsAmong(consumer, (id) => nodeOf(graph, id), sizeOf) !== null) return [];
  const found: NodeId[] = [];
  const everything = new Set<AxisId>([...consumer.axes, ...loops]);
  const identity = new Map([...everything].map((a) => [a, new Set([a])] as const));
  type Mapping = ReadonlyMap<AxisId, ReadonlySet<AxisId>>;
  const visit = (id: NodeId, mapping: Mapping, reader: Node): void => {
    const node = nodeOf(graph, id);
    if (stored.has(id) || node.kind === 'input') return;
    const variesBy = (axes: readonly AxisId[]): number =>
      new Set(axes.flatMap((a) => [...(mapping.get(a) ?? [])])).size;
    if ((pairwise || variesBy(node.axes) < everything.size) && costOf(fused, node, stored) >= 2) {
      // Beside a product that is computed at each of these points it is little.
      if (!pairwise && variesBy(reader.axes) === everything.size && isLittleBesideProduct(graph, node, reader)) return;
      found.push(id);
      return;
    }
    const set = (axis: AxisId, axes: Iterable<AxisId>): Mapping => new Map([...mapping, [axis, new Set(axes)]]);
    const of = (axis: AxisId) => mapping.get(axis) ?? new Set<AxisId>();
    switch (node.kind) {
      case 'rename':
        return visit(
          node.operand,
          new Map([
            ...mapping,
            ...node.from.map((f, i) => [f, of(at(node.to, i, 'schedule: axis of a rename'))] as const),
          ]),
          node,
        );
      case 'slice':
        return visit(node.operand, set(node.axis, node.as === null ? [] : of(node.as)), node);
      case 'split':
        return visit(node.operand, set(node.axis, node.into.flatMap((a) => [...of(a)])), node); // prettier-ignore
      case 'merge':
        return visit(node.operand, new Map([...mapping, ...node.from.map((f) => [f, of(node.into)] as const)]), node);
      case 'concat':
        for (const part of node.parts)
          visit(part.node, part.axis === null ? mapping : set(part.axis, of(node.axis)), node);
        return;
      default:
        for (const operand of operandsOf(graph, node)) visit(operand, mapping, node);
    }
  };
  for (const operand of operandsOf(graph, consumer)) visit(operand, identity, consumer);
  return found;
}

/** Arithmetic operations a value takes where it is inlined; a load and a view are free, a division counts 2. */
function costOf(fused: FusedGraph, node: Node, stored: Stored): number {
  if (stored.has(node.id) || node.kind === 'input') return 0;
  const below = operandsOf(fused.graph, node).reduce(
    (sum, id) => sum + costOf(fused, nodeOf(fused.graph, id), stored),
    0,
  );
  switch (node.kind) {
    case 'map':
      return below + (CHEAP.has(node.op) ? 1 : 2);
    case 'predicated':
    case 'concat':
      return below + 1;
    default:
      return below;
  }
}

const CHEAP: ReadonlySet<string> = new Set([
  'add',
  'sub',
  'mul',
  'neg',
  'not',
  'and',
  'or',
  'eq',
  'ne',
  'lt',
  'le',
  'gt',
  'ge',
  'convert',
  'where',
  'minimum',
  'maximum',
  'abs',
  'relu',
]);
