/**
 * The manifest: all that a module is besides its shader texts. Nothing is decided here: graphs, plans, kernels and shaders are there
 * already, and what the manifest says of them is a number in one of its lists.
 */
import { at, indexIn } from '../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import type { Span } from '../../dsl/diagnostics/diagnostic.ts';
import { asNumber, formatSize, sizeKey } from '../../dsl/types/size.ts';
import type {
  DeviceClassSpec,
  EntrySpec,
  Manifest,
  PlanSpec,
  SizeConstraintSpec,
  VariableSpec,
} from '../../runtime/contract/manifest.ts';
import type { ElaboratedEntry, Elaboration, EntryInput } from '../elaborate/elaborate.ts';
import { divisionsOf } from '../graph/divisions.ts';
import type { Kernel } from '../kernel/kernel-ir.ts';
import { featuresOf, sidesOf } from '../kernel/workgroup-shape.ts';
import type { Plan, RowLimit } from '../schedule/memory/plan.ts';
import { webgpuCore, type DeviceClass } from '../target.ts';
import { moecVersion } from '../version.ts';
import { fingerprint } from './hash.ts';
import { toKernelSpec, toManifestPlan, type ManifestNames } from './plan-to-manifest.ts';
import { sizeFormula } from './size-formula.ts';
import { axisSpec, variableSpec } from './variable-specs.ts';

/** A plan, and the one for runs with few rows; null: they have no other. */
export interface PlanOfRegimes {
  readonly plan: Plan;
  readonly few: { readonly when: readonly RowLimit[]; readonly plan: PlanOfRegimes } | null;
}

/** The plans of all regimes. */
function plansOf({ plan, few }: PlanOfRegimes): readonly Plan[] {
  return few === null ? [plan] : [plan, ...plansOf(few.plan)];
}

/** What a module is made of. */
export interface ModuleParts {
  readonly name: string;
  readonly elaboration: Elaboration;
  readonly entries: readonly {
    readonly elaborated: ElaboratedEntry;
    readonly inference: PlanOfRegimes;
    /** The same object as `inference` where there are no losses, outputs and updates. */
    readonly withAux: PlanOfRegimes;
  }[];
  /** By the variable's path. */
  readonly initialPlans: ReadonlyMap<string, Plan>;
  readonly classes: readonly DeviceClass[];
  readonly kernels: readonly Kernel[];
  /** The number of a plan's kernel among `kernels`. */
  readonly kernelNumber: (kernel: Kernel) => number;
  readonly shaders: readonly string[];
  /** Of each kernel, its shader among `shaders`. */
  readonly shaderOf: readonly number[];
  /** How a place in the source is written. */
  readonly locationOf: (span: Span) => string;
}

export function buildManifest(parts: ModuleParts): Manifest {
  const { elaboration, kernels, shaders } = parts;
  const plans = [
    ...parts.entries.flatMap((e) => [e.inference, e.withAux]).flatMap(plansOf),
    ...parts.initialPlans.values(),
  ];
  const body: Omit<Manifest, 'hash'> = {
    schema: 1,
    moec: moecVersion,
    name: parts.name,
    dynamic: elaboration.dynamic,
    requiredFeatures: [...new Set(portableKernels(plans).flatMap(featuresOf))].sort(),
    requiredLimits: requiredLimits(kernels, plans),
    classes: usedClasses(plans, parts.classes),
    stores: variableSpecs(parts),
    kernels: kernels.map((kernel, i) => toKernelSpec(kernel, at(parts.shaderOf, i, 'manifest: shader of kernel'))),
    entries: entrySpecs(parts),
  };
  return { ...body, hash: fingerprint(JSON.stringify([body, shaders])) };
}

/** The classes that some launch has a form for. */
function usedClasses(plans: readonly Plan[], classes: readonly DeviceClass[]): readonly DeviceClassSpec[] {
  const used = new Set(
    plans.flatMap(({ steps }) =>
      steps.flatMap((step) => (step.kind === 'launch' ? step.forms.map((f) => f.class) : [])),
    ),
  );
  return classes.flatMap(({ name, subgroupSize }) => (used.has(name) ? [{ name, subgroupSize }] : []));
}

/** The kernels of the forms that every device runs: what others need is asked of devices of their class alone. */
function portableKernels(plans: readonly Plan[]): readonly Kernel[] {
  return plans.flatMap((plan) =>
    plan.steps.flatMap((step) => (step.kind === 'launch' ? [at(plan.kernels, step.kernel, 'manifest: kernel')] : [])),
  );
}

function entrySpecs(parts: ModuleParts): readonly EntrySpec[] {
  return parts.entries.map(({ elaborated, inference, withAux }): EntrySpec => {
    const names = namesOf(parts, elaborated.inputs);
    const plan = ofRegimes(inference, names);
    return {
      name: elaborated.name,
      conditions: conditionsOf(elaborated, parts.locationOf),
      inputs: elaborated.inputs.map(inputSpec),
      plan,
      full: withAux === inference ? plan : ofRegimes(withAux, names),
    };
  });
}

function ofRegimes({ plan, few }: PlanOfRegimes, names: ManifestNames): PlanSpec {
  const spec = toManifestPlan(plan, names);
  if (few === null) return spec;
  const when = few.when.map(({ rows, most }) => ({ rows: sizeFormula(rows), most }));
  return { ...spec, few: { when, plan: ofRegimes(few.plan, names) } };
}

function variableSpecs(parts: ModuleParts): readonly VariableSpec[] {
  return parts.elaboration.variables.map((variable): VariableSpec => {
    if (variable.initial === null || variable.initial.kind === 'fill') return variableSpec(variable, variable.initial);
    const { path } = variable.used.variable;
    const plan = parts.initialPlans.get(path);
    if (plan === undefined) throw new CompilerBug('manifest', `the initial value of ${path} has no plan`);
    return variableSpec(variable, { kind: 'plan', plan: toManifestPlan(plan, namesOf(parts, [])) });
  });
}

/** Where the manifest has what the plans of an entry name. */
function namesOf({ elaboration, kernelNumber }: ModuleParts, inputs: readonly EntryInput[]): ManifestNames {
  return {
    kernel: kernelNumber,
    input: (name) =>
      indexIn(
        inputs.map((i) => i.name),
        name,
        'manifest: input',
      ),
    store: (path) =>
      indexIn(
        elaboration.variables.map((s) => s.used.variable.path),
        path,
        'manifest: store',
      ),
  };
}

/** A parameter of an entry as the manifest describes it. */
export function inputSpec({ name, type, axes, within }: EntryInput): EntrySpec['inputs'][number] {
  return {
    name,
    element: type.element,
    axes: axes.map(axisSpec),
    within: within === null ? null : axisSpec(within),
  };
}

/**
 * What the sizes of a run must satisfy. Divisions come first: other size constraints may have them in their formulas. A division that
 * only losses, outputs and updates make need not hold in a run without them (`fullOnly`); other size constraints hold for the whole
 * run, needed or not (SEMANTICS 2.4).
 */
export function conditionsOf(
  { inference, withAux, conditions }: ElaboratedEntry,
  locationOf: (span: Span) => string,
): readonly SizeConstraintSpec[] {
  const always = new Set(divisionsOf(inference).map((d) => sizeKey(d.divisor)));
  const divisions = divisionsOf(withAux).map(({ dividend, divisor, span }): SizeConstraintSpec => {
    const message = `${formatSize(dividend)} is divided by ${formatSize(divisor)}, which is 0`;
    const condition = {
      left: sizeFormula(divisor),
      relation: '!=',
      right: 0,
      message,
      place: locationOf(span),
    } as const;
    return always.has(sizeKey(divisor)) ? condition : { ...condition, fullOnly: true };
  });
  const others = conditions.map(({ left, relation, right, message, span }): SizeConstraintSpec => {
    return { left: sizeFormula(left), relation, right: sizeFormula(right), message, place: locationOf(span) };
  });
  return [...divisions, ...others];
}

/**
 * What a device must allow beyond the defaults of WebGPU, as far as sizes are known when compiling; what a run decides is compared
 * with the device when it does. Initial values count: they are computed on the same device.
 */
function requiredLimits(kernels: readonly Kernel[], plans: readonly Plan[]): Readonly<Record<string, number>> {
  const buffers = Math.max(0, ...kernels.map((k) => k.buffers.length));
  const side = (axis: 0 | 1 | 2): number => Math.max(0, ...kernels.map((k) => sidesOf(k)[axis]));
  const threads = Math.max(0, ...kernels.map((k) => k.workgroupSize));
  const sizes = plans.flatMap(({ buffers: memory }) => memory.map((b) => asNumber(b.elements)));
  const bytes = sizes.reduce<number>((most, n) => Math.max(most, bytesPerElement * (n ?? 0)), 0);
  const { limits } = webgpuCore;
  return {
    ...(buffers > limits.maxStorageBuffersPerShaderStage ? { maxStorageBuffersPerShaderStage: buffers } : {}),
    ...(threads > limits.maxComputeInvocationsPerWorkgroup
      ? { maxComputeInvocationsPerWorkgroup: threads, maxComputeWorkgroupSizeX: side(0) }
      : {}),
    ...(side(1) > limits.maxComputeWorkgroupSizeY ? { maxComputeWorkgroupSizeY: side(1) } : {}),
    ...(side(2) > limits.maxComputeWorkgroupSizeZ ? { maxComputeWorkgroupSizeZ: side(2) } : {}),
    ...(bytes > limits.maxStorageBufferBindingSize ? { maxStorageBufferBindingSize: bytes } : {}),
    ...(bytes > limits.maxBufferSize ? { maxBufferSize: bytes } : {}),
  };
}

/** Every stored element is one 32-bit word. */
const bytesPerElement = 4;
