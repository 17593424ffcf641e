/** The long sums of test/numbers on the adapter of this run. */
import { expect, test } from 'vitest';
import { executeGpu } from '../../compiler/cli/running/execute.ts';
import { withVariables } from '../../compiler/cli/running/made-values.ts';
import { longSums, readySum, wrongSums } from '../numbers/sums.ts';
import { softwareAdapter } from '../support/gpu.ts';

test.each(longSums.map((s) => [s.name, s] as const))(
  '%s',
  async (_, long) => {
    if ((await softwareAdapter()) === null) return;
    const { prepared, request } = readySum(long);
    const weights = withVariables(null, prepared.manifest.stores, prepared.stores);
    expect(wrongSums(long, await executeGpu(prepared, { ...request, on: 'gpu', weights }))).toEqual([]);
  },
  240_000,
);
