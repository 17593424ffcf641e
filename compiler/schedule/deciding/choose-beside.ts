/**
 * Which steps share a launch with one before them: their workgroups stand side by side (kernel/side-by-side.ts). An expert that every token
 * goes through reads what the router reads and waits for nothing, so its products stand beside those of the experts that are chosen;
 * so do queries, keys and values, and whatever else a program says in one breath.
 *
 * Legal is it where everything that a step needs is made before the other one begins, and where their launches are alike
 * (`whyNotAlike`): how many buffers a launch binds is known when it is written, so this is decided last.
 *
 * A step goes to the first launch of its kind that it may share, as early as it can be: who reads it may then be early too. Kinds are
 * matrix products in tiles, and all the rest.
 */
import { at } from '../../../dsl/diagnostics/invariants.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { NodeId } from '../../graph/graph-ir.ts';
import { nodeOf } from '../../graph/node-uses.ts';
import type { Target } from '../../target.ts';
import type { BufferId } from '../memory/plan.ts';
import { dependenciesOf } from './choose-storage.ts';
import type { Decider } from './decider.ts';
import { LANES } from './legality-tiles.ts';
import type { Regime } from './regimes.ts';
import { keyOf, leaderOf, type Schedule, type ScheduleStep } from './schedule-ir.ts';
import { madeDefault, madeValue, usesOfStep, type Made } from './step-uses.ts';

/** What of a launch decides beside which others it can stand. */
export interface LaunchShape {
  readonly workgroupSize: number;
  /** Classes of devices that have forms of it; null: none, and it may have workgroups of any size. */
  readonly classes: readonly string[] | null;
  /** What it binds, each buffer as it is read. */
  readonly bindings: ReadonlyMap<string, BufferId>;
  /** Memory that threads have together or of their own, each array by what it is like, in order. */
  readonly arrays: readonly string[];
  /** Statements of its kernel. */
  readonly length: number;
}

/** Statements of a kernel, at most: what a driver does with a function grows faster than the function. */
const MOST_STATEMENTS = 1024;

/** Why launches cannot be one, as a sentence without its end; null: they can. */
export function whyNotAlike(shapes: readonly LaunchShape[], target: Target): string | null {
  const [first] = shapes;
  if (first === undefined) return null;
  if (shapes.some(({ workgroupSize }) => workgroupSize !== first.workgroupSize)) return 'workgroups are of other sizes';
  if (new Set(shapes.flatMap(({ classes }) => classes?.join() ?? [])).size > 1)
    return 'other classes of devices have forms of it';
  // Arrays would be there for all workgroups: those that all of them have are one.
  if (shapes.some(({ arrays }) => arrays.join() !== first.arrays.join())) return 'its threads have other memory';
  const bindings = new Map(shapes.flatMap((shape) => [...shape.bindings]));
  const limit = target.limits.maxStorageBuffersPerShaderStage;
  if (bindings.size > limit) return `they would bind ${bindings.size} buffers, and ${target.name} binds ${limit}`;
  const length = shapes.reduce((sum, shape) => sum + shape.length, 0);
  return length > MOST_STATEMENTS ? `their kernel would have ${length} statements` : null;
}

/** Everything made by other steps that a step needs, with what is computed in passing for it. */
export function neededBy(step: ScheduleStep, schedule: Schedule, fused: FusedGraph, made: ReadonlySet<Made>): ReadonlySet<Made> {
  const { reads, needs, makes } = usesOfStep(step, schedule, fused);
  const found = new Set<Made>(needs);
  const seen = new Set<NodeId>();
  const pending = [...reads];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    if (made.has(madeValue(id))) {
      found.add(madeValue(id));
      continue;
    }
    const node = nodeOf(fused.graph, id);
    if (node.kind === 'input') found.add(madeDefault(node.input));
    pending.push(...dependenciesOf(fused, node));
  }
  for (const own of makes) found.delete(own);
  return found;
} // prettier-ignore

/** The steps of a schedule that share launches, by what these are like. */
export function chooseBeside(
  fused: FusedGraph,
  schedule: Schedule,
  shapeOf: (step: ScheduleStep) => LaunchShape | null,
  { target, decider }: { readonly target: Target; readonly decider: Decider },
): Schedule['beside'] {
  const { steps } = schedule;
  const uses = steps.map((step) => usesOfStep(step, schedule, fused));
  const made = new Set(uses.flatMap(({ makes }) => makes));
  /** When what steps make is there: at the place of the launch that they are part of. */
  const placeOf = new Map<Made, number>();
  const beside = new Map<NodeId, NodeId>();
  /** The launches that others may share, by the place of the first of each: that step with its key, and what all parts are like. */
  const launches = new Map<number, { readonly leader: NodeId; readonly head: ScheduleStep; readonly shapes: LaunchShape[] }>();
  steps.forEach((step, i) => {
    const { makes } = at(uses, i, 'schedule: uses of a step');
    const [key, shape] = [keyOf(step), shapeOf(step)];
    let place = i;
    if (key !== null && shape !== null) {
      const ready = Math.max(-1, ...[...neededBy(step, schedule, fused, made)].map((need) => placeOf.get(need) ?? -1));
      const legal = [...launches].filter(
        ([first, launch]) =>
          first > ready &&
          sameKind(launch.head, step, decider.regime) &&
          whyNotAlike([...launch.shapes, shape], target) === null,
      );
      const [first, ...others] = legal.map(([, { leader }]) => leader);
      const leader = first === undefined ? null : decider.beside(key, [first, ...others]);
      const [chosenPlace, chosen] = legal.find(([, launch]) => launch.leader === leader) ?? [];
      if (chosen === undefined || chosenPlace === undefined)
        launches.set(i, { leader: key, head: step, shapes: [shape] });
      else {
        beside.set(key, chosen.leader);
        chosen.shapes.push(shape);
        place = chosenPlace;
      }
    }
    for (const one of makes) placeOf.set(one, place);
  });
  return beside;
} // prettier-ignore

/**
 * Tiles of several rows, or of a subgroup, by vectors, stand beside such tiles, and tiles that are loaded otherwise beside either. With few rows what
 * else is done is little: it stands beside products as well.
 */
function sameKind(one: ScheduleStep, other: ScheduleStep, regime: Regime): boolean {
  const kindOf = (step: ScheduleStep): 'tile by vectors' | 'tile' | 'no tile' => {
    if (step.kind !== 'value' || step.choice.family !== 'tile') return 'no tile';
    const { rows, forms, lanes } = step.choice;
    return (rows.kind !== 'single' || forms.length > 0) && lanes === LANES ? 'tile by vectors' : 'tile';
  };
  const kinds = [kindOf(one), kindOf(other)];
  return regime === 'few' || !kinds.includes('tile by vectors') || !kinds.includes('no tile');
}

/** What is wrong with steps that share launches, each by its place and a sentence without its end. */
export function besideFaults(
  schedule: Schedule,
  fused: FusedGraph,
): readonly { readonly step: number | null; readonly text: string }[] {
  const { steps, beside } = schedule;
  if (beside.size === 0) return [];
  const uses = steps.map((step) => usesOfStep(step, schedule, fused));
  const made = new Set(uses.flatMap(({ makes }) => makes));
  const placeOfKey = new Map<NodeId, number>();
  const placeOf = new Map<Made, number>();
  steps.forEach((step, i) => {
    const [key, leader] = [keyOf(step), leaderOf(step, schedule)];
    if (key !== null) placeOfKey.set(key, i);
    for (const one of at(uses, i, 'schedule: uses of a step').makes)
      placeOf.set(one, leader === null ? i : (placeOfKey.get(leader) ?? i));
  });
  return [...beside].flatMap(([key, leader]) => {
    const [own, first] = [placeOfKey.get(key), placeOfKey.get(leader)];
    const fault = (text: string) => [{ step: own ?? null, text }];
    if (own === undefined) return fault(`%${key} has no launch that it could share`);
    if (first === undefined || first >= own) return fault(`%${leader} has no launch before it to share`);
    if (beside.has(leader)) return fault(`%${leader} shares the launch of another`);
    const needs = neededBy(at(steps, own, 'schedule: step'), schedule, fused, made);
    const late = [...needs].find((need) => (placeOf.get(need) ?? -1) >= first);
    return late === undefined ? [] : fault(`${late} is made too late for it to stand beside %${leader}`);
  });
}
