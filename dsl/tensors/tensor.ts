/**
 * Dense tensors of the reference interpreter: float64 numbers over named axes of concrete size, row-major in the
 * handle's own order of axes. i32 values are integers, bool is 0 or 1, f16 values are numbers f16 can hold.
 *
 * Everything here is written with one idea: an operation loops over the points of some axes in row-major order, and
 * `offsets` says for each of these points where an operand has its number. An operand that lacks an axis is the same
 * along it; that is all there is to broadcasting.
 */
import { missing, noNumber } from '../diagnostics/invariants.ts';
import type { ElementType } from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import { diagnostic } from '../diagnostics/diagnostic.ts';
import type { Axis } from '../types/axis.ts';
import { MAX_POINTS, TooMuch } from '../types/expansion-limits.ts';
import { asInteger, formatSize } from '../types/size.ts';
import { roundToF16 } from './round-to-f16.ts';
import type { Deferred } from './deferred-errors.ts';

export interface F64Tensor {
  readonly axes: readonly Axis[];
  /** Row-major over `axes`. Never written after the tensor is made. */
  readonly data: Float64Array;
  readonly element: ElementType;
  /** What is wrong at some of its points; an error of the run if such a point is needed. */
  readonly problems: readonly Deferred[];
  /** An axis along which the numbers are known to be its points, each once: what `argsort` gives. */
  readonly permutes?: Axis;
}

export const none: readonly Deferred[] = [];

export function makeTensor(
  element: ElementType,
  axes: readonly Axis[],
  data: Float64Array,
  problems: readonly Deferred[] = none,
): F64Tensor {
  if (data.length !== countPoints(axes))
    throw new CompilerBug('interpret', `${data.length} numbers over ${describe(axes)}`);
  return { axes, data, element, problems };
}

/** The concrete size of an axis: everything is bound when the interpreter runs. */
export function sizeOf(axis: Axis): number {
  const size = asInteger(axis.size);
  if (size === null)
    throw new CompilerBug('interpret', `the size ${formatSize(axis.size)} of ${axis.name} is not bound`);
  return size;
}

/**
 * Points of axes. Throws TooMuch (MOE0504) for more than the interpreter holds of one value: who asks is about to allocate for
 * them.
 */
export function countPoints(axes: readonly Axis[]): number {
  const count = axes.reduce((product, axis) => product * sizeOf(axis), 1);
  if (count <= MAX_POINTS) return count;
  throw new TooMuch(
    diagnostic('MOE0504', {
      message: `the reference writes out a value of ${describe(axes)}: ${count} points, and ${MAX_POINTS} are the most`,
      help: 'choose smaller axes',
    }),
  );
}

export function describe(axes: readonly Axis[]): string {
  return `[${axes.map((axis) => `${axis.name}: ${formatSize(axis.size)}`).join(', ')}]`;
}

export function unite(...lists: readonly (readonly Axis[])[]): readonly Axis[] {
  return [...new Set(lists.flat())];
}

export function without(axes: readonly Axis[], gone: readonly Axis[]): readonly Axis[] {
  return axes.filter((axis) => !gone.includes(axis));
}

/** Row-major strides, by axis. */
export function strides(axes: readonly Axis[]): ReadonlyMap<Axis, number> {
  const result = new Map<Axis, number>();
  let stride = 1;
  for (const axis of [...axes].reverse()) {
    result.set(axis, stride);
    stride *= sizeOf(axis);
  }
  return result;
}

/**
 * For each point of `loop` in row-major order the sum of one table entry for each axis: the separable form of every
 * re-indexing. An axis without a table adds nothing.
 */
export function separableOffsets(
  loop: readonly Axis[],
  table: (axis: Axis) => ArrayLike<number> | null,
  base = 0,
): Int32Array {
  let result: Int32Array = Int32Array.of(base);
  for (const axis of loop) {
    const size = sizeOf(axis);
    const entries = table(axis);
    const next = new Int32Array(result.length * size);
    for (let i = 0, at = 0; i < result.length; i++) {
      const start = result[i] ?? noNumber();
      for (let j = 0; j < size; j++)
        next[at++] = entries === null ? start : start + (entries[j] ?? missing('tensors: offset', j));
    }
    result = next;
  }
  return result;
}

/** Where a value over `axes` has its number for each point of `loop`. Axes that `loop` lacks stand at 0. */
export function offsets(loop: readonly Axis[], axes: readonly Axis[]): Int32Array {
  const stride = strides(axes);
  return separableOffsets(loop, (axis) => {
    const step = stride.get(axis);
    return step === undefined ? null : Int32Array.from({ length: sizeOf(axis) }, (_, i) => i * step);
  });
}

/** The indices of the n-th point of some axes. */
export function pointAt(axes: readonly Axis[], n: number): readonly number[] {
  const point: number[] = [];
  for (const axis of [...axes].reverse()) {
    const size = sizeOf(axis);
    point.unshift(n % size);
    n = Math.floor(n / size);
  }
  return point;
}

/** The number as the element type keeps it: f16 rounds, i32 wraps to 32 bits, bool is whether it is not 0. */
export function keepAs(element: ElementType, value: number): number {
  switch (element) {
    case 'f32':
      return value;
    case 'f16':
      return roundToF16(value);
    case 'i32':
      return value | 0;
    case 'bool':
      return value !== 0 ? 1 : 0;
  }
}

/** The same values over the same axes in another order, or over more axes. */
export function spread(tensor: F64Tensor, axes: readonly Axis[]): F64Tensor {
  if (axes.length === tensor.axes.length && axes.every((axis, i) => axis === tensor.axes[i])) return tensor;
  const from = offsets(axes, tensor.axes);
  return makeTensor(tensor.element, axes, take(tensor.data, from), tensor.problems);
}

/** data[from[0]], data[from[1]], … */
export function take(data: Float64Array, from: Int32Array): Float64Array {
  const result = new Float64Array(from.length);
  for (let i = 0; i < from.length; i++) result[i] = data[from[i] ?? noNumber()] ?? noNumber();
  return result;
}
