/** `moec profile`: which launches are timed, what is made of their times, and what is written of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { compileKernel } from '../../compiler/kernel/interpret-kernel.ts';
import { copyKernel, multiplyAddKernel } from '../../compiler/cli/profiling/device-ceilings.ts';
import { launchesOf, profiled, type Profile } from '../../compiler/cli/profiling/profile.ts';
import { profilePage } from '../../compiler/cli/profiling/profile-page.ts';
import { circumstancesOf, profileTable, timeText, traceOf } from '../../compiler/cli/profiling/profile-text.ts';
import { recordingDevice, type RecordedLaunch } from '../../compiler/cli/profiling/recorded-launches.ts';
import { bySubmissions } from '../../compiler/cli/profiling/time-launches.ts';
import { preparedOf } from '../language/support.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { printWgsl } from '../../compiler/wgsl/print-wgsl.ts';
import { validateWgsl, validatingDevice } from '../support/null-device.ts';
import { moec, noAdapter, scratch } from './support.ts';

const text = `model Small {
  axis T, D = 4
  input scale: [T] = exp(iota(T))
  forward(x: [T, D]) -> [T, D] { let y = softmax(x, over: D) y * (scale * sum(y * y, over: D)) }
}`;

function planOfText() {
  const prepared = preparedOf(text);
  return prepared.entry.inference.plan;
}

const ceilings = { bytesPerSecond: 1e9, flopsPerSecond: 2e9 };

function profileOf(more: Partial<Profile> = {}): Profile {
  const plan = planOfText();
  const labels = plan.steps.flatMap((step) => (step.kind === 'launch' ? [{ label: step.label }] : []));
  const steps = launchesOf(plan, new Set(), labels);
  const run = (by: number) => steps.map((_, i) => ({ start: 10 * i, end: 10 * i + by * (i + 1) }));
  return {
    model: 'Small',
    entry: 'forward',
    sizes: { T: 8 },
    adapter: 'a driver',
    software: true,
    method: 'timestamps',
    runs: 3,
    ...profiled(plan, steps, { runs: [run(2), run(1), run(9)], sizes: new Map([['T', 8]]), ceilings }),
    called: 50,
    ceilings,
    notes: [],
    ...more,
  };
}

describe('the launches of a run', () => {
  it('are noted as they reach the device, which does all that it did', async () => {
    const device = await validatingDevice();
    const launches: RecordedLaunch[] = [];
    const recording = recordingDevice(device, launches);
    const module = recording.createShaderModule({ code: printWgsl(copyKernel()) });
    const pipeline = recording.createComputePipeline({ layout: 'auto', compute: { module } });
    const [a, b] = [0, 1].map(() => recording.createBuffer({ size: 1024, usage: 0x80 }));
    if (a === undefined || b === undefined) throw new Error('two buffers were made');
    const entries = [a, b].map((buffer, binding) => ({ binding, resource: { buffer } }));
    const group = recording.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    const encoder = recording.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const [label, x] of [
      ['first', 1],
      ['second', 2],
    ] as const) {
      pass.pushDebugGroup(label);
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(x);
      pass.popDebugGroup();
    }
    pass.end();
    recording.queue.submit([encoder.finish()]);
    expect(launches).toEqual([
      { label: 'first', pipeline, group, grid: [1, 1, 1] },
      { label: 'second', pipeline, group, grid: [2, 1, 1] },
    ]);
    expect(recording.limits.maxBufferSize).toBe(device.limits.maxBufferSize);
    const time = await bySubmissions(device);
    const [first, second] = await time(launches);
    expect(first?.start).toBe(0);
    expect(second?.start).toBe(first?.end);
  });

  it('are those of the plan, or it is a bug', () => {
    const plan = planOfText();
    const launches = plan.steps.flatMap((step, i) => (step.kind === 'launch' ? [{ label: step.label, step: i }] : []));
    expect(launches.length).toBeGreaterThan(1);
    expect(launchesOf(plan, new Set(), launches).map(({ step }) => step)).toEqual(launches.map(({ step }) => step));
    expect(() => launchesOf(plan, new Set(), launches.slice(1))).toThrow(CompilerBug);
    expect(() => launchesOf(plan, new Set(), launches.toReversed())).toThrow(CompilerBug);
  });

  it('leave out what computes the default of a control that was given', () => {
    const plan = planOfText();
    const all = plan.steps.flatMap((step) => (step.kind === 'launch' ? [step] : []));
    const skipped = all.filter(({ skipIfGiven }) => skipIfGiven === 'scale');
    expect(skipped.length).toBeGreaterThan(0);
    const left = all.filter(({ skipIfGiven }) => skipIfGiven !== 'scale');
    expect(launchesOf(plan, new Set(['scale']), left).length).toBe(left.length);
  });
});

describe('what is told of them', () => {
  it('is the median of the runs, its share, and rates over the ceilings', () => {
    const { launches, sum } = profileOf();
    // Runs of 1, 2 and 9 times (i + 1) milliseconds.
    expect(launches.map(({ time }) => time)).toEqual(launches.map((_, i) => 2 * (i + 1)));
    expect(sum).toBe(launches.reduce((total, { time }) => total + time, 0));
    // Each share is rounded once, and so is each addition.
    const shares = launches.reduce((total, { share }) => total + share, 0);
    expect(Math.abs(shares - 1)).toBeLessThanOrEqual(launches.length * Number.EPSILON);
    for (const { time, bytes, flops, ofBytes, ofFlops } of launches) {
      // Three divisions here and as many there, each rounded once.
      const within = (got: number | null, is: number): void =>
        expect(Math.abs((got ?? NaN) - is)).toBeLessThanOrEqual(6 * (Number.EPSILON / 2) * is);
      within(ofBytes, (bytes ?? NaN) / (time / 1000) / 1e9);
      within(ofFlops, (flops ?? NaN) / (time / 1000) / 2e9);
    }
    expect(launches[1]?.end).toBe(10 + 2 * 2);
  });

  it('is a row of the table for each launch, with the place of its value', () => {
    const profile = profileOf();
    const [head = '', ...rows] = profileTable(profile);
    expect(rows.length).toBe(profile.launches.length);
    for (const column of ['time', 'share', 'bytes', 'flops', 'rate', 'kernel']) expect(head).toContain(column);
    profile.launches.forEach(({ label, kernel }, i) => {
      expect(rows[i]).toContain(label);
      expect(rows[i]).toContain(kernel);
    });
    expect(circumstancesOf(profile).join('\n')).toContain('computes on the CPU');
    expect(circumstancesOf(profileOf({ method: 'submissions', software: false })).join('\n')).toMatch(
      /submission for each/,
    );
  });

  it('is read in fitting units', () => {
    expect([0.00125, 0.25, 2.5, 25, 2500].map(timeText)).toEqual([
      '1.25 µs',
      '250.0 µs',
      '2.50 ms',
      '25.0 ms',
      '2.50 s',
    ]);
  });

  it('is a trace of complete events in microseconds', () => {
    const profile = profileOf();
    const trace: unknown = JSON.parse(traceOf(profile));
    expect(trace).toMatchObject({
      traceEvents: [
        { ph: 'M', name: 'process_name' },
        { ph: 'M', name: 'thread_name' },
        ...profile.launches.map(({ label, start, end, kernel, step }) => ({
          ph: 'X',
          name: label,
          cat: kernel,
          ts: 1000 * start,
          dur: 1000 * (end - start),
          args: { step },
        })),
      ],
    });
  });

  it('is a page that asks for nothing, and shows names as they are', () => {
    const profile = profileOf({ model: '<b>&"', notes: ["it's <i>"] });
    const page = profilePage(profile);
    expect(page).not.toMatch(/<script|src=|href=|url\(|@import|https?:/);
    expect(page).not.toContain('<b>');
    expect(page).toContain('&#60;b&#62;&#38;&#34;');
    expect(page.match(/<tr>/g)?.length).toBe(profile.launches.length + 1);
    for (const { label } of profile.launches) expect(page).toContain(label);
  });
});

describe('ceilings', () => {
  it('are kernels that every device takes', async () => {
    for (const kernel of [copyKernel(), multiplyAddKernel()]) {
      expect(kernel.buffers.length).toBeLessThanOrEqual(webgpuCore.limits.maxStorageBuffersPerShaderStage);
      expect(await validateWgsl(printWgsl(kernel))).toEqual([]);
    }
  });

  it('copy what they count as copied', () => {
    const source = Float32Array.from({ length: 256 }, (_, i) => i);
    const target = new Float32Array(256);
    const buffers = new Map([
      ['source', { data: source }],
      ['target', { data: target }],
    ]);
    compileKernel(copyKernel())({ workgroups: [1, 1], buffers, uniforms: new Map() });
    expect(target).toEqual(source);
  });

  it('multiply and add as often as they count', () => {
    const target = new Float32Array(256);
    const buffers = new Map([
      ['source', { data: new Float32Array(32).fill(0.5) }],
      ['target', { data: target }],
    ]);
    compileKernel(multiplyAddKernel())({ workgroups: [1, 1], buffers, uniforms: new Map([['rounds', 3]]) });
    // 0.5 → 0.75 → 0.875 → 0.9375, of eight sums.
    expect(target).toEqual(new Float32Array(256).fill(8 * 0.9375));
  });
});

describe('the verb', () => {
  let folder: ReturnType<typeof scratch>;
  beforeAll(() => (folder = scratch()));
  afterAll(() => folder.remove());

  it('ends with 3 without an adapter, and with 2 for no runs', async () => {
    const model = folder.file('small.moe', text);
    const without = await moec(['profile', model, '--random'], { env: noAdapter });
    expect(without.code, without.stderr).toBe(3);
    expect((await moec(['profile', model, '--random', '--runs', '0'])).code).toBe(2);
  });
});
