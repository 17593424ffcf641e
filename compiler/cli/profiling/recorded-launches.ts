/**
 * The launches of a run as they reach the device: pipeline, bindings, grid, in order. They are noted where the runtime hands them to
 * WebGPU, so that what is timed afterwards is what ships, and the runtime needs to know nothing of it.
 */

export interface RecordedLaunch {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: readonly [number, number, number];
}

/** A device that does what the given one does, and notes every launch in `launches`. */
export function recordingDevice(device: GPUDevice, launches: RecordedLaunch[]): GPUDevice {
  return through(device, {
    createCommandEncoder: (descriptor) => {
      const encoder = device.createCommandEncoder(descriptor);
      return through(encoder, {
        beginComputePass: (pass) => recordingPass(encoder.beginComputePass(pass), launches),
      });
    },
  });
}

function recordingPass(pass: GPUComputePassEncoder, launches: RecordedLaunch[]): GPUComputePassEncoder {
  let label = '';
  let pipeline: GPUComputePipeline | null = null;
  let group: GPUBindGroup | null = null;
  return through(pass, {
    pushDebugGroup: (name) => {
      label = name;
      pass.pushDebugGroup(name);
    },
    setPipeline: (next) => {
      pipeline = next;
      pass.setPipeline(next);
    },
    setBindGroup: (index: number, next: GPUBindGroup | null | undefined) => {
      group = next ?? null;
      pass.setBindGroup(index, next);
    },
    dispatchWorkgroups: (x, y = 1, z = 1) => {
      if (pipeline !== null && group !== null) launches.push({ label, pipeline, group, grid: [x, y, z] });
      pass.dispatchWorkgroups(x, y, z);
    },
  });
}

/** An object in front of another one, with some of its members replaced. Methods are called on the object itself, as hosts insist. */
export function through<T extends object>(target: T, own: Partial<T>): T {
  return new Proxy(target, {
    get: (object, name): unknown => {
      const replaced: unknown = Reflect.get(own, name);
      if (replaced !== undefined) return replaced;
      const value: unknown = Reflect.get(object, name, object);
      return typeof value === 'function' ? value.bind(object) : value;
    },
  });
}
