/**
 * Which members of a family are called, and along what something is stored, is known when compiling. What a run decides, a fraction, a
 * float and a point outside are told, in a call, in a union and in an instance of a template: each of them once gave another member,
 * without a word.
 */
import { expect, test } from 'vitest';
import type { Code } from '../../dsl/diagnostics/diagnostic.ts';
import { diagnosticsOf } from './support.ts';

const model = (decls: string, body: string): string => `import { SwiGLU } from "std"
model M {
  axis T, D = 4, E = 3, S = 2, R = T
  fn f[l in E](x: [D]) -> [D] { x * (l + 1) }
  fn g(x: [D]) -> [D] { 5 * x }
  fn inner<B>(x: [D]) -> [D] {
    fn h[B](x: [D]) -> [D] { x }
    h[B: 0](x)
  }
  fn stored<B>(x: [D]) -> [D] {
    axis W = B
    param w: [W]
    x * sum(w, over: W)
  }
  ${decls}
  forward(x: [T, D], y: [E, D]) -> [T, D] { ${body} }
}`;

test.each<[string, Code, string, string]>([
  ['a member that a run would choose', 'MOE0358', '', 'f[E: T - 1](x)'],
  ['a range that begins where a run says', 'MOE0358', '', 'sum(f[E: T - 1 .. T + 1 as S](x), over: S)'],
  ['as many members as a run says', 'MOE0358', '', 'sum(f[E: 0 .. T as R](x), over: R)'],
  ['a member of a union that a run would choose', 'MOE0358', 'experts mix[P] = f[E: T - 1] | g', 'mix[P: 0](x)'],
  ['a member of a union that is not there', 'MOE0352', 'experts mix[P] = f[E: 7] | g', 'mix[P: 0](x)'],
  ['a range in a union that leaves its axis', 'MOE0352', 'experts mix[P] = f[E: 2 .. 4 as S] | g', 'mix[P: 0](x)'],
  ['a range in a union of another size', 'MOE0351', 'experts mix[P] = f[E: 0 .. 1 as S] | g', 'mix[P: 0](x)'],
  ['a member at a float', 'MOE0350', '', 'f[E: exp(0)](x)'],
  ['a point at a float', 'MOE0350', '', 'x + y[E: exp(0)]'],
  ['a range that begins at a float', 'MOE0350', '', 'x + sum(y[E: exp(0) .. 3 as S], over: S)'],
  ['a family of an instance over what a run decides', 'MOE0321', 'fn i = inner<T>', 'i(x)'],
  ['a param of an instance over what a run decides', 'MOE0321', 'fn i = stored<T>', 'i(x)'],
  ['a param of an instance with half a point', 'MOE0350', 'experts e = SwiGLU<D / 8>', 'e(x)'],
])('%s is %s', (_, code, decls, body) => {
  expect(diagnosticsOf(model(decls, body)).map((d) => d.code)).toEqual([code]);
});

test.each([
  ['a member by a number', '', 'f[E: 7 - 6](x)'],
  ['a member of a union', 'experts mix[P] = f[E: 2] | g', 'mix[P: 0](x)'],
  ['an instance of fixed size', 'fn i = stored<D / 2>', 'i(x) + x[T: T - 1]'],
])('%s is right', (_, decls, body) => {
  expect(diagnosticsOf(model(decls, body))).toEqual([]);
});
