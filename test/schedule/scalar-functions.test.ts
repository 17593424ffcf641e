/** Scalar functions in kernel operations against float64, over their whole range; nothing becomes NaN on the way. */
import { describe, expect, it } from 'vitest';
import { erf } from '../../dsl/algebra/special-functions.ts';
import type { BinaryName, UnaryName } from '../../dsl/algebra/names.ts';
import { globalIdX, load, lt } from '../../compiler/kernel/build.ts';
import { compileKernel } from '../../compiler/kernel/interpret.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import { binaryFunctionOf, unaryFunctionOf } from '../../compiler/schedule/scalar-functions.ts';
import { f32 } from '../../compiler/kernel/build.ts';
import { mapBound } from '../../compiler/graph/scalar-bound.ts';

type Words = Float32Array | Int32Array;

function evaluate(
  x: Words,
  make: (k: KernelBuilder, x: ReturnType<typeof load>, y: ReturnType<typeof load>) => ReturnType<typeof load>,
  y: Words = x,
): Words {
  const type = x instanceof Float32Array ? 'f32' : 'i32';
  const k = new KernelBuilder('scalar', 64);
  const [a, b, out] = [k.buffer('a', type, 'read'), k.buffer('b', type, 'read'), k.buffer('out', type, 'read_write')];
  const n = k.uniform('n', 'u32');
  k.when(lt(globalIdX, n), () => k.store(out, globalIdX, make(k, load(a, globalIdX), load(b, globalIdX))));
  const data = x instanceof Float32Array ? new Float32Array(x.length) : new Int32Array(x.length);
  compileKernel(k.finish())({
    workgroups: [Math.ceil(x.length / 64), 1],
    buffers: new Map<string, { data: Words }>([
      ['a', { data: x }],
      ['b', { data: y }],
      ['out', { data }],
    ]),
    uniforms: new Map([['n', x.length]]),
  });
  return data;
}

const unary = (name: UnaryName, x: Float32Array) => evaluate(x, (k, a) => unaryFunctionOf(k, name, a));
const binary = (name: BinaryName, x: Words, y: Words) => evaluate(x, (k, a, b) => binaryFunctionOf(k, name, a, b), y);
const range = (from: number, to: number, n: number) =>
  Float32Array.from({ length: n }, (_, i) => from + ((to - from) * i) / (n - 1));

/** Unit roundoff of f32; an error of so many roundings of a number of this size. */
const u = 2 ** -24;

describe('scalar functions', () => {
  it('erf is within 1e-7 everywhere', () => {
    const x = range(-6, 6, 200_001);
    const y = unary('erf', x);
    let worst = 0;
    x.forEach((v, i) => (worst = Math.max(worst, Math.abs((y[i] ?? NaN) - erf(v)))));
    expect(worst).toBeLessThan(1e-7);
    expect([...unary('erf', Float32Array.of(-1e30, 1e30, 0))]).toEqual([-1, 1, 0]);
  });

  it.each([
    ['sin', Math.sin],
    ['cos', Math.cos],
  ] as const)('%s is within its derived bound, which is not wide', (name, exact) => {
    for (const [from, to] of [
      [-1, 1],
      [-4, 4],
      [-100, 100],
      [-12_800, 12_800],
      [12_800, 13_000],
      [-102_000, 102_000],
    ] as const) {
      const x = range(from, to, 100_001);
      const y = unary(name, x);
      let worst = 0;
      let error = 0;
      x.forEach((v, i) => {
        const bound = mapBound(name, [{ v, d: 0 }], 'f32').d;
        const off = Math.abs((y[i] ?? NaN) - exact(v));
        error = Math.max(error, off);
        worst = Math.max(worst, off / bound);
      });
      if (to <= 1e4) expect(error).toBeLessThan(2e-7);
      expect(worst).toBeLessThan(1);
      expect(worst).toBeGreaterThan(0.1);
    }
    expect(mapBound(name, [{ v: 12_800, d: 0 }], 'f32').d).toBeLessThan(2.5e-7);
    expect(mapBound(name, [{ v: 2e5, d: 0 }], 'f32').d).toBe(Infinity);
    expect(mapBound(name, [{ v: 1e5, d: 1e4 }], 'f32').d).toBe(Infinity);
  });

  it.each([
    ['sin', Math.sin],
    ['cos', Math.cos],
  ] as const)('%s is within its bound beside every multiple of a quarter turn', (name, exact) => {
    // Where the quotient is rounded either way, and where the rest cancels to next to nothing.
    const x = Float32Array.from({ length: 80_000 }, (_, i) => {
      const near = Math.fround(((i >> 2) * Math.PI) / 4);
      return near + ((i & 3) - 1) * Math.max(near, 1) * 2 ** -23;
    });
    const y = unary(name, x);
    x.forEach((v, i) => {
      const bound = mapBound(name, [{ v, d: 0 }], 'f32').d;
      if (!(Math.abs((y[i] ?? NaN) - exact(v)) <= bound)) expect(`${name} ${v}: ${y[i]}`).toBe('');
    });
  });

  it.each<[UnaryName, (x: number) => number]>([
    ['sigmoid', (x) => 1 / (1 + Math.exp(-x))],
    ['silu', (x) => x / (1 + Math.exp(-x))],
    ['gelu', (x) => 0.5 * x * (1 + erf(x / Math.SQRT2))],
    ['gelu_tanh', (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))],
    ['softplus', (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))],
    ['relu', (x) => Math.max(x, 0)],
  ])('%s', (name, exact) => {
    const x = range(-30, 30, 20_001);
    const y = unary(name, x);
    let worst = 0;
    // A few roundings of values no larger than |x| and 1, and the error of erf.
    x.forEach((v, i) => (worst = Math.max(worst, Math.abs((y[i] ?? NaN) - exact(v)) / Math.max(1, Math.abs(v)))));
    expect(worst).toBeLessThan(6 * u);
    expect([...unary(name, Float32Array.of(-1e30, 1e30, -100, 100))].some(Number.isNaN)).toBe(false);
  });

  it('i32 division and remainder round down', () => {
    const x = Int32Array.of(7, -7, 7, -7, 6, -6, 5, 0, -2147483648);
    const y = Int32Array.of(2, 2, -2, -2, 3, -3, 0, 4, -1);
    expect([...binary('div', x, y)]).toEqual([3, -4, -4, 3, 2, 2, 5, 0, -2147483648]);
    expect([...binary('mod', x, y)]).toEqual([1, 1, -1, -1, 0, 0, 0, 0, 0]);
  });

  it('f32 remainders have the sign of the divisor, powers are defined for negative bases', () => {
    expect([...binary('mod', Float32Array.of(5.5, -5.5, 5.5, -5.5), Float32Array.of(2, 2, -2, -2))]).toEqual([
      1.5, 0.5, -0.5, -1.5,
    ]);
    const x = Float32Array.of(-2, -2, 0, 0, 4, 2, -2);
    const y = Float32Array.of(3, 2, 0, 2, 0.5, -1, -3);
    expect([...binary('pow', x, y)]).toEqual([-8, 4, 1, 0, 2, 0.5, -0.125]);
    const constant = (n: number) => [...evaluate(x, (k, a) => binaryFunctionOf(k, 'pow', a, f32(n)))];
    expect(constant(2)).toEqual([4, 4, 0, 0, 16, 4, 4]);
    expect(constant(5)).toEqual([-32, -32, 0, 0, 1024, 32, -32]);
    expect(constant(0)).toEqual([1, 1, 1, 1, 1, 1, 1]);
    expect(constant(-1).slice(0, 2)).toEqual([-0.5, -0.5]);
  });
});
