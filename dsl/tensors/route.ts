/**
 * Routes of the reference interpreter: a partial function from points of the support axes to a weight and a rank.
 * The weight may have payload axes, dense at each present point.
 *
 * Invariants:
 * - `present` and `rank` are row-major over `support`, `weight` over support × payload.
 * - At absent points rank is 0 and weight is what the run says (0, or NaN when poisoned); no result may depend on it.
 * - Which support axes are sources and which are targets is not here: the typed program says it where it matters.
 */
import type { BoundFact } from './route-bounds.ts';
import type { ElementType } from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Axis } from '../types/axis.ts';
import { ofAll, ofChoice, type Deferred } from './deferred-errors.ts';
import { countPoints, makeTensor, none, type F64Tensor } from './tensor.ts';

export interface F64Route {
  readonly support: readonly Axis[];
  readonly payload: readonly Axis[];
  readonly present: Uint8Array;
  readonly rank: Int32Array;
  readonly weight: Float64Array;
  readonly element: ElementType;
  /** What is known about how many points are present: ranks of sums of routes need it. */
  readonly facts: readonly BoundFact[];
  readonly problems: readonly Deferred[];
}

export function makeRoute(route: Omit<F64Route, 'problems'> & { readonly problems?: readonly Deferred[] }): F64Route {
  const points = countPoints(route.support);
  const all = points * countPoints(route.payload);
  if (route.present.length !== points || route.rank.length !== points || route.weight.length !== all) {
    throw new CompilerBug('interpret', 'the parts of a route do not have its points');
  }
  return { ...route, problems: route.problems ?? none };
}

/** All axes of a route, in the order of its weights. */
export function axesOfRoute(route: F64Route): readonly Axis[] {
  return [...route.support, ...route.payload];
}

/** The weights as a dense tensor; what stands at absent points means nothing. */
export function weightsOf(route: F64Route): F64Tensor {
  return makeTensor(route.element, axesOfRoute(route), route.weight, ofAll(route.problems));
}

/** Where it is present, as a dense tensor of bools over the support. */
export function presenceOf(route: F64Route): F64Tensor {
  return makeTensor('bool', route.support, Float64Array.from(route.present), ofChoice(route.problems));
}

/** Where it is present and, if it is of bools, true: a route standing for a condition. */
export function conditionOf(route: F64Route): F64Tensor {
  if (route.element !== 'bool') return presenceOf(route);
  const axes = axesOfRoute(route);
  const payload = countPoints(route.payload);
  const data = Float64Array.from({ length: route.weight.length }, (_, i) =>
    route.present[Math.floor(i / payload)] === 1 && route.weight[i] !== 0 ? 1 : 0,
  );
  return makeTensor('bool', axes, data, ofAll(route.problems));
}

/** Dense, with this number where the route is absent. */
export function filledWith(route: F64Route, absent: number): F64Tensor {
  const payload = countPoints(route.payload);
  const data = route.weight.map((weight, i) => (route.present[Math.floor(i / payload)] === 1 ? weight : absent));
  return makeTensor(route.element, axesOfRoute(route), data, ofAll(route.problems));
}
