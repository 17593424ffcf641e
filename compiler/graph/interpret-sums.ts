/** What contractions, reductions and running sums mean, in float64, in the order of sums; see interpret-graph.ts. */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import { BlockSums, SUM_BLOCK } from '../../dsl/tensors/sum-order.ts';
import { endsOf } from './infinity.ts';
import type { GraphEvaluation } from './interpret-graph.ts';
import type { AxisId, Node } from './graph-ir.ts';
import { count, forEachPoint, inOrder, stridesOf, type NodeNumbers } from './tensor-points.ts';

/** Σ left · right over the axes that go. */
export function contractValues(
  node: Node & { kind: 'contract' },
  shape: readonly number[],
  run: GraphEvaluation,
): Float64Array {
  const [left, right] = [run.value(node.left), run.value(node.right)];
  const over = node.over.map((a) => run.sizeOf(a));
  // No axis of the result goes: a place is the sum of two.
  const [ofLeft, ofRight] = [offsetsIn(left, node.axes, shape), offsetsIn(right, node.axes, shape)];
  const [alongLeft, alongRight] = [offsetsIn(left, node.over, over), offsetsIn(right, node.over, over)];
  const integers = node.element === 'i32';
  const sums = new Lines(count(shape), alongLeft.length, integers);
  for (let i = 0; i < ofLeft.length; i++) {
    const fromLeft = ofLeft[i] ?? noNumber();
    const fromRight = ofRight[i] ?? noNumber();
    for (let k = 0; k < alongLeft.length; k++) {
      const x = left.data[fromLeft + (alongLeft[k] ?? noNumber())] ?? noNumber();
      const y = right.data[fromRight + (alongRight[k] ?? noNumber())] ?? noNumber();
      sums.add(integers ? Math.imul(x, y) : x * y);
    }
  }
  return sums.out;
}

/** Where the numbers of a tensor stand, seen from the points of some axes. */
function offsetsIn(tensor: Omit<NodeNumbers, 'data'>, axes: readonly AxisId[], shape: readonly number[]): Int32Array {
  const out = new Int32Array(count(shape));
  forEachPoint(axes, shape, [tensor.axes], [tensor.shape], (point, [offset]) => (out[point] = offset ?? noNumber()));
  return out;
}

/** Sums of lines that come one after the other, `length` terms each. */
class Lines {
  readonly #length: number;
  /** Of i32: they wrap. */
  readonly #integers: boolean;
  readonly out: Float64Array;
  #sums = new BlockSums();
  #block = 0;
  #terms = 0;
  #line = 0;

  constructor(lines: number, length: number, integers: boolean) {
    this.#length = length;
    this.#integers = integers;

    this.out = new Float64Array(lines);
  }

  add(term: number): void {
    this.#block += term;
    this.#terms++;
    if (this.#terms % SUM_BLOCK !== 0 && this.#terms !== this.#length) return;
    this.#sums.enter(this.#block);
    this.#block = 0;
    if (this.#terms !== this.#length) return;
    this.out[this.#line++] = this.#integers ? this.#sums.total() | 0 : this.#sums.total();
    this.#sums = new BlockSums();
    this.#terms = 0;
  }
}

/**
 * Sum, greatest, least or any over the axes that go; of no points the sum is 0, and the greatest and least are the ends of the
 * element type: infinite but for i32.
 */
export function reduceValues(
  node: Node & { kind: 'reduce' },
  shape: readonly number[],
  run: GraphEvaluation,
): Float64Array {
  const operand = run.value(node.operand);
  const axes = [...node.axes, ...node.over];
  const whole = [...shape, ...node.over.map((a) => run.sizeOf(a))];
  const inner = count(whole.slice(shape.length));
  if (node.op === 'sum') {
    const sums = new Lines(count(shape), inner, node.element === 'i32');
    forEachPoint(axes, whole, [operand.axes], [operand.shape], (_, [o]) =>
      sums.add(operand.data[o ?? noNumber()] ?? noNumber()),
    );
    return sums.out;
  }
  const { lowest, highest } = endsOf(node.element);
  const start = { max: lowest, min: highest, any: 0 }[node.op];
  const step = {
    max: (a: number, b: number) => Math.max(a, b),
    min: (a: number, b: number) => Math.min(a, b),
    any: (a: number, b: number) => (a === 1 || b === 1 ? 1 : Math.max(a, b)),
  }[node.op];
  const out = new Float64Array(count(shape)).fill(start);
  forEachPoint(axes, whole, [operand.axes], [operand.shape], (point, [o]) => {
    const at = Math.floor(point / inner);
    out[at] = step(out[at] ?? noNumber(), operand.data[o ?? noNumber()] ?? noNumber());
  });
  return out;
}

/** The sum of all that stand before a point along the axis, and (if not exclusive) of the point itself. */
export function scanValues(node: Node & { kind: 'scan' }, run: GraphEvaluation): Float64Array {
  const { data, shape, axes } = run.value(node.operand);
  const along = axes.indexOf(node.axis);
  const stride = stridesOf(shape)[along] ?? noNumber();
  const length = shape[along] ?? noNumber();
  const out = new Float64Array(data.length);
  for (let first = 0; first < data.length; first++) {
    if (Math.floor(first / stride) % length !== 0) continue;
    const closed = new BlockSums();
    let [before, open] = [0, 0];
    for (let k = 0; k < length; k++) {
      const at = first + k * stride;
      if (node.exclusive) out[at] = before + open;
      open += data[at] ?? noNumber();
      if (!node.exclusive) out[at] = before + open;
      if (k % SUM_BLOCK !== SUM_BLOCK - 1) continue;
      closed.enter(open);
      [before, open] = [closed.total(), 0];
    }
  }
  return inOrder({ axes, shape, data: out }, node.axes);
}
