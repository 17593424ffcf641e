/**
 * A run compared step by step (compiler/verify/): by the kernels on the CPU, or on a GPU launch by launch.
 */
import { at } from '../../../dsl/diagnostics/invariants.ts';
import { asNumbers } from '../../verify/node-facts.ts';
import { StepComparer } from '../../verify/step-comparer.ts';
import { summarise, type StepwiseSummary } from '../../verify/summary.ts';
import type { NamedTensor, Ready } from './execution.ts';
import { executeGpu, executeKernels } from './execute.ts';
import { hostMemory } from './host-memory.ts';
import { planOf } from './prepare.ts';

export interface Stepwise extends StepwiseSummary {
  /** What the run gave, by name. */
  readonly results: ReadonlyMap<string, NamedTensor>;
}

/**
 * A comparer for one run of a request. It names buffers by their ids in the compiler's plan; what runs is the manifest's plan, which has
 * the same buffers in the same order (emit/plan-to-manifest.ts) by plain numbers. So the ids that it asks for go out as numbers, to
 * the runtime's watch and to the simulator's, and no number comes back as an id: it is given words for the ids it named.
 */
export async function compareOf(ready: Ready): Promise<StepComparer> {
  const { prepared, request } = ready;
  const { fused, plan, contents } = planOf(ready);
  const { sizes, feeds, variables } = await hostMemory(prepared, request);
  const { inputs } = at(prepared.manifest.entries, 0, 'cli: entry');
  const numbers = new Map<string, ArrayLike<number>>();
  inputs.forEach(({ name, element }, i) => {
    const words = feeds.get(`input:${i}`);
    if (words !== undefined) numbers.set(name, asNumbers(words, element));
  });
  prepared.manifest.stores.forEach(({ path, element }, i) => {
    const words = variables.get(i) ?? feeds.get(`control:${i}`);
    if (words !== undefined) numbers.set(path, asNumbers(words, element));
  });
  return new StepComparer({
    fused,
    plan,
    contents,
    sizes,
    seed: request.seed ?? 0,
    numbersOf: (name) => numbers.get(name) ?? null,
  });
}

/** The same on a GPU: every launch is one that ships, in a submission of its own. */
export async function stepwiseOnGpu(ready: Ready): Promise<Stepwise> {
  const comparer = await compareOf(ready);
  return stepwiseOf(comparer, () => executeGpu(ready.prepared, ready.request, comparer));
}

/** Runs by the kernels on the CPU, and compares every value that has memory with what the values it was made of make it. */
export async function stepwiseOnKernels(ready: Ready): Promise<Stepwise> {
  const comparer = await compareOf(ready);
  return stepwiseOf(comparer, () =>
    executeKernels(ready.prepared, ready.request, (step, words) => comparer.take(step, words)),
  );
}

/** A run that fails after a launch was found wrong failed for that: then what was found is the answer, without results. */
async function stepwiseOf(comparer: StepComparer, run: () => Promise<Stepwise['results']>): Promise<Stepwise> {
  const results = await run().catch((error: unknown): Stepwise['results'] => {
    if (summarise(comparer).wrong > 0) return new Map();
    throw error;
  });
  return { results, ...summarise(comparer) };
}
