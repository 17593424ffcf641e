/** The comparison of `moec verify` has to see what is off, and to leave alone what nobody can know. */
import { describe, expect, test } from 'vitest';
import { compare } from '../../compiler/cli/running/compare.ts';

const f32 = (...data: readonly number[]) => ({
  element: 'f32' as const,
  shape: [data.length],
  data: Float32Array.from(data),
});
const i32 = (...data: readonly number[]) => ({
  element: 'i32' as const,
  shape: [data.length],
  data: Int32Array.from(data),
});
const delta = (...data: readonly number[]): Float64Array => Float64Array.from(data);

describe('compare', () => {
  test('the worst element is the one furthest in units of its bound', () => {
    const comparison = compare('y', f32(1.25, 2.5), f32(1, 2), delta(1, 0.625));
    expect(comparison.passed).toBe(true);
    expect(comparison.worst?.index).toEqual([1]);
    // Both sides are rounded when they are written: two roundoffs of 2 beside the bound that is given.
    expect(comparison.worst?.ratio).toBe(0.5 / (0.625 + 2 ** -22));
    expect(comparison.error).toBe(0.5);
  });

  test('past its bound a number is off, however small the difference', () => {
    expect(compare('y', f32(1.001), f32(1), delta(1e-4)).passed).toBe(false);
    expect(compare('y', f32(1e-3), f32(0), delta(0)).passed).toBe(false);
  });

  test('no bound excuses a number that is none', () => {
    expect(compare('y', f32(NaN), f32(1), delta(10)).passed).toBe(false);
    expect(compare('y', f32(Infinity), f32(1), delta(10)).passed).toBe(false);
    expect(compare('y', f32(Infinity), f32(Infinity), delta(0)).passed).toBe(true);
  });

  test('integers are exact, unless their choice is undecided', () => {
    expect(compare('i', i32(1, 2), i32(1, 3), delta(0, 0)).passed).toBe(false);
    expect(compare('i', i32(1, 2), i32(1, 3), delta(0, 1))).toMatchObject({ passed: true, undecided: 1 });
  });

  test('a tensor of another size is off', () => {
    expect(compare('y', f32(1), f32(1, 2), delta(1, 1)).passed).toBe(false);
  });
});
