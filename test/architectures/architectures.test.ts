/** Every architecture on the reference interpreter and on the kernels, at several sizes, compared by the bound derived for each number. */
import { describe, expect, test } from 'vitest';
import { drawsOf } from '../support/sweeps.ts';
import { differences, onKernels, onReference, ready } from '../language/support.ts';
import { architectures, prepareArchitecture, sizesOf } from './programs.ts';

const sizes: readonly Readonly<Record<string, number>>[] = [
  { B: 2, T: 5 },
  { B: 3, T: 1 },
  { B: 1, T: 19 },
  { B: 2, T: 0 },
  { B: 0, T: 3 },
];

describe.each(architectures)('%s', (file) => {
  const prepared = prepareArchitecture(file);

  test.each(sizes)('B = $B, T = $T', async (size) => {
    for (const seed of [1, 2].slice(0, drawsOf(2))) {
      const run = ready(prepared, { sizes: sizesOf(prepared, size), seed });
      const reference = await onReference(run);
      const kernels = await onKernels(run);
      expect([...kernels.keys()].sort()).toEqual([...reference.keys()].sort());
      expect(differences(run, kernels, reference)).toEqual([]);
      const numbers = [...reference.values()].flatMap((t) => [...t.data]);
      expect(numbers.filter(Number.isNaN)).toEqual([]);
    }
  });

  test('a wrong number would be noticed', async () => {
    const run = ready(prepared, { sizes: sizesOf(prepared, { B: 2, T: 5 }) });
    const reference = await onReference(run);
    const [name, tensor] = [...reference].find(([, t]) => t.element === 'f32' && t.data.length > 0) ?? [];
    if (name === undefined || tensor === undefined) throw new Error('there is no result of numbers');
    const spoilt = { ...tensor, data: Float64Array.from(tensor.data, (v) => v + 0.5) };
    expect(differences(run, new Map(reference).set(name, spoilt), reference)).toHaveLength(1);
  });
});
