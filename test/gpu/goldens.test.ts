/** One case of every example on the GPU: the whole line, from the text of a model to numbers that the original gave. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { executorOf } from '../goldens/executor.ts';
import { findCases, readCase, readCaseHead } from '../goldens/golden-case.ts';
import { mappingFor, runCase } from '../goldens/harness.ts';
import { readMappings } from '../goldens/mapping.ts';
import { softwareAdapter } from '../support/gpu.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const mappings = readMappings(join(root, 'examples'));
const cases = findCases(join(root, 'test', 'goldens', 'cases')).map((path) => ({ path, ...readCaseHead(path) }));
/** The first of each system: a software adapter compiles shaders for seconds, and `npm run goldens` runs them all. */
const firsts = cases.filter(({ system }, i) => cases.findIndex((other) => other.system === system) === i);

test.each(firsts)(
  '$name',
  async ({ path, system }) => {
    if ((await softwareAdapter()) === null) return;
    const mapping = mappingFor(system, mappings);
    if (mapping === null) throw new Error(`no example declares ${system}`);
    const report = await runCase(() => readCase(path), mapping, executorOf('gpu'));
    expect(report.problem).toBeNull();
    expect(report.comparisons.filter((comparison) => !comparison.passed)).toEqual([]);
    expect(report.passed).toBe(true);
  },
  240_000,
);
