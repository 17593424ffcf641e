/** What is chosen on the adapter of this run: by a workgroup, by a thread, and summed along. */
import { expect } from 'vitest';
import { executeGpu } from '../../compiler/cli/running/execute.ts';
import { choicesOf, numbers, wrongChoices } from '../language/choices.ts';
import type { Ready, Results } from '../language/support.ts';
import { gpuTest } from '../support/gpu-test.ts';

const programs = [
  ...numbers.map((kind) => ['short', kind] as const),
  ['long', 'infinities'] as const,
  ['long', 'NaN'] as const,
];

gpuTest.each(programs)(
  '%s groups of numbers with %s',
  async (which, kind) => {
    const onGpu = ({ prepared, request }: Ready): Promise<Results> => executeGpu(prepared, { ...request, on: 'gpu' });
    expect(await wrongChoices(choicesOf(which, kind, 3000), onGpu)).toEqual([]);
  },
  120_000,
);
