/** Every case of the repository on this adapter: within the case's tolerance, index sets exact, the same bits twice. */
import { describe, expect, it } from 'vitest';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { executeGpu, prepare } from '../../compiler/cli/execute.ts';
import { executorOf } from '../goldens/executor.ts';
import { findCases, readCase } from '../goldens/golden-case.ts';
import { mappingFor, requestFor, runCase } from '../goldens/harness.ts';
import { readMappings } from '../goldens/mapping.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const mappings = readMappings(join(root, 'examples'));
const cases = findCases(join(root, 'test', 'goldens', 'cases')).map((folder) => readCase(folder));

describe('goldens on the GPU', () => {
  for (const golden of cases) {
    const mapping = mappingFor(golden.system, mappings);
    if (mapping === null) continue;
    it(golden.case, { timeout: 300_000 }, async () => {
      const report = await runCase(golden, mapping, executorOf('gpu'));
      expect(report.problem).toBeNull();
      expect(report.comparisons.filter((c) => !c.passed)).toEqual([]);
      expect(report.comparisons.length).toBeGreaterThan(1);
    });
  }

  it('gives the same bits every run, in another model too', { timeout: 300_000 }, async () => {
    const golden = cases.find((c) => c.case.startsWith('moepp'));
    const mapping = golden === undefined ? null : mappingFor(golden.system, mappings);
    if (golden === undefined || mapping === null) throw new Error('the case is gone');
    const request = { ...requestFor(golden, mapping), on: 'gpu' as const };
    const prepared = await prepare(request);
    const first = await executeGpu(prepared, request);
    for (let run = 0; run < 3; run++) {
      const again = await executeGpu(prepared, request);
      for (const [name, tensor] of first) expect(again.get(name)?.data, name).toEqual(tensor.data);
    }
  });
});
