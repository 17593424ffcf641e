/** Runs a plan that was made by hand or by the scheduler alone, without a module around it: its values are given by name. */
import { indexIn } from '../../dsl/diagnostics/invariants.ts';
import { toKernelSpec, toManifestPlan } from '../../compiler/emit/plan-to-manifest.ts';
import type { Words } from '../../compiler/schedule/executing/run-memory.ts';
import { Simulator, type Simulated, type SimulationChecks } from '../../compiler/schedule/executing/simulate.ts';
import type { Plan, PlanBuffer } from '../../compiler/schedule/memory/plan.ts';
import type { ExternFunction } from '../../runtime/contract/ask-host.ts';
import type { ResultSpec } from '../../runtime/contract/manifest.ts';
import { readResult, type ResultValue } from '../../runtime/contract/results.ts';

/** Numbers of a run, by name. */
export interface PlanRun {
  readonly inputs: ReadonlyMap<string, ArrayLike<number>>;
  /** Params, states and the controls that are given, by path. */
  readonly stores: ReadonlyMap<string, ArrayLike<number>>;
  readonly sizes: ReadonlyMap<string, number>;
  readonly seed?: number;
  readonly asked?: ReadonlySet<ResultSpec['group']>;
  readonly extern?: ExternFunction;
  readonly after?: (step: number, words: (buffer: number) => Uint32Array) => void;
}

export interface RanPlan extends Pick<Simulated, 'faults' | 'counts'> {
  /** By name. */
  readonly results: () => ReadonlyMap<string, ResultValue>;
}

const everything = new Set<ResultSpec['group']>(['result', 'output', 'loss', 'update']);

export async function simulatePlan(plan: Plan, run: PlanRun, checks: SimulationChecks = {}): Promise<RanPlan> {
  const inputs = [...new Set(plan.buffers.flatMap(({ role }) => (role.kind === 'input' ? [role.name] : [])))];
  const stores = [
    ...new Map(plan.buffers.flatMap(({ role }) => (role.kind === 'store' ? [[role.path, role.store] as const] : []))),
  ];
  const spec = toManifestPlan(plan, {
    kernel: (kernel) => indexIn(plan.kernels, kernel, 'test: kernel'),
    input: (name) => indexIn(inputs, name, 'test: input'),
    store: (path) => stores.findIndex(([known]) => known === path),
  });
  const feeds = new Map<string, Words>();
  const variables = new Map<number, Words>();
  for (const buffer of plan.buffers) {
    const { role } = buffer;
    if (role.kind === 'input')
      feeds.set(`input:${inputs.indexOf(role.name)}`, words(buffer, run.inputs.get(role.name)));
    if (role.kind !== 'store') continue;
    const index = stores.findIndex(([path]) => path === role.path);
    const given = run.stores.get(role.path);
    if (role.store !== 'control') variables.set(index, words(buffer, given));
    else if (given !== undefined) feeds.set(`control:${index}`, words(buffer, given));
  }
  const simulator = new Simulator(
    {
      plan: spec,
      stores: stores.map(([, kind]) => ({ kind })),
      kernelSpecs: plan.kernels.map((kernel) => toKernelSpec(kernel, 0)),
      kernels: plan.kernels,
    },
    checks,
  );
  const ran = await simulator.run({
    sizes: run.sizes,
    feeds,
    variables,
    seed: run.seed ?? 0,
    asked: run.asked ?? everything,
    given: new Set(run.stores.keys()),
    after: run.after,
    extern: (name) => {
      if (run.extern === undefined) throw new Error(`nothing computes ${name}`);
      return run.extern;
    },
  });
  const { faults, counts } = ran;
  const results = (): ReadonlyMap<string, ResultValue> =>
    new Map(spec.results.map((r) => [r.name, readResult(r, run.sizes, ran.words)]));
  return { faults, counts, results };
}

function words({ label, storageType: word }: PlanBuffer, numbers: ArrayLike<number> | undefined): Words {
  if (numbers === undefined) throw new Error(`${label} is not given`);
  return word === 'f32' ? Float32Array.from(numbers) : word === 'i32' ? Int32Array.from(numbers) : Uint32Array.from(numbers); // prettier-ignore
}
