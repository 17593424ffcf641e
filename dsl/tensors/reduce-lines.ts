/**
 * Reductions and operations along axes by definition: for each point of the rest, the numbers along `over` that are
 * there (all of a tensor; of a route those at present points), in row-major order of `over` as written.
 */
import { noNumber } from '../diagnostics/invariants.ts';
import { sumInOrder } from './sum-order.ts';
import { boundsOfProjection } from './route-bounds.ts';
import type { ElementType } from '../types/program.ts';
import type { Operand } from '../types/call.ts';
import type { Axis } from '../types/axis.ts';
import { axesOf } from './pointwise.ts';
import { makeRoute, type F64Route } from './route.ts';
import { countPoints, keepAs, makeTensor, offsets, without, type F64Tensor } from './tensor.ts';

type F64Operand = Operand<F64Tensor, F64Route>;

/** A line of numbers along `over`: `values[0 .. count)` and where along `over` (row-major) each one stands. */
export interface Line {
  readonly values: Float64Array;
  readonly positions: Int32Array;
  readonly count: number;
}

/** Calls `visit` with each point of the rest and its line; what `visit` may rely on is gone after the call. */
export function lines(
  x: F64Operand,
  over: readonly Axis[],
  visit: (rest: number, line: Line, offsetsOf: (k: number) => number) => void,
): readonly Axis[] {
  const all = axesOf(x);
  const rest = without(all, over);
  const base = offsets(rest, all);
  const along = offsets(over, all);
  const data = x.kind === 'tensor' ? x.value.data : x.value.weight;
  const present = x.kind === 'tensor' ? null : x.value.present;
  const width = x.kind === 'tensor' ? 1 : countPoints(x.value.payload);
  const values = new Float64Array(along.length);
  const positions = new Int32Array(along.length);
  for (let r = 0; r < base.length; r++) {
    const start = base[r] ?? noNumber();
    let count = 0;
    for (let k = 0; k < along.length; k++) {
      const at = start + (along[k] ?? noNumber());
      if (present !== null && present[Math.floor(at / width)] !== 1) continue;
      values[count] = data[at] ?? noNumber();
      positions[count++] = k;
    }
    visit(r, { values, positions, count }, (k) => start + (along[k] ?? noNumber()));
  }
  return rest;
}

/** One number for each line. */
export function reduce(
  x: F64Operand,
  over: readonly Axis[],
  element: ElementType,
  f: (line: Line, rest: number) => number,
): F64Operand {
  const data = new Float64Array(countPoints(without(axesOf(x), over)));
  const rest = lines(x, over, (r, line) => {
    data[r] = keepAs(element, f(line, r));
  });
  return { kind: 'tensor', value: makeTensor(element, rest, data) };
}

/**
 * A route over some of its targets: present where any point of the line was, with the number of what is present and the
 * least of its ranks.
 */
export function reduceTargets(
  route: F64Route,
  over: readonly Axis[],
  element: ElementType,
  absent: number,
  f: (line: Line) => number,
): F64Route {
  const support = without(route.support, over);
  const payload = without(route.payload, over);
  const to = offsets(route.support, support);
  const present = new Uint8Array(countPoints(support));
  const rank = new Int32Array(present.length);
  route.present.forEach((here, i) => {
    if (here !== 1) return;
    const at = to[i] ?? noNumber();
    rank[at] =
      present[at] === 1 ? Math.min(rank[at] ?? noNumber(), route.rank[i] ?? noNumber()) : (route.rank[i] ?? noNumber());
    present[at] = 1;
  });
  const weight = new Float64Array(present.length * countPoints(payload));
  const width = countPoints(payload);
  lines({ kind: 'route', value: route }, over, (r, line) => {
    weight[r] = present[Math.floor(r / width)] === 1 ? keepAs(element, f(line)) : absent;
  });
  const facts = boundsOfProjection(route.facts, over);
  return makeRoute({ support, payload, present, rank, weight, element, facts });
}

/** As many numbers as the line has: `f` fills `out[0 .. count)`. The operand keeps its axes, a route its points. */
export function along(
  x: F64Operand,
  over: readonly Axis[],
  element: ElementType,
  absent: number,
  f: (line: Line, out: Float64Array) => void,
): F64Operand {
  const size = x.kind === 'tensor' ? x.value.data.length : x.value.weight.length;
  const data = new Float64Array(size).fill(x.kind === 'tensor' ? 0 : absent);
  const out = new Float64Array(countPoints(over));
  lines(x, over, (_, line, offsetOf) => {
    f(line, out);
    for (let k = 0; k < line.count; k++)
      data[offsetOf(line.positions[k] ?? noNumber())] = keepAs(element, out[k] ?? noNumber());
  });
  if (x.kind === 'tensor') return { kind: 'tensor', value: makeTensor(element, x.value.axes, data) };
  const { support, payload, present, rank, facts } = x.value;
  return { kind: 'route', value: makeRoute({ support, payload, present, rank, weight: data, element, facts }) };
}

// ---------------------------------------------------------------------------------------------------------------
// Numbers of a line

export function sumOf({ values, count }: Line): number {
  return sumInOrder(count, (k) => values[k] ?? noNumber());
}

export function meanOf(line: Line): number {
  return line.count === 0 ? 0 : sumOf(line) / line.count;
}

/** The mean of squared distances from the mean, divided by n; 0 of nothing. */
export function varianceOf(line: Line): number {
  const mean = meanOf(line);
  const sum = sumInOrder(line.count, (k) => ((line.values[k] ?? noNumber()) - mean) ** 2);
  return line.count === 0 ? 0 : sum / line.count;
}

/** NaN if there is one, -inf of nothing. */
export function maximumOf({ values, count }: Line): number {
  let max = -Infinity;
  for (let k = 0; k < count; k++) max = Math.max(max, values[k] ?? noNumber());
  return max;
}

export function minimumOf({ values, count }: Line): number {
  let min = Infinity;
  for (let k = 0; k < count; k++) min = Math.min(min, values[k] ?? noNumber());
  return min;
}

/** log of the sum of exponentials, by way of the maximum; -inf of nothing and of nothing but -inf. */
export function logSumExpOf(line: Line): number {
  const max = maximumOf(line);
  if (max === -Infinity || max === Infinity) return max;
  return max + Math.log(sumInOrder(line.count, (k) => Math.exp((line.values[k] ?? noNumber()) - max)));
}
