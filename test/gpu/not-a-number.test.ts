/**
 * A NaN is lost nowhere on the GPU either, and -inf stays no candidate: found by its bits, it passes what WGSL allows to drop it. The expressions are results
 * of one program, whose kernels the driver compiles together.
 */
import { afterAll, expect } from 'vitest';
import {
  errorOf,
  expressions,
  maskedRows,
  maskedScores,
  nanDifferences,
  programOf,
  rows,
  scores,
  selectionOf,
} from '../language/not-a-number.ts';
import { differences, onReference, type Ready, type Results } from '../language/support.ts';
import { GpuModels } from '../support/gpu-models.ts';
import { gpuTest } from '../support/gpu-test.ts';

const models = new GpuModels();
afterAll(() => models.release());
const onGpu = (run: Ready): Promise<Results> => models.run(run);

gpuTest(
  'every expression keeps a NaN',
  async () => {
    const run = programOf(expressions);
    expect(nanDifferences(expressions, await onGpu(run), await onReference(run))).toEqual([]);
  },
  240_000,
);

gpuTest.each(scores)(
  'a top-k of %s reports a NaN',
  async (score) => {
    for (const row of rows) {
      const run = selectionOf(score, [[1, 2, 3, 4], row]);
      expect([row, await errorOf(onGpu(run))]).toEqual([row, await errorOf(onReference(run))]);
    }
  },
  240_000,
);

gpuTest.each(maskedScores)(
  '-inf in %s is no candidate',
  async (score) => {
    const run = selectionOf(score, maskedRows);
    expect(differences(run, await onGpu(run), await onReference(run))).toEqual([]);
  },
  240_000,
);

gpuTest(
  'an argmax that meets a NaN reports it',
  async () => {
    for (const row of rows) {
      const run = programOf(['argmax(max(x, -9), over: E)'], [[1, 2, 3, 4], row]);
      expect([row, await errorOf(onGpu(run))]).toEqual([row, row.some(Number.isNaN) ? 'MOE0720' : null]);
    }
  },
  240_000,
);
