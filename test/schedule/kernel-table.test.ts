/** The kernels of all plans of a program: each structure once, also of kernels side by side. */
import { describe, expect, it } from 'vitest';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import type { Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { f32, u32 } from '../../compiler/kernel/make-expressions.ts';
import { forEachThread } from '../../compiler/kernels/space.ts';
import { KernelTable } from '../../compiler/schedule/emitting/kernel-table.ts';

/** Every thread stores a number: the same text each time it is written. */
function storing(value: number): Kernel {
  const k = new KernelBuilder('storing', 64);
  const out = k.buffer('b0', 'f32', 'read_write');
  forEachThread(k, u32(64), (id) => k.store(out, id, f32(value)));
  return k.finish();
}

describe('a table of kernels', () => {
  it('has kernels side by side once, whoever writes their parts, and others apart', () => {
    const table = new KernelTable();
    const beside = (first: Kernel, second: Kernel, buffers: readonly string[]): Kernel =>
      table.beside([first, second].map((kernel, i) => ({ kernel, buffers: buffers.slice(i, i + 1) })));
    const one = beside(storing(1), storing(2), ['b0', 'b1']);
    expect(one.buffers.map(({ name }) => name)).toEqual(['b0', 'b1']);
    expect(beside(storing(1), storing(2), ['b0', 'b1'])).toBe(one);
    expect(beside(storing(2), storing(1), ['b0', 'b1'])).not.toBe(one);
    expect(beside(storing(1), storing(2), ['b0', 'b0'])).not.toBe(one);
    expect(table.shared(structuredClone(one))).toBe(one);
  });
});
