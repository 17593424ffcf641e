/**
 * Selections: how a route comes to be, and how it loses points. What is chosen of a group, where it is known how many at most, is
 * a list of positions (`choose`), and everything else is made of that list: a mask, a rank, a sum of what is better. Where nobody
 * knows it is the rank of each candidate in its group (`sort_rank`), and a comparison. What is not a candidate is never looked at.
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
import { compareProducts, joinBounds, smaller, tidyBounds, type BoundedPresence } from '../../graph/presence-bounds.ts';
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

/** Who competes in a selection over `s` by falling `by` (else s). */
interface Contest {
  readonly weight: NodeId;
  readonly key: NodeId;
  readonly candidates: NodeId;
  /** Where a key means something: the join of what it and the weights are routes of. */
  readonly within: NodeId | null;
  readonly over: readonly Axis[];
  readonly rest: readonly Axis[];
  /** Facts that hold because only what is present competes. */
  readonly inherited: readonly Bound[];
}

function contestOf(call: GraphCall, cx: LoweringContext): Contest {
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

  const parts: BoundedPresence[] = [{ axes: cx.idsOf(all), bounds: [] }];
  if (joined !== null) parts.unshift({ axes: cx.idsOf(supportAxes(joined)), bounds: joined.bounds });
  const inherited = joinBounds(parts, b.sizeOf).bounds;
  const within = joined?.presence ?? null;
  return { weight: cx.numbers(s), key, candidates, within, over, rest: minus(all, over), inherited };
}

/** The rank of each candidate, by falling key. */
function rankOfAll(cx: LoweringContext, { key, candidates, over }: Contest): NodeId {
  return cx.b.sortRank([{ node: key, descending: true }], candidates, cx.idsOf(over), true);
}

/** The route of what holds among the candidates, at most so many for each point of the rest and of `more`. */
function chosen(
  cx: LoweringContext,
  contest: Contest,
  { holds, rank, more, maxChosen }: { holds: NodeId; rank: NodeId; more: readonly Axis[]; maxChosen: Size | null },
): GraphOperand {
  const { b } = cx;
  const { over, rest, weight } = contest;
  const sources = union(rest, minus(more, over));
  const axes = cx.idsOf([...sources, ...over]);
  const facts = maxChosen === null ? [] : [{ per: cx.idsOf(sources), atMost: smaller(maxChosen, cx.sizeOf(over)) }];
  const bounds = tidyBounds([...facts, ...contest.inherited], axes, b.sizeOf);
  const mask = b.map('and', [contest.candidates, holds]);
  return { kind: 'route', value: cx.route(mask, { sources, targets: over, bounds }, weight, rank) };
}

interface HowMany {
  readonly count: NodeId | null;
  readonly maxChosen: Size | null;
}

/** How many: a size, or a number of the run, of which there are never more than `at_most`. */
function howMany(call: GraphCall, cx: LoweringContext, name: string, limit: string): HowMany {
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

/** What is chosen of each group when it is known that it is few: their positions, and the axis they stand along. */
interface Few {
  readonly ids: NodeId;
  readonly along: AxisId;
}

/** Null where nobody said how many there are at most, or it is as many as there are. */
function fewOf(cx: LoweringContext, contest: Contest, { count, maxChosen }: HowMany): Few | null {
  const { b } = cx;
  const { key, candidates, over } = contest;
  if (maxChosen === null || (count !== null && cx.axesOf(count).some((a) => over.includes(a)))) return null;
  const size = cx.sizeOf(over);
  const order = compareProducts([maxChosen], [size]);
  if (order !== null && order >= 0) return null;
  const along = b.axis(`${over.map((a) => a.name).join('_')}_slot`, apply('max', smaller(maxChosen, size), zero));
  const ids = b.choose({ key, candidates, count, over: cx.idsOf(over), along, report: true });
  return { ids, along };
}

/** What stands at the chosen positions. */
function atChosen(cx: LoweringContext, { within, over }: Contest, { ids }: Few, value: NodeId): NodeId {
  const { b } = cx;
  const axes = cx.idsOf(over);
  const known = b.broadcast(within === null ? value : b.predicated(within, value, 0), axes);
  const [only, ...more] = axes;
  if (only !== undefined && more.length === 0) return b.gather(known, only, ids);
  const flat = b.axis(over.map((a) => a.name).join('_'), cx.sizeOf(over));
  return b.gather(b.merge(known, axes, flat), flat, ids);
}

/** The points that are chosen, as a mask, and the rank of each among them by falling key. */
function spread(
  cx: LoweringContext,
  contest: Contest,
  few: Few,
  kept: NodeId = few.ids,
): { holds: NodeId; rank: NodeId } {
  const { b } = cx;
  const hit = b.map('eq', [kept, cx.position(contest.over)]);
  const ranks = b.map('where', [hit, rankOfSlots(cx, contest, few), b.size(b.sizeOf(few.along), 'i32')]);
  return { holds: b.reduce('any', hit, [few.along]), rank: b.reduce('min', ranks, [few.along]) };
}

function rankOfSlots(cx: LoweringContext, contest: Contest, few: Few): NodeId {
  const { b } = cx;
  const keys = [{ node: atChosen(cx, contest, few, contest.key), descending: true }];
  return b.sortRank(keys, b.map('ge', [few.ids, b.constant(0, 'i32')]), [few.along], false);
}

const topK: OpLowering = (call, cx) => {
  const contest = contestOf(call, cx);
  const many = howMany(call, cx, 'k', 'at_most');
  const { count, maxChosen } = many;
  const more = count === null ? [] : cx.axesOf(count);
  const few = fewOf(cx, contest, many);
  if (few !== null) return chosen(cx, contest, { ...spread(cx, contest, few), more, maxChosen });
  const rank = rankOfAll(cx, contest);
  const holds = count === null ? cx.b.bool(true) : cx.b.map('lt', [rank, count]);
  return chosen(cx, contest, { holds, rank, more, maxChosen });
};

/** Of a few, what has a better rank among them is summed. */
function topPOfFew(cx: LoweringContext, contest: Contest, few: Few, p: NodeId): { holds: NodeId; rank: NodeId } {
  const { b } = cx;
  const own = rankOfSlots(cx, contest, few);
  const score = atChosen(cx, contest, few, contest.weight);
  const other = b.twin(few.along);
  const there = (node: NodeId): NodeId => b.rename(node, [few.along], [other]);
  const none = b.constant(-1, 'i32');
  const better = b.map('and', [b.map('gt', [there(few.ids), none]), b.map('lt', [there(own), own])]);
  const before = b.reduce('sum', b.map('where', [better, there(score), b.constant(0)]), [other]);
  return spread(cx, contest, few, b.map('where', [b.map('le', [before, p]), few.ids, none]));
}

/** Without a bound it looks at all pairs of points: what has a better rank is summed under a second name of the axes. */
const topP: OpLowering = (call, cx) => {
  const { b } = cx;
  const contest = contestOf(call, cx);
  const { candidates, weight, over } = contest;
  const axes = cx.idsOf(over);
  const p = call.args.has('p') ? cx.denseArg(call, 'p') : b.size(cx.sizeArg(call, 'p'), 'f32');
  const many = howMany(call, cx, 'at_most', 'at_most');
  const { count, maxChosen } = many;
  const more = union(cx.axesOf(p), count === null ? [] : cx.axesOf(count));
  const few = more.some((a) => over.includes(a)) ? null : fewOf(cx, contest, many);
  if (few !== null) return chosen(cx, contest, { ...topPOfFew(cx, contest, few, p), more, maxChosen });
  const others = axes.map((a) => b.twin(a));
  const rank = rankOfAll(cx, contest);
  const score = b.map('where', [candidates, weight, b.constant(0)]);
  const there = b.rename(rank, axes, others);
  const among = b.rename(candidates, axes, others);
  const better = b.map('and', [among, b.map('lt', [there, rank])]);
  const before = b.reduce('sum', b.map('where', [better, b.rename(score, axes, others), b.constant(0)]), others);
  const within = b.map('le', [before, p]);
  const holds = count === null ? within : b.map('and', [within, b.map('lt', [rank, count])]);
  return chosen(cx, contest, { holds, rank, more, maxChosen });
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
