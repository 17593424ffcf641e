/**
 * The plan: what is launched, in which order, on which buffers. Static: no step depends on what a step computed. Sizes, grids
 * and uniforms are formulas of the dynamic axes; the number of launches depends on nothing.
 *
 * Externs, faults and results are the manifest's types over the compiler's sizes; emit/plan-to-manifest.ts writes the sizes as
 * formulas, and puts numbers where a plan has kernels and names.
 *
 * Invariants (verify-plan.ts):
 * - `buffers[i]`, `kernels[i]`, `allocations` are referred to by id; every buffer a step reads was written by an earlier one or
 *   holds what the run was given.
 * - One launch never has a buffer, or two buffers of one allocation, both among what it reads and what it writes.
 * - Kernels are shared: two launches of equal structure have one kernel and differ in buffers and uniforms.
 */
import type { DeviceClass } from '../../target.ts';
import type { ElementType, Span } from '../../graph/graph-ir.ts';
import type { Kernel, NumericType } from '../../kernel/kernel-ir.ts';
import { idOf, type Id } from '../../../dsl/types/ids.ts';
import type { Size } from '../../../dsl/types/size.ts';
import type {
  AxisSpec,
  ExternSpec,
  FaultSpec,
  Grid,
  ResultSpec,
  RowLimitSpec,
} from '../../../runtime/contract/manifest.ts';

/** A buffer of a plan: its place in `buffers`, here and in the manifest's plan. */
export type BufferId = Id<'buffer'>;
/** A kernel of a plan: its place in `kernels`. Where the module has it is another number (emit/plan-to-manifest.ts). */
export type KernelId = Id<'kernel of a plan'>;
/** Memory that scratch buffers share, one after another. */
export type AllocationId = Id<'allocation'>;
/** A word of the status buffer. */
export type StatusWord = Id<'status word'>;

/** What a stored element is on the GPU: f16 is an f32 that was rounded, bool is a u32 of 0 or 1. */
export type StorageType = NumericType;

export function storageTypeOf(element: ElementType): StorageType {
  switch (element) {
    case 'f32':
    case 'f16':
      return 'f32';
    case 'i32':
      return 'i32';
    case 'bool':
      return 'u32';
  }
}

export type PlanAxis = AxisSpec<Size>;

export type BufferRole =
  /** Memory shared by lifetime (assign-buffers.ts). */
  | { readonly kind: 'scratch'; readonly allocation: AllocationId }
  | { readonly kind: 'input'; readonly name: string }
  | { readonly kind: 'store'; readonly store: 'param' | 'state' | 'control'; readonly path: string }
  | { readonly kind: 'result' }
  | { readonly kind: 'status' };

export interface PlanBuffer {
  /** What the value is and its place in the source. */
  readonly label: string;
  readonly storageType: StorageType;
  /** Number of elements. */
  readonly elements: Size;
  readonly role: BufferRole;
}

export type UniformValue = { readonly kind: 'size'; readonly size: Size } | { readonly kind: 'seed' };

/** What a launch does, for people and for the profiler. */
export interface Work {
  /** The points it runs over: `T × F`, `rows of (T, E) × F`. */
  readonly domain: string;
  /** How many points that is, at most. */
  readonly points: Size;
  /** Floating-point operations of its kernel, at most (compiler/schedule/emitting/work.ts). Integer operations are none. */
  readonly flops: Size;
  /** How often its innermost loops run over all threads, at most. */
  readonly tripCount: Size;
  /** Bytes of the buffers it touches. */
  readonly bytes: Size;
}

/** How a launch is done. */
export interface LaunchForm {
  readonly kernel: KernelId;
  /** Number of invocations; the grid is that many divided by the kernel's workgroup size, rounded up. */
  readonly invocations: Size;
  /** Workgroups along x, y and z, of a kernel whose workgroups have three sides (`Kernel.sides`); absent for all others. */
  readonly grid?: Grid<Size>;
  /** In the order of the kernel's buffers. */
  readonly buffers: readonly BufferId[];
  /** In the order of the kernel's uniforms. */
  readonly uniforms: readonly UniformValue[];
}

/** How devices of a class do a launch (runtime/contract/device-class.ts). */
export interface ClassForm extends LaunchForm {
  readonly class: DeviceClass['name'];
}

export interface Launch extends LaunchForm {
  readonly kind: 'launch';
  readonly label: string;
  readonly span: Span | null;
  /** What classes of devices do instead, over buffers of the launch alone. */
  readonly forms: readonly ClassForm[];
  /** Skipped when the run was given this control. */
  readonly skipIfGiven: string | null;
  /** Of the portable form. */
  readonly work: Work;
}

/** A launch as each class of devices does it, the portable form first; none of a call of the host. */
export function formsOf(step: Step): readonly Launch[] {
  if (step.kind === 'extern') return [];
  return [step, ...step.forms.map((form) => ({ ...step, ...form, label: `${step.label}, ${form.class}` }))];
}

/** A plan as devices of a class run it. */
export function planOfClass(plan: Plan, name: string): Plan {
  const steps = plan.steps.map((step) =>
    step.kind === 'launch' ? { ...step, ...step.forms.find((form) => form.class === name), forms: [] } : step,
  );
  return { ...plan, steps };
}

/** The host's part of a run, as the manifest has it; its label is for people. */
export interface ExternStep extends ExternSpec<Size, BufferId> {
  readonly label: string;
}

export type Step = Launch | ExternStep;

export type FaultWord = FaultSpec<Size, StatusWord>;

export type PlanResult = ResultSpec<Size, BufferId>;

/** So many rows at most, as the plan for few rows is for (schedule/deciding/regimes.ts). */
export type RowLimit = RowLimitSpec<Size>;

export interface Plan {
  readonly name: string;
  readonly kernels: readonly Kernel[];
  readonly buffers: readonly PlanBuffer[];
  readonly steps: readonly Step[];
  readonly results: readonly PlanResult[];
  readonly status: readonly FaultWord[];
  /** Number of scratch allocations. */
  readonly allocations: number;
}

/** The buffers of a plan with their ids, in order. */
export function buffersOf({ buffers }: Pick<Plan, 'buffers'>): readonly (readonly [BufferId, PlanBuffer])[] {
  return buffers.map((buffer, i) => [idOf<BufferId>(i), buffer]);
}

/** What tells which buffers a step has. */
export type AccessingStep = ExternStep | Pick<Launch, 'kind' | 'kernel' | 'buffers'>;

/** The buffers a step reads and writes. An atomic buffer is written. */
export function accessOf(
  plan: Pick<Plan, 'kernels'>,
  step: AccessingStep,
): { readonly reads: readonly BufferId[]; readonly writes: readonly BufferId[] } {
  if (step.kind === 'extern') {
    return {
      reads: [...step.operands.map((o) => o.buffer), ...(step.mask === null ? [] : [step.mask.buffer])],
      writes: step.results.map((r) => r.buffer),
    };
  }
  const declarations = plan.kernels[step.kernel]?.buffers ?? [];
  const of = (access: 'read' | 'read_write') => step.buffers.filter((_, i) => declarations[i]?.access === access);
  return { reads: of('read'), writes: of('read_write') };
}
