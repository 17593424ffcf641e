/** A family whose members compute the same gives what one gives whose members have params of their own with the same numbers. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { onKernels, onReference, preparedOf, ready } from './support.ts';

const file = new URL('../fuzz/findings/routes-of-the-same-members.moe', import.meta.url);

it.each([
  ['reference', onReference],
  ['kernels', onKernels],
] as const)('on %s', async (_, execute) => {
  const prepared = preparedOf(readFileSync(file, 'utf8'), { name: 'model.moe' });
  const stores = new Map(
    prepared.manifest.stores.flatMap(({ path }) =>
      path.startsWith('own.') ? [[path, new Float64Array(4).fill(1)] as const] : [],
    ),
  );
  const results = await execute(ready(prepared, { sizes: new Map([['T', 3]]), stores, seed: 5 }));
  const names = [...results.keys()].filter((name) => name.includes('one'));
  expect(names).toHaveLength(18);
  for (const name of names) {
    const [one, own] = [results.get(name), results.get(name.replace('one', 'own'))];
    expect(own?.shape, name).toEqual(one?.shape);
    one?.data.forEach((x, i) => expect(own?.data[i], `${name}[${i}]`).toBeCloseTo(x, 5));
  }
});
