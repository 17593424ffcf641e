/**
 * One example end to end, for the fast tier: from its text to shaders that Tint takes, the hash that `test/plans` holds for it,
 * and the numbers of the original implementation, by definition and by the compiled kernels. `npm test` does this for all of them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { compileProgram } from '../../compiler/compile.ts';
import { analyse } from '../../compiler/front-end.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { executorOf } from '../goldens/executor.ts';
import { readCase, readCaseHead } from '../goldens/golden-case.ts';
import { mappingsFor, runCase } from '../goldens/harness.ts';
import { readMappings } from '../goldens/mapping.ts';
import { validateWgsl } from '../support/null-device.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('mixtral compiles to the module it did, and Tint takes its shaders', async () => {
  const name = 'model.moe';
  const text = readFileSync(join(root, 'examples', 'mixtral', name), 'utf8');
  const { program, sources, diagnostics } = analyse({ name, text });
  expect(diagnostics).toEqual([]);
  if (program === null) throw new Error('there is no program');
  const compiled = compileProgram(program, { overrides: new Map(), target: webgpuCore, sources });
  for (const shader of compiled.shaders) expect(await validateWgsl(shader)).toEqual([]);
  const hashes = readFileSync(join(root, 'test', 'plans', 'golden', 'hashes.txt'), 'utf8').split('\n');
  expect(hashes).toContain(`mixtral ${compiled.manifest?.hash}`);
});

test.each(['reference', 'kernels'] as const)('mixtral has the numbers of the original on %s', async (place) => {
  const path = join(root, 'test', 'goldens', 'cases', 'mixtral-e16-top4');
  const runs = mappingsFor(readCaseHead(path), readMappings(join(root, 'examples')));
  expect(runs).not.toEqual([]);
  const report = await runCase(() => readCase(path), runs, executorOf(place));
  expect(report.problem).toBeNull();
  expect(report.comparisons.filter((comparison) => !comparison.passed)).toEqual([]);
  expect(report.passed).toBe(true);
});
