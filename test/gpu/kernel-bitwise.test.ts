/**
 * The kernel interpreter against the adapter of this run, bit for bit: sums, products, min and max of f32, everything on
 * integers, select, comparisons, control flow, workgroup memory and atomics. Only the sign of a zero is not compared.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { exp, f32, globalIdX, load, log, pow, rsqrt, sqrt, tanh } from '../../compiler/kernel/build.ts';
import { compileKernel } from '../../compiler/kernel/interpret.ts';
import type { Launch } from '../../compiler/kernel/interpret.ts';
import type { Expr, Kernel } from '../../compiler/kernel/ir.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import { legalise } from '../../compiler/kernel/legalise/legalise.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { launchOn, randomInputs, randomKernel } from '../kernel/random-kernels.ts';
import { histogramKernel, matmulKernel, treeSumKernel } from '../kernel/sample-kernels.ts';
import { runOnGpu, softwareAdapter } from '../support/gpu.ts';

let device: GPUDevice | null = null;
beforeAll(async () => {
  device = await softwareAdapter();
});

/** Both results of a launch, as numbers of the buffers' own types: [GPU, interpreter] by name. */
async function both(kernel: Kernel, launch: Launch): Promise<readonly (readonly [string, number[], number[]])[]> {
  const legal = legalise(kernel, webgpuCore);
  const gpu = device === null ? undefined : await runOnGpu(device, legal, launch);
  compileKernel(legal)(launch);
  return legal.buffers
    .filter((b) => b.access === 'read_write')
    .map(({ name, element }) => {
      const own = [...(launch.buffers.get(name)?.data ?? [])];
      const bytes = gpu?.get(name);
      if (bytes === undefined) return [name, own, own];
      const words =
        element === 'f32'
          ? new Float32Array(bytes)
          : element.endsWith('i32')
            ? new Int32Array(bytes)
            : new Uint32Array(bytes);
      return [name, [...words], own];
    });
}

async function expectSame(kernel: Kernel, launch: Launch): Promise<void> {
  // Adding 0 forgets the sign of a zero, which a GPU may ignore.
  const plain = (xs: readonly number[]) => xs.map((x) => x + 0);
  for (const [name, gpu, own] of await both(kernel, launch)) expect([name, plain(gpu)]).toEqual([name, plain(own)]);
}

const bindings = (buffers: Record<string, Float32Array | Int32Array | Uint32Array>) =>
  new Map(Object.entries(buffers).map(([name, data]) => [name, { data }]));

/** Numbers with full mantissas, of both signs and of many sizes. */
const data = (length: number, seed: number) =>
  Float32Array.from({ length }, (_, i) => Math.sin(seed + i * 12.9898) * 2 ** (i % 5));

describe('the GPU and the interpreter agree bit for bit', () => {
  it('random kernels', async () => {
    await fc.assert(
      fc.asyncProperty(randomKernel(true), randomInputs(true), async (kernel, inputs) => {
        await expectSame(kernel, launchOn(inputs));
      }),
      { numRuns: 25 },
    );
  });

  it('a matrix product', async () => {
    const [rows, inner, cols] = [17, 131, 9];
    await expectSame(matmulKernel(), {
      workgroups: [3, 1],
      buffers: bindings({ a: data(rows * inner, 1), b: data(inner * cols, 2), c: new Float32Array(rows * cols) }),
      uniforms: new Map([
        ['rows', rows],
        ['inner', inner],
        ['cols', cols],
      ]),
    });
  });

  it('a tree sum in workgroup memory', async () => {
    await expectSame(treeSumKernel(64), {
      workgroups: [4, 1],
      buffers: bindings({ x: data(256, 3), sums: new Float32Array(4) }),
      uniforms: new Map(),
    });
  });

  it('atomics', async () => {
    await expectSame(histogramKernel(), {
      workgroups: [4, 1],
      buffers: bindings({
        x: Uint32Array.from({ length: 100 }, (_, i) => (i * i) % 7),
        counts: new Uint32Array(7),
        most: new Int32Array([-1]),
      }),
      uniforms: new Map(),
    });
  });
});

/** y[i] = f(x[i]). */
function mapKernel(f: (x: Expr) => Expr): Kernel {
  const k = new KernelBuilder('map', 1);
  const x = k.buffer('x', 'f32', 'read');
  const y = k.buffer('y', 'f32', 'read_write');
  k.store(y, globalIdX, f(load(x, globalIdX)));
  return k.finish();
}

async function values(f: (x: Expr) => Expr, xs: readonly number[]): Promise<readonly [number[], number[]]> {
  const buffers = bindings({ x: new Float32Array(xs), y: new Float32Array(xs.length) });
  const [[, gpu, own]] = await both(mapKernel(f), { workgroups: [xs.length, 1], buffers, uniforms: new Map() });
  return [gpu, own];
}

describe('legalised functions on the GPU', () => {
  const MAX = 3.4028234663852886e38;
  const wild = [0, 1e-40, 1.2e-38, 1e-3, 0.5, 9, 44.5, 87.2, 88.7, 89, 1000, 65519, 65520, 1e30, MAX].flatMap((x) => [
    x,
    -x,
  ]);
  const functions: readonly (readonly [string, (x: Expr) => Expr, (x: number) => number])[] = [
    // WGSL: (3 + 2|x|) ulp, and an ulp of a float is at most 2^-23 of it.
    ['exp', exp, (x) => (3 + 2 * Math.min(Math.abs(x), 89)) * 2 ** -23],
    ['tanh', tanh, () => Infinity],
    ['log', log, () => Infinity],
    ['sqrt', sqrt, () => 3 * 2 ** -23],
    ['rsqrt', rsqrt, () => 3 * 2 ** -23],
  ];
  /** WGSL bounds these two absolutely. */
  const absolute = new Map([
    ['tanh', 1e-5],
    ['log', 2 ** -21],
  ]);

  it.each(functions)('%s is finite everywhere and within the bound of WGSL', async (name, f, relative) => {
    const [gpu, own] = await values(f, wild);
    // A GPU may take a subnormal for 0.
    const [, flushed] = await values(
      f,
      wild.map((x) => (Math.abs(x) < 2 ** -126 ? 0 : x)),
    );
    for (const [i, y] of gpu.entries()) {
      expect(Number.isFinite(y)).toBe(true);
      if (y === flushed[i]) continue;
      const bound = absolute.has(name)
        ? Math.max(absolute.get(name) ?? 0, Math.abs(own[i]) * 3 * 2 ** -23)
        : Math.abs(own[i]) * relative(wild[i]);
      // 2^-126: what a GPU may flush to zero.
      const flush = 2 ** -126;
      expect(Math.abs(y - own[i]), `${name}(${wild[i]}) = ${y}, not ${own[i]}`).toBeLessThanOrEqual(bound + flush);
    }
  });

  it('pow is finite everywhere', async () => {
    for (const power of [2.5, -2.5, 0, 3, -3]) {
      const [gpu] = await values((x) => pow(x, f32(power)), [0, 1e-3, 0.5, 3, 100, -2]);
      const domain = power === -3 ? gpu.slice(1) : gpu;
      for (const y of domain) expect(Number.isFinite(y)).toBe(true);
    }
  });
});
