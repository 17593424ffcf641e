/** Which errors of a run count on the adapter of this run: those that count in the reference, at the same points. */
import { expect } from 'vitest';
import { executeGpu } from '../../compiler/cli/running/execute.ts';
import { withVariables } from '../../compiler/cli/running/made-values.ts';
import { endOf, neededCases, readyCase } from '../language/needed.ts';
import { gpuTest } from '../support/gpu-test.ts';

gpuTest(
  'an error of a run counts where it is needed',
  async () => {
    const ends: Record<string, string | null> = {};
    for (const needed of neededCases) {
      const { prepared, request } = readyCase(needed);
      const weights = withVariables(null, prepared.manifest.stores, prepared.variables);
      ends[needed.name] = await endOf(executeGpu(prepared, { ...request, on: 'gpu', weights }));
    }
    expect(ends).toEqual(Object.fromEntries(neededCases.map(({ name, error }) => [name, error])));
  },
  600_000,
);
