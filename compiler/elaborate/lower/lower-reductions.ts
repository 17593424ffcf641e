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

type Along = (cx: LoweringContext, x: NodeId, over: readonly Axis[], call: GraphCall) => NodeId;

const total = (cx: LoweringContext, x: NodeId, over: readonly Axis[]): NodeId => cx.b.reduce('sum', x, cx.idsOf(over));

const mean: Along = (cx, x, over) => cx.b.map('div', [total(cx, x, over), cx.atLeastOne(cx.sizeOf(over))]);

const centred = (cx: LoweringContext, x: NodeId, over: readonly Axis[], call: GraphCall): NodeId =>
  cx.b.map('sub', [x, mean(cx, x, over, call)]);

const square = (cx: LoweringContext, x: NodeId): NodeId => cx.b.map('mul', [x, x]);

const variance: Along = (cx, x, over, call) => mean(cx, square(cx, centred(cx, x, over, call)), over, call);

/** exp(x - max) where x counts, else 0; and the maximum. */
function exponentials(
  cx: LoweringContext,
  x: NodeId,
  over: readonly AxisId[],
): { readonly max: NodeId; readonly e: NodeId } {
  const { b } = cx;
  const max = b.reduce('max', x, over);
  const nothing = b.map('eq', [x, b.constant(NEG_INF)]);
  const e = b.map('where', [nothing, b.constant(0), b.map('exp', [b.map('sub', [x, max])])]);
  return { max, e };
}

/** `within`: where x is present, if it is a route's; elsewhere it is -inf, and nothing is summed. */
export function softmax(cx: LoweringContext, x: NodeId, over: readonly AxisId[], within: NodeId | null = null): NodeId {
  const { b } = cx;
  const { e } = exponentials(cx, x, over);
  const summed = within === null ? e : b.predicated(within, e, 0);
  return b.map('div', [e, b.map('maximum', [b.reduce('sum', summed, over), b.constant(1)])]);
}

function logsumexp(cx: LoweringContext, x: NodeId, over: readonly AxisId[]): NodeId {
  const { b } = cx;
  const { max, e } = exponentials(cx, x, over);
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
  max: { of: (cx, x, over) => cx.b.reduce('max', x, cx.idsOf(over)), nothing: NEG_INF },
  min: { of: (cx, x, over) => cx.b.reduce('min', x, cx.idsOf(over)), nothing: POS_INF },
  var: { of: variance, nothing: 0 },
  std: { of: (cx, x, over, call) => cx.b.map('sqrt', [variance(cx, x, over, call)]), nothing: 0 },
  logsumexp: { of: (cx, x, over) => logsumexp(cx, x, cx.idsOf(over)), nothing: NEG_INF },
};

function reduction(name: Exclude<ReductionName, 'argmax'>): OpLowering {
  const { of, nothing } = reductionsOf[name];
  return (call, cx) => {
    const x = cx.operand(call, 'x');
    const over = cx.axesArg(call, 'over');
    if (x.kind === 'tensor') {
      const value = of(cx, x.value.node, over, call);
      return cx.dense(needsOne.has(name) ? cx.demandOne(value, over, name) : value);
    }
    const route = x.value;
    const inside = shared(over, route.payload);
    const across = shared(over, supportAxes(route));
    if (across.length === 0)
      return cx.dense(cx.b.predicated(route.presence, of(cx, route.weight, inside, call), nothing));
    // Payload first, at each present point, for what can be done in two steps.
    const stepwise = inside.length > 0 && name !== 'logsumexp';
    const weight = stepwise ? of(cx, route.weight, inside, call) : route.weight;
    const value = of(cx, cx.b.predicated(route.presence, weight, nothing), stepwise ? across : over, call);
    if (!call.axes.has(stillTargets)) return cx.dense(value);
    return { kind: 'route', value: overTargets(cx, route, across, value) };
  };
}

/** Of nothing there is none. */
const needsOne: ReadonlySet<ReductionName> = new Set(['max', 'min']);

/** A rank behind every rank there is. */
const LAST = 1_000_000_000;

/** A route over some of its targets, with the weight that the rest has: present where any was, with the least of the ranks. */
function overTargets(cx: LoweringContext, route: GraphRoute, gone: readonly Axis[], weight: NodeId): GraphRoute {
  const { b } = cx;
  const ids = cx.idsOf(gone);
  const any = b.reduce('any', route.presence, ids);
  const rank = b.reduce('min', b.predicated(route.presence, route.rank, LAST), ids);
  const bounds = projectBounds(route.bounds, ids, cx.idsOf(supportAxes(route)), b.sizeOf);
  return cx.route(any, { sources: route.sources, targets: minus(route.targets, gone), bounds }, weight, rank);
}

const argmax: OpLowering = (call, cx) => {
  const x = cx.denseArg(call, 'x');
  const over = cx.axisArg(call, 'over');
  return cx.dense(cx.demandOne(cx.b.argmax(x, cx.id(over)), [over], 'argmax'));
};

// --- along ---

/** x / sqrt(...): the root is taken once for each group. */
const scaledBy = (cx: LoweringContext, x: NodeId, squares: NodeId, call: GraphCall): NodeId => {
  const eps = cx.optionalSizeArg(call, 'eps');
  const inside = eps === null ? squares : cx.b.map('add', [squares, cx.b.size(eps, 'f32')]);
  return cx.b.map('mul', [x, cx.b.map('rsqrt', [inside])]);
};

/** argsort[j] is the point whose sort rank is j: a sum over a twin of the axis in which one term counts. */
const argsort: Along = (cx, x, over) => {
  const { b } = cx;
  const [axis] = cx.idsOf(over);
  if (axis === undefined) return x;
  const sortRank = b.sortRank([{ node: x, descending: false }], null, [axis], false);
  const other = b.twin(axis);
  const there = b.map('eq', [b.rename(sortRank, [axis], [other]), b.iota(axis, 'i32')]);
  const sorted = b.reduce('sum', b.map('where', [there, b.iota(other, 'i32'), b.constant(0, 'i32')]), [other]);
  cx.points.note(sorted, axis);
  return sorted;
};

const alongOf: Record<AlongName, Along> = {
  softmax: (cx, x, over) => softmax(cx, x, cx.idsOf(over)),
  cumsum: (cx, x, over) => cx.idsOf(over).reduce((sum, axis) => cx.b.scan(sum, axis, false), x),
  argsort,
  l2norm: (cx, x, over, call) => scaledBy(cx, x, total(cx, square(cx, x), over), call),
  rmsnorm: (cx, x, over, call) => scaledBy(cx, x, mean(cx, square(cx, x), over, call), call),
  layernorm: (cx, x, over, call) => scaledBy(cx, centred(cx, x, over, call), variance(cx, x, over, call), call),
};

function along(name: AlongName): OpLowering {
  return (call, cx) => {
    const x = cx.operand(call, 'x');
    const over = cx.axesArg(call, 'over');
    if (x.kind === 'tensor') {
      const value = cx.tensor(alongOf[name](cx, x.value.node, over, call));
      const [axis] = over;
      return { kind: 'tensor', value: name === 'argsort' && axis !== undefined ? { ...value, permutes: axis } : value };
    }
    const across = shared(over, supportAxes(x.value));
    if (across.length === 0) return cx.withWeight(x.value, alongOf[name](cx, x.value.weight, over, call));
    return softmaxOfRoute(cx, x.value, over);
  };
}

/** Over what is present: absent points are -inf. */
function softmaxOfRoute(cx: LoweringContext, route: GraphRoute, over: readonly Axis[]): GraphOperand {
  return cx.withWeight(route, softmax(cx, cx.filled(route, NEG_INF), cx.idsOf(over), route.presence));
}

/** w / (sum of present + eps), over the targets; a denominator of exactly 0 gives weights 0. */
const normalize: OpLowering = (call, cx) => {
  const { b } = cx;
  const route = cx.routeArg(call, 'r');
  const sum = b.reduce('sum', cx.filled(route, 0), cx.idsOf(cx.axesArg(call, 'over')));
  const eps = cx.optionalSizeArg(call, 'eps');
  const divisor = eps === null ? sum : b.map('add', [sum, b.size(eps, 'f32')]);
  const none = b.map('eq', [divisor, b.constant(0)]);
  const safe = b.map('where', [none, b.constant(1), divisor]);
  return cx.withWeight(route, b.map('where', [none, b.constant(0), b.map('div', [route.weight, safe])]));
};

/** The number of points along axes at which the route is present, as f32; counted in whole numbers, however many. */
export function countOf(cx: LoweringContext, route: Presence, over: readonly Axis[]): NodeId {
  const { b } = cx;
  return b.map('convert', [b.reduce('sum', b.map('convert', [route.presence], 'i32'), cx.idsOf(over))], 'f32');
}

const count: OpLowering = (call, cx) => cx.dense(countOf(cx, cx.routeArg(call, 'r'), cx.axesArg(call, 'over')));

const load: OpLowering = (call, cx) => {
  const over = cx.axesArg(call, 'over');
  return cx.dense(cx.b.map('div', [countOf(cx, cx.routeArg(call, 'r'), over), cx.atLeastOne(cx.sizeOf(over))]));
};

// --- contraction ---

/**
 * Dense: a contraction. With routes: weight times value, read only where the routes are present, summed. Axes of the
 * payload are contracted at each present point.
 */
const dot: OpLowering = (call, cx) => {
  const { b } = cx;
  const [left, right] = [cx.operand(call, 'left'), cx.operand(call, 'right')];
  const over = cx.axesArg(call, 'over');
  const routes = [left, right].flatMap((o) => (o.kind === 'route' ? [o.value] : []));
  const [l, r] = [cx.numbers(left), cx.numbers(right)];
  if (routes.length === 0) return cx.dense(b.contract(l, r, cx.idsOf(over)));
  const joined = cx.join(routes);
  const inside = minus(over, supportAxes(joined));
  const value = b.contract(l, r, cx.idsOf(inside));
  return cx.dense(b.reduce('sum', b.predicated(joined.presence, value, 0), cx.idsOf(minus(over, inside))));
};

/** The mean of a value over axes at the points where all routes are present, 0 if none are. */
export function meanPresent(
  cx: LoweringContext,
  value: NodeId,
  over: readonly Axis[],
  routes: readonly GraphRoute[],
): NodeId {
  const { b } = cx;
  if (routes.length === 0) {
    const inside = shared(over, cx.axesOf(value));
    return b.map('div', [total(cx, value, inside), cx.atLeastOne(cx.sizeOf(inside))]);
  }
  const joined = cx.join(routes);
  const axes = supportAxes(joined);
  const sum = total(cx, b.predicated(joined.presence, value, 0), shared(over, [...axes, ...cx.axesOf(value)]));
  const points = countOf(cx, joined, shared(over, axes));
  const dense = cx.sizeOf(shared(minus(over, axes), cx.axesOf(value)));
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
