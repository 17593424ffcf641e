/** Scalar functions in kernel operations against float64, over their whole range; nothing becomes NaN on the way. */
import { describe, expect, it } from 'vitest';
import type { BinaryName } from '../../dsl/types/primitive-names.ts';
import { globalIdX, load, lt } from '../../compiler/kernel/make-expressions.ts';
import { compileKernel } from '../../compiler/kernel/interpret-kernel.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import { binaryFunctionOf } from '../../compiler/schedule/emitting/scalar-functions.ts';
import { f32 } from '../../compiler/kernel/make-expressions.ts';

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

const binary = (name: BinaryName, x: Words, y: Words) => evaluate(x, (k, a, b) => binaryFunctionOf(k, name, a, b), y);

describe('scalar functions', () => {
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
