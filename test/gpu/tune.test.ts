/** Tuning on the adapter: what is measured of two schedules, that what is tried gives the same bits, and what becomes of what is kept. */
import { expect } from 'vitest';
import { cachingDevice } from '../../compiler/cli/tuning/caching-device.ts';
import { MeasuredSchedules } from '../../compiler/cli/tuning/measured-schedules.ts';
import { tune } from '../../compiler/cli/tuning/tune.ts';
import type { Step } from '../../compiler/cli/tuning/search.ts';
import type { ExecuteRequest } from '../../compiler/cli/running/execution.ts';
import { withVariables } from '../../compiler/cli/running/made-values.ts';
import { planOf, withChanges } from '../../compiler/cli/running/prepare.ts';
import { graphHash } from '../../compiler/compile.ts';
import { moec, scratch } from '../cli/support.ts';
import { readChange, type Change } from '../../compiler/schedule/deciding/changes.ts';
import { preparedOf, ready } from '../language/support.ts';
import { gpuDevice, gpuTest } from '../support/gpu-test.ts';

const text = `model Small {
  axis T, D = 64, F = 64
  param w: [F, D]
  forward(x: [T, D]) -> [T, F] { relu(w @ x) }
}`;

gpuTest('a projection, in two regimes', async () => {
  const run = ready(preparedOf(text));
  const { prepared } = run;
  const weights = withVariables(null, prepared.manifest.stores, prepared.variables);
  const request: ExecuteRequest = { ...run.request, weights, want: { losses: false, outputs: false } };
  const steps: Step[] = [];
  const sizes = [1, 24].map((T) => new Map([['T', T]]));
  const tuned = await tune(
    { prepared, request },
    {
      regimes: sizes,
      seed: 0,
      budget: 30_000,
      by: null,
      isStopped: () => steps.filter(({ changes }) => changes.length > 0).length >= 1,
      begin: ({ ceilings }) => expect(Math.min(ceilings.bytesPerSecond, ceilings.flopsPerSecond)).toBeGreaterThan(1e6),
      tell: (step) => steps.push(step),
    },
  );
  expect(tuned.sizes).toEqual([{ T: 1 }, { T: 24 }]);
  expect(steps.length).toBeGreaterThan(0);
  expect(steps.filter(({ outcome }) => outcome === 'other bits')).toEqual([]);
  const graph = graphHash(planOf({ prepared, request }).fused, 'many');
  expect(tuned.records.length).toBe(tuned.gains.filter(({ kind }) => kind === 'faster').length);
  for (const record of tuned.records) {
    expect(record).toMatchObject({ graph, class: tuned.class, changes: tuned.kept });
    expect(record.ratio).toBeLessThan(1);
  }
  if (tuned.kept.length > 0) withChanges(prepared, request, new Map([[graph, tuned.kept]]));
});

gpuTest('Ctrl-C ends it with what has been found', async () => {
  const folder = scratch();
  try {
    const model = folder.file('small.moe', text);
    const { code, stdout, stderr } = await moec(['tune', model, '--sizes', 'T=4', '--budget', '600'], {
      during: (child) =>
        child.stderr?.on('data', (data: Buffer) => {
          if (data.toString().includes('ceilings')) child.kill('SIGINT');
        }),
    });
    expect(code, stderr).toBe(130);
    expect(stdout).toMatch(/tried, until it was stopped/);
  } finally {
    folder.remove();
  }
});

const change = (said: string): Change => {
  const read = readChange(said);
  if (read === null) throw new Error(`${said} is no change`);
  return read;
};

gpuTest('two schedules are told apart by the launches in which they differ, timed in turns', async () => {
  const run = ready(
    preparedOf(`model Two {
  axis T, D = 64, F = 64
  param w: [F, D], v: [D, F]
  forward(x: [T, D]) -> [T, D] { v @ relu(w @ x) }
}`),
  );
  const { prepared } = run;
  const weights = withVariables(null, prepared.manifest.stores, prepared.variables);
  const requests = [1, 8].map((T): ExecuteRequest => {
    const { request } = ready(prepared, { sizes: new Map([['T', T]]) });
    return { ...request, weights, want: { losses: false, outputs: false } };
  });
  const { plan, schedule } = planOf({ prepared, request: run.request });
  const ids = schedule.steps.flatMap((step) => (step.kind === 'value' ? [step.choice.node.id] : []));
  expect([plan.steps.length, ids.length]).toEqual([2, 2]);
  const other = change(`%${ids[1]} tile 4 x 3, rows dense, loads of 1`);
  const illegal = change(`%${ids[1]} tile 4 x 17, rows dense, loads of 1`);
  let timed = 0;
  const measuring = new MeasuredSchedules({
    prepared,
    requests,
    device: cachingDevice(gpuDevice()),
    className: 'portable',
    // The first launch takes a millisecond, the second two.
    time: (all) => {
      timed++;
      return Promise.resolve(all.map((_, i) => ({ start: 0, end: i + 1 })));
    },
    // With eight tokens a product takes a millisecond at least.
    ceilings: { bytesPerSecond: 1e12, flopsPerSecond: 2 * 8 * 64 * 64 * 1000 },
  });
  try {
    const replaced = await measuring.look([], [other]);
    const share = 2 / 3;
    expect(replaced).toEqual([
      { share, ofCeiling: 1 / 16 },
      { share, ofCeiling: 1 / 2 },
    ]);
    expect(await measuring.look([other], [other])).toBeNull();
    expect(await measuring.look([], [illegal])).toBeNull();

    timed = 0;
    const { sameBits, regimes } = await measuring.race([], [other], 3, () => false);
    expect(sameBits).toBe(true);
    const times = { standing: [2, 2, 2], tried: [2, 2, 2], run: 3 };
    expect(regimes).toEqual([times, times]);
    expect(timed).toBe(2 * 2 * 3);

    timed = 0;
    const stopped = await measuring.race([], [other], 5, ({ standing }) => standing.length === 2);
    expect(stopped.regimes.map(({ standing }) => standing.length)).toEqual([2]);
    expect(timed).toBe(2 * 2);
  } finally {
    measuring.close();
  }
});
