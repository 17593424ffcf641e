/**
 * The first dispatch of a pipeline, made before a run needs it: llvmpipe generates the code of a kernel only then, for seconds where
 * it is large. The grid has no workgroups, so nothing is computed; it is read from a buffer, as hosts print a warning of such a grid
 * that is given as a number.
 *
 * Invariant: each kernel has bindings of its own, as small as it takes them: no range is written twice, and no buffer read and written.
 * They are gone afterwards, and not counted: a model is planned to the byte, and this is over before it has memory for a run.
 */
import { bytesPerElement } from '../contract/manifest.ts';
import { bufferUsage } from './buffers.ts';
import type { DeviceState } from './device-state.ts';
import type { CompiledKernel } from './pipelines.ts';

/** Bytes from one binding to the next: the coarsest alignment that a device may ask of offsets. */
const STRIDE = 256;

/** Resolves when the driver is through with it. */
export async function dispatchNothing(state: DeviceState, { spec, pipeline, layout }: CompiledKernel): Promise<void> {
  const { device } = state;
  const uniformBytes = bytesPerElement * spec.uniforms.length;
  const access = [...spec.buffers.map((buffer) => buffer.access), ...(uniformBytes > 0 ? (['uniform'] as const) : [])];
  const size = STRIDE * access.length + uniformBytes;
  const made: GPUBuffer[] = [];
  const create = (bytes: number, usage: number): GPUBuffer => {
    const buffer = device.createBuffer({ label: 'first dispatch', size: Math.ceil(bytes / STRIDE) * STRIDE, usage });
    made.push(buffer);
    return buffer;
  };
  state.guard(() => {
    const read = create(size, bufferUsage.storage | bufferUsage.uniform);
    const written = create(size, bufferUsage.storage);
    const entries = access.map((how, binding) => ({
      binding,
      resource: {
        buffer: how === 'read_write' ? written : read,
        offset: STRIDE * binding,
        size: how === 'uniform' ? Math.ceil(uniformBytes / STRIDE) * STRIDE : STRIDE,
      },
    }));
    const encoder = device.createCommandEncoder({ label: `first dispatch of ${spec.name}` });
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroupsIndirect(create(STRIDE, bufferUsage.indirect), 0);
    pass.end();
    device.queue.submit([encoder.finish()]);
  }, 2 * size);
  try {
    await state.answer(device.queue.onSubmittedWorkDone(), null);
    await state.settle();
  } finally {
    for (const buffer of made) buffer.destroy();
  }
}
