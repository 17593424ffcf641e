/** One elementwise kernel for a table of arguments: in the kernels' interpreter, and on the adapter of this run. */
import { compileKernel } from '../../compiler/kernel/interpret-kernel.ts';
import type { KernelLaunch } from '../../compiler/kernel/interpret-kernel.ts';
import type { KernelExpr, Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { globalIdX, load, lt } from '../../compiler/kernel/make-expressions.ts';
import { KernelBuilder } from '../../compiler/kernel/kernel-builder.ts';
import { legalise } from '../../compiler/kernel/legalise/legalise.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { runOnGpu } from '../support/gpu.ts';

export type Words = Float32Array | Int32Array;

/** out[i] = make(a[i], b[i]), and what of it is on a device. */
export interface Elementwise {
  readonly make: (k: KernelBuilder, a: KernelExpr, b: KernelExpr) => KernelExpr;
  readonly a: Words;
  readonly b?: Words;
  readonly result?: 'f32' | 'i32';
}

const typeOf = (words: Words): 'f32' | 'i32' => (words instanceof Float32Array ? 'f32' : 'i32');

function kernelOf({ make, a, b = a, result = typeOf(a) }: Elementwise): Kernel {
  const k = new KernelBuilder('elementwise', 64);
  const [x, y] = [k.buffer('a', typeOf(a), 'read'), k.buffer('b', typeOf(b), 'read')];
  const out = k.buffer('out', result, 'read_write');
  const n = k.uniform('n', 'u32');
  k.when(lt(globalIdX, n), () => k.store(out, globalIdX, make(k, load(x, globalIdX), load(y, globalIdX))));
  return legalise(k.finish(), webgpuCore);
}

function launchOf({ a, b = a, result = typeOf(a) }: Elementwise): { launch: KernelLaunch; data: Words } {
  const data = result === 'f32' ? new Float32Array(a.length) : new Int32Array(a.length);
  const buffers = new Map<string, { data: Words }>([
    ['a', { data: a }],
    ['b', { data: b }],
    ['out', { data }],
  ]);
  const launch = { workgroups: [Math.ceil(a.length / 64), 1] as const, buffers, uniforms: new Map([['n', a.length]]) };
  return { launch, data };
}

/** The results in the kernels' interpreter. */
export function onKernels(work: Elementwise): Words {
  const { launch, data } = launchOf(work);
  compileKernel(kernelOf(work))(launch);
  return data;
}

/** The results on a device. */
export async function onDevice(device: GPUDevice, work: Elementwise): Promise<Words> {
  const { launch, data } = launchOf(work);
  const bytes = (await runOnGpu(device, kernelOf(work), launch)).get('out') ?? new ArrayBuffer(0);
  return data instanceof Float32Array ? new Float32Array(bytes) : new Int32Array(bytes);
}

/** f32 numbers by their bits. */
export const ofBits = (bits: ArrayLike<number>): Float32Array => new Float32Array(Uint32Array.from(bits).buffer);

/** `n` bit patterns of all kinds, the same every time: every sign, exponent and significand comes up. */
export function randomBits(n: number, seed = 1): Uint32Array {
  let state = seed >>> 0;
  return Uint32Array.from({ length: n }, () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return (Math.imul(state ^ (state >>> 12), 0x297a2d39) ^ (state >>> 7)) >>> 0;
  });
}

/** Equal numbers, NaN equal to NaN; the sign of a zero is not looked at. */
export const same = (x: number, y: number): boolean => x === y || (Number.isNaN(x) && Number.isNaN(y));

/** The first few places at which two results differ, in words. */
export function different(a: Words, got: ArrayLike<number>, wanted: (x: number, i: number) => number): string[] {
  const wrong: string[] = [];
  a.forEach((x, i) => {
    const value = wanted(x, i);
    if (!same(got[i] ?? 0, value) && wrong.length < 5) wrong.push(`${x}: ${got[i]}, not ${value}`);
  });
  return wrong;
}
