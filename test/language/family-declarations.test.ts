/**
 * Declarations in the body of a family and of a chain: in a family each member has its own (its name, its first value), in a
 * chain there is one for all steps, and what would make it depend on the step is a mistake.
 */
import { describe, expect, test } from 'vitest';
import { diagnosticsOf } from './support.ts';
import { mistakes, runs, tensorsOf, vector } from './declarations-support.ts';

const library = `expert Scale(x: [D]) -> [D] {
  param a: [D]
  a * x
}
expert Layer<n>(x: [D]) -> [D] {
  param a: [D] from "layers.{n}.a"
  a * x
}
fn Plus<n>(x: [D]) -> [D] { x + n }
fn Start<n>(x: [D]) -> [D] {
  param a: [D] = n
  a * x
}
`;
const layers = {
  'b.0': vector(1, 1),
  'b.1': vector(10, 10),
  'b.2': vector(100, 100),
};
const chained = (family: string, more = ''): string => `${library}model M {
  axis T, D = 2, E = 2, L = 3, Kind = (low, mid, high)
  const root = "b"
  ${more}
  ${family}
  forward(x: [T, D]) -> [T, D] { chain l in L carrying x { add[l](x) } }
}
`;
const x = { shape: [1, 2], values: [1, 2] };
const all = (
  names: Readonly<Record<string, string>>,
): Readonly<Record<string, { shape: number[]; values: number[] }>> =>
  Object.fromEntries(
    Object.entries(names).map(([name, of]) => [
      name,
      { shape: [2], values: [...(layers[of as keyof typeof layers]?.values ?? [])] },
    ]),
  );

describe('a name in the body of a family is each member’s own', () => {
  const own = { 'b.0': 'b.0', 'b.1': 'b.1', 'b.2': 'b.2' };
  const later = { 'b.1': 'b.0', 'b.2': 'b.1', 'b.3': 'b.2' };
  test.each([
    ['its index', 'fn add[l in L](x: [D]) -> [D] {\n param b: [D] from "b.{l}"\n x + b }', own],
    ['its axis', 'fn add[l in L](x: [D]) -> [D] {\n param b: [D] from "b.{L}"\n x + b }', own],
    ['an expression of the index', 'fn add[l in L](x: [D]) -> [D] {\n param b: [D] from "b.{l + 1}"\n x + b }', later],
    [
      'a constant made of the index',
      'fn add[l in L](x: [D]) -> [D] {\n const at = l + 1\n param b: [D] from "b.{at}"\n x + b }',
      later,
    ],
    [
      'a string chosen by the index',
      'fn add[l in L](x: [D]) -> [D] {\n const kind = if l == 0 { "first" } else { "b" }\n param b: [D] from "{kind}.{l}"\n x + b }',
      { 'first.0': 'b.0', 'b.1': 'b.1', 'b.2': 'b.2' },
    ],
    ['a state', 'fn add[l in L](x: [D]) -> [D] {\n state b: [D] = 0 from "b.{l}"\n x + b }', own],
    [
      'a nested function',
      'fn add[l in L](x: [D]) -> [D] {\n fn plus(y: [D]) -> [D] {\n param b: [D] from "b.{l}"\n y + b }\n plus(x) }',
      own,
    ],
    [
      'a param in an if',
      'fn add[l in L](x: [D]) -> [D] {\n if l >= 0 {\n param b: [D] from "b.{l}"\n x + b } else { x } }',
      own,
    ],
    [
      'experts by a prefix',
      'fn add[l in L](x: [D]) -> [D] {\n experts f = Scale from "b.{l}" { a: "" }\n x + f(1 + 0 * x) }',
      own,
    ],
    [
      'experts by a pattern',
      'fn add[l in L](x: [D]) -> [D] {\n experts f = Scale from "b.{l}.{param}"\n x + f(1 + 0 * x) }',
      { 'b.0.a': 'b.0', 'b.1.a': 'b.1', 'b.2.a': 'b.2' },
    ],
    [
      'a number of a template',
      'fn add[l in L](x: [D]) -> [D] {\n experts f = Layer<l + 1>\n x + f(1 + 0 * x) }',
      { 'layers.1.a': 'b.0', 'layers.2.a': 'b.1', 'layers.3.a': 'b.2' },
    ],
  ])('%s', async (_, family, names) => {
    const prepared = await runs({
      text: chained(family),
      weights: all(names),
      inputs: { x },
      gives: { output: [112, 113] },
    });
    expect([...tensorsOf(prepared)].sort()).toEqual(Object.keys(names).sort());
  });

  test('an axis of named points gives the name of the point', async () => {
    const text = `model M {
  axis D = 2, Kind = (low, high)
  fn add[k in Kind](x: [D]) -> [D] {
    param b: [D] from "b.{k}"
    x + b
  }
  forward(x: [D]) -> [Kind, D] { add(x) }
}
`;
    const weights = { 'b.low': vector(1, 2), 'b.high': vector(3, 4) };
    await runs({ text, weights, inputs: { x: vector(0, 0) }, gives: { output: [1, 2, 3, 4] } });
  });

  test('families inside a family: a router and its experts, each layer its own', async () => {
    const text = `${library}model M {
  axis T, D = 2, E = 2, L = 2
  fn block[l in L](x: [D]) -> [D] {
    experts f[E] = Scale from "layers.{l}.experts.{E}.{param}"
    router gate(x: [D]) -> route[E] {
      param w: [E, D] from "layers.{l}.gate"
      top_k(w @ x, 1, over: E) |> normalize
    }
    gate(x) @ f(x)
  }
  forward(x: [T, D]) -> [T, D] { chain l in L carrying x { block[l](x) } }
}
`;
    const weights = {
      'layers.0.gate': { shape: [2, 2], values: [1, 0, 0, 1] },
      'layers.1.gate': { shape: [2, 2], values: [0, 1, 1, 0] },
      'layers.0.experts.0.a': vector(2, 2),
      'layers.0.experts.1.a': vector(3, 3),
      'layers.1.experts.0.a': vector(5, 5),
      'layers.1.experts.1.a': vector(7, 7),
    };
    await runs({
      text,
      weights,
      inputs: { x: { shape: [2, 2], values: [1, 0, 0, 1] } },
      gives: { output: [14, 0, 0, 15] },
    });
  });
});

describe('a first value in the body of a family', () => {
  test.each([
    ['its index', 'fn add[l in L](x: [D]) -> [D] {\n param b: [D] = 10 ** l\n x + b }', [112, 113]],
    [
      'a constant of it',
      'fn add[l in L](x: [D]) -> [D] {\n const at = 10 ** l\n param b: [D] = at\n x + b }',
      [112, 113],
    ],
    [
      'a param of the same member',
      'fn add[l in L](x: [D]) -> [D] {\n param a: [D] = 10 ** l, b: [D] = a\n x + b }',
      [112, 113],
    ],
    [
      'a number of a template',
      'fn add[l in L](x: [D]) -> [D] {\n fn f = Start<10 ** l>\n x + f(1 + 0 * x) }',
      [112, 113],
    ],
    ['the default of a control', 'fn add[l in L](x: [D]) -> [D] {\n input b: [D] = 10 ** l\n x + b }', [112, 113]],
    [
      'a nested function',
      'fn add[l in L](x: [D]) -> [D] {\n fn g(y: [D]) -> [D] {\n param b: [D] = 10 ** l\n y + b }\n g(x) }',
      [112, 113],
    ],
  ])('%s', async (_, family, output) => {
    await runs({ text: chained(family), inputs: { x }, gives: { output } });
  });
});

describe('the index of a chain', () => {
  const step = (body: string): string => `${library}model M {
  axis T, D = 2, E = 2, L = 3
  const root = "b"
  forward(x: [T, D]) -> [T, D] { chain l in L carrying x {
    ${body}
  } }
}
`;
  test.each([
    ['a function that names it', 'fn g(y: [D]) -> [D] { y + l }\n    g(x)', [4, 5]],
    ['a function in a function', 'fn g(y: [D]) -> [D] {\n fn h(z: [D]) -> [D] { z + l }\n h(y) }\n    g(x)', [4, 5]],
    [
      'an axis and a constant',
      'axis W = l + 1\n    const k = 2 * l\n    x + sum(0 * iota(W) + 1, over: W) + k',
      [13, 14],
    ],
    ['a template without params', 'fn g = Plus<l>\n    g(x)', [4, 5]],
    ['one param for all steps', 'param b: [D] = 2\n    x + b', [7, 8]],
  ])('%s: right', async (_, body, output) => {
    await runs({ text: step(body), inputs: { x }, gives: { output } });
  });

  test.each([
    ['the name of a param', 'param b: [D] from "b.{l}"\n    x + b', '"b.{l}"', 'b[l]'],
    ['an expression in a name', 'param b: [D] from "b.{2 * l + 1}"\n    x + b', '"b.{2 * l + 1}"', 'b[l]'],
    ['a constant in a name', 'const at = l + 1\n    param b: [D] from "b.{at}"\n    x + b', '"b.{at}"', 'b[l]'],
    [
      'a string in a name',
      'const kind = if l == 0 { "a" } else { "b" }\n    param b: [D] from "{kind}"\n    x + b',
      '"{kind}"',
      'b[l]',
    ],
    ['the name of a state', 'state b: [D] = 0 from "b.{l}"\n    x + b', '"b.{l}"', 'b[l]'],
    ['the size of a param', 'axis W = l + 1\n    param b: [W]\n    x + sum(b, over: W)', 'b', 'one shape'],
    ['the first value of a param', 'param b: [D] = 10 ** l\n    x + b', '10 ** l', 'b[l]'],
    [
      'the first value by a function',
      'fn g(y: [D]) -> [D] { y + l }\n    param b: [D] = g(ones[D])\n    x + b',
      'g(ones[D])',
      'b[l]',
    ],
    ['the default of a control', 'input b: [D] = l\n    x + b', 'l', 'b[l]'],
    [
      'a param of a router',
      'router gate(y: [D]) -> route[E] {\n param w: [E, D] from "g.{l}"\n top_k(w @ y, 1, over: E) }\n    x * sum(gate(x), over: E)',
      '"g.{l}"',
      'w[l]',
    ],
    [
      'experts by a prefix',
      'experts f[E] = Scale from "b.{l}."  { a: "a" }\n    sum(f(x), over: E)',
      '"b.{l}."',
      'f[l]',
    ],
    ['experts by a record', 'experts f[E] = Scale from "b." { a: "{l}.a" }\n    sum(f(x), over: E)', '"b."', 'f[l]'],
    ['an argument of a template', 'fn f = Start<l>\n    f(x)', 'f', 'arguments'],
    ['a param in an if', 'if l > 0 {\n param b: [D] from "b.{l}"\n x + b } else { x }', '"b.{l}"', 'b[l]'],
    ['a chain in a chain', 'chain k in E carrying x {\n param b: [D] from "b.{l}"\n x + b }', '"b.{l}"', 'b[l]'],
  ])('%s: a mistake that says what to write', (_, body, at, help) => {
    const found = mistakes(step(body));
    expect(found.map((f) => [f.code, f.at])).toEqual([['MOE0362', at]]);
    expect(found[0]?.told).toContain(help);
  });

  test('values of the body are not seen by a first value', () => {
    expect(mistakes(step('param b: [D] = x\n    x + b')).map((f) => f.code)).toEqual(['MOE0307']);
    const text = 'model M {\n  axis D = 2\n  forward(x: [D]) -> [D] {\n    param b: [D] = x\n    b + x\n  }\n}\n';
    expect(mistakes(text).map((f) => [f.code, f.at])).toEqual([['MOE0207', 'x']]);
  });
});

describe('sizes in the body of a family', () => {
  test.each([
    ['a param', 'fn add[l in L](x: [D]) -> [D] {\n axis W = l + 1\n param c: [W]\n x + sum(c, over: W) }'],
    ['a state', 'fn add[l in L](x: [D]) -> [D] {\n axis W = l + 1\n state c: [W] = 0\n x + sum(c, over: W) }'],
    ['experts', 'fn add[l in L](x: [D]) -> [D] {\n axis W = l + 1\n experts f = Wide<W>\n x + f(x) }'],
  ])('%s of another size for each member is a mistake', (_, family) => {
    const wide = 'expert Wide<W>(x: [D]) -> [D] {\n  param a: [W, D]\n  sum(a @ x, over: W) + 0 * x\n}\n';
    expect([...new Set(diagnosticsOf(wide + chained(family)).map((d) => d.code))]).toEqual(['MOE0365']);
  });

  test('sizes that are equal after all are right', async () => {
    const family =
      'fn add[l in L](x: [T, D]) -> [T, D] {\n axis W = 2 + 0 * l\n param c: [W] = 10 ** l\n state n: [W] = 0\n update n = c + l\n x + sum(c, over: W) / 2 }';
    await runs({
      text: chained(family),
      inputs: { x },
      gives: { output: [112, 113], 'state.add.n': [1, 1, 11, 11, 102, 102] },
    });
  });
});

describe('two declarations of one name in two blocks', () => {
  const blocks = (body: string): string => `${library}model M {
  axis T, D = 2, L = 2
  const wide = true
  forward(x: [T, D]) -> [T, D] {
    ${body}
  }
}
`;
  test.each([
    [
      'params in the sides of an if',
      'chain l in L carrying x { if l == 0 {\n param a: [D]\n a * x } else {\n param a: [D] from "b"\n a + x } }',
    ],
    [
      'params in two chains',
      'let y = chain l in L carrying x {\n param a: [D]\n a * x }\n    chain l in L carrying y {\n param a: [D]\n a + y }',
    ],
    [
      'states',
      'chain l in L carrying x { if l == 0 {\n state a: [D] = 0\n a * x } else {\n state a: [D] = 1\n a + x } }',
    ],
    [
      'experts',
      'chain l in L carrying x { if l == 0 {\n experts f = Scale\n f(x) } else {\n experts f = Scale\n 2 * f(x) } }',
    ],
    [
      'functions with params',
      'chain l in L carrying x { if l == 0 {\n fn f(x: [D]) -> [D] {\n param a: [D]\n a * x }\n f(x) } else {\n fn f(x: [D]) -> [D] {\n param a: [D]\n a + x }\n f(x) } }',
    ],
    [
      'losses',
      'chain l in L carrying x { if l == 0 {\n fn f(x: [D]) -> [D] {\n loss s = sum(x, over: D)\n x }\n f(x) } else {\n fn f(x: [D]) -> [D] {\n loss s = max(x, over: D)\n x }\n f(x) } }',
    ],
  ])('%s are told', (_, body) => {
    expect([...new Set(mistakes(blocks(body)).map((f) => f.code))]).toEqual(['MOE0364']);
  });

  test.each([
    [
      'one side for the whole program',
      "if wide {\n param a: [D]\n a * x } else {\n param a: [D, D']\n sum(a, over: D') * x }",
      { 'forward.a': vector(2, 3) },
      [2, 6],
    ],
    [
      'helpers without params',
      'let y = chain l in L carrying x {\n fn f(z: [D]) -> [D] { z + 1 }\n f(x) }\n    chain l in L carrying y {\n fn f(z: [D]) -> [D] { 2 * z }\n f(y) }',
      {},
      [12, 16],
    ],
  ])('%s: right', async (_, body, weights, output) => {
    await runs({ text: blocks(body), weights, inputs: { x }, gives: { output } });
  });
});
