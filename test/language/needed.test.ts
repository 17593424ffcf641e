/** Which errors of a run count: the same on the reference and on the kernels. */
import { describe, expect, test } from 'vitest';
import { endOf, neededCases, readyCase } from './needed.ts';
import { onKernels, onReference } from './support.ts';

describe('an error of a run counts where it is needed', () => {
  test.each(neededCases.map((c) => [c.name, c] as const))('%s', async (_, needed) => {
    const run = readyCase(needed);
    const ends = { reference: await endOf(onReference(run)), kernels: await endOf(onKernels(run)) };
    expect(ends).toEqual({ reference: needed.error, kernels: needed.error });
  });
});
