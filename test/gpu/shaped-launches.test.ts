/** A tile in a module, through the runtime: its grid of three dimensions, vectors, subgroups, and what a device is asked for. */
import { expect } from 'vitest';
import { toKernelSpec } from '../../compiler/emit/plan-to-manifest.ts';
import { legalise } from '../../compiler/kernel/legalise/legalise.ts';
import { featuresOf } from '../../compiler/kernel/workgroup-shape.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { printWgsl } from '../../compiler/wgsl/print-wgsl.ts';
import type { AxisSpec, Manifest, PlanSpec, SizeFormula } from '../../runtime/contract/manifest.ts';
import { requestDevice } from '../../runtime/node.ts';
import { createModel, requirementsOf } from '../../runtime/running/module.ts';
import { tileKernel } from '../kernels/tile-kernels.ts';
import { plainDevice } from '../support/gpu.ts';
import { gpuDevice, gpuTest } from '../support/gpu-test.ts';

const product = (...args: readonly SizeFormula[]): SizeFormula => ({ op: 'mul', args });

/** product(x: [T, K], w: [N, K]) -> y: [T, N], in tiles of 8 rows and two subgroups of columns. */
function tileModule(size: number): {
  readonly manifest: Manifest;
  readonly shader: string;
  readonly K: number;
  readonly N: number;
} {
  const [K, N] = [8 * size, 4 * size];
  const kernel = legalise(tileKernel('shuffle', size, K), webgpuCore);
  const [rows, inner, columns]: readonly AxisSpec[] = [
    { name: 'T', size: 'T' },
    { name: 'K', size: K },
    { name: 'N', size: N },
  ];
  if (!rows || !inner || !columns) throw new Error('an axis is missing');
  const blocks: SizeFormula = { op: 'ceil', args: [{ op: 'div', args: ['T', 8] }] };
  const plan: PlanSpec = {
    buffers: [
      { label: 'x', elements: product('T', K), kind: 'input', input: 0 },
      { label: 'w', elements: N * K, kind: 'input', input: 1 },
      { label: 'y', elements: product('T', N), kind: 'result' },
    ],
    steps: [
      {
        kind: 'launch',
        kernel: 0,
        label: 'tile',
        grid: [2, blocks, 1],
        workgroups: product(2, blocks),
        buffers: [0, 1, 2],
        uniforms: ['T', N, K / 4],
        unless: null,
      },
    ],
    results: [{ kind: 'tensor', name: 'y', group: 'result', buffer: 2, element: 'f32', axes: [rows, columns] }],
    status: [],
    slots: 0,
  };
  const input = (name: string, axes: readonly AxisSpec[]) => ({ name, element: 'f32' as const, axes, within: null });
  const manifest: Manifest = {
    schema: 1,
    moec: 'test',
    name: 'Tile',
    hash: 'none',
    dynamic: ['T'],
    requiredFeatures: featuresOf(kernel),
    requiredLimits: {},
    classes: [],
    stores: [],
    kernels: [toKernelSpec(kernel, 0)],
    entries: [
      {
        name: 'product',
        conditions: [],
        inputs: [input('x', [rows, inner]), input('w', [columns, inner])],
        plan,
        full: plan,
      },
    ],
  };
  return { manifest, shader: printWgsl(kernel), K, N };
}

gpuTest('a tile runs in a module, for any number of rows', async () => {
  const size = gpuDevice().adapterInfo.subgroupMinSize;
  const { manifest, shader, K, N } = tileModule(size);
  const device = await requestDevice(requirementsOf(manifest));
  const model = await createModel(manifest, [shader], { device });
  for (const rows of [0, 1, 8, 21]) {
    // Small whole numbers: every sum is exact.
    const x = Float32Array.from({ length: rows * K }, (_, i) => (i % 7) - 3);
    const w = Float32Array.from({ length: N * K }, (_, i) => (i % 5) - 2);
    const { results } = await model.run({ x, w }, { entry: 'product' });
    const y = results.get('y');
    if (y?.kind !== 'tensor') throw new Error('y is no tensor');
    const wanted = Array.from({ length: rows * N }, (_, i) => {
      const [row, column] = [Math.floor(i / N), i % N];
      return x.slice(row * K, (row + 1) * K).reduce((sum, v, k) => sum + v * (w[column * K + k] ?? NaN), 0);
    });
    expect(Array.from(y.data, (value) => value + 0)).toEqual(wanted.map((value) => value + 0));
  }
  model.dispose();
  device.destroy();
});

gpuTest('a device without subgroups is refused by name, and one with others', async () => {
  const { manifest, shader } = tileModule(gpuDevice().adapterInfo.subgroupMinSize);
  const plain = await plainDevice();
  await expect(createModel(manifest, [shader], { device: plain })).rejects.toMatchObject({
    code: 'MOE0702',
    missing: ['feature subgroups: missing'],
  });
  plain.destroy();
  const other = tileModule(gpuDevice().adapterInfo.subgroupMaxSize * 2).manifest;
  await expect(requestDevice(requirementsOf(other))).rejects.toMatchObject({
    code: 'MOE0702',
    missing: [expect.stringMatching(/^subgroups of \d+ lanes: \d+( to \d+)? are there$/)],
  });
});
