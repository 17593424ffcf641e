/** f16 and bf16: every pattern, every border of rounding, and integers of all widths. */
import { describe, expect, it } from 'vitest';
import {
  bf16ToNumber,
  decodeFloats,
  decodeIntegers,
  f16Table,
  numberToBf16,
  numberToF16,
} from '../../runtime/contract/elements.ts';

const isNaN16 = (bits: number): boolean => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;

describe('f16', () => {
  it('all patterns survive the way to f32 and back', () => {
    const table = f16Table();
    for (let bits = 0; bits < 65536; bits++) {
      if (isNaN16(bits)) expect(table[bits]).toBeNaN();
      else if (numberToF16(table[bits] ?? 0) !== bits) expect(numberToF16(table[bits] ?? 0)).toBe(bits);
    }
  });

  it('half way between two neighbours the even one is taken, next to it the nearer', () => {
    const table = f16Table();
    for (let bits = 0; bits < 0x7bff; bits++) {
      const low = table[bits] ?? 0;
      const high = table[bits + 1] ?? 0;
      // Exact in f32: the fraction has 14 bits then.
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      if (numberToF16(middle) !== even) expect([bits, numberToF16(middle)]).toEqual([bits, even]);
      const above = middle * (1 + 2 ** -20);
      if (numberToF16(above) !== bits + 1) expect([bits, numberToF16(above)]).toEqual([bits, bits + 1]);
    }
  });

  it.each([
    [65504, 0x7bff],
    [65519.99, 0x7bff],
    [65520, 0x7c00],
    [1e9, 0x7c00],
    [-Infinity, 0xfc00],
    [2 ** -25, 0],
    [2 ** -25 * 1.001, 1],
    [-(2 ** -24), 0x8001],
    [-0, 0x8000],
    [1e-30, 0],
  ])('%f is %i', (value, bits) => expect(numberToF16(value)).toBe(bits));
});

describe('bf16', () => {
  it('all patterns survive', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = bf16ToNumber(bits);
      if (Number.isNaN(value)) continue;
      if (numberToBf16(value) !== bits) expect(numberToBf16(value)).toBe(bits);
    }
  });

  it('rounds to even and overflows to infinity', () => {
    expect(numberToBf16(1 + 2 ** -8)).toBe(0x3f80);
    expect(numberToBf16(1 + 3 * 2 ** -8)).toBe(0x3f82);
    expect(numberToBf16(3.4e38)).toBe(0x7f80);
    expect(bf16ToNumber(numberToBf16(NaN))).toBeNaN();
  });
});

describe('decoding', () => {
  it('floats from bytes at any place', () => {
    const bytes = new Uint8Array(new Uint16Array([0, 0x3c00, 0xc000]).buffer).subarray(2);
    expect([...(decodeFloats('F16', bytes, new Float32Array(2)) ?? [])]).toEqual([1, -2]);
    const halves = new Uint8Array(new Uint16Array([0x3f80, 0xc040]).buffer);
    expect([...(decodeFloats('BF16', halves, new Float32Array(2)) ?? [])]).toEqual([1, -3]);
    expect(decodeFloats('F64', new Uint8Array(8), new Float32Array(1))).toBeNull();
    expect(decodeFloats('I32', new Uint8Array(4), new Float32Array(1))).toBeNull();
  });

  it('integers, and says where one does not fit', () => {
    const target = new Int32Array(2);
    const big = new Uint8Array(new BigInt64Array([-3n, 2n ** 31n]).buffer);
    expect(decodeIntegers('I64', big, target)).toBe(1);
    expect(target[0]).toBe(-3);
    expect(decodeIntegers('U32', new Uint8Array(new Uint32Array([7, 2 ** 32 - 1]).buffer), target)).toBe(1);
    expect(decodeIntegers('I8', Uint8Array.of(255, 1), target)).toBe(-1);
    expect([...target]).toEqual([-1, 1]);
    expect(decodeIntegers('BOOL', Uint8Array.of(0, 9), target)).toBe(-1);
    expect([...target]).toEqual([0, 1]);
    expect(decodeIntegers('F32', new Uint8Array(8), target)).toBeNull();
  });
});
