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
  /**
   * Up to so many points a sum asks at each whether there is something to add, where it could go along the rows that are there: to list those of
   * each result takes three launches, and what stands on a list costs products of matrices, beside which the questions are little.
   */
  readonly maxAsked: number;
  /** Classes of devices for which launches get forms of their own, besides the portable one. */
  readonly classes: readonly DeviceClass[];
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

/**
 * A kind of devices for which launches have forms of their own, besides the portable one that every device runs. A module carries the
 * classes it has forms of, and the runtime chooses when a model is made (runtime/contract/device-class.ts).
 */
export interface DeviceClass {
  readonly name: 'simd4' | 'simd8';
  /** Lanes of every subgroup. */
  readonly subgroupSize: number;
  /**
   * Whether a thread keeps what a row holds in arrays of its own: drivers that keep lanes side by side read those as vectors, others look
   * for an element that the run decides among all there are (DECISIONS 62).
   */
  readonly threadArrays: boolean;
  readonly tile: SubgroupTileShape;
  /** Rows that a subgroup has at once of a sum that goes along its softmax (kernels/online.ts). */
  readonly onlineRows: number;
}

/** The tile of a matrix product that a subgroup computes (kernels/subgroup-tile.ts). */
export interface SubgroupTileShape {
  readonly rows: number;
  /** Of a lane, of all heads together. */
  readonly columns: number;
  /** Of matrices so many times as large as `Target.tileFrom`: the text is longer than that of other tiles. */
  readonly fromTimes: number;
  /** Rows up to which a block is a tile of so many, in half the time of a whole one (DECISIONS 83, 87). */
  readonly smallRows: number;
}

/** Processors, which run the lanes of a subgroup as one vector: SwiftShader, llvmpipe. Tiles as measured there (DECISIONS 56). */
export const deviceClasses: readonly DeviceClass[] = [
  {
    name: 'simd4',
    subgroupSize: 4,
    threadArrays: true,
    tile: { rows: 16, columns: 8, fromTimes: 4, smallRows: 4 },
    onlineRows: 4,
  },
  {
    name: 'simd8',
    subgroupSize: 8,
    threadArrays: false,
    tile: { rows: 16, columns: 4, fromTimes: 1, smallRows: 4 },
    onlineRows: 8,
  },
];

const KIB = 1024;
const MIB = 1024 * KIB;

/** What the arrays of a thread may take together, in bytes: a limit of WGSL itself (private variables), not of a device. */
export const THREAD_BYTES = 8192;

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
  maxAsked: 32,
  classes: deviceClasses,
};

/** What desktop GPUs commonly allow when asked: bindings and buffers of nearly 4 GiB. The manifest then asks for it. */
export const webgpuLarge: Target = {
  ...webgpuCore,
  name: 'webgpu-large',
  limits: { ...webgpuCore.limits, maxStorageBufferBindingSize: 4096 * MIB - 4, maxBufferSize: 4096 * MIB - 4 },
};

/** The target without forms of classes: what every device runs, and the kernel interpreter. */
export const portableOf = (target: Target): Target => ({ ...target, classes: [] });

/** Every known target, by its name. */
export const targets: ReadonlyMap<string, Target> = new Map([webgpuCore, webgpuLarge].map((t) => [t.name, t]));
