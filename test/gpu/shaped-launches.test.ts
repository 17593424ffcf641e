/** A product in a module, through the runtime: its grid of three dimensions, vectors, subgroups, and what a device is asked for. */
import { expect } from 'vitest';
import { toKernelSpec } from '../../compiler/emit/plan-to-manifest.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import type { Kernel } from '../../compiler/kernel/kernel-ir.ts';
import {
  add,
  componentsOf,
  f32,
  load,
  mul,
  subgroupLane,
  workgroupIdX,
  workgroupIdY,
} from '../../compiler/kernel/make-expressions.ts';
import { legalise } from '../../compiler/kernel/legalise/legalise.ts';
import { featuresOf } from '../../compiler/kernel/workgroup-shape.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { printWgsl } from '../../compiler/wgsl/print-wgsl.ts';
import type { AxisSpec, Manifest, PlanSpec, SizeFormula } from '../../runtime/contract/manifest.ts';
import { requestDevice } from '../../runtime/node.ts';
import { createModel, requirementsOf } from '../../runtime/running/module.ts';
import { plainDevice } from '../support/gpu.ts';
import { gpuDevice, gpuTest } from '../support/gpu-test.ts';

const product = (...args: readonly SizeFormula[]): SizeFormula => ({ op: 'mul', args });

/** y[t, n] = Σ x[t, k] w[n, k]: a subgroup has a row and as many columns as lanes, and hands a vector of the row from lane to lane. */
function productKernel(size: number): Kernel {
  const k = new KernelBuilder('product', [size, 1, 1], size);
  const x = k.buffer('x', 'f32', 'read', 4);
  const w = k.buffer('w', 'f32', 'read', 4);
  const y = k.buffer('y', 'f32', 'read_write');
  const [columns, vectors] = [k.uniform('columns', 'u32'), k.uniform('vectors', 'u32')];
  const column = k.let(add(mul(workgroupIdX, size), subgroupLane));
  const sum = k.var(f32(0));
  k.forOnce(0, vectors, size, (start) => {
    const own = k.let(load(x, add(mul(workgroupIdY, vectors), add(start, subgroupLane))));
    k.forOnce(0, size, 1, (s) => {
      const row = componentsOf(k.shuffle(own, s));
      const weights = componentsOf(k.let(load(w, add(mul(column, vectors), add(start, s)))));
      k.assign(sum, row.reduce((all, part, i) => add(all, mul(part, weights[i] ?? f32(NaN))), sum)); // prettier-ignore
    });
  });
  k.store(y, add(mul(workgroupIdY, columns), column), sum);
  return k.finish();
}

/** product(x: [T, K], w: [N, K]) -> y: [T, N] */
function productModule(size: number): {
  readonly manifest: Manifest;
  readonly shader: string;
  readonly K: number;
  readonly N: number;
} {
  const [K, N] = [8 * size, 4 * size];
  const kernel = legalise(productKernel(size), webgpuCore);
  const [rows, inner, columns]: readonly AxisSpec[] = [
    { name: 'T', size: 'T' },
    { name: 'K', size: K },
    { name: 'N', size: N },
  ];
  if (!rows || !inner || !columns) throw new Error('an axis is missing');
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
        label: 'product',
        grid: [4, 'T', 1],
        workgroups: product(4, 'T'),
        buffers: [0, 1, 2],
        uniforms: [N, K / 4],
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
    name: 'Product',
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

gpuTest('a product runs in a module, for any number of rows', async () => {
  const size = gpuDevice().adapterInfo.subgroupMinSize;
  const { manifest, shader, K, N } = productModule(size);
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
  const { manifest, shader } = productModule(gpuDevice().adapterInfo.subgroupMinSize);
  const plain = await plainDevice();
  await expect(createModel(manifest, [shader], { device: plain })).rejects.toMatchObject({
    code: 'MOE0702',
    missing: ['feature subgroups: missing'],
  });
  plain.destroy();
  const other = productModule(gpuDevice().adapterInfo.subgroupMaxSize * 2).manifest;
  await expect(requestDevice(requirementsOf(other))).rejects.toMatchObject({
    code: 'MOE0702',
    missing: [expect.stringMatching(/^subgroups of \d+ lanes: \d+( to \d+)? are there$/)],
  });
});
