/**
 * Verification step by step: every value that a run has in memory is compared, right after the launch that wrote it, from the values
 * its own inputs had in that run. So a bound covers the roundings of one launch, and the first launch that is wrong is known.
 *
 * Whoever runs the plan (a simulator, a GPU) asks before each step what to `poison`, and after it hands over the words of the
 * buffers that are `wanted`. What is compared:
 *   values and copies of them   at the points where somebody reads them, within bounds
 *   assignment lists            exactly, in their order: counts, sums, rows, offsets, inverses
 *   masks for the host          exactly
 * What the host computes is taken as it is. Memory: one copy of every value, as long as something that comes later reads it.
 *
 * After a list that is wrong nothing is compared any more: what is stored on it has no meaning.
 */
import { POISON } from '../../runtime/contract/poison.ts';
import { at, noNumber } from '../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { asInteger, substitute } from '../../dsl/types/size.ts';
import { domainOf, type FusedGraph } from '../graph/domains.ts';
import type { AxisId, ElementType, Node, NodeId, Span } from '../graph/graph-ir.ts';
import { nodeOf } from '../graph/node-uses.ts';
import type { CompactionId, Content, Contents } from '../schedule/emitting/contents.ts';
import type { AssignmentList, AssignmentListId, StoredSpace } from '../schedule/memory/memory.ts';
import { accessOf, buffersOf, type BufferId, type Plan, type Step } from '../schedule/memory/plan.ts';
import { compareCompaction } from './compactions.ts';
import { EVALUATED_AT_ONCE } from './distinct-points.ts';
import { LaunchEvaluation } from './evaluate.ts';
import { onlineBoundsOf } from './online-bounds.ts';
import type { RunMemory, Stored } from './run-memory.ts';
import { chosen, counted, points, type BoundedColumn, type Points } from './point-blocks.ts';
import { asNumbers, loopOf, nameOf } from './node-facts.ts';
import { readsOf } from './reads.ts';
import type { Rows } from './rows.ts';
import { slotRows } from './slot-rows.ts';
import { fates, Tallying, type Tally } from './tally.ts';

/** What a plan was made of, and one run of it. */
export interface ComparedRun {
  readonly fused: FusedGraph;
  readonly plan: Plan;
  readonly contents: Contents;
  readonly sizes: ReadonlyMap<string, number>;
  readonly seed: number;
  /** Numbers of a graph input as they lie in memory, row-major over its axes; null for a control that has its default. */
  readonly numbersOf: (name: string) => ArrayLike<number> | null;
}

/** The comparison of one value in memory. */
export interface StepComparison {
  /** The step after which it was compared. */
  readonly step: number;
  readonly buffer: BufferId;
  /** What it is: a node's kind or operation, a list, a mask. */
  readonly what: string;
  readonly label: string;
  readonly node: NodeId | null;
  readonly span: Span | null;
  readonly axes: readonly string[];
  readonly tally: Tally;
  /** Fate of every element, by its place in memory. */
  readonly fate: Uint8Array;
}

export class StepComparer implements RunMemory {
  readonly comparisons: StepComparison[] = [];
  readonly #run: ComparedRun;
  readonly #evaluation: LaunchEvaluation;
  /** Buffers that are complete after a step, and those whose first write it is. */
  readonly #complete: readonly (readonly BufferId[])[];
  readonly #fresh: readonly (readonly BufferId[])[];
  /** The last step at which something in memory is still read by the comparer, by buffer. */
  readonly #lastUse = new Map<BufferId, number>();
  readonly #words = new Map<BufferId, Uint32Array>();
  readonly #bufferOf = new Map<NodeId, BufferId>();
  readonly #inputs = new Map<NodeId, Stored>();
  readonly #rows = new Map<AssignmentListId, Rows>();
  #stopped = false;

  constructor(run: ComparedRun) {
    this.#run = run;
    const { plan, contents } = run;
    this.#evaluation = new LaunchEvaluation(run.fused.graph, run.sizes, run.seed, this, onlineBoundsOf(contents));
    const [first, last] = [new Map<BufferId, number>(), new Map<BufferId, number>()];
    plan.steps.forEach((step, i) => {
      if (this.#skipped(step)) return;
      for (const buffer of accessOf(plan, step).writes) {
        if (!first.has(buffer)) first.set(buffer, i);
        last.set(buffer, i);
      }
    });
    const at = (of: ReadonlyMap<BufferId, number>, step: number) =>
      [...of].filter(([buffer, s]) => s === step && contents.buffers.has(buffer)).map(([buffer]) => buffer);
    this.#complete = plan.steps.map((_, i) => at(last, i));
    const status = new Set(buffersOf(plan).flatMap(([id, b]) => (b.role.kind === 'status' ? [id] : [])));
    this.#fresh = plan.steps.map((_, i) =>
      [...first].filter(([buffer, s]) => s === i && !status.has(buffer)).map(([buffer]) => buffer),
    );
    for (const [buffer, content] of contents.buffers) {
      if (!last.has(buffer)) continue;
      // Only a node's own memory: who reads a node that has none computes it, whether the host gets a copy or not.
      const isNode = content.kind === 'value' || content.kind === 'extern';
      if (!isNode || nodeOf(run.fused.graph, content.node).kind === 'input') continue;
      if (!this.#bufferOf.has(content.node)) this.#bufferOf.set(content.node, buffer);
    }
    this.#bindDefaults();
    this.#findLastUses(last);
  }

  /** Buffers to overwrite before a step: what it should write must not be there already. */
  buffersToPoison(step: number): readonly BufferId[] {
    return at(this.#fresh, step, 'verify: step');
  }

  /** Buffers whose words are to be handed over after a step. */
  buffersToRead(step: number): readonly BufferId[] {
    return this.#stopped ? [] : at(this.#complete, step, 'verify: step');
  }

  /** Takes the words of these buffers after a step, and compares what they hold. */
  take(step: number, words: (buffer: BufferId) => Uint32Array): void {
    const buffers = this.buffersToRead(step);
    for (const buffer of buffers) this.#words.set(buffer, words(buffer).slice(0, this.#elements(buffer)));
    const compactions = new Set<CompactionId>();
    for (const buffer of buffers) {
      const content = this.#run.contents.buffers.get(buffer);
      if (content === undefined) continue;
      if (content.kind === 'value' || content.kind === 'copy') this.#compareValue(step, buffer, content);
      else if (content.kind === 'mask') this.#compareMask(step, buffer, content);
      else if (content.kind === 'compaction') compactions.add(content.compaction);
    }
    for (const id of compactions) this.#compareCompaction(step, id, buffers);
    for (const [buffer] of this.#words) if ((this.#lastUse.get(buffer) ?? -1) <= step) this.#words.delete(buffer);
  }

  // --- what an evaluation asks ---

  stored(id: NodeId): Stored | null {
    const given = this.#inputs.get(id);
    if (given !== undefined) return given;
    const node = nodeOf(this.#run.fused.graph, id);
    const buffer = this.#bufferOf.get(id);
    if (buffer !== undefined) {
      const content = this.#run.contents.buffers.get(buffer);
      const words = this.#words.get(buffer);
      if (words === undefined || content === undefined || !('space' in content))
        throw new CompilerBug('verify', `node ${id} (${node.kind}) is read before it is there`);
      return { space: content.space, data: asNumbers(words, node.element) };
    }
    if (node.kind !== 'input') return null;
    const input = this.#run.fused.graph.inputs[node.input];
    const data = input === undefined ? null : this.#run.numbersOf(input.name);
    if (input === undefined || data === null) throw new CompilerBug('verify', `graph input ${node.input} has no value`);
    const stored = { space: { assignmentList: null, axes: input.axes }, data };
    this.#inputs.set(id, stored);
    return stored;
  }

  rows(assignmentList: AssignmentList): Rows {
    const { id, form } = assignmentList;
    // Slots need no step: they are there when somebody first stands on them.
    const rows =
      this.#rows.get(id) ?? (form.kind === 'slots' ? slotRows(assignmentList, form, this.#evaluation) : null);
    if (rows === null) throw new CompilerBug('verify', `assignment list ${id} is read before it is there`);
    this.#rows.set(id, rows);
    return rows;
  }

  capacity(assignmentList: AssignmentList): number {
    const capacity = asInteger(substitute(assignmentList.capacity, this.#run.sizes));
    if (capacity === null) throw new CompilerBug('verify', 'a capacity is not known');
    return capacity;
  }

  // --- what is read when ---

  #skipped(step: Step): boolean {
    if (step.kind !== 'launch') return false;
    return step.skipIfGiven !== null && this.#run.numbersOf(step.skipIfGiven) !== null;
  }

  #elements(buffer: BufferId): number {
    const spec = this.#run.plan.buffers[buffer];
    const count = spec === undefined ? null : asInteger(substitute(spec.elements, this.#run.sizes));
    if (count === null) throw new CompilerBug('verify', `no buffer ${buffer}`);
    return count;
  }

  /** A control that has its default is read from the buffer that the plan computed it into. */
  #bindDefaults(): void {
    const { fused, plan, contents } = this.#run;
    for (const node of fused.graph.nodes) {
      if (node.kind !== 'input') continue;
      const input = fused.graph.inputs[node.input];
      if (input === undefined || input.default === null || this.#run.numbersOf(input.name) !== null) continue;
      const found = buffersOf(plan).find(([, { role }]) => role.kind === 'store' && role.path === input.name);
      if (found !== undefined && contents.buffers.has(found[0])) this.#bufferOf.set(node.id, found[0]);
    }
  }

  #findLastUses(complete: ReadonlyMap<BufferId, number>): void {
    const { contents } = this.#run;
    const use = (buffer: BufferId, step: number): void => {
      this.#lastUse.set(buffer, Math.max(step, this.#lastUse.get(buffer) ?? -1));
    };
    for (const [buffer, content] of contents.buffers) {
      const step = complete.get(buffer);
      if (step === undefined) continue;
      use(buffer, step);
      for (const read of readsOf(content, this.#run, this.#bufferOf)) use(read, step);
    }
  }

  // --- comparing ---

  #compareValue(step: number, buffer: BufferId, content: Extract<Content, { kind: 'value' | 'copy' }>): void {
    const node = nodeOf(this.#run.fused.graph, content.node);
    const { space } = content;
    // A copy is compared with the value it copies; a value by what it is made of.
    const copies = content.kind === 'copy';
    const isLine = !copies && (node.kind === 'scan' || node.kind === 'sort_rank');
    const choice = !copies && node.kind === 'choose' ? node : null;
    const over = choice !== null ? [choice.along] : isLine ? (node.kind === 'scan' ? [node.axis] : node.over) : [];
    const outer: StoredSpace = {
      assignmentList: space.assignmentList,
      axes: space.axes.filter((a) => !over.includes(a)),
    };
    const comparison = this.#begin(step, buffer, node.element, copies ? `copy of ${nameOf(node)}` : nameOf(node), node);
    const { offsets } = this.#evaluation;
    const rows = space.assignmentList === null ? 1 : this.rows(space.assignmentList).count;
    const total = rows * offsets.count(outer.axes);
    const inner = copies ? 1 : offsets.count(isLine ? over : choice !== null ? choice.over : loopOf(node));
    const size = Math.max(1, Math.floor(EVALUATED_AT_ONCE / Math.max(1, inner)));
    for (let first = 0; first < total; first += size) {
      const p = this.#points(outer, first, Math.min(size, total - first));
      if (isLine && (node.kind === 'scan' || node.kind === 'sort_rank')) {
        const { at, numbers } = this.#evaluation.lines(node, p);
        this.#compare(comparison, node, space, at, numbers);
      } else if (choice !== null) {
        const { at, numbers } = this.#evaluation.choices(choice, p);
        this.#compare(comparison, node, space, at, numbers);
      } else {
        const there = this.#evaluation.holds(domainOf(this.#run.fused, node.id).presences, p);
        const read = Int32Array.from({ length: p.count }, (_, i) => i).filter((i) => there[i] === 1);
        for (let i = 0; i < p.count; i++) if (there[i] === 2) comparison.tallying.skip(fates.undecided);
        if (read.length === 0) continue;
        const q = read.length === p.count ? p : chosen(p, read);
        const numbers = copies ? this.#evaluation.value(node.id, q) : this.#evaluation.inlined(node, q);
        this.#compare(comparison, node, space, q, numbers);
      }
    }
    this.#end(comparison);
  }

  #compareMask(step: number, buffer: BufferId, { presences, axes }: Extract<Content, { kind: 'mask' }>): void {
    const [first] = presences;
    const node = first === undefined ? null : nodeOf(this.#run.fused.graph, first);
    const comparison = this.#begin(step, buffer, 'bool', 'mask', node);
    const space: StoredSpace = { assignmentList: null, axes };
    const total = this.#evaluation.offsets.count(axes);
    for (let from = 0; from < total; from += EVALUATED_AT_ONCE) {
      const p = this.#points(space, from, Math.min(EVALUATED_AT_ONCE, total - from));
      const there = this.#evaluation.holds(presences, p);
      const v = Float64Array.from(there, (h) => (h === 1 ? 1 : 0));
      const d = Float64Array.from(there, (h) => (h === 2 ? 1 : 0));
      this.#record(comparison, space, p, { v, d, left: null }, axes);
    }
    this.#end(comparison);
  }

  /** Points of a space by their number: dense ones, or rows that are there. */
  #points({ assignmentList, axes }: StoredSpace, first: number, count: number): Points {
    const { offsets } = this.#evaluation;
    const lengths = axes.map((axis) => ({ axis, length: offsets.length(axis) }));
    if (assignmentList === null) return points(count, counted(first, count, lengths));
    const inner = offsets.count(axes);
    const rows = this.rows(assignmentList);
    const at = counted(first, count, lengths);
    const row = Int32Array.from({ length: count }, (_, i) => Math.floor((first + i) / inner));
    const take = (column: Int32Array) => row.map((r) => column[r] ?? noNumber());
    for (const [axis, column] of rows.at) at.set(axis, take(column));
    return points(
      count,
      at,
      new Map([...rows.above].map(([id, column]) => [id, take(column)] as const)),
      new Set(assignmentList.presences),
    );
  }

  /** Compares where somebody reads the value. */
  #compare(comparison: ValueComparison, node: Node, space: StoredSpace, p: Points, numbers: BoundedColumn): void {
    const isLine = node.kind === 'scan' || node.kind === 'sort_rank' || node.kind === 'choose';
    if (!isLine) return this.#record(comparison, space, p, numbers, node.axes);
    const { presences } = domainOf(this.#run.fused, node.id);
    const candidates = node.kind === 'sort_rank' && node.candidates !== null ? [node.candidates] : [];
    const there = this.#evaluation.holds([...presences, ...candidates], p);
    const read = Int32Array.from({ length: p.count }, (_, i) => i).filter((i) => there[i] === 1);
    for (let i = 0; i < p.count; i++) if (there[i] === 2) comparison.tallying.skip(fates.undecided);
    if (read.length === p.count) return this.#record(comparison, space, p, numbers, node.axes);
    const some = (list: Float64Array) => Float64Array.from(read, (i) => list[i] ?? noNumber());
    const { left } = numbers;
    this.#record(
      comparison,
      space,
      chosen(p, read),
      {
        v: some(numbers.v),
        d: some(numbers.d),
        left: left === null ? null : Uint8Array.from(read, (i) => left[i] ?? noNumber()),
      },
      node.axes,
    );
  }

  #record(
    comparison: ValueComparison,
    space: StoredSpace,
    p: Points,
    numbers: BoundedColumn,
    axes: readonly AxisId[],
  ): void {
    const elements = this.#evaluation.elements(space, p);
    const { words, data, fate, tallying } = comparison;
    const columns = axes.map((a) => p.at.get(a));
    for (let i = 0; i < p.count; i++) {
      const at = elements[i] ?? noNumber();
      if (at < 0 || at >= words.length) continue;
      if (numbers.left?.[i] === 1) fate[at] = tallying.skip(fates.left);
      else {
        const unwritten = words[at] === POISON;
        fate[at] = tallying.compare(
          data[at] ?? noNumber(),
          numbers.v[i] ?? noNumber(),
          numbers.d[i] ?? noNumber(),
          unwritten,
          () => columns.map((c) => c?.[i] ?? 0),
        );
      }
    }
  }

  #begin(step: number, buffer: BufferId, element: ElementType, what: string, node: Node | null): ValueComparison {
    const words = this.#words.get(buffer);
    if (words === undefined) throw new CompilerBug('verify', `buffer ${buffer} was not handed over`);
    const fate = new Uint8Array(words.length);
    return { step, buffer, what, node, words, data: asNumbers(words, element), fate, tallying: new Tallying(element) };
  }

  #end({ step, buffer, what, node, fate, tallying }: ValueComparison): void {
    const axis = (a: AxisId) => this.#run.fused.graph.axes.get(a)?.name ?? '?';
    this.comparisons.push({
      step,
      buffer,
      what,
      label: this.#run.plan.steps[step]?.label ?? what,
      node: node?.id ?? null,
      span: node?.span ?? null,
      axes: node === null ? [] : node.axes.map(axis),
      tally: tallying.tally,
      fate,
    });
  }

  #compareCompaction(step: number, id: CompactionId, wanted: readonly BufferId[]): void {
    const compaction = this.#run.contents.compactions[id];
    if (compaction === undefined) throw new CompilerBug('verify', `no compaction ${id}`);
    const assignmentList =
      compaction.of.kind === 'rows' ? compaction.of.assignmentList : compaction.of.shape.assignmentList;
    const [presence] = assignmentList.refinedBy;
    const node = presence === undefined ? null : nodeOf(this.#run.fused.graph, presence);
    const words = (buffer: BufferId) => this.#words.get(buffer) ?? null;
    const { parts, rows } = compareCompaction(compaction, wanted, words, this.#evaluation, this);
    for (const { buffer, what, tally, fate } of parts) {
      this.comparisons.push({
        step,
        buffer,
        what: `${compaction.what}: ${what}`,
        label: this.#run.plan.steps[step]?.label ?? what,
        node: node?.id ?? null,
        span: node?.span ?? null,
        axes: [what],
        tally,
        fate,
      });
      if (tally.wrong > 0) this.#stopped = true;
    }
    if (rows !== null) this.#rows.set(assignmentList.id, rows);
    else if (compaction.of.kind === 'rows' && wanted.includes(compaction.list)) this.#stopped = true;
  }
}

/** A comparison under way. */
interface ValueComparison {
  readonly step: number;
  readonly buffer: BufferId;
  readonly what: string;
  readonly node: Node | null;
  readonly words: Uint32Array;
  readonly data: ArrayLike<number>;
  readonly fate: Uint8Array;
  readonly tallying: Tallying;
}
