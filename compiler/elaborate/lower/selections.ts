/**
 * Selections: how a route comes to be, and how it loses points. All of them are an `order` (the place of each candidate
 * in its group) and a comparison; what is not a candidate is never looked at.
 *
 *   top_k(s, k, over: X)     present = candidate and place < k, rank = place by falling s
 *   top_p(s, p, over: X)     ... and the sum of what has a better place is at most p
 *   limit(r, to: c, over: Z) present and place in the queue < c
 *   slots(r, P, over: Z)     present at the P that is the place in the queue
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
  readonly place: NodeId;
  readonly over: readonly Axis[];
  readonly rest: readonly Axis[];
  /** Facts that hold because only what is present competes. */
  readonly inherited: readonly Bound[];
}

/** Sorts the candidates of `s` by falling `by` (else s). */
function choose(call: GraphCall, shop: LoweringContext): Choice {
  const { b } = shop;
  const over = shop.axesArg(call, 'over');
  const s = shop.operand(call, 's');
  const by = call.args.get('by') ?? s;
  const where = call.args.get('where');
  const key = shop.numbers(by);
  const routes = [s, by, ...(where === undefined ? [] : [where])].flatMap((o) => (o.kind === 'route' ? [o.value] : []));

  const conditions: NodeId[] = [];
  if (where !== undefined && (where.kind === 'tensor' || shop.elementOf(where.value.weight) === 'bool'))
    conditions.push(shop.numbers(where));
  const float = shop.elementOf(key) === 'f32' || shop.elementOf(key) === 'f16';
  if (float) conditions.push(b.map('not', [b.map('le', [key, b.constant(NEG_INF)])]));
  const held = conditions.reduce<NodeId | null>((all, c) => (all === null ? c : b.map('and', [all, c])), null);

  const joined = routes.length === 0 ? null : shop.join(routes);
  const dense = [shop.numbers(s), key, ...conditions].map((n) => shop.axesOf(n));
  const all = union(...dense, joined === null ? [] : supportAxes(joined));
  const mask =
    joined === null ? (held ?? b.bool(true)) : held === null ? joined.presence : b.predicated(joined.presence, held, 0);
  const candidates = b.broadcast(mask, shop.idsOf(over));
  const place = b.sortRank([{ node: key, descending: true }], candidates, shop.idsOf(over), true);

  const parts: BoundedPresence[] = [{ axes: shop.idsOf(all), bounds: [] }];
  if (joined !== null) parts.unshift({ axes: shop.idsOf(supportAxes(joined)), bounds: joined.bounds });
  const inherited = joinBounds(parts, b.sizeOf).bounds;
  return { weight: shop.numbers(s), candidates, place, over, rest: minus(all, over), inherited };
}

/** The route of what is chosen among the candidates, at most so many for each point of the rest. */
function chosen(shop: LoweringContext, choice: Choice, holds: NodeId, most: Size | null): GraphOperand {
  const { b } = shop;
  const { over, rest, place, weight } = choice;
  const sources = union(rest, minus(shop.axesOf(holds), over));
  const axes = shop.idsOf([...sources, ...over]);
  const facts = most === null ? [] : [{ per: shop.idsOf(sources), atMost: smaller(most, shop.sizeOf(over)) }];
  const bounds = tidyBounds([...facts, ...choice.inherited], axes, b.sizeOf);
  const mask = b.map('and', [choice.candidates, holds]);
  return { kind: 'route', value: shop.route(mask, { sources, targets: over, bounds }, weight, place) };
}

/** How many: a size, or a number of the run, of which there are never more than `at_most`. */
function howMany(
  call: GraphCall,
  shop: LoweringContext,
  name: string,
  limit: string,
): { readonly count: NodeId | null; readonly most: Size | null } {
  const { b } = shop;
  const known = shop.sizeArg(call, name);
  const most = shop.sizeArg(call, limit);
  if (known !== null) return { count: b.size(known, 'i32'), most: known };
  const given = call.args.get(name);
  if (given === undefined) return { count: most === null ? null : b.size(most, 'i32'), most };
  const count = shop.denseArg(call, name);
  if (most === null) return { count, most };
  return { count: b.map('minimum', [count, b.size(most, 'i32')]), most };
}

const topK: OpLowering = (call, shop) => {
  const choice = choose(call, shop);
  const { count, most } = howMany(call, shop, 'k', 'at_most');
  const holds = count === null ? shop.b.bool(true) : shop.b.map('lt', [choice.place, count]);
  return chosen(shop, choice, holds, most);
};

/** Looks at all pairs of points: what has a better place is summed under a second name of the axes. */
const topP: OpLowering = (call, shop) => {
  const { b } = shop;
  const choice = choose(call, shop);
  const axes = shop.idsOf(choice.over);
  const others = axes.map((a) => b.twin(a));
  const p = call.args.has('p') ? shop.denseArg(call, 'p') : b.size(shop.wantedSize(call, 'p'), 'f32');
  const score = b.map('where', [choice.candidates, choice.weight, b.constant(0)]);
  const there = b.rename(choice.place, axes, others);
  const among = b.rename(choice.candidates, axes, others);
  const better = b.map('and', [among, b.map('lt', [there, choice.place])]);
  const before = b.reduce('sum', b.map('where', [better, b.rename(score, axes, others), b.constant(0)]), others);
  const within = b.map('le', [before, p]);
  const { count, most } = howMany(call, shop, 'at_most', 'at_most');
  const holds = count === null ? within : b.map('and', [within, b.map('lt', [choice.place, count])]);
  return chosen(shop, choice, holds, most);
};

/** Of a route: fewer points, weights and ranks as they were. Of a tensor: where c holds, ranked by index. */
const keep: OpLowering = (call, shop) => {
  const { b } = shop;
  const v = shop.operand(call, 'v');
  const c = shop.operand(call, 'c');
  const condition = shop.condition(c);
  const known = c.kind === 'route' ? c.value : null;
  if (v.kind === 'route') {
    const kept = shop.restrict(v.value, condition);
    if (known === null) return { kind: 'route', value: kept };
    const { bounds } = joinBounds([shop.bounded(v.value), shop.bounded(known)], b.sizeOf);
    return {
      kind: 'route',
      value: shop.route(maskOf(shop, kept.presence), { ...kept, bounds }, kept.weight, kept.rank),
    };
  }
  const over = shop.axesArg(call, 'over');
  const ids = shop.idsOf(over);
  const all = union(v.value.axes, shop.axesOf(condition));
  const mask = b.broadcast(condition, shop.idsOf(all));
  const place = b.sortRank([], mask, ids, false);
  const bounds =
    known === null ? [] : joinBounds([shop.bounded(known), { axes: shop.idsOf(all), bounds: [] }], b.sizeOf).bounds;
  return {
    kind: 'route',
    value: shop.route(mask, { sources: minus(all, over), targets: over, bounds }, v.value.node, place),
  };
};

/**
 * The points that ids name; along K the weights of a repeated one add, and its rank is where it stands first. Only named
 * entries count: what stands beside -1 is not looked at.
 */
const pick: OpLowering = (call, shop) => {
  const { b } = shop;
  const over = shop.axesArg(call, 'over');
  const ids = shop.denseArg(call, 'ids');
  const given = call.args.has('weights') ? shop.denseArg(call, 'weights') : null;
  const entries = union(shop.axesOf(ids), given === null ? [] : shop.axesOf(given));
  const along = (call.axes.get('along') ?? []).filter((a) => entries.includes(a));
  const hit = b.apart(b.map('eq', [ids, shop.position(over)]));
  shop.demandPoints([hit], ids, over);
  const named = b.broadcast(hit, shop.idsOf(along));
  const sources = minus(entries, along);
  const most = smaller(shop.sizeOf(along), shop.sizeOf(over));
  const bounds = tidyBounds([{ per: shop.idsOf(sources), atMost: most }], shop.idsOf([...sources, ...over]), b.sizeOf);
  const k = shop.idsOf(along);
  const mask = b.reduce('any', named, k);
  const first = b.map('where', [named, shop.position(along), b.size(shop.sizeOf(along), 'i32')]);
  const rank = along.length === 0 ? b.constant(0, 'i32') : b.reduce('min', first, k);
  return { kind: 'route', value: shop.route(mask, { sources, targets: over, bounds }, weight(), rank) };

  function weight(): NodeId {
    if (given !== null) {
      if (along.length === 0) return given;
      const entry = b.broadcast(b.map('ge', [ids, b.constant(0, 'i32')]), shop.idsOf(entries));
      const read = b.predicated(b.presence(entry, shop.idsOf(entries), [], []), given, 0);
      const taken = b.map('where', [named, read, b.constant(0, shop.elementOf(given))]);
      return b.map('convert', [b.reduce('sum', taken, k)], call.element);
    }
    if (along.length === 0 || call.element === 'bool') return b.constant(1, call.element);
    return b.reduce('sum', b.map('convert', [named], call.element), k);
  }
};

/** Everything is present. */
const all: OpLowering = (call, shop) => {
  const s = shop.operand(call, 's');
  const over = shop.axesArg(call, 'over');
  if (s.kind === 'route') return { kind: 'route', value: { ...s.value, rank: shop.position(over) } };
  const axes = union(s.value.axes, over);
  const mask = shop.b.broadcast(shop.b.bool(true), shop.idsOf(axes));
  const orientation = { sources: minus(axes, over), targets: over, bounds: [] };
  return { kind: 'route', value: shop.route(mask, orientation, s.value.node, shop.position(over)) };
};

/**
 * Place of each point in the queue of its target, by keys ascending, then by position over Z. Where a key is a route,
 * only points at which it is present stand in a queue.
 */
function queue(
  call: GraphCall,
  shop: LoweringContext,
  route: GraphRoute,
  over: readonly AxisId[],
): { place: NodeId; standing: Presence } {
  const { b } = shop;
  const keys: GraphOperand[] = [];
  for (let key = call.args.get('by0'); key !== undefined; key = call.args.get(`by${keys.length}`)) keys.push(key);
  const standing = shop.join([route, ...keys.flatMap((k) => (k.kind === 'route' ? [k.value] : []))]);
  const [only] = over;
  if (keys.length === 0 && over.length === 1 && only !== undefined)
    return { place: b.scan(b.map('convert', [standing.presence], 'i32'), only, true), standing };
  const by = keys.map((k) => ({ node: shop.numbers(k), descending: false }));
  return { place: b.sortRank(by, standing.presence, over, keys.length > 0), standing };
}

const limit: OpLowering = (call, shop) => {
  const { b } = shop;
  const route = shop.routeArg(call, 'r');
  const over = shop.axesArg(call, 'over');
  const { place, standing } = queue(call, shop, route, shop.idsOf(over));
  const known = shop.sizeArg(call, 'to');
  const room = known === null ? shop.denseArg(call, 'to') : b.size(known, 'i32');
  const per = shop.idsOf(minus(supportAxes(route), over));
  const atMost = known === null ? null : apply('max', known, zero);
  const kept = shop.restrict({ ...route, ...standing }, b.map('lt', [place, room]));
  const facts =
    atMost === null ? [] : [{ per: union(per, shop.idsOf(minus(supportAxes(kept), [...supportAxes(route)]))), atMost }];
  const bounds = tidyBounds([...kept.bounds, ...facts], shop.idsOf(supportAxes(kept)), b.sizeOf);
  return { kind: 'route', value: shop.route(maskOf(shop, kept.presence), { ...kept, bounds }, kept.weight, kept.rank) };
};

const slots: OpLowering = (call, shop) => {
  const { b } = shop;
  const route = shop.routeArg(call, 'r');
  const over = shop.axesArg(call, 'over');
  const places = shop.axisArg(call, 'places');
  const { place } = queue(call, shop, route, shop.idsOf(over));
  const mask = b.predicated(route.presence, b.map('eq', [place, b.iota(shop.id(places), 'i32')]), 0);
  const targets = [...route.targets, places];
  const per = shop.idsOf(minus([...route.sources, ...targets], over));
  const axes = shop.idsOf([...route.sources, ...targets]);
  const bounds = tidyBounds(
    [...route.bounds, { per, atMost: one }, { per: shop.idsOf(supportAxes(route)), atMost: one }],
    axes,
    b.sizeOf,
  );
  const weight = b.constant(1, call.element);
  return { kind: 'route', value: shop.route(mask, { sources: route.sources, targets, bounds }, weight, route.rank) };
};

const mask: OpLowering = (call, shop) => {
  const route = shop.routeArg(call, 'r');
  return shop.withWeight(route, shop.b.constant(1, call.element));
};

const rank: OpLowering = (call, shop) => {
  const route = shop.routeArg(call, 'r');
  return shop.withWeight(route, route.rank);
};

const dense: OpLowering = (call, shop) => {
  const r = shop.operand(call, 'r');
  return r.kind === 'tensor' ? r : shop.dense(shop.filled(r.value, 0));
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
