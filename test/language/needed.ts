/**
 * Errors of a run count only where something that was asked for needs the value: programs of which some point is wrong, and what
 * a run of them says, worked out by hand. For all executors, which must name the same point.
 */
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import { prepareText, ready, type Ready } from './support.ts';

export interface NeededCase {
  readonly name: string;
  readonly text: string;
  /** By name; i32 where the program says so. */
  readonly inputs: Readonly<Record<string, Numbers>>;
  readonly stores?: Readonly<Record<string, readonly number[]>>;
  readonly asks?: 'losses' | 'outputs' | 'updates';
  /** Code and first point: `MOE0721 T 1`; null: the run ends well. */
  readonly error: string | null;
}

interface Numbers {
  readonly shape: readonly number[];
  readonly data: readonly number[];
  readonly element?: 'i32';
}

const of = (shape: readonly number[], data: readonly number[]): Numbers => ({ shape, data });
const ints = (...data: readonly number[]): Numbers => ({ shape: [data.length], data, element: 'i32' });

const forward = (signature: string, body: string, declarations = ''): string =>
  `model M {\n  axis T, E = 4, D = 2, V = 3, S = 2\n  ${declarations}\n  forward${signature} { ${body} }\n}`;

/** One index is outside: which body needs it? */
function indices(name: string, result: string, body: string, ids: Numbers, error: string | null): NeededCase {
  const checked = 'fn f(x: [D], i: i32) -> [D] {\n    require i < 4\n    2 * x\n  }';
  const text = forward(`(i: i32[T], v: [E], x: [T, D]) -> ${result}`, body, checked);
  const T = ids.data.length;
  const inputs = {
    i: ids,
    v: of([4], [1, 2, 3, 4]),
    x: of(
      [T, 2],
      Array.from({ length: 2 * T }, (_, k) => k + 1),
    ),
  };
  return { name, text, inputs, error };
}

const second = ints(0, 7, 2);
const inner = `
  router gate(x: [D]) -> route[E] {
    param w: [E, D]
    top_k(w @ x, 1, over: E)
  }
  fn ffn[E](x: [D]) -> [D] {
    param first: i32
    param table: [V, D]
    table[V: first + i32(x[D: 1])] * x
  }`;
const gateByFirst = { 'gate.w': [1, 0, -1, 0, 0.5, 0, -0.5, 0], 'ffn.table': Array.from({ length: 24 }, () => 1) };
const nested = `
  router outer(x: [D]) -> route[E] { top_k(iota(E) * x[D: 0], 1, over: E) }
  fn ffn[E](x: [D]) -> [D] {
    param w: [V, D]
    sum(dense(top_k(log(w) @ x, 1, over: V)), over: V) * x
  }`;

export const neededCases: readonly NeededCase[] = [
  // Look-ups, picks, one-hots.
  indices('a look-up', '[T]', 'v[E: i]', second, 'MOE0721 T 1'),
  indices('a look-up of a token that is not read', 'f32', 'v[E: i][T: 0]', second, null),
  indices('a look-up of the token that is read', 'f32', 'v[E: i][T: 0]', ints(-2, 7), 'MOE0721 T 0'),
  indices('-1 is nothing', '[T]', 'v[E: i]', ints(-1, 0), null),
  indices('a pick', 'route[T -> E]', 'pick(i, over: E)', second, 'MOE0721 T 1'),
  indices('a pick of which a token is read', '[E]', 'dense(pick(i, over: E))[T: 2]', second, null),
  indices('a pick of which experts are counted', '[E]', 'count(pick(i, over: E), over: T)', second, 'MOE0721 T 1'),
  indices('a one-hot', '[T, E]', 'one_hot(i, over: E)', second, 'MOE0721 T 1'),
  indices('a one-hot of which a token is read', '[E]', 'one_hot(i, over: E)[T: 0]', second, null),
  indices('nothing of it', '[T]', 'let p = pick(i, over: E)\n sum(x, over: D)', second, null),
  indices('equal indices that nobody looks up', 'bool[T, E]', 'let p = pick(i, over: E)\n i == iota(E)', second, null),
  indices('a look-up in what is looked up', '[T]', 'v[E: i32(v[E: i])]', ints(0, 3), 'MOE0721 T 1'),
  indices('of two errors the first in the text', '[T]', 'v[E: i32(v[E: i])]', ints(3, 5), 'MOE0721 T 0'),
  // Views of what is wrong.
  indices('a window without the token', '[S]', 'v[E: i][T: 0 .. 2 as S]', ints(0, 1, 7), null),
  indices('a window with the token', '[S]', 'v[E: i][T: 1 .. 3 as S]', ints(0, 1, 7), 'MOE0721 T 2'),
  indices('a renamed axis', "[T']", "rename(v[E: i], T: T')", second, 'MOE0721 T 1'),
  indices('two uses of different tokens', '[D]', 'v[E: i][T: 0] * x[T: 0] + v[E: i][T: 2]', second, null),
  indices('two uses, one of which reads the token', 'f32', 'v[E: i][T: 0] + v[E: i][T: 1]', second, 'MOE0721 T 1'),
  indices('a sum over tokens', 'f32', 'sum(v[E: i], over: T)', second, 'MOE0721 T 1'),
  indices('a running sum, of which the first is read', 'f32', 'cumsum(v[E: i], over: T)[T: 0]', second, 'MOE0721 T 1'),
  indices('both sides of a choice', '[T]', 'where(i < 4, v[E: i], 0)', second, 'MOE0721 T 1'),
  indices('a table with an error in it', 'f32', 'v[E: i][T: 0 * iota(S)][S: 1]', second, 'MOE0721 T 1'),
  // Routes.
  indices(
    'where the route is absent',
    '[T]',
    'sum(keep(all(v[E: i] + 0 * iota(V), over: V), i < 4), over: V)',
    second,
    null,
  ),
  indices(
    'where the route is present',
    '[T]',
    'sum(keep(all(v[E: i] + 0 * iota(V), over: V), i > 4), over: V)',
    second,
    'MOE0721 T 1',
  ),
  indices(
    'what decides where it is present',
    '[T]',
    'f32(sum(keep(all(0 * iota(V) + i, over: V), v[E: i] > 4), over: V))',
    second,
    'MOE0721 T 1',
  ),
  indices(
    'a route looked up where it is not read',
    'f32',
    'let r = top_k(v, 2, over: E)\n dense(r)[E: i][T: 0]',
    second,
    null,
  ),
  indices('weights nobody asks for', '[V]', 'count(all(v[E: i] + 0 * iota(V), over: V), over: T)', second, null),
  {
    name: 'weights beside -1',
    text: forward('(i: i32[T], j: i32[T], v: [E]) -> [E]', 'dense(pick(j, over: E, along: T, weights: v[E: i]))'),
    inputs: { i: second, j: ints(0, -1, 2), v: of([4], [1, 2, 3, 4]) },
    error: null,
  },
  {
    name: 'weights beside what is named',
    text: forward('(i: i32[T], j: i32[T], v: [E]) -> [E]', 'dense(pick(j, over: E, along: T, weights: v[E: i]))'),
    inputs: { i: second, j: ints(0, 1, 2), v: of([4], [1, 2, 3, 4]) },
    error: 'MOE0721 T 1',
  },
  // Experts.
  {
    name: 'an expert that is not chosen',
    text: forward('(x: [T, D]) -> [T, D]', 'gate(x) @ ffn(x)', inner),
    inputs: { x: of([2, 2], [1, 1, -1, 1]) },
    stores: { ...gateByFirst, 'ffn.first': [0, 0, 9, 9] },
    error: null,
  },
  {
    name: 'an expert that is chosen',
    text: forward('(x: [T, D]) -> [T, D]', 'gate(x) @ ffn(x)', inner),
    inputs: { x: of([3, 2], [1, 1, 1, 1, -1, 1]) },
    stores: { ...gateByFirst, 'ffn.first': [0, 9, 0, 0] },
    error: 'MOE0721 E 1, T 2',
  },
  {
    name: 'all experts, for one token',
    text: forward('(x: [T, D]) -> [D]', 'sum(dense(gate(x))[T: 0] * ffn(x)[T: 0], over: E)', inner),
    inputs: { x: of([2, 2], [1, 1, -1, 9]) },
    stores: { ...gateByFirst, 'ffn.first': [0, 0, 0, 9] },
    error: 'MOE0721 E 3, T 0',
  },
  {
    name: 'a router inside an expert, NaN where it is absent',
    text: forward('(x: [T, D]) -> [T, D]', 'outer(x) @ ffn(x)', nested),
    inputs: { x: of([2, 2], [1, 1, -1, 1]) },
    stores: { 'ffn.w': Array.from({ length: 24 }, (_, k) => (k === 8 ? -1 : 1)) },
    error: null,
  },
  {
    name: 'a router inside an expert, NaN where it is present',
    text: forward('(x: [T, D]) -> [T, D]', 'outer(x) @ ffn(x)', nested),
    inputs: { x: of([2, 2], [1, 1, -1, 1]) },
    stores: { 'ffn.w': Array.from({ length: 24 }, (_, k) => (k === 2 ? -1 : 1)) },
    error: 'MOE0720 E 0, T 1',
  },
  // NaN.
  {
    name: 'a NaN among the scores of a token that is not read',
    text: forward('(s: [T, E]) -> ([E], i32)', '(dense(top_k(s, 2, over: E))[T: 0], argmax(s, over: E)[T: 0])'),
    inputs: { s: of([2, 4], [1, 2, 3, 4, NaN, 3, 2, 1]) },
    error: null,
  },
  {
    name: 'a NaN among the keys of a queue, where nobody stands',
    text: forward(
      '(s: [T, E], p: [T]) -> [T, E]',
      'dense(limit(keep(top_k(s, 1, over: E), p == p), to: 1, over: T, by: p))',
    ),
    inputs: { s: of([2, 4], [1, 2, 3, 4, 4, 3, 2, 1]), p: of([2], [1, NaN]) },
    error: null,
  },
  {
    name: 'a NaN among the keys of a queue',
    text: forward('(s: [T, E], p: [T]) -> [T, E]', 'dense(limit(top_k(s, 1, over: E), to: 1, over: T, by: p))'),
    inputs: { s: of([2, 4], [1, 2, 3, 4, 4, 3, 2, 1]), p: of([2], [1, NaN]) },
    error: 'MOE0720 E 0',
  },
  {
    name: 'an argmax of a NaN',
    text: forward('(s: [T, E]) -> i32[T]', 'argmax(s, over: E)'),
    inputs: { s: of([2, 4], [1, 2, 3, 4, NaN, 3, 2, 1]) },
    error: 'MOE0720 T 1',
  },
  // Nothing.
  {
    name: 'no tokens need no index',
    text: forward('(x: [T, D], i: i32[D]) -> [T, D]', 'x + one_hot(i, over: T)'),
    inputs: { x: of([0, 2], []), i: ints(0, 0) },
    error: null,
  },
  {
    name: 'one token needs every index',
    text: forward('(x: [T, D], i: i32[D]) -> [T, D]', 'x + one_hot(i, over: T)'),
    inputs: { x: of([1, 2], [1, 1]), i: ints(0, 1) },
    error: 'MOE0721 D 1',
  },
  {
    name: 'the greatest of no tokens',
    text: forward('(x: [T, D]) -> [D]', 'max(x, over: T)'),
    inputs: { x: of([0, 2], []) },
    error: 'MOE0722 D 0',
  },
  {
    name: 'the greatest of no tokens, for no tokens',
    text: forward('(x: [T, D]) -> [T, D]', 'x - max(x, over: T)'),
    inputs: { x: of([0, 2], []) },
    error: null,
  },
  {
    name: 'a softmax over no tokens',
    text: forward('(x: [T, D]) -> [D]', 'sum(softmax(x, over: T), over: T)'),
    inputs: { x: of([0, 2], []) },
    error: null,
  },
  // What the program requires.
  indices('what is required of every token', '[T]', 'require i < 4\n sum(x, over: D)', second, 'MOE0723 T 1'),
  indices('what is required, and holds', '[T]', 'require i < 8\n sum(x, over: D)', second, null),
  indices('required of tokens that are not read', '[D]', 'let y = f(x, i)\n y[T: 2]', second, null),
  indices('required of a token that is read', '[D]', 'let y = f(x, i)\n y[T: 1]', second, 'MOE0723 T 1'),
  indices(
    'required along an axis of its own',
    '[T]',
    'require v + 2 > x[D: 0]\n sum(x, over: D)',
    second,
    'MOE0723 E 0, T 1',
  ),
  indices('required of sizes', '[T]', 'require T <= 3 and not (T == 2)\n sum(x, over: D)', second, null),
  indices('required of sizes that do not fit', '[T]', 'require T <= 2 or T > 3\n sum(x, over: D)', second, 'MOE0723'),
  indices('required for no tokens', '[T]', 'require v > 5\n sum(x, over: D)', ints(), null),
  indices('required of a route', 'route[T -> E]', 'require i < 4\n pick(0 * i, over: E)', second, 'MOE0723 T 1'),
  indices(
    'required in a step of a chain',
    '[T]',
    'chain s in S carrying h = sum(x, over: D) {\n require h < 20\n h + h }',
    second,
    'MOE0723 T 2',
  ),
  indices(
    'of two that fail the first in the text',
    '[T]',
    'require i < 4\n require i < 1\n sum(x, over: D)',
    second,
    'MOE0723 T 1',
  ),
  indices(
    'required of what an index is, and the index',
    '[T]',
    'require i >= 0\n v[E: i]',
    ints(0, -2, 7),
    'MOE0723 T 1',
  ),
  {
    name: 'required in an expert that is not chosen',
    text: forward(
      '(x: [T, D]) -> [T, D]',
      'gate(x) @ ffn(x)',
      inner.replace('table[V:', 'require first < 9\n    table[V: 0 *'),
    ),
    inputs: { x: of([2, 2], [1, 1, -1, 1]) },
    stores: { ...gateByFirst, 'ffn.first': [0, 0, 9, 9] },
    error: null,
  },
  {
    name: 'required in an expert that is chosen',
    text: forward(
      '(x: [T, D]) -> [T, D]',
      'gate(x) @ ffn(x)',
      inner.replace('table[V:', 'require x[D: 0] > 0 or first < 9\n    table[V: 0 *'),
    ),
    inputs: { x: of([3, 2], [1, 1, 1, 1, -1, 1]) },
    stores: { ...gateByFirst, 'ffn.first': [9, 9, 0, 0] },
    error: 'MOE0723 E 1, T 2',
  },
  // What was asked for.
  ...(['losses', 'updates', 'outputs'] as const).flatMap((group): NeededCase[] => {
    const said = {
      losses: 'loss a = sum(v[E: i], over: T)',
      updates: 'update seen = v[E: i][T: 1]',
      outputs: 'output a = v[E: i]',
    };
    const text = forward('(i: i32[T], v: [E]) -> f32', `${said[group]}\n f32(sum(i, over: T))`, 'state seen: f32 = 0');
    const inputs = { i: second, v: of([4], [1, 2, 3, 4]) };
    return [
      { name: `${group} that nobody asked for`, text, inputs, error: null },
      { name: `${group} that were asked for`, text, inputs, asks: group, error: 'MOE0721 T 1' },
    ];
  }),
  {
    name: 'a loss that was asked for needs no more than the result',
    text: forward('(i: i32[T], v: [E]) -> f32', 'let y = v[E: i]\n loss a = y[T: 2]\n y[T: 0]'),
    inputs: { i: second, v: of([4], [1, 2, 3, 4]) },
    asks: 'losses',
    error: null,
  },
  {
    name: 'the default of a control',
    text: forward('(i: i32[T], v: [E]) -> [T]', '2 * bias + f32(i)', 'input bias: f32 = 1'),
    inputs: { i: second, v: of([4], [1, 2, 3, 4]) },
    error: null,
  },
];

/** A case, ready to run. */
export function readyCase({ text, inputs, stores = {}, asks }: NeededCase): Ready {
  const { prepared, diagnostics } = prepareText(text);
  if (prepared === null) throw new Error(`${diagnostics.map((d) => `${d.code} ${d.message}`).join('; ')}\n${text}`);
  const tensor = ({ shape, data, element }: Numbers): NamedTensor =>
    element === 'i32'
      ? { element, shape, data: Int32Array.from(data) }
      : { element: 'f32', shape, data: Float32Array.from(data) };
  const run = ready(prepared, {
    inputs: new Map(Object.entries(inputs).map(([name, value]) => [name, tensor(value)])),
    stores: new Map(Object.entries(stores).map(([path, data]) => [path, Float64Array.from(data)])),
  });
  const want = { losses: asks === 'losses', outputs: asks === 'outputs', updates: asks === 'updates' };
  return { ...run, request: { ...run.request, want } };
}

/** What a run ends with: a code and the point it names, or null. */
export async function endOf(run: Promise<unknown>): Promise<string | null> {
  try {
    await run;
    return null;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const point = /\(first at ([^)]*)\)/.exec(error.message)?.[1] ?? pointOf(error);
    return [String(error.code), point].filter((part) => part !== '').join(' ');
  }
}

function pointOf(error: Error): string {
  if (!('point' in error) || !(error.point instanceof Map)) return '';
  return [...error.point].map(([axis, index]) => `${String(axis)} ${String(index)}`).join(', ');
}
