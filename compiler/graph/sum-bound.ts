/**
 * Error bounds of what takes many numbers together: contractions, reductions, running sums.
 *
 * A sum of n terms errs by at most (n - 1)·u·Σ|terms| in any order (Higham 2002, section 4.2), and passes on what its
 * terms bring. Results are written into `out`; see error-bound.ts.
 */
import type { AxisId } from './ir.ts';
import type { Bounded, Places } from './places.ts';
import { times, tiny, u } from './scalar-bound.ts';

/** Σ left · right: a product and a sum, in any order, fused or not. */
export function boundContract(
  left: Bounded,
  right: Bounded,
  over: readonly AxisId[],
  out: Bounded,
  places: Places,
): void {
  const loop = [...out.axes, ...over];
  const [pl, pr] = [places.of(loop, left.axes), places.of(loop, right.axes)];
  const n = places.count(over);
  for (let i = 0; i < out.value.length; i++) {
    let sum = 0;
    let size = 0;
    let passed = 0;
    for (let k = 0; k < n; k++) {
      const [a, b] = [pl[i * n + k] ?? 0, pr[i * n + k] ?? 0];
      const [x, y] = [left.value[a] ?? 0, right.value[b] ?? 0];
      const [dx, dy] = [left.delta[a] ?? 0, right.delta[b] ?? 0];
      sum += x * y;
      size += Math.abs(x * y);
      passed += times(Math.abs(x), dy) + times(Math.abs(y), dx) + times(dx, dy);
    }
    out.value[i] = sum;
    out.delta[i] = passed + (n + 1) * u * (size + passed) + tiny;
  }
}

/** A sum of whole numbers below 2^24 is exact in any order; greatest and least pass on the worst of what they see. */
export function boundReduce(
  operand: Bounded,
  op: 'sum' | 'max' | 'min' | 'any',
  over: readonly AxisId[],
  out: Bounded,
  places: Places,
): void {
  const from = places.of([...out.axes, ...over], operand.axes);
  const n = places.count(over);
  for (let i = 0; i < out.value.length; i++) {
    let value = op === 'max' ? -3.4028234663852886e38 : op === 'min' ? 3.4028234663852886e38 : 0;
    let size = 0;
    let passed = 0;
    let sure = false;
    let exact = true;
    for (let k = 0; k < n; k++) {
      const at = from[i * n + k] ?? 0;
      const [v, d] = [operand.value[at] ?? 0, operand.delta[at] ?? 0];
      if (!Number.isInteger(v) || d !== 0) exact = false;
      if (op === 'sum') {
        value += v;
        size += Math.abs(v);
        passed += d;
      } else if (op === 'any') {
        if (v !== 0) value = 1;
        if (v !== 0 && d === 0) sure = true;
        passed = Math.max(passed, d);
      } else {
        value = op === 'max' ? Math.max(value, v) : Math.min(value, v);
        passed = Math.max(passed, d);
      }
    }
    out.value[i] = value;
    if (op === 'sum')
      out.delta[i] = exact && size < 2 ** 24 ? 0 : passed + times(Math.max(n - 1, 0) * u, size + passed);
    else out.delta[i] = op === 'any' && sure ? 0 : passed;
  }
}

/** Running sums: the place k of a line has added k times. */
export function boundScan(operand: Bounded, axis: AxisId, exclusive: boolean, out: Bounded, places: Places): void {
  const others = out.axes.filter((a) => a !== axis);
  const loop = [...others, axis];
  const [from, to] = [places.of(loop, operand.axes), places.of(loop, out.axes)];
  const n = places.length(axis);
  for (let line = 0; line < places.count(others); line++) {
    let sum = 0;
    let size = 0;
    let passed = 0;
    for (let k = 0; k < n; k++) {
      const at = from[line * n + k] ?? 0;
      const put = to[line * n + k] ?? 0;
      const [v, d] = [operand.value[at] ?? 0, operand.delta[at] ?? 0];
      if (!exclusive) [sum, size, passed] = [sum + v, size + Math.abs(v), passed + d];
      out.value[put] = sum;
      out.delta[put] =
        passed === 0 && Number.isInteger(size) && size < 2 ** 24 ? 0 : passed + times(k * u, size + passed);
      if (exclusive) [sum, size, passed] = [sum + v, size + Math.abs(v), passed + d];
    }
  }
}
