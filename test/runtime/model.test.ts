/**
 * What a model refuses, counts and says, on Dawn's null backend: it checks every call and computes nothing, so no
 * number is looked at here.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CreateOptions, createModel } from '../../runtime/running/module.ts';
import { requestDevice } from '../../runtime/node.ts';
import { planMemory } from '../../runtime/running/memory-plan.ts';
import { readFeeds } from '../../runtime/running/feeds.ts';
import { type WritableTensor } from '../../runtime/weights/safetensors.ts';
import type { Model } from '../../runtime/running/model.ts';
import { fromTensors } from '../../runtime/weights/weight-source.ts';
import { missingRequirements } from '../../runtime/running/device.ts';
import type { Manifest } from '../../runtime/contract/manifest.ts';
import { D, manifest, shaders } from './sample-model.ts';

const NULL = { dawnOptions: ['backend=null'] };
const w: WritableTensor = { name: 'w', dtype: 'F32', shape: [D], data: Float32Array.of(1, 2, 3, 4) };
const noise: WritableTensor = { name: 'noise', dtype: 'F32', shape: [D], data: new Float32Array(D) };

let device: GPUDevice;
beforeAll(async () => {
  device = await requestDevice(NULL);
});
afterAll(() => device.destroy());

const create = (more: Partial<CreateOptions> = {}, changed: Manifest = manifest) =>
  createModel(changed, shaders, {
    device,
    weights: fromTensors([w, noise]),
    externs: { host: ({ operands }) => operands.get('x')?.data ?? [] },
    ...more,
  });

/** An entry without fault words: what they say here is noise. */
const runHosted = (model: Model, tokens: number) => model.run({ x: new Float32Array(tokens * D) }, { entry: 'hosted' });

describe('creation', () => {
  it('tells its progress, and its memory as planned', async () => {
    const seen: string[] = [];
    const model = await create({ onProgress: ({ stage, done, total }) => seen.push(`${stage} ${done}/${total}`) });
    expect(seen).toContain('weights 32/32');
    expect(seen).toContain('pipelines 4/4');
    const weights = planMemory(manifest, { sizes: { T: 0 } });
    expect(model.stats().liveBytes).toBe(weights.params + weights.states);
    expect(model.stats().initialised).toEqual(['s']);
    model.dispose();
    expect(model.stats().liveBytes).toBe(0);
    expect(model.stats().buffers).toBe(0);
  });

  it('needs weights for what has no initial value', async () => {
    await expect(create({ weights: undefined })).rejects.toMatchObject({ code: 'MOE0635' });
    await expect(create({ weights: fromTensors([w]) })).rejects.toMatchObject({ code: 'MOE0630' });
    const model = await create({ weights: fromTensors([w]), missing: 'initialise' });
    expect(model.stats().initialised).toEqual(['s', 'noise']);
    model.dispose();
  });

  it('refuses a schema it does not know', async () => {
    const future: Manifest = JSON.parse(JSON.stringify({ ...manifest, schema: 2 }));
    await expect(create({}, future)).rejects.toMatchObject({ code: 'MOE0716' });
  });

  it('lists everything the device lacks', async () => {
    const greedy: Manifest = {
      ...manifest,
      requiredFeatures: ['no-such-feature'],
      requiredLimits: { maxBufferSize: 2 ** 50, maxNothing: 1 },
    };
    await expect(create({}, greedy)).rejects.toMatchObject({ code: 'MOE0702' });
    const missing = missingRequirements(device, greedy);
    expect(missing).toHaveLength(3);
    expect(missing[1]).toMatch(/maxBufferSize: 1125899906842624 is needed, \d+ is there/);
    expect(missingRequirements(device, { requiredLimits: { minStorageBufferOffsetAlignment: 1 } })).toHaveLength(1);
  });

  it('refuses what does not fit, before anything is allocated', async () => {
    await expect(create({ memoryBudget: 47 })).rejects.toMatchObject({ code: 'MOE0705', needed: 48, limit: 47 });
    const [first, ...rest] = manifest.stores;
    if (first === undefined) throw new Error('no store');
    const huge: Manifest = { ...manifest, stores: [{ ...first, axes: [{ name: 'D', size: 2 ** 34 }] }, ...rest] };
    const weights = { ...fromTensors([w, noise]) };
    const tensors = new Map([
      ...weights.tensors,
      ['w', { dtype: 'F32', shape: [2 ** 34], byteLength: 2 ** 36 }] as const,
    ]);
    await expect(create({ weights: { ...weights, tensors } }, huge)).rejects.toMatchObject({
      name: 'OutOfMemoryError',
      code: 'MOE0705',
      needed: 2 ** 36,
    });
  });

  it('stops when told to', async () => {
    await expect(create({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
    const controller = new AbortController();
    const stopped = create({ signal: controller.signal, onProgress: () => controller.abort(new Error('enough')) });
    await expect(stopped).rejects.toThrow('enough');
  });

  it('names a kernel that the device refuses', async () => {
    const broken = [...shaders];
    broken[1] = 'fn main() { let x: f32 = 1u; }';
    const made = createModel(manifest, broken, { device, weights: fromTensors([w, noise]) });
    await expect(made).rejects.toMatchObject({ code: 'MOE0700', message: expect.stringContaining('ones') });
  });

  it('tells of all values that are wrong', async () => {
    const bad = fromTensors([
      { ...w, data: Float32Array.of(1, NaN, 3, 4) },
      { ...noise, data: Float32Array.of(Infinity, 0, 0, 0) },
    ]);
    await expect(create({ weights: bad })).rejects.toMatchObject({
      code: 'MOE0600',
      problems: [
        { code: 'MOE0633', tensor: 'w' },
        { code: 'MOE0633', tensor: 'noise' },
      ],
    });
    (await create({ weights: bad, allowNonFinite: true })).dispose();
  });

  it('on a device that is gone says so', async () => {
    const gone = await requestDevice(NULL);
    gone.destroy();
    await expect(create({ device: gone })).rejects.toMatchObject({
      name: 'DeviceLostError',
      code: 'MOE0703',
      reason: 'destroyed',
    });
  });
});

describe('a device', () => {
  it('that no driver gives is said in one sentence', async () => {
    const none = requestDevice({ dawnOptions: ['backend=opengles'] });
    await expect(none).rejects.toMatchObject({ code: 'MOE0701' });
  });

  it('is not asked for what the adapter has not', async () => {
    const asked = requestDevice({ ...NULL, requiredFeatures: ['no-such-feature'] });
    await expect(asked).rejects.toMatchObject({ code: 'MOE0702', missing: ['feature no-such-feature: missing'] });
  });
});

describe('memory', () => {
  it('is planned to the byte that runs take', async () => {
    const model = await create();
    const plan = model.plan({ entry: 'hosted', sizes: { T: 10 } });
    expect(plan).toMatchObject({ params: 32, states: 16, scratch: 320, inputs: 160, results: 160 });
    expect(plan.bytes).toBe(32 + 16 + 320 + 160 + 160 + plan.other);
    await runHosted(model, 10);
    expect(model.stats().liveBytes).toBe(plan.bytes);
    expect(model.stats().peakBytes).toBe(plan.bytes);
    await model.trim();
    expect(model.stats().liveBytes).toBe(48);
    model.dispose();
  });

  it('keeps to a budget, and works on when a run does not fit', async () => {
    const model = await create({ memoryBudget: 10_000 });
    const live = model.stats().liveBytes;
    await expect(runHosted(model, 10_000)).rejects.toMatchObject({ code: 'MOE0705' });
    expect(model.stats().liveBytes).toBe(live);
    await runHosted(model, 1);
    model.dispose();
  });

  it('sizes have to make sense', () => {
    expect(() => planMemory(manifest, { entry: 'forward' })).toThrow(/MOE0715.*axis T is not known/);
    expect(() => planMemory(manifest, { entry: 'backward' })).toThrow(/MOE0706.*forward, hosted, routed/);
    expect(() => planMemory(manifest, { entry: 'forward', sizes: { T: 2 ** 52 } })).toThrow(/MOE0715/);
  });
});

describe('lifetime', () => {
  it('ends with dispose, whatever waits', async () => {
    const model = await create();
    const waiting = [1, 2, 3].map(() => model.run({ x: new Float32Array(4) }, { entry: 'forward' }));
    model.dispose();
    for (const run of waiting) await expect(run).rejects.toMatchObject({ code: 'MOE0712' });
    await expect(model.run({ x: new Float32Array(4) })).rejects.toMatchObject({ code: 'MOE0712' });
    expect(() => model.encode(device.createCommandEncoder(), { inputs: {}, outputs: {} })).toThrow(/MOE0712/);
    model.dispose();
  });

  it('leaves the device to its owner', async () => {
    (await create()).dispose();
    const model = await create();
    await runHosted(model, 1);
    model.dispose();
  });

  it('of a device that dies is noticed by the next run', async () => {
    const own = await requestDevice(NULL);
    const model = await create({ device: own });
    own.destroy();
    await expect(model.run({ x: new Float32Array(4) }, { entry: 'forward' })).rejects.toMatchObject({
      name: 'DeviceLostError',
    });
    await expect(model.read('w')).rejects.toMatchObject({ name: 'DeviceLostError' });
  });
});

describe('inputs', () => {
  const [forward] = manifest.entries;
  const feed = (
    inputs: Readonly<Record<string, unknown>>,
    controls: Readonly<Record<string, unknown>> = {},
    sizes: Readonly<Record<string, number>> = {},
    checkFinite = false,
  ) => {
    if (forward === undefined) throw new Error('no entry');
    const options = {
      controls: new Map(Object.entries(controls)),
      sizes: new Map(Object.entries(sizes)),
      checkFinite,
      plan: forward.plan,
    };
    return readFeeds(manifest, forward, new Map(Object.entries(inputs)), options);
  };

  it('bind sizes by length, by shape, by hand', () => {
    expect(feed({ x: new Float32Array(12) }).sizes.get('T')).toBe(3);
    expect(feed({ x: new Float32Array(0) }).sizes.get('T')).toBe(0);
    expect(feed({ x: { data: [1, 2, 3, 4], shape: [1, 4] } }).sizes.get('T')).toBe(1);
    expect(feed({ x: new Float32Array(12) }, { tilt: [1, 2, 3] }, { T: 3 }).given.has('tilt')).toBe(true);
  });

  it.each<[string, Parameters<typeof feed>, string]>([
    ['missing', [{}], 'MOE0706'],
    ['with another name', [{ x: [], y: [] }], 'MOE0706'],
    ['text', [{ x: 'abc' }], 'MOE0707'],
    ['null', [{ x: null }], 'MOE0707'],
    ['a number', [{ x: 1 }], 'MOE0707'],
    ['a list of text', [{ x: ['a'] }], 'MOE0707'],
    ['big integers', [{ x: new BigInt64Array(4) }], 'MOE0707'],
    ['an object without numbers', [{ x: {} }], 'MOE0707'],
    ['numbers with a shape that is none', [{ x: { data: [1], shape: [0.5] } }], 'MOE0707'],
    ['no multiple of a row', [{ x: new Float32Array(5) }], 'MOE0708'],
    ['of another shape', [{ x: { data: new Float32Array(12), shape: [4, 3] } }], 'MOE0708'],
    ['of another rank', [{ x: { data: new Float32Array(12), shape: [12] } }], 'MOE0708'],
    ['whose shape and length differ', [{ x: { data: new Float32Array(8), shape: [3, 4] } }], 'MOE0708'],
    [
      'that disagree about a size',
      [{ x: { data: new Float32Array(12), shape: [3, 4] } }, { tilt: { data: [1], shape: [1] } }],
      'MOE0709',
    ],
    ['too short for the size another has', [{ x: new Float32Array(12) }, { tilt: [1] }], 'MOE0708'],
    [
      'that disagree with the given size',
      [{ x: { data: new Float32Array(12), shape: [3, 4] } }, {}, { T: 4 }],
      'MOE0709',
    ],
    ['with a size that is none', [{ x: new Float32Array(12) }, {}, { T: -1 }], 'MOE0708'],
    ['with the size of an unknown axis', [{ x: new Float32Array(12) }, {}, { D: 4 }], 'MOE0706'],
    ['with an unknown control', [{ x: new Float32Array(12) }, { tilted: [1] }], 'MOE0706'],
    ['not finite, where that is checked', [{ x: [1, 2, NaN, 4] }, {}, {}, true], 'MOE0707'],
  ])('%s are refused', (_, args, code) => {
    expect(() => feed(...args)).toThrow(code);
  });

  it('whose memory was taken away are refused', () => {
    const detached = new Float32Array(12);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    expect(() => feed({ x: detached }, {}, { T: 3 })).toThrow(/MOE0707/);
  });

  it('in shared memory are copied', () => {
    const shared = new Float32Array(new SharedArrayBuffer(16));
    shared.fill(3);
    const given = feed({ x: shared }).feeds.get('input:0');
    expect(given?.kind === 'host' ? [...given.words] : []).toEqual([3, 3, 3, 3]);
    expect(given?.kind === 'host' ? given.words.buffer : null).toBeInstanceOf(ArrayBuffer);
  });
});
