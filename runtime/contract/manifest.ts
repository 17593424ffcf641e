/**
 * The contract between the compiler and the runtime: everything a compiled model is, as data (JSON), besides its shader
 * texts. A manifest names no file and holds no user text but names that stay data.
 *
 * Sizes are formulas over the sizes of dynamic axes, evaluated exactly when a run binds its inputs.
 */

import type { SizeOp } from './exact.ts';

/** A whole number; the name of a dynamic axis; a number that is not exact; a rational; an operation on formulas. */
export type SizeFormula =
  | number
  | string
  | { readonly real: number }
  /** A rational with big integers, as decimal texts. */
  | { readonly numerator: string; readonly denominator: string }
  | { readonly op: SizeOp; readonly args: readonly SizeFormula[] };

export type ManifestElement = 'f32' | 'f16' | 'i32' | 'bool';

/** On the GPU every element takes four bytes: f16 is an f32 that was rounded, bool is u32 0 or 1. */
export const bytesPerElement = 4;

/**
 * The types of a plan are written over how sizes are: `SizeFormula` in a manifest; while it compiles, a plan has them as the values
 * that the compiler computes with. So are the numbers of buffers and fault words, which the compiler tells apart by their types.
 */
export type Grid<Size = SizeFormula> = readonly [x: Size, y: Size, z: Size];

export interface AxisSpec<Size = SizeFormula> {
  readonly name: string;
  readonly size: Size;
}

export interface TensorSpec {
  readonly name: string;
  readonly element: ManifestElement;
  /** Row-major, outermost first. */
  readonly axes: readonly AxisSpec[];
}

/**
 * One stored tensor's contribution to a variable: a strided copy. With indices i over `dims`:
 * variable[offset + Σ i_k * to_k] = tensor[from + Σ i_k * stride_k].
 */
export interface WeightSliceSpec {
  /** Name in the checkpoint. */
  readonly tensor: string;
  /** Shape the checkpoint's tensor must have. */
  readonly shape: readonly number[];
  /** `mxfp4`: `tensor` holds blocks, `scales` the scales; shape is that of the decoded numbers. */
  readonly decoder: 'mxfp4' | null;
  readonly scales: string | null;
  readonly from: number;
  readonly offset: number;
  readonly dims: readonly { readonly size: number; readonly stride: number; readonly to: number }[];
}

export interface VariableSpec {
  readonly path: string;
  readonly kind: 'param' | 'state' | 'control';
  readonly element: ManifestElement;
  /** Family axes first. Params and states have constant sizes; a control may have dynamic axes. */
  readonly axes: readonly AxisSpec[];
  /** Integers must lie in -1 .. size-1 of this axis. */
  readonly within: AxisSpec | null;
  readonly frozen: boolean;
  /** Bound to checkpoint names, else null: the tensor called `path` with the variable's whole shape. */
  readonly cells: readonly WeightSliceSpec[] | null;
  /**
   * Value when the source has none of it: a constant, a plan whose only result is the value, or null: it is required.
   * (A control's default is computed by the entry's own plan: steps with `unless`.)
   */
  readonly initial:
    { readonly kind: 'fill'; readonly value: number } | { readonly kind: 'plan'; readonly plan: PlanSpec } | null;
  /** Read by initial values of later variables alone: needed only where one of them is computed. */
  readonly onlyForInitials?: true;
}

/** A kernel: one WGSL module with entry point `main`, bind group 0. */
export interface KernelSpec {
  readonly name: string;
  /** Index into the module's shader texts. */
  readonly shader: number;
  /** Threads of a workgroup. */
  readonly workgroupSize: number;
  /** Its sides along x, y and z; its launches have grids of three dimensions then. Absent: a row, in grids that are folded rows. */
  readonly sides?: readonly [number, number, number];
  /** Lanes of a subgroup, the same in every run; absent where it has no subgroup operations. The device must have such. */
  readonly subgroupSize?: number;
  /** Storage bindings in order (binding numbers 0, 1, …). `lanes`: an array of vectors of so many elements; what is bound holds whole ones. */
  readonly buffers: readonly { readonly access: 'read' | 'read_write'; readonly lanes?: 2 | 4 }[];
  /** Uniform struct, four bytes a field, at the binding after the last buffer; empty: no binding. */
  readonly uniforms: readonly { readonly name: string; readonly type: 'f32' | 'i32' | 'u32' }[];
}

export type BufferSpec = {
  /** For labels: what the value is, with its place in the source (`gate: mixtral.moe:14:5`). */
  readonly label: string;
  /** Number of 4-byte elements. */
  readonly elements: SizeFormula;
} &
  /** Shared scratch memory: buffers of one slot never live at the same time. */
  (
    | { readonly kind: 'scratch'; readonly slot: number }
    | { readonly kind: 'input'; readonly input: number }
    /** Index into the manifest's stores. */
    | { readonly kind: 'store'; readonly store: number }
    | { readonly kind: 'result' }
    /** u32 words a run starts at all ones; see `FaultSpec`. */
    | { readonly kind: 'status' }
  );

/** How a launch is done. */
export interface LaunchForm {
  readonly kernel: number;
  /** Workgroups along x, y and z, of a kernel with sides: each within what a device has in one dimension. */
  readonly grid?: Grid;
  /** All workgroups; without `grid` the runtime folds more than the device's limit in one dimension into two. Zero: skipped. */
  readonly workgroups: SizeFormula;
  /** Plan buffers, in the order of the kernel's bindings. */
  readonly buffers: readonly number[];
  /** Values of the kernel's uniform fields, in order. `'seed'` is the run's seed. */
  readonly uniforms: readonly (SizeFormula | { readonly special: 'seed' })[];
}

export interface LaunchSpec extends LaunchForm {
  readonly kind: 'launch';
  readonly label: string;
  /** How devices of a class do it instead, with some of its buffers; absent: all as it stands. */
  readonly forms?: readonly ClassForm[];
  /** Skipped when the run was given this control (its default is what the step computes). */
  readonly unless: string | null;
}

/** A form of a launch for a class of devices. */
export interface ClassForm extends LaunchForm {
  /** One of the manifest's. */
  readonly class: string;
}

/** The host's part of a run: reads operands back, calls the extern, writes results. Splits the run in two submissions. */
export interface ExternSpec<Size = SizeFormula, Buffer extends number = number> {
  readonly kind: 'extern';
  readonly name: string;
  /** Of the call: `mixtral.moe:14:5` */
  readonly place: string;
  readonly operands: readonly {
    readonly name: string;
    readonly buffer: Buffer;
    readonly element: ManifestElement;
    readonly axes: readonly AxisSpec<Size>[];
    /** The axis that its integers are points of. */
    readonly within: AxisSpec<Size> | null;
  }[];
  readonly results: readonly {
    readonly buffer: Buffer;
    readonly element: ManifestElement;
    readonly axes: readonly AxisSpec<Size>[];
    /** Integers must lie in -1 .. size-1 of this axis. */
    readonly within: AxisSpec<Size> | null;
  }[];
  /** Every axis that the extern's type mentions, those behind `in` and of its family too. */
  readonly sizes: readonly AxisSpec<Size>[];
  /** The axes that the call carries, in front of the declared ones. */
  readonly carried: readonly string[];
  /** Axes of an `extern expert`'s family: called once for each point with present assignments. */
  readonly family: readonly AxisSpec<Size>[];
  /** The axes along which an `extern expert` works point by point; null: an `extern fn`, which has whole tensors. */
  readonly points: readonly AxisSpec<Size>[] | null;
  /** u32 mask over (family axes, then those of `points`) of the points that are wanted, or null: all. */
  readonly mask: { readonly buffer: Buffer; readonly axes: readonly AxisSpec<Size>[] } | null;
}

export type StepSpec = LaunchSpec | ExternSpec;

/** Word `word` of the status buffer holds the smallest linear index over `axes` at which the run went wrong. */
export interface FaultSpec<Size = SizeFormula, StatusWord extends number = number> {
  readonly word: StatusWord;
  readonly code: string;
  /** Plain words, e.g. "a score is not a number", with `{0}`, `{1}`, … for what is shown. */
  readonly message: string;
  readonly shown: readonly (
    { readonly size: Size } | { readonly word: StatusWord; readonly element: ManifestElement }
  )[];
  readonly axes: readonly AxisSpec<Size>[];
  /** `mixtral.moe:14:5` */
  readonly place: string;
  /** Counts only in a run that was asked for this. */
  readonly group: ResultSpec['group'];
  /** Counts only in a run that was given none of these controls. */
  readonly unless: readonly string[];
}

export type ResultSpec<Size = SizeFormula, Buffer extends number = number> =
  | {
      readonly kind: 'tensor';
      readonly name: string;
      readonly group: 'result' | 'output' | 'loss' | 'update';
      readonly buffer: Buffer;
      readonly element: ManifestElement;
      readonly axes: readonly AxisSpec<Size>[];
    }
  /** present (u32) and rank (i32) over sources then targets; weight over sources, targets, payload. */
  | {
      readonly kind: 'route';
      readonly name: string;
      readonly group: 'result' | 'output';
      /** Of the weights. */
      readonly element: ManifestElement;
      readonly present: Buffer;
      readonly weight: Buffer;
      readonly rank: Buffer;
      readonly sources: readonly AxisSpec<Size>[];
      readonly targets: readonly AxisSpec<Size>[];
      readonly payload: readonly AxisSpec<Size>[];
      /** Present points of one source at most: the last dimension of `NAME.indices` and `NAME.weights`. */
      readonly most: Size;
    };

/** So many rows at most. */
export interface RowLimitSpec<Size = SizeFormula> {
  readonly rows: Size;
  readonly most: number;
}

/** Launches in order. An `update` result is copied over its state (named by path) when the run ended well. */
export interface PlanSpec {
  readonly buffers: readonly BufferSpec[];
  readonly steps: readonly StepSpec[];
  readonly results: readonly ResultSpec[];
  readonly status: readonly FaultSpec[];
  /** Number of scratch slots. */
  readonly slots: number;
  /** How runs with few rows do it, where all of `when` holds: with the same results, bit by bit, of the same inputs. */
  readonly few?: { readonly when: readonly RowLimitSpec[]; readonly plan: PlanSpec };
}

/** What the sizes of a run must satisfy: `left == right`, `left <= right`, or `left != right`. */
export interface SizeConstraintSpec {
  readonly left: SizeFormula;
  readonly relation: '==' | '<=' | '!=';
  readonly right: SizeFormula;
  /** Of runs with losses, outputs or updates only. */
  readonly fullOnly?: boolean;
  /** In the program's names, with the formulas. */
  readonly message: string;
  /** `mixtral.moe:14:5` */
  readonly place: string;
}

export interface EntrySpec {
  readonly name: string;
  readonly conditions: readonly SizeConstraintSpec[];
  readonly inputs: readonly (TensorSpec & { readonly within: AxisSpec | null })[];
  /** The results alone, and with losses, outputs and updates. Equal when the entry has none of these. */
  readonly plan: PlanSpec;
  readonly full: PlanSpec;
}

/** Devices with subgroup operations, all of whose subgroups have so many lanes. */
export interface DeviceClassSpec {
  readonly name: string;
  readonly subgroupSize: number;
}

export interface Manifest {
  readonly schema: 1;
  /** Version of the compiler. */
  readonly moec: string;
  readonly name: string;
  /** Of everything else in the manifest and the shaders. */
  readonly hash: string;
  /** Axes whose size each run decides, in order of declaration. */
  readonly dynamic: readonly string[];
  readonly requiredFeatures: readonly string[];
  readonly requiredLimits: Readonly<Record<string, number>>;
  /** Of devices that launches have forms for; a device that is of none runs the portable forms. */
  readonly classes: readonly DeviceClassSpec[];
  /** What the initial value of a variable reads stands before it: values that are computed are computed in this order. */
  readonly stores: readonly VariableSpec[];
  readonly kernels: readonly KernelSpec[];
  readonly entries: readonly EntrySpec[];
}
