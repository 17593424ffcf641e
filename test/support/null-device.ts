/**
 * Validation of WGSL by Tint, on Dawn's null backend: needs no driver, runs nothing, and so never gives numbers.
 *
 * The object that `create` returns has to live as long as the process: collected while a device lives, it takes the
 * process down. It is kept here, once per test file.
 */
import { create } from 'webgpu';

const gpu = create(['backend=null']);
let device: Promise<GPUDevice> | undefined;

async function openDevice(): Promise<GPUDevice> {
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error('the null backend of Dawn gave no adapter');
  // Kernels with subgroups ask for these; where an adapter lacks them, their tests fail by name.
  const requiredFeatures = ['subgroups'].filter((name): name is GPUFeatureName => adapter.features.has(name));
  return adapter.requestDevice({ requiredFeatures });
}

/** The device, for calls that have to be valid and give no numbers. */
export function validatingDevice(): Promise<GPUDevice> {
  device ??= openDevice();
  return device;
}

/** Errors and warnings of a shader, one line each; also what creating its compute pipeline says. Empty if it is good. */
export async function validateWgsl(text: string): Promise<string[]> {
  const dawn = await validatingDevice();
  dawn.pushErrorScope('validation');
  const module = dawn.createShaderModule({ code: text });
  const { messages } = await module.getCompilationInfo();
  const scoped = await dawn.popErrorScope();
  const found = messages
    .filter(({ type }) => type !== 'info')
    .map(({ type, lineNum, linePos, message }) => `${type} ${lineNum}:${linePos} ${message}`);
  if (scoped !== null && found.length === 0) found.push(scoped.message);
  if (found.length > 0) return found;
  // Limits are checked against a pipeline, not a module.
  try {
    await dawn.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
  } catch (error) {
    found.push(error instanceof Error ? error.message : String(error));
  }
  return found;
}
