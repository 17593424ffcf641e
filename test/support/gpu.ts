/**
 * Running kernels on the adapter that the environment selects (VK_ICD_FILENAMES and friends; adapters.mjs chooses).
 *
 * What a test gets is a device or `null`, and a `null` is said in one loud line: a test on a GPU is never skipped silently.
 */
import { create } from 'webgpu';
import type { KernelLaunch } from '../../compiler/kernel/interpret-kernel.ts';
import type { Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { ENTRY_POINT, bindingLayout, printWgsl } from '../../compiler/wgsl/print-wgsl.ts';

// Kept for the life of the process: collected while a device lives, it takes the process down.
const gpu = create([]);
let opened: Promise<GPUDevice | null> | undefined;

/** A device on the selected adapter, one for each test file; `null` where there is none. */
export function softwareAdapter(): Promise<GPUDevice | null> {
  opened ??= open();
  return opened;
}

/** Another device on that adapter, without any feature. */
export async function plainDevice(): Promise<GPUDevice> {
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error('there is no adapter');
  return adapter.requestDevice();
}

async function open(): Promise<GPUDevice | null> {
  const adapter = await gpu.requestAdapter();
  if (adapter === null) {
    process.stdout.write('!!! NO GPU ADAPTER: nothing in this file is compared with a GPU (set VK_ICD_FILENAMES)\n');
    return null;
  }
  // Kernels with subgroups ask for these; where an adapter lacks them, their tests fail by name.
  const requiredFeatures = ['subgroups'].filter((name): name is GPUFeatureName => adapter.features.has(name));
  return adapter.requestDevice({ requiredFeatures });
}

const STORAGE = 0x80;
const UNIFORM = 0x40;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const MAP_READ = 0x1;
const COMPUTE_STAGE = 0x4;

/**
 * Runs one launch of a (legalised) kernel on `device` and gives the bytes of every writable buffer afterwards, by name.
 * The bound arrays are left alone. Throws on any error that Dawn reports.
 */
export async function runOnGpu(
  device: GPUDevice,
  kernel: Kernel,
  launch: KernelLaunch,
): Promise<ReadonlyMap<string, ArrayBuffer>> {
  device.pushErrorScope('validation');
  const made: GPUBuffer[] = [];
  const newBuffer = (size: number, usage: number) => {
    const buffer = device.createBuffer({ size: Math.max(size, 4), usage });
    made.push(buffer);
    return buffer;
  };
  const { buffers, uniforms } = bindingLayout(kernel);
  const entries: GPUBindGroupEntry[] = [];
  const layoutEntries: GPUBindGroupLayoutEntry[] = [];
  const results: {
    readonly name: string;
    readonly size: number;
    readonly buffer: GPUBuffer;
    readonly staging: GPUBuffer;
  }[] = [];
  for (const { name, binding, access } of buffers) {
    const bound = launch.buffers.get(name);
    if (bound === undefined) throw new Error(`buffer ${name} is not bound`);
    const words = bound.data.subarray(bound.offset ?? 0);
    const bytes = new Uint8Array(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
    const buffer = newBuffer(bytes.byteLength, STORAGE | COPY_SRC | COPY_DST);
    device.queue.writeBuffer(buffer, 0, bytes);
    entries.push({ binding, resource: { buffer } });
    const type = access === 'read' ? 'read-only-storage' : 'storage';
    layoutEntries.push({ binding, visibility: COMPUTE_STAGE, buffer: { type } });
    if (access === 'read_write') {
      const staging = newBuffer(bytes.byteLength, COPY_DST | MAP_READ);
      results.push({ name, size: bytes.byteLength, buffer, staging });
    }
  }
  if (uniforms !== undefined) {
    const bytes = new ArrayBuffer(uniforms.size);
    const view = new DataView(bytes);
    for (const { name, type, offset } of uniforms.fields) {
      const value = launch.uniforms.get(name);
      if (value === undefined) throw new Error(`uniform ${name} has no value`);
      if (type === 'f32') view.setFloat32(offset, value, true);
      else if (type === 'i32') view.setInt32(offset, value, true);
      else view.setUint32(offset, value, true);
    }
    const buffer = newBuffer(uniforms.size, UNIFORM | COPY_DST);
    device.queue.writeBuffer(buffer, 0, bytes);
    entries.push({ binding: uniforms.binding, resource: { buffer } });
    layoutEntries.push({ binding: uniforms.binding, visibility: COMPUTE_STAGE, buffer: { type: 'uniform' } });
  }
  const module = device.createShaderModule({ label: kernel.name, code: printWgsl(kernel) });
  const bindGroupLayout = device.createBindGroupLayout({ entries: layoutEntries });
  const layout = device.createPipelineLayout({ bindGroupLayouts: [bindGroupLayout] });
  const pipeline = await device.createComputePipelineAsync({ layout, compute: { module, entryPoint: ENTRY_POINT } });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: bindGroupLayout, entries }));
  pass.dispatchWorkgroups(...launch.workgroups);
  pass.end();
  for (const { buffer, staging, size } of results) encoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  const problem = await device.popErrorScope();
  if (problem !== null) throw new Error(`${kernel.name}: ${problem.message}`);
  const answers = new Map<string, ArrayBuffer>();
  for (const { name, staging } of results) {
    await staging.mapAsync(MAP_READ);
    answers.set(name, staging.getMappedRange().slice(0));
    staging.unmap();
  }
  for (const buffer of made) buffer.destroy();
  return answers;
}
