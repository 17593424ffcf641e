/** Angles of sines and cosines are exact where they are arithmetic: on kernels, and in the bounds of verification. */
import { describe, expect, it } from 'vitest';
import { compareResults } from '../../compiler/cli/running/compare.ts';
import { onKernels, onReference } from '../language/support.ts';
import { anglePrograms, farthest, readyAngles } from './angles.ts';

describe.each(anglePrograms)('$name', ({ text }) => {
  it('is within 3e-7 of the reference, and its bound says so', async () => {
    const run = readyAngles(text);
    const [got, wanted] = [await onKernels(run), await onReference(run)];
    expect(farthest(got, wanted)).toBeLessThan(3e-7);
    for (const verdict of compareResults(run, got, wanted).filter((v) => v.name !== 'angle')) {
      expect(verdict.passed).toBe(true);
      expect(verdict.worst?.bound ?? 0).toBeLessThan(1e-6);
    }
  });
});
