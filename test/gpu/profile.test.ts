/** A profile on the adapter: every launch has a time by either clock, and ceilings are of this sitting. */
import { expect } from 'vitest';
import { profile } from '../../compiler/cli/profiling/profile.ts';
import { moec, scratch } from '../cli/support.ts';
import { preparedOf, ready } from '../language/support.ts';
import { gpuTest } from '../support/gpu-test.ts';

const text = `model Small {
  axis T, D = 64
  forward(x: [T, D]) -> [T, T'] { softmax(dot(x, rename(x, T: T'), over: D), over: T') }
}`;

gpuTest.each(['timestamps', 'submissions'] as const)('by %s', async (by) => {
  const prepared = preparedOf(text);
  const found = await profile(ready(prepared, { sizes: new Map([['T', 128]]) }), { runs: 2, by });
  const launches = prepared.entry.inference.plan.steps.filter(({ kind }) => kind === 'launch');
  expect(found.launches.map(({ label }) => label)).toEqual(launches.map(({ label }) => label));
  expect(found.sum).toBeGreaterThan(0);
  const { bytesPerSecond, flopsPerSecond } = found.ceilings;
  // Slower than 10 MB/s or 10 MFLOP/s is no device, faster than these is no measurement.
  for (const [rate, most] of [
    [bytesPerSecond, 1e14],
    [flopsPerSecond, 1e16],
  ] as const) {
    expect(rate).toBeGreaterThan(1e7);
    expect(rate).toBeLessThan(most);
  }
  // An adapter without timestamps has to say so.
  if (found.method !== by) expect(found.notes.join()).toMatch(/timestamp/);
  if (by === 'submissions') expect(found.method).toBe('submissions');
  if (found.method === 'submissions') expect(found.notes.join()).toContain('a submission of its own');
});

gpuTest('the verb times the plan of results, without states and losses', async () => {
  const more = text
    .replace('  forward', '  state seen: [D] = 0\n  forward')
    .replace('{ softmax', '{ update seen = seen + sum(x, over: T) loss size = mean(x * x, over: (T, D)) softmax');
  const folder = scratch();
  try {
    const model = folder.file('small.moe', more);
    const { code, stdout, stderr } = await moec([
      'profile',
      model,
      '--random',
      '--size',
      'T=4',
      '--runs',
      '1',
      '--json',
    ]);
    expect(code, stderr).toBe(0);
    const { launches }: { readonly launches: readonly { readonly label: string }[] } = JSON.parse(
      stdout.slice(stdout.indexOf('{')),
    );
    const { inference, withAux } = preparedOf(more, { name: 'small.moe' }).entry;
    const labelsOf = ({ plan }: typeof inference): readonly string[] => plan.steps.map(({ label }) => label);
    // The other plan may have as many launches: what it computes besides may stand beside what results need.
    expect(labelsOf(withAux)).not.toEqual(labelsOf(inference));
    expect(launches.map(({ label }) => label)).toEqual(labelsOf(inference));
  } finally {
    folder.remove();
  }
});
