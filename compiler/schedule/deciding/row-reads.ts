/**
 * What a step reads of what has memory, and along which axes it reads it where it stands itself: two values can be computed by whoever has
 * a row only if neither looks at another row of the other.
 */
import { domainOf, type FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Node, NodeId } from '../../graph/graph-ir.ts';
import { loopAxes, movedAxes } from '../../graph/moved-axes.ts';
import { nodeOf, operandsOf } from '../../graph/node-uses.ts';
import { idsOfSlots, namedAxes, type Slots } from '../../graph/slots.ts';
import { isWaveOfWide, wideOperands } from '../../graph/wide-angles.ts';
import { presencesOfRows, type AssignmentList, type StoredSpace } from '../memory/memory.ts';
import { dependenciesOf } from './choose-storage.ts';
import type { Choice, ScheduleStep, SlotsChoice } from './schedule-ir.ts';
import { namedBy } from './step-uses.ts';

export interface Reads {
  /** Of what is read, the axes along which all who read it stand at the same point. */
  readonly of: ReadonlyMap<NodeId, ReadonlySet<AxisId>>;
  /**
   * What a launch of it loads: that, less what is known to hold where slots are named. No more than a guess: what else the text shows to be
   * true is known when it is written.
   */
  readonly loaded: ReadonlySet<NodeId>;
  /** That, and what says where values that are computed in passing are wanted. */
  readonly all: ReadonlySet<NodeId>;
  /** Whether it looks through what has memory, at what that is made of (graph/wide-angles.ts). */
  readonly looksThrough: boolean;
}

/** What a value that is stored over `space` reads: of stored values and graph inputs. */
export function readsOfValue(
  fused: FusedGraph,
  spaces: ReadonlyMap<NodeId, StoredSpace>,
  choice: Choice,
  space: StoredSpace,
): Reads {
  const { node } = choice;
  const reading = new Reading(fused, spaces);
  const here = new Set(node.axes.filter((a) => !loopAxes(node).includes(a)));
  if (choice.family === 'choose' && choice.slots !== null) reading.slots(choice.slots, here);
  for (const sum of sumsAlongSlots(choice)) reading.slots(sum.slots, here);
  if (space.assignmentList !== null) reading.list(space.assignmentList, here);
  // It looks at what is summed itself, also where what is summed under its presence has memory.
  for (const id of namedBy(choice)) reading.visit(id, here);
  const operands = operandsOf(fused.graph, node);
  for (const id of operands) reading.through(node, id, here);
  // Of its own rows it asks what they have to hold; a report of numbers asks all.
  const reports = fused.graph.checks.some((check) => check.kind === 'numbers' && check.node === node.id);
  const own = reports ? [] : (space.assignmentList?.presences ?? []);
  for (const id of dependenciesOf(fused, node))
    if (!operands.includes(id) && !own.includes(id)) reading.visit(id, here);
  return {
    of: reading.found,
    loaded: loadedBy(fused, spaces, choice, space),
    all: reading.all(),
    looksThrough: reading.looksThrough,
  };
}

function loadedBy(
  fused: FusedGraph,
  spaces: ReadonlyMap<NodeId, StoredSpace>,
  choice: Choice,
  { assignmentList }: StoredSpace,
): ReadonlySet<NodeId> {
  const loading = new Reading(fused, spaces, false);
  const nowhere: ReadonlySet<AxisId> = new Set();
  if (choice.family === 'choose' && choice.slots !== null) loading.slots(choice.slots, nowhere);
  for (const sum of sumsAlongSlots(choice)) {
    loading.slots(sum.slots, nowhere);
    loading.summed.set(sum.node.id, sum.value);
  }
  if (assignmentList !== null) loading.list(assignmentList, nowhere);
  const summed = loading.summed.get(choice.node.id);
  for (const id of summed === undefined ? operandsOf(fused.graph, choice.node) : [summed]) loading.visit(id, nowhere);
  return new Set(loading.found.keys());
}

/** What the launch of a step loads, where that is known to be less than what it reads; null: all of that. */
export function loadedByStep(
  fused: FusedGraph,
  spaces: ReadonlyMap<NodeId, StoredSpace>,
  step: ScheduleStep,
): ReadonlySet<NodeId> | null {
  if (step.kind === 'value') return loadedBy(fused, spaces, step.choice, step.space);
  if (step.kind === 'row') {
    const members = step.phases.flat();
    const own = new Set(members.map(({ choice }) => choice.node.id));
    const within = new Map([...spaces, ...members.map(({ choice, space }) => [choice.node.id, space] as const)]);
    const loaded = members.flatMap(({ choice, space }) => [...loadedBy(fused, within, choice, space)]);
    return new Set(loaded.filter((id) => !own.has(id)));
  }
  if (step.kind !== 'rows' || step.list.form.kind === 'scanned') return null;
  const loading = new Reading(fused, spaces, false);
  loading.list(step.list, new Set());
  return new Set(loading.found.keys());
}

/** What some nodes are made of: stored values and graph inputs, wherever they are read. */
export function readsOfNodes(
  fused: FusedGraph,
  spaces: ReadonlyMap<NodeId, StoredSpace>,
  ids: readonly NodeId[],
): ReadonlySet<NodeId> {
  const reading = new Reading(fused, spaces);
  for (const id of ids) reading.visit(id, new Set());
  return reading.all();
}

/** Whether a run gives a value before anything is computed. */
export function isGiven({ graph }: FusedGraph, id: NodeId): boolean {
  const node = nodeOf(graph, id);
  return node.kind === 'input' && (graph.inputs[node.input]?.default ?? null) === null;
}

/** The steps that read each node. */
export type Readers = ReadonlyMap<NodeId, readonly number[]>;

/** The same of what each step reads. */
export function readersOf(reads: readonly ReadonlySet<NodeId>[]): Readers {
  const readers = new Map<NodeId, number[]>();
  reads.forEach((ids, i) => {
    for (const id of ids) readers.set(id, [...(readers.get(id) ?? []), i]);
  });
  return readers;
}

function without(axes: ReadonlySet<AxisId>, gone: readonly AxisId[]): ReadonlySet<AxisId> {
  return gone.some((a) => axes.has(a)) ? new Set([...axes].filter((a) => !gone.includes(a))) : axes;
}

/** The sums along slots that a launch goes through. */
function sumsAlongSlots(choice: Choice): readonly SlotsChoice[] {
  if (choice.family === 'summed') return choice.parts.flatMap(({ sum }) => sum ?? []);
  return choice.family === 'reduce_slots' ? [choice] : [];
}

class Reading {
  readonly found = new Map<NodeId, ReadonlySet<AxisId>>();
  /** Sums that go along slots, each with what it adds up there. */
  readonly summed = new Map<NodeId, NodeId>();
  looksThrough = false;
  readonly #wanted = new Set<NodeId>();
  readonly #asksPresences: boolean;
  readonly #fused: FusedGraph;
  readonly #spaces: ReadonlyMap<NodeId, StoredSpace>;
  readonly #seen = new Map<NodeId, Set<string>>();

  /** `asksPresences`: whether what says that a named point is there counts as read. */
  constructor(fused: FusedGraph, spaces: ReadonlyMap<NodeId, StoredSpace>, asksPresences = true) {
    this.#asksPresences = asksPresences;
    this.#fused = fused;
    this.#spaces = spaces;
  }

  /** A node at a point that has the reader's index along the axes `here`. */
  visit(id: NodeId, here: ReadonlySet<AxisId>): void {
    const seen = this.#seen.get(id) ?? new Set();
    const key = [...here].sort((a, b) => a - b).join();
    if (seen.has(key)) return;
    this.#seen.set(id, seen.add(key));
    const value = this.summed.get(id);
    if (value !== undefined) return this.visit(value, here);
    const node = nodeOf(this.#fused.graph, id);
    const space = this.#spaces.get(id);
    if (space === undefined && node.kind !== 'input') {
      for (const presence of domainOf(this.#fused, id).presences) this.#wanted.add(presence);
      for (const operand of operandsOf(this.#fused.graph, node)) this.through(node, operand, here);
      return;
    }
    const before = this.found.get(id);
    this.found.set(id, before === undefined ? here : new Set([...before].filter((a) => here.has(a))));
    if (space?.assignmentList != null) this.list(space.assignmentList, here);
  }

  /** What was found, and what has memory of the presences of what was computed in passing. */
  all(): ReadonlySet<NodeId> {
    const found = new Set(this.found.keys());
    const wanted = new Reading(this.#fused, this.#spaces);
    for (const id of this.#wanted) wanted.visit(id, new Set());
    for (const id of this.#wanted.size === 0 ? [] : wanted.all()) found.add(id);
    return found;
  }

  /** An operand of a node that is computed at a point. */
  through(node: Node, operand: NodeId, here: ReadonlySet<AxisId>): void {
    if (isWaveOfWide(node, (id) => nodeOf(this.#fused.graph, id))) {
      this.looksThrough = true;
      this.#throughMemory(operand);
    }
    this.visit(operand, without(here, movedAxes(node, operand)));
  }

  /** What an angle is made of, as wide arithmetic takes it: also through what has memory. */
  #throughMemory(id: NodeId): void {
    this.#wanted.add(id);
    for (const operand of wideOperands(nodeOf(this.#fused.graph, id)) ?? []) this.#throughMemory(operand);
  }

  /** What says where the rows of a list are. */
  list(list: AssignmentList, here: ReadonlySet<AxisId>): void {
    if (this.#asksPresences || list.form.kind === 'scanned')
      for (const id of presencesOfRows(list)) this.visit(id, here);
    if (list.form.kind !== 'scanned') this.slots(list.form.slots, here);
    if (list.parent !== null) this.list(list.parent, here);
  }

  slots(slots: Slots, here: ReadonlySet<AxisId>): void {
    switch (slots.kind) {
      case 'chosen':
      case 'picked':
        for (const id of idsOfSlots(slots)) this.visit(id, here);
        return;
      case 'view':
        return this.slots(slots.of, slots.node.kind === 'rename' ? without(here, slots.node.from) : here);
      case 'pairs':
        this.slots(slots.first, here);
        return this.slots(slots.second, without(here, namedAxes(slots.first)));
      case 'projected':
        this.visit(slots.operand, without(here, slots.over));
        return this.slots(slots.of, without(here, slots.over));
    }
  }
}
