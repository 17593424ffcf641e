/** Numbers known when compiling that become i32: whole and of 32 bits, wherever they come from; else a diagnostic with the place. */
import { expect, it } from 'vitest';
import { compileProgram } from '../../compiler/compile.ts';
import { analyse } from '../../compiler/front-end.ts';
import { parseOverrides } from '../../compiler/overrides.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { onKernels, onReference, preparedOf, prepareText, ready } from '../language/support.ts';

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

/** `i32(…)` means the same of what is known when compiling and of what is not: no fraction, within 32 bits. */
const conversions: readonly (readonly [text: string, value: number])[] = [
  ['2.5', 2],
  ['-2.5', -2],
  ['7 / 2', 3],
  ['-7 / 2', -3],
  ['H', 2],
  ['-H', -2],
  ['T / 4', 0],
  ['-5 * T / 4', -3],
  ['sqrt(N)', 2],
  ['4000000000', 2 ** 31 - 1],
  ['-4000000000', -(2 ** 31)],
  ['T * 3000000000', 2 ** 31 - 1],
  ['inf', 2 ** 31 - 1],
  ['-inf', -(2 ** 31)],
  ['2147483646.5', 2 ** 31 - 2],
];

it('a conversion, known or not', async () => {
  const names = conversions.map((_, i) => `k${i}`);
  const results = names.flatMap((name) => [`${name}: i32`, `${name}d: i32[T]`]).join(', ');
  const values = conversions.flatMap(([text], i) => [`k${i}: i32(${text})`, `k${i}d: i32(zero + ${text})`]).join(', ');
  const text = `model M {\n  axis T\n  const N = 5, H = N / 2\n  forward(zero: [T]) -> (${results}) { (${values}) }\n}\n`;
  const inputs = new Map([['zero', { element: 'f32', shape: [3], data: new Float32Array(3) } as const]]);
  const prepared = preparedOf(text);
  const given = ready(prepared, { inputs });
  for (const got of [await onReference(given), await onKernels(given)]) {
    for (const [i, [shown, wanted]] of conversions.entries()) {
      expect([...(got.get(`k${i}`)?.data ?? [])], shown).toEqual([wanted]);
      // What f32 does not hold ends in a neighbour.
      const near = Math.fround(wanted);
      const told = [...(got.get(`k${i}d`)?.data ?? [])][0] ?? NaN;
      expect(Math.abs(told - near), `${shown} of a run`).toBeLessThanOrEqual(Math.abs(near) > 2 ** 24 ? 128 : 0);
    }
  }
});

/** A formula that is no i32 in some run: one condition with its place, whoever runs it. */
it.each([
  ['T * 3000000000', 'T * 3000000000 does not fit i32'],
  ['0 - T * 2000000000', '0 - (T * 2000000000) does not fit i32'],
  ['(T + 1) / 2', '(T + 1) / 2 is not a whole number'],
])('%s in a run', async (formula, said) => {
  const text = `model M {\n  axis T\n  forward(ids: i32[T]) -> i32[T] { ids + (${formula}) }\n}\n`;
  const prepared = preparedOf(text);
  for (const run of [onReference, onKernels]) {
    const given = ready(prepared, { sizes: new Map([['T', 2]]) });
    await expect(async () => run(given)).rejects.toThrow(new RegExp(`MOE0715.*${escaped(said)}.*:3:42`));
  }
  const one = ready(prepared, { sizes: new Map([['T', 1]]) });
  if (formula === '(T + 1) / 2') await expect(onKernels(one)).resolves.toBeDefined();
});

it('what no run makes too large is no condition', () => {
  const { prepared } = prepareText(model('', 'ids + T - 1 + T % 3 + min(T, 5) * 7 + floor(T / 2)'));
  expect(prepared?.manifest.entries.flatMap((e) => e.conditions)).toEqual([]);
});

const escaped = (text: string): string => text.replace(/[*()+/]/g, '\\$&');
