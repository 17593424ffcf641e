/**
 * Device classes, as a module carries them: every launch has a portable form, which runs on every device; of a class are those
 * launches that are faster there in another form, over the same buffers and with the same sums, term by term.
 */
import { MoecError } from './errors.ts';
import type { DeviceClassSpec, LaunchSpec, Manifest, PlanSpec, StepSpec } from './manifest.ts';

/** The class of the forms that every device runs. */
export const PORTABLE = 'portable';

/** What kernels with subgroup operations need; and that all subgroups of the device have the size they were written for. */
export const SUBGROUP_FEATURE = 'subgroups';

/** Shader texts of a class of devices, by number, as the module's file of that class has them. */
export interface ClassShaders {
  /** Of the manifest that they are of. */
  readonly hash: string;
  readonly shaders: Readonly<Record<number, string>>;
}

/** Loads the texts of classes of devices, by name. A class that is missing has no texts but the module's. */
export type ClassLoaders = Readonly<Record<string, (() => Promise<ClassShaders>) | undefined>>;

/** All texts that a class runs. Throws MoecError MOE0717 where those of its own do not load, or are of another compilation. */
export async function shadersOfClass(
  manifest: Manifest,
  shaders: readonly string[],
  name: string,
  loaders: ClassLoaders,
): Promise<readonly string[]> {
  const load = loaders[name];
  if (load === undefined) return shaders;
  const failed = (why: string, options?: ErrorOptions): MoecError =>
    new MoecError(
      'MOE0717',
      `the kernels for devices of the class ${name} ${why}; class: '${PORTABLE}' runs without them`,
      options,
    );
  let own: ClassShaders;
  try {
    own = await load();
  } catch (error) {
    throw failed('did not load: the files of a module belong together', { cause: error });
  }
  if (own.hash !== manifest.hash) throw failed('are of another compilation: compile the model again');
  return Object.assign([...shaders], own.shaders);
}

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
    const { few } = plan;
    const known = plans.get(plan) ?? {
      ...plan,
      steps: plan.steps.map((step) => stepOfClass(step, name)),
      ...(few === undefined ? {} : { few: { ...few, plan: planOf(few.plan) } }),
    };
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
