/**
 * Elementwise operations by definition: at every point of the union of the operands' axes a function of one number
 * from each. If routes take part the result is a route over the union of their supports, present where all of them
 * are, and the function is asked at present points only; ranks are those of the first route.
 */
import { noNumber } from '../diagnostics/invariants.ts';
import { boundsOfJoin } from './route-bounds.ts';
import type { ElementType } from '../types/program.ts';
import type { Operand } from '../types/call.ts';
import { axesOfRoute, makeRoute, type F64Route } from './route.ts';
import { countPoints, keepAs, makeTensor, offsets, unite, without, type F64Tensor } from './tensor.ts';

type F64Operand = Operand<F64Tensor, F64Route>;

/** A function of as many numbers as there are operands. */
export type PointFunction = (a: number, b: number, c: number) => number;

/**
 * Applies `f` (its second and third number are 0 if there are fewer operands). The result's numbers are kept as its
 * element type has them; `absent` stands at absent points.
 */
export function pointwise(
  operands: readonly F64Operand[],
  f: PointFunction,
  element: ElementType,
  absent: number,
): F64Operand {
  const routes = operands.flatMap((operand) => (operand.kind === 'route' ? [operand.value] : []));
  const all = unite(...operands.map(axesOf));
  const read = readers(operands);
  const keep = element === 'f32' ? (value: number): number => value : (value: number): number => keepAs(element, value);
  const [first, ...more] = routes;
  if (first === undefined) {
    const data = new Float64Array(countPoints(all));
    const [a, b, c] = read(all);
    for (let i = 0; i < data.length; i++) data[i] = keep(f(a(i), b(i), c(i)));
    return { kind: 'tensor', value: makeTensor(element, all, data) };
  }
  const support = unite(...routes.map((route) => route.support));
  const payload = without(all, support);
  const present = allPresent(routes, support);
  const ranks = offsets(support, first.support);
  const [a, b, c] = read([...support, ...payload]);
  const width = countPoints(payload);
  const weight = new Float64Array(present.length * width).fill(absent);
  for (let s = 0; s < present.length; s++) {
    if (present[s] !== 1) continue;
    for (let i = s * width; i < (s + 1) * width; i++) weight[i] = keep(f(a(i), b(i), c(i)));
  }
  const facts = more.reduce(
    (joined, route) => ({ support: unite(joined.support, route.support), facts: boundsOfJoin(joined, route) }),
    { support: first.support, facts: first.facts },
  ).facts;
  const rank = Int32Array.from(present, (here, s) =>
    here === 1 ? (first.rank[ranks[s] ?? noNumber()] ?? noNumber()) : 0,
  );
  return { kind: 'route', value: makeRoute({ support, payload, present, rank, weight, element, facts }) };
}

export function axesOf(operand: F64Operand): F64Tensor['axes'] {
  return operand.kind === 'tensor' ? operand.value.axes : axesOfRoute(operand.value);
}

/** Points of `support` at which all routes are present. */
export function allPresent(routes: readonly F64Route[], support: F64Route['support']): Uint8Array {
  const present = new Uint8Array(countPoints(support)).fill(1);
  for (const route of routes) {
    const at = offsets(support, route.support);
    for (let i = 0; i < present.length; i++) if (route.present[at[i] ?? noNumber()] !== 1) present[i] = 0;
  }
  return present;
}

type Reader = (point: number) => number;

/** For each operand (three of them, those missing are 0): its number at the n-th point of the axes. */
function readers(operands: readonly F64Operand[]): (axes: F64Tensor['axes']) => readonly [Reader, Reader, Reader] {
  return (axes) => {
    const reader = (operand: F64Operand | undefined): Reader => {
      if (operand === undefined) return () => 0;
      const data = operand.kind === 'tensor' ? operand.value.data : operand.value.weight;
      const own = axesOf(operand);
      if (own.length === axes.length && own.every((axis, i) => axis === axes[i]))
        return (point) => data[point] ?? noNumber();
      const at = offsets(axes, own);
      return (point) => data[at[point] ?? noNumber()] ?? noNumber();
    };
    return [reader(operands[0]), reader(operands[1]), reader(operands[2])];
  };
}
