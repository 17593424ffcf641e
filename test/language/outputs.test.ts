/** In which order the axes of an output stand: as the type of its value says, which an annotated `let` may turn. */
import { expect, test } from 'vitest';
import { onKernels, onReference, preparedOf, ready } from './support.ts';

const text = `model Order {
  axis B = 2, T, E = 3
  forward(s: [B, T, E]) -> [B] {
    let r: route[E, B -> T] = top_k(s, 1, over: T)
    let d: [E, B, T] = dense(r)
    output turned = r
    output numbers = d
    output made = top_k(s, 1, over: T)
    sum(s, over: (T, E))
  }
}
`;

test.each([
  ['the reference', onReference],
  ['the kernels', onKernels],
] as const)('%s', async (_, run) => {
  const prepared = preparedOf(text);
  const results = await run(ready(prepared, { sizes: new Map([['T', 4]]) }));
  expect(results.get('made')?.shape).toEqual([2, 3, 4]);
  expect(results.get('turned')?.shape).toEqual([3, 2, 4]);
  expect(results.get('turned.indices')?.shape).toEqual([3, 2, 1]);
  expect([...(results.get('turned')?.data ?? [])]).toEqual([...(results.get('numbers')?.data ?? [])]);
});
