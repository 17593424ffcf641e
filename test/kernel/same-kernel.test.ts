/** Kernels of one structure are one: by what they say, not by which object says it. */
import { describe, expect, it } from 'vitest';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import { add, f32, globalIdX, i32, load, u32, vector } from '../../compiler/kernel/make-expressions.ts';
import type { Kernel, KernelExpr } from '../../compiler/kernel/kernel-ir.ts';
import { ByStructure, sameStructure } from '../../compiler/kernel/same-kernel.ts';
import { samples } from './sample-kernels.ts';

function storing(value: (x: KernelExpr) => KernelExpr, once: boolean): Kernel {
  const k = new KernelBuilder('one', 64);
  const x = k.buffer('x', 'f32', 'read');
  const y = k.buffer('y', 'f32', 'read_write');
  const body = (i: KernelExpr): void => k.store(y, i, value(load(x, i)));
  if (once) k.forOnce(0, 4, 1, body);
  else k.forRange(0, 4, 1, body);
  return k.finish();
}

describe('structure', () => {
  it.each(samples)('%s is its copy, and no other sample', (name, kernel) => {
    expect(sameStructure(kernel, structuredClone(kernel))).toBe(true);
    expect(samples.filter(([, other]) => sameStructure(kernel, other)).map(([other]) => other)).toEqual([name]);
  });

  it('is told apart by every field', () => {
    const kernels = [
      storing((x) => x, false),
      storing((x) => x, true),
      storing((x) => add(x, f32(0)), false),
      storing((x) => add(x, f32(-0)), false),
      storing((x) => add(x, f32(NaN)), false),
    ];
    for (const [i, one] of kernels.entries())
      for (const [j, other] of kernels.entries()) expect(sameStructure(one, other)).toBe(i === j);
    expect(sameStructure(u32(1), i32(1))).toBe(false);
    expect(sameStructure(vector(u32(1), u32(2)), vector(u32(1), u32(2)))).toBe(true);
    expect(sameStructure(vector(u32(1), u32(2)), vector(u32(1), u32(2), u32(1), u32(2)))).toBe(false);
    expect(sameStructure(globalIdX, { ...globalIdX })).toBe(true);
  });

  it('is what a table finds things by', () => {
    const table = new ByStructure<Kernel>();
    const make = (kernel: Kernel): Kernel => kernel;
    const first = storing((x) => x, false);
    expect(table.get(first, make)).toBe(first);
    expect(
      table.get(
        storing((x) => x, false),
        make,
      ),
    ).toBe(first);
    const other = storing((x) => add(x, f32(1)), false);
    expect(table.get(other, make)).toBe(other);
    expect(table.get(structuredClone(other), make)).toBe(other);
  });
});
