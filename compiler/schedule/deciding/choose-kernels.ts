/**
 * The chooser: which kernel family computes a value, by the shape of the work. The one place that says when a family wins.
 *
 * | value | family |
 * | --- | --- |
 * | contraction whose last axis only one side has | tile (choose-tiles.ts) |
 * | any other contraction | contract |
 * | reduction of what is predicated on the presence of an assignment list, over axes of it | reduce over the list of assignments |
 * | reduction of what is predicated on a presence whose points are named, over the axes that are | reduce over slots |
 * | other reduction | reduce over a dense nest |
 * | concat of many parts | one map a part, into its place |
 * | scan, order, argmax, gather, draw | the family of that name (a look-up and a draw are maps) |
 * | choice among what was chosen | choose, along its slots |
 * | other choice | choose, a thread for each group; choose long, a workgroup for each, where groups are long |
 * | everything else | map |
 */
import { get } from '../../../dsl/diagnostics/invariants.ts';
import { asInteger, multiply, type Size } from '../../../dsl/types/size.ts';
import { POS_INF, NEG_INF } from '../../graph/infinity.ts';
import { domainOf } from '../../graph/domains.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Node, ReduceOp } from '../../graph/graph-ir.ts';
import { nodeOf } from '../../graph/node-uses.ts';
import { descends } from '../memory/memory.ts';
import type { StoredSpace } from '../memory/memory.ts';
import { namedAxes, slotsAmong } from '../../graph/slots.ts';
import { MAX_INLINE_PARTS, isKnownBefore } from './choose-storage.ts';
import type { Target } from '../../target.ts';
import { chooseTile } from './choose-tiles.ts';
import { guardedOperand, slotsSummed } from './slots-summed.ts';
import type { Choice } from './schedule-ir.ts';
import type { Storage } from './choose-storage.ts';

type NodeOf<K extends Node['kind']> = Extract<Node, { readonly kind: K }>;

export function chooseKernel(
  fused: FusedGraph,
  node: Node,
  space: StoredSpace,
  storage: Storage,
  target: Target,
): Choice {
  switch (node.kind) {
    case 'contract':
      return chooseContraction(fused, node, space, storage, target);
    case 'reduce':
      return chooseReduction(fused, node, space, storage);
    case 'concat':
      return node.parts.length > MAX_INLINE_PARTS ? { family: 'concat_parts', node } : { family: 'map', node };
    case 'scan':
      return { family: node.kind, node };
    case 'sort_rank':
      return { family: 'sort_rank', node };
    case 'choose':
      return chooseChoice(fused, node, space);
    case 'argmax':
      return { family: node.kind, node };
    case 'gather':
      return { family: node.kind, node };
    case 'draw':
      return { family: node.kind, node };
    default:
      return { family: 'map', node };
  }
}

function chooseContraction(
  fused: FusedGraph,
  node: NodeOf<'contract'>,
  space: StoredSpace,
  storage: Storage,
  target: Target,
): Choice {
  return chooseTile(fused, node, space, storage, target) ?? { family: 'contract', node };
}

/** Up to so many points a thread goes over a group alone; a longer one, or one whose length a run decides, has a workgroup. */
const MOST_ALONE = 256;

function chooseChoice(fused: FusedGraph, node: NodeOf<'choose'>, space: StoredSpace): Choice {
  const points = asInteger(multiply(node.over.map((a) => get(fused.graph.axes, a, 'schedule: axis').size)));
  // Rows of a list are counted in memory: a workgroup cannot know before its barriers whether its row is there.
  const alone = space.assignmentList !== null || (points !== null && points <= MOST_ALONE);
  const sizeOf = (axis: AxisId): Size => get(fused.graph.axes, axis, 'schedule: axis').size;
  const slots = slotsAmong(node, (id) => nodeOf(fused.graph, id), sizeOf);
  return alone || slots !== null ? { family: 'choose', node, slots } : { family: 'choose_long', node };
}

function isIdentity(op: ReduceOp, otherwise: number): boolean {
  switch (op) {
    case 'sum':
    case 'any':
      return otherwise === 0;
    case 'max':
      return otherwise <= NEG_INF;
    case 'min':
      return otherwise >= POS_INF;
  }
}

/**
 * A reduction whose operand counts only where a presence holds visits the rows of an assignment list made of that presence (and of presences
 * that hold on the whole domain of the result), if it sums over axes of that assignment list.
 */
function chooseReduction(fused: FusedGraph, node: NodeOf<'reduce'>, space: StoredSpace, storage: Storage): Choice {
  const operand = guardedOperand(fused, node);
  if (operand === null || !isIdentity(node.op, operand.otherwise)) return { family: 'reduce', node };
  const slots = slotsSummed(fused, node);
  if (slots !== null) {
    const named = namedAxes(slots);
    const dense = node.over.filter((a) => !named.includes(a));
    return { family: 'reduce_slots', node, slots, presence: operand.presence, dense, value: operand.value };
  }
  if (operand.value === node.operand) return { family: 'reduce', node };
  const holds = [...domainOf(fused, node.id).presences, operand.presence];
  const reachable = [...node.axes, ...node.over];
  const fits = storage.assignmentLists.filter(
    (r) =>
      r.form.kind !== 'slots' &&
      isKnownBefore(r, node) &&
      storage.predicateSets.holdsUnder(r.presences, operand.presence) &&
      r.presences.every((s) => storage.predicateSets.holdsUnder(holds, s)) &&
      r.axes.every((a) => reachable.includes(a)) &&
      r.axes.some((a) => node.over.includes(a)) &&
      // A constant number of operations for each assignment is not worth a list.
      reachable.some((a) => !r.axes.includes(a)),
  );
  const [assignmentList] = [...fits].sort((a, b) => b.axes.length - a.axes.length);
  if (assignmentList === undefined) return { family: 'reduce', node };
  const ancestor =
    space.assignmentList !== null && descends(assignmentList, space.assignmentList) ? space.assignmentList : null;
  const listed = node.over.filter((a) => assignmentList.axes.includes(a));
  const keys = assignmentList.axes.filter((a) => !listed.includes(a) && !(ancestor?.axes.includes(a) ?? false));
  const dense = node.over.filter((a) => !assignmentList.axes.includes(a));
  return {
    family: 'reduce_listed',
    node,
    index: { assignmentList, ancestor, keys, listed },
    dense,
    value: operand.value,
  };
}
