/**
 * What a kernel is compiled for: limits, by the names WebGPU gives them.
 *
 * A target is data. `webgpu-core` is what every WebGPU implementation has to offer without being asked; a kernel that fits
 * it runs everywhere. The profiles below it describe devices of which more may be requested.
 */
export interface Target {
  readonly name: string;
  readonly limits: TargetLimits;
  /**
   * Elements of a matrix (terms of a sum, times columns) from which a tile of several rows by vectors is worth its text: a driver takes
   * seconds of CPU for a long body, which small matrices do not give back. Numbers are the same either way.
   */
  readonly tileFrom: number;
}

/** Names and meanings of GPUSupportedLimits; sizes in bytes. */
export interface TargetLimits {
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  readonly maxComputeWorkgroupSizeX: number;
  readonly maxComputeWorkgroupSizeY: number;
  readonly maxComputeWorkgroupSizeZ: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxComputeWorkgroupStorageSize: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** The default limits of the WebGPU specification: no optional feature is used. */
export const webgpuCore: Target = {
  name: 'webgpu-core',
  limits: {
    maxStorageBuffersPerShaderStage: 8,
    maxStorageBufferBindingSize: 128 * MIB,
    maxBufferSize: 256 * MIB,
    maxComputeWorkgroupSizeX: 256,
    maxComputeWorkgroupSizeY: 256,
    maxComputeWorkgroupSizeZ: 64,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupsPerDimension: 65_535,
    maxComputeWorkgroupStorageSize: 16 * KIB,
  },
  tileFrom: 4096,
};

/** What desktop GPUs commonly allow when asked: bindings and buffers of nearly 4 GiB. The manifest then asks for it. */
export const webgpuLarge: Target = {
  ...webgpuCore,
  name: 'webgpu-large',
  limits: { ...webgpuCore.limits, maxStorageBufferBindingSize: 4096 * MIB - 4, maxBufferSize: 4096 * MIB - 4 },
};

/** Every known target, by its name. */
export const targets: ReadonlyMap<string, Target> = new Map([webgpuCore, webgpuLarge].map((t) => [t.name, t]));
