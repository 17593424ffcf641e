/**
 * schedule: a graph whose values know where they are computed, to a plan of launches. Pure; static; the same for all sizes of a run, but that few rows may have a plan of their own (deciding/regimes.ts).
 *
 *   decide       deciding/plan-schedule.ts      what has memory, on which assignments, by which kernel family, in which order
 *   lower        emitting/lower-schedule.ts     each decision to its launches
 */
import { CompilerBug, verified } from '../../dsl/diagnostics/bug.ts';
import { diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import type { Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import { asNumber, exact, multiply } from '../../dsl/types/size.ts';
import type { FusedGraph } from '../graph/domains.ts';
import type { NodeId, Span } from '../graph/graph-ir.ts';
import type { Target } from '../target.ts';
import { ChangedDecider, type GraphChanges } from './deciding/changes.ts';
import { chooseBeside, whyNotAlike } from './deciding/choose-beside.ts';
import { byCostIn, type Decider } from './deciding/decider.ts';
import { isStoredAnyway } from './deciding/legality.ts';
import { nothingFound, planSchedule, type Found } from './deciding/plan-schedule.ts';
import { stepTexts } from './deciding/print-schedule.ts';
import type { Regime } from './deciding/regimes.ts';
import { ScheduleTextError, inOrderOf, readDecisions } from './deciding/read-schedule.ts';
import { keyOf, leaderOf, type Schedule } from './deciding/schedule-ir.ts';
import { faultText, scheduleFaults } from './deciding/verify-schedule.ts';
import type { Contents } from './emitting/contents.ts';
import { KernelTable } from './emitting/kernel-table.ts';
import { lowerSchedule, type LoweredSchedule } from './emitting/lower-schedule.ts';
import { accessOf, buffersOf } from './memory/plan.ts';
import type { BufferId, Plan, PlanBuffer } from './memory/plan.ts';

export interface ScheduleOptions {
  /** How a place in the source is shown in labels: `mixtral.moe:14:5`. */
  readonly locationOf?: (span: Span) => string;
  /** The text of a schedule, to be lowered instead of the one that costs decide (deciding/read-schedule.ts). */
  readonly given?: string;
  /** What is decided otherwise than by costs (deciding/changes.ts). A change that may not be is thrown as `IllegalChange`. */
  readonly changes?: GraphChanges;
  /** Where an input, or a variable by its path, is declared, for what does not fit. */
  readonly declared?: (role: 'input' | 'store', name: string) => Span | null;
  /** What costs are those of; `many` unless said. */
  readonly regime?: Regime;
  /** What had to be known for the schedule of another regime, which is likely to be what this one has to know. */
  readonly likely?: Found;
  /** Kernels of other plans, to share: none by default. */
  readonly kernels?: KernelTable;
}

export interface Scheduled {
  readonly schedule: Schedule;
  readonly plan: Plan;
  readonly contents: Contents;
  /** What had to be known of the schedule that was decided. */
  readonly found: Found;
  /** What does not fit the target. The plan is whole all the same. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The plan of the outputs a graph has. */
export function schedule(fused: FusedGraph, target: Target, options: ScheduleOptions = {}): Scheduled {
  const locationOf = options.locationOf ?? ((span) => (span.source === '' ? '?' : `${span.source}:${span.start}`));
  const plain = byCostIn(options.regime ?? 'many');
  const decider = options.changes === undefined ? null : new ChangedDecider(plain, options.changes);
  const planned = settled(fused, target, decider ?? plain, locationOf, options.likely);
  const finish = (decided: Schedule, lowered: ReturnType<typeof lowerSchedule>): Scheduled => {
    const plan = lowered.plan(options.kernels ?? new KernelTable(), decided.beside);
    const { contents } = lowered;
    const diagnostics = [
      ...lowered.limitViolations.slice(0, 1),
      ...endless(fused),
      ...limitViolations(plan, target, options.declared ?? (() => null)),
    ];
    return { schedule: decided, plan, contents, found: planned.found, diagnostics };
  };
  const illegal = decider?.illegal(planned.schedule) ?? null;
  if (illegal !== null) throw illegal;
  if (options.given === undefined) return finish(planned.schedule, planned.lowered);
  const given = readGiven(options.given, fused, target, planned.found);
  const lowered = lowerSchedule(fused, given, target, locationOf);
  const [missing] = [...lowered.splits, ...lowered.lacking];
  if (missing === undefined) {
    const wrong = unlike(given, lowered, target);
    if (wrong !== null) throw wrong;
    return finish(given, lowered);
  }
  const limit = target.limits.maxStorageBuffersPerShaderStage;
  const why = lowered.splits.has(missing) ? `a launch binds more than ${limit} buffers` : `somebody reads %${missing}`;
  throw new ScheduleTextError(null, why, { help: `give %${missing} memory` });
}

export interface Settled {
  readonly schedule: Schedule;
  readonly lowered: LoweredSchedule;
  /** What had to be known for that. */
  readonly found: Found;
}

/**
 * What a decider decides, lowered. If a launch needs more buffers than the target has, a value it inlined is given memory and all is
 * done again: the number of such values only grows, so this ends. Whether a mask is read is known when everything that may ask it has
 * been lowered: who knows its points by name does not. A row that binds too many buffers has one value less.
 */
export function settled(
  fused: FusedGraph,
  target: Target,
  decider: Decider,
  locationOf: (span: Span) => string,
  start: Found = nothingFound,
): Settled {
  const { known } = start;
  const split = new Set(start.split);
  /** Values that were read by nobody once, and are read since then: what has no memory changes who reads what. */
  const read = new Set(start.inMemory);
  const apart = new Set(start.apart);
  const unkept = new Set(start.unkept);
  const counted = new Set(start.counted);
  let { unread } = start;
  for (;;) {
    const found: Found = { split, unread, known, unkept: without(unkept, read), counted, inMemory: read, apart };
    const decided = planSchedule(fused, target, found, decider);
    const lowered = lowerSchedule(fused, decided, target, locationOf);
    const [lacking] = lowered.lacking;
    if (lacking !== undefined) {
      if (!decided.unread.has(lacking) && !found.unkept.has(lacking))
        throw new CompilerBug('schedule', `%${lacking} is read and has no memory`);
      for (const id of lowered.lacking) read.add(id);
      unread = without(unread, read);
      continue;
    }
    const news = without(lowered.unread, read);
    const held = without(lowered.unkept, new Set([...read, ...unkept]));
    if (lowered.splits.size === 0 && news.size + held.size > 0) {
      unread = new Set([...unread, ...news]);
      for (const id of held) unkept.add(id);
      continue;
    }
    // A row may bind too much only since it stores what nobody reads.
    if (lowered.apart.size > 0) {
      for (const id of lowered.apart) {
        const members = rowWith(decided, id).filter((other) => !counted.has(other));
        if (members.length === 0 && apart.has(id)) throw new CompilerBug('schedule', 'a row does not get smaller');
        if (members.length === 0) apart.add(id);
        for (const other of members) counted.add(other);
      }
      continue;
    }
    if (lowered.splits.size === 0) {
      const beside = chooseBeside(fused, decided, lowered.shapeOf, { target, decider });
      const kept = { ...decided, beside };
      verified('schedule', `the schedule of ${kept.entry}`, scheduleFaults(kept, fused, target).map(faultText));
      return { schedule: kept, lowered, found };
    }
    const before = split.size;
    unread = new Set();
    for (const id of lowered.splits) split.add(id);
    if (split.size === before) throw new CompilerBug('schedule', 'a launch does not get smaller');
  }
}

/** The values of the row that a value is in. */
function rowWith({ steps }: Schedule, id: NodeId): readonly NodeId[] {
  const rows = steps.flatMap((step) =>
    step.kind === 'row' ? [step.phases.flat().map(({ choice }) => choice.node.id)] : [],
  );
  return rows.find((ids) => ids.includes(id)) ?? [];
}

function without(ids: ReadonlySet<NodeId>, gone: ReadonlySet<NodeId>): ReadonlySet<NodeId> {
  return new Set([...ids].filter((id) => !gone.has(id)));
}

/** What is wrong with launches that a text says are shared. */
function unlike({ steps, beside }: Schedule, { shapeOf }: LoweredSchedule, target: Target): ScheduleTextError | null {
  for (const leader of new Set(beside.values())) {
    const parts = steps.filter((step) => keyOf(step) === leader || leaderOf(step, { beside }) === leader);
    const shapes = parts.map(shapeOf);
    const known = shapes.filter((shape) => shape !== null);
    const why = known.length < shapes.length ? 'one of them has several launches' : whyNotAlike(known, target);
    if (why !== null) {
      const text = `what stands beside %${leader} may not share its launch: ${why}`;
      return new ScheduleTextError(null, text, { help: `leave out 'beside %${leader}'` });
    }
  }
  return null;
}

/** A schedule from its text: what it says in the order in which it says it, and right by every rule of schedules. */
function readGiven(text: string, fused: FusedGraph, target: Target, { unread: known }: Found): Schedule {
  const decider = readDecisions(text, fused.graph);
  const isRead = (id: NodeId): boolean => decider.stored.has(id) || decider.heads.has(id);
  // What the host gives has memory by the call.
  const needed = fused.graph.nodes
    .filter((node) => node.kind !== 'extern' && isStoredAnyway(fused, node))
    .map(({ id }) => id);
  const unread = new Set([...needed, ...known].filter((id) => !isRead(id)));
  const given = planSchedule(fused, target, { ...nothingFound, unread, known, unkept: decider.held }, decider);
  const ordered = inOrderOf(text, given, fused.graph);
  const [fault] = scheduleFaults(ordered, fused, target);
  if (fault === undefined) return ordered;
  const texts = stepTexts(ordered, fused.graph);
  const step = fault.step === null ? undefined : texts[fault.step];
  throw new ScheduleTextError(step === undefined ? null : decider.lineOf(step), fault.text);
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
  const limit = target.limits.maxStorageBufferBindingSize;
  const spanOf = (id: BufferId, { role }: PlanBuffer): Span | null => {
    if (role.kind === 'input') return declared('input', role.name);
    if (role.kind === 'store') return declared('store', role.path);
    const writer = plan.steps.find((step) => accessOf(plan, step).writes.includes(id));
    return writer?.kind === 'launch' ? writer.span : null;
  };
  const too = ([id, buffer]: readonly [BufferId, PlanBuffer]): Diagnostic | null => {
    const elements = asNumber(buffer.elements);
    if (elements === null || (elements < 2 ** 31 && 4 * elements <= limit)) return null;
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
      message: `${buffer.label} takes ${4 * elements} bytes, and ${target.name} binds ${limit} at once`,
      help: 'choose smaller axes, or a target with a larger maxStorageBufferBindingSize',
      ...where,
    });
  };
  return buffersOf(plan)
    .map(too)
    .filter((d) => d !== null);
}
