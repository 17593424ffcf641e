/**
 * How a model starts, on Dawn's null backend: pipelines are made side by side and dispatched once before the first run, progress is
 * told, and a signal ends it.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requestDevice } from '../../runtime/node.ts';
import { type CreateOptions, createModel } from '../../runtime/running/module.ts';
import type { Model } from '../../runtime/running/model.ts';
import { fromTensors } from '../../runtime/weights/weight-source.ts';
import { D, manifest, shaders } from './sample-model.ts';

let device: GPUDevice;
beforeAll(async () => {
  device = await requestDevice({ dawnOptions: ['backend=null'] });
});
afterAll(() => device.destroy());

/** What a model asked of its device. */
interface Asked {
  /** Pipelines in the making at most at once, and in all. */
  most: number;
  made: number;
  /** Pipelines that were dispatched, in order: without workgroups, or for a run. */
  readonly empty: GPUComputePipeline[];
  readonly run: GPUComputePipeline[];
  readonly buffers: Set<GPUBuffer>;
}

/** An object in front of another one, with some of its members replaced. */
function through<T extends object>(target: T, own: Partial<T>): T {
  return new Proxy(target, {
    get: (object, name): unknown => {
      const value: unknown = Reflect.get(own, name) ?? Reflect.get(object, name, object);
      return typeof value === 'function' ? value.bind(object) : value;
    },
  });
}

function watched(asked: Asked): GPUDevice {
  let making = 0;
  return through(device, {
    createComputePipelineAsync: async (descriptor) => {
      making += 1;
      asked.made += 1;
      asked.most = Math.max(asked.most, making);
      const pipeline = await device.createComputePipelineAsync(descriptor);
      making -= 1;
      return pipeline;
    },
    createBuffer: (descriptor) => {
      const buffer = device.createBuffer(descriptor);
      const destroy = buffer.destroy.bind(buffer);
      if (descriptor.label === 'first dispatch') asked.buffers.add(buffer);
      buffer.destroy = () => {
        asked.buffers.delete(buffer);
        destroy();
      };
      return buffer;
    },
    createCommandEncoder: (descriptor) => {
      const encoder = device.createCommandEncoder(descriptor);
      return through(encoder, { beginComputePass: () => watchedPass(encoder.beginComputePass(), asked) });
    },
  });
}

function watchedPass(pass: GPUComputePassEncoder, { empty, run }: Asked): GPUComputePassEncoder {
  let pipeline: GPUComputePipeline | null = null;
  const note = (list: GPUComputePipeline[]): void => {
    if (pipeline !== null) list.push(pipeline);
  };
  return through(pass, {
    setPipeline: (next) => pass.setPipeline((pipeline = next)),
    dispatchWorkgroups: (...grid) => {
      note(run);
      pass.dispatchWorkgroups(...grid);
    },
    dispatchWorkgroupsIndirect: (...grid) => {
      note(empty);
      pass.dispatchWorkgroupsIndirect(...grid);
    },
  });
}

const nothing = (): Asked => ({ most: 0, made: 0, empty: [], run: [], buffers: new Set() });
const create = (asked: Asked, more: Partial<CreateOptions> = {}): Promise<Model> => {
  const data = Float32Array.from({ length: D }, (_, i) => i);
  const weights = fromTensors(['w', 'noise'].map((name) => ({ name, dtype: 'F32', shape: [D], data })));
  return createModel(manifest, shaders, { device: watched(asked), weights, ...more });
};
const inputs = { x: new Float32Array(3 * D) };

describe('the pipelines of a model', () => {
  it('are made side by side', async () => {
    const asked = nothing();
    const model = await create(asked, { warmUp: 'all' });
    expect(asked.made).toBe(model.stats().pipelines);
    expect(asked.most).toBe(asked.made);
    expect(asked.made).toBeGreaterThan(4);
    model.dispose();
  });

  it('are dispatched once, with no workgroups, before a run dispatches them', async () => {
    const asked = nothing();
    const model = await create(asked);
    expect(new Set(asked.empty).size).toBe(model.stats().pipelines);
    expect(asked.empty).toHaveLength(model.stats().pipelines);
    asked.run.length = 0;
    await model.run(inputs, { entry: 'routed' });
    expect(asked.run.length).toBeGreaterThan(0);
    for (const pipeline of asked.run) expect(asked.empty).toContain(pipeline);
    const before = asked.empty.length;
    await model.warmUp();
    expect(asked.empty).toHaveLength(before);
    model.dispose();
  });

  it('are left to the run that wants them where nobody warms up, and to warmUp for the rest', async () => {
    const asked = nothing();
    const model = await create(asked, { warmUp: 'none' });
    await model.run(inputs, { entry: 'routed' });
    expect(asked.empty).toEqual([]);
    const told: string[] = [];
    await model.warmUp({ full: true, onProgress: ({ done, total }) => told.push(`${done}/${total}`) });
    // The pipeline of the only variable with a computed first value is no run's.
    expect(new Set(asked.empty).size).toBe(told.length);
    expect(told.at(-1)).toBe(`${told.length}/${told.length}`);
    model.dispose();
  });

  it('take no memory for it that stays', async () => {
    const asked = nothing();
    const model = await create(asked);
    expect(asked.empty.length).toBeGreaterThan(0);
    expect(asked.buffers).toEqual(new Set());
    expect(model.stats().liveBytes).toBe(3 * 4 * D);
    model.dispose();
  });
});

describe('a signal', () => {
  it('ends the start between two pipelines, and nothing is dispatched afterwards', async () => {
    const asked = nothing();
    const controller = new AbortController();
    const told: number[] = [];
    const stopped = create(asked, {
      signal: controller.signal,
      onProgress: ({ stage, done }) => {
        if (stage !== 'pipelines') return;
        told.push(done);
        controller.abort(new Error('enough'));
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    const dispatched = asked.empty.length;
    await device.queue.onSubmittedWorkDone();
    expect(asked.empty).toHaveLength(dispatched);
    expect(told).toEqual([1]);
  });

  it('ends warmUp at once; the next call finishes it', async () => {
    const model = await create(nothing(), { warmUp: 'none' });
    await expect(model.warmUp({ signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
    const controller = new AbortController();
    const warm = model.warmUp({ full: true, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(warm).rejects.toThrow('enough');
    let last = 0;
    await model.warmUp({ full: true, onProgress: ({ done, total }) => (last = total - done) });
    expect(last).toBe(0);
    model.dispose();
  });
});
