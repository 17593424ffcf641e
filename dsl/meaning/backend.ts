/**
 * Instantiation's view of an executor. The structure of a program (scopes, instances, families, calls, carried axes, chains,
 * unions, losses, updates) is instantiated once, in instantiate.ts; what an operation *does* is a backend: the reference
 * interpreter computes float64 numbers, the compiler builds graph nodes. T is a dense tensor handle, R a route handle.
 *
 * All axes here are concrete and explicit: the visible ones, a family's and the carried ones alike. Operations meet
 * axes by identity, whatever they are; what an operation contracts or keeps is given to it.
 */
import type { Span } from '../diagnostics/diagnostic.ts';
import type { Operand, PrimitiveCall } from '../types/call.ts';
import type { ElementType, VariableDeclaration } from '../types/program.ts';
import type { VariableId } from '../types/ids.ts';
import type { Axis } from '../types/axis.ts';
import type { Size } from '../types/size.ts';

/** How a variable's root axis is read: at one point, over a window, or as a whole. */
export type Selection =
  | { readonly kind: 'all'; readonly axis: Axis }
  | { readonly kind: 'at'; readonly index: number }
  /** Points from .. from + size(as), called `as`. */
  | { readonly kind: 'window'; readonly from: number; readonly as: Axis };

/** A param, state or input of one instance: one tensor over the axes of the families around it, then the declared ones. */
export interface Variable {
  readonly id: VariableId;
  /** Host name: `gate.bias`, `ffn.w1`. */
  readonly path: string;
  readonly declaration: VariableDeclaration;
  readonly element: ElementType;
  /** Root axes of the families around the declaration, outermost first. */
  readonly family: readonly Axis[];
  /** Declared axes, in storage order after the family's. */
  readonly declared: readonly Axis[];
  /** `in V` of the declared type. */
  readonly within: Axis | null;
}

export interface ExternCall<T> {
  readonly name: string;
  /** An expert works point by point, a function has whole tensors. */
  readonly role: 'expert' | 'fn';
  readonly args: readonly (Declared & { readonly name: string; readonly value: T })[];
  readonly results: readonly (Declared & { readonly element: ElementType })[];
  /** Axes of the family (an `extern expert`): the callback is called once for each of their points. */
  readonly family: readonly Axis[];
  /** The carried axes: the batch the callback gets. */
  readonly carried: readonly Axis[];
  /** Every axis its type mentions, once each: of operands, of results, behind `in`, of its family. */
  readonly mentions: readonly Axis[];
  readonly span: Span;
}

/** What a signature says of an operand or a result. */
interface Declared {
  readonly axes: readonly Axis[];
  /** The axis that integers are points of; null: they are numbers. */
  readonly within: Axis | null;
}

/** A condition of the program (`require`), with what is said where it is false. */
export interface Required<T> {
  readonly condition: T;
  /** Text, sizes, and scalars, which are shown as they are in the run. */
  readonly message: readonly (string | { readonly size: Size } | { readonly name: string; readonly value: T })[];
  readonly span: Span;
}

/** A chain over an axis whose size only a run decides. */
export interface FoldCall<T> {
  readonly axis: Axis;
  /** What is carried into the first step. */
  readonly starts: readonly T[];
  /** Instantiates one step, of its number (an i32) and of what is carried into it. May be asked more than once. */
  readonly step: (number: T, carried: readonly T[]) => FoldedStep<T>;
  readonly span: Span;
}

export interface FoldedStep<T> {
  readonly carried: readonly T[];
  readonly collected: readonly T[];
}

export interface Backend<T, R> {
  /** Dense axes of a tensor, in the handle's own order. */
  axesOf(tensor: T): readonly Axis[];
  elementOf(tensor: T): ElementType;
  /** Support axes (sources and targets, hidden ones included) and payload axes of a route. */
  supportOf(route: R): readonly Axis[];
  payloadOf(route: R): readonly Axis[];

  scalar(value: Size | boolean, element: ElementType): T;
  /**
   * Reads a variable through a selection for each of its family axes (same order as `variable.family`). `defaultValue` is the
   * value of a control that the run is not given, over family then declared axes; null for any other variable.
   */
  variable(variable: Variable, selection: readonly Selection[], defaultValue: T | null): T;
  primitive(call: PrimitiveCall<T, R>): Operand<T, R>;
  /** Renames axes of a tensor or route; sizes are equal, new axes are free. */
  rename(operand: Operand<T, R>, renaming: ReadonlyMap<Axis, Axis>): Operand<T, R>;
  /**
   * Adds the axes that are missing, the value the same along them. Of a route they become sources, but for those that are named as
   * `payload`: its weights are the same along them.
   */
  broadcast(operand: Operand<T, R>, axes: readonly Axis[], payload?: readonly Axis[]): Operand<T, R>;
  /** Values of equal axes side by side along a new axis of their number: a chain's collected values. */
  stack(operands: readonly Operand<T, R>[], axis: Axis): Operand<T, R>;
  /** Parts along a union's axis: each part's own axes (row-major; none is one point) run along it, other axes are united. */
  unite(parts: readonly { readonly value: T; readonly axes: readonly Axis[] }[], axis: Axis): T;
  /** A route over a part's axes as a route over the union's axis; `offset` is the part's first point. */
  embed(route: R, part: readonly Axis[], axis: Axis, offset: Size): R;
  /** The same route with other axes for targets; all axes of the support are given. */
  orient(route: R, sources: readonly Axis[], targets: readonly Axis[]): R;
  /** The weights of a route as a dense tensor over support and payload; anything at absent points. For lifted calls. */
  weights(route: R): T;
  /** A value that is meant where all these routes are present: the result of a lifted call. */
  present(routes: readonly R[], value: T): R;
  /** Mean over axes, over the points where all these routes are present (0 if none): a carried loss. */
  meanPresent(value: T, over: readonly Axis[], routes: readonly R[]): T;
  /** The operand, which may be needed only where the condition holds: at all points of the condition that it has, for all others. */
  requires(operand: Operand<T, R>, required: Required<T>): Operand<T, R>;
  extern(call: ExternCall<T>): readonly T[];
  /** All steps of a fold: the last carried values, and what is collected with the axis in front. Absent: steps are taken one by one. */
  fold?(call: FoldCall<T>): FoldedStep<T>;
  /** Whether two tensors are surely the same value: then giving it twice is giving it once. */
  same(a: T, b: T): boolean;
}
