/** What a kernel's shape asks of its launch: whole vectors in what is bound. */
import { describe, expect, it } from 'vitest';
import { layOut } from '../../runtime/contract/buffer-layout.ts';
import type { KernelSpec, LaunchSpec, PlanSpec } from '../../runtime/contract/manifest.ts';

const kernelSpec = (part: Partial<KernelSpec>): KernelSpec => ({
  name: 'probe',
  shader: 0,
  workgroupSize: 64,
  buffers: [{ access: 'read', lanes: 4 }, { access: 'read_write' }],
  uniforms: [],
  ...part,
});

const launchSpec = (part: Partial<LaunchSpec>): LaunchSpec => ({
  kind: 'launch',
  kernel: 0,
  label: 'probe',
  workgroups: 1,
  buffers: [0, 1],
  uniforms: [],
  unless: null,
  ...part,
});

const planSpec = (...steps: readonly LaunchSpec[]): PlanSpec => ({
  buffers: [
    { label: 'x', elements: 'T', kind: 'scratch', slot: 0 },
    { label: 'y', elements: 'T', kind: 'result' },
  ],
  steps,
  results: [],
  status: [],
  slots: 1,
});

function laidOut(kernel: KernelSpec, launch: LaunchSpec, T: number) {
  return layOut({ stores: [], kernels: [kernel] }, planSpec(launch), new Map([['T', T]]));
}

describe('vectors', () => {
  it('are bound whole', () => {
    const { bindings } = laidOut(kernelSpec({}), launchSpec({}), 8);
    expect(bindings.map((b) => b.bytes)).toEqual([32, 32]);
    expect(() => laidOut(kernelSpec({}), launchSpec({}), 6)).toThrow(
      expect.objectContaining({ code: 'MOE0715', message: expect.stringMatching(/x has 6 elements and is read by 4/) }),
    );
  });

  it('have room for one where there is none', () => {
    const { bindings, allocations } = laidOut(kernelSpec({}), launchSpec({}), 0);
    expect(bindings.map((b) => [b.bytes, b.usedBytes])).toEqual([
      [16, 0],
      [4, 0],
    ]);
    expect(allocations.get('scratch:0')?.bytes).toBe(16);
  });

  it('ask nothing of buffers that are read one by one', () => {
    const scalars = kernelSpec({ buffers: [{ access: 'read' }, { access: 'read_write' }] });
    expect(laidOut(scalars, launchSpec({}), 6).bindings.map((b) => b.bytes)).toEqual([24, 24]);
  });
});
