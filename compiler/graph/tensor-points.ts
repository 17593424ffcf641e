/**
 * Numbers at the points of axes, row-major: going over all points with the offset in each operand, and reordering.
 */
import { noNumber, at } from '../../dsl/diagnostics/invariants.ts';
import type { AxisId } from './graph-ir.ts';

export interface NodeNumbers {
  readonly axes: readonly AxisId[];
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** An operand as a result sees it: an axis that is none (null) does not move with the result's. */
export type OperandNumbers = Omit<NodeNumbers, 'axes'> & { readonly axes: readonly (AxisId | null)[] };

/** The numbers of a value in another order of its axes. */
export function inOrder(tensor: NodeNumbers, axes: readonly AxisId[]): Float64Array {
  const shape = axes.map((a) => tensor.shape[tensor.axes.indexOf(a)] ?? noNumber());
  const out = new Float64Array(count(shape));
  forEachPoint(
    axes,
    shape,
    [tensor.axes],
    [tensor.shape],
    (i, [o]) => (out[i] = tensor.data[o ?? noNumber()] ?? noNumber()),
  );
  return out;
}

export const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Row-major strides of a tensor. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (const extent of shape.toReversed()) {
    strides.push(stride);
    stride *= extent;
  }
  return strides.reverse();
}

/** Visits all points of `axes` in row-major order with the offset in each operand (by name; lacking axes do not move it). */
export function forEachPoint(
  axes: readonly AxisId[],
  shape: readonly number[],
  operandAxes: readonly OperandNumbers['axes'][],
  operandShapes: readonly (readonly number[])[],
  visit: (point: number, offsets: readonly number[], index: readonly number[]) => void,
): void {
  const steps = operandAxes.map((own, k) => {
    const strides = stridesOf(at(operandShapes, k, 'graph: shape of an operand'));
    return axes.map((a) => {
      const position = own.indexOf(a);
      return position < 0 ? 0 : (strides[position] ?? noNumber());
    });
  });
  const total = count(shape);
  const index = axes.map(() => 0);
  const offsets = steps.map(() => 0);
  for (let point = 0; point < total; point++) {
    visit(point, offsets, index);
    for (let d = axes.length - 1; d >= 0; d--) {
      const next = (index[d] ?? noNumber()) + 1;
      const size = shape[d] ?? noNumber();
      const wrap = next === size;
      index[d] = wrap ? 0 : next;
      for (let k = 0; k < steps.length; k++) {
        const step = steps[k]?.[d] ?? noNumber();
        offsets[k] = (offsets[k] ?? noNumber()) + (wrap ? -step * (size - 1) : step);
      }
      if (!wrap) break;
    }
  }
}
