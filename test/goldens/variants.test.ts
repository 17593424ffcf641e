/** Every example against cases computed by hand, for the options that no copied case has (variants/all.ts). */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { executorOf, executorsOfCase } from './executor.ts';
import { mappingsFor, runCase } from './harness.ts';
import { readMappings } from './mapping.ts';
import { overExamples } from '../support/sweeps.ts';
import { variants } from './variants/all.ts';

const mappings = readMappings(join(fileURLToPath(new URL('../..', import.meta.url)), 'examples'));

const sweep = overExamples(variants, (golden) => mappingsFor(golden, mappings).map(({ name }) => name));

describe.each(variants)('$name', (golden) => {
  const executors = executorsOfCase();
  afterAll(executors.release);

  sweep.testOf(golden).each(['reference', 'kernels'] as const)('on %s', async (place) => {
    const runs = mappingsFor(golden, mappings);
    expect(runs).not.toEqual([]);
    const report = await runCase(() => golden, runs, executors.on(place));
    expect(report.problem).toBeNull();
    expect(report.comparisons.filter((comparison) => !comparison.passed)).toEqual([]);
    expect(report.unanswered).toEqual([]);
    expect(report.passed).toBe(true);
  });
});

describe.each(['reference', 'kernels'] as const)('on %s', (place) => {
  test('a wrong number is noticed', async () => {
    const [golden] = variants;
    const runs = golden === undefined ? [] : mappingsFor(golden, mappings);
    const output = golden?.tensors.get('expected.output');
    if (golden === undefined || output === undefined) throw new Error('there is no variant');
    const data = Float32Array.from(output.data, (v, i) => (i === 5 ? v + 1e-3 : v));
    const spoilt = { ...golden, tensors: new Map(golden.tensors).set('expected.output', { ...output, data }) };
    const report = await runCase(() => spoilt, runs, executorOf(place));
    expect(report.passed).toBe(false);
    expect(report.comparisons.filter((c) => !c.passed).map((c) => c.expected)).toEqual(['expected.output']);
  });
});
