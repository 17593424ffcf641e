/** The long sums of test/numbers on the adapter of this run. */
import { expect } from 'vitest';
import { executeGpu } from '../../compiler/cli/running/execute.ts';
import { withVariables } from '../../compiler/cli/running/made-values.ts';
import { longSums, readySum, wrongSums } from '../numbers/sums.ts';
import { gpuTest } from '../support/gpu-test.ts';

gpuTest.each(longSums.map((s) => [s.name, s] as const))(
  '%s',
  async (_, long) => {
    const { prepared, request } = readySum(long);
    const weights = withVariables(null, prepared.manifest.stores, prepared.variables);
    expect(wrongSums(long, await executeGpu(prepared, { ...request, on: 'gpu', weights }))).toEqual([]);
  },
  240_000,
);
