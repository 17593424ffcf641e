/**
 * Views of routes: renaming, slicing, splitting and merging act on the three values of a route alike, on its sources
 * and targets and on the facts about how many points are present.
 */
import type { Axis } from '../../dsl/types/axis.ts';
import { apply, asInteger, type Size } from '../../dsl/types/size.ts';
import { embedInBounds, replaceInBounds } from '../graph/presence-bounds.ts';
import type { ConcatPart } from '../graph/result-types.ts';
import type { Bound, NodeId } from '../graph/graph-ir.ts';
import { minus, supportAxes, type GraphOperand, type GraphRoute, type LoweringContext } from './lowering-context.ts';

/** The axes `from` become the axes `to` (put where the first of them stood), value by value through `view`. */
export interface View {
  readonly from: readonly Axis[];
  readonly to: readonly Axis[];
  readonly view: (node: NodeId) => NodeId;
}

export function replaceAxes(axes: readonly Axis[], from: readonly Axis[], to: readonly Axis[]): Axis[] {
  const first = axes.find((a) => from.includes(a));
  return axes.flatMap((a) => (a === first ? to : from.includes(a) ? [] : [a]));
}

export function reindex(cx: LoweringContext, operand: GraphOperand, how: View): GraphOperand {
  if (operand.kind === 'tensor') return cx.dense(how.view(operand.value.node));
  return { kind: 'route', value: reindexRoute(cx, operand.value, how) };
}

function reindexRoute(cx: LoweringContext, route: GraphRoute, { from, to, view }: View): GraphRoute {
  const own = supportAxes(route);
  const concerned = from.some((a) => own.includes(a));
  const weight = view(route.weight);
  if (!concerned) return { ...route, weight, payload: replaceAxes(route.payload, from, to) };
  // The new axes are sources if the first of the old ones was.
  const inSources = route.sources.some((a) => from.includes(a));
  const sources = inSources ? replaceAxes(route.sources, from, to) : route.sources;
  const targets = inSources ? minus(route.targets, from) : replaceAxes(route.targets, from, to);
  const bounds = replaceInBounds(route.bounds, cx.idsOf(from), cx.idsOf(to), cx.b.sizeOf);
  // Of the presence itself, not of its mask: the whole stays in sight, and ranges of a selection are together no more than it.
  return cx.route(view(route.presence), { sources, targets, bounds }, weight, view(route.rank));
}

export function maskOf(cx: LoweringContext, presence: NodeId): NodeId {
  const node = cx.b.node(presence);
  return node.kind === 'presence' ? node.mask : presence;
}

/** The points of an axis from `offset` on as the row-major points of other axes; none is a single point. */
export function cutOut(
  cx: LoweringContext,
  operand: GraphOperand,
  axis: Axis,
  offset: Size,
  length: Size,
  into: readonly Axis[],
): GraphOperand {
  const { b } = cx;
  const [only, ...more] = into;
  const id = cx.id(axis);
  const view = (node: NodeId): NodeId => {
    if (!b.axesOf(node).includes(id)) return node;
    if (only === undefined) return b.slice(node, id, offset, null);
    if (more.length === 0) return b.slice(node, id, offset, cx.id(only));
    const run = b.axis(into.map((a) => a.name).join(''), length);
    return b.split(b.slice(node, id, offset, run), run, cx.idsOf(into));
  };
  return reindex(cx, operand, { from: [axis], to: into, view });
}

/** A value over a part's axes as one part of a concat: the axes merged into one. */
function asPart(cx: LoweringContext, node: NodeId, part: readonly Axis[]): ConcatPart {
  const [only, ...more] = part;
  if (only === undefined) return { node, axis: null };
  const ids = cx.idsOf(part);
  const whole = cx.b.broadcast(node, ids);
  if (more.length === 0) return { node: whole, axis: cx.id(only) };
  const run = cx.b.axis(part.map((a) => a.name).join(''), cx.sizeOf(part));
  return { node: cx.b.merge(whole, ids, run), axis: run };
}

export function unite(
  cx: LoweringContext,
  parts: readonly { readonly node: NodeId; readonly axes: readonly Axis[] }[],
  axis: Axis,
): NodeId {
  return cx.b.concat(parts.map((p) => asPart(cx, p.node, p.axes)), cx.id(axis)); // prettier-ignore
}

/** A route over a part's axes, over the union's axis: absent before and after the part. */
export function embed(
  cx: LoweringContext,
  route: GraphRoute,
  part: readonly Axis[],
  axis: Axis,
  offset: Size,
): GraphRoute {
  const { b } = cx;
  const after = apply('sub', axis.size, apply('add', offset, cx.sizeOf(part)));
  const padded = (node: NodeId): NodeId => {
    const fill = b.constant(0, cx.elementOf(node));
    const pad = (size: Size): ConcatPart[] => {
      if (asInteger(size) === 0) return [];
      const run = b.axis(`${axis.name}_rest`, size);
      return [{ node: b.broadcast(fill, [run]), axis: run }];
    };
    return b.concat([...pad(offset), asPart(cx, node, part), ...pad(after)], cx.id(axis));
  };
  const own = cx.idsOf(supportAxes(route));
  const bounds = embedInBounds(route.bounds, own, cx.idsOf(part), [cx.id(axis)], b.sizeOf);
  const inTargets = part.length === 0 || route.targets.some((a) => part.includes(a));
  const targets = part.length === 0 ? [...route.targets, axis] : replaceAxes(route.targets, part, [axis]);
  const sources = inTargets ? minus(route.sources, part) : replaceAxes(route.sources, part, [axis]);
  return cx.route(
    padded(maskOf(cx, route.presence)),
    { sources, targets, bounds },
    padded(route.weight),
    padded(route.rank),
  );
}

/** Routes of equal axes side by side along a new source. */
export function stackRoutes(cx: LoweringContext, routes: readonly GraphRoute[], axis: Axis): GraphRoute | null {
  const [first] = routes;
  if (first === undefined) return null;
  const { b } = cx;
  const id = cx.id(axis);
  const stacked = (of: (route: GraphRoute) => NodeId): NodeId =>
    b.concat(routes.map((r) => ({ node: of(r), axis: null })), id); // prettier-ignore
  // A fact that all of them know holds for each point of the new axis.
  const bounds: Bound[] = first.bounds.flatMap((fact) => {
    const same = routes.map((r) =>
      r.bounds.find((f) => f.per.length === fact.per.length && f.per.every((a) => fact.per.includes(a))),
    );
    if (same.some((f) => f === undefined)) return [];
    const atMost = same.reduce<Size>((most, f) => (f === undefined ? most : apply('max', most, f.atMost)), fact.atMost);
    return [{ per: [...fact.per, id], atMost }];
  });
  const orientation = { sources: [axis, ...first.sources], targets: first.targets, bounds };
  return cx.route(stacked((r) => maskOf(cx, r.presence)), orientation, stacked((r) => r.weight), stacked((r) => r.rank)); // prettier-ignore
}
