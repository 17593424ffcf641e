/**
 * A NaN is lost nowhere, and -inf stays no candidate: the reference and the kernels on the CPU, as they are scheduled and as they
 * are legalised.
 */
import { expect, test } from 'vitest';
import {
  errorOf,
  expressions,
  legalised,
  maskedRows,
  maskedScores,
  nanDifferences,
  programOf,
  rows,
  scores,
  selectionOf,
  softmaxOf,
} from './not-a-number.ts';
import { differences, onKernels, onReference } from './support.ts';

test.each(expressions)('%s keeps a NaN', async (expression) => {
  const run = programOf([expression]);
  const reference = await onReference(run);
  expect(nanDifferences([expression], await onKernels(run), reference)).toEqual([]);
  expect(nanDifferences([expression], await onKernels(legalised(run)), reference)).toEqual([]);
});

test.each(scores)('a top-k of %s reports a NaN', async (score) => {
  for (const row of rows) {
    const run = selectionOf(score, [[1, 2, 3, 4], row]);
    const reference = await errorOf(onReference(run));
    expect([row, await errorOf(onKernels(run))]).toEqual([row, reference]);
    expect([row, await errorOf(onKernels(legalised(run)))]).toEqual([row, reference]);
    // A NaN anywhere in the row is one of the scores.
    expect(reference).toBe(row.some(Number.isNaN) ? 'MOE0720' : null);
  }
});

test.each(maskedScores)('-inf in %s is no candidate', async (score) => {
  for (const run of [selectionOf(score, maskedRows), softmaxOf(score, maskedRows)]) {
    const reference = await onReference(run);
    expect(differences(run, await onKernels(run), reference)).toEqual([]);
    expect(differences(run, await onKernels(legalised(run)), reference)).toEqual([]);
  }
  const indices = (await onKernels(selectionOf(score, maskedRows))).get('r.indices');
  expect([...(indices?.data ?? [])]).toEqual([1, -1, -1, -1, 2, 3]);
});

test('an argmax that meets a NaN reports it', async () => {
  for (const row of rows) {
    const run = programOf(['argmax(max(x, -9), over: E)'], [[1, 2, 3, 4], row]);
    const wanted = row.some(Number.isNaN) ? 'MOE0720' : null;
    expect([row, await errorOf(onReference(run)), await errorOf(onKernels(run))]).toEqual([row, wanted, wanted]);
  }
});
