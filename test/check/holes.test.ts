/**
 * Mistakes of syntax that leave a hole in the tree: one mistake, one diagnostic. What could not be read agrees with
 * everything, so the checker says nothing of it, in the declaration with the mistake and in those that use it.
 */
import { describe, expect, test } from 'vitest';
import { analyse } from '../../compiler/front-end.ts';
import { checkProgram } from '../../dsl/check/check-program.ts';
import { libraryFiles } from '../../dsl/std/library.ts';
import { parseFile } from '../../dsl/syntax/parse-file.ts';

const model = (decls: string, body = 'x'): string => `model M {
  axis T, D = 8, G = 4, M = 2, E = 4, S = 4
  const K = 2
  ${decls}
  forward(x: [T, D]) -> [T, D] { ${body} }
}`;

const cases: readonly (readonly [code: string, text: string])[] = [
  ['MOE0108', model('', 'split(x, 2: (G, M)) |> sum(over: (G, M))')],
  ['MOE0108', model('', 'x * (split(x, D + 1: (G, M)) |> sum(over: (G, M)))')],
  ['MOE0108', model('', 'merge(split(x, D: (G, M)), (G, M + 1): D)')],
  ['MOE0108', model('', 'let y = sum(x, 2: D)\n    x + y')],
  ['MOE0108', model('fn f(x: [D]) -> [D] { x }', 'x |> f(2: x)')],
  ['MOE0108', model('axis P = min(2: 3)\n  param w: [P, D]', 'x * sum(w, over: P)')],
  ['MOE0109', model('', 'x + x[0: D]')],
  ['MOE0109', model('', 'x + x[D + 1: 0]')],
  ['MOE0109', model('', 'let y = x[2: 0 .. 4 as S]\n    x + y')],
  ['MOE0109', model('experts ffn[E] = f\n  expert f(x: [D]) -> [D] { x }', 'ffn[2: 0](x)')],
  ['MOE0109', model('experts ffn[E] = f\n  expert f(x: [D]) -> [D] { x }', 'x |> ffn[2: 0]')],
  ['MOE0118', model('axis P = if 0 < K < 9 { 1 } else { 2 }\n  param w: [P, D]', 'x * sum(w, over: P)')],
  ['MOE0118', model('', 'where(0 < x < 1, x, 0)')],
  ['MOE0118', model('', 'where(0 == x == 1, x, 0)')],
  ['MOE0118', model('', 'where(0 < x < 1 < 2 < 3, x, 0)')],
  ['MOE0118', model('const c = 0 < K < 9', 'if c { x } else { 2 * x }')],
];

describe('a hole', () => {
  test.each(cases)('%s: %s', (code, text) => {
    expect(analyse({ name: 'test.moe', text }).diagnostics.map((d) => d.code)).toEqual([code]);
    // Nor does the checker speak of it by itself, when nobody tells it which places were not read.
    const { file } = parseFile({ name: 'test.moe', text });
    const resolve = (name: string) => (name === 'std' ? libraryFiles() : null);
    expect(checkProgram({ main: file, resolve }).diagnostics.map((d) => `${d.code} ${d.message}`)).toEqual([]);
  });
});
