/** Numbers known when compiling that become i32: whole and of 32 bits, wherever they come from; else a diagnostic with the place. */
import { expect, it } from 'vitest';
import { compileProgram } from '../../compiler/compile.ts';
import { analyse } from '../../compiler/front-end.ts';
import { parseOverrides } from '../../compiler/overrides.ts';
import { webgpuCore } from '../../compiler/target.ts';

const model = (declarations: string, result: string) =>
  `model M {\n  axis T, D = 70000\n  const N = 5\n  ${declarations}\n  forward(ids: i32[T]) -> i32[T] { ${result} }\n}\n`;

/** What is said, and the text it points at. */
function told(text: string, sets: ReadonlyMap<string, string> = new Map()): readonly string[] {
  const front = analyse({ name: 'test.moe', text });
  const found =
    front.program === null
      ? front.diagnostics
      : compileProgram(front.program, { overrides: parseOverrides(sets), target: webgpuCore }).diagnostics;
  return found.map((d) => `${d.code} ${d.span === undefined ? '' : text.slice(d.span.start, d.span.end)}`);
}

const big = 'const B = 3000000000';

it.each([
  ['a literal', model('', 'ids * 3000000000'), 'MOE0755 3000000000'],
  ['a literal folded', model('', 'ids + (2147483647 + 1)'), 'MOE0755 (2147483647 + 1)'],
  ['a literal below', model('', 'ids - (-2147483649)'), 'MOE0755 (-2147483649)'],
  ['a converted literal', model('', 'ids + i32(4000000000)'), 'MOE0755 4000000000'],
  ['a constant', model(big, 'ids * B'), 'MOE0755 B'],
  ['a product of sizes', model('', 'ids + D * D'), 'MOE0755 D * D'],
  ['a side of where', model(big, 'where(ids > 0, ids, B)'), 'MOE0755 B'],
  ['a default of an input', model(`${big}\n  input k: i32 = B`, 'ids + k'), 'MOE0755 B'],
  ['an initial value of a param', model(`${big}\n  param k: i32 = B`, 'ids + k'), 'MOE0755 B'],
  ['a fraction of constants', model('const H = N / 2', 'ids * H'), 'MOE0313 H'],
])('%s', (_, text, said) => {
  expect(told(text)).toEqual([said]);
});

it('what is set from outside', () => {
  expect(told(model('', 'ids * N'), new Map([['N', '3000000000']]))).toEqual(['MOE0755 N']);
  expect(told(model('', 'ids * N'), new Map([['N', '1.5']]))).toEqual(['MOE0313 N']);
  expect(told(model('', 'ids * N'), new Map([['N', '-2147483648']]))).toEqual([]);
});

it.each([
  ['the least and the greatest', model('', 'ids * -2147483648 + 2147483647')],
  ['what only its steps are beyond', model('', 'ids + (2147483648 - 1) + i32(floor(7 / 2))')],
  ['f32, which holds them', model(big, 'i32(f32(ids) * B)')],
])('%s may stand', (_, text) => {
  expect(told(text)).toEqual([]);
});
