/**
 * planSchedule: a graph whose values know where they are computed, to a schedule.
 *
 *   what has memory, and over which points               choose-storage.ts
 *   whether the rows of a list are made, or are slots    list-forms.ts
 *   which sums of a softmax are computed with it         choose-online.ts
 *   which contractions are computed where they are used  choose-summed.ts, choose-tiles.ts
 *   in the order of the graph, each after what it reads:
 *     the assignments it lives on, once; the lists of them that it goes along
 *     the kernel family that computes it                  choose-kernels.ts
 *   a check as soon as everything it looks at is there: what that holds need not live longer
 *   what stands on the same rows, in one step              merge-rows.ts
 *   how many neighbours one thread computes                legality-neighbours.ts
 *   the outputs
 */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { at } from '../../../dsl/diagnostics/invariants.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { ExternCallId, Node, NodeId } from '../../graph/graph-ir.ts';
import { nodeOf, nodesOfCheck } from '../../graph/node-uses.ts';
import type { Target } from '../../target.ts';
import { queuedPresence, type AssignmentList } from '../memory/memory.ts';
import { chooseFold } from './choose-fold.ts';
import { chooseKernel } from './choose-kernels.ts';
import { chooseOnline } from './choose-online.ts';
import { chooseStorage, dependenciesOf } from './choose-storage.ts';
import { chooseSummed } from './choose-summed.ts';
import { chooseHeads } from './choose-tiles.ts';
import { byCost, type Decider } from './decider.ts';
import { legalLayouts } from './legality.ts';
import { withForms } from './list-forms.ts';
import { mergeRows } from './merge-rows.ts';
import { legalNeighbours } from './legality-neighbours.ts';
import {
  blocksKey,
  hasBlocks,
  indexKey,
  insidesOf,
  keyOf,
  type IndexShape,
  type Schedule,
  type ScheduleStep,
} from './schedule-ir.ts';

/** What is known of a schedule from an attempt at it. */
export interface Found {
  /** Values that get memory because a launch would bind too many buffers. */
  readonly split: ReadonlySet<NodeId>;
  /** Values that get none, since nobody reads them. */
  readonly unread: ReadonlySet<NodeId>;
  /** Values that had memory when costs chose lists, and that nobody reads. */
  readonly known: ReadonlySet<NodeId>;
  /** Values that a row holds for its own, and that nobody reads from memory. */
  readonly unkept: ReadonlySet<NodeId>;
  /** Values of launches that bound more than was guessed: all that they read counts, and all who read them. */
  readonly counted: ReadonlySet<NodeId>;
  /** Places in queues that somebody reads who is no list: they have memory. */
  readonly inMemory: ReadonlySet<NodeId>;
  /** Values that are in no row with others, whose launch would bind too many buffers. */
  readonly apart: ReadonlySet<NodeId>;
}

export const nothingFound: Found = {
  split: new Set(),
  unread: new Set(),
  known: new Set(),
  unkept: new Set(),
  counted: new Set(),
  inMemory: new Set(),
  apart: new Set(),
};

export function planSchedule(
  fused: FusedGraph,
  target: Target,
  { split, unread, known, unkept, counted, inMemory, apart }: Found = nothingFound,
  decider: Decider = byCost,
): Schedule {
  const { graph } = fused;
  const choosing = { target, decider };
  const all = chooseStorage(fused, split, known, decider);
  const without = <V>(values: ReadonlyMap<NodeId, V>, ids: ReadonlySet<NodeId>): ReadonlyMap<NodeId, V> =>
    new Map([...values].filter(([id]) => !ids.has(id)));
  // What nobody reads had memory when lists were chosen, and has none now.
  const formed = withForms(fused, { ...all, spaces: without(all.spaces, unread) }, choosing, { split, inMemory });
  const online = chooseOnline(fused, formed, choosing, split);
  const streamed = new Set([...online.values()].flatMap(({ inside }) => inside));
  const chosen = { ...formed, spaces: without(formed.spaces, streamed) };
  const summed = chooseSummed(fused, chosen, choosing, split);
  const insides = new Set([...summed.values()].flatMap(insidesOf));
  const apartFrom = { ...chosen, spaces: without(chosen.spaces, insides) };
  const { tiles, refused } = chooseHeads(
    fused,
    apartFrom,
    choosing,
    split,
    (node, space) => chooseKernel(fused, node, space, chosen, choosing).family,
    summed,
  );
  const heads = new Set([...tiles.values()].flatMap((tile) => tile.heads.map(({ node }) => node.id)));
  const spaces = without(apartFrom.spaces, heads);
  const storage = { ...chosen, spaces };
  // Who looked at a contraction as a head knows more of it than who gave it memory before.
  const because = new Map([...all.because, ...refused].filter(([id]) => spaces.has(id)));
  const steps: ScheduleStep[] = [];
  const listed = new Set<AssignmentList>();
  const indexed = new Set<string>();
  const cut = new Set<string>();
  const called = new Set<ExternCallId>();
  const done = new Set<NodeId>();

  const rows = (list: AssignmentList | null): void => {
    // Slots are there as soon as they are chosen.
    if (list === null || list.form.kind === 'slots' || listed.has(list)) return;
    listed.add(list);
    rows(list.parent);
    steps.push({ kind: 'rows', list });
  };
  const index = (shape: IndexShape): void => {
    rows(shape.assignmentList);
    if (indexed.has(indexKey(shape))) return;
    indexed.add(indexKey(shape));
    steps.push({ kind: 'index', shape });
  };
  const blocks = (list: AssignmentList | null, blockRows: number): void => {
    if (list === null) throw new CompilerBug('schedule', 'a grouped matmul has no assignment list');
    if (cut.has(blocksKey(list, blockRows)) || hasBlocks(list, blockRows)) return;
    cut.add(blocksKey(list, blockRows));
    steps.push({ kind: 'blocks', list, blockRows });
  };
  const extern = (call: ExternCallId): void => {
    if (called.has(call)) return;
    called.add(call);
    steps.push({ kind: 'extern', call });
  };
  /** All results of one recurrence at once: what they read is the same. */
  const fold = (node: Extract<Node, { readonly kind: 'fold' }>): void => {
    const nodes = storage.live.filter((id) => {
      const other = nodeOf(graph, id);
      return other.kind === 'fold' && other.fold === node.fold && other.operands.join() === node.operands.join();
    });
    for (const id of nodes) done.add(id);
    const legal = legalLayouts(chooseFold(at(graph.folds, node.fold, 'schedule: fold'), graph.axes));
    steps.push({ kind: 'fold', nodes, layout: decider.fold(nodes, legal) });
  };
  /** Ids ascend but for the defaults of controls, so this nests no deeper than those. */
  const compute = (id: NodeId): void => {
    if (done.has(id)) return;
    done.add(id);
    const node = nodeOf(graph, id);
    for (const before of dependenciesOf(fused, node)) compute(before);
    if (node.kind === 'input' && at(graph.inputs, node.input, 'schedule: graph input').default !== null)
      steps.push({ kind: 'default', input: node.input });
    const space = storage.spaces.get(id);
    if (space === undefined) return;
    if (node.kind === 'extern') {
      extern(node.call);
      return;
    }
    if (node.kind === 'fold') {
      fold(node);
      return;
    }
    rows(space.assignmentList);
    if (space.assignmentList !== null && queuedPresence(space.assignmentList) === id) return;
    const choice =
      summed.get(id) ?? tiles.get(id) ?? online.get(id) ?? chooseKernel(fused, node, space, chosen, choosing);
    if (choice.family === 'reduce_listed') index(choice.index);
    if (choice.family === 'tile' && choice.rows.kind === 'blocks') blocks(space.assignmentList, choice.rows.blockRows);
    steps.push({ kind: 'value', choice, space, neighbours: 1 });
  };

  const waiting = [...storage.checked]
    .map(([check, space]) => ({ check, space, last: lastNodeOf(fused, check) }))
    .sort((a, b) => a.last - b.last || a.check - b.check);
  const look = (upTo: number): void => {
    for (let next = waiting[0]; next !== undefined && next.last <= upTo; next = waiting[0]) {
      waiting.shift();
      rows(next.space.assignmentList);
      steps.push({ kind: 'check', check: next.check, space: next.space });
    }
  };
  for (const id of storage.live) {
    look(id - 1);
    compute(id);
  }
  look(Infinity);
  graph.outputs.forEach((_, output) => steps.push({ kind: 'output', output }));
  const { live, assignmentLists } = storage;
  const places = assignmentLists.flatMap(({ form }) =>
    form.kind !== 'scanned' && form.queue !== null ? [form.queue.place] : [],
  );
  const whole = {
    entry: graph.name,
    spaces,
    because,
    live,
    unread: new Set([...unread, ...places]),
    assignmentLists,
    steps,
    beside: new Map(),
  };
  const merged = mergeRows(fused, whole, choosing, { unkept, counted, apart });
  const stored = without(spaces, merged.inRowOnly);
  return {
    ...whole,
    steps: merged.steps.map((step) => withNeighbours(fused, step, stored, decider)),
    spaces: stored,
    because: without(because, merged.inRowOnly),
  };
}

/** A step with as many neighbours for each thread as is decided. */
function withNeighbours(
  fused: FusedGraph,
  step: ScheduleStep,
  spaces: Schedule['spaces'],
  decider: Decider,
): ScheduleStep {
  const key = keyOf(step);
  if (key === null || (step.kind !== 'value' && step.kind !== 'row')) return step;
  return { ...step, neighbours: decider.neighbours(key, legalNeighbours(fused, step, spaces)) };
}

/** The last node of those that a check looks at. */
function lastNodeOf({ graph }: FusedGraph, index: number): number {
  return Math.max(...nodesOfCheck(at(graph.checks, index, 'schedule: check')));
}
