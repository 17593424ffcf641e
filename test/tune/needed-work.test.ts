/** What a tuner takes of a launch and of a device: the work that it needs, and pipelines that are made once. */
import { describe, expect, it } from 'vitest';
import { planOf } from '../../compiler/cli/running/prepare.ts';
import { cachingDevice } from '../../compiler/cli/tuning/caching-device.ts';
import { neededWork } from '../../compiler/cli/tuning/needed-work.ts';
import type { Launch } from '../../compiler/schedule/memory/plan.ts';
import { preparedOf, ready } from '../language/support.ts';
import { routedLayer, sharedLayer } from '../schedule/programs.ts';
import { validatingDevice } from '../support/null-device.ts';

const run = ready(preparedOf(routedLayer(64, 64, 4, 2), { regime: 'many' }), { sizes: new Map([['T', 1]]) });
const { prepared } = run;
const compiled = planOf({ prepared, request: run.request });
const launches = compiled.plan.steps.filter((step): step is Launch => step.kind === 'launch');
const tiles = compiled.schedule.steps.flatMap((step) =>
  step.kind === 'value' && step.choice.family === 'tile' ? [step.choice] : [],
);

describe('what a launch needs', () => {
  const of = (sizes: ReadonlyMap<string, number>) => launches.map((launch) => neededWork(compiled, launch, sizes));

  it('is of a tile what its rows ask for, and of others what is stated', () => {
    // A token has two experts: gate and up of both, then down. Each matrix is 64 by 64, of four experts two are read.
    const rows = 2;
    const expected = [2, 1].map((heads) => ({
      flops: 2 * rows * heads * 64 * 64,
      bytes: 4 * (rows * (64 + 64) + heads * rows * 64 * 64),
    }));
    const found = of(new Map([['T', 1]]));
    expect(tiles.map(({ heads }) => heads.length)).toEqual([2, 1]);
    expect(found.filter(({ flops }) => (flops ?? 0) >= 16384)).toEqual(expected);
    expect(found.length).toBe(launches.length);
  });

  it('reads no weights twice', () => {
    const [many] = of(new Map([['T', 1000]])).filter(({ flops }) => flops === 2 * 2000 * 2 * 64 * 64);
    // Two matrices of each of four experts, and a row each for tokens and results.
    expect(many?.bytes).toBeLessThanOrEqual(4 * (2000 * (64 + 64) + 2 * 4 * 64 * 64));
  });
});

it('tiles side by side need what both need', () => {
  const both = ready(preparedOf(sharedLayer(128, 128, 4, 2), { regime: 'many' }), { sizes: new Map([['T', 1]]) });
  const plan = planOf({ prepared: both.prepared, request: both.request });
  const needed = plan.plan.steps.flatMap((step) =>
    step.kind === 'launch' && plan.plan.kernels[step.kernel]?.name === 'grouped_matmul_and_matmul'
      ? [neededWork(plan, step, new Map([['T', 1]])).flops]
      : [],
  );
  // Gate and up of two experts beside one more matrix; down of both beside one more.
  expect(needed).toEqual([2 * (2 * 2 + 1) * 128 * 128, 2 * (2 + 1) * 128 * 128]);
});

it('a device that makes each pipeline once makes others for other kernels', async () => {
  const device = await validatingDevice();
  const once = cachingDevice(device);
  const pipelineOf = (size: number, read: GPUBufferBindingType): Promise<GPUComputePipeline> => {
    const code = `@group(0) @binding(0) var<storage, ${read === 'storage' ? 'read_write' : 'read'}> b: array<u32>;
@compute @workgroup_size(${size}) fn main() { _ = b[0]; }`;
    const layout = once.createPipelineLayout({
      bindGroupLayouts: [
        once.createBindGroupLayout({ entries: [{ binding: 0, visibility: 4, buffer: { type: read } }] }),
      ],
    });
    const module = once.createShaderModule({ code });
    return once.createComputePipelineAsync({ layout, compute: { module, entryPoint: 'main' } });
  };
  const one = await pipelineOf(64, 'storage');
  expect(await pipelineOf(64, 'storage')).toBe(one);
  expect(await pipelineOf(32, 'storage')).not.toBe(one);
  expect(await pipelineOf(64, 'read-only-storage')).not.toBe(one);
});
