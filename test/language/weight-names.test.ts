/** Where the params of a program are in a checkpoint: whose name counts, and what stands in front of it. */
import { expect, test } from 'vitest';
import { diagnosticsOf, prepareText } from './support.ts';

const templates = `fn One<I>(x: [I]) -> [I] {
  param a: [I], b: [I]
  a * x + b
}
fn Two<I, i = 0>(x: [I]) -> [I] {
  param c: [I] from "{i}.c"
  fn one = One<I> from "{i + 1}.{param}"
  c * one(x)
}
`;

function namesOf(from: string): readonly string[] {
  const { prepared, diagnostics } = prepareText(modelOf(from));
  if (prepared === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
  return prepared.compilation.elaboration.variables.flatMap(({ slices: cells }) =>
    (cells ?? []).map((cell) => cell.tensor),
  );
}

const modelOf = (from: string): string =>
  `${templates}model M {\n  axis D = 2\n  fn f = Two<D> ${from}\n  forward(x: [D]) -> [D] { f(x) }\n}\n`;

test.each([
  ['without a word the names are as the template says them', '', ['0.c', '1.a', '1.b']],
  ['a prefix stands in front of names that are said', 'from "p."', ['p.0.c', 'p.1.a', 'p.1.b']],
  ['{param} at the end stands for them', 'from "p.{param}"', ['p.0.c', 'p.1.a', 'p.1.b']],
  ['a record names one, the prefix is for all', 'from "p." { c: "mine" }', ['p.mine', 'p.1.a', 'p.1.b']],
  ['a record reaches inner instances', 'from "p." { one.a: "mine" }', ['p.0.c', 'p.mine', 'p.1.b']],
])('%s', (_, from, names) => {
  expect(namesOf(from)).toEqual(names);
});

test('a record says how a tensor is stored, whatever the template says', () => {
  const text = (record: string): string => `model M {
  axis D = 2, A = 2, B = 3
  expert Scale(x: [D]) -> [D] {
    param w: [D] from "weight"
    w * x
  }
  experts ffn[A, B] = Scale from "e." { w: ${record} }
  forward(x: [D]) -> [D] { sum(ffn(x), over: (A, B)) }
}
`;
  const { prepared } = prepareText(text('"stacked" as [(A, B), D]'));
  const cells = prepared?.compilation.elaboration.variables.flatMap((s) => s.slices ?? []);
  expect(cells?.map(({ tensor, shape }) => [tensor, shape])).toEqual([['e.stacked', [6, 2]]]);
});

test.each([
  ['{param} in the middle, where names are said', 'from "p.{param}.weight"'],
  ['no {param}, where one name is not said', 'from "p."'],
])('%s is a mistake', (_, from) => {
  const text = modelOf(from).replace(from.includes('{') ? '' : ' from "{i}.c"', '');
  expect(diagnosticsOf(text).map((d) => d.code)).toEqual(['MOE0685']);
});
