/** Names of tensors with strings, one tensor for every member, stored ranges; and initial values that read params. */
import { describe, expect, test } from 'vitest';
import { mistakes, pathsOf, runs, vector } from './declarations-support.ts';

const x = { shape: [1, 2], values: [1, 10] };
const model = (declarations: string, body: string, result = '[T, D]'): string => `expert Scale(x: [D]) -> [D] {
  param a: [D]
  a * x
}
model M {
  axis T, D = 2, E = 2, F = 3
  ${declarations}
  forward(x: [T, D]) -> ${result} { ${body} }
}
`;

describe('strings in names', () => {
  const root = 'const root = "model.layers", big = true, tail = if big { "big" } else { "small" }';
  test.each([
    ['a constant', `${root}\n  param w: [D] from "{root}.w"`, 'w * x', 'model.layers.w'],
    ['an if', `${root}\n  param w: [D] from "{root}.{tail}"`, 'w * x', 'model.layers.big'],
    ['beside an axis', `${root}\n  param w: [E, D] from "{root}.{E}"`, 'w[E: 1] * x', 'model.layers.1'],
    ['in a prefix', `${root}\n  experts f = Scale from "{root}." { a: "w" }`, 'f(x)', 'model.layers.w'],
    ['in a record', `${root}\n  experts f = Scale from "m." { a: "{tail}" }`, 'f(x)', 'm.big'],
    ['in a pattern', `${root}\n  experts f = Scale from "{root}.{param}"`, 'f(x)', 'model.layers.a'],
    ['braces in a string mean nothing', 'const odd = "{E}"\n  param w: [D] from "{odd}"', 'w * x', '{E}'],
  ])('%s', async (_, declarations, body, tensor) => {
    const weights = { [tensor]: vector(2, 3), 'model.layers.0': vector(0, 0) };
    await runs({ text: model(declarations, body), weights, inputs: { x }, gives: { output: [2, 30] } });
  });

  test('come from outside like any constant', async () => {
    const text = model(`${root}\n  param w: [D] from "{root}.w"`, 'w * x');
    const sets = new Map([['root', 'language_model.model']]);
    await runs({
      text,
      sets,
      weights: { 'language_model.model.w': vector(2, 3) },
      inputs: { x },
      gives: { output: [2, 30] },
    });
  });

  test.each([
    ['a bool', 'const flag = true\n  param w: [D] from "{flag}"', 'MOE0680', 'is a bool'],
    ['a string in a sum', 'const s = "a"\n  param w: [D] from "{s + 1}"', 'MOE0680', 'alone'],
    ['nothing in sight', 'param w: [D] from "{prefix}.w"', 'MOE0681', 'no constant in sight'],
    ['an axis of no tensor', 'param w: [D] from "{F}.w"', 'MOE0681', 'is no axis'],
    ['all of nothing', 'param w: [D] from "w{all}"', 'MOE0680', '{all E}'],
    ['all of a number', 'const n = 2\n  param w: [D] from "w{all n}"', 'MOE0680', 'n is none'],
  ])('%s is a mistake', (_, declarations, code, told) => {
    const found = mistakes(model(declarations, 'x'));
    expect(found.map((f) => f.code)).toEqual([code]);
    expect(found[0]?.told).toContain(told);
  });
});

describe('numbers in names', () => {
  test.each([
    ['a quotient that is whole', 'axis L = 2\n  param w: [L, D] from "w.{L * 4 / 2}"', 'w[L: 1] * x', 'w.2'],
    [
      'a quotient that is rounded down',
      'axis L = 3\n  param w: [L, D] from "w.{(L - L % 2) / 2}"',
      'w[L: 1] * x',
      'w.0',
    ],
    ['a float that is rounded down', 'const n = floor(exp(0))\n  param w: [D] from "w.{n}"', 'w * x', 'w.1'],
  ])('%s', async (_, declarations, body, tensor) => {
    const weights = { 'w.0': vector(0, 0), 'w.1': vector(0, 0), [tensor]: vector(2, 3) };
    await runs({ text: model(declarations, body), weights, inputs: { x }, gives: { output: [2, 30] } });
  });

  // L has the points 0, 1, 2, 3: the first that has no name is told, once.
  const over = (axes: string): string => `sum(w, over: ${axes}) * x`;
  const called = 'sum(f(x), over: L)';
  const half = 'is 1/2 at L = 1, which is no whole number; nothing is rounded by itself';
  const ofTheRun = 'known only when the model runs';
  const family = 'fn f[l in L](x: [D]) -> [D] {\n  param a: [D] from "{l / 2}"\n  a * x }';
  test.each([
    ['half of a point', 'param w: [L, D] from "w.{L / 2}"', over('L'), 'MOE0350', 'L / 2', half],
    [
      'of two axes',
      'param w: [L, E, D] from "w.{L + (E / 2)}"',
      over('(L, E)'),
      'MOE0350',
      'L + (E / 2)',
      '1/2 at L = 0, E = 1',
    ],
    ['a constant', 'const n = 1 / 2\n  param w: [D] from "w.{n}"', 'w * x', 'MOE0350', 'n', 'is 1/2, which'],
    ['a float', 'const n = exp(0)\n  param w: [D] from "w.{n}"', 'w * x', 'MOE0350', 'n', 'is 1 in float arithmetic'],
    ['no number at all', 'const n = inf\n  param w: [D] from "w.{n}"', 'w * x', 'MOE0350', 'n', 'is Infinity'],
    [
      'a size of the run',
      'const n = 2 * T\n  param w: [D] from "w.{n}"',
      'w * x',
      'MOE0358',
      'n',
      `2 * T, which is ${ofTheRun}`,
    ],
    [
      'an axis and a size of the run',
      'const n = T\n  param w: [L, D] from "w.{L + n}"',
      over('L'),
      'MOE0358',
      'L + n',
      ofTheRun,
    ],
    ['in a prefix', 'experts f[L] = Scale from "m.{L / 2}." { a: "w" }', called, 'MOE0350', 'L / 2', half],
    ['in a record', 'experts f[L] = Scale from "m." { a: "{L / 2}" }', called, 'MOE0350', 'L / 2', half],
    ['in a pattern', 'experts f[L] = Scale from "{L / 2}.{param}"', called, 'MOE0350', 'L / 2', half],
    ['an index', family, called, 'MOE0350', 'l / 2', half],
  ])('%s, where a whole number is wanted, is told', (_, declarations, body, code, at, told) => {
    const found = mistakes(model(`axis L = 4\n  ${declarations}`, body));
    expect(found).toMatchObject([{ code, at }]);
    expect(found[0]?.told).toContain(told);
  });
});

describe('one tensor for every member', () => {
  test.each([
    ['an axis of the param', 'param w: [E, D] from "w{all E}"', 'sum(w * x, over: E)', { w: vector(2, 3) }, [4, 60]],
    [
      'a family by its pattern',
      'experts f[E] = Scale from "mlp.{param}{all E}"',
      'sum(f(x), over: E)',
      { 'mlp.a': vector(2, 3) },
      [4, 60],
    ],
    [
      'a family by its prefix',
      'experts f[E] = Scale from "{all E}mlp." { a: "w" }',
      'sum(f(x), over: E)',
      { 'mlp.w': vector(2, 3) },
      [4, 60],
    ],
    [
      'one of two axes',
      'param w: [F, E, D] from "w.{F}{all E}"',
      'sum(w * x, over: (F, E)) / 6',
      { 'w.0': vector(2, 3), 'w.1': vector(2, 3), 'w.2': vector(2, 3) },
      [2, 30],
    ],
    [
      'two axes',
      'param w: [F, E, D] from "w{all (F, E)}"',
      'sum(w * x, over: (F, E)) / 6',
      { w: vector(2, 3) },
      [2, 30],
    ],
  ])('%s', async (_, declarations, body, weights, output) => {
    await runs({ text: model(declarations, body), weights, inputs: { x }, gives: { output } });
  });
});

describe('stored ranges', () => {
  test('of four blocks the first two', async () => {
    const text = model('param w: [E, D] from "w" as [(0 .. 2 of 4, E), D]', 'sum(w * x, over: E)');
    const weights = { w: { shape: [4, 2], values: [1, 2, 10, 20, 100, 200, 1000, 2000] } };
    await runs({ text, weights, inputs: { x }, gives: { output: [11, 220] } });
  });
  test.each([
    ['without an axis', 'param w: [D] from "w" as [0 .. 16 of 22, D]', 'MOE0682'],
    ['that the axis does not divide into', 'param w: [F] from "w" as [(0 .. 2 of 4, F)]', 'MOE0690'],
  ])('%s are told', (_, declarations, code) => {
    expect(mistakes(model(declarations, 'x + sum(w) * 0')).map((f) => f.code)).toEqual([code]);
  });
});

describe('an initial value that reads a param', () => {
  const upcycled = model('param base: [D]\n  param w: [E, D] = base', 'w * x', '[T, E, D]');

  test('is a copy for each expert where the checkpoint has none', async () => {
    const weights = { base: vector(2, 3) };
    const prepared = await runs({
      text: upcycled,
      weights,
      missing: 'initialise',
      inputs: { x },
      gives: { output: [2, 30, 2, 30] },
    });
    expect(pathsOf(prepared)).toEqual(['base', 'w']);
  });

  test('needs nothing where the checkpoint has the value', async () => {
    const weights = { w: { shape: [2, 2], values: [1, 2, 3, 4] } };
    await runs({ text: upcycled, weights, inputs: { x }, gives: { output: [1, 20, 3, 40] } });
  });

  test.each([
    ['declared later', 'param w: [D] = base\n  param base: [D] = 2', 'w * x', [2, 20]],
    ['over three steps', 'param c: [D] = 2 * b\n  param b: [D] = 2 * a\n  param a: [D] = 1', 'c * x', [4, 40]],
    ['of a state', 'param a: [D] = 2\n  state s: [D] = a', 's * x', [2, 20]],
    ['by path', 'experts f[E] = Start\n  param w: [E, D] = f.a', 'sum(w * x, over: E)', [6, 60]],
    ['in a template', 'experts f[E] = Copied', 'sum(f(x), over: E)', [8, 80]],
    [
      'by a function',
      'param a: [D] = 2\n  fn twice(v: [D]) -> [D] { 2 * v }\n  param w: [D] = twice(a)',
      'w * x',
      [4, 40],
    ],
    ['a default that reads a state', 'state s: [D] = 2\n  input i: [D] = s', 'i * x', [2, 20]],
  ])('%s', async (_, declarations, body, output) => {
    const templates =
      'expert Start(x: [D]) -> [D] {\n  param a: [D] = 3\n  a * x\n}\nexpert Copied(x: [D]) -> [D] {\n  param a: [D] = 4\n  param w: [D] = a\n  w * x\n}\n';
    await runs({ text: templates + model(declarations, body), inputs: { x }, gives: { output } });
  });

  test.each([
    ['a circle', 'param a: [D] = b\n  param b: [D] = a', 'MOE0206'],
    ['itself', 'param a: [D] = a', 'MOE0206'],
    ['a state', 'state b: [D] = 1\n  param a: [D] = b', 'MOE0363'],
    [
      'a state by a function',
      'state b: [D] = 1\n  fn f(v: [D]) -> [D] { v * b }\n  param a: [D] = f(ones[D])',
      'MOE0363',
    ],
    ['an input', 'input b: [D] = 1\n  param a: [D] = b', 'MOE0363'],
    ['an input, of a state', 'input b: [D] = 1\n  state a: [D] = b', 'MOE0363'],
    ['a size of the run', 'param a: [D] = 1 / T', 'MOE0363'],
    ['a function of the host', 'extern fn f(v: [D]) -> [D]\n  param a: [D] = f(ones[D])', 'MOE0363'],
  ])('%s is a mistake', (_, declarations, code) => {
    expect(mistakes(model(declarations, 'a * x')).map((f) => f.code)).toEqual([code]);
  });
});
