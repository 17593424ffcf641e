/** Whether a step of a schedule is one that may be: each by the rules of legality.ts and legality-tiles.ts. */
import { at } from '../../../dsl/diagnostics/invariants.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Node, NodeId } from '../../graph/graph-ir.ts';
import { loopAxes } from '../../graph/moved-axes.ts';
import { nodeOf } from '../../graph/node-uses.ts';
import { sameSlots } from '../../graph/slots.ts';
import type { Target } from '../../target.ts';
import type { AssignmentList, ListForm, StoredSpace } from '../memory/memory.ts';
import { chooseFold } from './choose-fold.ts';
import { isInPassing, partsOf, sameSpace } from './choose-tiles.ts';
import { legalChoices, legalForms, legalLayouts, legalSpaces, usablePresences } from './legality.ts';
import { summedFault, summedParts } from './legality-summed.ts';
import { legalNeighbours } from './legality-neighbours.ts';
import { onlineChoices, onlineFactsOf, type OnlineFacts } from './legality-online.ts';
import { choiceText } from './print-schedule.ts';
import { pointsAlong, sharedOptions, sidesOf, tileFault, tileOptions, type TileSides } from './legality-tiles.ts';
import { PredicateSets } from './predicate-sets.ts';
import { goesAlongSlots, isComparedAlone, listOfRows, rowAxes } from './row-layout.ts';
import { hasRoom, hasRoomAlone } from './row-lanes.ts';
import { isGiven, readsOfValue } from './row-reads.ts';
import {
  indexKey,
  insidesOf,
  type Choice,
  type OnlineChoice,
  type RowStep,
  type Schedule,
  type ScheduleStep,
  type SummedChoice,
  type TileChoice,
} from './schedule-ir.ts';

export class StepRules {
  readonly #schedule: Schedule;
  readonly #fused: FusedGraph;
  readonly #target: Target;
  readonly #predicateSets: PredicateSets;
  readonly #isPartOf: (id: NodeId, root: NodeId) => boolean;
  #onlineFacts: OnlineFacts | null = null;

  constructor(schedule: Schedule, fused: FusedGraph, target: Target) {
    this.#schedule = schedule;
    this.#fused = fused;
    this.#target = target;
    this.#predicateSets = new PredicateSets(fused);
    this.#isPartOf = partsOf(fused, schedule.live, schedule.spaces);
  }

  ofList(list: AssignmentList): readonly string[] {
    const { assignmentLists } = this.#schedule;
    const legal = legalForms(this.#fused, list, assignmentLists, this.#target);
    return [
      ...said(legal.some((form) => sameForm(form, list.form)), `list r${list.id} may not be ${list.form.kind}`),
      ...said(list.parent === null || assignmentLists.includes(list.parent), `list r${list.id} refines none of the lists`),
    ];
  } // prettier-ignore

  ofStep(step: ScheduleStep): readonly string[] {
    const { graph } = this.#fused;
    switch (step.kind) {
      case 'rows':
        return [
          ...this.#known(step.list),
          ...said(step.list.form.kind !== 'slots', `list r${step.list.id} is slots, and is made`),
        ];
      case 'blocks':
        return said(step.list.form.kind !== 'slots', `the rows of r${step.list.id} are slots, and are cut into blocks`);
      case 'index':
        return this.#known(step.shape.assignmentList);
      case 'value':
        return [...this.#value(step.choice, step.space), ...this.#neighbours(step)];
      case 'row':
        return [...this.#row(step), ...this.#neighbours(step)];
      case 'fold': {
        const folds = step.nodes.flatMap((id) => {
          const node = nodeOf(graph, id);
          return node.kind === 'fold' ? [node] : [];
        });
        const [first] = folds;
        if (first === undefined || folds.length < step.nodes.length || folds.some((n) => n.fold !== first.fold))
          return ['it has results of other things than one recurrence'];
        const legal = legalLayouts(chooseFold(at(graph.folds, first.fold, 'schedule: fold'), graph.axes));
        return said(legal.some(({ lanes }) => lanes === step.layout.lanes), `${step.layout.lanes} may not go through a row`); // prettier-ignore
      }
      case 'default':
        return said((graph.inputs[step.input]?.default ?? null) !== null, `input ${step.input} has no default`);
      case 'check':
        return said(graph.checks[step.check] !== undefined, `there is no check ${step.check}`);
      case 'output':
        return said(graph.outputs[step.output] !== undefined, `there is no output ${step.output}`);
      case 'extern':
        return [];
    }
  }

  #known(list: AssignmentList): readonly string[] {
    return said(this.#schedule.assignmentLists.includes(list), `there is no list r${list.id}`);
  }

  #neighbours(step: Extract<ScheduleStep, { readonly kind: 'value' | 'row' }>): readonly string[] {
    const legal = legalNeighbours(this.#fused, step, this.#schedule.spaces);
    return said(legal.includes(step.neighbours), `a thread may not compute ${step.neighbours} neighbours of it`);
  }

  #value(choice: Choice, space: StoredSpace): readonly string[] {
    const { node } = choice;
    return [
      ...said(this.#schedule.spaces.get(node.id) === space, `%${node.id} is stored elsewhere`),
      ...this.#stands(choice, space),
      ...this.#family(choice, node, space),
    ]; // prettier-ignore
  }

  /** What a row computes is read by later phases, at the same row, where it is held; or it has memory. */
  #row(step: RowStep): readonly string[] {
    const { rows, list, phases, forms } = step;
    const members = phases.flat();
    const within = new Map(members.map(({ choice, space }) => [choice.node.id, space] as const));
    const spaces = new Map([...this.#schedule.spaces, ...within]);
    const kept = new Map<NodeId, number>();
    const cells = new Map<number, NodeId>();
    /** What does not stand on the rows, and is computed by each of them for itself. */
    const repeated = new Set<NodeId>();
    const faults = [
      ...forms.flatMap(({ name }) => said(this.#target.classes.some((own) => own.name === name), `there is no class ${name}`)),
      ...said(list === null || list.axes.every((a) => rows.includes(a)), 'a row is of several rows of its list'),
      ...members.flatMap(({ choice, space }) => said(listOfRows(space) === list, `%${choice.node.id} is on no row of this list`)),
    ]; // prettier-ignore
    for (const phase of phases) {
      const taken = new Set(phase.map(({ cell }) => cell));
      const isKept = (read: NodeId): boolean => {
        const cell = kept.get(read);
        return cell !== undefined && cells.get(cell) === read && !taken.has(cell);
      };
      for (const { choice, space, stored } of phase) {
        const { id } = choice.node;
        const { of, all } = readsOfValue(this.#fused, spaces, choice, space);
        const reads = [...of].filter(([read]) => within.has(read));
        const own = rowAxes(choice, space);
        const isOwn = !stored && [...choice.node.axes, ...loopAxes(choice.node)].every((a) => !rows.includes(a));
        if (isOwn && [...all].every((read) => repeated.has(read) || isGiven(this.#fused, read))) repeated.add(id);
        faults.push(
          ...said(this.#schedule.spaces.has(id) === stored, `%${id} has memory and is not stored, or lacks it`),
          ...said(stored || !isComparedAlone(choice.node), `%${id} is compared by itself, and has no memory`),
          ...said(!goesAlongSlots(space), `%${id} goes along what its slots go along`),
          ...said(repeated.has(id) || rows.every((a) => own.includes(a)), `%${id} goes along the rows, or lacks an axis of theirs`),
          ...said(choice.family !== 'tile' || choice.lanes === 1 || reads.length === 0, `%${id} loads by vectors what the row holds`),
          ...reads.flatMap(([read, same]) => [
            ...said(isKept(read), `%${id} reads %${read}, which the row does not keep`),
            ...said(repeated.has(read) || rows.every((a) => same.has(a)), `%${id} reads %${read} at another row`),
          ]),
          ...this.#stands(choice, space),
          ...this.#family(choice, choice.node, space, rows),
        ); // prettier-ignore
      }
      for (const { choice, cell } of phase) {
        if (cell === null) continue;
        kept.set(choice.node.id, cell);
        cells.set(cell, choice.node.id);
      }
    }
    return [...faults, ...this.#room(step)];
  }

  /** A workgroup has memory for what a row keeps, and in the form of a class for as many rows as it has threads. */
  #room({ rows, phases, forms }: RowStep): readonly string[] {
    const words = new Map<number, number>();
    for (const { choice, cell } of phases.flat()) {
      const local = choice.node.axes.filter((a) => !rows.includes(a));
      if (cell !== null) words.set(cell, Math.max(1, pointsAlong(this.#fused.graph, local) ?? Infinity));
    }
    const all = [...words.values()].reduce((sum, n) => sum + n, 0);
    const bytes = this.#target.limits.maxComputeWorkgroupStorageSize;
    const fits = hasRoom(all, bytes) && forms.every((own) => hasRoomAlone(own, all, bytes));
    return said(fits, `a row keeps ${all} numbers, for which a workgroup has no room`);
  }

  #stands({ node }: Choice, space: StoredSpace): readonly string[] {
    const presences = usablePresences(this.#fused, node);
    const legal = legalSpaces(this.#predicateSets, this.#schedule.assignmentLists, presences, node);
    return said(legal.some((other) => sameSpace(other, space)), `%${node.id} may not stand there`);
  } // prettier-ignore

  #family(choice: Choice, node: Node, space: StoredSpace, inRow: readonly AxisId[] = []): readonly string[] {
    if (choice.family === 'tile') return this.#tile(choice, space, inRow);
    if (choice.family === 'online') return this.#online(choice, space);
    if (choice.family === 'summed') return this.#summed(choice, space);
    if (node.kind === 'contract') return said(choice.family === 'contract', `%${node.id} is a contraction`);
    const { spaces, assignmentLists } = this.#schedule;
    const decided = { spaces, assignmentLists, predicateSets: this.#predicateSets };
    const legal = legalChoices(this.#fused, node, space, decided);
    return said(legal.some((other) => sameChoice(other, choice)), `%${node.id} may not be computed by ${choice.family}`); // prettier-ignore
  }

  /** What a sum is computed online with has no memory, and all of it is as it follows from the graph. */
  #online(choice: OnlineChoice, space: StoredSpace): readonly string[] {
    const { id } = choice.node;
    const { spaces } = this.#schedule;
    this.#onlineFacts ??= onlineFactsOf(this.#fused);
    const sum = this.#onlineFacts.sums.get(id);
    if (sum === undefined) return [`%${id} is no sum of a softmax that nobody else looks at`];
    const stored = choice.inside.filter((own) => spaces.has(own));
    // What is not computed in it is apart, whether it has memory or only a row has it.
    const isApart = (own: NodeId): boolean => !choice.inside.includes(own);
    const legal = onlineChoices(this.#fused, this.#onlineFacts, sum, space, spaces, isApart, this.#target);
    const text = choiceText(choice, this.#fused.graph);
    const known = legal.find((other) => choiceText(other, this.#fused.graph) === text);
    return [
      ...stored.map((own) => `%${own} is computed online for %${id} and has memory`),
      ...said(known !== undefined, `%${id} may not be computed by online`),
      ...said(known === undefined || known.inside.join() === choice.inside.join(), `%${id} is computed online with other values`),
    ];
  } // prettier-ignore

  /** What it is made of has no memory, and is what a value like it may be made of. */
  #summed(choice: SummedChoice, space: StoredSpace): readonly string[] {
    const { spaces } = this.#schedule;
    const inside = new Set(insidesOf(choice));
    const context = {
      fused: this.#fused,
      spaces,
      target: this.#target,
      isInPassing: (id: NodeId): boolean => isInPassing(nodeOf(this.#fused.graph, id), spaces),
      isOnlyFor: (id: NodeId, root: NodeId): boolean => inside.has(id) && this.#isPartOf(id, root),
    };
    const fault = summedFault(choice, summedParts(context, choice.node, space), this.#target);
    const stored = [...inside].filter((id) => spaces.has(id)).map((id) => `%${id} is part of a sum and has memory`);
    return fault === null ? stored : [fault, ...stored];
  }

  /** What a tile computes has no memory of its own, but for the value that is stored. `inRow`: axes of the row that it is part of. */
  #tile(choice: TileChoice, space: StoredSpace, inRow: readonly AxisId[] = []): readonly string[] {
    const { node, heads, input, over, columns } = choice;
    const { spaces } = this.#schedule;
    const faults: string[] = [];
    const all: TileSides[] = [];
    for (const head of heads) {
      const sides = sidesOf(this.#fused, head.node, space);
      const same =
        sides !== null &&
        sides.input === input &&
        sides.columns.filter((a) => !inRow.includes(a)).join() === columns.join();
      if (!same || head.node.over.join() !== over.join() || sides.head.weight !== head.weight)
        faults.push(`%${head.node.id} has another loop than the tile`);
      else all.push(sides);
      if (head.node.id === node.id) continue;
      if (spaces.has(head.node.id)) faults.push(`%${head.node.id} is a head and has memory`);
      if (!this.#isPartOf(head.node.id, node.id)) faults.push(`%${head.node.id} is read by others than %${node.id}`);
    }
    if (heads.length === 0) faults.push('a tile has no contraction');
    if (faults.length > 0) return faults;
    const options = all.map((sides) => tileOptions(this.#fused, sides, space, spaces, this.#target));
    const fault = tileFault(choice, sharedOptions(options));
    return fault === null ? [] : [fault];
  }
}

const said = (holds: boolean, fault: string): readonly string[] => (holds ? [] : [fault]);

function sameForm(a: ListForm, b: ListForm): boolean {
  if (a.kind === 'scanned' || b.kind === 'scanned') return a.kind === b.kind;
  const same = sameSlots(a.slots, b.slots) && a.others.join() === b.others.join();
  if (!same || a.queue?.place !== b.queue?.place) return false;
  if (a.kind === 'slots' || b.kind === 'slots') return a.kind === b.kind;
  return a.threads === b.threads && a.blockRows === b.blockRows;
}

/** The same way to compute a node. */
function sameChoice(a: Choice, b: Choice): boolean {
  if (a.node.id !== b.node.id) return false;
  switch (a.family) {
    case 'reduce_listed': {
      if (b.family !== 'reduce_listed') return false;
      return indexKey(a.index) === indexKey(b.index) && a.dense.join() === b.dense.join() && a.value === b.value;
    }
    case 'reduce_slots': {
      if (b.family !== 'reduce_slots' || !sameSlots(a.slots, b.slots)) return false;
      return a.presence === b.presence && a.value === b.value && a.dense.join() === b.dense.join();
    }
    case 'choose':
      return b.family === 'choose' && (a.slots === null ? b.slots === null : b.slots !== null);
    default:
      return a.family === b.family;
  }
}
