/**
 * Rows: which values are computed in one launch because they stand on the same rows (kernels/row.ts). A router is one: scores of a token, what is
 * chosen by them, and what becomes of their weights need no other token.
 *
 * Legal is a row whose values look at no other row of one another (row-reads.ts); rows are the axes along which that is so. All values of
 * a row come at the place of the last: nothing between them needs one of them.
 *
 * It pays where a row is small: what its values read of one another is kept where the row is done, and whoever has the row does all its work alone.
 * A contraction worth tiles is part of a row only where somebody looks at all its columns, as a choice does at scores: then no tile
 * could have gone on.
 */
import { at, get } from '../../../dsl/diagnostics/invariants.ts';
import { asInteger } from '../../../dsl/types/size.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { AxisId, NodeId } from '../../graph/graph-ir.ts';
import { loopAxes } from '../../graph/moved-axes.ts';
import { slotAxes } from '../../graph/slots.ts';
import type { DeviceClass, Target } from '../../target.ts';
import type { StoredSpace } from '../memory/memory.ts';
import type { Choosing } from './choose-tiles.ts';
import type { Decider } from './decider.ts';
import { hasRoom, hasRoomAlone, lanesOf } from './row-lanes.ts';
import { readsOfNodes, readsOfValue, type Reads } from './row-reads.ts';
import {
  isOfPoints,
  type Choice,
  type RowChoice,
  type RowMember,
  type RowStep,
  type Schedule,
  type ScheduleStep,
} from './schedule-ir.ts';
import { usesOfStep } from './step-uses.ts';

/** Operations that whoever has a row does alone, at most: the scores of a large router. */
const MOST_WORK = 2 ** 21;
/** The same where there are surely fewer rows than this: a workgroup has each, and most of a device has nothing to do meanwhile. */
const [FEW_ROWS, MOST_WORK_OF_FEW] = [64, 2 ** 16];

/** A value that may be part of a row. */
interface Candidate {
  readonly index: number;
  readonly choice: RowChoice;
  readonly space: StoredSpace;
  readonly reads: Reads;
  /** What its rows may be. */
  readonly axes: readonly AxisId[];
}

/** A step, at the place of a step before, and behind what else is there. */
interface Placed {
  readonly step: ScheduleStep;
  readonly place: number;
  readonly after: number;
}

interface Region {
  readonly members: readonly Candidate[];
  readonly rows: readonly AxisId[];
}

interface RowLayout {
  readonly phaseOf: ReadonlyMap<NodeId, number>;
  /** Of values that others of the row read. */
  readonly cellOf: ReadonlyMap<NodeId, number>;
  /** Numbers that the cells hold together; null: a run decides. */
  readonly words: number | null;
}

export interface MergedRows {
  readonly steps: readonly ScheduleStep[];
  /** Values that a row holds and nobody else reads: they have no memory. */
  readonly inRowOnly: ReadonlySet<NodeId>;
}

/** The steps of a schedule without rows, and those rows of them that pay. `apart`: values that are in none. */
export function mergeRows(
  fused: FusedGraph,
  schedule: Schedule,
  choosing: Choosing,
  apart: ReadonlySet<NodeId>,
): MergedRows {
  return new RowMerging(fused, schedule, choosing, apart).run();
}

class RowMerging {
  readonly #fused: FusedGraph;
  readonly #steps: readonly ScheduleStep[];
  readonly #spaces: ReadonlyMap<NodeId, StoredSpace>;
  readonly #target: Target;
  readonly #decider: Decider;
  readonly #apart: ReadonlySet<NodeId>;
  readonly #reads: readonly ReadonlySet<NodeId>[];
  /** The steps that read each node. */
  readonly #readers = new Map<NodeId, number[]>();
  readonly #candidates: readonly (Candidate | null)[];
  /** The region of each candidate; those of a closed one stay as they are. */
  readonly #regionOf = new Map<NodeId, Region>();
  readonly #closed = new Set<Region>();

  constructor(fused: FusedGraph, schedule: Schedule, { target, decider }: Choosing, apart: ReadonlySet<NodeId>) {
    const { steps, spaces } = schedule;
    this.#fused = fused;
    this.#steps = steps;
    this.#spaces = spaces;
    this.#target = target;
    this.#decider = decider;
    this.#apart = apart;
    this.#candidates = steps.map((step, i) => this.#candidate(step, i, schedule));
    this.#reads = steps.map((step, i) => {
      const candidate = this.#candidates[i];
      if (candidate != null) return candidate.reads.all;
      const reads = readsOfNodes(fused, spaces, usesOfStep(step, schedule, fused).reads);
      return step.kind === 'value'
        ? new Set([...reads, ...readsOfValue(fused, spaces, step.choice, step.space).all])
        : reads;
    });
    this.#reads.forEach((reads, i) => {
      for (const id of reads) this.#readers.set(id, [...(this.#readers.get(id) ?? []), i]);
    });
  }

  run(): MergedRows {
    this.#steps.forEach((step, i) => {
      const reads = at(this.#reads, i, 'schedule: reads of a step');
      const candidate = at(this.#candidates, i, 'schedule: candidate');
      const open = new Set(
        [...reads].flatMap((id) => {
          const region = this.#regionOf.get(id);
          return region === undefined || this.#closed.has(region) ? [] : [region];
        }),
      );
      if (candidate !== null) this.#enter(candidate, [...open]);
      // What is only looked at can be looked at later.
      else if (step.kind !== 'check' && step.kind !== 'output') for (const region of open) this.#closed.add(region);
    });
    const regions = [...new Set(this.#regionOf.values())].map((region) => this.#settled(region));
    return this.#merged(regions.filter(({ members }) => members.length > 1));
  }

  /** Puts a value into the region of what it reads, or starts one. */
  #enter(candidate: Candidate, open: readonly Region[]): void {
    const own: Region = { members: [candidate], rows: candidate.axes };
    const { id } = candidate.choice.node;
    const joins = ({ members }: Region): boolean =>
      !this.#apart.has(id) && this.#decider.joins(id, members.map(({ choice }) => choice.node.id)); // prettier-ignore
    const wanted = open.filter(joins);
    const all = this.#united([...wanted, own]);
    const one = all ?? wanted.map((region) => this.#united([region, own])).find((united) => united !== null);
    const region = one ?? own;
    for (const { choice } of region.members) this.#regionOf.set(choice.node.id, region);
    for (const other of open)
      if (!other.members.every((member) => region.members.includes(member))) this.#closed.add(other);
  }

  /** Several regions as one; null: that is not legal, or does not pay. */
  #united(regions: readonly Region[]): Region | null {
    const members = regions.flatMap((region) => region.members).toSorted((a, b) => a.index - b.index);
    const ids = new Set(members.map(({ choice }) => choice.node.id));
    const rows = members.reduce<readonly AxisId[]>(
      (axes, { axes: own, reads }) =>
        axes.filter((a) => own.includes(a) && [...reads.of].every(([id, same]) => !ids.has(id) || same.has(a))),
      at(members, 0, 'schedule: member of a row').axes,
    );
    const region = { members, rows };
    return this.#fits(region) ? region : null;
  }

  #fits(region: Region): boolean {
    const { members } = region;
    const ids = new Set(members.map(({ choice }) => choice.node.id));
    if (members.some(({ choice, reads }) => isLarge(choice) && [...reads.of.keys()].some((id) => ids.has(id))))
      return false;
    const { words } = this.#layoutOf(region);
    const work = this.#sum(members, (m) => this.#workOf(region, m));
    const most = this.#areFew(region) ? MOST_WORK_OF_FEW : MOST_WORK;
    if (
      words === null ||
      !hasRoom(words, this.#target.limits.maxComputeWorkgroupStorageSize) ||
      work === null ||
      work > most
    )
      return false;
    return this.#bindings(region) <= this.#target.limits.maxStorageBuffersPerShaderStage;
  }

  #sum(members: readonly Candidate[], of: (member: Candidate) => number | null): number | null {
    return members.reduce<number | null>((sum, member) => {
      const own = of(member);
      return sum === null || own === null ? null : sum + own;
    }, 0);
  }

  /** Points of a row that a value has; null: a run decides. */
  #pointsOf({ rows }: Region, { choice, space }: Candidate): number | null {
    const form = space.assignmentList?.form;
    const slots = form?.kind === 'slots' ? [...form.others, ...slotAxes(form.slots), ...space.axes] : choice.node.axes;
    return this.#count(slots.filter((a) => !rows.includes(a)));
  }

  #workOf(region: Region, member: Candidate): number | null {
    const { choice } = member;
    const over =
      choice.family === 'tile' ? choice.over : loopAxes(choice.node).filter((a) => !choice.node.axes.includes(a));
    const [points, terms] = [this.#pointsOf(region, member), this.#count(over)];
    return points === null || terms === null
      ? null
      : points * Math.max(terms, 1) * (choice.family === 'tile' ? choice.heads.length : 1);
  }

  /** Points along axes; null where a run decides how many there are along one of them. */
  #count(axes: readonly AxisId[]): number | null {
    return axes.reduce<number | null>((count, axis) => {
      const size = asInteger(get(this.#fused.graph.axes, axis, 'schedule: axis').size);
      return count === null || size === null ? null : count * size;
    }, 1);
  }

  /** Buffers that a launch of a region binds, as far as that is known before it is written. */
  #bindings(region: Region): number {
    const { members } = region;
    const ids = new Set(members.map(({ choice }) => choice.node.id));
    const read = new Set(members.flatMap(({ reads }) => [...reads.loaded].filter((id) => !ids.has(id))));
    const lists = new Set(
      [...read].flatMap((id) => {
        const list = this.#spaces.get(id)?.assignmentList ?? null;
        return list === null || list.form.kind === 'slots' ? [] : [list];
      }),
    );
    const written = members.filter((member) => this.#isStored(region, member)).length;
    const reports = this.#fused.graph.checks.some((check) => check.kind === 'numbers' && ids.has(check.node));
    return read.size + 2 * lists.size + written + (reports ? 1 : 0);
  }

  /** Whether a value has to be in memory: others read it, or it is compared by itself (compiler/verify). */
  #isStored({ members }: Region, { choice }: Candidate): boolean {
    const { node } = choice;
    if (isComparedAlone(choice)) return true;
    return (this.#readers.get(node.id) ?? []).some((reader) => members.every(({ index }) => index !== reader));
  }

  /** A region without the contractions that tiles do better, if nobody in it looks at all their columns. */
  #settled(region: Region): Region {
    const { rows, members } = region;
    const left = members.filter(({ choice }) => !isLarge(choice) || choice.columns.some((a) => !rows.includes(a)));
    return left.length === members.length ? region : { rows, members: left };
  }

  #merged(regions: readonly Region[]): MergedRows {
    const regionOf = new Map(regions.flatMap((r) => r.members.map(({ index }) => [index, r] as const)));
    const placeOf = (region: Region): number => Math.max(...region.members.map(({ index }) => index));
    const inRowOnly = new Set<NodeId>();
    const placed = this.#steps.flatMap((step, i): readonly Placed[] => {
      const region = regionOf.get(i);
      if (region !== undefined && placeOf(region) !== i) return [];
      if (region !== undefined) {
        const row = this.#rowOf(region);
        for (const { choice, stored } of row.phases.flat()) if (!stored) inRowOnly.add(choice.node.id);
        return [{ step: row, place: i, after: 0 }];
      }
      if (step.kind !== 'check') return [{ step, place: i, after: 0 }];
      const reads = at(this.#reads, i, 'schedule: reads of a step');
      const places = regions
        .filter(({ members }) => members.some(({ choice }) => reads.has(choice.node.id)))
        .map(placeOf);
      return [{ step, place: Math.max(i, ...places), after: 1 }];
    });
    const steps = placed.toSorted((a, b) => a.place - b.place || a.after - b.after).map(({ step }) => step);
    return { steps, inRowOnly };
  }

  #rowOf(region: Region): RowStep {
    const { members, rows } = region;
    const { phaseOf, cellOf, words } = this.#layoutOf(region);
    const phases: RowMember[][] = [];
    for (const member of members) {
      const { space, choice } = member;
      const { id } = choice.node;
      const part = { space, cell: cellOf.get(id) ?? null, stored: this.#isStored(region, member) };
      (phases[get(phaseOf, id, 'schedule: phase')] ??= []).push({ ...part, choice: this.#inRow(member, region) });
    }
    const work = this.#sum(members, (m) => this.#workOf(region, m)) ?? Infinity;
    const lanes = lanesOf(words, work);
    return { kind: 'row', rows, phases, lanes, forms: this.#formsOf(region, lanes), neighbours: 1 };
  }

  /** Classes on which a row is computed otherwise: by one thread instead of a workgroup, or with arrays of its own. */
  #formsOf(region: Region, lanes: RowStep['lanes']): readonly DeviceClass[] {
    if (lanes === 'group' && this.#areFew(region)) return [];
    const { words, cellOf } = this.#layoutOf(region);
    const all = words ?? Infinity;
    // A cell of one number is a register.
    const hasArrays = all > new Set(cellOf.values()).size;
    const { limits, classes } = this.#target;
    return classes.filter(
      (own) =>
        hasRoomAlone(own, all, limits.maxComputeWorkgroupStorageSize) &&
        (lanes === 'group' || (own.threadArrays && hasArrays)),
    );
  }

  #areFew({ rows }: Region): boolean {
    const count = this.#count(rows);
    return count !== null && count < FEW_ROWS;
  }

  /** In which phase values are computed, and which cells those that others read are kept in. */
  #layoutOf(region: Region): RowLayout {
    const { members, rows } = region;
    const phaseOf = new Map<NodeId, number>();
    const lastRead = new Map<NodeId, number>();
    for (const { choice, reads } of members) {
      const own = [...reads.of.keys()].filter((id) => phaseOf.has(id));
      const phase = 1 + Math.max(-1, ...own.map((id) => get(phaseOf, id, 'schedule: phase')));
      phaseOf.set(choice.node.id, phase);
      for (const id of own) lastRead.set(id, Math.max(phase, lastRead.get(id) ?? 0));
    }
    const cells: { readonly kind: string; readonly size: number | null; freeFrom: number }[] = [];
    const cellOf = new Map<NodeId, number>();
    const inOrder = members.toSorted((a, b) => (phaseOf.get(a.choice.node.id) ?? 0) - (phaseOf.get(b.choice.node.id) ?? 0)); // prettier-ignore
    for (const { choice } of inOrder) {
      const { id, element, axes } = choice.node;
      const last = lastRead.get(id);
      if (last === undefined) continue;
      const [kind, size] = [element === 'f16' ? 'f32' : element, this.#count(axes.filter((a) => !rows.includes(a)))];
      const phase = get(phaseOf, id, 'schedule: phase');
      const free = cells.findIndex((cell) => cell.kind === kind && cell.size === size && cell.freeFrom <= phase);
      const number = free === -1 ? cells.push({ kind, size, freeFrom: 0 }) - 1 : free;
      at(cells, number, 'schedule: cell of a row').freeFrom = last + 1;
      cellOf.set(id, number);
    }
    const words = cells.reduce<number | null>(
      (sum, { size }) => (sum === null || size === null ? null : sum + Math.max(size, 1)),
      0,
    );
    return { phaseOf, cellOf, words };
  }

  /** A contraction has the columns that a row has, and goes by vectors through memory only. */
  #inRow({ choice, reads }: Candidate, { rows, members }: Region): RowChoice {
    if (choice.family !== 'tile') return choice;
    const ids = new Set(members.map((member) => member.choice.node.id));
    const columns = choice.columns.filter((a) => !rows.includes(a));
    const tileColumns = Math.max(1, Math.min(choice.tileColumns, this.#count(columns) ?? choice.tileColumns));
    const row: RowChoice = { ...choice, rows: { kind: 'single' }, columns, tileRows: 1, tileColumns, forms: [] };
    return [...reads.of.keys()].some((id) => ids.has(id)) ? { ...row, lanes: 1 } : row;
  }

  // --- what steps are ---

  #candidate(step: ScheduleStep, index: number, { because }: Schedule): Candidate | null {
    if (step.kind !== 'value') return null;
    const { choice, space } = step;
    // What has memory lest a kernel be too long does not go into one again.
    if (!isInRow(choice) || because.get(choice.node.id)?.reason === 'text') return null;
    const form = space.assignmentList?.form;
    if (form !== undefined && (form.kind !== 'slots' || !isOfPoints(choice))) return null;
    const reads = readsOfValue(this.#fused, this.#spaces, choice, space);
    if (reads.looksThrough) return null;
    return { index, choice, space, reads, axes: rowAxes(choice, space) };
  }
}

/** Whether a run is compared at what is chosen, ranked or added up along a line (compiler/verify): it has to be in memory. */
export function isComparedAlone({ node: { kind } }: RowChoice): boolean {
  return kind === 'choose' || kind === 'sort_rank' || kind === 'scan';
}

/** Axes along which rows of a value may stand apart: it does not go along them. */
export function rowAxes(choice: RowChoice, { assignmentList, axes }: StoredSpace): readonly AxisId[] {
  const { node } = choice;
  const along = node.kind === 'choose' ? [...node.over, node.along] : loopAxes(node);
  const own = assignmentList?.form.kind === 'slots' ? assignmentList.form.others : axes;
  return own.filter((a) => !along.includes(a));
}

function isInRow(choice: Choice): choice is RowChoice {
  return choice.family !== 'reduce_listed' && choice.family !== 'choose_long' && choice.family !== 'concat_parts';
}

/** Whether a contraction is worth tiles of several rows. */
function isLarge(choice: RowChoice): choice is Extract<RowChoice, { readonly family: 'tile' }> {
  return choice.family === 'tile' && choice.rows.kind !== 'single';
}
