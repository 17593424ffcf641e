/**
 * The verifier of schedules: what schedule-ir.ts promises, from the schedule and its graph alone. What a step may be is legality.ts, in
 * which order steps may come is step-uses.ts.
 */
import { at } from '../../../dsl/diagnostics/invariants.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { NodeId } from '../../graph/graph-ir.ts';
import { memoryOf } from '../../graph/node-memory.ts';
import { nodeOf } from '../../graph/node-uses.ts';
import type { Target } from '../../target.ts';
import type { StoredSpace } from '../memory/memory.ts';
import { besideFaults } from './choose-beside.ts';
import { dependenciesOf } from './choose-storage.ts';
import { isStoredAnyway, tooLong } from './legality.ts';
import { loadedByStep, readsOfNodes } from './row-reads.ts';
import type { Schedule, ScheduleStep } from './schedule-ir.ts';
import { StepRules } from './step-rules.ts';
import { madeDefault, madeOutput, madeValue, usesOfStep, type Made } from './step-uses.ts';

/** What is wrong with a schedule. */
export interface ScheduleFault {
  /** The step it is about, by its place; null: it is about all of them. */
  readonly step: number | null;
  /** A sentence without its end. */
  readonly text: string;
}

/** Everything that is wrong with a schedule; empty if nothing is. */
export function scheduleFaults(schedule: Schedule, fused: FusedGraph, target: Target): readonly ScheduleFault[] {
  return new ScheduleVerifier(schedule, fused, target).run();
}

export const faultText = ({ step, text }: ScheduleFault): string => (step === null ? text : `#${step}: ${text}`);

class ScheduleVerifier {
  readonly #schedule: Schedule;
  readonly #fused: FusedGraph;
  readonly #rules: StepRules;
  readonly #faults: ScheduleFault[] = [];
  readonly #made = new Set<Made>();
  /** Nodes whose operands were followed already, all of them there. */
  readonly #followed = new Set<NodeId>();
  /** What the row that is looked at computes, and what rows before it computed for themselves alone. */
  readonly #within = new Set<NodeId>();
  readonly #inRowOnly = new Map<NodeId, StoredSpace>();
  #step: number | null = null;

  constructor(schedule: Schedule, fused: FusedGraph, target: Target) {
    this.#schedule = schedule;
    this.#fused = fused;
    this.#rules = new StepRules(schedule, fused, target);
  }

  run(): readonly ScheduleFault[] {
    const { schedule, graph } = { schedule: this.#schedule, graph: this.#fused.graph };
    for (const list of schedule.assignmentLists) this.#all(this.#rules.ofList(list));
    schedule.steps.forEach((step, i) => {
      this.#step = i;
      this.#all(this.#rules.ofStep(step));
      this.#uses(step);
    });
    this.#step = null;
    for (const id of schedule.spaces.keys())
      this.#expect(this.#made.has(madeValue(id)), `%${id} has memory that nobody fills`);
    graph.outputs.forEach((output, i) =>
      this.#expect(this.#made.has(madeOutput(i)), `the output ${output.name} is not returned`),
    );
    this.#memory();
    this.#faults.push(...besideFaults(schedule, this.#fused));
    return this.#faults;
  }

  /** What has to have memory has it, or is computed where it is read, or is read by nobody; what takes too long in passing has it. */
  #memory(): void {
    const { live, spaces, unread } = this.#schedule;
    const isApart = (id: NodeId): boolean => spaces.has(id) || this.#made.has(madeValue(id)) || unread.has(id);
    for (const id of live) {
      const node = nodeOf(this.#fused.graph, id);
      this.#expect(isApart(id) || !isStoredAnyway(this.#fused, node), `%${id} (${node.kind}) has to have memory`);
      this.#expect(!spaces.has(id) || memoryOf(node) !== 'none', `%${id} (${node.kind}) has memory of its own`);
    }
    const long = tooLong(this.#fused, live, isApart);
    if (long !== null) this.#fault(`%${long.id} takes ${long.operations} operations in passing: give it memory`);
  }

  #uses(step: ScheduleStep): void {
    const { reads, needs, makes } = usesOfStep(step, this.#schedule, this.#fused);
    for (const made of needs) this.#expect(this.#made.has(made), `${made} is used before it is made`);
    const members = step.kind === 'row' ? step.phases.flat() : [];
    for (const { choice } of members) this.#within.add(choice.node.id);
    const held = this.#reads(reads);
    // What only says where points are that are named anyway is not loaded.
    const loaded = held.size === 0 ? held : this.#loads(step, reads);
    for (const id of held) this.#expect(!loaded.has(id), `%${id} is read, and only its row has it`);
    this.#within.clear();
    for (const { choice, space, stored } of members) if (!stored) this.#inRowOnly.set(choice.node.id, space);
    for (const made of makes) {
      this.#expect(!this.#made.has(made), `${made} is made twice`);
      this.#made.add(made);
    }
  }

  #all(faults: readonly string[]): void {
    faults.forEach((text) => this.#fault(text));
  }

  #expect(holds: boolean, text: string): void {
    if (!holds) this.#fault(text);
  }

  #fault(text: string): void {
    this.#faults.push({ step: this.#step, text });
  }

  /** What the launch of a step loads, also of what has no memory. */
  #loads(step: ScheduleStep, reads: readonly NodeId[]): ReadonlySet<NodeId> {
    const spaces = new Map([...this.#schedule.spaces, ...this.#inRowOnly]);
    return loadedByStep(this.#fused, spaces, step) ?? readsOfNodes(this.#fused, spaces, reads);
  }

  /** Everything that has memory among what nodes are made of, as far as it is computed in passing, is there; what of it only rows have. */
  #reads(ids: readonly NodeId[]): ReadonlySet<NodeId> {
    const { graph } = this.#fused;
    const held = new Set<NodeId>();
    const pending = [...ids];
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      // What a row reads of its own is a rule of the row (step-rules.ts).
      if (this.#followed.has(id) || this.#within.has(id)) continue;
      if (this.#inRowOnly.has(id)) {
        held.add(id);
        continue;
      }
      if (this.#schedule.spaces.has(id)) {
        this.#expect(this.#made.has(madeValue(id)), `%${id} is read before it is computed`);
        continue;
      }
      const node = nodeOf(graph, id);
      if (node.kind === 'input' && at(graph.inputs, node.input, 'schedule: graph input').default !== null) {
        this.#expect(this.#made.has(madeDefault(node.input)), `%${id} is read before its default is there`);
        continue;
      }
      this.#followed.add(id);
      pending.push(...dependenciesOf(this.#fused, node));
    }
    return held;
  }
}
