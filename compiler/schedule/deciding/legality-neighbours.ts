/**
 * How many neighbours along the last axis of what a step computes one thread computes at once. Four are legal where everything that depends
 * on that axis is arithmetic on what lies along it in memory, or is counted along it: then what does not depend on it (which points are
 * named, their rows, their weights) is found once for four points, and the rest is loaded and stored by vectors. Each point keeps a sum of
 * its own, so the order of every sum is the same either way.
 */
import { asInteger, multiply } from '../../../dsl/types/size.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Node, NodeId } from '../../graph/graph-ir.ts';
import { nodeOf, operandsOf } from '../../graph/node-uses.ts';
import { idsOfSlots, masksOfSlots, namedAxes, sourcesOf } from '../../graph/slots.ts';
import { isWaveOfWide } from '../../graph/wide-angles.ts';
import type { StoredSpace } from '../memory/memory.ts';
import type { Options } from './decider.ts';
import { sizeIn } from './legality.ts';
import { LANES, pointsAlong, type Spaces } from './legality-tiles.ts';
import type { Choice, Neighbours, RowStep, ScheduleStep } from './schedule-ir.ts';

/** What a step may do, what costs want first. */
export function legalNeighbours(fused: FusedGraph, step: ScheduleStep, spaces: Spaces): Options<Neighbours> {
  if (step.kind !== 'value' && step.kind !== 'row') return [1];
  if (step.kind === 'row' && !isOfPoints(step)) return [1];
  const members = step.kind === 'row' ? step.phases.flat() : [step];
  const own = new Set(step.kind === 'row' ? members.map(({ choice }) => choice.node.id) : []);
  const reading = new Reading(fused, spaces, own);
  if (!members.every(({ choice, space }) => reading.hasNeighbours(choice, space)) || reading.readsTwice) return [1];
  return paysAt(fused, members) ? [LANES, 1] : [1, LANES];
}

type Member = Pick<Extract<ScheduleStep, { readonly kind: 'value' }>, 'choice' | 'space'>;

/** A value of fewer points keeps as many threads as it has. */
const FEW_POINTS = 4096;

/**
 * What costs say: neighbours share the way through what was chosen, or is listed, or what is asked at each point. Threads are fewer, which
 * matters where there are few points whatever a run's sizes, and where sums are long and few: over all points of an axis (`reduce`).
 */
function paysAt(fused: FusedGraph, members: readonly Member[]): boolean {
  const [first] = members;
  const isShared = members.some(
    ({ choice }) =>
      choice.family === 'reduce_slots' ||
      choice.family === 'reduce_listed' ||
      (choice.family === 'reduce' && nodeOf(fused.graph, choice.node.operand).kind === 'predicated'),
  );
  if (first === undefined || !isShared) return false;
  const points = asInteger(multiply(first.space.axes.map(sizeIn(fused))));
  return first.space.assignmentList !== null || points === null || points >= FEW_POINTS;
}

/** Whether rows are points, each one thread's, whatever the device. */
function isOfPoints({ rows, phases, lanes, forms }: RowStep): boolean {
  return (
    lanes === 'one' &&
    forms.length === 0 &&
    phases.flat().every(({ space }) => space.assignmentList === null && space.axes.join() === rows.join())
  );
}

class Reading {
  readonly #fused: FusedGraph;
  readonly #spaces: Spaces;
  /** What the row computes: a thread has it at all its points. */
  readonly #own: ReadonlySet<NodeId>;
  readonly #byVectors = new Set<NodeId>();
  readonly #byElements = new Set<NodeId>();

  constructor(fused: FusedGraph, spaces: Spaces, own: ReadonlySet<NodeId>) {
    this.#fused = fused;
    this.#spaces = spaces;
    this.#own = own;
  }

  /** Whether something is read by vectors and by elements: it would be bound twice. */
  get readsTwice(): boolean {
    return [...this.#byVectors].some((id) => this.#byElements.has(id));
  }

  hasNeighbours(choice: Choice, { axes }: StoredSpace): boolean {
    const { graph } = this.#fused;
    const axis = axes.at(-1);
    const size = axis === undefined ? null : pointsAlong(graph, [axis]);
    if (axis === undefined || size === null || size === 0 || size % LANES !== 0) return false;
    switch (choice.family) {
      case 'map':
        return this.#computed(choice.node, axis);
      case 'reduce':
        return this.#along(choice.node.operand, axis);
      case 'reduce_listed':
        return !choice.index.assignmentList.axes.includes(axis) && this.#along(choice.value, axis);
      case 'reduce_slots': {
        const { slots, presence, value } = choice;
        const sources = sourcesOf(slots, (id) => nodeOf(graph, id));
        const named = [...namedAxes(slots), ...sources, ...nodeOf(graph, presence).axes];
        // What slots name is known to hold.
        for (const id of idsOfSlots(slots)) this.#elements(id);
        this.#elements(presence, masksOfSlots(slots));
        return !named.includes(axis) && this.#along(value, axis);
      }
      default:
        return false;
    }
  }

  /** Whether a value is had at neighbours along an axis, if it depends on it. */
  #along(id: NodeId, axis: AxisId): boolean {
    const node = nodeOf(this.#fused.graph, id);
    if (!node.axes.includes(axis)) return this.#elements(id);
    if (this.#own.has(id)) return true;
    const space = node.kind === 'input' ? node : this.#spaces.get(id);
    if (space === undefined) return this.#computed(node, axis);
    this.#byVectors.add(id);
    return node.element !== 'bool' && space.axes.at(-1) === axis;
  }

  /** The same of a value that depends on the axis and is computed from its operands. */
  #computed(node: Node, axis: AxisId): boolean {
    if (isWaveOfWide(node, (id) => nodeOf(this.#fused.graph, id))) return false;
    switch (node.kind) {
      case 'map':
        return node.operands.every((id) => this.#along(id, axis));
      case 'iota':
        return true;
      case 'predicated': {
        const presence = nodeOf(this.#fused.graph, node.presence);
        return !presence.axes.includes(axis) && this.#elements(presence.id) && this.#along(node.value, axis);
      }
      case 'rename': {
        const place = node.to.indexOf(axis);
        return this.#along(node.operand, place === -1 ? axis : (node.from[place] ?? axis));
      }
      case 'broadcast':
        return this.#along(node.operand, axis);
      case 'slice':
        return node.axis !== axis && node.as !== axis && this.#along(node.operand, axis);
      default:
        return false;
    }
  }

  /** Notes what a value is made of that has memory, but for what is known: it is read an element at a time. */
  #elements(id: NodeId, known: ReadonlySet<NodeId> = new Set()): true {
    const pending = new Set([id]);
    for (const each of pending) {
      if (known.has(each)) continue;
      const node = nodeOf(this.#fused.graph, each);
      if (node.kind === 'input' || this.#spaces.has(each)) this.#byElements.add(each);
      else for (const operand of operandsOf(this.#fused.graph, node)) pending.add(operand);
    }
    return true;
  }
}
