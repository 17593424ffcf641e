/**
 * A plan as the manifest has it: sizes become formulas, kernels, inputs and variables numbers in the manifest's lists. Nothing is decided here.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { apply, ceilDiv } from '../../dsl/types/size.ts';
import type {
  AxisSpec,
  BufferSpec,
  KernelSpec,
  LaunchForm,
  PlanSpec,
  ResultSpec,
  StepSpec,
} from '../../runtime/contract/manifest.ts';
import type { Kernel } from '../kernel/kernel-ir.ts';
import type {
  LaunchForm as PlannedForm,
  Plan,
  PlanAxis,
  PlanBuffer,
  PlanResult,
  Step,
} from '../schedule/memory/plan.ts';
import { sizeFormula } from './size-formula.ts';

/** What the manifest says of a kernel, besides its text. */
export function toKernelSpec(kernel: Kernel, shader: number): KernelSpec {
  return {
    name: kernel.name,
    shader,
    workgroupSize: kernel.workgroupSize,
    ...(kernel.sides === undefined ? {} : { sides: kernel.sides }),
    ...(kernel.subgroupSize === undefined ? {} : { subgroupSize: kernel.subgroupSize }),
    buffers: kernel.buffers.map(({ access, lanes = 1 }) => (lanes === 1 ? { access } : { access, lanes })),
    uniforms: kernel.uniforms.map(({ name, type }) => ({ name, type })),
  };
}

/** Where the manifest has what a plan names. */
export interface ManifestNames {
  /** Index of a kernel of the module. */
  readonly kernel: (kernel: Kernel) => number;
  /** Index of an input of the entry. */
  readonly input: (name: string) => number;
  /** Index of a variable in the manifest. */
  readonly store: (path: string) => number;
}

export function toManifestPlan(plan: Plan, names: ManifestNames): PlanSpec {
  return {
    buffers: plan.buffers.map((buffer) => bufferSpec(buffer, names)),
    steps: plan.steps.map((step) => stepSpec(plan, step, names)),
    results: plan.results.map(resultSpec),
    status: plan.status.map((fault) => ({
      ...fault,
      axes: axisSpecs(fault.axes),
      shown: fault.shown.map((each) => ('size' in each ? { size: sizeFormula(each.size) } : each)),
    })),
    slots: plan.allocations,
  };
}

function axisSpecs(axes: readonly PlanAxis[]): readonly AxisSpec[] {
  return axes.map(({ name, size }) => ({ name, size: sizeFormula(size) }));
}

function bufferSpec({ label, elements, role }: PlanBuffer, names: ManifestNames): BufferSpec {
  const common = { label, elements: sizeFormula(elements) };
  switch (role.kind) {
    case 'scratch':
      return { ...common, kind: 'scratch', slot: role.allocation };
    case 'input':
      return { ...common, kind: 'input', input: names.input(role.name) };
    case 'store':
      return { ...common, kind: 'store', store: names.store(role.path) };
    case 'result':
      return { ...common, kind: 'result' };
    case 'status':
      return { ...common, kind: 'status' };
  }
}

function stepSpec(plan: Plan, step: Step, names: ManifestNames): StepSpec {
  if (step.kind === 'extern') {
    return {
      kind: 'extern',
      name: step.name,
      place: step.place,
      operands: step.operands.map((o) => ({ ...o, axes: axisSpecs(o.axes), within: within(o.within) })),
      results: step.results.map((r) => ({ ...r, axes: axisSpecs(r.axes), within: within(r.within) })),
      sizes: axisSpecs(step.sizes),
      carried: step.carried,
      family: axisSpecs(step.family),
      points: step.points === null ? null : axisSpecs(step.points),
      mask: step.mask === null ? null : { buffer: step.mask.buffer, axes: axisSpecs(step.mask.axes) },
    };
  }
  return {
    kind: 'launch',
    label: step.label,
    ...formSpec(plan, step, names),
    ...(step.forms.length === 0
      ? {}
      : { forms: step.forms.map((form) => ({ class: form.class, ...formSpec(plan, form, names) })) }),
    unless: step.skipIfGiven,
  };
}

function formSpec(plan: Plan, form: PlannedForm, names: ManifestNames): LaunchForm {
  const kernel = plan.kernels[form.kernel];
  if (kernel === undefined) throw new CompilerBug('manifest', `no kernel ${form.kernel}`);
  const { grid } = form;
  const groups =
    grid === undefined
      ? ceilDiv(form.invocations, kernel.workgroupSize)
      : apply('mul', apply('mul', grid[0], grid[1]), grid[2]);
  return {
    kernel: names.kernel(kernel),
    ...(grid === undefined
      ? {}
      : { grid: [sizeFormula(grid[0]), sizeFormula(grid[1]), sizeFormula(grid[2])] as const }),
    workgroups: sizeFormula(groups),
    buffers: form.buffers,
    uniforms: form.uniforms.map((u) => (u.kind === 'seed' ? { special: 'seed' } : sizeFormula(u.size))),
  };
}

function within(axis: PlanAxis | null): AxisSpec | null {
  return axis === null ? null : (axisSpecs([axis])[0] ?? null);
}

function resultSpec(result: PlanResult): ResultSpec {
  if (result.kind === 'tensor') return { ...result, axes: axisSpecs(result.axes) };
  return {
    ...result,
    sources: axisSpecs(result.sources),
    targets: axisSpecs(result.targets),
    payload: axisSpecs(result.payload),
    most: sizeFormula(result.most),
  };
}
