/** Tiles in the kernel IR: their bits are those of one thread an output, in the order of sums. */
import { expect, it } from 'vitest';
import { compileKernel } from '../../compiler/kernel/interpret-kernel.ts';
import { legalise } from '../../compiler/kernel/legalise/legalise.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { printWgsl } from '../../compiler/wgsl/print-wgsl.ts';
import { validateWgsl } from '../support/null-device.ts';
import { scalarProduct, tileForms, tileLaunches } from './tile-kernels.ts';

it.each(tileForms.flatMap((form) => [4, 8, 16].map((size) => [form, size] as const)))(
  'a tile by %s, of subgroups of %i',
  async (form, size) => {
    const wanted = scalarProduct(size);
    expect(wanted.every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
    for (const [name, kernel, launch] of tileLaunches(form, size)) {
      const legal = legalise(kernel, webgpuCore);
      expect(await validateWgsl(printWgsl(legal))).toEqual([]);
      compileKernel(legal)(launch);
      expect([name, [...(launch.buffers.get('y')?.data ?? [])]]).toEqual([name, wanted]);
    }
  },
);
