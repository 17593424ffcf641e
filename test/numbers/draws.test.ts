/** Draws by number: the reference within float64, the kernels within the bound that verification works with. */
import { describe, expect, it } from 'vitest';
import { drawAt } from '../../dsl/primitives/draw-hash.ts';
import { boundOfDraw } from '../../compiler/graph/error-bound.ts';
import { bitcast } from '../../compiler/kernel/make-expressions.ts';
import { numberAt } from '../../compiler/kernels/draw.ts';
import { onKernels as programOnKernels, onReference } from '../language/support.ts';
import { drawNames, drawnAt, farthestDraws, hashes, readyDraws } from './draws.ts';
import { onKernels } from './elementwise.ts';
import { wrongOf } from './functions.ts';

describe.each(drawNames)('%s', (name) => {
  const a = hashes();
  const exact = (i: number): number => drawnAt(name, a[i] ?? 0);
  const show = (i: number): string => `${name} at ${(a[i] ?? 0) >>> 0}`;

  it('has its ends among the hashes', () => {
    const numbers = Array.from(a, (_, i) => exact(i));
    const [least, greatest] = [Math.min(...numbers), Math.max(...numbers)];
    if (name === 'uniform') expect([least, greatest]).toEqual([0, 1 - 2 ** -24]);
    if (name === 'gumbel') {
      expect(least).toBeCloseTo(-Math.log(25 * Math.LN2), 12);
      expect(greatest).toBeCloseTo(24 * Math.LN2, 6);
    }
    // No radius is larger, and where it is 0 or the turn a quarter there is nothing.
    const largest = Math.sqrt(48 * Math.LN2);
    if (name === 'normal') {
      expect(numbers.every((x) => Math.abs(x) <= largest)).toBe(true);
      expect(numbers.some((x) => Math.abs(x) > largest * 0.7)).toBe(true);
      expect(numbers.filter((x) => x === 0).length).toBeGreaterThan(2);
    }
  });

  it('in the reference', () => {
    const reference = Array.from(a, (h) => drawAt(name, h >>> 0));
    const far = reference.filter((x, i) => !(Math.abs(x - exact(i)) <= 1e-14 * Math.max(1, Math.abs(exact(i)))));
    expect(far).toEqual([]);
  });

  it('on kernels', () => {
    const results = onKernels({ a, result: 'f32', make: (k, h) => numberAt(k, name, k.let(bitcast('u32', h))) });
    expect(wrongOf(results, exact, () => boundOfDraw(name), show)).toEqual([]);
  });
});

describe('a program that draws', () => {
  it('on the reference', async () => {
    // Results are rounded to f32: half a unit in the last place of the largest number that there is.
    const rounding = { uniform: 0, normal: 2 ** 2 * 2 ** -23, gumbel: 2 ** 4 * 2 ** -23 };
    for (const [name, distance] of farthestDraws(await onReference(readyDraws(700))))
      expect(distance, name).toBeLessThanOrEqual(rounding[name] / 2 + 1e-14);
  });
  it('on kernels', async () => {
    for (const [name, distance] of farthestDraws(await programOnKernels(readyDraws(700))))
      expect(distance, name).toBeLessThanOrEqual(boundOfDraw(name));
  });
});
