/**
 * Selections: how a route comes to be, and how it loses points. All of them are a `sort_rank` (the rank of each candidate
 * in its group) and a comparison; what is not a candidate is never looked at.
 *
 *   top_k(s, k, over: X)     present = candidate and rank < k, rank by falling s
 *   top_p(s, p, over: X)     ... and the sum of what has a better rank is at most p
 *   limit(r, to: c, over: Z) present and position in the queue < c
 *   slots(r, P, over: Z)     present at the P that is the position in the queue
 *
 * A score of -inf is never a candidate. NaN is one (not (NaN <= -inf)), so that the order meets it and reports it.
 */
import type { Axis } from '../../../dsl/types/axis.ts';
import { apply, one, zero, type Size } from '../../../dsl/types/size.ts';
import { joinBounds, smaller, tidyBounds, type BoundedPresence } from '../../graph/presence-bounds.ts';
import { NEG_INF } from '../../graph/infinity.ts';
import type { AxisId, Bound, NodeId } from '../../graph/graph-ir.ts';
import {
  minus,
  supportAxes,
  union,
  type GraphCall,
  type GraphOperand,
  type GraphRoute,
  type OpLowering,
  type Presence,
  type LoweringContext,
} from '../lowering-context.ts';
import { maskOf } from '../reindex-routes.ts';

interface Choice {
  readonly weight: NodeId;
  readonly candidates: NodeId;
  readonly sortRank: NodeId;
  readonly over: readonly Axis[];
  readonly rest: readonly Axis[];
  /** Facts that hold because only what is present competes. */
  readonly inherited: readonly Bound[];
}

/** Sorts the candidates of `s` by falling `by` (else s). */
function choose(call: GraphCall, cx: LoweringContext): Choice {
  const { b } = cx;
  const over = cx.axesArg(call, 'over');
  const s = cx.operand(call, 's');
  const by = call.args.get('by') ?? s;
  const where = call.args.get('where');
  const key = cx.numbers(by);
  const routes = [s, by, ...(where === undefined ? [] : [where])].flatMap((o) => (o.kind === 'route' ? [o.value] : []));

  const conditions: NodeId[] = [];
  if (where !== undefined && (where.kind === 'tensor' || cx.elementOf(where.value.weight) === 'bool'))
    conditions.push(cx.numbers(where));
  const float = cx.elementOf(key) === 'f32' || cx.elementOf(key) === 'f16';
  if (float) conditions.push(b.map('not', [b.map('le', [key, b.constant(NEG_INF)])]));
  const held = conditions.reduce<NodeId | null>((all, c) => (all === null ? c : b.map('and', [all, c])), null);

  const joined = routes.length === 0 ? null : cx.join(routes);
  const dense = [cx.numbers(s), key, ...conditions].map((n) => cx.axesOf(n));
  const all = union(...dense, joined === null ? [] : supportAxes(joined));
  const mask =
    joined === null ? (held ?? b.bool(true)) : held === null ? joined.presence : b.predicated(joined.presence, held, 0);
  const candidates = b.broadcast(mask, cx.idsOf(over));
  const sortRank = b.sortRank([{ node: key, descending: true }], candidates, cx.idsOf(over), true);

  const parts: BoundedPresence[] = [{ axes: cx.idsOf(all), bounds: [] }];
  if (joined !== null) parts.unshift({ axes: cx.idsOf(supportAxes(joined)), bounds: joined.bounds });
  const inherited = joinBounds(parts, b.sizeOf).bounds;
  return { weight: cx.numbers(s), candidates, sortRank, over, rest: minus(all, over), inherited };
}

/** The route of what is chosen among the candidates, at most so many for each point of the rest. */
function chosen(cx: LoweringContext, choice: Choice, holds: NodeId, maxChosen: Size | null): GraphOperand {
  const { b } = cx;
  const { over, rest, sortRank, weight } = choice;
  const sources = union(rest, minus(cx.axesOf(holds), over));
  const axes = cx.idsOf([...sources, ...over]);
  const facts = maxChosen === null ? [] : [{ per: cx.idsOf(sources), atMost: smaller(maxChosen, cx.sizeOf(over)) }];
  const bounds = tidyBounds([...facts, ...choice.inherited], axes, b.sizeOf);
  const mask = b.map('and', [choice.candidates, holds]);
  return { kind: 'route', value: cx.route(mask, { sources, targets: over, bounds }, weight, sortRank) };
}

/** How many: a size, or a number of the run, of which there are never more than `at_most`. */
function howMany(
  call: GraphCall,
  cx: LoweringContext,
  name: string,
  limit: string,
): { readonly count: NodeId | null; readonly maxChosen: Size | null } {
  const { b } = cx;
  const known = cx.optionalSizeArg(call, name);
  const maxChosen = cx.optionalSizeArg(call, limit);
  if (known !== null) return { count: b.size(known, 'i32'), maxChosen: known };
  const given = call.args.get(name);
  if (given === undefined) return { count: maxChosen === null ? null : b.size(maxChosen, 'i32'), maxChosen };
  const count = cx.denseArg(call, name);
  if (maxChosen === null) return { count, maxChosen };
  return { count: b.map('minimum', [count, b.size(maxChosen, 'i32')]), maxChosen };
}

const topK: OpLowering = (call, cx) => {
  const choice = choose(call, cx);
  const { count, maxChosen } = howMany(call, cx, 'k', 'at_most');
  const holds = count === null ? cx.b.bool(true) : cx.b.map('lt', [choice.sortRank, count]);
  return chosen(cx, choice, holds, maxChosen);
};

/** Looks at all pairs of points: what has a better rank is summed under a second name of the axes. */
const topP: OpLowering = (call, cx) => {
  const { b } = cx;
  const choice = choose(call, cx);
  const axes = cx.idsOf(choice.over);
  const others = axes.map((a) => b.twin(a));
  const p = call.args.has('p') ? cx.denseArg(call, 'p') : b.size(cx.sizeArg(call, 'p'), 'f32');
  const score = b.map('where', [choice.candidates, choice.weight, b.constant(0)]);
  const there = b.rename(choice.sortRank, axes, others);
  const among = b.rename(choice.candidates, axes, others);
  const better = b.map('and', [among, b.map('lt', [there, choice.sortRank])]);
  const before = b.reduce('sum', b.map('where', [better, b.rename(score, axes, others), b.constant(0)]), others);
  const within = b.map('le', [before, p]);
  const { count, maxChosen } = howMany(call, cx, 'at_most', 'at_most');
  const holds = count === null ? within : b.map('and', [within, b.map('lt', [choice.sortRank, count])]);
  return chosen(cx, choice, holds, maxChosen);
};

/** Of a route: fewer points, weights and ranks as they were. Of a tensor: where c holds, ranked by index. */
const keep: OpLowering = (call, cx) => {
  const { b } = cx;
  const v = cx.operand(call, 'v');
  const c = cx.operand(call, 'c');
  const condition = cx.condition(c);
  const known = c.kind === 'route' ? c.value : null;
  if (v.kind === 'route') {
    const kept = cx.restrict(v.value, condition);
    if (known === null) return { kind: 'route', value: kept };
    const { bounds } = joinBounds([cx.bounded(v.value), cx.bounded(known)], b.sizeOf);
    return {
      kind: 'route',
      value: cx.route(maskOf(cx, kept.presence), { ...kept, bounds }, kept.weight, kept.rank),
    };
  }
  const over = cx.axesArg(call, 'over');
  const ids = cx.idsOf(over);
  const all = union(v.value.axes, cx.axesOf(condition));
  const mask = b.broadcast(condition, cx.idsOf(all));
  const sortRank = b.sortRank([], mask, ids, false);
  const bounds =
    known === null ? [] : joinBounds([cx.bounded(known), { axes: cx.idsOf(all), bounds: [] }], b.sizeOf).bounds;
  return {
    kind: 'route',
    value: cx.route(mask, { sources: minus(all, over), targets: over, bounds }, v.value.node, sortRank),
  };
};

/**
 * The points that ids name; along K the weights of a repeated one add, and its rank is where it stands first. Only named
 * entries count: what stands beside -1 is not looked at.
 */
const pick: OpLowering = (call, cx) => {
  const { b } = cx;
  const over = cx.axesArg(call, 'over');
  const ids = cx.denseArg(call, 'ids');
  const given = call.args.has('weights') ? cx.denseArg(call, 'weights') : null;
  const entries = union(cx.axesOf(ids), given === null ? [] : cx.axesOf(given));
  const along = (call.axes.get('along') ?? []).filter((a) => entries.includes(a));
  const hit = b.apart(b.map('eq', [ids, cx.position(over)]));
  cx.demandPoints([hit], ids, over);
  const named = b.broadcast(hit, cx.idsOf(along));
  const sources = minus(entries, along);
  const maxChosen = smaller(cx.sizeOf(along), cx.sizeOf(over));
  const bounds = tidyBounds([{ per: cx.idsOf(sources), atMost: maxChosen }], cx.idsOf([...sources, ...over]), b.sizeOf);
  const k = cx.idsOf(along);
  const mask = b.reduce('any', named, k);
  const first = b.map('where', [named, cx.position(along), b.size(cx.sizeOf(along), 'i32')]);
  const rank = along.length === 0 ? b.constant(0, 'i32') : b.reduce('min', first, k);
  return { kind: 'route', value: cx.route(mask, { sources, targets: over, bounds }, weight(), rank) };

  function weight(): NodeId {
    if (given !== null) {
      if (along.length === 0) return given;
      const entry = b.broadcast(b.map('ge', [ids, b.constant(0, 'i32')]), cx.idsOf(entries));
      const read = b.predicated(b.presence(entry, cx.idsOf(entries), [], []), given, 0);
      const taken = b.map('where', [named, read, b.constant(0, cx.elementOf(given))]);
      return b.map('convert', [b.reduce('sum', taken, k)], call.element);
    }
    if (along.length === 0 || call.element === 'bool') return b.constant(1, call.element);
    return b.reduce('sum', b.map('convert', [named], call.element), k);
  }
};

/** Everything is present. */
const all: OpLowering = (call, cx) => {
  const s = cx.operand(call, 's');
  const over = cx.axesArg(call, 'over');
  if (s.kind === 'route') return { kind: 'route', value: { ...s.value, rank: cx.position(over) } };
  const axes = union(s.value.axes, over);
  const mask = cx.b.broadcast(cx.b.bool(true), cx.idsOf(axes));
  const orientation = { sources: minus(axes, over), targets: over, bounds: [] };
  return { kind: 'route', value: cx.route(mask, orientation, s.value.node, cx.position(over)) };
};

/**
 * Position of each point in the queue of its target, by keys ascending, then by position over Z. Where a key is a route,
 * only points at which it is present stand in a queue.
 */
function queue(
  call: GraphCall,
  cx: LoweringContext,
  route: GraphRoute,
  over: readonly AxisId[],
): { position: NodeId; standing: Presence } {
  const { b } = cx;
  const keys: GraphOperand[] = [];
  for (let key = call.args.get('by0'); key !== undefined; key = call.args.get(`by${keys.length}`)) keys.push(key);
  const standing = cx.join([route, ...keys.flatMap((k) => (k.kind === 'route' ? [k.value] : []))]);
  const [only] = over;
  if (keys.length === 0 && over.length === 1 && only !== undefined)
    return { position: b.scan(b.map('convert', [standing.presence], 'i32'), only, true), standing };
  const by = keys.map((k) => ({ node: cx.numbers(k), descending: false }));
  return { position: b.sortRank(by, standing.presence, over, keys.length > 0), standing };
}

const limit: OpLowering = (call, cx) => {
  const { b } = cx;
  const route = cx.routeArg(call, 'r');
  const over = cx.axesArg(call, 'over');
  const { position, standing } = queue(call, cx, route, cx.idsOf(over));
  const known = cx.optionalSizeArg(call, 'to');
  const room = known === null ? cx.denseArg(call, 'to') : b.size(known, 'i32');
  const per = cx.idsOf(minus(supportAxes(route), over));
  const atMost = known === null ? null : apply('max', known, zero);
  const kept = cx.restrict({ ...route, ...standing }, b.map('lt', [position, room]));
  const facts =
    atMost === null ? [] : [{ per: union(per, cx.idsOf(minus(supportAxes(kept), [...supportAxes(route)]))), atMost }];
  const bounds = tidyBounds([...kept.bounds, ...facts], cx.idsOf(supportAxes(kept)), b.sizeOf);
  return { kind: 'route', value: cx.route(maskOf(cx, kept.presence), { ...kept, bounds }, kept.weight, kept.rank) };
};

const slots: OpLowering = (call, cx) => {
  const { b } = cx;
  const route = cx.routeArg(call, 'r');
  const over = cx.axesArg(call, 'over');
  const places = cx.axisArg(call, 'places');
  const { position } = queue(call, cx, route, cx.idsOf(over));
  const mask = b.predicated(route.presence, b.map('eq', [position, b.iota(cx.id(places), 'i32')]), 0);
  const targets = [...route.targets, places];
  const per = cx.idsOf(minus([...route.sources, ...targets], over));
  const axes = cx.idsOf([...route.sources, ...targets]);
  const bounds = tidyBounds(
    [...route.bounds, { per, atMost: one }, { per: cx.idsOf(supportAxes(route)), atMost: one }],
    axes,
    b.sizeOf,
  );
  const weight = b.constant(1, call.element);
  return { kind: 'route', value: cx.route(mask, { sources: route.sources, targets, bounds }, weight, route.rank) };
};

const mask: OpLowering = (call, cx) => {
  const route = cx.routeArg(call, 'r');
  return cx.withWeight(route, cx.b.constant(1, call.element));
};

const rank: OpLowering = (call, cx) => {
  const route = cx.routeArg(call, 'r');
  return cx.withWeight(route, route.rank);
};

const dense: OpLowering = (call, cx) => {
  const r = cx.operand(call, 'r');
  return r.kind === 'tensor' ? r : cx.dense(cx.filled(r.value, 0));
};

export const selections = {
  top_k: topK,
  top_p: topP,
  keep,
  pick,
  all,
  limit,
  slots,
  mask,
  rank,
  dense,
} as const satisfies Record<string, OpLowering>;
