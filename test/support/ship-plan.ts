/** A prepared model whose manifest has another plan: as if the compiler had made that one. */
import { at, indexIn } from '../../dsl/diagnostics/invariants.ts';
import type { Prepared } from '../../compiler/cli/running/execution.ts';
import { toKernelSpec, toManifestPlan } from '../../compiler/emit/plan-to-manifest.ts';
import type { Plan } from '../../compiler/schedule/memory/plan.ts';
import type { PlanSpec } from '../../runtime/contract/manifest.ts';

/** With `plan` for the plan of all that can be asked for (and of the results alone). */
export function shipPlan(prepared: Prepared, plan: Plan): Prepared {
  const { manifest, compilation, entry } = prepared;
  const inputs = at(manifest.entries, 0, 'test: entry').inputs.map(({ name }) => name);
  const stores = manifest.stores.map(({ path }) => path);
  // Behind the kernels that are there: the plans of initial values go on using those.
  const spec = toManifestPlan(plan, {
    kernel: (kernel) => compilation.kernels.length + indexIn(plan.kernels, kernel, 'test: kernel'),
    input: (name) => indexIn(inputs, name, 'test: input'),
    store: (path) => indexIn(stores, path, 'test: store'),
  });
  const kernels = [...compilation.kernels, ...plan.kernels];
  const specs = [...manifest.kernels, ...plan.kernels.map((kernel) => toKernelSpec(kernel, 0))];
  return {
    ...shipSpec({ ...prepared, manifest: { ...manifest, kernels: specs } }, () => spec),
    compilation: { ...compilation, kernels },
    entry: { ...entry, inference: { ...entry.inference, plan }, withAux: { ...entry.withAux, plan } },
  };
}

/** With the plans of its manifest changed, and nothing else: the compiler's own plans stay. */
export function shipSpec(prepared: Prepared, change: (plan: PlanSpec) => PlanSpec): Prepared {
  const { manifest } = prepared;
  const entries = manifest.entries.map((entry) => ({ ...entry, plan: change(entry.plan), full: change(entry.full) }));
  return { ...prepared, manifest: { ...manifest, entries } };
}
