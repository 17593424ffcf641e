/**
 * How a recurrence is computed: which of its axes are rows, what a step keeps, and who goes through the steps of a row.
 *
 * Kept are sums, and what a sum of several points reads that costs more than a few operations: each of them would compute it again.
 * All else is computed where it is used. A thread goes through a row alone where that is little work and the memory of 64 threads holds it; else
 * a workgroup does.
 */
import { at, get } from '../../../dsl/diagnostics/invariants.ts';
import { asInteger, multiply } from '../../../dsl/types/size.ts';
import { operandsOfDraft } from '../../graph/draft.ts';
import { independentAxes, madeOutside } from '../../graph/fold-axes.ts';
import type { AxisId, Fold, Graph, GraphAxis, Node, NodeId } from '../../graph/graph-ir.ts';
import { nodeOf } from '../../graph/node-uses.ts';
import { isView } from '../../graph/node-views.ts';
import { cheap, ownCost } from '../../graph/operation-cost.ts';
import { lanesOf } from './row-lanes.ts';

export interface FoldLayout {
  /** Each point of these is a recurrence by itself. */
  readonly rows: readonly AxisId[];
  /** Nodes of the body that a step keeps, in phases: each reads only what phases before it keep. */
  readonly kept: readonly (readonly NodeId[])[];
  readonly lanes: 'one' | 'group';
  /** Whether a point of what is carried on is read by nobody but who computes that point: then it is kept at once. */
  readonly inPlace: boolean;
  /** Collected results that look at other points of what is carried, or have other points: where it is in place, they come before. */
  readonly aside: readonly number[];
  /** 32-bit words that a row needs; null where an axis of them has no size before a run. */
  readonly words: number | null;
}

export function chooseFold(fold: Fold, axes: ReadonlyMap<AxisId, GraphAxis>): FoldLayout {
  const { body, carried } = fold;
  const rows = independentAxes(fold);
  const count = (of: readonly AxisId[]): number | null =>
    asInteger(multiply(of.filter((a) => !rows.includes(a)).map((a) => get(axes, a, 'schedule: axis').size)));
  const kept = keptNodes(body, (node) => count(node.axes) !== null);
  const entering = body.inputs.slice(1, carried + 1).map((input) => input.axes);
  const local = (own: readonly AxisId[]): string => own.filter((a) => !rows.includes(a)).join();
  const looks = body.outputs.map((output) => output.kind === 'tensor' && looksElsewhere(fold, output.node, kept));
  const inPlace = new Set(entering.map(local)).size <= 1 && !looks.slice(0, carried).includes(true);
  const aside = body.outputs.flatMap((output, i) => {
    const apart = output.kind === 'tensor' && local(output.axes) !== local(entering[0] ?? []);
    return i >= carried && (looks[i] === true || apart) ? [i] : [];
  });
  const sizes = [...kept.map((id) => nodeOf(body, id).axes), ...entering, ...(inPlace ? [] : entering)].map(count);
  const words = sizes.reduce<number | null>((sum, n) => (sum === null || n === null ? null : sum + n), 0);
  const work = kept.reduce<number>((sum, id) => sum + (count(pointsOf(nodeOf(body, id))) ?? Infinity), 0);
  return { rows, kept: phases(body, kept), lanes: lanesOf(words, work), inPlace, aside, words };
}

const pointsOf = (node: Node): readonly AxisId[] =>
  node.kind === 'contract' || node.kind === 'reduce' ? [...node.axes, ...node.over] : node.axes;

const isSum = (node: Node): boolean => node.kind === 'contract' || node.kind === 'reduce';

function keptNodes(body: Graph, sized: (node: Node) => boolean): readonly NodeId[] {
  const again = new Set<NodeId>();
  for (const node of body.nodes.toReversed())
    for (const id of operandsOfDraft(node)) {
      const own = nodeOf(body, id).axes;
      const several = isSum(node) && pointsOf(node).some((a) => !own.includes(a));
      if (several || (isView(node) && again.has(node.id))) again.add(id);
    }
  const kept: NodeId[] = [];
  const cost: number[] = [];
  for (const node of body.nodes) {
    const inside = operandsOfDraft(node).reduce((sum, id) => sum + at(cost, id, 'schedule: cost of node'), ownCost(node));
    const keep = isSum(node) || (again.has(node.id) && !isView(node) && inside > cheap && sized(node));
    if (keep) kept.push(node.id);
    cost.push(keep ? 0 : inside);
  } // prettier-ignore
  return kept;
}

/** What a node reads, seen through what is computed in passing: kept nodes and inputs. */
export function readBy(body: Graph, id: NodeId, kept: ReadonlySet<NodeId>): ReadonlySet<NodeId> {
  const found = new Set<NodeId>();
  const seen = new Set<NodeId>(operandsOfDraft(nodeOf(body, id)));
  for (const next of seen) {
    const node = nodeOf(body, next);
    if (kept.has(next) || node.kind === 'input') found.add(next);
    else for (const operand of operandsOfDraft(node)) seen.add(operand);
  }
  return found;
}

function phases(body: Graph, kept: readonly NodeId[]): readonly (readonly NodeId[])[] {
  const all = new Set(kept);
  const level = new Map<NodeId, number>();
  const out: NodeId[][] = [];
  for (const id of kept) {
    const before = [...readBy(body, id, all)].map((read) => level.get(read) ?? -1);
    const own = Math.max(-1, ...before) + 1;
    level.set(id, own);
    (out[own] ??= []).push(id);
  }
  return out;
}

/** Whether a result of a step, on the way from what is carried to it, looks at other points: as far as it is computed in passing. */
function looksElsewhere({ body, carried }: Fold, result: NodeId, kept: readonly NodeId[]): boolean {
  const outside = madeOutside(body, carried);
  const all = new Set(kept);
  const seen = new Set<NodeId>([result]);
  for (const id of seen) {
    const node = nodeOf(body, id);
    if (all.has(id) || outside.has(id) || node.kind === 'input') continue;
    if (node.kind !== 'map' && node.kind !== 'predicated' && node.kind !== 'presence') {
      if (operandsOfDraft(node).some((operand) => reachesCarried(body, operand, carried, all))) return true;
    }
    for (const operand of operandsOfDraft(node)) seen.add(operand);
  }
  return false;
}

function reachesCarried(body: Graph, from: NodeId, carried: number, kept: ReadonlySet<NodeId>): boolean {
  const seen = new Set<NodeId>([from]);
  for (const id of seen) {
    const node = nodeOf(body, id);
    if (kept.has(id)) continue;
    if (node.kind === 'input' && node.input >= 1 && node.input <= carried) return true;
    for (const operand of operandsOfDraft(node)) seen.add(operand);
  }
  return false;
}
