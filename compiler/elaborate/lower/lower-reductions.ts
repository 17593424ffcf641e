/**
 * Reductions and operations along axes, made of `reduce`, `scan`, `order` and maps.
 *
 * What is -inf counts nothing in a softmax or logsumexp. The sum of exponentials is at least 1 wherever anything counts (the largest gives exp(0)), so dividing
 * by max(sum, 1) is exact and gives 0 where nothing does.
 *
 * Of a route, a reduction reads what is present and gives a dense value; over payload axes it acts at each present
 * point, and the result is what the reduction of nothing is where the route is absent.
 */
import { alongNames, type AlongName, type ReductionName } from '../../../dsl/types/primitive-names.ts';
import type { Axis } from '../../../dsl/types/axis.ts';
import { stillTargets } from '../../../dsl/primitives/reductions.ts';
import { projectBounds } from '../../graph/presence-bounds.ts';
import { NEG_INF, POS_INF } from '../../graph/infinity.ts';
import type { AxisId, NodeId } from '../../graph/graph-ir.ts';
import {
  eachOf,
  minus,
  shared,
  supportAxes,
  type GraphCall,
  type GraphOperand,
  type GraphRoute,
  type OpLowering,
  type Presence,
  type LoweringContext,
} from '../lowering-context.ts';

type Along = (shop: LoweringContext, x: NodeId, over: readonly Axis[], call: GraphCall) => NodeId;

const total = (shop: LoweringContext, x: NodeId, over: readonly Axis[]): NodeId =>
  shop.b.reduce('sum', x, shop.idsOf(over));

const mean: Along = (shop, x, over) => shop.b.map('div', [total(shop, x, over), shop.atLeastOne(shop.sizeOf(over))]);

const centred = (shop: LoweringContext, x: NodeId, over: readonly Axis[], call: GraphCall): NodeId =>
  shop.b.map('sub', [x, mean(shop, x, over, call)]);

const square = (shop: LoweringContext, x: NodeId): NodeId => shop.b.map('mul', [x, x]);

const variance: Along = (shop, x, over, call) => mean(shop, square(shop, centred(shop, x, over, call)), over, call);

/** exp(x - max) where x counts, else 0; and the maximum. */
function exponentials(
  shop: LoweringContext,
  x: NodeId,
  over: readonly AxisId[],
): { readonly max: NodeId; readonly e: NodeId } {
  const { b } = shop;
  const max = b.reduce('max', x, over);
  const nothing = b.map('eq', [x, b.constant(NEG_INF)]);
  const e = b.map('where', [nothing, b.constant(0), b.map('exp', [b.map('sub', [x, max])])]);
  return { max, e };
}

export function softmax(shop: LoweringContext, x: NodeId, over: readonly AxisId[]): NodeId {
  const { b } = shop;
  const { e } = exponentials(shop, x, over);
  return b.map('div', [e, b.map('maximum', [b.reduce('sum', e, over), b.constant(1)])]);
}

function logsumexp(shop: LoweringContext, x: NodeId, over: readonly AxisId[]): NodeId {
  const { b } = shop;
  const { max, e } = exponentials(shop, x, over);
  const log = b.map('log', [b.map('maximum', [b.reduce('sum', e, over), b.constant(1)])]);
  // An infinite maximum is the result: inf - inf has no logarithm.
  const endless = b.map('eq', [b.map('abs', [max]), b.constant(POS_INF)]);
  return b.map('where', [endless, max, b.map('add', [max, log])]);
}

interface Reduction {
  readonly of: Along;
  /** What the reduction of nothing is: what a route gives where it has nothing. */
  readonly nothing: number;
}

const reductionsOf: Record<Exclude<ReductionName, 'argmax'>, Reduction> = {
  sum: { of: total, nothing: 0 },
  mean: { of: mean, nothing: 0 },
  max: { of: (shop, x, over) => shop.b.reduce('max', x, shop.idsOf(over)), nothing: NEG_INF },
  min: { of: (shop, x, over) => shop.b.reduce('min', x, shop.idsOf(over)), nothing: POS_INF },
  var: { of: variance, nothing: 0 },
  std: { of: (shop, x, over, call) => shop.b.map('sqrt', [variance(shop, x, over, call)]), nothing: 0 },
  logsumexp: { of: (shop, x, over) => logsumexp(shop, x, shop.idsOf(over)), nothing: NEG_INF },
};

function reduction(name: Exclude<ReductionName, 'argmax'>): OpLowering {
  const { of, nothing } = reductionsOf[name];
  return (call, shop) => {
    const x = shop.operand(call, 'x');
    const over = shop.axesArg(call, 'over');
    if (x.kind === 'tensor') {
      const value = of(shop, x.value.node, over, call);
      return shop.dense(needsOne.has(name) ? shop.demandOne(value, over, name) : value);
    }
    const route = x.value;
    const inside = shared(over, route.payload);
    const across = shared(over, supportAxes(route));
    if (across.length === 0)
      return shop.dense(shop.b.predicated(route.presence, of(shop, route.weight, inside, call), nothing));
    // Payload first, at each present point, for what can be done in two steps.
    const stepwise = inside.length > 0 && name !== 'logsumexp';
    const weight = stepwise ? of(shop, route.weight, inside, call) : route.weight;
    const value = of(shop, shop.b.predicated(route.presence, weight, nothing), stepwise ? across : over, call);
    if (!call.axes.has(stillTargets)) return shop.dense(value);
    return { kind: 'route', value: overTargets(shop, route, across, value) };
  };
}

/** Of nothing there is none. */
const needsOne: ReadonlySet<ReductionName> = new Set(['max', 'min']);

/** A rank behind every rank there is. */
const LAST = 1_000_000_000;

/** A route over some of its targets, with the weight that the rest has: present where any was, with the least of the ranks. */
function overTargets(shop: LoweringContext, route: GraphRoute, gone: readonly Axis[], weight: NodeId): GraphRoute {
  const { b } = shop;
  const ids = shop.idsOf(gone);
  const any = b.reduce('any', route.presence, ids);
  const rank = b.reduce('min', b.predicated(route.presence, route.rank, LAST), ids);
  const bounds = projectBounds(route.bounds, ids, shop.idsOf(supportAxes(route)), b.sizeOf);
  return shop.route(any, { sources: route.sources, targets: minus(route.targets, gone), bounds }, weight, rank);
}

const argmax: OpLowering = (call, shop) => {
  const x = shop.denseArg(call, 'x');
  const over = shop.axisArg(call, 'over');
  return shop.dense(shop.demandOne(shop.b.argmax(x, shop.id(over)), [over], 'argmax'));
};

// --- along ---

/** x / sqrt(...): the root is taken once for each group. */
const scaledBy = (shop: LoweringContext, x: NodeId, squares: NodeId, call: GraphCall): NodeId => {
  const eps = shop.sizeArg(call, 'eps');
  const inside = eps === null ? squares : shop.b.map('add', [squares, shop.b.size(eps, 'f32')]);
  return shop.b.map('mul', [x, shop.b.map('rsqrt', [inside])]);
};

/** argsort[j] is the point whose place is j: a sum over a twin of the axis in which one term counts. */
const argsort: Along = (shop, x, over) => {
  const { b } = shop;
  const [axis] = shop.idsOf(over);
  if (axis === undefined) return x;
  const place = b.sortRank([{ node: x, descending: false }], null, [axis], false);
  const other = b.twin(axis);
  const there = b.map('eq', [b.rename(place, [axis], [other]), b.iota(axis, 'i32')]);
  const sorted = b.reduce('sum', b.map('where', [there, b.iota(other, 'i32'), b.constant(0, 'i32')]), [other]);
  shop.points.note(sorted, axis);
  return sorted;
};

const alongOf: Record<AlongName, Along> = {
  softmax: (shop, x, over) => softmax(shop, x, shop.idsOf(over)),
  cumsum: (shop, x, over) => shop.idsOf(over).reduce((sum, axis) => shop.b.scan(sum, axis, false), x),
  argsort,
  l2norm: (shop, x, over, call) => scaledBy(shop, x, total(shop, square(shop, x), over), call),
  rmsnorm: (shop, x, over, call) => scaledBy(shop, x, mean(shop, square(shop, x), over, call), call),
  layernorm: (shop, x, over, call) => scaledBy(shop, centred(shop, x, over, call), variance(shop, x, over, call), call),
};

function along(name: AlongName): OpLowering {
  return (call, shop) => {
    const x = shop.operand(call, 'x');
    const over = shop.axesArg(call, 'over');
    if (x.kind === 'tensor') {
      const value = shop.tensor(alongOf[name](shop, x.value.node, over, call));
      const [axis] = over;
      return { kind: 'tensor', value: name === 'argsort' && axis !== undefined ? { ...value, permutes: axis } : value };
    }
    const across = shared(over, supportAxes(x.value));
    if (across.length === 0) return shop.withWeight(x.value, alongOf[name](shop, x.value.weight, over, call));
    return softmaxOfRoute(shop, x.value, over);
  };
}

/** Over what is present: absent points are -inf. */
function softmaxOfRoute(shop: LoweringContext, route: GraphRoute, over: readonly Axis[]): GraphOperand {
  return shop.withWeight(route, softmax(shop, shop.filled(route, NEG_INF), shop.idsOf(over)));
}

/** w / (sum of present + eps), over the targets; a denominator of exactly 0 gives weights 0. */
const normalize: OpLowering = (call, shop) => {
  const { b } = shop;
  const route = shop.routeArg(call, 'r');
  const sum = b.reduce('sum', shop.filled(route, 0), shop.idsOf(shop.axesArg(call, 'over')));
  const eps = shop.sizeArg(call, 'eps');
  const divisor = eps === null ? sum : b.map('add', [sum, b.size(eps, 'f32')]);
  const none = b.map('eq', [divisor, b.constant(0)]);
  const safe = b.map('where', [none, b.constant(1), divisor]);
  return shop.withWeight(route, b.map('where', [none, b.constant(0), b.map('div', [route.weight, safe])]));
};

/** The number of points along axes at which the route is present, as f32; counted in whole numbers, however many. */
export function countOf(shop: LoweringContext, route: Presence, over: readonly Axis[]): NodeId {
  const { b } = shop;
  return b.map('convert', [b.reduce('sum', b.map('convert', [route.presence], 'i32'), shop.idsOf(over))], 'f32');
}

const count: OpLowering = (call, shop) =>
  shop.dense(countOf(shop, shop.routeArg(call, 'r'), shop.axesArg(call, 'over')));

const load: OpLowering = (call, shop) => {
  const over = shop.axesArg(call, 'over');
  return shop.dense(
    shop.b.map('div', [countOf(shop, shop.routeArg(call, 'r'), over), shop.atLeastOne(shop.sizeOf(over))]),
  );
};

// --- contraction ---

/**
 * Dense: a contraction. With routes: weight times value, read only where the routes are present, summed. Axes of the
 * payload are contracted at each present point.
 */
const dot: OpLowering = (call, shop) => {
  const { b } = shop;
  const [left, right] = [shop.operand(call, 'left'), shop.operand(call, 'right')];
  const over = shop.axesArg(call, 'over');
  const routes = [left, right].flatMap((o) => (o.kind === 'route' ? [o.value] : []));
  const [l, r] = [shop.numbers(left), shop.numbers(right)];
  if (routes.length === 0) return shop.dense(b.contract(l, r, shop.idsOf(over)));
  const joined = shop.join(routes);
  const inside = minus(over, supportAxes(joined));
  const value = b.contract(l, r, shop.idsOf(inside));
  return shop.dense(b.reduce('sum', b.predicated(joined.presence, value, 0), shop.idsOf(minus(over, inside))));
};

/** The mean of a value over axes at the points where all routes are present, 0 if none are. */
export function meanPresent(
  shop: LoweringContext,
  value: NodeId,
  over: readonly Axis[],
  routes: readonly GraphRoute[],
): NodeId {
  const { b } = shop;
  if (routes.length === 0) {
    const inside = shared(over, shop.axesOf(value));
    return b.map('div', [total(shop, value, inside), shop.atLeastOne(shop.sizeOf(inside))]);
  }
  const joined = shop.join(routes);
  const axes = supportAxes(joined);
  const sum = total(shop, b.predicated(joined.presence, value, 0), shared(over, [...axes, ...shop.axesOf(value)]));
  const points = countOf(shop, joined, shared(over, axes));
  const dense = shop.sizeOf(shared(minus(over, axes), shop.axesOf(value)));
  const counted = b.map('mul', [points, b.size(dense, 'f32')]);
  return b.map('div', [sum, b.map('maximum', [counted, b.constant(1)])]);
}

type Names = Exclude<ReductionName, 'argmax'>;
const names: readonly Names[] = ['sum', 'mean', 'max', 'min', 'var', 'std', 'logsumexp'];

export const reductions: Record<ReductionName | AlongName | 'normalize' | 'count' | 'load' | 'dot', OpLowering> = {
  ...eachOf(names, reduction),
  ...eachOf(alongNames, along),
  argmax,
  normalize,
  count,
  load,
  dot,
};
