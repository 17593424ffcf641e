/**
 * Wrong texts and what is said about them. `▸` marks, in each text, where the primary caret of a diagnostic must
 * stand; the codes are listed in that order, and there must be no other diagnostics.
 */
import { describe, expect, it } from 'vitest';
import { catalogue } from '../../dsl/diagnostics/catalogue.ts';
import { parse } from './support.ts';

/** A body, in a model that is right. */
const body = (text: string): string => `model M {\n  fn f(x: [T]) -> [T] {\n    ${text}\n  }\n}`;
const item = (text: string): string => `model M {\n  ${text}\n}`;

const wrongTexts: readonly (readonly [codes: string, text: string, says?: RegExp])[] = [
  // characters
  ['MOE0001', body('x ▸# y'), /`#` has no meaning/],
  ['MOE0001', body('x ▸&& y'), /not an operator/],
  ['MOE0001', body('x ▸!= y'.replace('!=', '! y')), /not an operator/],
  ['MOE0001', body('x ▸× y')],
  ['MOE0001', item('axis T▸;')],
  ['MOE0001', item('axis T ▸/* all tokens */')],
  ['MOE0001', body("f(x, ▸'mean)"), /no meaning/],
  ['MOE0003', item('param w: [D] from ▸"abc')],
  ['MOE0004', item('param w: [D] from "a▸\\q"')],
  ['MOE0005', body('x * ▸0x10'), /`0x10` is not a number/],
  ['MOE0005', body('x * ▸1_000')],
  ['MOE0005', body('x * ▸1.')],
  ['MOE0005', body('x * ▸.5')],
  ['MOE0005', body('x * ▸1e')],
  ['MOE0005', body('x * ▸12abc')],
  ['MOE0005', body('x * ▸1.2.3')],
  ['MOE0005', body('x * ▸1e999'), /range/],
  ['MOE0005', body('x * ▸1e-999'), /range/],
  ['MOE0006', body('▸λ * x')],
  ['MOE0006', body('▸х * x'), /`х`/], // Cyrillic
  ['MOE0007', body('x▸\u200b + x'), /U\+200B/],
  ['MOE0007', body('x ▸\u00a0+ x'), /U\+00A0/],
  ['MOE0007', body('x ▸\u0000+ x'), /U\+0000/],
  ['MOE0007', body('x ▸\u2028+ x'), /U\+2028/],
  ['MOE0008', body('x // see ▸\u202e here')],
  ['MOE0008', item('param w: [D] from "a▸\u2028b"')],

  // brackets
  ['MOE0103', body('f▸(x')],
  ['MOE0103', body('let y = f▸(x, g(x)\n    let z = y\n    z')],
  ['MOE0103', body('f(x▸]'), /closed by `\]`/],
  ['MOE0103', 'model M ▸{\n  axis T\n'],
  ['MOE0103', 'model M {\n  fn f(x: [T]) -> [T] ▸{\n    x\n\n  fn g(x: [T]) -> [T] { x }\n}'],
  ['MOE0104', body('x▸)')],
  ['MOE0104', 'model M {\n}\n▸}'],

  // statements, bodies
  ['MOE0101', '▸modle M { }', /found `modle`/],
  ['MOE0101', '▸let x = 3', /found `let`/],
  ['MOE0101', 'model M {\n  axis T = \n▸}', /expected a value, found `}`/],
  ['MOE0101', item('param w ▸[E, D]'), /expected `:`, found `\[`/],
  ['MOE0101', item('param w: [E ▸D]'), /expected `,` or `\]`, found `D`/],
  ['MOE0101', item('forward(x: [T]) ▸[T] { x }'), /expected `->`/],
  ['MOE0101', item('experts f[E] ▸SwiGLU<F>')],
  ['MOE0101', item('param w: [D] from ▸weights'.replace('weights', '3')), /name of a tensor/],
  ['MOE0101', body('top_k(x, k▸=2)'), /found `=`/],
  ['MOE0101', body('x +').replace('\n  }', '\n  ▸}'), /expected a value, found `}`/],
  ['MOE0105', body('x * ▸in'), /`in` is a keyword/],
  ['MOE0101', body('if c { x }').replace('\n  }', '\n  ▸}'), /expected `else`/],
  ['MOE0101', body('chain l ▸of L carrying x { x }'), /expected `in`, found `of`/],
  ['MOE0101', body('a == ▸not b'), /found `not`/],
  ['MOE0101 MOE0101', item('fn f(x [T]) -> [T] { x }'.replace('[T])', '▸[T])')) + '\nmodel ▸{ }'],
  ['MOE0102', body('let y = x\n  ▸').replace('▸\n  }', '▸}')],
  ['MOE0102', body('let y = x\n    -y').replace('\n  }', '\n  ▸}'), /ends without a value/],
  ['MOE0105', item('const ▸state = 3'), /`state` is a keyword/],
  ['MOE0105', item('fn f(▸in: [T]) -> [T] { x }')],
  ['MOE0124', body('x ▸y')],
  ['MOE0124', body('▸return x'), /`return` is no statement/],

  // form
  ['MOE0106', item('expert f▸[E](x: [D]) -> [D] { x }')],
  ['MOE0106', item('expert f = ▸SwiGLU<F>')],
  ['MOE0107', item('experts f[E]▸(x: [D]) -> [D] { x }')],
  ['MOE0122', item('fn f▸<F> = g<F>')],
  ['MOE0108', body('f(▸a + b: c)')],
  ['MOE0108', body('f((▸(a, b + 1)): c)'.replace('(▸(', '▸(').replace('))', ')')).replace('(▸(', '(▸(')],
  ['MOE0109', body('x[▸a + 1: 0]')],
  ['MOE0110', body('let y = ▸(a: x)\n    y')],
  ['MOE0110', body('▸(a: x) + 1')],
  ['MOE0110', body('(a: x, ▸x)')],
  ['MOE0111', body('▸(x,)')],
  ['MOE0111', item('const c = ▸(1,)')],
  ['MOE0112', item('fn f(x: ▸[T -> E]) -> [T] { x }')],
  ['MOE0113', item('fn f(x: [T] of ▸[E]) -> [T] { x }')],
  ['MOE0113', item('fn f(x: ▸route) -> [T] { x }')],
  ['MOE0113', item('fn f(x: route[E] in ▸V) -> [T] { x }')],
  ['MOE0114', body('x + ▸if c { x } else { x }')],
  ['MOE0114', body('▸chain l in L carrying x { x } * 2')],
  ['MOE0114', body('▸if c { x } else { x }[T: 0]')],
  ['MOE0115', body('x |> f ▸* 2')],
  ['MOE0115', body('x |> f(y) ▸== 2')],
  ['MOE0116', item("axis ▸T' = 3")],
  ['MOE0116', body("let ▸y' = x\n    x")],
  ['MOE0117', item('param w: [D] from "w" as [D, ▸2]')],
  ['MOE0117', item('param w: [D] from "w" as [▸0 .. 2]')],
  ['MOE0117', item('param w: [D] from "w" as [▸0.5 of 2]')],
  ['MOE0118', body('a ▸< b < c')],
  ['MOE0119', item('param w: [D] frozen ▸frozen')],
  ['MOE0119', item('param w: [D] from "a" ▸from "b"')],
  ['MOE0120', item('axis S = (a, ▸2)')],
  ['MOE0121', body('x[T: ▸0 .. 2]').replace('T: ▸', '▸T: ')],
  ['MOE0123', item('fn f(x: [T]) -> (a: [T], ▸[T]) { (x, x) }')],
];

describe('wrong texts', () => {
  it.each(wrongTexts.map(([codes, marked, says]) => ({ codes, marked, says })))(
    '$codes: $marked',
    ({ codes, marked, says }) => {
      const places: number[] = [];
      const text = marked.replaceAll(/▸/g, (_, offset: number) => {
        places.push(offset - places.length);
        return '';
      });
      const { diagnostics } = parse(text);
      expect(diagnostics.map((d) => d.code).join(' ')).toBe(codes);
      expect(diagnostics.map((d) => d.span?.start)).toEqual(places);
      if (says) expect(diagnostics[0]?.message).toMatch(says);
      for (const { message } of diagnostics) {
        expect(message).toMatch(/^[a-z`0-9'U(]/);
        expect(message).not.toMatch(/\.$/);
      }
    },
  );

  it('cover every code of lexing and syntax but the limits', () => {
    const limits = ['MOE0002', 'MOE0009', 'MOE0010', 'MOE0011', 'MOE0012', 'MOE0013', 'MOE0014']; // limits.test.ts
    const covered = new Set([...limits, ...wrongTexts.flatMap(([codes]) => codes.split(' '))]);
    const codes = Object.keys(catalogue).filter((code) => /^MOE0[01]/.test(code));
    expect(codes.filter((code) => !covered.has(code))).toEqual([]);
  });
});

describe('fixes', () => {
  it.each([
    [body('x && y'), body('x and y')],
    [body('x * 0x10'), body('x * 16')],
    [body('x * .5'), body('x * 0.5')],
    [body('f(x]'), body('f(x)')],
    [body('let y = f(x\n    let z = y\n    z'), body('let y = f(x)\n    let z = y\n    z')],
    [body('x |> f * 2'), body('(x |> f) * 2')],
    [body('x + if c { x } else { x }'), body('x + (if c { x } else { x })')],
    [item('fn f(x: [T -> E]) -> [T] { x }'), item('fn f(x: route[T -> E]) -> [T] { x }')],
  ])('make %j right', (wrong, right) => {
    const edits = parse(wrong).diagnostics.flatMap((d) => d.fix ?? []);
    const fixed = edits
      .toSorted((a, b) => b.span.start - a.span.start)
      .reduce((text, { span, replacement }) => text.slice(0, span.start) + replacement + text.slice(span.end), wrong);
    expect(fixed).toBe(right);
    expect(parse(fixed).diagnostics).toEqual([]);
  });
});
