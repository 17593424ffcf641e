/**
 * Axes and indices: rename, split, merge, cut out, join; `gather` looks numbers up; and what is made from nothing:
 * iota, one_hot, constants and draws.
 */
import { missing } from '../../../dsl/diagnostics/invariants.ts';
import { drawAxes } from '../../../dsl/primitives/draw-hash.ts';
import { drawNames, type DrawName } from '../../../dsl/types/primitive-names.ts';
import type { Axis } from '../../../dsl/types/axis.ts';
import { apply } from '../../../dsl/types/size.ts';
import type { AxisId, NodeId } from '../../graph/graph-ir.ts';
import {
  eachOf,
  minus,
  supportAxes,
  union,
  type GraphOperand,
  type GraphRoute,
  type GraphTensor,
  type OpLowering,
  type LoweringContext,
} from '../lowering-context.ts';
import { cutOut, reindex } from '../reindex-routes.ts';
import { lookUpInBounds } from '../../graph/presence-bounds.ts';
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { present } from './elementwise.ts';

export function renameAxes(
  shop: LoweringContext,
  operand: GraphOperand,
  renaming: ReadonlyMap<Axis, Axis>,
): GraphOperand {
  const from = [...renaming.keys()];
  const to = [...renaming.values()];
  const [f, t] = [shop.idsOf(from), shop.idsOf(to)];
  const view = (node: NodeId): NodeId => shop.b.rename(node, f, t);
  if (operand.kind === 'tensor') return shop.dense(view(operand.value.node));
  const { value: route } = operand;
  const each = (axes: readonly Axis[]): Axis[] => axes.map((a) => renaming.get(a) ?? a);
  const become = new Map(f.map((a, i) => [a, t[i] ?? missing('elaborate: axis of a rename', i)]));
  const bounds = route.bounds.map(({ per, atMost }) => ({ per: per.map((a) => become.get(a) ?? a), atMost }));
  const orientation = { sources: each(route.sources), targets: each(route.targets), bounds };
  const mask = shop.b.node(route.presence);
  const renamed = view(mask.kind === 'presence' ? mask.mask : route.presence);
  return { kind: 'route', value: shop.route(renamed, orientation, view(route.weight), view(route.rank)) };
}

const rename: OpLowering = (call, shop) => {
  const to = shop.axesArg(call, 'to');
  const renaming = new Map(
    shop.axesArg(call, 'from').map((a, i) => [a, to[i] ?? missing('elaborate: axis of a rename', i)]),
  );
  return renameAxes(shop, shop.operand(call, 'x'), renaming);
};

const split: OpLowering = (call, shop) => {
  const axis = shop.axisArg(call, 'axis');
  const into = shop.axesArg(call, 'into');
  const view = (node: NodeId): NodeId => shop.b.split(node, shop.id(axis), shop.idsOf(into));
  return reindex(shop, shop.operand(call, 'x'), { from: [axis], to: into, view });
};

const merge: OpLowering = (call, shop) => {
  const from = shop.axesArg(call, 'axes');
  const into = shop.axisArg(call, 'into');
  const view = (node: NodeId): NodeId => shop.b.merge(node, shop.idsOf(from), shop.id(into));
  return reindex(shop, shop.operand(call, 'x'), { from, to: [into], view });
};

const concat: OpLowering = (call, shop) => {
  const [left, right] = shop.axesArg(call, 'along');
  const [a, b] = [shop.denseArg(call, 'a'), shop.denseArg(call, 'b')];
  const part = (node: NodeId, axis: Axis | undefined): { node: NodeId; axis: AxisId | null } =>
    axis === undefined ? { node, axis: null } : { node: shop.b.broadcast(node, [shop.id(axis)]), axis: shop.id(axis) };
  return shop.dense(shop.b.concat([part(a, left), part(b, right)], shop.id(shop.axisArg(call, 'into'))));
};

const at: OpLowering = (call, shop) => {
  const axis = shop.axisArg(call, 'axis');
  const index = shop.wantedSize(call, 'index');
  return cutOut(shop, shop.operand(call, 'x'), axis, index, axis.size, []);
};

const window: OpLowering = (call, shop) => {
  const as = shop.axisArg(call, 'as');
  return cutOut(shop, shop.operand(call, 'x'), shop.axisArg(call, 'axis'), shop.wantedSize(call, 'from'), as.size, [
    as,
  ]);
};

const part: OpLowering = (call, shop) => {
  const [offset, length] = [shop.wantedSize(call, 'offset'), shop.wantedSize(call, 'length')];
  return cutOut(shop, shop.operand(call, 'x'), shop.axisArg(call, 'axis'), offset, length, shop.axesArg(call, 'into'));
};

const is: OpLowering = (call, shop) => {
  const { b } = shop;
  const [offset, length] = [shop.wantedSize(call, 'offset'), shop.wantedSize(call, 'length')];
  const point = b.iota(shop.id(shop.axisArg(call, 'axis')), 'i32');
  const from = b.map('ge', [point, b.size(offset, 'i32')]);
  const to = b.map('lt', [point, b.size(apply('add', offset, length), 'i32')]);
  return shop.dense(b.map('and', [from, to]));
};

/**
 * The points of a route, moved: its presence, weights and ranks are looked up alike, and -1 is absent.
 */
function lookUpRoute(
  shop: LoweringContext,
  route: GraphRoute,
  axis: Axis,
  { node: ids, permutes }: GraphTensor,
  hidden: readonly Axis[],
): GraphRoute {
  const id = shop.id(axis);
  // A value that is the same along the axis is the same wherever it is looked up.
  const made = new Map<NodeId, NodeId>();
  const moved = (node: NodeId): NodeId => {
    if (!shop.b.axesOf(node).includes(id)) return node;
    const known = made.get(node) ?? shop.b.apart(shop.b.gather(node, id, ids));
    made.set(node, known);
    return known;
  };
  const weight = moved(route.weight);
  if (route.payload.includes(axis)) {
    shop.demandPoints([...made.values()], ids, [axis]);
    return { ...route, weight, payload: minus(shop.axesOf(weight), supportAxes(route)) };
  }
  const own = minus(shop.axesOf(ids), minus(supportAxes(route), [axis]));
  const fromSource = route.sources.includes(axis);
  // New axes of the indices of a target are targets, unless the axis is among them or they were carried here.
  const more = fromSource ? [] : minus(own, [axis]).filter((a) => own.includes(axis) || hidden.includes(a));
  const put = (axes: readonly Axis[]): Axis[] => axes.flatMap((a) => (a === axis ? minus(own, more) : [a]));
  const sources = [...put(route.sources), ...more];
  const bounds = lookUpInBounds(route.bounds, id, shop.idsOf(own), permutes === axis);
  const [presence, rank] = [moved(route.presence), moved(route.rank)];
  shop.demandPoints([...made.values()], ids, [axis]);
  return shop.route(presence, { sources, targets: put(route.targets), bounds }, weight, rank);
}

/** Indices may be a route's weights: looked up where it is present. */
const gather: OpLowering = (call, shop) => {
  const ids = shop.operand(call, 'ids');
  const x = shop.operand(call, 'x');
  const axis = shop.axisArg(call, 'axis');
  if (x.kind === 'route') {
    if (ids.kind === 'route') throw new CompilerBug('elaborate', 'a route looked up by the weights of another');
    return { kind: 'route', value: lookUpRoute(shop, x.value, axis, ids.value, call.hidden) };
  }
  const indices = shop.numbers(ids);
  const value = shop.b.apart(shop.b.gather(shop.denseArg(call, 'x'), shop.id(axis), indices));
  shop.demandPoints([value], indices, [axis]);
  return present(shop, [ids], value);
};

const iota: OpLowering = (call, shop) => {
  const element = call.element === 'i32' ? 'i32' : 'f32';
  return shop.dense(shop.b.iota(shop.id(shop.axisArg(call, 'axis')), element));
};

const oneHot: OpLowering = (call, shop) => {
  const ids = shop.operand(call, 'ids');
  const over = shop.axesArg(call, 'over');
  const named = shop.b.apart(shop.b.map('eq', [shop.numbers(ids), shop.position(over)]));
  shop.demandPoints([named], shop.numbers(ids), over);
  return present(shop, [ids], shop.b.map('convert', [named], call.element));
};

const filledWith =
  (value: number): OpLowering =>
  (call, shop) =>
    shop.dense(shop.b.broadcast(shop.b.constant(value, call.element), shop.idsOf(shop.axesArg(call, 'axes'))));

const rootName = (axis: Axis): string => (axis.root === null ? axis.name : rootName(axis.root.axis));

function draw(distribution: DrawName): OpLowering {
  return (call, shop) => {
    const declared = shop.axesArg(call, 'axes');
    const roots = drawAxes(union(call.hidden, declared)).map(({ axis, offset }) => ({
      axis: shop.id(axis),
      name: rootName(axis),
      offset,
    }));
    const drawn = shop.b.draw(distribution, call.place, roots);
    return shop.dense(call.element === 'f16' ? shop.b.map('convert', [drawn], 'f16') : drawn);
  };
}

export const views = {
  rename, split, merge, concat, at, window, part, is, gather, iota, one_hot: oneHot,
  zeros: filledWith(0),
  ones: filledWith(1),
  ...eachOf(drawNames, draw),
} as const satisfies Record<string, OpLowering>; // prettier-ignore
