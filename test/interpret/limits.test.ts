/** What cannot be written out is told, not tried: by the reference as by the compiler (MOE0504). */
import { expect, test } from 'vitest';
import { analyse } from '../../compiler/front-end.ts';
import { interpretEntry } from '../../dsl/interpret/interpret-entry.ts';
import type { Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';

const text = `model M {
  axis D = 2, L = 1000000007
  forward(x: [D]) -> [D] { chain l in L carrying h = x { 2 * h } }
}
`;

test('a chain of a billion steps', async () => {
  const { program } = analyse({ name: 'm.moe', text });
  if (program === null) throw new Error('the program has mistakes');
  const told: Diagnostic[] = [];
  const { results } = await interpretEntry({
    program,
    entry: 'forward',
    overrides: new Map(),
    inputs: new Map([['x', { shape: [2], data: new Float64Array(2) }]]),
    variables: () => null,
    seed: 0,
    want: { losses: true, outputs: true, updates: true },
    report: (problem) => told.push(problem),
  });
  expect(told.map(({ code }) => code)).toEqual(['MOE0504']);
  expect(results.size).toBe(0);
});
