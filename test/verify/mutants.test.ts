/**
 * A verifier that can fail: every mutant, planted in a layer and in a whole model, changes numbers and is found on the first launch
 * that is wrong, with its place. Nothing planted, nothing is found.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { planOf } from '../../compiler/cli/running/prepare.ts';
import { stepwiseOnKernels, type Stepwise } from '../../compiler/cli/running/stepwise.ts';
import { comparisonOf } from '../../compiler/cli/running/comparisons.ts';
import type { Prepared } from '../../compiler/cli/running/execution.ts';
import { hashOf } from '../../compiler/compile.ts';
import { printSchedule } from '../../compiler/schedule/deciding/print-schedule.ts';
import { webgpuCore } from '../../compiler/target.ts';
import type { Plan } from '../../compiler/schedule/memory/plan.ts';
import { prepareText, ready, type Ready } from '../language/support.ts';
import { rowsApart } from '../schedule/programs.ts';
import { shipPlan } from '../support/ship-plan.ts';
import { mutantSizes, mutants } from './mutants.ts';

/**
 * A program with random weights; experts come in pairs with equal scores, so that ties happen. `apart`: with a launch for each value that
 * is part of a row otherwise.
 */
function programOf(name: string, apart = false): Ready {
  const text = readFileSync(fileURLToPath(new URL(`${name}.moe`, import.meta.url)), 'utf8');
  // However small its experts are, they are computed in blocks of rows, as those of a large model.
  const target = { ...webgpuCore, tileFrom: 0 };
  const options = { name: `${name}.moe`, target };
  const merged = prepareText(text, options);
  const { prepared, diagnostics } =
    apart && merged.prepared !== null
      ? prepareText(text, { ...options, schedules: schedulesApart(merged.prepared) })
      : merged;
  if (prepared === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
  const drawn = ready(prepared, { sizes: mutantSizes });
  const gate = drawn.prepared.variables.get('gate');
  if (gate === undefined) throw new Error('the router has no weights');
  const [experts, features] = [9, 10];
  const paired = gate.map((_, i) => {
    const [layer, e] = [Math.floor(i / (experts * features)), Math.floor(i / features) % experts];
    return gate[(layer * experts + (e - (e % 2))) * features + (i % features)] ?? 0;
  });
  return ready(prepared, { sizes: mutantSizes, stores: new Map([['gate', paired]]) });
}

/** By the hash of the graph. */
function schedulesApart({ entry }: Prepared): ReadonlyMap<string, string> {
  return new Map(
    [entry.inference, entry.withAux].map((own) => [
      hashOf(own),
      rowsApart(printSchedule(own.schedule, own.fused.graph)),
    ]),
  );
}

function withPlan(run: Ready, plan: Plan): Ready {
  return { ...run, prepared: shipPlan(run.prepared, plan) };
}

const numbersOf = ({ comparisons, results }: Stepwise): string =>
  JSON.stringify([comparisons.map((v) => v.tally.worst?.ratio), [...results].map(([name, t]) => [name, [...t.data]])]);

describe.each(['layer', 'decoder'])('%s', (name) => {
  const run = programOf(name);
  const compiled = planOf(run);
  const apart = programOf(name, true);

  it('is verified as it is: every number is compared, with tight bounds', async () => {
    const stepwise = await stepwiseOnKernels(run);
    const verdict = comparisonOf(run, stepwise, null);
    expect(verdict).toMatchObject({ status: 'verified', firstWrong: null, unverified: [] });
    expect(verdict.launches.undecided).toBe(0);
    for (const t of verdict.tensors) expect(t.looseness, t.name).toBeLessThan(1e-4);
  });

  it.each(mutants)('$name', async ({ plant }) => {
    // A value that only a row has is compared by its readers: a fault of its own kind is planted where it has a launch.
    const inRows = plant(compiled);
    const given = inRows === null ? apart : run;
    const planted = inRows ?? plant(planOf(apart));
    if (planted === null) throw new Error('the mutant found no place to stand');
    const mutant = withPlan(given, planted.plan);
    const stepwise = await stepwiseOnKernels(mutant);
    expect(numbersOf(stepwise)).not.toBe(numbersOf(await honest(given)));
    const verdict = comparisonOf(mutant, stepwise, null);
    expect(verdict.status).toBe('wrong');
    expect(planted.steps).toContain(stepwise.firstWrong?.comparison.step);
    const { place, usedAt } = verdict.firstWrong ?? { place: '', usedAt: null };
    expect(usedAt ?? place).toMatch(new RegExp(`^${name}\\.moe:\\d+`));
  });
});

const known = new WeakMap<Ready, Promise<Stepwise>>();

function honest(run: Ready): Promise<Stepwise> {
  const before = known.get(run) ?? stepwiseOnKernels(run);
  known.set(run, before);
  return before;
}
