/** The verifier of schedules: what schedule-ir.ts promises, from the schedule and its graph alone. */
import { unreachable } from '../../../dsl/diagnostics/bug.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { NodeId } from '../../graph/graph-ir.ts';
import { idsOfSlots } from '../../graph/slots.ts';
import { nodeOf, nodesOfCheck, nodesOfOutput } from '../../graph/node-uses.ts';
import type { AssignmentList, StoredSpace } from '../memory/memory.ts';
import { dependenciesOf } from './choose-storage.ts';
import {
  blocksKey,
  hasBlocks,
  indexKey,
  type IndexShape,
  type Schedule,
  type ScheduleStep,
  type TileChoice,
} from './schedule-ir.ts';

/** What is wrong with a schedule, one sentence each; empty if nothing is. */
export function scheduleFaults(schedule: Schedule, fused: FusedGraph): readonly string[] {
  return new ScheduleVerifier(schedule, fused).run();
}

class ScheduleVerifier {
  readonly #schedule: Schedule;
  readonly #fused: FusedGraph;
  readonly #faults: string[] = [];
  readonly #computed = new Set<NodeId>();
  readonly #listed = new Set<AssignmentList>();
  readonly #indexed = new Set<string>();
  readonly #cut = new Set<string>();
  /** Inputs and outputs of which a default was put, a result returned; calls made; checks looked at. */
  readonly #once = new Set<string>();
  /** Nodes whose operands were followed already, all of them there. */
  readonly #followed = new Set<NodeId>();

  constructor(schedule: Schedule, fused: FusedGraph) {
    this.#schedule = schedule;
    this.#fused = fused;
  }

  run(): readonly string[] {
    this.#schedule.steps.forEach((step, i) => this.#step(step, `#${i}`));
    for (const id of this.#schedule.spaces.keys())
      this.#expect(this.#computed.has(id), `%${id} has memory that nobody fills`);
    this.#fused.graph.outputs.forEach((output, i) =>
      this.#expect(this.#once.has(`output ${i}`), `the output ${output.name} is not returned`),
    );
    return this.#faults;
  }

  #step(step: ScheduleStep, at: string): void {
    const { graph } = this.#fused;
    switch (step.kind) {
      case 'rows': {
        const { list } = step;
        this.#expect(list.form.kind !== 'slots', `${at}: list ${list.id} is slots, and is made`);
        if (list.form.kind === 'grouped') this.#reads(idsOfSlots(list.form.slots), at);
        this.#expect(!this.#listed.has(list), `${at}: list ${list.id} is made twice`);
        if (list.parent !== null) this.#hasRows(list.parent, at);
        this.#reads(list.refinedBy, at);
        this.#listed.add(list);
        return;
      }
      case 'blocks':
        this.#expect(
          !this.#cut.has(blocksKey(step.list, step.blockRows)),
          `${at}: rows are cut twice into the same blocks`,
        );
        this.#hasRows(step.list, at);
        this.#cut.add(blocksKey(step.list, step.blockRows));
        return;
      case 'index':
        this.#expect(!this.#indexed.has(indexKey(step.shape)), `${at}: rows are listed twice by the same keys`);
        this.#hasRows(step.shape.assignmentList, at);
        this.#indexed.add(indexKey(step.shape));
        return;
      case 'value': {
        const { node } = step.choice;
        this.#expect(!this.#computed.has(node.id), `${at}: %${node.id} is computed twice`);
        this.#expect(this.#schedule.spaces.get(node.id) === step.space, `${at}: %${node.id} is stored elsewhere`);
        this.#inSpace(step.space, at);
        if (step.choice.family === 'tile') this.#tile(step.choice, step.space, at);
        if (step.choice.family === 'reduce_listed') this.#hasIndex(step.choice.index, at);
        this.#reads(dependenciesOf(this.#fused, node), at);
        this.#computed.add(node.id);
        return;
      }
      case 'default': {
        const input = graph.inputs[step.input];
        this.#single(`default ${step.input}`, at);
        if (input === undefined || input.default === null)
          this.#faults.push(`${at}: input ${step.input} has no default`);
        else this.#reads([input.default], at);
        return;
      }
      case 'fold': {
        const [first] = step.nodes;
        for (const id of step.nodes) {
          const node = nodeOf(graph, id);
          this.#expect(!this.#computed.has(id), `${at}: %${id} is computed twice`);
          const one = node.kind === 'fold' && first !== undefined ? nodeOf(graph, first) : null;
          const same = node.kind === 'fold' && one?.kind === 'fold' && one.fold === node.fold;
          this.#expect(same, `${at}: %${id} is no result of the recurrence`);
          this.#reads(dependenciesOf(this.#fused, node), at);
        }
        for (const id of step.nodes) this.#computed.add(id);
        return;
      }
      case 'extern': {
        this.#single(`extern ${step.call}`, at);
        for (const id of this.#schedule.live) {
          const node = nodeOf(graph, id);
          if (node.kind !== 'extern' || node.call !== step.call) continue;
          this.#reads(dependenciesOf(this.#fused, node), at);
          this.#computed.add(id);
        }
        return;
      }
      case 'check': {
        this.#single(`check ${step.check}`, at);
        const check = graph.checks[step.check];
        if (check === undefined) this.#faults.push(`${at}: there is no check ${step.check}`);
        else this.#reads(nodesOfCheck(check), at);
        this.#inSpace(step.space, at);
        return;
      }
      case 'output': {
        this.#single(`output ${step.output}`, at);
        const output = graph.outputs[step.output];
        if (output === undefined) this.#faults.push(`${at}: there is no output ${step.output}`);
        else this.#reads(nodesOfOutput(output), at);
        return;
      }
      default:
        unreachable(step, 'schedule');
    }
  }

  #expect(holds: boolean, fault: string): void {
    if (!holds) this.#faults.push(fault);
  }

  #single(what: string, at: string): void {
    this.#expect(!this.#once.has(what), `${at}: ${what} a second time`);
    this.#once.add(what);
  }

  #hasRows(list: AssignmentList, at: string): void {
    const { form } = list;
    if (form.kind === 'slots') this.#reads([...idsOfSlots(form.slots), ...list.presences], at);
    else this.#expect(this.#listed.has(list), `${at}: list ${list.id} is used before it is made`);
  }

  #hasIndex(shape: IndexShape, at: string): void {
    this.#expect(this.#indexed.has(indexKey(shape)), `${at}: rows are read by keys before they are listed`);
  }

  /** What a tile computes has no memory of its own, but for the value that is stored; and its blocks are there. */
  #tile({ node, heads, rows, tileRows, forms }: TileChoice, space: StoredSpace, at: string): void {
    if (rows.kind === 'blocks') {
      this.#hasBlocks(space, rows.blockRows, at);
      for (const own of [tileRows, ...forms.map((form) => form.tileRows)])
        this.#expect(rows.blockRows % own === 0, `${at}: blocks of ${rows.blockRows} rows are no tiles of ${own}`);
    }
    this.#expect(heads.length > 0, `${at}: a tile has no contraction`);
    for (const head of heads) {
      if (head.node.id === node.id) continue;
      this.#expect(!this.#schedule.spaces.has(head.node.id), `${at}: %${head.node.id} is a head and has memory`);
      this.#single(`head %${head.node.id}`, at);
    }
  }

  #hasBlocks({ assignmentList }: StoredSpace, blockRows: number, at: string): void {
    const there =
      assignmentList !== null &&
      (hasBlocks(assignmentList, blockRows) || this.#cut.has(blocksKey(assignmentList, blockRows)));
    this.#expect(there, `${at}: rows are computed in blocks before they are cut into blocks`);
  }

  #inSpace({ assignmentList }: StoredSpace, at: string): void {
    if (assignmentList !== null) this.#hasRows(assignmentList, at);
  }

  /** Everything that has memory among what nodes are made of, as far as it is inlined, is there. */
  #reads(ids: readonly NodeId[], at: string): void {
    const pending = [...ids];
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (this.#followed.has(id)) continue;
      if (this.#schedule.spaces.has(id)) {
        this.#expect(this.#computed.has(id), `${at}: %${id} is read before it is computed`);
        continue;
      }
      const node = nodeOf(this.#fused.graph, id);
      if (node.kind === 'input' && this.#fused.graph.inputs[node.input]?.default != null) {
        this.#expect(this.#once.has(`default ${node.input}`), `${at}: %${id} is read before its default is there`);
        continue;
      }
      this.#followed.add(id);
      pending.push(...dependenciesOf(this.#fused, node));
    }
  }
}
