/**
 * Deep programs: long rows, pipes, functions that call one another, constants made of constants. They run by every executor, and what
 * is too deep is refused with a code and a place, never by the stack.
 */
import { describe, expect, it } from 'vitest';
import { differences, onKernels, onReference, prepareText, ready } from './support.ts';

const rows = (n: number, row: (i: number) => string, between = '\n'): string =>
  Array.from({ length: n }, (_, i) => row(i)).join(between);
const model = (body: string, declarations = ''): string =>
  `model M {\n  axis T, D = 2\n${declarations}\n  forward(x: [T, D]) -> [T, D] {\n${body}\n  }\n}\n`;

const calling = (n: number): string =>
  model(
    `fn${n - 1}(x)`,
    rows(n, (i) => `fn fn${i}(y: [D]) -> [D] { ${i === 0 ? 'y' : `fn${i - 1}(y)`} + 1 }`),
  );
const constants = (n: number): string =>
  model(
    `x + c${n - 1}`,
    rows(n, (i) => `const c${i} = ${i === 0 ? '1' : `c${i - 1} + 1`}`),
  );
const angle = (n: number): string =>
  model(`${rows(n, (i) => `let a${i} = ${i === 0 ? '0.01 * iota(D)' : `a${i - 1}`} + 0.01`)}\nx + cos(a${n - 1})`);

/** A tensor of many axes of one point, from an input and a param. */
const axes = (n: number): string => {
  const names = rows(n, (i) => `A${i}`, ', ');
  return `model M {\n  axis T\n  axis ${rows(n, (i) => `A${i} = 1`, ', ')}\n  param w: [${names}]\n  forward(x: [T]) -> [T, ${names}] { x * w }\n}`;
};

describe('deep programs', () => {
  it.each([
    ['a row of a thousand terms', model(rows(1000, (i) => (i % 2 === 0 ? 'x' : '0.5 * x'), ' - '))],
    ['a condition of a thousand parts', model(`where(${rows(1000, () => 'x > 0', ' and ')}, x, 0)`)],
    ['a pipe of a thousand steps', model(`x${' |> abs'.repeat(1000)}`)],
    ['three hundred functions', calling(300)],
    ['three hundred constants', constants(300)],
    ['an angle of a thousand steps', angle(1000)],
    ['a hundred axes', axes(100)],
  ])('%s', async (_, text) => {
    const { prepared, diagnostics } = prepareText(text);
    if (prepared === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
    const run = ready(prepared, { sizes: new Map([['T', 2]]) });
    expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
  });

  it.each([
    ['a row of ten thousand terms', model(rows(10_000, () => 'x', ' + ')), 'MOE0014'],
    ['a thousand functions', calling(1000), 'MOE0504'],
    ['two thousand constants', constants(2000), 'MOE0504'],
    ['a thousand axes', axes(1000), 'MOE0504'],
  ])('%s: refused', (_, text, code) => {
    const { prepared, diagnostics } = prepareText(text);
    expect(prepared).toBe(null);
    expect(diagnostics.map((d) => d.code)).toContain(code);
    expect(diagnostics.every((d) => d.span !== undefined)).toBe(true);
  });
});
