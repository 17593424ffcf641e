/**
 * Device classes, as a module carries them: every launch has a portable form, which runs on every device; of a class are those
 * launches that are faster there in another form, over the same buffers and with the same sums, term by term.
 */
import type { DeviceClassSpec, LaunchSpec, Manifest, PlanSpec, StepSpec } from './manifest.ts';

/** The class of the forms that every device runs. */
export const PORTABLE = 'portable';

/** What kernels with subgroup operations need; and that all subgroups of the device have the size they were written for. */
export const SUBGROUP_FEATURE = 'subgroups';

/** The sizes of a device's subgroups, as its adapter's info has them. */
export interface SubgroupSizes {
  readonly subgroupMinSize?: number;
  readonly subgroupMaxSize?: number;
}

/** What tells the class of a device. */
export interface ClassedDevice {
  readonly features: ReadonlySet<string>;
  /** As adapters call it, and devices. */
  readonly info?: SubgroupSizes;
  readonly adapterInfo?: SubgroupSizes;
}

/** The class of a device among those of a module, by its features and the sizes of its subgroups. */
export function classOf(device: ClassedDevice, classes: readonly DeviceClassSpec[]): string {
  if (!device.features.has(SUBGROUP_FEATURE)) return PORTABLE;
  const info = device.info ?? device.adapterInfo;
  const own = classes.find(
    ({ subgroupSize }) => info?.subgroupMinSize === subgroupSize && info.subgroupMaxSize === subgroupSize,
  );
  return own?.name ?? PORTABLE;
}

/** A manifest as a class runs it: the forms of its launches are their kernels, and nothing else is left of the classes. */
export function manifestOfClass(manifest: Manifest, name: string): Manifest {
  const plans = new Map<PlanSpec, PlanSpec>();
  const planOf = (plan: PlanSpec): PlanSpec => {
    const known = plans.get(plan) ?? { ...plan, steps: plan.steps.map((step) => stepOfClass(step, name)) };
    plans.set(plan, known);
    return known;
  };
  return {
    ...manifest,
    stores: manifest.stores.map((store) =>
      store.initial?.kind === 'plan'
        ? { ...store, initial: { kind: 'plan', plan: planOf(store.initial.plan) } }
        : store,
    ),
    entries: manifest.entries.map((entry) => ({ ...entry, plan: planOf(entry.plan), full: planOf(entry.full) })),
  };
}

function stepOfClass(step: StepSpec, name: string): StepSpec {
  if (step.kind !== 'launch' || step.forms === undefined) return step;
  const { forms, ...portable } = step;
  const own = forms.find((form) => form.class === name);
  if (own === undefined) return portable;
  const { class: _, ...form } = own;
  return { ...portable, ...form } satisfies LaunchSpec;
}
