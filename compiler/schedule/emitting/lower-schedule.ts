/**
 * lowerSchedule: a schedule to a plan, step by step. Nothing is decided here but which memory a result is returned in, and
 * whether an operand of the host needs a copy; a launch that binds
 * more than the target has is told (`splits`), and the schedule made again.
 */
import { CompilerBug, unreachable } from '../../../dsl/diagnostics/bug.ts';
import { at, get } from '../../../dsl/diagnostics/invariants.ts';
import type { Diagnostic } from '../../../dsl/diagnostics/diagnostic.ts';
import { multiply } from '../../../dsl/types/size.ts';
import { domainOf } from '../../graph/domains.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type {
  AxisId,
  ElementType,
  ExternCallId,
  GraphInputId,
  GraphOutput,
  NodeId,
  Span,
} from '../../graph/graph-ir.ts';
import type { Target } from '../../target.ts';
import type { LaunchShape } from '../deciding/choose-beside.ts';
import { isComparedAlone } from '../deciding/row-layout.ts';
import { keyOf, leaderOf, type Schedule, type ScheduleStep } from '../deciding/schedule-ir.ts';
import { assignBuffers } from '../memory/assign-buffers.ts';
import { unreadBuffers } from '../memory/unread-buffers.ts';
import { accessOf, storageTypeOf } from '../memory/plan.ts';
import type { BufferId, Plan, PlanResult } from '../memory/plan.ts';
import { AssignmentListBuilder } from './assignment-lists.ts';
import type { Contents } from './contents.ts';
import { CheckEmitter } from './emit-checks.ts';
import { emitFold } from './emit-fold.ts';
import { emitRow } from './emit-row.ts';
import { ValueEmitter } from './emit-values.ts';
import type { KernelTable } from './kernel-table.ts';
import { finishLaunches } from './finish-launches.ts';
import { shapeOf } from './launches-beside.ts';
import { PlanBuilder, type DraftLaunch, type DraftStep } from './plan-builder.ts';

export interface LoweredSchedule {
  /** Made of what was emitted, once it is known that nothing will be emitted anew. */
  readonly plan: (kernels: KernelTable, beside: Schedule['beside']) => Plan;
  /** What the launch of a step is like that may share one; null: it may not. */
  readonly shapeOf: (step: ScheduleStep) => LaunchShape | null;
  readonly contents: Contents;
  /** Values that need memory for a launch to fit the target; empty if all fit. */
  readonly splits: ReadonlySet<NodeId>;
  /** Values that are read, have to have memory, and have none: of a schedule that somebody wrote. */
  readonly lacking: ReadonlySet<NodeId>;
  /** Values that a row has no room for beside its others, in a launch of so many buffers. */
  readonly apart: ReadonlySet<NodeId>;
  /** Values with memory that no step reads and no result is, and what rows hold for nobody. */
  readonly unread: ReadonlySet<NodeId>;
  /** The same of what is read in the row that holds it. */
  readonly unkept: ReadonlySet<NodeId>;
  /** Launches that do not fit the target and cannot be made to. */
  readonly limitViolations: readonly Diagnostic[];
}

/** `place`: how a place in the source is shown in labels. */
export function lowerSchedule(
  fused: FusedGraph,
  schedule: Schedule,
  target: Target,
  locationOf: (span: Span) => string,
): LoweredSchedule {
  return new ScheduleLowering(fused, schedule, target, locationOf).run();
}

class ScheduleLowering {
  readonly #plan: PlanBuilder;
  readonly #schedule: Schedule;
  readonly #fused: FusedGraph;
  readonly #assignmentLists: AssignmentListBuilder;
  readonly #values: ValueEmitter;
  readonly #checks: CheckEmitter;
  /** What each step was lowered to. */
  readonly #drafts = new Map<ScheduleStep, readonly DraftStep[]>();
  /** Buffers that are some output's result already. */
  readonly #returned = new Set<BufferId>();

  constructor(fused: FusedGraph, schedule: Schedule, target: Target, locationOf: (span: Span) => string) {
    this.#fused = fused;
    this.#schedule = schedule;
    this.#plan = new PlanBuilder(fused, schedule, target, locationOf);
    this.#assignmentLists = new AssignmentListBuilder(this.#plan);
    this.#checks = new CheckEmitter(this.#plan);
    this.#values = new ValueEmitter(this.#plan, this.#assignmentLists, this.#checks);
  }

  run(): LoweredSchedule {
    const results = this.#schedule.steps.flatMap((step) => {
      const before = this.#plan.steps.length;
      const returned = this.#step(step);
      this.#drafts.set(step, this.#plan.steps.slice(before));
      return returned;
    });
    const { splits, lacking, limitViolations, contents: buffers, compactions, table, kernels, steps } = this.#plan;
    const idle = [...unreadBuffers({ kernels, steps }, (id) => table.isScratch(id), this.#plan.asked)].flatMap((id) => {
      const content = buffers.get(id);
      return content?.kind === 'value' ? [content.node] : [];
    });
    const { loaded, unloaded } = this.#plan;
    const contents = { buffers, compactions };
    return {
      plan: (known, beside) => this.#finish(results, known, beside),
      shapeOf: (step) => {
        const launch = this.#aloneIn(step);
        if (launch === null) return null;
        return shapeOf(launch.built, launch.anySize === null ? launch.forms.map((form) => form.class.name) : null);
      },
      contents,
      splits,
      lacking,
      apart: this.#plan.apart,
      unread: new Set([...idle.filter((id) => !loaded.has(id)), ...unloaded]),
      unkept: new Set(idle.filter((id) => loaded.has(id) && !isComparedAlone(this.#plan.node(id)))),
      limitViolations,
    };
  }

  /** Emits a step; what it returns of the outputs. */
  #step(step: ScheduleStep): readonly PlanResult[] {
    const { graph } = this.#fused;
    switch (step.kind) {
      case 'rows':
        this.#assignmentLists.emitRows(step.list);
        return [];
      case 'blocks':
        this.#assignmentLists.emitBlocks(step.list, step.blockRows);
        return [];
      case 'index':
        this.#assignmentLists.emitIndex(step.shape);
        return [];
      case 'value':
        this.#values.emit(step);
        return [];
      case 'row':
        emitRow(this.#plan, this.#values.points, this.#checks, step);
        return [];
      case 'fold':
        emitFold(this.#plan, step.nodes, step.layout);
        return [];
      case 'default':
        this.#default(step.input);
        return [];
      case 'extern':
        this.#extern(step.call);
        return [];
      case 'check':
        this.#checks.emit(at(graph.checks, step.check, 'schedule: check'), step.space);
        return [];
      case 'output':
        return [this.#result(at(graph.outputs, step.output, 'schedule: output'))];
      default:
        return unreachable(step, 'schedule');
    }
  }

  /** The default of a control goes into the control's own buffer, unless the run was given the control. */
  #default(index: GraphInputId): void {
    const input = at(this.#fused.graph.inputs, index, 'schedule: graph input');
    if (input.default === null) throw new CompilerBug('schedule', `${input.name} has no default`);
    this.#values.copy(input.default, input.axes, this.#plan.inputBuffer(index), `default of ${input.name}`, input.name);
  }

  #extern(index: ExternCallId): void {
    const plan = this.#plan;
    const call = at(this.#fused.graph.externs, index, 'schedule: extern call');
    const leading = [...call.family, ...call.carried];
    const location = plan.locationOf(call.span);
    const within = (axis: AxisId | null) => (axis === null ? null : plan.axis(axis));
    const operands = call.operands.map(({ name, node: id, axes: declared, within: points }) => {
      const operand = plan.node(id);
      const axes = [...leading.filter((a) => operand.axes.includes(a)), ...declared];
      return {
        name,
        buffer: this.#dense(id, axes, `${call.name}: ${name}`),
        element: operand.element,
        axes: plan.axes(axes),
        within: within(points),
      };
    });
    const mask = call.role === 'expert' ? this.#externMask(index, leading, call.name) : null;
    const results = call.results.map(({ element, axes, within: points }) => ({
      buffer: plan.table.scratch(`${call.name}: ${location}`, storageTypeOf(element), multiply(axes.map(plan.sizeOf))),
      element,
      axes: plan.axes(axes),
      within: within(points),
    }));
    const label = `extern ${call.name}: ${location}`;
    plan.steps.push({
      kind: 'extern',
      name: call.name,
      label,
      place: location,
      operands,
      results,
      sizes: plan.axes(call.mentions),
      carried: plan.axes(call.carried).map(({ name }) => name),
      family: plan.axes(call.family),
      points: call.role === 'expert' ? plan.axes(call.carried) : null,
      mask,
    });
    for (const id of this.#schedule.spaces.keys()) {
      const node = plan.node(id);
      if (node.kind !== 'extern' || node.call !== index) continue;
      const { buffer } = at(results, node.result, 'schedule: result of an extern');
      plan.adopt(node, { assignmentList: null, axes: node.axes }, buffer);
    }
  }

  /** Where an extern is wanted: the presences all its results agree on, over family and carried axes. */
  #externMask(call: ExternCallId, axes: readonly AxisId[], name: string) {
    const plan = this.#plan;
    const results = this.#schedule.live
      .map((id) => plan.node(id))
      .filter((n) => n.kind === 'extern' && n.call === call);
    const domains = results.map((n) => domainOf(this.#fused, n.id).presences);
    const [first] = domains;
    const same = first !== undefined && domains.every((d) => d.join() === first.join());
    const presences = same ? first.filter((s) => plan.node(s).axes.every((a) => axes.includes(a))) : [];
    if (presences.length === 0) return null;
    const buffer = plan.table.scratch(`${name}: wanted`, 'u32', multiply(axes.map(plan.sizeOf)));
    this.#values.mask(presences, axes, buffer, `where ${name} is wanted`);
    return { buffer, axes: plan.axes(axes) };
  }

  /** A buffer that holds a value dense over `axes`: its own if it is like that. */
  #dense(id: NodeId, axes: readonly AxisId[], what: string): BufferId {
    const plan = this.#plan;
    const memory = plan.memoryOf(id);
    if (memory !== null && isDenseOver(memory.space, axes)) return memory.buffer;
    const buffer = plan.table.scratch(what, storageTypeOf(plan.node(id).element), multiply(axes.map(plan.sizeOf)));
    this.#values.copy(id, axes, buffer, what);
    return buffer;
  }

  // --- results ---

  #result(output: GraphOutput): PlanResult {
    const plan = this.#plan;
    if (output.kind === 'tensor') {
      const { name, role: group, axes } = output;
      const buffer = this.#returning(output.node, axes, name);
      return { kind: 'tensor', name, group, buffer, element: this.#element(output.node), axes: plan.axes(axes) };
    }
    const { name, role: group, sources, targets, payload, maxPresent } = output;
    const support = [...sources, ...targets];
    return {
      kind: 'route',
      name,
      group,
      element: this.#weightElement(output.weight),
      present: this.#returning(output.present, support, `${name}, present`),
      weight: this.#returning(output.weight, [...support, ...payload], `${name}, weight`),
      rank: this.#returning(output.rank, support, `${name}, rank`),
      sources: plan.axes(sources),
      targets: plan.axes(targets),
      payload: plan.axes(payload),
      most: maxPresent,
    };
  }

  /** Weights are computed numbers, which are f32 where what they come from was rounded to f16. */
  #weightElement(id: NodeId): ElementType {
    const element = this.#element(id);
    return element === 'f16' ? 'f32' : element;
  }

  #element(id: NodeId): ElementType {
    return this.#plan.node(id).element;
  }

  /** A result buffer with the value over `axes`: the value's own memory if nobody else returns it, else a copy. */
  #returning(id: NodeId, axes: readonly AxisId[], name: string): BufferId {
    const plan = this.#plan;
    const memory = plan.memoryOf(id);
    if (
      memory !== null &&
      isDenseOver(memory.space, axes) &&
      plan.table.isScratch(memory.buffer) &&
      !this.#returned.has(memory.buffer)
    ) {
      plan.table.promote(memory.buffer, name);
      this.#returned.add(memory.buffer);
      return memory.buffer;
    }
    const buffer = plan.table.result(name, storageTypeOf(this.#element(id)), multiply(axes.map(plan.sizeOf)));
    this.#values.copy(id, axes, buffer, `result ${name}`);
    return buffer;
  }

  /** The launch of a step that is nothing else; null: it is several, or none. */
  #aloneIn(step: ScheduleStep): DraftLaunch | null {
    const [draft, ...others] = get(this.#drafts, step, 'schedule: launches of a step');
    return keyOf(step) === null || draft?.kind !== 'launch' || others.length > 0 ? null : draft;
  }

  /** Launches in the order of the steps, each with those that share it. */
  #arranged(beside: Schedule['beside']): readonly (DraftStep | readonly DraftLaunch[])[] {
    const parts = new Map<NodeId, DraftLaunch[]>();
    for (const step of this.#schedule.steps) {
      const leader = leaderOf(step, { beside });
      const draft = leader === null ? null : this.#aloneIn(step);
      if (leader !== null && draft !== null) parts.set(leader, [...(parts.get(leader) ?? []), draft]);
    }
    return this.#schedule.steps.flatMap((step): readonly (DraftStep | readonly DraftLaunch[])[] => {
      if (leaderOf(step, { beside }) !== null) return [];
      const [key, own] = [keyOf(step), this.#aloneIn(step)];
      const others = key === null ? undefined : parts.get(key);
      return own === null || others === undefined ? get(this.#drafts, step, 'schedule: launches') : [[own, ...others]];
    });
  }

  #finish(results: readonly PlanResult[], known: KernelTable, beside: Schedule['beside']): Plan {
    const { table, status } = this.#plan;
    const { kernels, steps } = finishLaunches(this.#plan, this.#arranged(beside), known);
    const touched = steps.map((step) => {
      const { reads, writes } = accessOf({ kernels }, step);
      return { buffers: [...reads, ...writes] };
    });
    const scratch = new Map(
      table.ids.filter((id) => table.isScratch(id)).map((id) => [id, table.at(id).elements] as const),
    );
    const { allocations, allocationOf } = assignBuffers(touched, scratch);
    const buffers = table.finish((id) => get(allocationOf, id, 'schedule: allocation of buffer'));
    return { name: this.#fused.graph.name, kernels, buffers, steps, results, status, allocations };
  }
}

function isDenseOver(
  space: { readonly assignmentList: unknown; readonly axes: readonly AxisId[] },
  axes: readonly AxisId[],
): boolean {
  return (
    space.assignmentList === null && space.axes.length === axes.length && space.axes.every((a, i) => a === axes[i])
  );
}
