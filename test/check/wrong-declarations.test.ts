/**
 * Wrong declarations: names that stand twice, templates and unions that do not fit, names of stored tensors that cannot be read.
 * Each gives exactly one diagnostic, at the marked place, and says in the program's own names what is wrong.
 */
import { describe, expect, test } from 'vitest';
import type { Code } from '../../dsl/diagnostics/diagnostic.ts';
import { checkText, model, unmark, withFfn } from './support.ts';

const scaled = 'expert X<K = 2>(x: [D]) -> [D] { x * K }';
const stored = (name: string): string => model(`const K = 2\n  param w: [E, D] from "a.${name}"`);

const cases: readonly (readonly [title: string, code: Code, marked: string, says: string])[] = [
  // names
  [
    'two results of one name',
    'MOE0202',
    model('two(x: [D]) -> (a: [D], ‸a: [D]) { (x, x) }'),
    'two results are called a',
  ],
  ['two points of one name', 'MOE0202', model('axis Other = (a, ‸a)'), 'Other has two points called a'],
  [
    'two parameters of one name',
    'MOE0202',
    model('expert X<A, ‸A>(x: [D]) -> [D] { x }'),
    'X has two parameters called A',
  ],
  [
    'two models of one name',
    'MOE0202',
    `${model('')}\n${model('').replace('model M', 'model ‸M')}`,
    'two models are called M',
  ],
  [
    'one name imported twice',
    'MOE0202',
    `import { SwiGLU, ‸SwiGLU } from "std"\n${model('')}`,
    'SwiGLU is declared twice',
  ],
  [
    'a parameter named like a primitive',
    'MOE0203',
    model('expert X<‸sum>(x: [D]) -> [D] { x }'),
    'sum is a name of the language',
  ],
  ['an axis twice in a family', 'MOE0301', model('fn f[L, ‸L](x: [D]) -> [D] { x }'), 'L stands twice in this family'],
  [
    'an axis twice in a route',
    'MOE0301',
    model('router r(x: [D]) -> route[E -> ‸E] { x }'),
    'E stands twice in this type',
  ],
  ['floats in an axis', 'MOE0215', model('input a: f32[T] in ‸E'), 'only i32 indexes an axis, this is f32'],
  [
    'a const of a body without a value',
    'MOE0305',
    model('fn f(x: [D]) -> [D] { const ‸k x }'),
    'k has no value: only a const of the model may come from outside',
  ],

  // templates
  [
    'a template as a value',
    'MOE0403',
    `import { SwiGLU } from "std"\n${model('', 'x + ‸SwiGLU')}`,
    'SwiGLU is a template, not a value',
  ],
  ['a number given twice', 'MOE0404', model(`${scaled}\n  experts e = X<1, ‸K: 2>`), 'K is given twice'],
  ['a bool for a number', 'MOE0404', model(`${scaled}\n  experts e = X<‸true>`), 'K is a number known when compiling'],
  [
    'a param for a number',
    'MOE0404',
    model(`param w: [D]\n  ${scaled}\n  experts e = X<‸w>`),
    'K is a number known when compiling',
  ],
  [
    'an unknown name for a number',
    'MOE0201',
    model(`${scaled}\n  experts e = X<‸nothing>`),
    'nothing is called nothing',
  ],
  [
    'an unknown name within a size',
    'MOE0201',
    `import { SwiGLU } from "std"\n${model('experts e = SwiGLU<‸k + 1>')}`,
    'nothing is called k',
  ],
  [
    'a number that is missing',
    'MOE0405',
    model('expert X<K>(x: [D]) -> [D] { x * K }\n  experts e = ‸X'),
    'X needs the number K',
  ],
  [
    'a size for an axis of the signature',
    'MOE0404',
    model('expert X<A>(x: [A]) -> [A] { x }\n  experts e = X<‸3>'),
    'A is an axis of what X takes and gives: an axis is wanted here, not a size',
  ],
  [
    'an instance over an axis that is broken',
    'MOE0201',
    'import { Zero } from "std"\nmodel M { axis T, D = ‸Q + 1\n experts e = Zero\n forward(x: [T, D]) -> [T, D] { e(x) } }',
    'nothing is called Q',
  ],
  [
    'a template called directly that lacks an axis',
    'MOE0405',
    `expert Y(x: [Q]) -> [Q] { x }\n${model('', 'x + ‸Y(x)')}`,
    'Y needs an axis Q, which is not declared here',
  ],
  [
    'a template over an axis of unknown size',
    'MOE0321',
    `import { SwiGLU } from "std"\n${model('experts ffn[E] = ‸SwiGLU<T>')}`,
    'w1 of SwiGLU would run over T, whose size is known only at a run',
  ],

  // unions and paths
  [
    'an instance over an axis that nobody declares',
    'MOE0201',
    `import { SwiGLU } from "std"\n${model('experts ffn[‸Q] = SwiGLU<F>')}`,
    'no axis is called Q',
  ],
  [
    'a union over an axis that no member has',
    'MOE0409',
    withFfn('x', 'experts ‸mix[H, P] = ffn | ffn'),
    'no member of mix has the axis H',
  ],
  [
    'a const as a member',
    'MOE0410',
    withFfn('x', 'const K = 2\n  experts mix[L, P] = ffn | ‸K'),
    'K is a const, a member of a union is a family of functions',
  ],
  [
    'a path through a param',
    'MOE0214',
    model('fn f(x: [D]) -> [D] { param b: [D] x + b }', 'x + f.‸b.c'),
    'b is not a param of f',
  ],
  [
    'a path that ends in a function',
    'MOE0214',
    model('fn f(x: [D]) -> [D] { fn g[H](y: [D]) -> [D] { param b: [D] y + b }\n  sum(g(x), over: H) }', 'x + f.‸g'),
    'g is not a param of f',
  ],
  [
    'a path to a param that is broken',
    'MOE0201',
    model('expert Y(x: [D]) -> [D] { param b: [‸Q] x }\n  experts e = Y from "a." { b: "c" }', 'x + e.b'),
    'no axis is called Q',
  ],

  // names and orders of stored tensors
  ['a brace that closes nothing', 'MOE0680', stored('‸}E'), 'this brace closes nothing'],
  ['a brace in braces', 'MOE0680', stored('{‸{E}}'), '{ was not expected here'],
  ['two names in braces', 'MOE0680', stored('{E ‸E}'), 'E was not expected here'],
  ['an operator in front', 'MOE0680', stored('{‸* 2}'), '* was not expected here'],
  ['an operator in front, in parentheses', 'MOE0680', stored('{(‸+) + 1}'), '+ was not expected here'],
  ['a parenthesis that is not closed', 'MOE0680', stored('{‸(E + 1}'), 'this parenthesis is not closed'],
  ['a number in a group of axes', 'MOE0680', stored('{(E, ‸2)}'), 'the name of an axis is wanted here'],
  ['a constant in a group of axes', 'MOE0680', stored('{(E, ‸K)}'), 'only axes are counted as a group'],
  ['a group of axes that is not closed', 'MOE0680', stored('{(E, ‸D}'), 'a group of axes is written (G, M)'],
  ['a group of axes in a sum', 'MOE0680', stored('{(E, D) + ‸1}'), 'a group of axes is written (G, M)'],
  [
    'an axis of a group that the tensor lacks',
    'MOE0681',
    stored('{(E, ‸Q)}'),
    'Q is no axis of the tensor, which has [E, D], and no constant in sight',
  ],
  [
    'a constant that is broken',
    'MOE0201',
    model('param w: [E, D] from "a.{k}.{E}"\n  const k = ‸Q + 1'),
    'nothing is called Q',
  ],
  [
    'an encoding of too few tensors',
    'MOE0684',
    model('param w: [E, D] from ‸mxfp4("a")'),
    'mxfp4 is made of 2 tensors, this names 1',
  ],
  [
    'a range that is no part',
    'MOE0682',
    model('param w: [E, D] from "a" as [(‸2 .. 1 of 4, E), D]'),
    '2 .. 1 of 4 is no part of 4',
  ],
  [
    'an axis twice in a stored order',
    'MOE0682',
    model('param w: [E, D] from "a" as [E, D, ‸E]'),
    'E stands twice in the stored order',
  ],
];

describe('a wrong declaration', () => {
  test.each(cases)('%s: %s', (_, code, marked, says) => {
    const { text, place } = unmark(marked);
    const { program, places, diagnostics } = checkText(text);
    expect(diagnostics.map((d) => d.message)).toEqual([says]);
    expect(places).toEqual([`${code} ${place}`]);
    expect(program).toBeNull();
  });
});
