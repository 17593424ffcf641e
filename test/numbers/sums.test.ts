/** Long sums on the reference and on the kernels: right numbers, and bounds that would notice wrong ones. */
import { describe, expect, it } from 'vitest';
import { differences, onKernels, onReference } from '../language/support.ts';
import { longSums, readySum, wrongSums } from './sums.ts';

/** Results are written as f32: of float64 one rounding is left. */
const ROUNDED = 1.0001 * 2 ** -24;

describe('long sums', () => {
  it.each(longSums.map((s) => [s.name, s] as const))('%s', async (_, long) => {
    const run = readySum(long);
    const reference = await onReference(run);
    expect(wrongSums(long, reference, ROUNDED)).toEqual([]);
    const kernels = await onKernels(run);
    expect(wrongSums(long, kernels)).toEqual([]);
    expect(differences(run, kernels, reference)).toEqual([]);
  }, 120_000); // prettier-ignore
});
