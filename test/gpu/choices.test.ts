/** What is chosen on the adapter of this run: by a workgroup, by a thread, and summed along. */
import { afterAll, expect } from 'vitest';
import { choicesOf, numbers, wrongChoices } from '../language/choices.ts';
import { GpuModels } from '../support/gpu-models.ts';
import { gpuTest } from '../support/gpu-test.ts';

const programs = [
  ...numbers.map((kind) => ['short', kind] as const),
  ['long', 'infinities'] as const,
  ['long', 'NaN'] as const,
];

const models = new GpuModels();
afterAll(() => models.release());

gpuTest.each(programs)(
  '%s groups of numbers with %s',
  async (which, kind) => {
    expect(await wrongChoices(choicesOf(which, kind, 3000), (run) => models.run(run))).toEqual([]);
  },
  120_000,
);
