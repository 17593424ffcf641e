/** Arithmetic of kernels on the CPU: integers as WGSL has them, floats rounded once an operation, constants that read back. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binaryFunction, bitcastValue, convertValue, unaryFunction } from '../../compiler/kernel/arithmetic.ts';
import { formatF32 } from '../../compiler/kernel/format-f32.ts';

const MIN = -2147483648;
const MAX = 2147483647;

describe('integer arithmetic is that of WGSL', () => {
  it.each([
    ['div', 'i32', 7, 0, 7],
    ['rem', 'i32', 7, 0, 0],
    ['div', 'i32', MIN, -1, MIN],
    ['rem', 'i32', MIN, -1, 0],
    ['div', 'i32', -7, 2, -3],
    ['rem', 'i32', -7, 2, -1],
    ['sub', 'i32', MIN, 1, MAX],
    ['mul', 'i32', 65536, 65536, 0],
    ['div', 'u32', 7, 0, 7],
    ['rem', 'u32', 7, 0, 0],
    ['div', 'u32', 4294967295, 4294967294, 1],
    ['sub', 'u32', 0, 1, 4294967295],
    ['mul', 'u32', 4294967295, 4294967295, 1],
    ['shl', 'u32', 1, 33, 2],
    ['shr', 'i32', -8, 1, -4],
    ['shr', 'u32', 4294967288, 1, 2147483644],
    ['bit_xor', 'u32', 4294967295, 1, 4294967294],
  ] as const)('%s on %s: %d, %d gives %d', (op, type, a, b, result) => {
    expect(binaryFunction(op, type)(a, b)).toBe(result);
  });

  it('agrees with BigInt on random operands', () => {
    const ops = {
      add: (a: bigint, b: bigint) => a + b,
      sub: (a: bigint, b: bigint) => a - b,
      mul: (a: bigint, b: bigint) => a * b,
    };
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.constantFrom('add', 'sub', 'mul'), (a, b, op) => {
        const exact = ops[op](BigInt(a), BigInt(b));
        expect(binaryFunction(op, 'i32')(a, b)).toBe(Number(BigInt.asIntN(32, exact)));
        const [p, q] = [a >>> 0, b >>> 0];
        expect(binaryFunction(op, 'u32')(p, q)).toBe(Number(BigInt.asUintN(32, ops[op](BigInt(p), BigInt(q)))));
        if (q !== 0) expect(binaryFunction('div', 'u32')(p, q)).toBe(Number(BigInt(p) / BigInt(q)));
      }),
    );
  });
});

describe('conversions', () => {
  it.each([
    ['f32', 'i32', 3e9, MAX],
    ['f32', 'i32', -3e9, MIN],
    ['f32', 'i32', -1.9, -1],
    ['f32', 'u32', -1, 0],
    ['f32', 'u32', 1e10, 4294967295],
    ['f32', 'i32', NaN, 0],
    ['i32', 'u32', -1, 4294967295],
    ['u32', 'i32', 4294967295, -1],
    ['u32', 'f32', 4294967295, 4294967296],
    ['i32', 'f32', 16777217, 16777216],
  ] as const)('%s to %s: %d gives %d', (from, to, x, result) => {
    expect(convertValue(from, to, x)).toBe(result);
  });

  it('bitcasts keep the bits', () => {
    expect(bitcastValue('f32', 'u32', 1)).toBe(0x3f800000);
    expect(bitcastValue('u32', 'f32', 0xbf800000)).toBe(-1);
    expect(bitcastValue('i32', 'u32', -1)).toBe(4294967295);
  });
});

describe('floats', () => {
  it('round once per operation', () => {
    expect(binaryFunction('add', 'f32')(16777216, 1)).toBe(16777216);
    expect(binaryFunction('div', 'f32')(1, 3)).toBe(Math.fround(1 / 3));
    expect(unaryFunction('sqrt', 'f32')(2)).toBe(Math.fround(Math.SQRT2));
  });

  it('min and max give the operand that is a number', () => {
    expect(binaryFunction('max', 'f32')(NaN, 1)).toBe(1);
    expect(binaryFunction('min', 'f32')(1, NaN)).toBe(1);
  });
});

describe('formatF32', () => {
  it.each([
    [Math.fround(0.1), '0.1'],
    [1, '1.0'],
    [-0, '-0.0'],
    [3.4028234663852886e38, '3.402823466e38'],
    [1.1754943508222875e-38, '1.1754944e-38'],
    [16777216, '16777216.0'],
  ])('%d is %s', (value, text) => {
    expect(formatF32(value)).toBe(text);
  });

  it('reads back as the same f32', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(Math.fround(Number(formatF32(x)))).toBe(x);
        expect(formatF32(x)).toMatch(/[.e]/);
      }),
    );
  });
});
