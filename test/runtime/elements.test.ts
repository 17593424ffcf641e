/** f16 and bf16: every pattern, every border of rounding, and integers of all widths. */
import { describe, expect, it } from 'vitest';
import {
  bf16ToNumber,
  decodeFloats,
  decodeIntegers,
  decodeWholeFloats,
  f16Table,
  f8ToNumber,
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

  it('integers of every width and sign', () => {
    const decoded = (type: Parameters<typeof decodeIntegers>[0], data: ArrayBufferView): readonly unknown[] => {
      const target = new Int32Array(2);
      const bad = decodeIntegers(type, new Uint8Array(data.buffer), target);
      return [bad, ...target];
    };
    expect(decoded('I16', Int16Array.of(-32768, 32767))).toEqual([-1, -32768, 32767]);
    expect(decoded('U16', Uint16Array.of(65535, 1))).toEqual([-1, 65535, 1]);
    expect(decoded('U8', Uint8Array.of(255, 0))).toEqual([-1, 255, 0]);
    expect(decoded('U64', BigUint64Array.of(7n, 2n ** 31n - 1n))).toEqual([-1, 7, 2 ** 31 - 1]);
    expect(decoded('U64', BigUint64Array.of(7n, 2n ** 63n))).toEqual([1, 7, 0]);
  });

  it('integers to floats where f32 has them, and says where it has not', () => {
    const decoded = (type: Parameters<typeof decodeWholeFloats>[0], data: ArrayBufferView): readonly unknown[] => {
      const target = new Float32Array(2);
      const bad = decodeWholeFloats(type, new Uint8Array(data.buffer), target);
      return bad === -1 ? [...target] : [bad];
    };
    expect(decoded('U32', Uint32Array.of(2 ** 24, 2 ** 32 - 256))).toEqual([2 ** 24, 2 ** 32 - 256]);
    expect(decoded('U32', Uint32Array.of(1, 2 ** 32 - 1))).toEqual([1]);
    expect(decoded('I32', Int32Array.of(-(2 ** 31), 2 ** 24))).toEqual([-(2 ** 31), 2 ** 24]);
    expect(decoded('I32', Int32Array.of(1, 2 ** 24 + 1))).toEqual([1]);
    expect(decoded('I64', BigInt64Array.of(1n, 2n ** 40n))).toEqual([1]);
    expect(decoded('F32', Float32Array.of(1, 2))).toEqual([null]);
  });
});

describe('FP8', () => {
  const all = Array.from({ length: 256 }, (_, bits) => bits);
  /** A pattern by the definition: sign, exponent, fraction; the smallest exponent has no leading 1. */
  const byDefinition = (bits: number, fractionBits: number, bias: number): number => {
    const exponent = (bits & 0x7f) >> fractionBits;
    const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits;
    const size = exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias);
    return bits < 128 ? size : -size;
  };

  it('E4M3 has no infinities: all ones is no number, and 448 is the largest', () => {
    for (const bits of all) {
      if ((bits & 0x7f) === 0x7f) expect(f8ToNumber('F8_E4M3', bits)).toBeNaN();
      else expect(f8ToNumber('F8_E4M3', bits)).toBe(byDefinition(bits, 3, 7));
    }
    expect(f8ToNumber('F8_E4M3', 0x7e)).toBe(448);
  });

  it('E5M2 has infinities, and 57344 is the largest', () => {
    for (const bits of all) {
      const low = bits & 0x7f;
      const value = f8ToNumber('F8_E5M2', bits);
      if (low > 0x7c) expect(value).toBeNaN();
      else if (low === 0x7c) expect(value).toBe(bits < 128 ? Infinity : -Infinity);
      else expect(value).toBe(byDefinition(bits, 2, 15));
    }
    expect(f8ToNumber('F8_E5M2', 0x7b)).toBe(57344);
  });

  it('E8M0 is a power of two, 255 no number', () => {
    for (const bits of all.slice(0, 255)) expect(Math.log2(f8ToNumber('F8_E8M0', bits))).toBe(bits - 127);
    expect(f8ToNumber('F8_E8M0', 255)).toBeNaN();
  });

  it('is decoded byte by byte', () => {
    for (const type of ['F8_E4M3', 'F8_E5M2', 'F8_E8M0'] as const) {
      const decoded = decodeFloats(type, Uint8Array.from(all), new Float32Array(256));
      expect([...(decoded ?? [])]).toEqual(all.map((bits) => f8ToNumber(type, bits)));
    }
  });
});
