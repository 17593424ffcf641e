/** One case of every example on the GPU: the whole line, from the text of a model to numbers that the original gave. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';
import { gpuExecutor } from '../goldens/executor.ts';
import { findCases, readCase, readCaseHead } from '../goldens/golden-case.ts';
import { mappingsFor, runCase } from '../goldens/harness.ts';
import { readMappings } from '../goldens/mapping.ts';
import { overAdapters } from '../support/sweeps.ts';
import { gpuTest } from '../support/gpu-test.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const mappings = readMappings(join(root, 'examples'));
const cases = findCases(join(root, 'test', 'goldens', 'cases')).map((path) => {
  const head = readCaseHead(path);
  return { path, head, name: head.name, system: head.system };
});
/** The first of each system: a software adapter compiles shaders for seconds, and `npm run goldens` runs them all. */
const firsts = cases.filter(({ system }, i) => cases.findIndex((other) => other.system === system) === i);

const executor = gpuExecutor();
afterAll(() => executor.release());

const sweep = overAdapters(firsts);

for (const golden of firsts)
  sweep.testOf(golden, gpuTest)(golden.name, { timeout: 240_000 }, async () => {
    const { path, head } = golden;
    const runs = mappingsFor(head, mappings);
    expect(runs).not.toEqual([]);
    const report = await runCase(() => readCase(path), runs, executor);
    expect(report.problem).toBeNull();
    expect(report.comparisons.filter((comparison) => !comparison.passed)).toEqual([]);
    expect(report.passed).toBe(true);
  });
