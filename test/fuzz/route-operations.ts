/** Operations that make routes, change them, and read them. */
import type { Made, Operation } from './operations.ts';
import type { Scope } from './scope.ts';
import {
  axesOf,
  bringsBack,
  common,
  has,
  over,
  same,
  support,
  tensor,
  typeText,
  unite,
  volume,
  without,
  type Ax,
  type RouteType,
  type TensorType,
  type Value,
} from './types.ts';

const op = (name: string, feature: string, weight: number, make: Operation['make']): Operation => ({
  name,
  feature,
  weight,
  make,
});

const route = (
  sources: readonly Ax[],
  targets: readonly Ax[],
  payload: readonly Ax[] = [],
  element: RouteType['element'] = 'f32',
): RouteType => ({ kind: 'route', element, sources, targets, payload });

/** Scores with something to choose among. */
function scores(s: Scope): { readonly x: Value<TensorType>; readonly targets: readonly Ax[] } | null {
  const experts = s.axes.filter((a) => ['E', 'G', 'M', 'U', 'N', 'V', 'R'].includes(a.name));
  const wanted = s.random.chance(0.85) ? experts : s.axes;
  const x = s.real((axes) => common(axes, wanted).length > 0 && axes.length <= 4);
  if (x === null) return null;
  const axes = common(x.type.axes, wanted);
  const count = axes.length > 1 && s.random.chance(0.2) ? 2 : 1;
  return { x, targets: s.random.shuffled(axes).slice(0, count) };
}

function topK(s: Scope): Made | null {
  const chosen = scores(s);
  if (chosen === null) return null;
  const { x, targets } = chosen;
  const most = volume(targets);
  const dynamic = targets.some((a) => a.dynamic);
  const k = s.random.weighted([
    [4, Math.min(most, s.random.between(1, 3))],
    [1, most],
    [0.3, 0],
  ]);
  const sources = without(x.type.axes, targets);
  const arguments_ = [x.text];
  const candidatesOfK = s.tensors('i32').filter((v) => v.type.axes.every((a) => has(sources, a)));
  const kOfRun = s.random.chance(0.12) ? s.random.late(candidatesOfK) : null;
  let atMost = '';
  if (kOfRun !== null) {
    s.world.use('k of the run');
    arguments_.push(`${kOfRun.text} % ${most + 1}`);
    atMost = `, at_most: ${Math.max(1, Math.min(most, s.random.between(1, 3)))}`;
  } else arguments_.push(dynamic ? `min(${Math.max(1, k)}, ${targets.map((a) => a.name).join(' * ')})` : String(k));
  if (s.random.chance(0.9) || x.type.axes.length !== 1) arguments_.push(`over: ${over(targets)}`);
  if (s.random.chance(0.15)) {
    const by = s.random.late(
      s
        .tensors('f32')
        .filter(
          (v) =>
            v.type.axes.length > 0 &&
            v.type.axes.every((a) => has(x.type.axes, a)) &&
            targets.every((t) => has(v.type.axes, t)),
        ),
    );
    if (by !== null) {
      s.world.use('by:');
      arguments_.push(`by: ${by.text}`);
    }
  }
  if (s.random.chance(0.2)) {
    const where = s.condition(x.type.axes);
    if (where !== null) {
      s.world.use('where:');
      arguments_.push(`where: ${where.text}`);
    }
  }
  const call = `top_k(${arguments_.join(', ')}${atMost})`;
  const normal = s.random.chance(0.4);
  if (normal) s.world.use('normalize');
  const text = normal ? (s.random.chance(0.5) ? `normalize(${call})` : `${call} |> normalize(eps: 0.001)`) : call;
  return { text, type: route(sources, targets) };
}

/** A pick whose entries have weights: over the axes of the indices, or fewer. */
function weighedPick(s: Scope, list: string, axes: readonly Ax[], type: RouteType): Made {
  const within = (v: Value<TensorType>): boolean => v.type.axes.every((a) => has(axes, a));
  const whole = s.random.chance(0.15) ? s.random.late(s.tensors('i32').filter(within)) : null;
  const known = s.random.late(s.tensors('f32').filter((v) => within(v) && v.type.axes.length > 0));
  const weights = whole ?? known ?? s.weight(s.random.subset(axes, 0.8));
  s.world.use('weights of a pick');
  return {
    text: `pick(${list}, weights: ${weights.text})`,
    type: { ...type, element: whole === null ? 'f32' : 'i32' },
  };
}

const makers: readonly Operation[] = [
  op('top_k', 'routes', 6, topK),
  op('top_p', 'top_p', 1, (s) => {
    const chosen = scores(s);
    if (chosen === null) return null;
    const { x, targets } = chosen;
    const most = s.random.chance(0.5) ? '' : `, at_most: ${Math.max(1, Math.min(volume(targets), 3))}`;
    const p = s.random.pick(['0.4', '0.7', '0.95']);
    return {
      text: `top_p(softmax(${x.text}, over: ${over(targets)}), ${p}, over: ${over(targets)}${most})`,
      type: route(without(x.type.axes, targets), targets),
    };
  }),
  op('keep of a tensor', 'keep', 1, (s) => {
    const chosen = scores(s);
    if (chosen === null) return null;
    const { x, targets } = chosen;
    const c = s.condition(x.type.axes);
    if (c === null) return null;
    return {
      text: `keep(${x.text}, ${c.text}, over: ${over(targets)})`,
      type: route(without(x.type.axes, targets), targets),
    };
  }),
  op('all', 'keep', 0.5, (s) => {
    const chosen = scores(s);
    if (chosen === null) return null;
    const { x, targets } = chosen;
    return { text: `all(${x.text}, over: ${over(targets)})`, type: route(without(x.type.axes, targets), targets) };
  }),
  op('pick', 'pick', 4, (s) => {
    const ids = s.random.late(
      s.tensors('i32').filter((v) => v.type.points !== undefined && !has(v.type.axes, v.type.points)),
    );
    const target = ids?.type.points;
    if (ids === null || target === undefined) return null;
    const along = s.random.chance(0.6) ? s.random.some(ids.type.axes) : null;
    const sources = along === null ? ids.type.axes : without(ids.type.axes, [along]);
    if (!s.fits(ids.type.axes, [target])) return null;
    const list = `${ids.text}, over: ${target.name}${along === null ? '' : `, along: ${along.name}`}`;
    const type = { ...route(sources, [target]), ...(along === null ? {} : { consumed: [along] }) };
    if (s.random.chance(0.4)) return weighedPick(s, list, ids.type.axes, type);
    return { text: `pick(${list}) * ${s.random.pick(['1', '0.5', '0.25'])}`, type };
  }),
];

const changes: readonly Operation[] = [
  op('route * tensor', 'routes', 2, (s) => {
    const r = s.random.late(s.routes());
    const x = s.real((axes) => r !== null && common(axes, r.type.payload).length === 0);
    if (r === null || x === null || bringsBack(r.type, x.type.axes)) return null;
    const payload = unite(r.type.payload, without(x.type.axes, support(r.type)));
    if (!s.fits(support(r.type), payload)) return null;
    const text = s.random.chance(0.5) ? `${r.text} * ${x.text}` : `${x.text} * ${r.text}`;
    return { text, type: { ...r.type, payload } };
  }),
  op('route * route', 'routes', 1, (s) => {
    const [r, q] = [s.random.late(s.routes()), s.random.late(s.routes())];
    if (r === null || q === null || r.type.payload.length + q.type.payload.length > 0) return null;
    if (!same(support(r.type), support(q.type))) return null;
    // What is a target of either is one of both.
    const targets = unite(r.type.targets, q.type.targets);
    const consumed = unite(r.type.consumed ?? [], q.type.consumed ?? []);
    const type = { ...route(without(support(r.type), targets), targets), consumed };
    return { text: `${r.text} * ${q.text}`, type };
  }),
  op('route + route', 'routes', 3, (s) => {
    const r = s.random.late(s.routes().filter((v) => v.type.payload.length === 0));
    if (r === null) return null;
    const q = s.random.late(
      s.routes().filter((v) => v.type.payload.length === 0 && same(support(v.type), support(r.type))),
    );
    if (q === null || !same(q.type.targets, r.type.targets)) return null;
    return { text: `${r.text} ${s.random.pick(['+', '-'])} ${q.text}`, type: r.type };
  }),
  op('normalize', 'routes', 2, (s) => {
    const r = s.random.late(s.routes());
    if (r === null || r.type.targets.length === 0) return null;
    const elsewhere = s.random.chance(0.2) ? s.random.some(support(r.type)) : null;
    const name = elsewhere === null ? '' : `, over: ${elsewhere.name}`;
    return { text: `normalize(${r.text}${name}, eps: ${s.random.pick(['0.001', '0.5', '1e-20'])})`, type: r.type };
  }),
  op('keep of a route', 'keep', 4, (s) => {
    const r = s.random.late(s.routes());
    if (r === null) return null;
    const q = s.random.late(
      s.routes().filter((v) => v.type.payload.length === 0 && support(v.type).every((a) => has(support(r.type), a))),
    );
    const c = s.condition(support(r.type));
    const text = s.random.weighted([
      [2, c?.text ?? 'true'],
      [2, `rank(${r.text}) ${s.random.pick(['== 0', '> 0', '< 2', '!= 1'])}`],
      [1, q === null ? 'true' : q.text],
      [1, q === null ? 'true' : `not ${q.text}`],
    ]);
    return { text: `keep(${r.text}, ${text})`, type: r.type };
  }),
  op('limit', 'queues', 7, (s) => {
    const r = s.random.late(s.routes().filter((v) => v.type.sources.length > 0));
    if (r === null) return null;
    const queue = s.random.shuffled(r.type.sources).slice(0, s.random.chance(0.8) ? 1 : 2);
    const c = s.random.pick(['1', '2', '3', '0']);
    const priority = s.random.late(
      s.tensors('f32').filter((v) => v.type.axes.length > 0 && v.type.axes.every((a) => has(support(r.type), a))),
    );
    const bare = r.type.payload.length === 0;
    const by = s.random.weighted([
      [3, ''],
      [2, `, by: rank(${r.text})`],
      [2, bare ? `, by: -${r.text}` : ''],
      [1, bare ? `, by: ${r.text}` : ''],
      [1, priority === null ? '' : `, by: (rank(${r.text}), -${priority.text})`],
      [1, priority === null ? '' : `, by: ${priority.text}`],
    ]);
    s.world.use(by === '' ? 'queue in order' : 'queue by keys');
    return { text: `limit(${r.text}, to: ${c}, over: ${over(queue)}${by})`, type: r.type };
  }),
  op('slots', 'queues', 4, (s) => {
    const P = s.axis('P');
    if (P === undefined) return null;
    const r = s.random.late(
      s.routes().filter((v) => v.type.sources.length > 0 && v.type.payload.length === 0 && !has(support(v.type), P)),
    );
    if (r === null || !s.fits(support(r.type), [P])) return null;
    const queue = s.random.pick(r.type.sources);
    return { text: `slots(${r.text}, P, over: ${queue.name})`, type: { ...r.type, targets: [...r.type.targets, P] } };
  }),
  op('function of a route', 'routes', 2, (s) => {
    const r = s.random.late(s.routes());
    if (r === null) return null;
    const name = s.random.pick(['tanh', 'relu', 'abs', 'sigmoid', 'sign', 'mask', 'softmax']);
    s.world.use(name);
    if (name === 'softmax') return { text: `softmax(${r.text}, over: ${over(r.type.targets)})`, type: r.type };
    if (name === 'mask') return { text: `mask(${r.text}) * 1`, type: { ...r.type, payload: [] } };
    return { text: `${name}(${r.text})`, type: r.type };
  }),
  op('turned', 'expert choice', 2, (s) => {
    const r = s.random.late(s.routes().filter((v) => v.type.sources.length > 0));
    if (r === null) return null;
    const type: RouteType = { ...r.type, sources: r.type.targets, targets: r.type.sources };
    const name = s.world.fresh('w');
    s.lines.push(`let ${name}: ${typeText(type)} = ${r.text}`);
    return { text: `${name} * 1`, type };
  }),
  op('views of a route', 'views', 1, (s) => {
    const [E, G, M] = [s.axis('E'), s.axis('G'), s.axis('M')];
    const r = s.random.late(s.routes());
    if (r === null || E === undefined || G === undefined || M === undefined) return null;
    const { sources, targets, payload } = r.type;
    const cut = (axes: readonly Ax[]): Ax[] => axes.flatMap((a) => (a.name === 'E' ? [G, M] : [a]));
    if (has(axesOf(r.type), E) && !has(axesOf(r.type), G) && !has(axesOf(r.type), M)) {
      return {
        text: `split(${r.text}, E: (G, M))`,
        type: { ...r.type, sources: cut(sources), targets: cut(targets), payload: cut(payload) },
      };
    }
    const from = s.random.some(support(r.type).filter((a) => !a.name.endsWith("'")));
    if (from === null) return null;
    const to = s.world.twin(from);
    if (has(axesOf(r.type), to)) return null;
    const put = (axes: readonly Ax[]): Ax[] => axes.map((a) => (a.name === from.name ? to : a));
    return {
      text: `rename(${r.text}, ${from.name}: ${to.name})`,
      type: { ...r.type, sources: put(sources), targets: put(targets) },
    };
  }),
];

/** A route contracted with a tensor. */
function contracted(s: Scope): Made | null {
  const r = s.random.late(s.routes());
  if (r === null) return null;
  const y = s.real((axes) => common(axes, r.type.payload).length === 0 && common(axes, support(r.type)).length > 0);
  if (y === null) return null;
  const { targets } = r.type;
  const whole = targets.every((a) => has(y.type.axes, a));
  const both = common(support(r.type), y.type.axes);
  const all = unite(axesOf(r.type), y.type.axes);
  if (volume(all) > 8 * s.room) return null;
  if (whole && targets.length > 0 && s.random.chance(0.7)) {
    const axes = without(all, targets);
    if (!s.fits(axes)) return null;
    return {
      text: s.random.chance(0.85) ? `${r.text} @ ${y.text}` : `${y.text} @ ${r.text}`,
      type: tensor('f32', axes),
    };
  }
  const some = s.random.shuffled(both).slice(0, s.random.between(1, 2));
  const axes = without(all, some);
  const rest = without(support(r.type), some);
  // What is left of the support would make the result a route: only whole ones are written here.
  if (rest.length > 0 && common(rest, targets).length > 0 && s.random.chance(0.5)) return null;
  if (!s.fits(axes)) return null;
  return { text: `dot(${r.text}, ${y.text}, over: ${over(some)})`, type: tensor('f32', axes) };
}

const readers: readonly Operation[] = [
  op('route @ tensor', 'routes', 6, contracted),
  op('reduce a route', 'routes', 2, (s) => {
    const r = s.random.late(s.routes());
    if (r === null) return null;
    const name = s.random.weighted([
      [4, 'sum'],
      [1, 'max'],
      [1, 'min'],
      [1, 'logsumexp'],
    ]);
    return {
      text: `${name}(${r.text}, over: ${over(r.type.targets)})`,
      type: tensor('f32', without(axesOf(r.type), r.type.targets)),
    };
  }),
  op('load, count', 'routes', 2, (s) => {
    const r = s.random.late(s.routes());
    if (r === null) return null;
    const some = s.random.shuffled(support(r.type)).slice(0, s.random.between(1, 2));
    const name = s.random.pick(['load', 'count']);
    s.world.use(name);
    return { text: `${name}(${r.text}, over: ${over(some)})`, type: tensor('f32', without(support(r.type), some)) };
  }),
  op('dense', 'routes', 2, (s) => {
    const r = s.random.late(s.routes());
    if (r === null) return null;
    return s.random.chance(0.7)
      ? { text: `dense(${r.text})`, type: tensor('f32', axesOf(r.type)) }
      : { text: `dense(rank(${r.text}))`, type: tensor('i32', support(r.type)) };
  }),
  op('where of a route', 'conditions', 1, (s) => {
    const r = s.random.late(s.routes());
    const [a, b] = [s.real(), s.real()];
    if (r === null || a === null || b === null || !s.fits(support(r.type), a.type.axes, b.type.axes)) return null;
    return {
      text: `where(${r.text}, ${a.text}, ${b.text})`,
      type: tensor('f32', unite(support(r.type), a.type.axes, b.type.axes)),
    };
  }),
];

export const routeOperations: readonly Operation[] = [...makers, ...changes, ...readers];
