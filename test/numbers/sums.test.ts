/** Long sums on the reference and on the kernels: right numbers, and bounds that would notice wrong ones. */
import { describe, expect, it } from 'vitest';
import { differences, onKernels, onReference, preparedOf, ready } from '../language/support.ts';
import { longSums, readySum, wrongSums } from './sums.ts';

/** Results are written as f32: of float64 one rounding is left. */
const ROUNDED = 1.0001 * 2 ** -24;

describe('long sums', () => {
  it('of what is present are whole numbers, also where f32 has no longer all of them', async () => {
    const prepared = preparedOf(`model M { axis A = 4097, B = 4099, E = 2
      forward(x: [E]) -> [E] { count(all(x * ones[A, B, E], over: E), over: (A, B)) } }`);
    const count = (await onKernels(ready(prepared))).get('output');
    expect([...(count?.data ?? [])]).toEqual([Math.fround(4097 * 4099), Math.fround(4097 * 4099)]);
  }, 120_000);

  it.each(longSums.map((s) => [s.name, s] as const))('%s', async (_, long) => {
    const run = readySum(long);
    const reference = await onReference(run);
    expect(wrongSums(long, reference, ROUNDED)).toEqual([]);
    const kernels = await onKernels(run);
    expect(wrongSums(long, kernels)).toEqual([]);
    expect(differences(run, kernels, reference)).toEqual([]);
  }, 120_000); // prettier-ignore
});
