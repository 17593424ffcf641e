/**
 * PlanBuilder: the plan in the making. It keeps the tables every emitter shares (buffers, memory of nodes, assignment lists and their
 * lists, fault words) and turns what an emitter writes into a launch.
 *
 * A launch that needs more storage buffers than the target has is not an error: the builder notes which inlined value to give memory
 * (`splits`), and the scheduler starts again with it (schedule.ts).
 */
import { at, indexIn } from '../../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { diagnostic } from '../../../dsl/diagnostics/diagnostic.ts';
import type { Diagnostic } from '../../../dsl/diagnostics/diagnostic.ts';
import { idOf } from '../../../dsl/types/ids.ts';
import { exact, multiply } from '../../../dsl/types/size.ts';
import type { Size } from '../../../dsl/types/size.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Check, GraphInputId, Node, NodeId, Span } from '../../graph/graph-ir.ts';
import { nodeOf, operandsOf } from '../../graph/node-uses.ts';
import type { Kernel, KernelExpr } from '../../kernel/kernel-ir.ts';
import type { DeviceClass, Target } from '../../target.ts';
import { chooseSplit } from '../deciding/choose-split.ts';
import type { InlinedValues } from '../deciding/choose-split.ts';
import { PredicateSets } from '../deciding/predicate-sets.ts';
import type { Schedule } from '../deciding/schedule-ir.ts';
import type { Compaction, CompactionId, CompactionPart, Content } from './contents.ts';
import { ExprEmitter, constant } from './expression-emitter.ts';
import { LaunchBuilder } from './launch-builder.ts';
import type { BuiltLaunch } from './launch-builder.ts';
import { BufferTable, elementsOf, queuedPresence } from '../memory/memory.ts';
import type {
  AssignmentList,
  AssignmentListBuffers,
  AssignmentListId,
  QueuedSlots,
  StoredSpace,
} from '../memory/memory.ts';
import type { PointAccess } from './point-emitter.ts';
import type { BufferId, ExternStep, FaultWord, KernelId, Launch, PlanAxis, StatusWord } from '../memory/plan.ts';
import { storageTypeOf } from '../memory/plan.ts';

/** Threads of a workgroup where nothing asks for another number. */
export const WORKGROUP = 64;

export interface LaunchOptions {
  /** Family, snake_case: the kernel's name. */
  readonly family: string;
  /** What it computes, in words. */
  readonly what: string;
  readonly span: Span | null;
  readonly invocations: Size;
  readonly workgroupSize?: number;
  /** The points it runs over, in words, and how many there are at most. */
  readonly domain: string;
  readonly points: Size;
  readonly skipIfGiven?: string;
  /** What is computed by a launch of its own if this one binds too many buffers. */
  readonly apart?: NodeId;
  /** Threads have nothing to do with those of their workgroup: it may have any size. */
  readonly byThreads?: boolean;
}

/** How a class of devices does a launch: a workgroup is a subgroup. */
export interface FormOptions {
  readonly class: DeviceClass;
  readonly invocations: Size;
  /** What tells it from other forms of the class (`KernelTable.form`); null: nothing that would do. */
  readonly shape: readonly number[] | null;
  readonly write: (lowering: ExprEmitter) => void;
}

/** A launch before it is known whether the plan will be kept: with a kernel of its own, and nothing said of its work. */
export interface DraftLaunch extends Omit<Launch, 'work' | 'label' | 'forms'> {
  readonly built: BuiltLaunch;
  readonly options: LaunchOptions;
  readonly forms: readonly FormOptions[];
  /** Writes it again, in workgroups of another size, if these may have any; such a launch has no forms of its own. */
  readonly anySize: FormOptions['write'] | null;
}

export type DraftStep = ExternStep | DraftLaunch;

export class PlanBuilder implements PointAccess {
  readonly fused: FusedGraph;
  readonly schedule: Schedule;
  readonly #predicateSets: PredicateSets;
  readonly target: Target;
  readonly table = new BufferTable();
  /** One for each launch. */
  readonly kernels: Kernel[] = [];
  readonly steps: DraftStep[] = [];
  /** Every buffer that a launch was given, whether its kernel needs it in the end or not. */
  readonly asked = new Map<DraftStep, readonly BufferId[]>();
  /** What the buffers hold (contents.ts). */
  readonly contents = new Map<BufferId, Content>();
  readonly compactions: Compaction[] = [];
  /** Values that need memory for a launch to fit the target; empty if all fit. */
  readonly splits = new Set<NodeId>();
  /** Values that are read, have to have memory, and have none. */
  readonly lacking = new Set<NodeId>();
  /** Values that a row has no room for beside the others. */
  readonly apart = new Set<NodeId>();
  /** What rows hold and read, and what they hold and nobody reads. */
  readonly loaded = new Set<NodeId>();
  readonly unloaded = new Set<NodeId>();
  /** Launches that do not fit the target and cannot be made to. */
  readonly limitViolations: Diagnostic[] = [];
  /** How a place in the source is shown in labels. */
  readonly locationOf: (span: Span) => string;
  readonly #status = new Map<StatusWord, FaultWord>();
  readonly #memory = new Map<NodeId, { readonly buffer: BufferId; readonly space: StoredSpace }>();
  readonly #assignmentLists = new Map<AssignmentListId, AssignmentListBuffers>();
  readonly #uses: readonly number[];

  constructor(fused: FusedGraph, schedule: Schedule, target: Target, locationOf: (span: Span) => string) {
    this.fused = fused;
    this.schedule = schedule;
    this.#predicateSets = new PredicateSets(fused);
    this.target = target;
    this.locationOf = locationOf;
    this.#uses = useCounts(fused, schedule.live);
  }

  // --- the graph ---

  node(id: NodeId): Node {
    return nodeOf(this.fused.graph, id);
  }

  readonly sizeOf = (axis: AxisId): Size => this.axis(axis).size;

  axis(axis: AxisId): PlanAxis {
    const found = this.fused.graph.axes.get(axis);
    if (found === undefined) throw new CompilerBug('schedule', `no axis ${axis}`);
    return { name: found.name, size: found.size };
  }

  axes(axes: readonly AxisId[]): readonly PlanAxis[] {
    return axes.map((a) => this.axis(a));
  }

  usesOf(id: NodeId): number {
    return at(this.#uses, id, 'schedule: uses of node');
  }

  // --- memory ---

  memoryOf(id: NodeId): { readonly buffer: BufferId; readonly space: StoredSpace } | null {
    const known = this.#memory.get(id);
    if (known !== undefined) return known;
    const node = this.node(id);
    if (node.kind === 'input')
      return { buffer: this.inputBuffer(node.input), space: { assignmentList: null, axes: node.axes } };
    const list = this.schedule.spaces.get(id)?.assignmentList;
    if (this.schedule.spaces.has(id) && (list == null || queuedPresence(list) !== id))
      throw new CompilerBug('schedule', `node ${id} (${node.kind}) is read before it is computed`);
    return null;
  }

  lacks({ id, element }: Node): KernelExpr {
    this.lacking.add(id);
    return constant(element, 0);
  }

  /** Gives a node its memory. */
  allocate(node: Node, space: StoredSpace): BufferId {
    const buffer = this.table.scratch(this.labelOf(node), storageTypeOf(node.element), elementsOf(space, this.sizeOf));
    this.#memory.set(node.id, { buffer, space });
    this.contents.set(buffer, { kind: 'value', node: node.id, space });
    return buffer;
  }

  /** A node's memory is a buffer that the host writes. */
  adopt(node: Node, space: StoredSpace, buffer: BufferId): void {
    this.#memory.set(node.id, { buffer, space });
    this.contents.set(buffer, { kind: 'extern', node: node.id, space });
  }

  /** Notes what the buffers of a compaction hold. */
  addCompaction(compaction: Compaction): void {
    const id = idOf<CompactionId>(this.compactions.push(compaction) - 1);
    const parts: readonly CompactionPart[] = ['counts', 'starts', 'list', 'offsets', 'inverse'];
    for (const part of parts) {
      const buffer = compaction[part];
      if (buffer !== null) this.contents.set(buffer, { kind: 'compaction', compaction: id, part });
    }
  }

  inputBuffer(index: GraphInputId): BufferId {
    const input = this.fused.graph.inputs[index];
    if (input === undefined) throw new CompilerBug('schedule', `no graph input ${index}`);
    return this.table.given(`${input.role} ${input.name}`, {
      label: input.name,
      storageType: storageTypeOf(input.element),
      elements: multiply(input.axes.map(this.sizeOf)),
      role:
        input.role === 'input'
          ? { kind: 'input', name: input.name }
          : { kind: 'store', store: input.role, path: input.name },
    });
  }

  holdsUnder(presences: readonly NodeId[], presence: NodeId): boolean {
    return this.#predicateSets.holdsUnder(presences, presence);
  }

  assignmentListBuffers(assignmentList: AssignmentList): AssignmentListBuffers {
    const buffers = this.#assignmentLists.get(assignmentList.id);
    if (buffers === undefined)
      throw new CompilerBug('schedule', `assignment list ${assignmentList.id} is used before it is built`);
    return buffers;
  }

  listOf(presence: NodeId): AssignmentList | null {
    const list = this.schedule.assignmentLists.find((each) => queuedPresence(each) === presence);
    return list !== undefined && this.hasAssignmentList(list) ? list : null;
  }

  queueOf(place: NodeId): QueuedSlots | null {
    for (const { form } of this.schedule.assignmentLists)
      if (form.kind === 'slots' && form.queue?.place === place) return { form, queue: form.queue };
    return null;
  }

  hasAssignmentList(assignmentList: AssignmentList): boolean {
    return this.#assignmentLists.has(assignmentList.id);
  }

  setAssignmentList(assignmentList: AssignmentList, buffers: AssignmentListBuffers): void {
    this.#assignmentLists.set(assignmentList.id, buffers);
  }

  // --- fault words ---

  statusBuffer(): BufferId {
    return this.table.given('status', {
      label: 'status',
      storageType: 'u32',
      elements: exact(1),
      role: { kind: 'status' },
    });
  }

  /** The fault word of a check: words stand in the order of checks, since the first that tells of something is told. */
  statusWord(check: Check): StatusWord {
    const { checks } = this.fused.graph;
    const word = idOf<StatusWord>(indexIn(checks, check, 'schedule: check'));
    const { code, message, role: group, skipIfGiven } = check;
    const shown = check.shown.map((each, i) =>
      'size' in each ? each : { word: this.shownWord(check, i), element: this.node(each.node).element },
    );
    this.#status.set(word, {
      word,
      code,
      message,
      axes: this.axes(check.axes),
      place: this.locationOf(check.span),
      group,
      unless: skipIfGiven,
      shown,
    });
    this.table.resize(this.statusBuffer(), exact(checks.length + checks.reduce((n, c) => n + c.shown.length, 0)));
    return word;
  }

  /** The word that a number of a message is put into: behind those of all checks. */
  shownWord(check: Check, index: number): StatusWord {
    const { checks } = this.fused.graph;
    const before = checks.slice(0, indexIn(checks, check, 'schedule: check')).reduce((n, c) => n + c.shown.length, 0);
    return idOf<StatusWord>(checks.length + before + index);
  }

  /** Of all checks that were emitted, in the order of their words. */
  get status(): readonly FaultWord[] {
    return [...this.#status.values()].sort((a, b) => a.word - b.word);
  }

  // --- launches ---

  /** Makes a launch of what `write` writes, with forms of classes. */
  launch(options: LaunchOptions, write: (lowering: ExprEmitter) => void, forms: readonly FormOptions[] = []): void {
    const builder = new LaunchBuilder(options.family, options.workgroupSize ?? WORKGROUP, this.table);
    const lowering = new ExprEmitter(builder, this);
    write(lowering);
    const built = builder.finish();
    if (built.buffers.length > this.target.limits.maxStorageBuffersPerShaderStage) {
      if (options.apart === undefined) this.#split(lowering, options, built.buffers.length);
      else this.apart.add(options.apart);
    }
    const step: DraftStep = {
      kind: 'launch',
      kernel: idOf<KernelId>(this.kernels.push(built.kernel) - 1),
      span: options.span,
      invocations: options.invocations,
      buffers: built.buffers,
      uniforms: built.uniforms,
      forms,
      anySize: options.byThreads === true && forms.length === 0 && built.kernel.arrays.length === 0 ? write : null,
      skipIfGiven: options.skipIfGiven ?? null,
      built,
      options,
    };
    this.steps.push(step);
    this.asked.set(step, built.asked);
  }

  /** Notes which value to give memory, or that none would make the launch fit. */
  #split({ inlined, readers }: ExprEmitter, options: LaunchOptions, bound: number): void {
    const limit = this.target.limits.maxStorageBuffersPerShaderStage;
    const inlinedValues: InlinedValues = {
      inlined: new Set([...inlined].filter((id) => !this.schedule.spaces.has(id))),
      readers,
      operandsOf: (id) => operandsOf(this.fused.graph, this.node(id)),
    };
    const chosen = chooseSplit(inlinedValues, limit - 1);
    if (chosen !== null) this.splits.add(chosen);
    else
      this.limitViolations.push(
        diagnostic('MOE0503', {
          span: options.span ?? undefined,
          message: `the step '${options.what}' needs ${bound} storage buffers at once, and ${this.target.name} binds ${limit}`,
          help: 'nest fewer routers in one another',
        }),
      );
  }

  /** A space in words: `T × F`, `rows of (T, E) × F`. */
  domainText(space: StoredSpace): string {
    const name = (a: AxisId) => this.axis(a).name;
    const rows = space.assignmentList === null ? [] : [`rows of (${space.assignmentList.axes.map(name).join(', ')})`];
    return [...rows, ...space.axes.map(name)].join(' × ') || 'one point';
  }

  labelOf(node: Node): string {
    return `${labelWord(node)}: ${this.locationOf(node.span)}`;
  }
}

/** A launch of as many threads as a value has elements. */
export function optionsOf(plan: PlanBuilder, family: string, node: Node, space: StoredSpace): LaunchOptions {
  const points = elementsOf(space, plan.sizeOf);
  return {
    family,
    what: labelWord(node),
    span: node.span,
    invocations: points,
    domain: plan.domainText(space),
    points,
  };
}

/** What a label calls a node: its kind, or the operation that a map does. */
export function labelWord(node: Node): string {
  return node.kind === 'map' ? node.op : node.kind;
}

/** How many places read each node, among what a run needs. */
function useCounts(fused: FusedGraph, live: readonly NodeId[]): readonly number[] {
  const counts = fused.graph.nodes.map(() => 0);
  for (const id of live) {
    for (const operand of operandsOf(fused.graph, nodeOf(fused.graph, id)))
      counts[operand] = at(counts, operand, 'schedule: uses of node') + 1;
  }
  return counts;
}
