/** The adapter that is measured. Which one there is, the environment of the process decides (test/support/adapters.mjs). */
import { create } from 'webgpu';
import { describeAdapter } from '../../runtime/index.ts';

// Kept for the life of the process: collected while a device lives, it takes the process down.
const gpu = create([]);

export interface Opened {
  readonly device: GPUDevice;
  readonly name: string;
  /** It computes on the CPU. */
  readonly software: boolean;
  /** Lanes of a subgroup at least; 0 where there are no subgroups. */
  readonly lanes: number;
  readonly description: string;
  readonly vendor: string;
  readonly architecture: string;
}

const wanted = ['subgroups', 'subgroup-size-control', 'shader-f16', 'timestamp-query'];

/** A device with whatever of use the adapter has, or null. */
export async function openAdapter(): Promise<Opened | null> {
  const adapter = await gpu.requestAdapter();
  if (adapter === null) return null;
  const features = wanted.filter((name): name is GPUFeatureName => adapter.features.has(name));
  const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredFeatures: features,
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize },
  });
  const { info } = adapter;
  const text = describeAdapter(info).toLowerCase();
  const known = text.includes('llvmpipe') ? 'lavapipe' : text.includes('swiftshader') ? 'swiftshader' : null;
  return {
    device,
    name: known ?? (info.device === '' ? info.vendor : info.device),
    software: known !== null || text.includes('basic render'),
    lanes: device.features.has('subgroups') ? info.subgroupMinSize : 0,
    description: describeAdapter(info),
    vendor: info.vendor,
    architecture: info.architecture,
  };
}
