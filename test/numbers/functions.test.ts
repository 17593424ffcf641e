/** Every scalar function of the language, in the kernels' interpreter, against float64 over its whole domain and beyond. */
import { describe, expect, it } from 'vitest';
import type { MapOp } from '../../compiler/graph/ir.ts';
import { mapBound, type Point } from '../../compiler/graph/scalar-bound.ts';
import { binaryFunctionOf, unaryFunctionOf } from '../../compiler/schedule/scalar-functions.ts';
import { onKernels } from './elementwise.ts';
import { binaries, binaryArguments, flushedOf, TINY, unaries, unaryArguments, wrongOf } from './functions.ts';

describe('functions of one number', () => {
  const a = unaryArguments();
  it.each(unaries)('$name', ({ name, exact, error }) => {
    const results = onKernels({ a, make: (k, x) => unaryFunctionOf(k, name, x) });
    const at = (i: number): number => a[i] ?? 0;
    const wrong = wrongOf(
      results,
      (i) => exact(at(i)),
      (i, y) => error(at(i), y),
      (i) => `${name}(${at(i)})`,
      (i) => flushedOf(at(i)),
    );
    expect(wrong).toEqual([]);
  });
});

describe('the bounds that verification works with', () => {
  const a = unaryArguments();
  it.each(unaries)(
    'of $name hold what kernels compute, and are no wider than a few roundings',
    ({ name, exact, error }) => {
      const results = onKernels({ a, make: (k, x) => unaryFunctionOf(k, name, x) });
      const at = (i: number): number => a[i] ?? 0;
      const bound = (i: number): number => mapBound(name, [{ v: at(i), d: 0 }], 'f32').d;
      expect(
        wrongOf(
          results,
          (i) => exact(at(i)),
          bound,
          (i) => `${name}(${at(i)})`,
        ),
      ).toEqual([]);
      const wide = [...a].filter((x, i) => bound(i) > 2 * error(x, exact(x)) + 300 * TINY);
      expect(wide.slice(0, 5)).toEqual([]);
    },
  );
  it('of a remainder is its own rounding, also by small divisors, and moves with what is uncertain', () => {
    const mod = (x: number, y: number, d = 0, e = 0) =>
      mapBound(
        'mod',
        [
          { v: x, d },
          { v: y, d: e },
        ],
        'f32',
      );
    expect(mod(12345.677734375, 0.0010000000474974513).d).toBeLessThan(1e-10);
    expect(mod(7.5, 2, 1e-6).d).toBeLessThan(1.2e-6);
    expect(mod(7.5, 2, 0, 1e-6).d).toBeGreaterThan(2.9e-6);
    expect(mod(8, 2, 1e-6).d).toBeGreaterThanOrEqual(2);
  });
  it('of infinite results are nothing where they are certain', () => {
    const d = (op: MapOp, ...args: Point[]) => mapBound(op, args, 'f32').d;
    const below = { v: -Infinity, d: 0 };
    expect(d('add', below, { v: 1, d: 1e-3 })).toBe(0);
    expect(d('div', below, { v: 1e9, d: 10 })).toBe(0);
    expect(d('mul', below, { v: 1e-9, d: 1e-6 })).toBe(Infinity);
    expect(d('exp', below)).toBe(0);
    expect(d('log', { v: 0, d: 1e-9 })).toBe(Infinity);
  });
});

describe('functions of two numbers', () => {
  const { a, b } = binaryArguments();
  it.each(binaries)('$name', ({ name, exact, error }) => {
    const results = onKernels({ a, b, make: (k, x, y) => binaryFunctionOf(k, name, x, y) });
    const at = (i: number): [number, number] => [a[i] ?? 0, b[i] ?? 0];
    const wrong = wrongOf(
      results,
      (i) => exact(...at(i)),
      (i, z) => error(...at(i), z),
      (i) => `${name}(${at(i).join(', ')})`,
    );
    expect(wrong).toEqual([]);
  });
});
