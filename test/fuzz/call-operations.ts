/** Calls: of functions, families, routers, unions, lifted by a route; sliced and windowed families; chains. */
import { writeBody } from './body.ts';
import type { Made, Operation } from './operations.ts';
import { Scope, type Callable } from './scope.ts';
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
  type Type,
  type Value,
} from './types.ts';

const op = (name: string, feature: string, weight: number, make: Operation['make']): Operation => ({
  name,
  feature,
  weight,
  make,
});

interface Target {
  /** As it is written before the parenthesis. */
  readonly text: string;
  readonly family: readonly Ax[];
  readonly callable: Callable;
}

/** A family as it is, or some of it: a point, or a window, of each of its axes. */
function sliced(s: Scope, callable: Callable): Target {
  const indices: string[] = [];
  let family: readonly Ax[] = callable.family;
  for (const axis of callable.family) {
    if (callable.once || axis.size === 0) continue;
    const own = s.index?.axis.name === axis.name ? s.index.name : null;
    if (own !== null) {
      // In a chain: its own layer, mostly; else another one, or a window that holds it.
      const before = `if ${own} == 0 { 0 } else { ${own} - 1 }`;
      const [text, kind] = s.random.weighted<readonly [string, string]>([
        [5, [own, 'own layer']],
        [1, [`L: ${s.random.chance(0.5) ? '0' : 'L - 1'}`, 'fixed layer']],
        [1, [`L: (${before})`, 'layer before']],
      ]);
      s.world.use(kind);
      indices.push(text);
      family = without(family, [axis]);
    } else if (s.random.chance(0.15)) {
      s.world.use('member');
      indices.push(`${axis.name}: ${s.random.below(axis.size)}`);
      family = without(family, [axis]);
    } else {
      const W = s.axis('W');
      if (
        W !== undefined &&
        !has(family, W) &&
        axis.size >= W.size &&
        s.random.chance(0.12) &&
        s.world.features.has('windows')
      ) {
        const from = s.random.below(axis.size - W.size + 1);
        s.world.use('window');
        indices.push(`${axis.name}: ${from} .. ${from + W.size} as W`);
        family = family.map((a) => (a.name === axis.name ? W : a));
      }
    }
  }
  return { text: indices.length === 0 ? callable.name : `${callable.name}[${indices.join(', ')}]`, family, callable };
}

/** An argument for a formal: a value with all of its axes, that carries nothing the body speaks of. */
function argument(s: Scope, formal: Type, callable: Callable): Value | null {
  const fits = (v: Value): boolean => {
    if (formal.kind === 'route') {
      return (
        v.type.kind === 'route' &&
        v.type.payload.length === 0 &&
        same(v.type.sources, formal.sources) &&
        same(v.type.targets, formal.targets)
      );
    }
    if (v.type.kind !== 'tensor') return false;
    const real = (e: string): boolean => e === 'f32' || e === 'f16';
    if (v.type.element !== formal.element && !(real(v.type.element) && real(formal.element))) return false;
    if (formal.points !== undefined && v.type.points?.name !== formal.points.name) return false;
    if (!formal.axes.every((a) => has(v.type.kind === 'tensor' ? v.type.axes : [], a))) return false;
    const carried = without(v.type.axes, formal.axes);
    if (callable.whole || callable.once) return carried.length === 0;
    return carried.every((a) => !callable.mentions.has(a.name));
  };
  return s.random.late(s.pool.filter(fits));
}

function called(s: Scope, callable: Callable): Made | null {
  if (callable.once && s.spent.has(callable.name)) return null;
  const target = sliced(s, callable);
  const values: Value[] = [];
  let carried: Ax[] = [];
  for (const formal of callable.formals) {
    const value = argument(s, formal, callable);
    if (value === null) return null;
    values.push(value);
    carried = unite(carried, without(axesOf(value.type), axesOf(formal)));
  }
  carried = without(carried, target.family);
  if (target.family.some((a) => callable.mentions.has(a.name) && !has(callable.family, a))) return null;
  const all = unite(target.family, carried, axesOf(callable.result));
  if (!s.fits(all) || volume(unite(all, ...values.map((v) => axesOf(v.type)))) * 8 > 20 * s.room) return null;
  if (callable.once) s.spent.add(callable.name);
  s.world.use(`call ${callable.role}`);
  const text = `${target.text}(${values.map((v) => v.text).join(', ')})`;
  const { result } = callable;
  if (result.kind === 'tensor') return { text, type: { ...result, axes: all } };
  return { text, type: { ...result, sources: unite(target.family, carried, result.sources) } };
}

/** A route over certain targets: one there is, or one made of a param and a value. */
export function routeOver(s: Scope, targets: readonly Ax[]): Value<RouteType> | null {
  if (targets.length === 0) return null;
  const fits = s
    .routes()
    .filter((v) => v.type.targets.length > 0 && same(v.type.targets, targets) && v.type.payload.length === 0);
  const known = s.random.late(fits);
  if (known !== null && s.random.chance(0.75)) return known;
  const router = s.random.some(
    s.callables.filter((c) => c.role === 'router' && c.result.kind === 'route' && same(c.result.targets, targets)),
  );
  if (router !== null && s.random.chance(0.6)) {
    const made = called(s, router);
    if (made !== null && made.type.kind === 'route') return s.bind(made.text, made.type);
  }
  const x = s.real((axes) => axes.some((a) => !a.dynamic) && axes.length <= 3 && common(axes, targets).length === 0);
  const inner = x === null ? null : s.random.some(x.type.axes.filter((a) => !a.dynamic));
  if (x === null || inner === null || targets.some((a) => a.dynamic)) return known;
  const sources = without(x.type.axes, [inner]);
  if (!s.fits(sources, targets)) return known;
  const w = s.weight([...targets, inner]);
  const k = Math.min(volume(targets), s.random.between(1, 3));
  const scores = s.random.chance(0.6)
    ? `softmax(${w.text} @ ${x.text}, over: ${over(targets)})`
    : `${w.text} @ ${x.text}`;
  const call = `top_k(${scores}, ${k}, over: ${over(targets)})`;
  s.world.use('top_k');
  const type: RouteType = { kind: 'route', element: 'f32', sources, targets, payload: [] };
  return s.bind(s.random.chance(0.4) ? `normalize(${call})` : call, type);
}

/** `r @ ffn(x)`, `mask(r) @ ffn(r * x)`, `sum(ffn(r * x), over: E)`: what this language is about. */
export function routed(s: Scope): Made | null {
  const families = s.callables.filter(
    (c) => c.role === 'experts' && c.family.length > 0 && !c.once && c.formals.length === 1,
  );
  const callable = s.random.some(families);
  const formal = callable?.formals[0];
  if (callable === null || formal === undefined || formal.kind !== 'tensor' || callable.result.kind !== 'tensor')
    return null;
  const own = s.index?.axis.name;
  const chosen = callable.family.filter(
    (a) => a.name !== own && !(callable.family.length > 1 && a.name === 'L' && s.random.chance(0.8)),
  );
  const r = routeOver(s, chosen);
  if (r === null) return null;
  const target = sliced(s, { ...callable, family: callable.family.filter((a) => !has(r.type.targets, a)) });
  const family = unite(target.family, r.type.targets);
  const x = argument(s, formal, callable);
  if (x === null || x.type.kind !== 'tensor' || bringsBack(r.type, x.type.axes)) return null;
  const outside = unite(r.type.sources, x.type.axes);
  if (without(support(r.type), r.type.targets).some((a) => callable.mentions.has(a.name))) return null;
  const all = unite(family, without(outside, formal.axes), callable.result.axes);
  if (volume(all) > 6 * s.room || all.length > 6) return null;
  const axes = without(unite(all, r.type.sources), r.type.targets);
  if (!s.fits(axes)) return null;
  const call = (argumentText: string): string => `${target.text}(${argumentText})`;
  const [text, kind] = s.random.weighted<readonly [string, string]>([
    [5, [`${r.text} @ ${call(x.text)}`, 'routed experts']],
    [2, [`mask(${r.text}) @ ${call(`${r.text} * ${x.text}`)}`, 'scaled input']],
    [1, [`sum(${call(`${r.text} * ${x.text}`)}, over: ${over(r.type.targets)})`, 'lifted sum']],
    [1, [`dot(${r.text}, ${call(x.text)}, over: ${over(r.type.targets)})`, 'dot of experts']],
  ]);
  s.world.use(kind);
  return { text, type: tensor('f32', axes) };
}

function lifted(s: Scope): Made | null {
  const callable = s.random.some(
    s.callables.filter(
      (c) => c.role !== 'router' && !c.once && !c.whole && c.formals.length === 1 && c.result.kind === 'tensor',
    ),
  );
  const formal = callable?.formals[0];
  if (callable === null || formal === undefined || formal.kind !== 'tensor' || callable.result.kind !== 'tensor')
    return null;
  const r = s.random.late(s.routes().filter((v) => v.type.payload.length === 0));
  if (r === null || common(formal.axes, support(r.type)).length > 0) return null;
  const x = s.real(
    (axes) =>
      formal.axes.every((a) => has(axes, a)) && without(axes, formal.axes).every((a) => has(support(r.type), a)),
  );
  if (x === null || bringsBack(r.type, x.type.axes) || support(r.type).some((a) => callable.mentions.has(a.name)))
    return null;
  const family = without(callable.family, support(r.type));
  if (family.length > 0) return null;
  if (!s.fits(support(r.type), callable.result.axes) || common(support(r.type), callable.result.axes).length > 0)
    return null;
  return { text: `${callable.name}(${r.text} * ${x.text})`, type: { ...r.type, payload: callable.result.axes } };
}

/** A chain over L: its body is a body like any other, its value the carried value plus something. */
function chain(s: Scope): Made | null {
  const L = s.axis('L');
  if (L === undefined || s.depth > 0 || s.index !== undefined) return null;
  const start = s.real((axes) => axes.length > 0 && !has(axes, L) && axes.every((a) => !a.name.endsWith("'")));
  if (start === null) return null;
  const { axes } = start.type;
  const carried = s.world.fresh('h');
  const memory = s.random.chance(0.3) ? s.world.fresh('m') : null;
  const collected = s.random.chance(0.4) ? s.world.fresh('c') : null;
  const index = s.world.fresh('l');
  const values = [
    ...s.pool.filter((v) => !has(axesOf(v.type), L) || s.random.chance(0.5)),
    { text: carried, type: tensor('f32', axes) },
  ];
  const memoryType: TensorType = tensor('f32', common(axes, axes.slice(0, 2)));
  if (memory !== null) values.push({ text: memory, type: memoryType });
  const inner = new Scope(s.world, {
    axes: s.axes,
    values,
    callables: s.callables.filter((c) => !c.once),
    room: s.room,
    params: false,
    index: { name: index, axis: L },
    depth: s.depth + 1,
  });
  writeBody(inner, s.random.between(2, 5), () => routed(inner) ?? null);
  const step = inner.brought(inner.random.late(inner.pool.filter((v) => v.text !== carried)) ?? start, axes);
  const results = [`${carried} + tanh(${step.text})`];
  if (memory !== null) {
    const next = inner.brought(inner.random.late(inner.pool) ?? start, memoryType.axes);
    results.push(`0.5 * ${memory} + sin(${next.text})`);
    s.world.use('chain with memory');
  }
  if (collected !== null) {
    inner.lines.push(`let ${collected}: ${typeText(tensor('f32', axes))} = ${step.text}`);
    s.world.use('collecting');
  }
  const carries = [`${carried} = ${start.text}`];
  if (memory !== null) carries.push(`${memory}: ${typeText(memoryType)} = ${s.random.pick(['0', '1', '0.5'])}`);
  const head = `chain ${index} in L carrying ${carries.length === 1 ? carries.join() : `(${carries.join(', ')})`}`;
  const body = [...inner.lines, results.length === 1 ? results.join() : `(${results.join(', ')})`].join('\n');
  const text = `${head}${collected === null ? '' : ` collecting ${collected}`} {\n${body}\n}`;
  const type = tensor('f32', axes);
  if (memory === null && collected === null) return { text, type };
  const out = [
    s.world.fresh('v'),
    ...(memory === null ? [] : [s.world.fresh('v')]),
    ...(collected === null ? [] : [s.world.fresh('v')]),
  ];
  s.lines.push(`let (${out.join(', ')}) = ${text}`);
  const types: Type[] = [
    type,
    ...(memory === null ? [] : [memoryType]),
    ...(collected === null ? [] : [tensor('f32', [L, ...axes])]),
  ];
  out.forEach((name, i) => s.pool.push({ text: name, type: types[i] ?? type }));
  return { text: `${out[0] ?? ''} * 1`, type };
}

export const callOperations: readonly Operation[] = [
  op('call', 'calls', 5, (s) => {
    const callable = s.random.some(s.callables);
    return callable === null ? null : called(s, callable);
  }),
  op('routed', 'calls', 7, routed),
  op('lifted', 'lifted', 5, lifted),
  op('chain', 'chains', 3, chain),
  op('part of a union', 'unions', 3, (s) => {
    const union = s.random.some(
      s.callables.flatMap((c) => (c.union === undefined ? [] : [{ ...c.union, name: c.name }])),
    );
    if (union === null) return null;
    const { axis } = union;
    const parts = union.parts.filter((p) => union.parts.filter((q) => q.name === p.name).length === 1);
    const part = s.random.some(parts);
    const known = s.real((axes) => has(axes, axis));
    if (part === null || (known === null && !s.params)) return null;
    const x = known ?? s.weight(s.random.shuffled([axis, ...s.random.subset([s.world.axis('D')])]));
    if (s.random.chance(0.3)) {
      s.world.use('is');
      return { text: `where(is(${axis.name}: ${part.name}), ${x.text}, 0)`, type: tensor('f32', x.type.axes) };
    }
    const own = without(part.family, x.type.axes);
    if (common(part.family, x.type.axes).length > 0) return null;
    return {
      text: `${x.text}[${axis.name}: ${part.name}]`,
      type: tensor('f32', [...without(x.type.axes, [axis]), ...own]),
    };
  }),
];
