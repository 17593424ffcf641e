/** What contractions, reductions and running sums mean, in float64, by definition; see interpret.ts. */
import { NEG_INF, POS_INF } from './infinity.ts';
import type { Evaluation } from './interpret.ts';
import type { Node } from './ir.ts';
import { count, forEachPoint, inOrder, stridesOf } from './points.ts';

/** Σ left · right over the axes that go. */
export function contractValues(
  node: Node & { kind: 'contract' },
  shape: readonly number[],
  run: Evaluation,
): Float64Array {
  const [left, right] = [run.value(node.left), run.value(node.right)];
  const axes = [...node.axes, ...node.over];
  const whole = [...shape, ...node.over.map((a) => run.sizeOf(a))];
  const inner = count(whole.slice(shape.length));
  const out = new Float64Array(count(shape));
  forEachPoint(axes, whole, [left.axes, right.axes], [left.shape, right.shape], (point, [l, r]) => {
    const at = Math.floor(point / inner);
    out[at] = (out[at] ?? 0) + (left.data[l ?? 0] ?? NaN) * (right.data[r ?? 0] ?? NaN);
  });
  return out;
}

/** Sum, greatest, least or any over the axes that go; of no points the sum is 0 and the greatest is -∞ of f32. */
export function reduceValues(node: Node & { kind: 'reduce' }, shape: readonly number[], run: Evaluation): Float64Array {
  const operand = run.value(node.operand);
  const axes = [...node.axes, ...node.over];
  const whole = [...shape, ...node.over.map((a) => run.sizeOf(a))];
  const inner = count(whole.slice(shape.length));
  const start = { sum: 0, max: NEG_INF, min: POS_INF, any: 0 }[node.op];
  const step = {
    sum: (a: number, b: number) => a + b,
    max: (a: number, b: number) => Math.max(a, b),
    min: (a: number, b: number) => Math.min(a, b),
    any: (a: number, b: number) => (a === 1 || b === 1 ? 1 : Math.max(a, b)),
  }[node.op];
  const out = new Float64Array(count(shape)).fill(start);
  forEachPoint(axes, whole, [operand.axes], [operand.shape], (point, [o]) => {
    const at = Math.floor(point / inner);
    out[at] = step(out[at] ?? 0, operand.data[o ?? 0] ?? NaN);
  });
  return out;
}

/** The sum of all that stand before a point along the axis, and (if not exclusive) of the point itself. */
export function scanValues(node: Node & { kind: 'scan' }, run: Evaluation): Float64Array {
  const { data, shape, axes } = run.value(node.operand);
  const along = axes.indexOf(node.axis);
  const stride = stridesOf(shape)[along] ?? 1;
  const length = shape[along] ?? 0;
  const out = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const first = Math.floor(i / stride) % length === 0;
    const before = first ? 0 : (out[i - stride] ?? 0) + (node.exclusive ? (data[i - stride] ?? NaN) : 0);
    out[i] = node.exclusive ? before : before + (data[i] ?? NaN);
  }
  return inOrder({ axes, shape, data: out }, node.axes);
}
