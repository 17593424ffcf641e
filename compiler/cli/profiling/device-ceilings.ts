/**
 * What a device reaches at most, measured in the sitting in which launches are timed and by the same clock: bytes that are copied from
 * buffer to buffer, and operations of multiply-adds that need no memory.
 */
import { legalise } from '../../kernel/legalise/legalise.ts';
import { add, builtin, fma, load } from '../../kernel/make-expressions.ts';
import type { Kernel, KernelExpr } from '../../kernel/kernel-ir.ts';
import { KernelBuilder } from '../../kernel/kernel-builder.ts';
import { webgpuCore } from '../../target.ts';
import { ENTRY_POINT, printWgsl } from '../../wgsl/print-wgsl.ts';
import type { RecordedLaunch } from './recorded-launches.ts';
import type { TimeLaunches } from './time-launches.ts';

export interface DeviceCeilings {
  /** Read and written together. */
  readonly bytesPerSecond: number;
  /** A multiplication and an addition are two. */
  readonly flopsPerSecond: number;
}

const WORKGROUP = 64;
/** Elements of a vector. */
const WIDTH = 4;

/** target[i] = source[i], by vectors. */
export function copyKernel(): Kernel {
  const k = new KernelBuilder('copy', WORKGROUP);
  const source = k.buffer('source', 'f32', 'read', WIDTH);
  const target = k.buffer('target', 'f32', 'read_write', WIDTH);
  const i = k.let(builtin('global_id_x'));
  k.store(target, i, load(source, i));
  return legalise(k.finish(), webgpuCore);
}

/** Sums that do not wait for one another: as many as hide how long one takes. */
const CHAINS = 8;

/** Each thread goes `rounds` times over its sums, and stores what comes of them, so that nobody may leave them out. */
export function multiplyAddKernel(): Kernel {
  const k = new KernelBuilder('multiply_add', WORKGROUP);
  const source = k.buffer('source', 'f32', 'read', WIDTH);
  const target = k.buffer('target', 'f32', 'read_write', WIDTH);
  const rounds = k.uniform('rounds', 'u32');
  const i = k.let(builtin('global_id_x'));
  const factor = k.let(load(source, 0));
  const sums = Array.from({ length: CHAINS }, (_, j) => k.var(load(source, j)));
  k.forOnce(0, rounds, 1, () => sums.forEach((sum) => k.assign(sum, fma(sum, factor, factor))));
  k.store(
    target,
    i,
    sums.reduce((a: KernelExpr, b) => add(a, b)),
  );
  return legalise(k.finish(), webgpuCore);
}

const STORAGE = 0x80;
const UNIFORM = 0x40;
const COPY_DST = 0x8;

/** Bytes that are copied: more than caches hold, less than any device binds. */
const COPIED = 32 * 2 ** 20;
const THREADS = 2 ** 14;
/** A launch of so many milliseconds tells a rate; one that is shorter gets more rounds. */
const LONG_ENOUGH = 5;
const MOST_ROUNDS = 2 ** 18;
const TRIES = 5;

/** Measures both. The device gets its memory back. */
export async function measureCeilings(device: GPUDevice, time: TimeLaunches): Promise<DeviceCeilings> {
  const made: GPUBuffer[] = [];
  const buffer = (size: number, usage: number): GPUBuffer => {
    const one = device.createBuffer({ size, usage: usage | COPY_DST });
    made.push(one);
    return one;
  };
  const least = async (launch: RecordedLaunch): Promise<number> => {
    let best = Infinity;
    for (let i = 0; i <= TRIES; i++) {
      const [interval] = await time([launch]);
      // The first one compiles, on some drivers.
      if (interval !== undefined && i > 0) best = Math.min(best, interval.end - interval.start);
    }
    return best;
  };
  try {
    const source = buffer(COPIED, STORAGE);
    const target = buffer(COPIED, STORAGE);
    const numbers = new Float32Array(WIDTH * CHAINS).fill(0.5);
    device.queue.writeBuffer(source, 0, numbers);
    const copied = await launchOf(device, copyKernel(), [source, target], COPIED / (4 * WIDTH));
    const bytesPerSecond = (2 * COPIED) / ((await least(copied)) / 1000);
    const uniforms = buffer(16, UNIFORM);
    const added = await launchOf(device, multiplyAddKernel(), [source, target, uniforms], THREADS);
    let milliseconds = 0;
    let rounds = 16;
    for (; ; rounds *= 4) {
      device.queue.writeBuffer(uniforms, 0, new Uint32Array([rounds, 0, 0, 0]));
      milliseconds = await least(added);
      if (milliseconds >= LONG_ENOUGH || rounds >= MOST_ROUNDS) break;
    }
    const flops = 2 * THREADS * WIDTH * CHAINS * rounds;
    return { bytesPerSecond, flopsPerSecond: flops / (milliseconds / 1000) };
  } finally {
    made.forEach((one) => one.destroy());
  }
}

async function launchOf(
  device: GPUDevice,
  kernel: Kernel,
  buffers: readonly GPUBuffer[],
  threads: number,
): Promise<RecordedLaunch> {
  const module = device.createShaderModule({ label: kernel.name, code: printWgsl(kernel) });
  const pipeline = await device.createComputePipelineAsync({
    label: kernel.name,
    layout: 'auto',
    compute: { module, entryPoint: ENTRY_POINT },
  });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  return { label: kernel.name, pipeline, group, grid: [threads / WORKGROUP, 1, 1] };
}
