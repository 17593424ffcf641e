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
  cx: LoweringContext,
  operand: GraphOperand,
  renaming: ReadonlyMap<Axis, Axis>,
): GraphOperand {
  const from = [...renaming.keys()];
  const to = [...renaming.values()];
  const [f, t] = [cx.idsOf(from), cx.idsOf(to)];
  const view = (node: NodeId): NodeId => cx.b.rename(node, f, t);
  if (operand.kind === 'tensor') return cx.dense(view(operand.value.node));
  const { value: route } = operand;
  const each = (axes: readonly Axis[]): Axis[] => axes.map((a) => renaming.get(a) ?? a);
  const become = new Map(f.map((a, i) => [a, t[i] ?? missing('elaborate: axis of a rename', i)]));
  const bounds = route.bounds.map(({ per, atMost }) => ({ per: per.map((a) => become.get(a) ?? a), atMost }));
  const orientation = { sources: each(route.sources), targets: each(route.targets), bounds };
  const mask = cx.b.node(route.presence);
  const renamed = view(mask.kind === 'presence' ? mask.mask : route.presence);
  return { kind: 'route', value: cx.route(renamed, orientation, view(route.weight), view(route.rank)) };
}

const rename: OpLowering = (call, cx) => {
  const to = cx.axesArg(call, 'to');
  const renaming = new Map(
    cx.axesArg(call, 'from').map((a, i) => [a, to[i] ?? missing('elaborate: axis of a rename', i)]),
  );
  return renameAxes(cx, cx.operand(call, 'x'), renaming);
};

const split: OpLowering = (call, cx) => {
  const axis = cx.axisArg(call, 'axis');
  const into = cx.axesArg(call, 'into');
  const view = (node: NodeId): NodeId => cx.b.split(node, cx.id(axis), cx.idsOf(into));
  return reindex(cx, cx.operand(call, 'x'), { from: [axis], to: into, view });
};

const merge: OpLowering = (call, cx) => {
  const from = cx.axesArg(call, 'axes');
  const into = cx.axisArg(call, 'into');
  const view = (node: NodeId): NodeId => cx.b.merge(node, cx.idsOf(from), cx.id(into));
  return reindex(cx, cx.operand(call, 'x'), { from, to: [into], view });
};

const concat: OpLowering = (call, cx) => {
  const [left, right] = cx.axesArg(call, 'along');
  const [a, b] = [cx.denseArg(call, 'a'), cx.denseArg(call, 'b')];
  const part = (node: NodeId, axis: Axis | undefined): { node: NodeId; axis: AxisId | null } =>
    axis === undefined ? { node, axis: null } : { node: cx.b.broadcast(node, [cx.id(axis)]), axis: cx.id(axis) };
  return cx.dense(cx.b.concat([part(a, left), part(b, right)], cx.id(cx.axisArg(call, 'into'))));
};

const at: OpLowering = (call, cx) => {
  const axis = cx.axisArg(call, 'axis');
  const index = cx.sizeArg(call, 'index');
  return cutOut(cx, cx.operand(call, 'x'), axis, index, axis.size, []);
};

const window: OpLowering = (call, cx) => {
  const as = cx.axisArg(call, 'as');
  return cutOut(cx, cx.operand(call, 'x'), cx.axisArg(call, 'axis'), cx.sizeArg(call, 'from'), as.size, [as]);
};

const part: OpLowering = (call, cx) => {
  const [offset, length] = [cx.sizeArg(call, 'offset'), cx.sizeArg(call, 'length')];
  return cutOut(cx, cx.operand(call, 'x'), cx.axisArg(call, 'axis'), offset, length, cx.axesArg(call, 'into'));
};

const is: OpLowering = (call, cx) => {
  const { b } = cx;
  const [offset, length] = [cx.sizeArg(call, 'offset'), cx.sizeArg(call, 'length')];
  const point = b.iota(cx.id(cx.axisArg(call, 'axis')), 'i32');
  const from = b.map('ge', [point, b.size(offset, 'i32')]);
  const to = b.map('lt', [point, b.size(apply('add', offset, length), 'i32')]);
  return cx.dense(b.map('and', [from, to]));
};

/**
 * The points of a route, moved: its presence, weights and ranks are looked up alike, and -1 is absent.
 */
function lookUpRoute(
  cx: LoweringContext,
  route: GraphRoute,
  axis: Axis,
  { node: ids, permutes }: GraphTensor,
  batchAxes: readonly Axis[],
): GraphRoute {
  const id = cx.id(axis);
  // A value that is the same along the axis is the same wherever it is looked up.
  const made = new Map<NodeId, NodeId>();
  const moved = (node: NodeId): NodeId => {
    if (!cx.b.axesOf(node).includes(id)) return node;
    const known = made.get(node) ?? cx.b.apart(cx.b.gather(node, id, ids));
    made.set(node, known);
    return known;
  };
  const weight = moved(route.weight);
  if (route.payload.includes(axis)) {
    cx.demandPoints([...made.values()], ids, [axis]);
    return { ...route, weight, payload: minus(cx.axesOf(weight), supportAxes(route)) };
  }
  const own = minus(cx.axesOf(ids), minus(supportAxes(route), [axis]));
  const fromSource = route.sources.includes(axis);
  // New axes of the indices of a target are targets, unless the axis is among them or they were carried here.
  const more = fromSource ? [] : minus(own, [axis]).filter((a) => own.includes(axis) || batchAxes.includes(a));
  const put = (axes: readonly Axis[]): Axis[] => axes.flatMap((a) => (a === axis ? minus(own, more) : [a]));
  const sources = [...put(route.sources), ...more];
  const bounds = lookUpInBounds(route.bounds, id, cx.idsOf(own), permutes === axis);
  const [presence, rank] = [moved(route.presence), moved(route.rank)];
  cx.demandPoints([...made.values()], ids, [axis]);
  return cx.route(presence, { sources, targets: put(route.targets), bounds }, weight, rank);
}

/** Indices may be a route's weights: looked up where it is present. */
const gather: OpLowering = (call, cx) => {
  const ids = cx.operand(call, 'ids');
  const x = cx.operand(call, 'x');
  const axis = cx.axisArg(call, 'axis');
  if (x.kind === 'route') {
    if (ids.kind === 'route') throw new CompilerBug('elaborate', 'a route looked up by the weights of another');
    return { kind: 'route', value: lookUpRoute(cx, x.value, axis, ids.value, call.batchAxes) };
  }
  const indices = cx.numbers(ids);
  const value = cx.b.apart(cx.b.gather(cx.denseArg(call, 'x'), cx.id(axis), indices));
  cx.demandPoints([value], indices, [axis]);
  return present(cx, [ids], value);
};

const iota: OpLowering = (call, cx) => {
  const element = call.element === 'i32' ? 'i32' : 'f32';
  return cx.dense(cx.b.iota(cx.id(cx.axisArg(call, 'axis')), element));
};

const oneHot: OpLowering = (call, cx) => {
  const ids = cx.operand(call, 'ids');
  const over = cx.axesArg(call, 'over');
  const named = cx.b.apart(cx.b.map('eq', [cx.numbers(ids), cx.position(over)]));
  cx.demandPoints([named], cx.numbers(ids), over);
  return present(cx, [ids], cx.b.map('convert', [named], call.element));
};

const filledWith =
  (value: number): OpLowering =>
  (call, cx) =>
    cx.dense(cx.b.broadcast(cx.b.constant(value, call.element), cx.idsOf(cx.axesArg(call, 'axes'))));

const rootName = (axis: Axis): string => (axis.root === null ? axis.name : rootName(axis.root.axis));

function draw(distribution: DrawName): OpLowering {
  return (call, cx) => {
    const declared = cx.axesArg(call, 'axes');
    const roots = drawAxes(union(call.batchAxes, declared)).map(({ axis, offset }) => ({
      axis: cx.id(axis),
      name: rootName(axis),
      offset,
    }));
    const drawn = cx.b.draw(distribution, call.seedKey, roots);
    return cx.dense(call.element === 'f16' ? cx.b.map('convert', [drawn], 'f16') : drawn);
  };
}

export const views = {
  rename, split, merge, concat, at, window, part, is, gather, iota, one_hot: oneHot,
  zeros: filledWith(0),
  ones: filledWith(1),
  ...eachOf(drawNames, draw),
} as const satisfies Record<string, OpLowering>; // prettier-ignore
