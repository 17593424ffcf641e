/** Operations of tensors: elementwise, over axes, views, whole numbers and truth values, draws. */
import type { Made, Operation } from './operations.ts';
import type { Scope } from './scope.ts';
import {
  common,
  has,
  over,
  tensor,
  typeText,
  unite,
  volume,
  without,
  type Ax,
  type Value,
  type TensorType,
} from './types.ts';

const f32 = (text: string, axes: readonly Ax[]): Made => ({ text, type: tensor('f32', axes) });

const op = (name: string, feature: string, weight: number, make: Operation['make']): Operation => ({
  name,
  feature,
  weight,
  make,
});

/** An axis of a value along which something is there in every run. */
const filled = (s: Scope, axes: readonly Ax[]): Ax | null => s.random.some(axes.filter((a) => a.size > 0));

function twoReals(s: Scope): readonly [Value<TensorType>, Value<TensorType>, readonly Ax[]] | null {
  const a = s.real();
  const b = s.real();
  if (a === null || b === null) return null;
  const axes = unite(a.type.axes, b.type.axes);
  return s.fits(axes) ? [a, b, axes] : null;
}

const unaries = [
  'tanh', 'sigmoid', 'silu', 'gelu', 'gelu_tanh', 'relu', 'softplus', 'erf', 'abs', 'sign', 'floor', 'ceil', 'sin', 'cos',
] as const; // prettier-ignore

/** Of functions that leave the usual range, the argument is kept within it, most of the time. */
const delicate: readonly (readonly [name: string, tame: (x: string) => string])[] = [
  ['exp', (x) => `exp(-abs(${x}))`],
  ['log', (x) => `log(1 + abs(${x}))`],
  ['sqrt', (x) => `sqrt(abs(${x}))`],
  ['rsqrt', (x) => `rsqrt(0.5 + abs(${x}))`],
];

const elementwise: readonly Operation[] = [
  op('+', 'arithmetic', 3, (s) => {
    const two = twoReals(s);
    return two === null ? null : f32(`${two[0].text} + ${two[1].text}`, two[2]);
  }),
  op('-', 'arithmetic', 1, (s) => {
    const two = twoReals(s);
    return two === null ? null : f32(`${two[0].text} - ${two[1].text}`, two[2]);
  }),
  op('*', 'arithmetic', 3, (s) => {
    const two = twoReals(s);
    return two === null ? null : f32(`${two[0].text} * ${two[1].text}`, two[2]);
  }),
  op('/', 'arithmetic', 1, (s) => {
    const two = twoReals(s);
    if (two === null) return null;
    const [a, b, axes] = two;
    return f32(s.random.chance(0.9) ? `${a.text} / (0.5 + abs(${b.text}))` : `${a.text} / ${b.text}`, axes);
  }),
  op('%', 'modulo', 1, (s) => {
    const two = twoReals(s);
    if (two === null) return null;
    const [a, b, axes] = two;
    if (s.random.chance(0.6)) return f32(`${a.text} % ${s.random.pick(['2', '0.75', '-1.5', '1'])}`, a.type.axes);
    return f32(`${a.text} % (0.5 + abs(${b.text}))`, axes);
  }),
  op('**', 'powers', 1, (s) => {
    const two = twoReals(s);
    if (two === null) return null;
    const [a, b, axes] = two;
    return s.random.weighted([
      [3, f32(`${a.text} ** ${s.random.pick(['2', '3', '4', '1', '0'])}`, a.type.axes)],
      [1, f32(`abs(${a.text}) ** 0.5`, a.type.axes)],
      [1, f32(`(0.5 + abs(${a.text})) ** clamp(${b.text}, -2, 2)`, axes)],
      [1, f32(`(1 + abs(${a.text})) ** -2`, a.type.axes)],
    ]);
  }),
  op('min, max', 'arithmetic', 1, (s) => {
    const two = twoReals(s);
    if (two === null) return null;
    const name = s.random.pick(['min', 'max']);
    if (s.random.chance(0.4))
      return f32(`${name}(${two[0].text}, ${s.random.pick(['0', '0.5', '-1'])})`, two[0].type.axes);
    return f32(`${name}(${two[0].text}, ${two[1].text})`, two[2]);
  }),
  op('clamp', 'arithmetic', 1, (s) => {
    const x = s.real();
    return x === null ? null : f32(`clamp(${x.text}, ${s.random.pick(['-1', '-0.5', '0'])}, 0.75)`, x.type.axes);
  }),
  op('unary', 'functions', 4, (s) => {
    const x = s.real();
    return x === null ? null : f32(`${s.random.pick(unaries)}(${x.text})`, x.type.axes);
  }),
  op('delicate', 'functions', 2, (s) => {
    const x = s.real();
    if (x === null) return null;
    const [name, tame] = s.random.pick(delicate);
    return f32(s.random.chance(0.92) ? tame(x.text) : `${name}(${x.text})`, x.type.axes);
  }),
  op('where', 'conditions', 2, (s) => {
    const two = twoReals(s);
    if (two === null) return null;
    const c = s.condition(s.random.chance(0.8) ? two[2] : s.axes);
    if (c === null || !s.fits(two[2], c.type.axes)) return null;
    const [a, b] = two;
    if (s.random.chance(0.2))
      return f32(`where(${c.text}, ${a.text}, ${s.random.pick(['0', '-inf', '1'])})`, unite(a.type.axes, c.type.axes));
    return f32(`where(${c.text}, ${a.text}, ${b.text})`, unite(two[2], c.type.axes));
  }),
];

/** The axis of a contraction with a param, and the axes the param brings. */
function linear(s: Scope): Made | null {
  const x = s.real((axes) => axes.some((a) => !a.dynamic));
  if (x === null) return null;
  const inner = s.random.some(x.type.axes.filter((a) => !a.dynamic));
  if (inner === null) return null;
  const outer = s.random.some(s.axes.filter((a) => !a.dynamic && !has(x.type.axes, a)));
  if (outer === null) return null;
  const rest = without(x.type.axes, [inner]);
  const shared = s.random.chance(0.15) ? rest.filter((a) => !a.dynamic).slice(0, 1) : [];
  if (!s.fits([outer], rest) || volume(unite(x.type.axes, [outer])) > 8 * s.room) return null;
  const w = s.weight(
    s.random.shuffled([outer, inner, ...shared]),
    s.world.features.has('f16') && s.random.chance(0.2) ? 'f16' : 'f32',
  );
  const axes = [outer, ...rest];
  if (shared.length > 0) return f32(`dot(${w.text}, ${x.text}, over: ${inner.name})`, axes);
  return f32(s.random.chance(0.5) ? `${w.text} @ ${x.text}` : `${x.text} @ ${w.text}`, axes);
}

const sums: readonly Operation[] = [
  op('linear', 'contraction', 6, linear),
  op('@', 'contraction', 3, (s) => {
    const two = twoReals(s);
    if (two === null) return null;
    const [a, b] = two;
    const both = common(a.type.axes, b.type.axes);
    const axes = unite(a.type.axes, b.type.axes);
    if (both.length === 0 || volume(axes) > 8 * s.room) return null;
    if (both.length === 1) return f32(`${a.text} @ ${b.text}`, without(axes, both));
    const some = s.random.shuffled(both).slice(0, s.random.between(1, 2));
    s.world.use('dot');
    return f32(`dot(${a.text}, ${b.text}, over: ${over(some)})`, without(axes, some));
  }),
  op('reduce', 'reductions', 4, (s) => {
    const x = s.real((axes) => axes.length > 0);
    if (x === null) return null;
    const some = s.random.shuffled(x.type.axes).slice(0, s.random.chance(0.75) ? 1 : 2);
    const full = some.every((a) => a.size > 0);
    const name = s.random.pick(
      full ? ['sum', 'mean', 'max', 'min', 'var', 'std', 'logsumexp'] : ['sum', 'mean', 'var', 'logsumexp'],
    );
    s.world.use(name);
    return f32(`${name}(${x.text}, over: ${over(some)})`, without(x.type.axes, some));
  }),
  op('softmax', 'along', 2, (s) => {
    const x = s.real((axes) => axes.length > 0);
    if (x === null) return null;
    const some = s.random.shuffled(x.type.axes).slice(0, s.random.chance(0.8) ? 1 : 2);
    const masked = s.random.chance(0.25) ? s.condition(x.type.axes) : null;
    const text = masked === null ? x.text : `where(${masked.text}, ${x.text}, -inf)`;
    return f32(`softmax(${text}, over: ${over(some)})`, x.type.axes);
  }),
  op('cumsum', 'along', 1, (s) => {
    const x = s.real((axes) => axes.length > 0);
    return x === null ? null : f32(`cumsum(${x.text}, over: ${s.random.pick(x.type.axes).name})`, x.type.axes);
  }),
  op('norm', 'along', 2, (s) => {
    const x = s.real((axes) => axes.length > 0);
    if (x === null) return null;
    const axis = s.random.pick(x.type.axes);
    const name = s.random.pick(['l2norm', 'rmsnorm', 'layernorm']);
    s.world.use(name);
    return f32(`${name}(${x.text}, over: ${axis.name}, eps: ${s.random.pick(['0.01', '1e-6', '0.1'])})`, x.type.axes);
  }),
  op('argsort', 'sorting', 1, (s) => {
    const x = s.real((axes) => axes.length > 0);
    if (x === null) return null;
    const axis = s.random.pick(x.type.axes);
    return { text: `argsort(${x.text}, over: ${axis.name})`, type: tensor('i32', x.type.axes, axis) };
  }),
  op('argmax', 'sorting', 1, (s) => {
    const x = s.real((axes) => axes.some((a) => a.size > 0));
    const axis = x === null ? null : filled(s, x.type.axes);
    if (x === null || axis === null) return null;
    return { text: `argmax(${x.text}, over: ${axis.name})`, type: tensor('i32', without(x.type.axes, [axis]), axis) };
  }),
];

const views: readonly Operation[] = [
  op('rename', 'views', 2, (s) => {
    const x = s.real((axes) => axes.length > 0);
    if (x === null) return null;
    const from = s.random.pick(x.type.axes);
    const to = from.name.endsWith("'") ? (s.axis(from.name.slice(0, -1)) ?? null) : s.world.twin(from);
    if (to === null || has(x.type.axes, to)) return null;
    return f32(
      `rename(${x.text}, ${from.name}: ${to.name})`,
      x.type.axes.map((a) => (a.name === from.name ? to : a)),
    );
  }),
  op('split', 'views', 1, (s) => {
    const [E, G, M] = [s.axis('E'), s.axis('G'), s.axis('M')];
    if (E === undefined || G === undefined || M === undefined) return null;
    const x = s.real((axes) => has(axes, E) && !has(axes, G) && !has(axes, M));
    if (x === null) return null;
    return f32(
      `split(${x.text}, E: (G, M))`,
      x.type.axes.flatMap((a) => (a.name === 'E' ? [G, M] : [a])),
    );
  }),
  op('merge', 'views', 2, (s) => {
    const [E, G, M] = [s.axis('E'), s.axis('G'), s.axis('M')];
    if (E === undefined || G === undefined || M === undefined) return null;
    const x = s.real((axes) => has(axes, G) && has(axes, M) && !has(axes, E));
    if (x === null) return null;
    return f32(`merge(${x.text}, (G, M): E)`, [E, ...without(x.type.axes, [G, M])]);
  }),
  op('concat', 'views', 1, (s) => {
    const [D, Q, I] = [s.axis('D'), s.axis('Q'), s.axis('I')];
    if (D === undefined || Q === undefined || I === undefined) return null;
    const x = s.real((axes) => has(axes, D) && !has(axes, I) && !has(axes, Q));
    if (x === null) return null;
    const y = s.real((axes) => has(axes, Q) && !has(axes, I) && !has(axes, D)) ?? s.weight([Q]);
    const axes = unite([I], without(x.type.axes, [D]), without(y.type.axes, [Q]));
    if (!s.fits(axes)) return null;
    return s.random.chance(0.5)
      ? f32(`concat(${x.text}, ${y.text}, (D, Q): I)`, axes)
      : f32(`concat(${y.text}, ${x.text}, (Q, D): I)`, axes);
  }),
  op('index', 'views', 2, (s) => {
    const x = s.real((axes) => axes.some((a) => a.size > 0));
    const axis =
      x === null
        ? null
        : filled(
            s,
            x.type.axes.filter((a) => !a.name.endsWith("'")),
          );
    if (x === null || axis === null) return null;
    const at = s.random.pick(['0', `${axis.name} - 1`, ...(axis.dynamic ? [] : [String(s.random.below(axis.size))])]);
    const index = s.index !== undefined && s.index.axis.name === axis.name ? s.index.name : at;
    return f32(`${x.text}[${axis.name}: ${index}]`, without(x.type.axes, [axis]));
  }),
  op('range', 'views', 1, (s) => {
    const S = s.axis('S');
    if (S === undefined) return null;
    const x = s.real((axes) => !has(axes, S) && axes.some((a) => a.size >= S.size));
    const axis =
      x === null ? null : s.random.some(x.type.axes.filter((a) => a.size >= S.size && !a.name.endsWith("'")));
    if (x === null || axis === null) return null;
    const from = axis.dynamic ? 0 : s.random.below(axis.size - S.size + 1);
    return f32(
      `${x.text}[${axis.name}: ${from} .. ${from + S.size} as S]`,
      x.type.axes.map((a) => (a.name === axis.name ? S : a)),
    );
  }),
  op('gather', 'lookups', 3, (s) => {
    const ids = s.random.late(s.tensors('i32').filter((v) => v.type.points !== undefined));
    const axis = ids?.type.points;
    if (ids === null || axis === undefined) return null;
    const table = s.real((axes) => has(axes, axis)) ?? null;
    const axes = table === null ? [] : unite(ids.type.axes, without(table.type.axes, [axis]));
    if (table === null || !s.fits(axes)) return null;
    return f32(`${table.text}[${axis.name}: ${ids.text}]`, axes);
  }),
  op('table', 'lookups', 3, (s) => {
    const V = s.random.some(s.axes.filter((a) => !a.dynamic));
    const D = s.random.some(s.axes.filter((a) => !a.dynamic && a.name !== V?.name));
    const ids = V === null ? null : s.points(V);
    if (V === null || D === null || ids === null || has(ids.type.axes, D)) return null;
    if (!s.fits(ids.type.axes, [D])) return null;
    const table = s.weight(s.random.shuffled([V, D]));
    return f32(`${table.text}[${V.name}: ${ids.text}]`, unite(ids.type.axes, [D]));
  }),
  op('one_hot', 'lookups', 2, (s) => {
    const ids = s.random.late(s.tensors('i32').filter((v) => v.type.points !== undefined));
    const axis = ids?.type.points;
    if (ids === null || axis === undefined || has(ids.type.axes, axis) || !s.fits(ids.type.axes, [axis])) return null;
    return f32(`one_hot(${ids.text}, over: ${axis.name}) * 0.5`, [...ids.type.axes, axis]);
  }),
];

const made: readonly Operation[] = [
  op('iota', 'made', 1, (s) => {
    const axis = s.random.some(s.axes);
    if (axis === null) return null;
    return s.random.chance(0.6)
      ? f32(`iota(${axis.name}) / max(${axis.name}, 1)`, [axis])
      : { text: `i32(iota(${axis.name}))`, type: tensor('i32', [axis], axis) };
  }),
  op('zeros, ones', 'made', 1, (s) => {
    const axes = s.random.shuffled(s.axes).slice(0, s.random.between(1, 2));
    if (axes.length === 0 || !s.fits(axes)) return null;
    return f32(`0.25 * ${s.random.pick(['zeros', 'ones'])}[${axes.map((a) => a.name).join(', ')}]`, axes);
  }),
  op('draw', 'draws', 1, (s) => {
    const axes = s.random.shuffled(s.axes).slice(0, s.random.between(1, 2));
    if (axes.length === 0 || !s.fits(axes)) return null;
    const name = s.random.pick(['uniform', 'normal', 'gumbel']);
    s.world.use(name);
    return f32(`0.5 * ${name}[${axes.map((a) => a.name).join(', ')}]`, axes);
  }),
  op('f16', 'f16', 2, (s) => {
    const x = s.real();
    return x === null ? null : { text: `f16(${x.text})`, type: tensor('f16', x.type.axes) };
  }),
  op('i32', 'integers', 1, (s) => {
    const x = s.real();
    const name = s.random.pick(['floor', 'ceil']);
    return x === null ? null : { text: `i32(${name}(2 * ${x.text}))`, type: tensor('i32', x.type.axes) };
  }),
  op('integers', 'integers', 2, (s) => {
    const a = s.random.late(s.tensors('i32'));
    const b = s.random.late(s.tensors('i32'));
    if (a === null || b === null) return null;
    const axes = unite(a.type.axes, b.type.axes);
    if (!s.fits(axes)) return null;
    const sign = s.random.pick(['+', '-', '*', '/', '%']);
    return s.random.weighted([
      [3, { text: `${a.text} ${sign} ${b.text}`, type: tensor('i32', axes) }],
      [2, { text: `${a.text} ${sign} ${s.random.pick(['2', '3', '-2', '7'])}`, type: tensor('i32', a.type.axes) }],
      [1, { text: `${s.random.pick(['min', 'max'])}(${a.text}, ${b.text})`, type: tensor('i32', axes) }],
    ]);
  }),
  op('points', 'integers', 1, (s) => {
    const a = s.random.late(s.tensors('i32'));
    const axis = s.random.some(s.axes.filter((x) => x.size > 0));
    if (a === null || axis === null) return null;
    return { text: `${a.text} % ${axis.name}`, type: tensor('i32', a.type.axes, axis) };
  }),
  op('integer sum', 'integers', 1, (s) => {
    const a = s.random.late(s.tensors('i32').filter((v) => v.type.axes.length > 0));
    if (a === null) return null;
    const axis = filled(s, a.type.axes);
    if (axis === null) return null;
    const name = s.random.pick(['sum', 'max', 'min']);
    return { text: `${name}(${a.text}, over: ${axis.name})`, type: tensor('i32', without(a.type.axes, [axis])) };
  }),
  op('f32 of', 'integers', 1, (s) => {
    const a = s.random.late(s.tensors('i32', 'bool'));
    return a === null ? null : f32(`f32(${a.text})`, a.type.axes);
  }),
  op('compare', 'conditions', 2, (s) => {
    const two = twoReals(s);
    if (two === null) return null;
    const sign = s.random.pick(['<', '<=', '>', '>=', '==', '!=']);
    return { text: `${two[0].text} ${sign} ${two[1].text}`, type: tensor('bool', two[2]) };
  }),
  op('compare integers', 'conditions', 1, (s) => {
    const a = s.random.late(s.tensors('i32'));
    const b = s.random.late(s.tensors('i32'));
    if (a === null || b === null || !s.fits(a.type.axes, b.type.axes)) return null;
    const sign = s.random.pick(['<', '<=', '>', '>=', '==', '!=']);
    return { text: `${a.text} ${sign} ${b.text}`, type: tensor('bool', unite(a.type.axes, b.type.axes)) };
  }),
  op('and, or, not', 'conditions', 1, (s) => {
    const a = s.random.late(s.tensors('bool'));
    const b = s.random.late(s.tensors('bool'));
    if (a === null || b === null || !s.fits(a.type.axes, b.type.axes)) return null;
    const axes = unite(a.type.axes, b.type.axes);
    return s.random.weighted([
      [2, { text: `${a.text} and ${b.text}`, type: tensor('bool', axes) }],
      [2, { text: `${a.text} or ${b.text}`, type: tensor('bool', axes) }],
      [1, { text: `not ${a.text}`, type: tensor('bool', a.type.axes) }],
    ]);
  }),
  op('repeat', 'views', 1, (s) => {
    // A written type fills in what is missing.
    const x = s.real();
    const extra = s.random.some(s.axes.filter((a) => x !== null && !has(x.type.axes, a)));
    if (x === null || extra === null || !s.fits(x.type.axes, [extra])) return null;
    const type = tensor('f32', [extra, ...x.type.axes]);
    const name = s.world.fresh('w');
    s.lines.push(`let ${name}: ${typeText(s.reordered(type))} = ${x.text}`);
    return { text: `${name} * 1`, type };
  }),
  op('stop_gradient', 'functions', 0.3, (s) => {
    const x = s.real();
    return x === null ? null : f32(`stop_gradient(${x.text})`, x.type.axes);
  }),
  op('index number', 'families', 2, (s) => {
    const x = s.real();
    if (x === null || s.index === undefined) return null;
    const { name } = s.index;
    // The sides of an if are of one element: what a function makes of f16 is f32.
    const alike = x.type.element === 'f32' ? 1 : 0;
    return s.random.weighted([
      [2, f32(`${x.text} * (${name} + 1)`, x.type.axes)],
      [alike, f32(`(if ${name} == 0 { ${x.text} } else { ${x.text} / ${name} })`, x.type.axes)],
      [alike, f32(`(if ${name} % 2 == 0 { ${x.text} } else { tanh(${x.text}) })`, x.type.axes)],
    ]);
  }),
];

export const tensorOperations: readonly Operation[] = [...elementwise, ...sums, ...views, ...made];
