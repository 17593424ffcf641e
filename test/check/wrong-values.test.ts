/**
 * Wrong values: arguments, tuples, indices, chains and conditions that do not fit their place. Each gives exactly one diagnostic,
 * at the marked place, and says in the program's own names what is there and what is wanted.
 */
import { describe, expect, test } from 'vitest';
import type { Code } from '../../dsl/diagnostics/diagnostic.ts';
import { checkText, inRouter, model, unmark, withFfn } from './support.ts';

const gate = 'param g: [E, D]\n  router gate(x: [D]) -> route[E] { top_k(g @ x, 2, over: E) }';
const two = 'fn two(a: [D]) -> (b: [D], c: [D]) { (a, a) }';
const take = 'fn take(a: [D]) -> [D] { a }';
const dense = 'fn f(r: route[E]) -> f32 { sum(dense(r), over: E) }';
const chain = (collecting: string, body: string): string =>
  `let (y, _) = chain l in L carrying h = x collecting ${collecting} { ${body} } y`;

const cases: readonly (readonly [title: string, code: Code, marked: string, says: string])[] = [
  // arguments
  [
    'a family for a tensor',
    'MOE0205',
    withFfn('x', `${take}\n  fn f(a: [D]) -> [D] { take(‸ffn) }`),
    'ffn is a family of experts, not a value',
  ],
  ['a tuple for a tensor', 'MOE0307', model(`${two}\n  ${take}`, 'take(‸two(x))'), 'a is [D], this is a tuple of 2'],
  ['a bool for a number', 'MOE0307', model(take, 'take(‸true)'), 'a is declared [D], this is a bool'],
  [
    'another element type',
    'MOE0307',
    model('fn f(i: i32[D]) -> [D] { f32(i) }', 'f(‸x)'),
    'i is declared i32[D], this is [T, D]',
  ],
  [
    'indices of another axis for an argument',
    'MOE0307',
    model('fn f(i: i32[T] in E) -> [T] { f32(i) }\n  other(i: i32[T] in L) -> [T] { f(‸i) }'),
    'i indexes E, these indices are in L',
  ],
  [
    'indices of another axis for a result',
    'MOE0307',
    model('other(i: i32[T] in L) -> i32[T] in E { ‸i }'),
    'these indices are in L, the result of other wants them in E',
  ],
  [
    'a lifted route without the axis',
    'MOE0302',
    model(`${gate}\n  ${take}`, 'x + take(‸gate(x)) @ ones[E]'),
    'a needs the axis D, this is route[T -> E]',
  ],
  [
    'a route over other axes',
    'MOE0302',
    model(`${gate}\n  fn f(r: route[L]) -> f32 { sum(dense(r), over: L) }`, 'x * f(‸gate(x))'),
    'r needs the axis L, this is route[T -> E]',
  ],
  [
    'a route without the payload',
    'MOE0302',
    model(`${gate}\n  fn f(r: route[E] of [D]) -> [D] { r @ ones[E] }`, 'x * f(‸gate(x))'),
    'r needs the axis D, this is route[T -> E]',
  ],
  [
    'a declared route without the payload',
    'MOE0307',
    model(gate, 'let r: route[T -> E] of [D] = ‸gate(x) x'),
    'r is declared route[T -> E] of [D], this is route[T -> E]',
  ],
  [
    'a route of ranks for one of weights',
    'MOE0307',
    model(`${gate}\n  ${dense}`, 'x * f(‸rank(gate(x)))'),
    'r is declared route[E], this is route[T -> E] of i32',
  ],
  [
    'a declared route of another element type',
    'MOE0307',
    model(gate, 'let r: route[T -> E] = ‸rank(gate(x)) x'),
    'r is declared route[T -> E], this is route[T -> E] of i32',
  ],
  [
    'a route that could be of two parts of a union',
    'MOE0416',
    withFfn(
      'x',
      'experts more[L, E] = SwiGLU<F>\n  experts mix[L, P] = ffn | more\n  fn f(q: route[P]) -> f32 { sum(dense(q), over: P) }\n  router r(s: [E]) -> route[E] { let y = f(‸top_k(s, 2, over: E)) top_k(y * s, 2, over: E) }',
    ),
    'this route[E] could be of ffn or more, which have the same axes',
  ],

  // arguments of primitives
  ['a family for an argument', 'MOE0205', withFfn('relu(‸ffn)'), 'ffn is a family of experts, not a value'],
  ['an argument twice', 'MOE0328', model('', 'clamp(x, low: 0, ‸low: 1)'), 'low is given twice'],
  ['an axis twice', 'MOE0328', model('', 'softmax(x, over: D, ‸over: T)'), 'over is given twice'],
  ['no pair of axes', 'MOE0328', model('', '‸rename(x)'), 'rename needs a pair of axes'],
  ['a number where axes stand', 'MOE0204', model('', 'x + zeros[‸2]'), 'zeros takes axes'],
  ['an unknown axis of zeros', 'MOE0201', model('', 'x + zeros[‸Q]'), 'no axis is called Q'],
  [
    'is without an axis',
    'MOE0328',
    withFfn('where(‸is(L), x, 0)'),
    'is needs the axis of a union and one of its parts',
  ],
  [
    'is of a number',
    'MOE0411',
    withFfn('x', 'experts mix[L, P] = ffn | ffn\n  fn f(s: [P]) -> [P] { where(is(P: ‸1 + 2), s, 0) }'),
    'the name of a part is wanted here',
  ],
  [
    'a part that stands twice',
    'MOE0411',
    withFfn('x', 'experts mix[L, P] = ffn | ffn\n  fn f(s: [P]) -> [E] { s[P: ‸ffn] }'),
    'ffn is a part of mix more than once',
  ],

  // tuples
  [
    'a tuple for a result',
    'MOE0307',
    model(two, '‸two(x)'),
    'the result of forward is declared [T, D], this is (b: [T, D], c: [T, D])',
  ],
  [
    'a value for a tuple',
    'MOE0307',
    model('other(x: [D]) -> (p: [D], q: [D]) { ‸x }'),
    'the result of other is declared (p: [D], q: [D]), this is [D]',
  ],
  [
    'a tuple of more items',
    'MOE0307',
    model(`${two}\n  other(x: [D]) -> (p: [D], q: [D], r: [D]) { ‸two(x) }`),
    'the result of other is declared (p: [D], q: [D], r: [D]), this is (b: [D], c: [D])',
  ],
  [
    'a tuple of a call whose items are smaller',
    'MOE0307',
    model('fn pair(a: f32) -> (b: f32, c: f32) { (a, a) }\n  other(x: [D]) -> (p: [D], q: [D]) { ‸pair(1) }'),
    'the result of other is declared (p: [D], q: [D]), this is (b: f32, c: f32)',
  ],
  ['a pattern with a name twice', 'MOE0202', model('', 'let (a, ‸a) = (x, x) a'), 'a stands twice in this pattern'],
  [
    'an output of a tuple',
    'MOE0339',
    model('', 'output o = ‸(x, x) x'),
    'an output is one tensor or route, this is a tuple',
  ],
  [
    'an index of a tuple',
    'MOE0329',
    model(two, '‸two(x)[D: 0] + x'),
    'this is a tuple, (b: [T, D], c: [T, D]), and has no axes',
  ],

  // indices
  ['an index along an unknown axis', 'MOE0201', model('', 'x[‸Q: 0]'), 'no axis is called Q'],
  ['a range under an unknown axis', 'MOE0201', model('', 'let y = x[D: 0 .. 2 as ‸Q] x'), 'no axis is called Q'],
  [
    'a range that ends at a computed place',
    'MOE0305',
    model('', 'let y = x[D: ‸0 .. sum(x, over: (T, D)) as H] x'),
    'the ends of a range must be known when compiling',
  ],
  ['a family as an index', 'MOE0412', withFfn('x + x[D: ‸ffn]'), 'D is not the axis of a union, it has no part ffn'],
  ['a tuple as an index', 'MOE0316', model('', 'x + x[D: ‸(1, 2)]'), 'this cannot be an index'],
  [
    'a param of a slice along an axis the family lacks',
    'MOE0315',
    withFfn('x + sum(ffn[‸H: 0].w1, over: (L, E, F))'),
    'ffn has no axis H, it has [L, E]',
  ],
  [
    'a param over an axis of an inner body',
    'MOE0214',
    model(
      'fn outer(x: [D]) -> [D] { axis K = 3\n  fn inner[K](y: [D]) -> [D] { param b: [D] y + b }\n  sum(inner(x), over: K) }',
      'x + ‸outer.inner.b',
    ),
    "b runs over K, an axis of outer's own, which has no name here",
  ],
  [
    'a param that would have an axis twice',
    'MOE0214',
    model(
      'fn outer[H](x: [D]) -> [D] { fn inner[H](y: [D]) -> [D] { param b: [D] y + b }\n  sum(inner(x), over: H) }',
      'x + sum(‸outer.inner.b, over: H)',
    ),
    'b would have the axis H twice',
  ],

  // chains
  [
    'an index named like an axis',
    'MOE0203',
    model('', 'chain ‸E in L carrying h = x { h }'),
    'E is an axis, which a value does not shadow',
  ],
  [
    'a known number collected',
    'MOE0312',
    model('', chain('‸k', 'let k = 2 h')),
    'k is known when compiling, there is nothing to collect',
  ],
  [
    'a let collected that is another',
    'MOE0312',
    model('', chain('‸p', 'let q = h q')),
    "the chain's body has no `let p` to collect",
  ],
  [
    'a tuple collected',
    'MOE0312',
    model(two, chain('‸p', 'let p = two(h) h')),
    'p is a tuple, its items are collected one by one',
  ],
  [
    'a chain over an unknown axis that collects',
    'MOE0201',
    model('', chain('p', 'let p = h p').replace('in L', 'in ‸Q')),
    'no axis is called Q',
  ],
  [
    'a step that gives less than it carries',
    'MOE0310',
    model('param w: [D]', 'chain l in L carrying h = x { ‸w }'),
    'the carried h is declared [T, D], this is [D]',
  ],

  // conditions
  [
    'an if on a number',
    'MOE0304',
    model('', 'if ‸D { x } else { 0 }'),
    'the condition of an if is a bool, this is a number',
  ],
  [
    'an if of a number and a bool',
    'MOE0309',
    model('axis P = ‸if D > 1 { 1 } else { true }'),
    'one side of the if is a number, the other a bool',
  ],
  [
    'sides of tuples that differ in an item',
    'MOE0309',
    model('', 'let (a, b) = if E > 1 { (x, ones[E]) } else { (x, ‸ones[H]) } a'),
    'the other side of the if is [E], this is [H]',
  ],
  [
    'sides of tuples of two lengths',
    'MOE0309',
    model('', 'let (a, b) = if E > 1 { (x, x) } else { ‸(x, x, x) } a'),
    'the other side of the if is ([T, D], [T, D]), this is ([T, D], [T, D], [T, D])',
  ],
  ['a number required', 'MOE0441', model('', 'require ‸D x'), 'what is required is a condition, this is a number'],
  [
    'a value required',
    'MOE0441',
    model('', 'require ‸sum(x, over: (T, D)) x'),
    'what is required is a condition, this is f32',
  ],
  [
    'a route required',
    'MOE0441',
    model(gate, 'require ‸gate(x) x'),
    'what is required is a condition, this is route[T -> E]',
  ],
  ['an unknown name required', 'MOE0201', model('', 'require ‸y > 0 x'), 'nothing is called y'],
  [
    'a text with a brace in braces',
    'MOE0361',
    model('', 'require D > 1 else ‸"{{D}" x'),
    'this text has a brace within braces',
  ],
  [
    'a text with a brace that closes nothing',
    'MOE0361',
    model('', 'require D > 1 else ‸"D}" x'),
    'this text has a brace that closes nothing',
  ],
  ['a text with an expression', 'MOE0361', model('', 'require D > 1 else ‸"{D + 1}" x'), 'this text has `{D + 1}`'],
  [
    'a text with a family',
    'MOE0205',
    withFfn('require D > 1 else ‸"{ffn}" x'),
    'ffn is a family of experts, not a value',
  ],

  // numbers known when compiling
  ['a string in a sum', 'MOE0304', model('', 'x + ‸"a"'), 'a number is wanted here, this is a string'],
  ['a bool for a param', 'MOE0307', model('param w: [D] = ‸true'), 'w is declared [D], this is a bool'],
  [
    'infinity for an integer',
    'MOE0313',
    model('param i: i32[D] = ‸-inf'),
    'an integer is wanted here, this is infinite',
  ],
  ['a bool for a size', 'MOE0304', model('axis P = ‸true'), 'a number is wanted here, this is a bool'],
  ['a family for a size', 'MOE0205', withFfn('x', 'axis P = ‸ffn'), 'ffn is a family of experts, not a value'],
  [
    'a number of what to choose that only a run knows',
    'MOE0436',
    inRouter('top_k(w @ x, ‸sum(i32(x), over: D), over: E)'),
    'this k is known only when the model runs',
  ],
  ['a twin of a value', 'MOE0204', model('', "x + ‸x'"), 'only an axis has twins, x is a value'],
];

describe('a wrong value', () => {
  test.each(cases)('%s: %s', (_, code, marked, says) => {
    const { text, place } = unmark(marked);
    const { program, places, diagnostics } = checkText(text);
    expect(diagnostics.map((d) => d.message)).toEqual([says]);
    expect(places).toEqual([`${code} ${place}`]);
    expect(program).toBeNull();
  });
});

describe('what a chain collects', () => {
  test.each([
    ['p', 'let q = h q', 'its lets are q'],
    ['p', 'let _ = h h', 'bind it: let p = …'],
    ['_', 'let _ = h h', 'bind it: let a = …'],
  ])('%s of { %s }: %s', (name, body, help) => {
    expect(checkText(model('', chain(name, body))).diagnostics.map((d) => d.help)).toEqual([help]);
  });
});

describe('a step that grows', () => {
  /** Where the family is named in the step, and what the help says of it. */
  test.each([
    ['an if', 'if D > 1 { sum(ffn(h), over: E) } else { h * ones[L] }'],
    ['a chain in it', 'chain i in H carrying g = sum(ffn(h), over: E) { g }'],
    ['a declared let', 'let a: [L, T, D] = sum(ffn(h), over: E)\n    a'],
    ['a let that is read twice', 'let a = 2 * h\n    a + a + sum(ffn(a), over: E)'],
  ])('names the family that is called for every point, behind %s', (_, step) => {
    const { diagnostics } = checkText(withFfn(`chain l in L carrying h = x { ${step} }`));
    expect(diagnostics.map((d) => `${d.code} ${d.help}`)).toEqual(['MOE0310 say whose it is in this step: `ffn[l]`']);
  });

  test.each([
    ['a choice', 'let k = if D > 1 { h } else { 2 * h }\n    k + x'],
    ['a tuple', 'let p = (h, x)\n    let (a, b) = p\n    a + b'],
    ['two calls', 'let (a, b) = two(h)\n    let c = chain i in H carrying g = a { g * b }\n    c + x'],
  ])('says what it starts as where no family is to blame: %s', (_, step) => {
    const { diagnostics } = checkText(
      model(`param w: [D]\n  ${two}`, `let q = chain l in L carrying h = w { ${step} }\n    x`),
    );
    expect(diagnostics.map((d) => `${d.code} ${d.message}`)).toEqual([
      'MOE0310 h starts as [D], a step makes it [D, T]',
    ]);
  });
});
