/**
 * The runtime on a real adapter: numbers, states, functions of the host, the caller's own encoder, and what happens when
 * the device goes. All values are small whole numbers or halves, so every comparison is exact.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Encoded } from '../../runtime/running/encode.ts';
import type { Manifest } from '../../runtime/contract/manifest.ts';
import type { Model } from '../../runtime/running/model.ts';
import type { ResultValue } from '../../runtime/contract/results.ts';
import { createModel } from '../../runtime/running/module.ts';
import { requestDevice } from '../../runtime/node.ts';
import { fromTensors } from '../../runtime/weights/weight-source.ts';
import { D, manifest, shaders } from '../runtime/sample-model.ts';

const W = [1, 2, 4, 8];
const weights = fromTensors([{ name: 'w', dtype: 'F32', shape: [D], data: Float32Array.from(W) }]);

let device: GPUDevice;
let model: Model;
beforeAll(async () => {
  device = await requestDevice({ requiredLimits: manifest.requiredLimits });
});
afterAll(() => device.destroy());
beforeEach(async () => {
  model = await create(device);
});
afterEach(() => model.dispose());

const create = (on: GPUDevice, changed: Manifest = manifest): Promise<Model> =>
  createModel(changed, shaders, {
    device: on,
    weights,
    missing: 'initialise',
    seed: 40,
    externs: { host: async ({ operands }) => Array.from(operands.get('x')?.data ?? [], (value) => value + 1) },
  });

const ramp = (length: number): Float32Array<ArrayBuffer> => Float32Array.from({ length }, (_, i) => (i % 1000) - 500);
const expected = (x: Float32Array, tilt: (t: number) => number = () => 1): readonly number[] =>
  Array.from(x, (value, i) => 2 * value * (W[i % D] ?? 0) * tilt(Math.floor(i / D)) + 0);

function numbers(values: ReadonlyMap<string, ResultValue>, name: string): readonly number[] {
  const value = values.get(name);
  if (value?.kind !== 'tensor') throw new Error(`${name} is no tensor`);
  return Array.from(value.data, (number) => number + 0);
}

/** Equality of long lists, without a report of each element. */
function same(actual: readonly number[], wanted: readonly number[]): void {
  expect(actual.length).toBe(wanted.length);
  const first = actual.findIndex((value, i) => value !== wanted[i]);
  expect(first < 0 ? 'equal' : `${first}: ${actual[first]} for ${wanted[first]}`).toBe('equal');
}

describe('a run', () => {
  // The last are more workgroups of 64 than a dimension of a grid has, and more bytes than a staging buffer.
  it.each([0, 1, 3, 17, 4_300_000])(
    'of %i tokens',
    async (tokens) => {
      const x = ramp(tokens * D);
      const { results, sizes } = await model.run({ x }, { entry: 'forward' });
      expect(sizes.get('T')).toBe(tokens);
      expect(results.get('y')).toMatchObject({ shape: [tokens, D], axes: ['T', 'D'], element: 'f32' });
      same(numbers(results, 'y'), expected(x));
    },
    240_000,
  );

  it('takes controls in place of their defaults', async () => {
    const x = ramp(12);
    const { results } = await model.run({ x }, { entry: 'forward', controls: { tilt: [3, 0, -1] } });
    same(
      numbers(results, 'y'),
      expected(x, (t) => [3, 0, -1][t] ?? 0),
    );
    same(numbers((await model.run({ x }, { entry: 'forward' })).results, 'y'), expected(x));
  });

  it('takes buffers of the GPU', async () => {
    const x = ramp(12);
    const buffer = device.createBuffer({ size: 64, usage: 0x4 | 0x8 });
    device.queue.writeBuffer(buffer, 0, x);
    const { results } = await model.run({ x: { buffer, shape: [3, D] } }, { entry: 'forward' });
    same(numbers(results, 'y'), expected(x));
    await expect(model.run({ x: buffer }, { entry: 'forward' })).rejects.toMatchObject({ code: 'MOE0706' });
    await expect(model.run({ x: { buffer, shape: [5, D] } }, { entry: 'forward' })).rejects.toMatchObject({
      code: 'MOE0708',
    });
    buffer.destroy();
  });

  it('of many at once gives each its own numbers', async () => {
    const inputs = Array.from({ length: 20 }, (_, i) => ramp((i % 7) * D).map((value) => value + i));
    const runs = await Promise.all(inputs.map((x) => model.run({ x }, { entry: 'forward' })));
    runs.forEach(({ results }, i) => same(numbers(results, 'y'), expected(inputs[i] ?? new Float32Array(0))));
    expect(model.stats().runs).toBe(20);
  });

  it('that goes wrong names the first point, and changes nothing', async () => {
    const x = ramp(12);
    x[7] = 1e31;
    x[9] = 1e31;
    const failed = model.run({ x }, { entry: 'forward', update: true });
    await expect(failed).rejects.toMatchObject({ name: 'RunError', code: 'MOE0711', place: 'sample.moe:3:5' });
    await expect(failed).rejects.toThrow('a value is too large at [T: 1, D: 3]');
    expect([...(await model.read('s')).data]).toEqual([0.5, 0.5, 0.5, 0.5]);
    const good = ramp(4);
    same(numbers((await model.run({ x: good }, { entry: 'forward' })).results, 'y'), expected(good));
  });

  it('can be given up', async () => {
    const controller = new AbortController();
    const run = model.run({ x: ramp(400_000) }, { entry: 'forward', signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(run).rejects.toThrow('enough');
    const x = ramp(8);
    same(numbers((await model.run({ x }, { entry: 'forward' })).results, 'y'), expected(x));
  });

  it('cut in two by a function of the host', async () => {
    const { results } = await model.run({ x: [1, 1, 1, 1, 2, 2, 2, 2] }, { entry: 'hosted' });
    expect(numbers(results, 'z')).toEqual([2, 6, 20, 72, 3, 10, 36, 136]);
  });

  it('returns routes by rank', async () => {
    const { results } = await model.run({ x: [1, 0, 3, 4, 0, 0, 0, 0, 0, 6, 0, 0] }, { entry: 'routed' });
    const route = results.get('r');
    if (route?.kind !== 'route') throw new Error('r is no route');
    expect([...route.indices.data]).toEqual([3, 2, 0, -1, -1, -1, -1, -1, 1, -1, -1, -1]);
    expect([...route.weights.data]).toEqual([4, 3, 1, 0, 0, 0, 0, 0, 6, 0, 0, 0]);
  });
});

describe('states', () => {
  const state = async (): Promise<readonly number[]> => [...(await model.read('s')).data];

  it('change when a run is asked to update, and can be read, set and reset', async () => {
    const x = ramp(4);
    await model.run({ x }, { entry: 'forward', outputs: true });
    expect(await state()).toEqual([0.5, 0.5, 0.5, 0.5]);
    await model.run({ x }, { entry: 'forward', update: true });
    await model.run({ x }, { entry: 'forward', update: true });
    expect(await state()).toEqual([2.5, 2.5, 2.5, 2.5]);
    await model.write('s', [1, 2, 3, 4]);
    await model.run({ x }, { entry: 'forward', update: true });
    expect(await state()).toEqual([2, 3, 4, 5]);
    await model.reset();
    expect(await state()).toEqual([0.5, 0.5, 0.5, 0.5]);
    await expect(model.write('s', [1])).rejects.toMatchObject({ code: 'MOE0708' });
    await expect(model.read('nothing')).rejects.toMatchObject({ code: 'MOE0706' });
  });

  it('and drawn values come from the seed', async () => {
    expect([...(await model.read('noise')).data]).toEqual([40, 41, 42, 43]);
    const { outputs, results } = await model.run({ x: ramp(4) }, { entry: 'forward', outputs: true });
    expect(numbers(outputs, 'noisy')).toEqual([41, 42, 43, 44]);
    expect([...results.keys()]).toEqual(['y']);
  });
});

describe('an encoder of the caller', () => {
  const STORAGE = 0x80;
  const COPY = 0x4 | 0x8;

  async function readBack(buffer: GPUBuffer, count: number): Promise<readonly number[]> {
    const staging = device.createBuffer({ size: buffer.size, usage: 0x1 | 0x8 });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, buffer.size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(1);
    const values = Array.from(new Float32Array(staging.getMappedRange()).subarray(0, count), (value) => value + 0);
    staging.destroy();
    return values;
  }

  it('takes several runs, each from the result of the one before', async () => {
    const x = ramp(8);
    const buffers = [0, 1, 2].map(() => device.createBuffer({ size: 32, usage: STORAGE | COPY }));
    const [a, b, c] = buffers;
    if (a === undefined || b === undefined || c === undefined) throw new Error('no buffers');
    device.queue.writeBuffer(a, 0, x);
    const encoder = device.createCommandEncoder();
    const record = (from: GPUBuffer, to: GPUBuffer): Encoded =>
      model.encode(encoder, { entry: 'forward', inputs: { x: from }, outputs: { y: to }, sizes: { T: 2 } });
    record(a, b);
    const second = record(b, c);
    // A run in between must not disturb what is recorded and not yet submitted.
    await model.run({ x: ramp(400) }, { entry: 'forward' });
    device.queue.submit([encoder.finish()]);
    await second.check();
    same(await readBack(c, 8), expected(Float32Array.from(expected(x))));
    second.release();
    for (const buffer of buffers) buffer.destroy();
  });

  it('is told of faults by check, once', async () => {
    const buffer = device.createBuffer({ size: 16, usage: STORAGE | COPY });
    device.queue.writeBuffer(buffer, 0, Float32Array.of(0, 0, 1e31, 0));
    const record = (): { readonly encoder: GPUCommandEncoder; readonly encoded: Encoded } => {
      const encoder = device.createCommandEncoder();
      return {
        encoder,
        encoded: model.encode(encoder, { entry: 'forward', inputs: { x: buffer }, outputs: {}, sizes: { T: 1 } }),
      };
    };
    const first = record();
    device.queue.submit([first.encoder.finish()]);
    await expect(first.encoded.check()).rejects.toThrow('[T: 0, D: 2]');
    device.queue.writeBuffer(buffer, 0, new Float32Array(4));
    const next = record();
    device.queue.submit([next.encoder.finish()]);
    await next.encoded.check();
    buffer.destroy();
  });

  it('is refused what cannot be recorded', () => {
    const encoder = device.createCommandEncoder();
    const x = device.createBuffer({ size: 16, usage: COPY });
    const sizes = { T: 1 };
    const outputs = {};
    const inputs = { x };
    expect(() => model.encode(encoder, { entry: 'hosted', inputs, outputs, sizes })).toThrow(/MOE0714/);
    expect(() => model.encode(encoder, { entry: 'forward', inputs, outputs })).toThrow(/MOE0706/);
    expect(() => model.encode(encoder, { entry: 'forward', inputs, outputs: { z: x }, sizes })).toThrow(/MOE0706.*y/);
    expect(() => model.encode(encoder, { entry: 'forward', inputs, outputs: { noisy: x }, sizes })).toThrow(/warmUp/);
    const mute = device.createBuffer({ size: 16, usage: STORAGE });
    expect(() => model.encode(encoder, { entry: 'forward', inputs: { x: mute }, outputs, sizes })).toThrow(/COPY_SRC/);
    expect(() => model.encode(encoder, { entry: 'forward', inputs, outputs: { y: mute }, sizes })).toThrow(/COPY_DST/);
    const short = device.createBuffer({ size: 8, usage: COPY });
    expect(() => model.encode(encoder, { entry: 'forward', inputs: { x: short }, outputs, sizes })).toThrow(/MOE0708/);
    for (const buffer of [x, mute, short]) buffer.destroy();
  });
});

describe('a device that goes', () => {
  it('before a run, under it, or after it is said every time, and a new one works', async () => {
    for (const moment of ['before', 'under', 'after'] as const) {
      const own = await requestDevice({ requiredLimits: manifest.requiredLimits });
      const doomed = await create(own);
      if (moment === 'after') await doomed.run({ x: ramp(4) }, { entry: 'forward' });
      if (moment !== 'under') own.destroy();
      const run = doomed.run({ x: ramp(4000) }, { entry: 'forward' });
      if (moment === 'under') {
        void run.catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 0));
        own.destroy();
      }
      const outcome = await run.then(
        () => 'ended first',
        (error: unknown) => (error instanceof Error ? error.name : 'nothing'),
      );
      expect(moment === 'under' ? ['ended first', 'DeviceLostError'] : ['DeviceLostError']).toContain(outcome);
      await expect(doomed.run({ x: ramp(4) }, { entry: 'forward' })).rejects.toMatchObject({ code: 'MOE0703' });
    }
    const x = ramp(8);
    same(numbers((await model.run({ x }, { entry: 'forward' })).results, 'y'), expected(x));
  });
});

describe('the process', () => {
  it('survives the collection of everything but the device, and prints nothing of its own', () => {
    const script = `
      import { requestDevice } from './runtime/node.ts';
      import { createModel } from './runtime/running/module.ts';
      import { fromTensors } from './runtime/weights/weight-source.ts';
      import { manifest, shaders } from './test/runtime/sample-model.ts';
      const device = await requestDevice();
      const weights = fromTensors([{ name: 'w', dtype: 'F32', shape: [4], data: Float32Array.of(1, 2, 3, 4) }]);
      const model = await createModel(manifest, shaders, { device, weights, missing: 'initialise' });
      for (let i = 0; i < 20; i++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 1));
        const { results } = await model.run({ x: [1, 1, 1, 1] }, { entry: 'forward' });
        if (results.get('y').data[3] !== 8) throw new Error('wrong');
      }
      // Outside of any scope: Dawn would print this on standard output.
      device.createBuffer({ size: 4, usage: 0xffff });
      await device.queue.onSubmittedWorkDone();
      console.log('survived');
    `;
    const { stdout, status, signal } = spawnSync(
      process.execPath,
      ['--expose-gc', '--import', 'tsx', '--input-type=module', '-e', script],
      { cwd: fileURLToPath(new URL('../..', import.meta.url)), encoding: 'utf8', timeout: 50_000 },
    );
    expect({ stdout, status, signal }).toEqual({ stdout: 'survived\n', status: 0, signal: null });
  });
});
