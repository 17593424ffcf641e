/**
 * Routes from outside: `pick` with weights, picks with repeated indices as conditions, and relations that can have no rows. Wanted
 * numbers are worked out by hand; the reference and the kernels on the CPU must both give them.
 */
import { describe, expect, test } from 'vitest';
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import { diagnosticsOf, onKernels, onReference, prepareText, ready } from './support.ts';

const ids = (values: readonly number[], shape: readonly number[]): NamedTensor => ({
  element: 'i32',
  shape,
  data: Int32Array.from(values),
});
const numbers = (values: readonly number[], shape: readonly number[]): NamedTensor => ({
  element: 'f32',
  shape,
  data: Float32Array.from(values),
});

/** What both executors give, by name; they must give the same to the last digit, for all numbers here are exact. */
async function both(text: string, inputs: Readonly<Record<string, NamedTensor>>): Promise<Record<string, number[]>> {
  const { prepared, diagnostics } = prepareText(text);
  if (prepared === null) throw new Error(diagnostics.map((d) => `${d.code} ${d.message}`).join('; '));
  const run = ready(prepared, { inputs: new Map(Object.entries(inputs)) });
  const shown = (results: ReadonlyMap<string, NamedTensor>): Record<string, number[]> =>
    Object.fromEntries([...results].map(([name, t]) => [name, Array.from(t.data, (v) => Number(v) + 0)]));
  const reference = shown(await onReference(run));
  expect(shown(await onKernels(run))).toEqual(reference);
  return reference;
}

const served = (body: string, result: string): string =>
  `model Served {\n  axis T, E = 3, N = 2\n  forward(ids: i32[T, N] in E, w: [T, N], v: [N], x: [T]) -> ${result} { ${body} }\n}\n`;
const three = {
  ids: ids([0, 1, 2, 2, 1, -1], [3, 2]),
  w: numbers([0.25, 0.75, 0.25, 0.5, 1, NaN], [3, 2]),
  v: numbers([2, 4], [2]),
  x: numbers([1, 2, 3], [3]),
};

describe('pick with weights', () => {
  test('repeated indices add, the first gives the rank, the weight of -1 is not read', async () => {
    const got = await both(served('pick(ids, over: E, along: N, weights: w)', 'route[T -> E]'), three);
    expect(got['output.indices']).toEqual([0, 1, 2, -1, 1, -1]);
    expect(got['output.weights']).toEqual([0.25, 0.75, 0.75, 0, 1, 0]);
  });

  test('weights with fewer axes are repeated', async () => {
    const got = await both(served('pick(ids, over: E, along: N, weights: v)', 'route[T -> E]'), three);
    expect(got['output.weights']).toEqual([2, 4, 6, 0, 2, 0]);
    const one = await both(served('pick(ids, over: E, along: N, weights: 0.5)', 'route[T -> E]'), three);
    expect(one['output.weights']).toEqual([0.5, 0.5, 1, 0, 0.5, 0]);
  });

  test('without along it is the product', async () => {
    const all = { ...three, w: numbers([0.25, 0.75, 0.25, 0.5, 1, 9], [3, 2]) };
    const given = await both(served('dense(pick(ids, over: E, weights: w))', '[T, N, E]'), all);
    expect(given).toEqual(await both(served('dense(pick(ids, over: E) * w)', '[T, N, E]'), all));
  });

  test('weights that a lifted call brings along are met by name', async () => {
    const text = `model M {
  axis T, E = 3, N = 2, D = 1
  fn own(ids: i32[N] in E, w: [N]) -> [E] { dense(pick(ids, over: E, along: N, weights: w)) }
  forward(ids: i32[N] in E, w: [T, N], x: [T]) -> [T, E] { own(ids, w) }
}
`;
    const got = await both(text, { ids: ids([2, 2], [2]), w: numbers([1, 2, 3, 4], [2, 2]), x: numbers([1, 2], [2]) });
    expect(got['output']).toEqual([0, 0, 3, 0, 0, 7]);
  });

  test('a weight of 0 is present', async () => {
    const zero = { ...three, w: numbers([0, 0, 0, 0, 0, 0], [3, 2]) };
    const got = await both(served('pick(ids, over: E, along: N, weights: w)', 'route[T -> E]'), zero);
    expect(got['output.indices']).toEqual([0, 1, 2, -1, 1, -1]);
  });

  test.each([
    ['dense(pick(ids, over: E, along: N) * w)', 'MOE0453'],
    ['dense(w * pick(ids, over: E, along: N))', 'MOE0453'],
    ['dense(2 * pick(ids, over: E, along: N) / w)', 'MOE0453'],
    ['dense(pick(ids, over: E, along: N, weights: ids))', null],
    ['dense(pick(ids, over: E, along: N, weights: w > 0))', 'MOE0331'],
    ['dense(pick(ids, over: E, along: N, weights: ones[E]))', 'MOE0332'],
    ['dense(pick(ids, over: E, along: N, weights: top_k(w, 1, over: N)))', 'MOE0433'],
  ])('%s', (body, code) => {
    const result = code === null ? 'i32[T, E]' : '[T, E]';
    expect(diagnosticsOf(served(body, result)).map((d) => d.code)).toEqual(code === null ? [] : [code]);
  });
});

describe('a repeated index is present once, as a condition', () => {
  const text = (body: string, result: string): string =>
    `model M {\n  axis T, E = 4, N = 3\n  forward(ids: i32[T, N] in E, s: [T, E], flags: bool[T, E]) -> ${result} {\n    let r = pick(ids, over: E, along: N)\n    ${body}\n  }\n}\n`;
  const inputs = {
    ids: ids([0, 0, 1, 2, 2, 2, 3, -1, 3], [3, 3]),
    s: numbers([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4], [3, 4]),
    flags: { element: 'bool', shape: [3, 4], data: Uint8Array.from([1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0]) } as const,
  };
  const named = [1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];

  test.each([
    ['where(r, 1, 0)', named],
    ['where(pick(ids, over: E, along: N), 1, 0)', named],
    ['where(not r, 1, 0)', named.map((n) => 1 - n)],
    ['where(not pick(ids, over: E, along: N), 1, 0)', named.map((n) => 1 - n)],
    ['where(r and true, 1, 0)', named],
    ['where(pick(ids, over: E, along: N) or false, 1, 0)', named],
    ['dense(keep(s, r, over: E))', named.map((n, i) => n * ((i % 4) + 1))],
    ['dense(keep(s, pick(ids, over: E, along: N), over: E))', named.map((n, i) => n * ((i % 4) + 1))],
    ['dense(keep(all(s, over: E), pick(ids, over: E, along: N)))', named.map((n, i) => n * ((i % 4) + 1))],
    ['dense(top_k(s, 4, over: E, where: pick(ids, over: E, along: N)))', named.map((n, i) => n * ((i % 4) + 1))],
    ['where(mask(r), 1, 0)', named],
    ['where(r + r, 1, 0)', named],
    ['where(r * 2, 1, 0)', named],
    ["where(slots(r, E', over: T)[E': 0], 1, 0)", [1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]],
    ['where(keep(r, rank(r) == 0) and flags, 1, 0)', [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0]],
    ['where(dense(r) > 1, 1, 0)', [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]],
  ])('%s', async (body, wanted) => {
    expect((await both(text(body, '[T, E]'), inputs))['output']).toEqual(wanted);
  });

  test.each(['iota(E)', 'dense(pick(ids, over: E, along: N))', 'count(r, over: T)'])('%s is no truth value', (c) => {
    expect(diagnosticsOf(text(`where(${c}, 1, s)`, '[T, E]')).map((d) => d.code)).toEqual(['MOE0441']);
  });
});

describe('relations that can have no rows', () => {
  const text = (body: string, result: string): string =>
    `model M {
  axis T, E = 4, N = 2, D = 3, W = 0
  fn g[e in E](x: [D]) -> [D] { x * (e + 1) }
  forward(s: [T, E], x: [T, D], n: i32) -> ${result} { ${body} }
}
`;
  const inputs = {
    s: numbers([1, 2, 3, 4, 4, 3, 2, 1], [2, 4]),
    x: numbers([1, 2, 3, 4, 5, 6], [2, 3]),
    n: ids([0], []),
  };
  const none = Array.from({ length: 8 }, () => 0);
  const nothing = Array.from({ length: 6 }, () => 0);

  test.each([
    ['dense(normalize(top_k(s, 0, over: E)))', '[T, E]', none],
    ['dense(softmax(top_k(s, 0, over: E)))', '[T, E]', none],
    ['dense(normalize(keep(top_k(s, 0, over: E), s > 1)))', '[T, E]', none],
    ['dense(normalize(top_k(s, n, over: E, at_most: 2)))', '[T, E]', none],
    ['dense(normalize(limit(top_k(s, 2, over: E), to: 0, over: T)))', '[T, E]', none],
    ['dense(normalize(limit(top_k(s, 2, over: E), to: T - 5, over: T)))', '[T, E]', none],
    ['top_k(s, 0, over: E) @ g(x)', '[T, D]', nothing],
    ['normalize(top_k(s, 0, over: E)) @ g(x)', '[T, D]', nothing],
    ['limit(top_k(s, 2, over: E), to: 0, over: T) @ g(x)', '[T, D]', nothing],
    ['limit(keep(limit(top_k(s, 2, over: E), to: 0, over: T), s > 1), to: 1, over: T) @ g(x)', '[T, D]', nothing],
    ['limit(limit(top_k(s, 0, over: E), to: 1, over: T), to: 1, over: T) @ g(x)', '[T, D]', nothing],
    ['mask(keep(top_k(s, 0, over: E), top_k(s, 2, over: E))) @ g(top_k(s, 2, over: E) * x)', '[T, D]', nothing],
    ['let none = s[E: 2 .. 2 as W]\n    top_k(none, 0, over: W) @ g[E: 2 .. 2 as W](x)', '[T, D]', nothing],
    ['let none = s[E: 4 .. 4 as W]\n    all(none, over: W) @ g[E: 4 .. 4 as W](x)', '[T, D]', nothing],
  ])('%s', async (body, result, wanted) => {
    expect((await both(text(body, result), inputs))['output']).toEqual(wanted);
  });

  test('no tokens', async () => {
    const empty = { s: numbers([], [0, 4]), x: numbers([], [0, 3]), n: ids([0], []) };
    for (const body of ['top_k(s, 2, over: E) @ g(x)', 'normalize(top_k(s, 2, over: E)) @ g(x)']) {
      expect((await both(text(body, '[T, D]'), empty))['output']).toEqual([]);
      const sum = await both(text(`sum(${body}, over: T)`, '[D]'), empty);
      expect(sum['output']).toEqual([0, 0, 0]);
    }
    const byTarget = 'let r = top_k(s, 2, over: E)\n    dot(mask(r), g(x), over: T)';
    expect((await both(text(byTarget, '[E, D]'), empty))['output']).toEqual(Array.from({ length: 12 }, () => 0));
  });
});

describe('the element type of a pick', () => {
  test('is that of its weights: whole numbers do not meet them, nor does what it is ordered by', () => {
    const codes = (body: string, result: string): readonly string[] =>
      diagnosticsOf(served(body, result)).map(({ code }) => code);
    const weighed = 'let r = pick(ids, over: E, along: N, weights: w)';
    expect(codes(`${weighed} r * i32(x)`, 'i32[T, E]')).toEqual(['MOE0330']);
    expect(codes(`${weighed} limit(r, to: 1, over: T, by: rank(r)) * i32(x)`, 'i32[T, E]')).toEqual(['MOE0330']);
  });

  test.each([
    ['weighed', 'let r = pick(ids, over: E, along: N, weights: w)', [0.25, 0.75, 0, 0, 0, 0.25 + 0.5, 0, 1, 0]],
    ['counting', 'let r = pick(ids, over: E, along: N)', [1, 1, 0, 0, 0, 2, 0, 1, 0]],
  ])('%s is kept by a limit with whole keys', async (_, pick, wanted) => {
    const body = `${pick} dense(limit(r, to: 3, over: T, by: (rank(r), i32(2 * x))))`;
    expect((await both(served(body, '[T, E]'), three))['output']).toEqual(wanted);
  });
});
