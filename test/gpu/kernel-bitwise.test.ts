/**
 * The kernel interpreter against the adapter of this run, bit for bit: sums, products, min and max of f32, everything on
 * integers, select, comparisons, control flow, workgroup memory and atomics. Only the sign of a zero is not compared.
 */
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { compileKernel } from '../../compiler/kernel/interpret-kernel.ts';
import type { KernelLaunch } from '../../compiler/kernel/interpret-kernel.ts';
import type { Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { legalise } from '../../compiler/kernel/legalise/legalise.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { launchOn, randomInputs, randomKernel } from '../kernel/random-kernels.ts';
import { randomVectors, vectorLaunch } from '../kernel/random-vectors.ts';
import {
  histogramKernel,
  matmulKernel,
  onceKernel,
  ownArrayKernel,
  treeSumKernel,
  unrolledKernel,
} from '../kernel/sample-kernels.ts';
import { gridKernel, SUBGROUP_WORDS, subgroupsKernel } from '../kernel/subgroup-kernels.ts';
import { groupSlotsKernel, queuedSlotsKernel, subgroupTileKernel } from '../kernels/sample-launches.ts';
import { runOnGpu } from '../support/gpu.ts';
import { gpuDevice, gpuTest } from '../support/gpu-test.ts';

/** Both results of a launch, as numbers of the buffers' own types: [GPU, interpreter] by name. */
async function both(kernel: Kernel, launch: KernelLaunch): Promise<readonly (readonly [string, number[], number[]])[]> {
  const legal = legalise(kernel, webgpuCore);
  const gpu = await runOnGpu(gpuDevice(), legal, launch);
  compileKernel(legal)(launch);
  return legal.buffers
    .filter((b) => b.access === 'read_write')
    .map(({ name, element }) => {
      const own = [...(launch.buffers.get(name)?.data ?? [])];
      const bytes = gpu.get(name);
      if (bytes === undefined) throw new Error(`${name} did not come back from the GPU`);
      const words =
        element === 'f32'
          ? new Float32Array(bytes)
          : element.endsWith('i32')
            ? new Int32Array(bytes)
            : new Uint32Array(bytes);
      return [name, [...words], own];
    });
}

async function expectSame(kernel: Kernel, launch: KernelLaunch): Promise<void> {
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
  gpuTest('random kernels', async () => {
    await fc.assert(
      fc.asyncProperty(randomKernel(true), randomInputs(true), async (kernel, inputs) => {
        await expectSame(kernel, launchOn(inputs));
      }),
      { numRuns: 25 },
    );
  });

  // The same ones each time: of a vector that it has put together of zeros that it knows, SwiftShader says that it neither equals a vector of
  // zeros nor differs from it (`var b = vec4<i32>(0); vec4<i32>(b.x) == vec4<i32>(0)`; llvmpipe is right). Kernels of programs compare no
  // vectors; of random ones one in some hundreds does this.
  gpuTest('random kernels on vectors', async () => {
    await fc.assert(
      fc.asyncProperty(randomVectors(true), fc.nat(), async ({ width, vectors }, seed) => {
        await expectSame(vectors, vectorLaunch(width, seed));
      }),
      { numRuns: 25, seed: 20261 },
    );
  });

  gpuTest('a matrix product', async () => {
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

  gpuTest('loops that test at their bottom, and loops written out', async () => {
    await expectSame(onceKernel(true, 3), {
      workgroups: [1, 1],
      buffers: bindings({ x: data(200, 5), y: new Float32Array(2) }),
      uniforms: new Map([['n', 100]]),
    });
    await expectSame(ownArrayKernel(), {
      workgroups: [2, 1],
      buffers: bindings({
        x: data(64, 7),
        order: Uint32Array.from({ length: 64 }, (_, i) => (i * 7 + (i >> 2)) % 4),
        y: new Float32Array(64),
      }),
      uniforms: new Map(),
    });
    await expectSame(unrolledKernel(), {
      workgroups: [1, 1],
      buffers: bindings({ x: data(12, 6), y: new Float32Array(2) }),
      uniforms: new Map(),
    });
  });

  gpuTest('a grid of three dimensions', async () => {
    await expectSame(gridKernel(), {
      workgroups: [4, 3, 2],
      buffers: bindings({ out: new Uint32Array(12 * 24) }),
      uniforms: new Map(),
    });
  });

  gpuTest('subgroups', async () => {
    const size = gpuDevice().adapterInfo.subgroupMinSize;
    const n = 4 * size;
    const x = Uint32Array.from({ length: n }, (_, i) => Math.imul(i + 7, 2654435761) >>> 0);
    await expectSame(subgroupsKernel(size), {
      workgroups: [1, 1],
      buffers: bindings({
        x,
        f: data(n, 4),
        out: new Uint32Array(SUBGROUP_WORDS * n),
        floats: new Float32Array(4 * n),
      }),
      uniforms: new Map(),
    });
  });

  gpuTest.each([16, 13])('tiles of subgroups, of %i vectors', async (depth) => {
    const lanes = gpuDevice().adapterInfo.subgroupMinSize;
    // A whole block and a torn one of the first group, none of the second; a column tile and three columns of the next.
    const [width, group, blocks] = [2 * lanes + 3, [...new Array<number>(11).fill(0), 2], [0, 8, 11, 12]];
    await expectSame(subgroupTileKernel(lanes, depth), {
      workgroups: [3 * 2 * 2, 1],
      buffers: bindings({
        blocks: Uint32Array.from(blocks),
        group: Uint32Array.from(group),
        x: data(group.length * depth * 4, 2),
        w: data(3 * width * depth * 4, 3),
        y: new Float32Array(group.length * width),
      }),
      uniforms: new Map(Object.entries({ most: 3, width, depth, [`n${lanes}`]: lanes, n8: 8 })),
    });
  });

  gpuTest('a tree sum in workgroup memory', async () => {
    await expectSame(treeSumKernel(64), {
      workgroups: [4, 1],
      buffers: bindings({ x: data(256, 3), sums: new Float32Array(4) }),
      uniforms: new Map(),
    });
  });

  gpuTest('atomics', async () => {
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

  gpuTest('slots sorted by key, by as many threads as there are counters for', async () => {
    for (const [keys, threads] of [
      [1, 64],
      [5, 4],
      [60, 64],
      [128, 16],
    ] as const) {
      for (const slots of [0, 1, 63, 300]) {
        const ids = Array.from({ length: slots }, (_, i) => ((i * i * 7 + (i >> 3)) % (keys + 1)) - 1);
        const present = ids.filter((id) => id >= 0).length;
        const most = Math.floor(present / 4) + Math.min(keys, present);
        await expectSame(groupSlotsKernel(keys, threads, 4), {
          workgroups: [1, 1],
          buffers: bindings({
            ids: Int32Array.from(slots === 0 ? [0] : ids),
            list: new Uint32Array(Math.max(1, present)),
            offsets: new Uint32Array(keys + 1),
            place: new Int32Array(Math.max(1, slots)),
            blocks: new Uint32Array(most + 1),
          }),
          uniforms: new Map([
            ['keys', keys],
            ['slots', slots],
            ['most', most],
          ]),
        });
      }
    }
  });

  gpuTest('queues of slots, in all slots and in every group', async () => {
    for (const [keys, ranks, threads, groups] of [
      [5, 1, 4, null],
      [60, 1, 64, null],
      [8, 2, 64, null],
      [8, 1, 64, 100],
      [5, 3, 4, 25],
    ] as const) {
      const slots = 300;
      const ids = Array.from({ length: slots }, (_, i) => ((i * i * 7 + (i >> 3)) % (keys + 1)) - 1);
      const each: readonly (readonly [string, number])[] = groups === null ? [] : [['groups', groups], ['each', slots / groups]]; // prettier-ignore
      await expectSame(queuedSlotsKernel(keys, ranks, threads, groups !== null), {
        workgroups: [1, 1],
        buffers: bindings({
          ids: Int32Array.from(ids),
          ranks: Uint32Array.from(ids, (_, i) => (i >> 1) % ranks),
          list: new Uint32Array(slots),
          offsets: new Uint32Array(keys + 1),
          place: new Int32Array(slots),
        }),
        uniforms: new Map([['keys', keys], ['slots', slots], ['room', 3], ...each]), // prettier-ignore
      });
    }
  });
});
