/**
 * Rows: which values are computed in one launch because they stand on the same rows (kernels/row.ts). A router is one: scores of a token, what is
 * chosen by them, and what becomes of their weights need no other token. A norm behind an expert is one on the rows of a list.
 *
 * Legal is a row whose values look at no other row of one another (row-reads.ts); rows are the axes along which that is so. All values of
 * a row come at the place of the last: nothing between them needs one of them.
 *
 * It pays where a row is small: what its values read of one another is kept where the row is done, and whoever has the row does all its work alone.
 * A contraction worth tiles is part of a row only where somebody looks at all its columns, as a choice does at scores: then no tile
 * could have gone on.
 */
import { at, get } from '../../../dsl/diagnostics/invariants.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { NodeId } from '../../graph/graph-ir.ts';
import type { Target } from '../../target.ts';
import type { StoredSpace } from '../memory/memory.ts';
import { isWorthTiles, type Choosing } from './choose-tiles.ts';
import type { Decider } from './decider.ts';
import type { Found } from './plan-schedule.ts';
import { lanesOf } from './row-lanes.ts';
import { goesAlongSlots, isComparedAlone, layoutOf, listOfRows, rowAxes, standsBeside, workOf } from './row-layout.ts'; // prettier-ignore
import { isGiven, loadedByStep, readersOf, readsOfNodes, readsOfValue, type Readers } from './row-reads.ts';
import {
  alone,
  fitsWorkgroup,
  formsOf,
  inRow,
  isOfGiven,
  isOnOneList,
  listOf,
  mayRepeat,
  rowsOf,
  type Candidate,
  type Region,
  type SettledRegion,
} from './row-regions.ts';
import { settledRow, throughOf, type TileChoice } from './row-contractions.ts';
import { isInRow, isOfPoints, type RowMember, type RowStep, type Schedule, type ScheduleStep } from './schedule-ir.ts';
import { usesOfStep } from './step-uses.ts';

/**
 * Steps that one looks ahead of a value for which a launch has too few buffers: what comes behind it may be the only reader of what would
 * have to be stored, and then the row of all of them binds fewer.
 */
const MOST_AHEAD = 24;

type Known = Pick<Found, 'unkept' | 'counted' | 'apart'>;

/** A step, at the place of a step before, and behind what else is there. */
interface Placed {
  readonly step: ScheduleStep;
  readonly place: number;
  readonly after: number;
}

/** The region of each candidate so far; those of a closed one stay as they are. */
interface Merging {
  readonly regionOf: Map<NodeId, Region>;
  readonly closed: Set<Region>;
}

export interface MergedRows {
  readonly steps: readonly ScheduleStep[];
  /** Values that a row holds and nobody else reads: they have no memory. */
  readonly inRowOnly: ReadonlySet<NodeId>;
}

/** The steps of a schedule without rows, and those rows of them that pay, by what is known of an attempt at it. */
export function mergeRows(fused: FusedGraph, schedule: Schedule, choosing: Choosing, known: Known): MergedRows {
  // Who reads what a row computes for itself is known when all of them are there: then it may have to be in memory after all.
  const barred = new Set<NodeId>();
  for (;;) {
    const { merged, astray } = new RowMerging(fused, schedule, choosing, known, barred).run();
    if (astray.length === 0) return merged;
    for (const id of astray) barred.add(id);
  }
}

class RowMerging {
  readonly #fused: FusedGraph;
  readonly #steps: readonly ScheduleStep[];
  readonly #spaces: ReadonlyMap<NodeId, StoredSpace>;
  readonly #target: Target;
  readonly #decider: Decider;
  readonly #known: Known;
  /** What no row may compute for itself. */
  readonly #barred: ReadonlySet<NodeId>;
  readonly #reads: readonly ReadonlySet<NodeId>[];
  /** The steps that read each node. */
  readonly #readers: Readers;
  /** Of these, the steps whose launches load it. */
  readonly #loaders: Readers;
  readonly #candidates: readonly (Candidate | null)[];
  /** Contractions of a few columns that read nothing but what a run is given. */
  readonly #lone: readonly Candidate[];
  #merging: Merging = { regionOf: new Map(), closed: new Set() };
  /** A value whose region may bind too much for now, since one looks ahead of it; null: none. */
  #awaited: NodeId | null = null;

  constructor(
    fused: FusedGraph,
    schedule: Schedule,
    { target, decider }: Choosing,
    known: Known,
    barred: ReadonlySet<NodeId>,
  ) {
    const { steps, spaces } = schedule;
    this.#fused = fused;
    this.#steps = steps;
    this.#spaces = spaces;
    this.#target = target;
    this.#decider = decider;
    this.#known = known;
    this.#barred = barred;
    this.#candidates = steps.map((step, i) => this.#candidate(step, i, schedule));
    this.#reads = steps.map((step, i) => {
      const candidate = this.#candidates[i];
      if (candidate != null) return candidate.reads.all;
      const reads = readsOfNodes(fused, spaces, usesOfStep(step, schedule, fused).reads);
      return step.kind === 'value'
        ? new Set([...reads, ...readsOfValue(fused, spaces, step.choice, step.space).all])
        : reads;
    });
    this.#lone = this.#candidates.filter((candidate) => candidate !== null).filter(({ choice, reads }) => choice.family === 'tile' && !this.#isLarge(choice) && [...reads.all].every((id) => isGiven(fused, id))); // prettier-ignore
    this.#readers = readersOf(this.#reads);
    this.#loaders = readersOf(steps.map((step, i) => loadedByStep(fused, spaces, step) ?? at(this.#reads, i, 'schedule: reads of a step'))); // prettier-ignore
  }

  run(): { readonly merged: MergedRows; readonly astray: readonly NodeId[] } {
    for (let i = 0; i < this.#steps.length;) {
      const next = this.#ahead(i) ?? this.#enter(i);
      this.#drawIn(next - 1);
      i = next;
    }
    this.#drawRows();
    const regions = [...new Set(this.#merging.regionOf.values())].map((region) => {
      const left = this.#settled(region);
      return { ...left, through: throughOf(region, left) };
    });
    const rows = regions.filter(({ members }) => members.length > 1);
    return { merged: this.#merged(rows), astray: rows.flatMap((region) => this.#astray(region)) };
  }

  /**
   * Enters a step although its row binds too much, and those behind it until it does not; the step that comes next then. Null: it does not
   * bind too much, or what comes behind it does not help.
   */
  #ahead(first: number): number | null {
    const candidate = at(this.#candidates, first, 'schedule: candidate');
    if (candidate === null || !this.#bindsTooMuch(candidate)) return null;
    const before = this.#merging;
    this.#merging = { regionOf: new Map(before.regionOf), closed: new Set(before.closed) };
    this.#awaited = candidate.choice.node.id;
    let found: number | null = null;
    const last = Math.min(first + MOST_AHEAD, this.#steps.length);
    for (let i = first; i < last && found === null;) {
      i = this.#enter(i);
      const region = get(this.#merging.regionOf, this.#awaited, 'schedule: region of a value');
      if (this.#merging.closed.has(region)) break;
      if (this.#bindings(region) <= this.#target.limits.maxStorageBuffersPerShaderStage) found = i;
    }
    this.#awaited = null;
    if (found === null) this.#merging = before;
    return found;
  }

  /** Whether a value could join a region that it reads if a launch had more buffers. */
  #bindsTooMuch(candidate: Candidate): boolean {
    const own = alone(candidate);
    const wanted = this.#openTo(candidate.index).filter((region) => this.#joins(candidate, region));
    if (wanted.length === 0 || this.#united([...wanted, own]) !== null) return false;
    this.#awaited = candidate.choice.node.id;
    const lenient = this.#united([...wanted, own]);
    this.#awaited = null;
    return lenient !== null;
  }

  /** The open regions that a step reads. */
  #openTo(index: number): readonly Region[] {
    const { regionOf, closed } = this.#merging;
    const reads = at(this.#reads, index, 'schedule: reads of a step');
    const read = [...reads].map((id) => regionOf.get(id)).filter((region) => region !== undefined);
    return [...new Set(read)].filter((region) => !closed.has(region));
  }

  #joins({ choice }: Candidate, { members }: Region): boolean {
    const { id } = choice.node;
    return !this.#known.apart.has(id) && this.#decider.joins(id, members.map((member) => member.choice.node.id)); // prettier-ignore
  }

  /** What a region repeats and somebody else reads. */
  #astray(region: Region): readonly NodeId[] {
    const own = region.members.filter(({ choice }) => region.repeated.has(choice.node.id));
    return own.filter((member) => this.#isStored(region, member, this.#readers)).map(({ choice }) => choice.node.id);
  }

  /** Puts a step into the region of what it reads, or starts one; the step that comes next. */
  #enter(index: number): number {
    const step = at(this.#steps, index, 'schedule: step');
    const candidate = at(this.#candidates, index, 'schedule: candidate');
    if (candidate !== null && this.#merging.regionOf.has(candidate.choice.node.id)) return index + 1;
    const open = this.#openTo(index);
    const { regionOf, closed } = this.#merging;
    if (candidate === null) {
      // What is only looked at can be looked at later.
      if (step.kind !== 'check' && step.kind !== 'output') for (const region of open) closed.add(region);
      return index + 1;
    }
    const own = alone(candidate);
    const wanted = open.filter((region) => this.#joins(candidate, region));
    const all = this.#united([...wanted, own]);
    const one = all ?? wanted.map((region) => this.#united([region, own])).find((united) => united !== null);
    const region = one ?? own;
    for (const { choice } of region.members) regionOf.set(choice.node.id, region);
    for (const other of open) if (!other.members.every((member) => region.members.includes(member))) closed.add(other);
    return index + 1;
  }

  /**
   * Into the row of a step, what comes later, stands on the same rows and reads nothing that is not there before: a contraction of the
   * row's own input, as the gate of an expert beside the router. By itself it would be a launch.
   */
  #drawIn(index: number): void {
    const step = at(this.#candidates, index, 'schedule: candidate');
    const { regionOf, closed } = this.#merging;
    const first = step === null ? undefined : regionOf.get(step.choice.node.id);
    if (first === undefined || first.members.length < 2 || closed.has(first)) return;
    const drawn = this.#lone.reduce((region, candidate) => {
      const known = candidate.index <= index || regionOf.has(candidate.choice.node.id);
      if (known || !this.#joins(candidate, region) || !standsBeside(candidate, region)) return region;
      return this.#united([region, alone({ ...candidate, place: index })]) ?? region;
    }, first);
    for (const { choice } of drawn.members) regionOf.set(choice.node.id, drawn);
  }

  /** Into a row, rows behind it on the same rows that need nothing but what a run is given: each would be a launch. */
  #drawRows(): void {
    const { regionOf } = this.#merging;
    const rows: Region[] = [];
    for (const later of new Set(regionOf.values())) {
      const isDrawn = isOfGiven(this.#fused, later) && !later.members.some(({ choice }) => this.#isLarge(choice));
      const drawn = rows.map((first) => (isDrawn ? this.#drawnInto(first, later) : null));
      const place = drawn.findIndex((region) => region !== null);
      const region = drawn[place] ?? null;
      if (region === null) rows.push(later);
      else rows[place] = region;
    }
    for (const region of rows) for (const { choice } of region.members) regionOf.set(choice.node.id, region);
  }

  #drawnInto(first: Region, later: Region): Region | null {
    const isSame = first.rows.length === later.rows.length && first.rows.every((a) => later.rows.includes(a));
    if (!isSame || first.members.length + later.members.length < 3) return null;
    if (!later.members.every((member) => this.#joins(member, first))) return null;
    const place = Math.max(...first.members.map((member) => member.place));
    return this.#united([first, { ...later, members: later.members.map((member) => ({ ...member, place })) }]);
  }

  /** Several regions as one; null: that is not legal, or does not pay. */
  #united(regions: readonly Region[]): Region | null {
    const members = regions.flatMap((region) => region.members).toSorted((a, b) => a.index - b.index);
    const known = new Set(regions.flatMap((region) => [...region.repeated]));
    const asThey: Region = { members, rows: rowsOf(members, known), repeated: known };
    if (this.#fits(asThey)) return asThey;
    // What one of them computes of weights alone may be little beside what each row of the others does.
    for (const region of regions) {
      const ids = region.members.map(({ choice }) => choice.node.id);
      const repeated = new Set([...known, ...ids]);
      const again: Region = { members, rows: rowsOf(members, repeated), repeated };
      if (ids.every((id) => !this.#barred.has(id)) && mayRepeat(this.#fused, again) && this.#fits(again)) return again;
    }
    return null;
  }

  /** As it would be left: what tiles do better takes no room of it. */
  #fits(all: Region): boolean {
    const ids = new Set(all.members.map(({ choice }) => choice.node.id));
    // Products of an expert one after the other stay launches that load by vectors.
    const isApart = (choice: RowMember['choice']): boolean =>
      (choice.family === 'tile' && listOf(all) !== null) || this.#isLarge(choice);
    if (all.members.some(({ choice, reads }) => isApart(choice) && [...reads.of.keys()].some((id) => ids.has(id))))
      return false;
    const region = this.#settled(all);
    if (!isOnOneList(all) || !isOnOneList(region)) return false;
    if (!fitsWorkgroup(this.#fused, this.#target, region)) return false;
    if (this.#awaited !== null && ids.has(this.#awaited)) return true;
    return this.#bindings(region) <= this.#target.limits.maxStorageBuffersPerShaderStage;
  }

  /** Buffers that a launch of a region binds, as far as that is known before it is written. */
  #bindings(region: Region): number {
    const { members } = region;
    const ids = new Set(members.map(({ choice }) => choice.node.id));
    const { counted } = this.#known;
    const readBy = ({ choice, reads }: Candidate) => (counted.has(choice.node.id) ? reads.of.keys() : reads.loaded);
    const read = new Set(members.flatMap((member) => [...readBy(member)].filter((id) => !ids.has(id))));
    const spaces = [...[...read].map((id) => this.#spaces.get(id)), ...members.map(({ space }) => space)];
    const lists = new Set(spaces.flatMap((space) => (space === undefined ? [] : (listOfRows(space) ?? []))));
    // What nobody loads gets no memory as soon as that is known.
    const readers = ({ choice }: Candidate): Readers => (counted.has(choice.node.id) ? this.#readers : this.#loaders);
    const written = members.filter((member) => this.#isStored(region, member, readers(member))).length;
    const reports = this.#fused.graph.checks.some((check) => check.kind === 'numbers' && ids.has(check.node));
    return read.size + 2 * lists.size + written + (reports ? 1 : 0);
  }

  /** Whether a value has to be in memory: others read it, or it is compared by itself (compiler/verify). `readers`: who reads what. */
  #isStored({ members }: Pick<Region, 'members'>, { choice }: Pick<Candidate, 'choice'>, readers: Readers): boolean {
    const { node } = choice;
    if (isComparedAlone(node)) return true;
    return (readers.get(node.id) ?? []).some((reader) => members.every(({ index }) => index !== reader));
  }

  #settled(region: Region): Region {
    const { repeated } = region;
    const left = settledRow(region, {
      isLarge: (choice) => this.#isLarge(choice),
      hasRoom: (row) => fitsWorkgroup(this.#fused, this.#target, row),
      rowsOf: (members) => rowsOf(members, repeated),
    });
    return { ...left, repeated };
  }

  #merged(regions: readonly SettledRegion[]): MergedRows {
    const regionOf = new Map(regions.flatMap((r) => r.members.map(({ index }) => [index, r] as const)));
    const placeOf = (region: Region): number => Math.max(...region.members.map(({ place }) => place));
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

  #rowOf(region: SettledRegion): RowStep {
    const { members, rows, through } = region;
    const { phaseOf, cellOf, words } = layoutOf(this.#fused.graph, region);
    const phases: RowMember[][] = [];
    for (const member of members) {
      const { space, choice } = member;
      const { id } = choice.node;
      const part = {
        space,
        cell: cellOf.get(id) ?? null,
        stored: this.#isStored(region, member, this.#known.unkept.has(id) ? this.#loaders : this.#readers),
      };
      (phases[get(phaseOf, id, 'schedule: phase')] ??= []).push({
        ...part,
        choice: inRow(this.#fused.graph, member, region),
      });
    }
    const work = workOf(this.#fused.graph, region) ?? Infinity;
    const lanes = lanesOf(words, work);
    return {
      kind: 'row',
      rows,
      list: listOf(region),
      phases,
      lanes,
      forms: formsOf(this.#fused.graph, region, lanes, this.#target),
      through,
      neighbours: 1,
    };
  }

  /** Whether a contraction is worth a launch of its own: tiles of several rows, or of few rows as many columns as would be in tiles. */
  #isLarge(choice: RowMember['choice']): choice is TileChoice {
    if (choice.family !== 'tile') return false;
    const isFew = this.#decider.regime === 'few' && isWorthTiles(this.#fused, choice, this.#target);
    return choice.rows.kind !== 'single' || isFew;
  }

  // --- what steps are ---

  #candidate(step: ScheduleStep, index: number, { because }: Schedule): Candidate | null {
    if (step.kind !== 'value') return null;
    const { choice, space } = step;
    // What has memory lest a kernel be too long does not go into one again.
    if (!isInRow(choice) || because.get(choice.node.id)?.reason === 'text') return null;
    if (space.assignmentList !== null && !isOfPoints(choice)) {
      // What shares an expert's matrix among its rows is worth more than a launch.
      const isShared = choice.family === 'tile' && choice.rows.kind !== 'single';
      if (listOfRows(space) === null || isShared) return null;
    }
    const reads = readsOfValue(this.#fused, this.#spaces, choice, space);
    if (reads.looksThrough || goesAlongSlots(space)) return null;
    return { index, place: index, choice, space, reads, axes: rowAxes(choice, space) };
  }
}
