/** The long sums of test/numbers on the adapter of this run. */
import { expect } from 'vitest';
import { executeGpu } from '../../compiler/cli/running/execute.ts';
import { withVariables } from '../../compiler/cli/running/made-values.ts';
import { longSums, readySum, wrongSums } from '../numbers/sums.ts';
import { overAdapters } from '../support/sweeps.ts';
import { gpuTest } from '../support/gpu-test.ts';

const sweep = overAdapters(longSums);

for (const long of longSums)
  sweep.testOf(long, gpuTest)(long.name, { timeout: 240_000 }, async () => {
    const { prepared, request } = readySum(long);
    const weights = withVariables(null, prepared.manifest.stores, prepared.variables);
    expect(wrongSums(long, await executeGpu(prepared, { ...request, on: 'gpu', weights }))).toEqual([]);
  });
