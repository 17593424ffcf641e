/**
 * Which shader texts of a module are loaded for whom: those of the portable forms by everybody, those of the forms of a class of
 * devices when a model is made on one. The portable ones come first in the list of a module.
 */
import type { LaunchSpec, Manifest, PlanSpec } from '../../runtime/contract/manifest.ts';

/** Numbers of texts that only devices of a class need, ascending. */
export interface ClassTexts {
  readonly name: string;
  readonly shaders: readonly number[];
}

export interface TextsByClass {
  /** How many texts, from the first on, belong to portable forms. */
  readonly portable: number;
  /** Classes with texts of their own; a text of two classes is in both. */
  readonly classes: readonly ClassTexts[];
}

/** The numbers of the texts that every device may need. */
export function portableTexts(manifest: Manifest): ReadonlySet<number> {
  return new Set(launchesOf(manifest).flatMap(({ kernel }) => textOf(manifest, kernel)));
}

export function textsByClass(manifest: Manifest): TextsByClass {
  const portable = portableTexts(manifest);
  const forms = launchesOf(manifest).flatMap((launch) => launch.forms ?? []);
  const classes = manifest.classes.map(({ name }): ClassTexts => {
    const own = forms.filter((form) => form.class === name).flatMap(({ kernel }) => textOf(manifest, kernel));
    const shaders = [...new Set(own)].filter((shader) => !portable.has(shader));
    return { name, shaders: shaders.sort((a, b) => a - b) };
  });
  return { portable: portable.size, classes: classes.filter(({ shaders }) => shaders.length > 0) };
}

function textOf({ kernels }: Manifest, kernel: number): readonly number[] {
  const spec = kernels[kernel];
  return spec === undefined ? [] : [spec.shader];
}

/** A plan with the one for few rows, if there is one. */
export function regimesOf(plan: PlanSpec): readonly PlanSpec[] {
  return plan.few === undefined ? [plan] : [plan, plan.few.plan];
}

function launchesOf({ entries, stores }: Manifest): readonly LaunchSpec[] {
  const initial = stores.flatMap((store) => (store.initial?.kind === 'plan' ? [store.initial.plan] : []));
  const plans = [...entries.flatMap(({ plan, full }) => [plan, full]).flatMap(regimesOf), ...initial];
  return plans.flatMap(({ steps }) => steps.flatMap((step) => (step.kind === 'launch' ? [step] : [])));
}
