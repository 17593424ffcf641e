/** Infinite numbers mean the same on kernels as in the reference, and -inf is no other number. */
import { expect, it } from 'vitest';
import { programOf, selectionOf } from '../language/not-a-number.ts';
import { onKernels, onReference } from '../language/support.ts';
import { differences, infiniteExpressions, infiniteRows, infiniteScores } from './infinities.ts';

it('every expression', async () => {
  const run = programOf(infiniteExpressions, infiniteRows);
  expect(differences(infiniteExpressions, await onKernels(run), await onReference(run))).toEqual([]);
});

it.each(infiniteScores)('the best two by %s', async (score) => {
  const run = selectionOf(score, infiniteRows);
  const [got, wanted] = [await onKernels(run), await onReference(run)];
  expect([...got].map(([name, { data }]) => [name, ...data])).toEqual([...wanted].map(([name, { data }]) => [name, ...Float32Array.from(data)])); // prettier-ignore
});
