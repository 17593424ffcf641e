/**
 * Error bounds of what takes many numbers together: contractions, reductions, running sums.
 *
 * A sum of n terms is the tree of dsl/tensors/sum-order.ts: a term passes through `sumDepth(n)` additions at most, and through fewer
 * than there are terms that are not 0, for adding 0 is exact. Through k of them it errs by γₖ = ku / (1 - ku) of its size (Higham
 * 2002, lemma 3.1), and passes on what it brings. A list of what is present leaves terms out that are 0 here: its tree is no deeper.
 * A sum is exact if all its terms are multiples of one power of two and their sizes add up to at most 2^24 of it, as whole numbers do.
 * Results are written into `out`; see error-bound.ts.
 */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import { endsOf } from './infinity.ts';
import { SUM_BLOCK, sumDepth } from '../../dsl/tensors/sum-order.ts';
import type { Node } from './graph-ir.ts';
import type { NumbersWithBounds, RowMajorOffsets } from './row-major-offsets.ts';
import { infiniteFrom, times, tiny, u } from './scalar-bound.ts';

/** What a sum comes to, and how far it may err. */
class BoundedSum {
  readonly #whole: boolean;
  value = 0;
  /** Σ |terms| of those that are finite, the error they bring, and how many are not surely 0. */
  #size = 0;
  #passed = 0;
  #terms = 0;
  /** The greatest power of two that divides all terms; 0 where there is none that matters, or a term is not exact. */
  #unit = 1;

  /** `whole`: of i32, which wraps and errs nothing by itself. */
  constructor(whole: boolean) {
    this.#whole = whole;
  }

  add(value: number, delta: number): void {
    if (value === 0 && delta === 0) return;
    this.value = this.#whole ? (this.value + value) | 0 : this.value + value;
    if (Number.isFinite(value)) this.#size += Math.abs(value);
    this.#passed += delta;
    this.#terms++;
    if (delta !== 0 || !Number.isFinite(value)) this.#unit = 0;
    if (this.#unit === 0 || Number.isInteger(value / this.#unit)) return;
    // A unit too small for what there is already makes no sum exact, and most terms have such a one.
    if (!Number.isInteger(value / 2 ** (Math.floor(Math.log2(this.#size)) - 24))) this.#unit = 0;
    while (this.#unit !== 0 && !Number.isInteger(value / this.#unit))
      this.#unit = this.#unit > SMALLEST ? this.#unit / 2 : 0;
  }

  /** The error after `depth` additions at most, and as many roundings of a term itself. */
  delta(depth: number, own: number): number {
    const [size, passed, terms, unit] = [this.#size, this.#passed, this.#terms, this.#unit];
    if (this.#whole || passed === Infinity) return passed;
    // On the way an infinity may have been made, of what was finite.
    if (size + passed >= infiniteFrom) return Infinity;
    // Of infinities and NaN, whatever the rest comes to.
    if (!Number.isFinite(this.value)) return 0;
    if (terms === 0 || (unit !== 0 && size <= 2 ** 24 * unit)) return 0;
    const k = Math.min(depth, terms - 1) + own;
    // Each operation may flush a result to zero.
    const flushed = k === 0 && size >= tiny ? 0 : terms * tiny;
    return passed + times((k * u) / (1 - k * u), size + passed) + flushed;
  }
}

/** Units below this are not looked for. */
const SMALLEST = 2 ** -64;

/** Σ left · right: a product and a sum, fused or not. */
export function boundContract(
  left: NumbersWithBounds,
  right: NumbersWithBounds,
  { over, element }: Pick<Node & { kind: 'contract' }, 'over' | 'element'>,
  out: NumbersWithBounds,
  offsets: RowMajorOffsets,
): void {
  const whole = element === 'i32';
  // No axis of the result goes: a place is the sum of two.
  const ofLeft = offsets.of(out.axes, left.axes);
  const ofRight = offsets.of(out.axes, right.axes);
  const alongLeft = offsets.of(over, left.axes);
  const alongRight = offsets.of(over, right.axes);
  const n = offsets.count(over);
  const depth = sumDepth(n);
  for (let i = 0; i < out.value.length; i++) {
    const sum = new BoundedSum(whole);
    const fromLeft = ofLeft[i] ?? noNumber();
    const fromRight = ofRight[i] ?? noNumber();
    for (let k = 0; k < n; k++) {
      const a = fromLeft + (alongLeft[k] ?? noNumber());
      const b = fromRight + (alongRight[k] ?? noNumber());
      const x = left.value[a] ?? noNumber();
      const y = right.value[b] ?? noNumber();
      const dx = left.delta[a] ?? noNumber();
      const dy = right.delta[b] ?? noNumber();
      const passed = dx === 0 && dy === 0 ? 0 : times(Math.abs(x), dy) + times(Math.abs(y), dx) + times(dx, dy);
      sum.add(whole ? Math.imul(x, y) : x * y, passed);
    }
    out.value[i] = sum.value;
    out.delta[i] = sum.delta(depth, 1);
  }
}

/** Sums; greatest and least pass on the worst of what they see. */
export function boundReduce(
  operand: NumbersWithBounds,
  { op, over, element }: Pick<Node & { kind: 'reduce' }, 'op' | 'over' | 'element'>,
  out: NumbersWithBounds,
  offsets: RowMajorOffsets,
): void {
  const from = offsets.of([...out.axes, ...over], operand.axes);
  const n = offsets.count(over);
  const depth = sumDepth(n);
  const { lowest, highest } = endsOf(element);
  for (let i = 0; i < out.value.length; i++) {
    if (op === 'sum') {
      const sum = new BoundedSum(element === 'i32');
      for (let k = i * n; k < i * n + n; k++)
        sum.add(operand.value[from[k] ?? noNumber()] ?? noNumber(), operand.delta[from[k] ?? noNumber()] ?? noNumber());
      out.value[i] = sum.value;
      out.delta[i] = sum.delta(depth, 0);
      continue;
    }
    let value = { sum: 0, max: lowest, min: highest, any: 0 }[op];
    let passed = 0;
    let sure = false;
    for (let k = 0; k < n; k++) {
      const at = from[i * n + k] ?? noNumber();
      const [v, d] = [operand.value[at] ?? noNumber(), operand.delta[at] ?? noNumber()];
      if (op === 'any') {
        if (v !== 0) value = 1;
        if (v !== 0 && d === 0) sure = true;
      } else {
        value = op === 'max' ? Math.max(value, v) : Math.min(value, v);
      }
      passed = Math.max(passed, d);
    }
    out.value[i] = value;
    out.delta[i] = op === 'any' && sure ? 0 : passed;
  }
}

/** Running sums: what the closed blocks come to, and the open one added to it (compiler/kernels/scan.ts). */
export function boundScan(
  operand: NumbersWithBounds,
  { axis, exclusive, element }: Pick<Node & { kind: 'scan' }, 'axis' | 'exclusive' | 'element'>,
  out: NumbersWithBounds,
  offsets: RowMajorOffsets,
): void {
  const others = out.axes.filter((a) => a !== axis);
  const loop = [...others, axis];
  const [from, to] = [offsets.of(loop, operand.axes), offsets.of(loop, out.axes)];
  const n = offsets.length(axis);
  const depths = Array.from({ length: n + 1 }, (_, terms) => sumDepth(terms) + (terms > SUM_BLOCK ? 1 : 0));
  for (let line = 0; line < offsets.count(others); line++) {
    const sum = new BoundedSum(element === 'i32');
    for (let k = 0; k < n; k++) {
      const at = from[line * n + k] ?? noNumber();
      const put = to[line * n + k] ?? noNumber();
      const add = (): void => sum.add(operand.value[at] ?? noNumber(), operand.delta[at] ?? noNumber());
      if (!exclusive) add();
      out.value[put] = sum.value;
      out.delta[put] = sum.delta(depths[exclusive ? k : k + 1] ?? noNumber(), 0);
      if (exclusive) add();
    }
  }
}
