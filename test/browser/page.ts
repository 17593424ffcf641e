/** The part of the browser test that runs in the page: served as it is, with the runtime as it is. */
import { createModel, fromArrayBuffers, requestDevice, writeSafetensors } from '../../runtime/index.ts';
import type { ResultValue } from '../../runtime/index.ts';
import { D, manifest, shaders } from '../runtime/sample-model.ts';

const list = (value: ResultValue | undefined): readonly number[] => (value?.kind === 'tensor' ? [...value.data] : []);

/** Makes the sample model from a safetensors file, runs it, and loses its device: plain data of all that happened. */
export async function main(): Promise<unknown> {
  const device = await requestDevice({ requiredLimits: manifest.requiredLimits });
  const file = writeSafetensors([{ name: 'w', dtype: 'F32', shape: [D], data: Float32Array.of(1, 2, 4, 8) }]);
  const model = await createModel(manifest, shaders, {
    device,
    weights: await fromArrayBuffers(file),
    missing: 'initialise',
    externs: { host: ({ operands }) => Array.from(operands.get('x')?.data ?? [], (value) => value + 1) },
  });
  const forward = await model.run({ x: [1, 2, 3, 4] }, { entry: 'forward', update: true });
  const hosted = await model.run({ x: [1, 1, 1, 1] }, { entry: 'hosted' });
  const failed = await model.run({ x: [1e31, 0, 0, 0] }, { entry: 'forward' }).catch((error: Error) => error.message);
  const state = await model.read('s');
  device.destroy();
  const lost = await model.run({ x: [1, 2, 3, 4] }, { entry: 'forward' }).catch((error: Error) => error.name);
  return { y: list(forward.results.get('y')), z: list(hosted.results.get('z')), s: [...state.data], failed, lost };
}
