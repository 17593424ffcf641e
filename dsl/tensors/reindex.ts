/**
 * Re-indexing: operations that only say anew which point is which. A reindex replaces the axes `from` by the axes `to`:
 * an index along each `to` axis moves so many steps along each `from` axis, the steps add up, starting from `base`.
 *
 *   x[T: 2]                from [T]     to []      base [2]
 *   x[T: 1 .. 4 as S]      from [T]     to [S]     base [1]   S: i -> [i]
 *   split(x, E: (G, M))    from [E]     to [G, M]  base [0]   G: i -> [i * |M|]   M: i -> [i]
 *   merge(x, (G, M): E)    from [G, M]  to [E]     base [0,0] E: i -> [i / |M|, i % |M|]
 *
 * `to` stands where the first of `from` stood. A route's presence, ranks and weights are reindexed alike; none are dropped
 * except with their points.
 */
import { missing, noNumber, get } from '../diagnostics/invariants.ts';
import { boundsOfReindex } from './route-bounds.ts';
import type { Axis } from '../types/axis.ts';
import type { Operand } from '../types/call.ts';
import { project, type Deferred } from './deferred-errors.ts';
import { axesOfRoute, makeRoute, type F64Route } from './route.ts';
import { makeTensor, pointAt, separableOffsets, sizeOf, strides, take, type F64Tensor } from './tensor.ts';

export interface Reindex {
  readonly from: readonly Axis[];
  readonly to: readonly Axis[];
  readonly base: readonly number[];
  /** Steps along each of `from` of index i along this one of `to`. */
  steps(axis: Axis, index: number): readonly number[];
}

export function indexed(axis: Axis, index: number): Reindex {
  return { from: [axis], to: [], base: [index], steps: () => [0] };
}

/** Points start, start + 1, … of an axis as the row-major points of other axes (none is a single point). */
export function splitFrom(axis: Axis, to: readonly Axis[], start: number): Reindex {
  const stride = strides(to);
  return { from: [axis], to, base: [start], steps: (each, index) => [index * get(stride, each, 'tensors: stride')] };
}

export function merged(from: readonly Axis[], to: Axis): Reindex {
  return { from, to: [to], base: from.map(() => 0), steps: (_, index) => pointAt(from, index) };
}

export function reindex(operand: Operand<F64Tensor, F64Route>, how: Reindex): Operand<F64Tensor, F64Route> {
  if (operand.kind === 'tensor') return { kind: 'tensor', value: reindexTensor(operand.value, how) };
  return { kind: 'route', value: reindexRoute(operand.value, how) };
}

export function reindexTensor(tensor: F64Tensor, how: Reindex): F64Tensor {
  const axes = reindexAxes(tensor.axes, how);
  if (axes === tensor.axes) return tensor;
  const data = take(tensor.data, reindexOffsets(tensor.axes, how));
  return makeTensor(tensor.element, axes, data, reindexProblems(tensor.problems, how));
}

function reindexRoute(route: F64Route, how: Reindex): F64Route {
  const at = reindexOffsets(route.support, how);
  return makeRoute({
    support: reindexAxes(route.support, how),
    payload: reindexAxes(route.payload, how),
    present: Uint8Array.from(at, (i) => route.present[i] ?? noNumber()),
    rank: Int32Array.from(at, (i) => route.rank[i] ?? noNumber()),
    weight: take(route.weight, reindexOffsets(axesOfRoute(route), how)),
    element: route.element,
    facts: boundsOfReindex(route.facts, how.from, how.to),
    problems: reindexProblems(route.problems, how),
  });
}

/** The axes after the reindex; the very same list if it does not concern them. */
export function reindexAxes(axes: readonly Axis[], how: Reindex): readonly Axis[] {
  const first = axes.find((axis) => how.from.includes(axis));
  if (first === undefined) return axes;
  return axes.flatMap((axis) => (axis === first ? how.to : how.from.includes(axis) ? [] : [axis]));
}

function reindexOffsets(axes: readonly Axis[], how: Reindex): Int32Array {
  const stride = strides(axes);
  const concerned = how.from.some((axis) => axes.includes(axis));
  // What lacks one of the axes does not move along it.
  const along = how.from.map((axis) => stride.get(axis) ?? 0);
  const base = concerned
    ? how.base.reduce((sum, start, i) => sum + start * (along[i] ?? missing('tensors: stride', i)), 0)
    : 0;
  return separableOffsets(
    reindexAxes(axes, how),
    (axis) => {
      const own = stride.get(axis);
      const size = sizeOf(axis);
      if (concerned && how.to.includes(axis)) {
        return Int32Array.from({ length: size }, (_, i) =>
          how.steps(axis, i).reduce((sum, step, k) => sum + step * (along[k] ?? missing('tensors: stride', k)), 0),
        );
      }
      return own === undefined ? null : Int32Array.from({ length: size }, (_, i) => i * own);
    },
    base,
  );
}

function reindexProblems(problems: readonly Deferred[], how: Reindex): readonly Deferred[] {
  return problems.flatMap((deferred) => {
    const inside = how.from.filter((axis) => deferred.axes.includes(axis));
    if (inside.length === 0) return [deferred];
    // Known along some of `from` only, an error may concern every point of the others, so every point of `to`.
    if (inside.length < how.from.length) return project([deferred], inside);
    const at = Uint8Array.from(reindexOffsets(deferred.axes, how), (i) => deferred.at[i] ?? noNumber());
    return at.includes(1) ? [{ ...deferred, axes: reindexAxes(deferred.axes, how), at }] : [];
  });
}

/** The same numbers under other axes; nothing is copied. */
export function renamed(
  operand: Operand<F64Tensor, F64Route>,
  renaming: ReadonlyMap<Axis, Axis>,
): Operand<F64Tensor, F64Route> {
  const axes = (list: readonly Axis[]): readonly Axis[] => list.map((axis) => renaming.get(axis) ?? axis);
  const problems = operand.value.problems.map((deferred) => ({ ...deferred, axes: axes(deferred.axes) }));
  if (operand.kind === 'tensor') {
    const { element, data } = operand.value;
    return { kind: 'tensor', value: makeTensor(element, axes(operand.value.axes), data, problems) };
  }
  const route = operand.value;
  const facts = route.facts.map((fact) => ({ per: axes(fact.per), atMost: fact.atMost }));
  return {
    kind: 'route',
    value: makeRoute({ ...route, support: axes(route.support), payload: axes(route.payload), facts, problems }),
  };
}
