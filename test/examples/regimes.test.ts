/**
 * Runs with few rows: every example that has a plan of its own for them gives with it, bit by bit, what it gives with the plan for many,
 * around the number of rows that decides; each launch of both is right; and the runtime takes the plan that the sizes ask for.
 */
import { describe, expect } from 'vitest';
import { executeKernels } from '../../compiler/cli/running/execute.ts';
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import { stepwiseOnKernels } from '../../compiler/cli/running/stepwise.ts';
import { planFor } from '../../runtime/contract/regimes.ts';
import type { Ready } from '../language/support.ts';
import { overExamples } from '../support/sweeps.ts';
import { fewExample, exampleNames } from './small.ts';

const bitsOf = (results: ReadonlyMap<string, NamedTensor>): string =>
  JSON.stringify(
    [...results].map(([name, { data, shape }]) => [
      name,
      shape,
      data instanceof Float32Array || data instanceof Float64Array
        ? [...new Uint32Array(Float32Array.from(data).buffer)]
        : [...data],
    ]),
  );

/** The same run with the plan for as many rows as it has, or with the one for many. */
const forMany = ({ prepared, request }: Ready): Ready => {
  const entries = prepared.manifest.entries.map(({ plan: { few: _, ...plan }, ...entry }) => ({ ...entry, plan }));
  return { prepared: { ...prepared, manifest: { ...prepared.manifest, entries } }, request };
};

const sweep = overExamples(exampleNames, (name) => [name]);

describe.each(exampleNames)('%s', (name) => {
  sweep.testOf(name)('has the same bits with few rows, by either plan', { timeout: 120_000 }, async () => {
    const example = await fewExample(name);
    for (const rows of [1, 2, 3]) {
      const run = example(rows);
      const [entry] = run.prepared.manifest.entries;
      if (entry?.plan.few === undefined) return;
      const many = await executeKernels(forMany(run).prepared, run.request);
      const own = await executeKernels(run.prepared, run.request);
      expect(bitsOf(own), `${name} with ${rows}`).toBe(bitsOf(many));
      const sizes = run.request.sizes ?? new Map<string, number>();
      const isFew = planFor(entry.plan, sizes) === entry.plan.few.plan;
      if (rows === 1) expect(isFew, `${name}: one row is few`).toBe(true);
      if (!isFew) return;
      const { wrong, compared } = await stepwiseOnKernels(run);
      expect({ wrong, any: compared > 0 }).toEqual({ wrong: 0, any: true });
    }
  });
});
