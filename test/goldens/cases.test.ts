/** Every example against the copied cases: the numbers of the original implementations, by definition and by the kernels. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { executorsOfCase } from './executor.ts';
import { findCases, readCase, readCaseHead } from './golden-case.ts';
import { mappingsFor, runCase } from './harness.ts';
import { overExamples } from '../support/sweeps.ts';
import { readMappings } from './mapping.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const mappings = readMappings(join(root, 'examples'));
const cases = findCases(join(root, 'test', 'goldens', 'cases')).map((path) => {
  const head = readCaseHead(path);
  return { path, head, name: head.name, system: head.system };
});

test('every system that an example declares has a case', () => {
  const systems = new Set(cases.map(({ system }) => system));
  expect(mappings.flatMap((mapping) => mapping.systems).filter((system) => !systems.has(system))).toEqual([]);
  expect(cases.length).toBeGreaterThan(20);
});

const sweep = overExamples(cases, ({ head }) => mappingsFor(head, mappings).map(({ name }) => name));

describe.each(cases)('$name', (golden) => {
  const { path, head } = golden;
  const executors = executorsOfCase();
  afterAll(executors.release);

  sweep.testOf(golden).each(['reference', 'kernels'] as const)('on %s', async (place) => {
    const runs = mappingsFor(head, mappings);
    expect(runs).not.toEqual([]);
    const report = await runCase(() => readCase(path), runs, executors.on(place));
    expect(report.problem).toBeNull();
    expect(report.comparisons.filter((comparison) => !comparison.passed)).toEqual([]);
    expect(report.unanswered).toEqual([]);
    expect(report.passed).toBe(true);
  });
});
