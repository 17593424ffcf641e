/** What a kernel's shape asks of its launch and its device: whole vectors in what is bound, grids of three dimensions, subgroups. */
import { describe, expect, it } from 'vitest';
import { isSkipped, layOut } from '../../runtime/contract/buffer-layout.ts';
import { fitsGrid } from '../../runtime/contract/grid.ts';
import { missingRequirements } from '../../runtime/running/device.ts';
import { requirementsOf } from '../../runtime/running/module.ts';
import { manifest } from './sample-model.ts';
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
      [16, 0],
    ]);
    expect(allocations.get('scratch:0')?.bytes).toBe(16);
  });

  it('ask nothing of buffers that are read one by one', () => {
    const scalars = kernelSpec({ buffers: [{ access: 'read' }, { access: 'read_write' }] });
    expect(laidOut(scalars, launchSpec({}), 6).bindings.map((b) => b.bytes)).toEqual([24, 24]);
  });
});

describe('a grid of three dimensions', () => {
  const shaped = kernelSpec({ buffers: [{ access: 'read' }, { access: 'read_write' }], sides: [8, 8, 1] });
  const tiles = { op: 'ceil', args: [{ op: 'div', args: ['T', 8] }] } as const;

  it('is laid out side by side, and skipped where one has no workgroup', () => {
    const gridded = launchSpec({ grid: [tiles, 3, 2], workgroups: { op: 'mul', args: [tiles, 6] } });
    const launchAt = (T: number) => {
      const [step] = laidOut(shaped, gridded, T).steps;
      if (step?.kind !== 'launch') throw new Error('there is no launch');
      return step.launch;
    };
    expect(launchAt(20)).toMatchObject({ grid: [3, 3, 2], workgroups: 18 });
    expect(isSkipped(launchAt(20), new Set())).toBe(false);
    expect(isSkipped(launchAt(0), new Set())).toBe(true);
  });

  it('is null where a kernel has a row of threads', () => {
    const [step] = laidOut(kernelSpec({}), launchSpec({}), 8).steps;
    expect(step).toMatchObject({ launch: { grid: null, workgroups: 1 } });
  });

  it('fits what a device has in each dimension', () => {
    expect(fitsGrid([65_535, 1, 65_535], 65_535)).toBe(true);
    expect(fitsGrid([1, 65_536, 1], 65_535)).toBe(false);
  });
});

describe('subgroups', () => {
  const device = (features: readonly string[], subgroupMinSize: number, subgroupMaxSize: number) => ({
    features: new Set(features),
    limits: {},
    adapterInfo: { subgroupMinSize, subgroupMaxSize },
  });
  const needs = requirementsOf({
    ...manifest,
    requiredLimits: {},
    requiredFeatures: ['subgroups'],
    kernels: [kernelSpec({ subgroupSize: 8 }), kernelSpec({ subgroupSize: 8 }), kernelSpec({})],
  });

  it('of the size that a kernel names are asked of a device', () => {
    expect(needs.subgroupSizes).toEqual([8]);
    expect(missingRequirements(device(['subgroups'], 8, 8), needs)).toEqual([]);
    expect(missingRequirements(device(['subgroups'], 4, 32), needs)).toEqual([
      'subgroups of 8 lanes: 4 to 32 are there',
    ]);
    expect(missingRequirements(device(['subgroups'], 32, 32), needs)).toEqual(['subgroups of 8 lanes: 32 are there']);
  });

  it('are refused by name where a device lacks them', () => {
    expect(missingRequirements(device([], 0, 0), needs)).toEqual([
      'feature subgroups: missing',
      'subgroups of 8 lanes: 0 are there',
    ]);
  });
});
