/**
 * Devices: what a model needs of one, whether a device has it, and a helper that asks for one.
 *
 * Invariants:
 * - Nothing is demanded that was not compared with the adapter first: WebGPU's own refusals name features by number.
 * - A device that comes from here never prints validation errors on its own: it has a listener from its first moment.
 */
import { SUBGROUP_FEATURE, type ClassedDevice } from '../contract/device-class.ts';
import { MoecError, RequirementsError } from '../contract/errors.ts';

/** What a compiled model needs; part of every generated module. */
export interface DeviceRequirements {
  readonly requiredFeatures?: readonly string[];
  readonly requiredLimits?: Readonly<Record<string, number>>;
  /** Sizes of subgroups that kernels were written for: all subgroups of the device must have it. */
  readonly subgroupSizes?: readonly number[];
}

export interface DeviceOptions extends DeviceRequirements {
  /** Where adapters come from; `navigator.gpu` if nothing is given. */
  readonly gpu?: GPU;
  readonly powerPreference?: GPUPowerPreference;
  readonly label?: string;
}

/** Limits of which a device gets all the adapter has: they bound the size of weights, not the kind of kernels. */
const MEMORY_LIMITS = ['maxBufferSize', 'maxStorageBufferBindingSize'] as const;

/** Limits where a smaller number is the stronger one. */
const ALIGNMENTS = new Set(['minStorageBufferOffsetAlignment', 'minUniformBufferOffsetAlignment']);

/** A device with what a model needs, in a browser or another host that has `navigator.gpu`. */
export async function requestDevice(options: DeviceOptions = {}): Promise<GPUDevice> {
  const gpu = options.gpu ?? hostGpu();
  if (gpu === null) {
    throw new MoecError(
      'MOE0701',
      'there is no navigator.gpu here: in Node use requestDevice of the module moec/runtime/node, in a browser a secure page',
    );
  }
  return requestDeviceFrom(gpu, options);
}

function hostGpu(): GPU | null {
  const host: { readonly gpu?: GPU } | undefined = typeof navigator === 'undefined' ? undefined : navigator;
  return host?.gpu ?? null;
}

/** As `requestDevice`, from a given entry point. Throws MoecError MOE0701 or RequirementsError. */
export async function requestDeviceFrom(gpu: GPU, options: DeviceOptions): Promise<GPUDevice> {
  const adapter = await gpu.requestAdapter({ powerPreference: options.powerPreference });
  if (adapter === null) {
    throw new MoecError('MOE0701', 'no GPU adapter was found: a driver for Vulkan, Metal or Direct3D 12 is needed');
  }
  const missing = missingRequirements(adapter, options);
  if (missing.length > 0) throw new RequirementsError(missing);
  const requiredLimits: Record<string, number> = { ...options.requiredLimits };
  for (const name of MEMORY_LIMITS) requiredLimits[name] = Math.max(requiredLimits[name] ?? 0, adapter.limits[name]);
  const device = await adapter.requestDevice({
    label: options.label ?? 'moec',
    // Those of device classes are asked for wherever they are: of which class a device is, is seen when a model is made.
    requiredFeatures: [...new Set([...(options.requiredFeatures ?? []), SUBGROUP_FEATURE])].filter(
      isFeatureOf(adapter),
    ),
    requiredLimits,
  });
  silenceUncaptured(device);
  return device;
}

function isFeatureOf(adapter: GPUAdapter): (name: string) => name is GPUFeatureName {
  return (name): name is GPUFeatureName => adapter.features.has(name);
}

/**
 * Everything a device or adapter lacks, one line each; empty if it suffices. Used before a device is asked for, and on
 * the device that a caller brings.
 */
export function missingRequirements(
  target: ClassedDevice & { readonly limits: object },
  requirements: DeviceRequirements,
): readonly string[] {
  const features = (requirements.requiredFeatures ?? [])
    .filter((name) => !target.features.has(name))
    .map((name) => `feature ${name}: missing`);
  const limits = Object.entries(requirements.requiredLimits ?? {}).flatMap(([name, needed]) => {
    const have: unknown = Reflect.get(target.limits, name);
    if (typeof have !== 'number') return [`limit ${name}: not known to this device, ${needed} is needed`];
    const suffices = ALIGNMENTS.has(name) ? have <= needed : have >= needed;
    return suffices ? [] : [`limit ${name}: ${needed} is needed, ${have} is there`];
  });
  const info = target.info ?? target.adapterInfo;
  const subgroups = (requirements.subgroupSizes ?? []).flatMap((size) => {
    const [least, most] = [info?.subgroupMinSize ?? 0, info?.subgroupMaxSize ?? 0];
    const there = least === most ? String(most) : `${least} to ${most}`;
    return size === least && size === most ? [] : [`subgroups of ${size} lanes: ${there} are there`];
  });
  return [...features, ...limits, ...subgroups];
}

/** Throws RequirementsError where a device lacks something. */
export function checkDevice(device: GPUDevice, requirements: DeviceRequirements): void {
  const missing = missingRequirements(device, requirements);
  if (missing.length > 0) throw new RequirementsError(missing);
}

/**
 * Errors that reach no error scope are printed by some hosts, to the standard output of all places. Work of this
 * runtime is always in scopes; this is for what a caller does with the device we made. A caller's own listener is
 * still called.
 */
export function silenceUncaptured(device: GPUDevice): void {
  device.addEventListener('uncapturederror', (event) => event.preventDefault());
}

/** A short name of an adapter for reports: vendor, architecture, description, as far as they are told. */
export function describeAdapter(info: GPUAdapterInfo): string {
  const parts = [info.vendor, info.architecture, info.device, info.description].filter((part) => part !== '');
  return parts.length === 0 ? 'unknown adapter' : parts.join(' ');
}
