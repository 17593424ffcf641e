/**
 * What moec needs of the machine beyond Node: a WebGPU adapter. A look at the one that is there, taken in a child process, since a
 * driver that misbehaves takes its process along. How to get one where there is none is in
 * compiler/cli/terminal/adapter-help.ts.
 */
import { add, load } from '../../kernel/make-expressions.ts';
import type { Kernel } from '../../kernel/kernel-ir.ts';
import { KernelBuilder } from '../../kernel/kernel-builder.ts';
import { ENTRY_POINT, printWgsl } from '../../wgsl/print-wgsl.ts';
import { spawn } from 'node:child_process';

/** What an adapter is and offers, or why there is none. */
export type AdapterReport =
  | {
      readonly ok: true;
      readonly name: string;
      readonly vendor: string;
      readonly architecture: string;
      readonly device: string;
      readonly description: string;
      readonly software: boolean;
      readonly features: readonly string[];
      readonly limits: Readonly<Record<string, number>>;
    }
  | { readonly ok: false; readonly reason: string };

/** Whether an adapter computes on the CPU, by what it says of itself. */
export function isSoftware(adapter: string): boolean {
  return /llvmpipe|lavapipe|swiftshader|basic render/i.test(adapter);
}

/** Milliseconds: a cold software driver compiles its first shader in a few seconds. */
const deadline = 60_000;

/** Runs `moec doctor --probe` and reads what it says. Never throws: a crash of a driver is a reason. */
export function probeAdapter(): Promise<AdapterReport> {
  return new Promise((resolve) => {
    const script = process.argv[1];
    if (script === undefined) return resolve({ ok: false, reason: 'the command line does not know its own path' });
    const child = spawn(process.execPath, [...process.execArgv, script, 'doctor', '--probe'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => (out += data.toString()));
    child.stderr.on('data', (data: Buffer) => (err += data.toString()));
    const timer = setTimeout(() => child.kill('SIGKILL'), deadline);
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ ok: false, reason: error.message });
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const line = out.split('\n').find((text) => text.startsWith('{"probe":'));
      const report = line === undefined ? null : readReport(line);
      if (report !== null) return resolve(report);
      const last = err.trim().split('\n').at(-1) ?? '';
      const ended =
        signal === 'SIGKILL' ? `did not answer within ${deadline / 1000} s` : `ended with ${signal ?? code}`;
      resolve({
        ok: false,
        reason: `the driver was tried in a process that ${ended}${last === '' ? '' : `: ${last}`}`,
      });
    });
  });
}

function readReport(line: string): AdapterReport | null {
  try {
    const value: { readonly probe: AdapterReport } = JSON.parse(line);
    return value.probe;
  } catch {
    return null;
  }
}

/** The child's part: asks for an adapter, adds two numbers on it, and describes it. */
export async function lookAtAdapter(): Promise<AdapterReport> {
  const { requestDevice } = await import('../../../runtime/node.ts');
  const { describeAdapter } = await import('../../../runtime/running/device.ts');
  let device: GPUDevice;
  try {
    device = await requestDevice();
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message.replace(/^MOE\d{4}: /, '') : String(error) };
  }
  const sum = await addOnDevice(device, 1.5, 2.25);
  if (sum !== 3.75) return { ok: false, reason: `the adapter computed 1.5 + 2.25 = ${sum}` };
  const { vendor, architecture, device: model, description } = device.adapterInfo;
  const adapter = await adapterOf();
  const text = `${vendor} ${architecture} ${model} ${description}`;
  const report: AdapterReport = {
    ok: true,
    name: describeAdapter(device.adapterInfo),
    vendor,
    architecture,
    device: model,
    description,
    software: isSoftware(text),
    features: [...(adapter?.features ?? device.features)].sort(),
    limits: limitsOf(adapter?.limits ?? device.limits),
  };
  device.destroy();
  return report;
}

/** What the adapter offers, which is more than a device asks for; the entry point is kept until the process ends. */
async function adapterOf(): Promise<GPUAdapter | null> {
  const { create } = await import('webgpu');
  const gpu = create([]);
  process.once('exit', () => void gpu);
  return gpu.requestAdapter();
}

function limitsOf(limits: GPUSupportedLimits): Readonly<Record<string, number>> {
  const entries: [string, number][] = [];
  for (const name in limits) {
    const value: unknown = Reflect.get(limits, name);
    if (typeof value === 'number') entries.push([name, value]);
  }
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const STORAGE = 0x80;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const MAP_READ = 0x1;

/** data[2] = data[0] + data[1], on one thread. */
function additionKernel(): Kernel {
  const k = new KernelBuilder('addition', 1);
  const data = k.buffer('data', 'f32', 'read_write');
  k.store(data, 2, add(load(data, 0), load(data, 1)));
  return k.finish();
}

async function addOnDevice(device: GPUDevice, a: number, b: number): Promise<number | undefined> {
  const module = device.createShaderModule({ code: printWgsl(additionKernel()) });
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module, entryPoint: ENTRY_POINT },
  });
  const buffer = device.createBuffer({ size: 12, usage: STORAGE | COPY_SRC | COPY_DST });
  const staging = device.createBuffer({ size: 12, usage: COPY_DST | MAP_READ });
  device.queue.writeBuffer(buffer, 0, new Float32Array([a, b, 0]));
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, 12);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(MAP_READ);
  const sum = new Float32Array(staging.getMappedRange())[2];
  staging.unmap();
  return sum;
}
