/**
 * Values seen through views: a node and the renames, splits, merges and slices that were applied to it, in that order. Two views
 * that undo each other are none, so that the same points under other axes, brought back, are the same points.
 *
 * A value counts as constant along axes that it lacks: a view of such axes alone changes nothing.
 */
import { unreachable } from '../../dsl/diagnostics/bug.ts';
import { at } from '../../dsl/diagnostics/invariants.ts';
import { sizeKey, type Size } from '../../dsl/types/size.ts';
import type { AxisId, Node, NodeId } from './graph-ir.ts';

export type NodeLookup = (id: NodeId) => Node;

/** Whether a node says nothing but where another value is read. */
export function isView(node: Node): boolean {
  switch (node.kind) {
    case 'rename':
    case 'slice':
    case 'split':
    case 'merge':
    case 'broadcast':
    case 'presence':
      return true;
    case 'constant':
    case 'size':
    case 'iota':
    case 'input':
    case 'map':
    case 'predicated':
    case 'contract':
    case 'reduce':
    case 'scan':
    case 'sort_rank':
    case 'choose':
    case 'argmax':
    case 'gather':
    case 'draw':
    case 'concat':
    case 'extern':
    case 'fold':
      return false;
    default:
      return unreachable(node, 'graph');
  }
}

/** Axes `from` become `to`, with what else tells one view from another. */
interface View {
  readonly kind: 'rename' | 'split' | 'merge' | 'slice';
  readonly from: readonly AxisId[];
  readonly to: readonly AxisId[];
  /** Where a slice begins. */
  readonly at: Size | null;
}

export interface Seen {
  readonly node: NodeId;
  /** The first is applied first. */
  readonly views: readonly View[];
}

/** Another node through the same views: an operand of something elementwise. */
export const seen = (node: NodeId, { views }: Seen): Seen => ({ node, views });

const sameList = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

function viewOf(node: Node): { readonly view: View; readonly operand: NodeId } | null {
  const { operand, view } = ((): { operand: NodeId | null; view: View | null } => {
    switch (node.kind) {
      case 'rename':
        return { operand: node.operand, view: { kind: 'rename', from: node.from, to: node.to, at: null } };
      case 'split':
        return { operand: node.operand, view: { kind: 'split', from: [node.axis], to: node.into, at: null } };
      case 'merge':
        return { operand: node.operand, view: { kind: 'merge', from: node.from, to: [node.into], at: null } };
      case 'slice': {
        const to = node.as === null ? [] : [node.as];
        return { operand: node.operand, view: { kind: 'slice', from: [node.axis], to, at: node.at } };
      }
      default:
        return { operand: null, view: null };
    }
  })();
  return operand === null || view === null ? null : { operand, view };
}

/** Whether the second undoes the first. */
function undoes(first: View, second: View | undefined): boolean {
  if (second === undefined || first.kind === 'slice' || second.kind === 'slice') return false;
  if ((first.kind === 'rename') !== (second.kind === 'rename')) return false;
  return sameList(first.from, second.to) && sameList(first.to, second.from);
}

/** Without presences and views around it, and without views of axes it lacks. */
export function bare(value: Seen, lookup: NodeLookup): Seen {
  const node = lookup(value.node);
  if (node.kind === 'presence') return bare({ node: node.mask, views: value.views }, lookup);
  if (node.kind === 'broadcast') return bare({ node: node.operand, views: value.views }, lookup);
  const outer = viewOf(node);
  if (outer !== null) {
    const views = undoes(outer.view, value.views[0]) ? value.views.slice(1) : [outer.view, ...value.views];
    return bare({ node: outer.operand, views }, lookup);
  }
  return { node: value.node, views: applied(node.axes, value.views).views };
}

/** A rename of several axes is one of those that are there. */
function renameOf(view: View, axes: readonly AxisId[]): View {
  const pairs = view.from
    .map((a, i) => [a, at(view.to, i, 'graph: axis of a rename')] as const)
    .filter(([a]) => axes.includes(a));
  return { ...view, from: pairs.map(([a]) => a), to: pairs.map(([, t]) => t) };
}

/** The views that change something of a value over these axes, and the axes they lead to. */
function applied(axes: readonly AxisId[], views: readonly View[]): { readonly views: View[]; readonly axes: AxisId[] } {
  let now = [...axes];
  const kept: View[] = [];
  for (const view of views) {
    if (!view.from.some((a) => now.includes(a))) continue;
    const hit = view.kind === 'rename' ? renameOf(view, now) : view;
    now = [...now.filter((a) => !hit.from.includes(a)), ...hit.to];
    if (undoes(kept.at(-1) ?? hit, hit) && kept.length > 0) kept.pop();
    else kept.push(hit);
  }
  return { views: kept, axes: now };
}

/** The axes of a value after its views. */
export function viewedAxes(value: Seen, lookup: NodeLookup): readonly AxisId[] {
  return applied(lookup(value.node).axes, value.views).axes;
}

export function mentions(views: readonly View[], axes: readonly AxisId[]): boolean {
  return views.some(({ from, to }) => [...from, ...to].some((a) => axes.includes(a)));
}

export function sameViews(a: readonly View[], b: readonly View[]): boolean {
  return a.length === b.length && a.every((view, i) => sameView(view, b[i]));
}

function sameView(a: View, b: View | undefined): boolean {
  return (
    b !== undefined &&
    a.kind === b.kind &&
    sameList(a.from, b.from) &&
    sameList(a.to, b.to) &&
    (a.at === null ? b.at === null : b.at !== null && sizeKey(a.at) === sizeKey(b.at))
  );
}
