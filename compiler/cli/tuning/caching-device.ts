/**
 * A device that makes each pipeline once: the schedules that are tried differ in a kernel or two, and drivers take long for one.
 */
import { through } from '../profiling/recorded-launches.ts';

export function cachingDevice(device: GPUDevice): GPUDevice {
  const modules = new Map<string, GPUShaderModule>();
  const groups = new Map<string, GPUBindGroupLayout>();
  const layouts = new Map<string, GPUPipelineLayout>();
  const pipelines = new Map<string, Promise<GPUComputePipeline>>();
  const numbers = new WeakMap<object, number>();
  let count = 0;
  /** Objects of the device are told apart by numbers: they say nothing of themselves. */
  const numberOf = (made: object): number => {
    const known = numbers.get(made) ?? count++;
    numbers.set(made, known);
    return known;
  };
  const once = <T>(known: Map<string, T>, key: string, make: () => T): T => {
    const made = known.get(key) ?? make();
    known.set(key, made);
    return made;
  };
  return through(device, {
    createShaderModule: (descriptor) => once(modules, descriptor.code, () => device.createShaderModule(descriptor)),
    createBindGroupLayout: (descriptor) =>
      once(groups, JSON.stringify([...descriptor.entries]), () => device.createBindGroupLayout(descriptor)),
    createPipelineLayout: (descriptor) => {
      const of = [...descriptor.bindGroupLayouts].map((group) => (group == null ? '' : numberOf(group)));
      return once(layouts, of.join(), () => device.createPipelineLayout(descriptor));
    },
    createComputePipelineAsync: (descriptor) => {
      const { layout, compute } = descriptor;
      const of = typeof layout === 'string' ? layout : numberOf(layout);
      const key = [of, numberOf(compute.module), compute.entryPoint, JSON.stringify(compute.constants ?? {})].join();
      const made = once(pipelines, key, () => device.createComputePipelineAsync(descriptor));
      // What was refused is asked for again, and refused again with its reason.
      made.catch(() => pipelines.delete(key));
      return made;
    },
  });
}
