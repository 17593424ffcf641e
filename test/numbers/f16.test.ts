/** Rounding to f16 is to the nearest, ties to even, wherever it happens: in the reference, in files, in kernels, in bounds. */
import { describe, expect, it } from 'vitest';
import { mapBound } from '../../compiler/graph/scalar-bound.ts';
import { roundToF16 } from '../../compiler/kernel/math/f16.ts';
import { roundToF16 as ofReference } from '../../dsl/tensors/round-to-f16.ts';
import { f16ToNumber, numberToF16 } from '../../runtime/contract/elements.ts';
import { different, onKernels } from './elementwise.ts';
import { f16Arguments, nearestHalf } from './f16.ts';

const a = f16Arguments();

describe('every f16, every tie and what is beside it', () => {
  it('in the reference', () => expect(different(a, a.map(ofReference), nearestHalf)).toEqual([]));
  it('in files', () => expect(different(a, a.map((x) => f16ToNumber(numberToF16(x))), nearestHalf)).toEqual([])); // prettier-ignore
  it('in kernels', () => expect(different(a, onKernels({ a, make: roundToF16 }), nearestHalf)).toEqual([]));
});

describe('a float64 number is an f32 first', () => {
  it('so that it is the same tie in all executors', () => {
    // Above the tie 1 + 2^-11 by less than half an f32: the tie itself, and even.
    expect(ofReference(1 + 2 ** -11 + 2 ** -40)).toBe(1);
    expect(ofReference(65520 - 2 ** -10)).toBe(Infinity);
  });
});

describe('the bound of rounding to f16', () => {
  const bound = (v: number, d: number) => mapBound('convert', [{ v, d }], 'f16');
  it('is nothing for an exact number', () => {
    for (const x of [0.1, 65504, 2 ** -24, 1 + 2 ** -11]) expect(bound(Math.fround(x), 0).d).toBe(0);
  });
  it('is nothing away from a tie, and a step beside it', () => {
    expect(bound(1.0001, 1e-6)).toEqual({ v: 1, d: 0 });
    expect(bound(1 + 2 ** -11 - 1e-6, 2e-6)).toEqual({ v: 1, d: 2 ** -10 });
    expect(bound(65519, 2).d).toBe(Infinity);
  });
});
