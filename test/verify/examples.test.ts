/**
 * Every example of the repository, run by the kernels on the CPU and compared launch by launch: numbers of each result are compared, at
 * least 95 of 100 in all, and none is off. `npx vitest run test/verify/examples.test.ts` prints the table.
 */
import { afterAll, expect, it } from 'vitest';
import { stepwiseOnKernels } from '../../compiler/cli/running/stepwise.ts';
import { comparisonOf } from '../../compiler/cli/running/comparisons.ts';
import { exampleNames, hasHost, smallExample } from '../examples/small.ts';

const lines: string[] = [];

it.each(exampleNames)(
  '%s',
  async (name) => {
    const given = await smallExample(name);
    const stepwise = await stepwiseOnKernels(given);
    const verdict = comparisonOf(given, stepwise, null);
    const { compared, undecided, left } = verdict.launches;
    lines.push(`${name.padEnd(28)} ${String(compared).padStart(8)} compared, ${undecided} undecided, ${left} left f32`);
    expect(verdict.firstWrong).toBe(null);
    expect(compared).toBeGreaterThanOrEqual(0.95 * (compared + undecided + left));
    for (const tensor of verdict.tensors) {
      const isHosts = tensor.reason?.startsWith('nothing was compared: it is the host') === true && hasHost(name);
      const count = tensor.shape.reduce((n, k) => n * k, 1);
      if (!isHosts && count > 0) expect(tensor.compared, `${name}: ${tensor.name}`).toBeGreaterThan(0);
    }
  },
  120_000,
);

afterAll(() => {
  console.log(lines.join('\n'));
});
