/** Which errors of a run count on the adapter of this run: those that count in the reference, at the same points. */
import { expect } from 'vitest';
import { executeGpu } from '../../compiler/cli/running/execute.ts';
import { withVariables } from '../../compiler/cli/running/made-values.ts';
import { endOf, neededCases, readyCase } from '../language/needed.ts';
import { overAdapters } from '../support/sweeps.ts';
import { gpuTest } from '../support/gpu-test.ts';

const sweep = overAdapters(neededCases);

for (const needed of neededCases)
  sweep.testOf(needed, gpuTest)(needed.name, { timeout: 120_000 }, async () => {
    const { prepared, request } = readyCase(needed);
    const weights = withVariables(null, prepared.manifest.stores, prepared.variables);
    expect(await endOf(executeGpu(prepared, { ...request, on: 'gpu', weights }))).toBe(needed.error);
  });
