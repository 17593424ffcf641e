/**
 * Faults that no software driver shows when asked to, injected: every error scope of a model's life reports something in
 * turn, and a device stops answering.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeviceState } from '../../runtime/running/device-state.ts';
import { TimeoutError } from '../../runtime/contract/errors.ts';
import { createModel } from '../../runtime/running/module.ts';
import { requestDevice } from '../../runtime/node.ts';
import { fromTensors } from '../../runtime/weights/weight-source.ts';
import { D, manifest, shaders } from './sample-model.ts';

let device: GPUDevice;
beforeAll(async () => {
  device = await requestDevice({ dawnOptions: ['backend=null'] });
});
afterAll(() => device.destroy());

/** The device, but its n-th popped scope reports an error; `live` counts buffers that were made and not destroyed. */
function faulty(n: number): { readonly device: GPUDevice; readonly live: () => number; readonly pops: () => number } {
  let pops = 0;
  let live = 0;
  const proxy = new Proxy(device, {
    get(target, name) {
      if (name === 'popErrorScope') {
        return async () => {
          pops += 1;
          const mine = pops === n;
          const error = await target.popErrorScope();
          return mine ? { message: `injected ${n}` } : error;
        };
      }
      if (name === 'createBuffer') {
        return (descriptor: GPUBufferDescriptor) => {
          const buffer = target.createBuffer(descriptor);
          live += 1;
          const destroy = buffer.destroy.bind(buffer);
          buffer.destroy = () => {
            live -= 1;
            return destroy();
          };
          return buffer;
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { device: proxy, live: () => live, pops: () => pops };
}

/** A model made, run once through a function of the host, and disposed. */
async function live(on: GPUDevice): Promise<void> {
  const model = await createModel(manifest, shaders, {
    device: on,
    weights: fromTensors([{ name: 'w', dtype: 'F32', shape: [D], data: new Float32Array(D) }]),
    missing: 'initialise',
    externs: { host: ({ operands }) => operands.get('x')?.data ?? [] },
  });
  try {
    await model.run({ x: new Float32Array(D) }, { entry: 'hosted' });
  } finally {
    model.dispose();
  }
}

describe('every scope', () => {
  it('that reports a fault ends the call with it, and nothing stays allocated', async () => {
    const healthy = faulty(-1);
    await live(healthy.device);
    const count = healthy.pops();
    expect(count).toBeGreaterThan(40);
    expect(healthy.live()).toBe(0);
    for (let n = 1; n <= count; n++) {
      const { device: on, live: alive } = faulty(n);
      // Of each pair the inner scope, popped first, is the one for memory.
      const code = n % 2 === 1 ? 'MOE0704' : 'MOE0700';
      await expect(live(on), `scope ${n}`).rejects.toMatchObject({
        code,
        message: expect.stringContaining(`injected ${n}`),
      });
      expect(alive(), `buffers after scope ${n}`).toBe(0);
    }
  });
});

describe('a device that does not answer', () => {
  it('is given up after the time that was set, and not asked again', async () => {
    const state = new DeviceState(device);
    await expect(state.answer(new Promise(() => undefined), 5)).rejects.toBeInstanceOf(TimeoutError);
    expect(() => state.check()).toThrow(/MOE0713/);
    await expect(state.answer(Promise.resolve(1), 5)).rejects.toBeInstanceOf(TimeoutError);
  });

  it('that answers in time is no trouble', async () => {
    expect(await new DeviceState(device).answer(Promise.resolve(1), 1000)).toBe(1);
  });
});
