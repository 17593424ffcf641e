/**
 * A run judged step by step (compiler/verify/): by the kernels on the CPU, or on a GPU launch by launch.
 */
import type { CompiledPlan } from '../../compile.ts';
import { StepComparer } from '../../verify/step-comparer.ts';
import { summarise, type StepwiseSummary } from '../../verify/summary.ts';
import type { NamedTensor } from './execution.ts';
import { executeGpu, executeKernels, inputNumbers, variableNumbers } from './execute.ts';
import { sizesOf } from './prepare.ts';
import type { Ready } from './run-options.ts';

export interface Stepwise extends StepwiseSummary {
  /** What the run gave, by name. */
  readonly results: ReadonlyMap<string, NamedTensor>;
}

/** The plan of a request: with losses, outputs and updates where one of them is asked for. */
export function planOf({ prepared, request }: Ready): CompiledPlan {
  const { want } = request;
  const more = want.losses || want.outputs || want.updates === true;
  return more ? prepared.entry.full : prepared.entry.plain;
}

/** A judge for one run of a request. */
export async function compareOf(ready: Ready): Promise<StepComparer> {
  const { prepared, request } = ready;
  const { fused, plan, contents } = planOf(ready);
  const sizes = sizesOf(prepared, request);
  const inputs = inputNumbers(prepared, request);
  const stores = await variableNumbers(prepared, request, sizes);
  const numbers = new Map(
    fused.graph.inputs.map((input) => {
      const given = input.role === 'input' ? inputs.get(input.name) : stores.get(input.name);
      if (given === undefined) return [input.name, null] as const;
      // Memory has f32.
      const round = input.element === 'f32' || input.element === 'f16' ? Math.fround : (n: number) => n;
      return [input.name, Float64Array.from(given, round)] as const;
    }),
  );
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
  const judge = await compareOf(ready);
  return judged(judge, () => executeGpu(ready.prepared, ready.request, judge));
}

/** Runs by the kernels on the CPU, and judges every value that has memory from the values it was made of. */
export async function stepwiseOnKernels(ready: Ready): Promise<Stepwise> {
  const judge = await compareOf(ready);
  return judged(judge, () => executeKernels(ready.prepared, ready.request, (step, words) => judge.take(step, words)));
}

/** A run that fails after a launch was found wrong failed for that: then the verdict is the answer, without results. */
async function judged(judge: StepComparer, run: () => Promise<Stepwise['results']>): Promise<Stepwise> {
  const results = await run().catch((error: unknown): Stepwise['results'] => {
    if (summarise(judge).wrong > 0) return new Map();
    throw error;
  });
  return { results, ...summarise(judge) };
}
