/** Tuning on the adapter: what is tried gives the same bits, and what is kept becomes records that the program compiles with. */
import { expect } from 'vitest';
import { tune } from '../../compiler/cli/tuning/tune.ts';
import type { Step } from '../../compiler/cli/tuning/search.ts';
import type { ExecuteRequest } from '../../compiler/cli/running/execution.ts';
import { withVariables } from '../../compiler/cli/running/made-values.ts';
import { planOf, withChanges } from '../../compiler/cli/running/prepare.ts';
import { graphHash } from '../../compiler/compile.ts';
import { moec, scratch } from '../cli/support.ts';
import { preparedOf, ready } from '../language/support.ts';
import { gpuTest } from '../support/gpu-test.ts';

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
  const graph = graphHash(planOf({ prepared, request }).fused);
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
