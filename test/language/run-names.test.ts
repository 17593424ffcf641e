/** Results, outputs, losses and states of a run share one map of names: a name that stands twice is a mistake, nothing is lost. */
import { expect, test } from 'vitest';
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import { diagnosticsOf, onKernels, onReference, preparedOf, ready } from './support.ts';

const model = (inside: string): string => `model M {\n  axis T, E = 4\n${inside}\n}\n`;

test.each([
  ['a result and an output', 'forward(x: [T]) -> (y: [T]) {\n output y = 2 * x\n (y: x) }', 'y'],
  [
    'one of two unnamed results and an output',
    'forward(x: [T]) -> ([T], [T]) {\n output output1 = x\n (x, x) }',
    'output1',
  ],
  [
    'the indices of a route and an output',
    'fn q(s: [T, E]) -> [T, E] {\n output indices = s\n s }\n forward(s: [T, E]) -> (q: route[T -> E], y: [T, E]) { (q: top_k(s, 1, over: E), y: q(s)) }',
    'q.indices',
  ],
  [
    'the weights of a route that is an output and an output',
    'fn q(s: [T, E]) -> [T, E] {\n output weights = s\n s }\n forward(s: [T, E]) -> [T, E] {\n output q = top_k(s, 1, over: E)\n q(s) }',
    'q.weights',
  ],
])('%s', (_, inside, name) => {
  const found = diagnosticsOf(model(inside));
  expect(found.map((d) => d.code)).toEqual(['MOE0202']);
  expect(found[0]?.message).toContain(` ${name}:`);
  expect(found[0]?.span).toBeDefined();
  expect(found[0]?.labels).toHaveLength(1);
});

test('an output, a loss and a state may have one name: each is there', async () => {
  const prepared = preparedOf(
    model(
      'state a: f32 = 5\n forward(x: [T]) -> (b: [T]) {\n loss a = sum(x, over: T)\n output a = 2 * x\n update a = a + 1\n (b: x) }',
    ),
  );
  const x: NamedTensor = { element: 'f32', shape: [3], data: Float32Array.of(1, 2, 3) };
  const run = ready(prepared, { inputs: new Map([['x', x]]), stores: new Map([['a', Float64Array.of(5)]]) });
  for (const results of [await onReference(run), await onKernels(run)]) {
    const numbers = Object.fromEntries([...results].map(([name, t]) => [name, Array.from(t.data, Number)]));
    expect(numbers).toEqual({ b: [1, 2, 3], a: [2, 4, 6], 'loss.a': [6], 'state.a': [6] });
  }
});
