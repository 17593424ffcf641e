/**
 * Random legal schedules: a decider (compiler/schedule/deciding/decider.ts) that takes another of the legal ways than the one that
 * costs least, here and there. Every decision has randomness of its own, by its name: without one change the others stay what they are,
 * so that a finding can be made small.
 */
import type { Prepared } from '../../compiler/cli/running/execution.ts';
import { hashOf, regimesOf, type CompiledPlan } from '../../compiler/compile.ts';
import type { FusedGraph } from '../../compiler/graph/domains.ts';
import type { NodeId } from '../../compiler/graph/graph-ir.ts';
import { memoryOf } from '../../compiler/graph/node-memory.ts';
import { nodeOf } from '../../compiler/graph/node-uses.ts';
import { besideFaults, neededBy } from '../../compiler/schedule/deciding/choose-beside.ts';
import type { Decider } from '../../compiler/schedule/deciding/decider.ts';
import { isStoredAnyway, tooLong } from '../../compiler/schedule/deciding/legality.ts';
import { tileFault, type TileOptions } from '../../compiler/schedule/deciding/legality-tiles.ts';
import type { Regime } from '../../compiler/schedule/deciding/regimes.ts';
import { printSchedule } from '../../compiler/schedule/deciding/print-schedule.ts';
import { keyOf } from '../../compiler/schedule/deciding/schedule-ir.ts';
import type {
  Schedule,
  ScheduleStep,
  SummedChoice,
  TileChoice,
  TileForm,
} from '../../compiler/schedule/deciding/schedule-ir.ts';
import { usesOfStep } from '../../compiler/schedule/deciding/step-uses.ts';
import { byCostIn } from '../../compiler/schedule/deciding/decider.ts';
import { nothingFound } from '../../compiler/schedule/deciding/plan-schedule.ts';
import { settled, type Settled } from '../../compiler/schedule/schedule.ts';
import type { DeviceClass, Target } from '../../compiler/target.ts';
import { hashText } from '../../dsl/primitives/draw-hash.ts';
import { Random } from './random.ts';

/** What is decided otherwise than by costs. */
export const decisions = [
  'memory',
  'list',
  'space',
  'form',
  'family',
  'online',
  'row',
  'tile',
  'summed',
  'neighbours',
  'fold',
  'order',
  'beside',
] as const;
export type Decision = (typeof decisions)[number];

/** A random schedule of a program: the same program and the same of these give the same schedule. */
export interface ScheduleDraw {
  readonly seed: number;
  readonly kinds: readonly Decision[];
  /** Changes by their names, that alone are made; null: any. */
  readonly only: readonly string[] | null;
}

export interface DrawnSchedules {
  /** By the hash of the graph. */
  readonly texts: ReadonlyMap<string, string>;
  /** What is decided otherwise than by costs, by name. */
  readonly changes: readonly string[];
}

/** Random schedules of the plans of a program. */
export function drawSchedules(prepared: Prepared, target: Target, draw: ScheduleDraw): DrawnSchedules {
  const texts = new Map<string, string>();
  const changes = new Set<string>();
  for (const own of plansOf(prepared)) {
    const { fused, regime } = own;
    const hash = hashOf(own);
    if (texts.has(hash)) continue;
    const drawn = new Draw(fused, target, draw, regime);
    texts.set(hash, printSchedule(drawn.schedule(), fused.graph));
    drawn.changes.forEach((change) => changes.add(change));
  }
  return { texts, changes: [...changes] };
}

/** What a draw decides otherwise than by costs, also where that cannot be lowered. */
export function drawnChanges(prepared: Prepared, target: Target, draw: ScheduleDraw): readonly string[] {
  const changes = new Set<string>();
  for (const { fused, regime } of plansOf(prepared)) {
    const drawn = new Draw(fused, target, draw, regime);
    try {
      drawn.schedule();
    } catch {
      // That is a finding of whoever compiles it.
    }
    drawn.changes.forEach((change) => changes.add(change));
  }
  return [...changes];
}

const plansOf = ({ entry }: Prepared): readonly CompiledPlan[] => [entry.inference, entry.withAux].flatMap(regimesOf);

const SHARES = [0.05, 0.2, 0.5];

class Draw {
  readonly changes = new Set<string>();
  readonly #fused: FusedGraph;
  readonly #target: Target;
  readonly #draw: ScheduleDraw;
  readonly #regime: Regime;
  /** How many decisions are taken otherwise. */
  readonly #share: number;

  constructor(fused: FusedGraph, target: Target, draw: ScheduleDraw, regime: Regime) {
    this.#fused = fused;
    this.#regime = regime;
    this.#target = target;
    this.#draw = draw;
    this.#share = new Random(draw.seed).pick(SHARES);
  }

  schedule(): Schedule {
    const fused = this.#fused;
    const plain = settled(fused, this.#target, byCostIn(this.#regime), () => '');
    let stored = this.#stored(plain.schedule);
    for (;;) {
      this.changes.clear();
      const drawn = this.#settled(plain, stored);
      // What is given memory and turns out to be read by nobody needs none.
      const needless = [...drawn.found.unread].filter((id) => stored.has(id));
      if (needless.length === 0) return this.#inOtherOrder(drawn.schedule);
      stored = new Set([...stored].filter((id) => !needless.includes(id)));
    }
  }

  #settled(plain: Settled, stored: ReadonlySet<NodeId>): Settled {
    const planned = madeBy(plain.schedule);
    for (const id of this.#fused.graph.nodes.map((node) => node.id)) {
      if (stored.has(id) !== (planned.has(id) && !this.#isGiven(id))) this.changes.add(`memory %${id}`);
    }
    return settled(this.#fused, this.#target, this.#decider(stored), () => '', {
      ...nothingFound,
      known: plain.found.unread,
    });
  }

  /** Whether a value has memory in every schedule, unless it is a head. */
  #isGiven(id: NodeId): boolean {
    return isStoredAnyway(this.#fused, nodeOf(this.#fused.graph, id));
  }

  /** A random choice of one of several ways, the first of which costs want. */
  #otherwise<T>(kind: Decision, name: string, [first, ...others]: readonly [T, ...T[]]): T {
    const { seed, kinds, only } = this.#draw;
    const key = `${kind} ${name}`;
    if (others.length === 0 || !kinds.includes(kind) || (only !== null && !only.includes(key))) return first;
    const random = new Random(seed, hashText(key));
    if (!random.chance(this.#share)) return first;
    this.changes.add(key);
    return random.pick(others);
  }

  /** Values with memory that need not have it, and contractions that are computed apart from who reads them. */
  #stored(schedule: Schedule): ReadonlySet<NodeId> {
    const fused = this.#fused;
    const { live } = schedule;
    const spaces = madeBy(schedule);
    const stored = new Set<NodeId>();
    for (const id of live) {
      const node = nodeOf(fused.graph, id);
      const isHead = node.kind === 'contract' && !spaces.has(id);
      if (memoryOf(node) !== 'possible' && !isHead) continue;
      if (this.#isGiven(id) && !isHead) continue;
      if (this.#otherwise('memory', `%${id}`, [spaces.has(id), !spaces.has(id)])) stored.add(id);
    }
    const isApart = (id: NodeId): boolean => stored.has(id) || this.#isGiven(id);
    for (let long = tooLong(fused, live, isApart); long !== null; long = tooLong(fused, live, isApart)) stored.add(long.id);
    return stored;
  } // prettier-ignore

  #decider(stored: ReadonlySet<NodeId>): Decider {
    return {
      regime: this.#regime,
      stored,
      makesList: ({ presences }) => this.#otherwise('list', presences.join(), [true, false]),
      space: (id, legal) => this.#otherwise('space', `%${id}`, legal),
      list: (legal) => this.#otherwise('form', legal[0].presences.join(), legal),
      onSlots: (id) => this.#otherwise('form', `slots of %${id}`, [true, false]),
      choice: (id, _, legal) => this.#otherwise('family', `%${id}`, legal),
      online: (id, legal) => this.#otherwise('online', `%${id}`, legal),
      joins: (id) => this.#otherwise('row', `%${id}`, [true, false]),
      tile: (wanted, options) => {
        const others = otherTiles(wanted, options, new Random(this.#draw.seed, wanted.node.id));
        return this.#otherwise('tile', `%${wanted.node.id}`, [wanted, ...others]);
      },
      summed: (wanted, classes) => this.#summed(wanted, classes),
      neighbours: (key, legal) => this.#otherwise('neighbours', `%${key}`, legal),
      fold: (results, legal) => this.#otherwise('fold', results.join(), legal),
      beside: (key, [first, ...others]) => this.#otherwise('beside', `%${key}`, [first, ...others, null]),
    };
  }

  /** A sum with its contractions, or apart from them; of many rows it is apart, as costs want it. */
  #summed(wanted: SummedChoice, classes: readonly DeviceClass[]): SummedChoice | null {
    const random = new Random(this.#draw.seed, wanted.node.id);
    const hasForms = wanted.parts.every(({ lanes }) => lanes === 4);
    const forms = (hasForms ? random.subset(classes, 0.7) : []).map((own): TileForm => ({
      class: own,
      tileRows: 1,
      tileColumns: random.pick([1, 2, 3]),
    }));
    const other: SummedChoice = { ...wanted, tileColumns: random.pick([1, 2, 3, 5]), forms };
    const isFew = this.#regime === 'few';
    return this.#otherwise('summed', `%${wanted.node.id}`, isFew ? [wanted, null, other] : [null, wanted, other]);
  }

  /** The steps in another order in which each comes after what it needs. Results stay last. */
  #inOtherOrder(schedule: Schedule): Schedule {
    const inner = schedule.steps.filter((step) => step.kind !== 'output');
    const shuffled = this.#otherwise('order', 'of steps', [inner, null]) ?? shuffle(schedule, inner, this.#fused, new Random(this.#draw.seed));
    const steps = [...shuffled, ...schedule.steps.filter((step) => step.kind === 'output')];
    return withoutLateSharers({ ...schedule, steps }, this.#fused);
  } // prettier-ignore
}

/** A schedule in another order, in which not everything is there in time for every launch that was shared. */
function withoutLateSharers(schedule: Schedule, fused: FusedGraph): Schedule {
  const late = new Set(
    besideFaults(schedule, fused).map(({ step }) => (step === null ? undefined : schedule.steps[step])),
  );
  if (late.size === 0) return schedule;
  const keys = new Set([...late].map((step) => (step === undefined ? null : keyOf(step))));
  const beside = new Map([...schedule.beside].filter(([key]) => !keys.has(key)));
  return withoutLateSharers({ ...schedule, beside }, fused);
}

/** What steps compute by itself: what has memory, and what only a row has. */
function madeBy({ spaces, steps }: Schedule): ReadonlySet<NodeId> {
  const rows = steps.flatMap((step) => (step.kind === 'row' ? step.phases.flat() : []));
  return new Set([...spaces.keys(), ...rows.map(({ choice }) => choice.node.id)]);
}

/** Some of the tiles that one may be instead: each way of its rows and loads, with random sizes. */
function otherTiles(wanted: TileChoice, options: TileOptions, random: Random): readonly TileChoice[] {
  const found: TileChoice[] = [];
  for (const rows of options.rows) {
    for (const lanes of options.lanes) {
      const tileRows = rows.kind === 'single' ? 1 : random.pick([1, 2, 3, 4, 8]);
      const tileColumns = random.pick([1, 2, 3, 4, 8]);
      const hasForms = rows.kind !== 'single' && lanes === 4;
      const forms = (hasForms ? random.subset(options.classes, 0.7) : []).map((own): TileForm => ({
        class: own,
        tileRows: random.pick([1, 2, 4, 8, 16]),
        tileColumns: random.pick([1, 2, 3]),
      }));
      const tile = { ...wanted, rows, lanes, tileRows, tileColumns, forms };
      if (tileFault(tile, options) === null) found.push(tile);
    }
  }
  return found;
}

/** Steps in a random order in which each comes after what it needs. */
function shuffle(
  schedule: Schedule,
  steps: readonly ScheduleStep[],
  fused: FusedGraph,
  random: Random,
): readonly ScheduleStep[] {
  const uses = steps.map((step) => ({ step, makes: usesOfStep(step, schedule, fused).makes }));
  const later = new Set(uses.flatMap(({ makes }) => makes));
  const waiting = uses.map((own) => ({ ...own, needs: [...neededBy(own.step, schedule, fused, new Set(later))] }));
  const ordered: ScheduleStep[] = [];
  while (waiting.length > 0) {
    const ready = waiting.filter(({ needs, makes }) => needs.every((made) => makes.includes(made) || !later.has(made)));
    const next = random.pick(ready);
    ordered.push(next.step);
    next.makes.forEach((made) => later.delete(made));
    waiting.splice(waiting.indexOf(next), 1);
  }
  return ordered;
}
