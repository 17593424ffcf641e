/**
 * schedule: a graph whose values know where they are computed, to a plan of launches. Pure; static; the same for all sizes of a run.
 *
 *   choose what has memory, and over which space        choose-storage.ts
 *   for each such value, in order:                       emit-values.ts, assignment-lists.ts
 *     the assignment list it lives on, once                     (three launches)
 *     its kernel, by the family the chooser names        choose-kernels.ts → kernels/
 *   copy what a run returns to its layout
 *   share memory by lifetime                             assign-buffers.ts
 *
 * If a launch needs more buffers than the target has, a value it inlined is given memory and all is done again: the
 * number of such values only grows, so this ends.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { get } from '../../dsl/diagnostics/invariants.ts';
import { diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import type { Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import { asNumber, exact, multiply } from '../../dsl/types/size.ts';
import { domainOf } from '../graph/domains.ts';
import { nodesOfCheck } from '../graph/node-uses.ts';
import type { FusedGraph } from '../graph/domains.ts';
import type { AxisId, ElementType, ExternCallId, Node, NodeId, GraphOutput, Span } from '../graph/graph-ir.ts';
import type { Target } from '../target.ts';
import { chooseStorage, dependenciesOf } from './deciding/choose-storage.ts';
import type { Storage } from './deciding/choose-storage.ts';
import type { Contents } from './emitting/contents.ts';
import { CheckEmitter } from './emitting/emit-checks.ts';
import { ValueEmitter } from './emitting/emit-values.ts';
import { assignBuffers } from './memory/assign-buffers.ts';
import { PlanBuilder } from './emitting/plan-builder.ts';
import { accessOf, buffersOf, storageTypeOf } from './memory/plan.ts';
import type { BufferId, Plan, PlanBuffer, PlanResult, Step } from './memory/plan.ts';
import { AssignmentListBuilder } from './emitting/assignment-lists.ts';
import { bytesOf } from './emitting/work.ts';

export interface ScheduleOptions {
  /** How a place in the source is shown in labels: `mixtral.moe:14:5`. */
  readonly place?: (span: Span) => string;
  /** Where an input, or a store by its path, is declared, for what does not fit. */
  readonly declared?: (role: 'input' | 'store', name: string) => Span | null;
}

export interface Scheduled {
  readonly plan: Plan;
  readonly contents: Contents;
  /** What does not fit the target. The plan is whole all the same. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The plan of the outputs a graph has. */
export function schedule(fused: FusedGraph, target: Target, options: ScheduleOptions = {}): Scheduled {
  const place = options.place ?? ((span) => (span.source === '' ? '?' : `${span.source}:${span.start}`));
  const split = new Set<NodeId>();
  for (;;) {
    const attempt = new Scheduler(fused, chooseStorage(fused, split), target, place);
    const plan = attempt.run();
    if (attempt.splits.size === 0)
      return {
        plan,
        contents: attempt.contents,
        diagnostics: [
          ...attempt.limitViolations.slice(0, 1),
          ...endless(fused),
          ...limitViolations(plan, target, options.declared ?? (() => null)),
        ],
      };
    const before = split.size;
    for (const id of attempt.splits) split.add(id);
    if (split.size === before) throw new CompilerBug('schedule', 'a launch does not get smaller');
  }
}

class Scheduler {
  readonly #plan: PlanBuilder;
  readonly #storage: Storage;
  readonly #fused: FusedGraph;
  readonly #assignmentLists: AssignmentListBuilder;
  readonly #values: ValueEmitter;
  readonly #checks: CheckEmitter;
  readonly #done = new Set<NodeId>();
  /** Results of extern calls that were emitted. */
  readonly #calls = new Map<ExternCallId, readonly BufferId[]>();
  /** Buffers that are some output's result already. */
  readonly #returned = new Set<BufferId>();

  constructor(fused: FusedGraph, storage: Storage, target: Target, place: (span: Span) => string) {
    this.#fused = fused;
    this.#storage = storage;
    this.#plan = new PlanBuilder(fused, storage, target, place);
    this.#assignmentLists = new AssignmentListBuilder(this.#plan);
    this.#checks = new CheckEmitter(this.#plan, this.#assignmentLists);
    this.#values = new ValueEmitter(this.#plan, this.#assignmentLists, this.#checks);
  }

  get splits(): ReadonlySet<NodeId> {
    return this.#plan.splits;
  }

  get contents(): Contents {
    return { buffers: this.#plan.contents, compactions: this.#plan.compactions };
  }

  get limitViolations(): readonly Diagnostic[] {
    return this.#plan.limitViolations;
  }

  run(): Plan {
    const { checks } = this.#fused.graph;
    // As soon as everything that a check looks at is there: what it holds need not live longer.
    const waiting = [...this.#storage.checked]
      .map(([index, space]) => ({
        index,
        space,
        last: Math.max(...checks.slice(index, index + 1).flatMap(nodesOfCheck)),
      }))
      .sort((a, b) => a.last - b.last || a.index - b.index);
    const look = (upTo: number): void => {
      for (let next = waiting[0]; next !== undefined && next.last <= upTo; next = waiting[0]) {
        waiting.shift();
        const check = checks[next.index];
        if (check !== undefined) this.#checks.emit(check, next.space);
      }
    };
    for (const id of this.#storage.live) {
      look(id - 1);
      this.#ensure(id);
    }
    look(Infinity);
    const results = this.#fused.graph.outputs.map((output) => this.#result(output));
    return this.#finish(results);
  }

  /** Emits a node after all it depends on. Ids ascend but for the defaults of controls, so this nests no deeper than those. */
  #ensure(id: NodeId): void {
    if (this.#done.has(id)) return;
    this.#done.add(id);
    const node = this.#plan.node(id);
    for (const before of dependenciesOf(this.#fused, node)) this.#ensure(before);
    if (node.kind === 'input') this.#default(node);
    const space = this.#storage.spaces.get(id);
    if (space === undefined) return;
    if (node.kind === 'extern') this.#extern(node);
    else this.#values.emit(node, space);
  }

  /** The default of a control goes into the control's own buffer, unless the run was given the control. */
  #default(node: Extract<Node, { kind: 'input' }>): void {
    const input = this.#fused.graph.inputs[node.input];
    if (input === undefined || input.fallback === null) return;
    this.#values.copy(
      input.fallback,
      input.axes,
      this.#plan.inputBuffer(node.input),
      `default of ${input.name}`,
      input.name,
    );
  }

  #extern(node: Extract<Node, { kind: 'extern' }>): void {
    const plan = this.#plan;
    const call = this.#fused.graph.externs[node.call];
    if (call === undefined) throw new CompilerBug('schedule', `no extern call ${node.call}`);
    let buffers = this.#calls.get(node.call);
    if (buffers === undefined) {
      const leading = [...call.family, ...call.carried];
      const place = plan.place(call.span);
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
      const mask = call.role === 'expert' ? this.#externMask(node.call, leading, call.name) : null;
      const results = call.results.map(({ element, axes, within: points }) => ({
        buffer: plan.table.scratch(`${call.name}: ${place}`, storageTypeOf(element), multiply(axes.map(plan.sizeOf))),
        element,
        axes: plan.axes(axes),
        within: within(points),
      }));
      const label = `extern ${call.name}: ${place}`;
      plan.steps.push({
        kind: 'extern',
        name: call.name,
        label,
        place,
        operands,
        results,
        sizes: plan.axes(call.mentions),
        carried: plan.axes(call.carried).map(({ name }) => name),
        family: plan.axes(call.family),
        points: call.role === 'expert' ? plan.axes(call.carried) : null,
        mask,
      });
      buffers = results.map((r) => r.buffer);
      this.#calls.set(node.call, buffers);
    }
    const buffer = buffers[node.result];
    if (buffer === undefined) throw new CompilerBug('schedule', `no result ${node.result} of ${call.name}`);
    plan.adopt(node, { assignmentList: null, axes: node.axes }, buffer);
  }

  /** Where an extern is wanted: the presences all its results agree on, over family and carried axes. */
  #externMask(call: ExternCallId, axes: readonly AxisId[], name: string) {
    const plan = this.#plan;
    const results = this.#storage.live.map((id) => plan.node(id)).filter((n) => n.kind === 'extern' && n.call === call);
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
      const { name, group, axes } = output;
      const buffer = this.#returning(output.node, axes, name);
      return { kind: 'tensor', name, group, buffer, element: this.#element(output.node), axes: plan.axes(axes) };
    }
    const { name, group, sources, targets, payload, most } = output;
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
      most,
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

  #finish(results: readonly PlanResult[]): Plan {
    const { table, kernels, status } = this.#plan;
    // Status words are added until the last launch is made.
    const steps = this.#plan.steps.map((step): Step => {
      if (step.kind === 'extern') return step;
      const bytes = bytesOf(step.buffers.map((b) => table.at(b).elements));
      return { ...step, work: { ...step.work, bytes } };
    });
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

/** Sums over more points than 32 bits number, whatever a run's sizes are: no device ends them. Sums along the rows of a route are none. */
function endless({ graph, domains }: FusedGraph): readonly Diagnostic[] {
  const open = (id: NodeId): boolean =>
    graph.nodes[id]?.kind !== 'predicated' && (domains.get(id)?.presences.length ?? 0) === 0;
  return graph.nodes.flatMap((node) => {
    if (node.kind !== 'reduce' && node.kind !== 'contract') return [];
    const operands = node.kind === 'reduce' ? [node.operand] : [node.left, node.right];
    const terms = asNumber(multiply(node.over.map((axis) => graph.axes.get(axis)?.size ?? exact(1n))));
    if (terms === null || terms < 2 ** 31 || !operands.every(open)) return [];
    const names = node.over.map((axis) => graph.axes.get(axis)?.name ?? '?').join(', ');
    const message = `this goes over ${terms} points of (${names}), and a kernel goes over fewer than 2^31`;
    return [diagnostic('MOE0501', { message, span: node.span, help: 'choose smaller axes' })];
  });
}

/** Buffers known to be too large for the target, whatever a run's sizes are, each with the place that its value is from. */
function limitViolations(
  plan: Plan,
  target: Target,
  declared: (role: 'input' | 'store', name: string) => Span | null,
): readonly Diagnostic[] {
  const most = target.limits.maxStorageBufferBindingSize;
  const spanOf = (id: BufferId, { role }: PlanBuffer): Span | null => {
    if (role.kind === 'input') return declared('input', role.name);
    if (role.kind === 'store') return declared('store', role.path);
    const writer = plan.steps.find((step) => accessOf(plan, step).writes.includes(id));
    return writer?.kind === 'launch' ? writer.span : null;
  };
  const too = ([id, buffer]: readonly [BufferId, PlanBuffer]): Diagnostic | null => {
    const elements = asNumber(buffer.elements);
    if (elements === null || (elements < 2 ** 31 && 4 * elements <= most)) return null;
    const span = spanOf(id, buffer);
    const where = span === null ? {} : { span };
    if (elements >= 2 ** 31) {
      return diagnostic('MOE0501', {
        message: `${buffer.label} has ${elements} elements, and a buffer has fewer than 2^31`,
        help: 'choose smaller axes',
        ...where,
      });
    }
    return diagnostic('MOE0502', {
      message: `${buffer.label} takes ${4 * elements} bytes, and ${target.name} binds ${most} at once`,
      help: 'choose smaller axes, or a target with a larger maxStorageBufferBindingSize',
      ...where,
    });
  };
  return buffersOf(plan)
    .map(too)
    .filter((d) => d !== null);
}
