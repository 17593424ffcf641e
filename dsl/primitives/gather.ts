/**
 * `t[V: ids]`: at every point of the ids the table's entry they name, so V is replaced by the axes of ids; axes both
 * have are met by name. -1 is none and gives 0; any other index outside V is an error of the run where it is needed.
 *
 * Of a route it moves its points: present where the point that is named is, with its weight and rank; -1 is absent. Looked up
 * along a source the indices' axes are sources. Along a target they are targets, but where they have that axis themselves (a
 * permutation for each of a batch) their other axes are sources.
 */
import { noNumber, get } from '../diagnostics/invariants.ts';
import type { AxisVar, RouteType } from '../types/program.ts';
import { axesOfRoute, makeRoute, type F64Route } from '../tensors/route.ts';
import {
  countPoints,
  makeTensor,
  offsets,
  pointAt,
  separableOffsets,
  sizeOf,
  spread,
  strides,
  unite,
  without,
  type F64Tensor,
} from '../tensors/tensor.ts';
import type { Axis } from '../types/axis.ts';
import { axes, axisArgument, dense, denseOperand, operand, value } from './arguments.ts';
import { hasAll } from './axes-changed.ts';
import { boundsOfLookup } from '../tensors/route-bounds.ts';
import { axesOfType, hasAxis, sameAxis, sharedAxes, uniteAxes, withoutAxes } from '../types/axes.ts';
import { isProblem, type Primitive } from './primitive.ts';
import { computable, format, indices, list, oneAxis, tensor } from './operand-typing.ts';

export const gather: Primitive = {
  name: 'gather',
  surface: [],
  syntax: 'index',
  parameters: [
    value('x', 'a tensor or a route'),
    value('ids', 'i32: points of the axis, -1 is none', { element: 'i32' }),
    axes('axis', 'the axis that is looked up'),
  ],
  untyped: false,
  documentation: {
    summary: 'A look-up: the entries that indices name.',
    detail:
      '-1 gives 0. Of a route: present where the point that is named is, with its weight and rank; -1 is absent. Families are not indexed at run time: that is a route.',
    example: 'table[V: ids]',
  },
  infer(call) {
    const x = computable(call, 'x');
    if (isProblem(x)) return x;
    const axis = oneAxis(call, 'axis', 'an index');
    if (isProblem(axis)) return axis;
    const ids = indices(call, 'ids', axis);
    if (isProblem(ids)) return ids;
    const problem = hasAll(call, x, [axis], 'axis');
    if (problem !== null) return problem;
    if (x.kind === 'route') {
      const mixed = hasAxis(x.payload, axis) ? [] : sharedAxes(ids.axes, x.payload);
      if (mixed.length === 0) return { type: lookedUp(x, axis, ids.axes) };
      return {
        code: 'MOE0454',
        message: `these indices differ along ${list(call, mixed)}, which is payload of ${format(call, x)}: a point is present or not for all of it`,
        at: 'ids',
        help: `say dense(…) first, in which absent points are 0, or rename the axis of the indices`,
      };
    }
    const rest = withoutAxes(x.axes, [axis]);
    // The axes of ids stand where the axis stood; those the table has too stay where they are.
    const own = withoutAxes(ids.axes, rest);
    const result = x.axes.flatMap((each) => (sameAxis(each, axis) ? own : [each]));
    return tensor(x.element, uniteAxes(result, ids.axes), x.within);
  },
  evaluate(call, run) {
    const [x, ids] = [operand(call, 'x'), denseOperand(call, 'ids')];
    const axis = axisArgument(call, 'axis');
    const size = sizeOf(axis);
    ids.data.forEach((id, i) => {
      if (id >= -1 && id < size) return;
      run.problem('MOE0721', `${id} is no point of ${axis.name}, which has ${size}`, ids.axes, pointAt(ids.axes, i));
    });
    if (x.kind === 'route') return { kind: 'route', value: routeLookedUp(x.value, axis, ids, run.absent) };
    const { axes: result, at } = gatherOffsets(x.value.axes, axis, ids);
    return dense(
      x.value.element,
      result,
      Float64Array.from(at, (i) => (i < 0 ? 0 : (x.value.data[i] ?? noNumber()))),
    );
  },
};

/** The type of a route whose axis is looked up by indices over these axes. */
function lookedUp(route: RouteType, axis: AxisVar, ids: readonly AxisVar[]): RouteType {
  const rest = withoutAxes(axesOfType(route), [axis]);
  const own = withoutAxes(ids, rest);
  const put = (axes: readonly AxisVar[], by: readonly AxisVar[]): readonly AxisVar[] =>
    axes.flatMap((each) => (sameAxis(each, axis) ? by : [each]));
  if (hasAxis(route.targets, axis) && hasAxis(own, axis)) {
    return { ...route, sources: [...route.sources, ...withoutAxes(own, [axis])] };
  }
  return {
    ...route,
    sources: put(route.sources, own),
    targets: put(route.targets, own),
    payload: put(route.payload, own),
  };
}

/** Where each point of the result stands among the points of `axes`; -1 where the index is none (or outside). */
function gatherOffsets(
  axes: readonly Axis[],
  axis: Axis,
  ids: F64Tensor,
): { readonly axes: readonly Axis[]; readonly at: Int32Array } {
  const size = sizeOf(axis);
  const own = without(ids.axes, without(axes, [axis]));
  const result = unite(
    axes.flatMap((each) => (each === axis ? own : [each])),
    ids.axes,
  );
  const stride = strides(axes);
  const step = get(stride, axis, 'tensors: stride');
  // The looked-up axis stands at 0 here, even if the ids have an axis of that name themselves.
  const start = separableOffsets(result, (each) => {
    const along = each === axis ? undefined : stride.get(each);
    return along === undefined ? null : Int32Array.from({ length: sizeOf(each) }, (_, i) => i * along);
  });
  const which = offsets(result, ids.axes);
  const at = Int32Array.from(start, (from, i) => {
    const id = ids.data[which[i] ?? noNumber()] ?? noNumber();
    return id >= 0 && id < size ? from + id * step : -1;
  });
  return { axes: result, at };
}

function routeLookedUp(route: F64Route, axis: Axis, ids: F64Tensor, absent: number): F64Route {
  const inPayload = route.payload.includes(axis);
  // Axes of the indices that the route has as payload stay payload; along those the points may differ only by weight.
  const points = inPayload ? null : gatherOffsets(route.support, axis, ids);
  const support = points === null ? route.support : points.axes;
  const present =
    points === null ? route.present : Uint8Array.from(points.at, (i) => (i < 0 ? 0 : (route.present[i] ?? noNumber())));
  const rank =
    points === null
      ? route.rank
      : Int32Array.from(points.at, (i, k) => (present[k] === 1 ? (route.rank[i] ?? noNumber()) : 0));
  const weights = gatherOffsets(axesOfRoute(route), axis, ids);
  const payload = inPayload ? without(weights.axes, support) : route.payload;
  const looked = makeTensor(
    route.element,
    weights.axes,
    Float64Array.from(weights.at, (i) => (i < 0 ? 0 : (route.weight[i] ?? noNumber()))),
  );
  const laid = spread(looked, [...support, ...payload]);
  const width = countPoints(payload);
  const weight = laid.data.map((value, i) => (present[Math.floor(i / width)] === 1 ? value : absent));
  const own = without(ids.axes, without(route.support, [axis]));
  const facts = inPayload ? route.facts : boundsOfLookup(route.facts, axis, own, ids.permutes === axis);
  return makeRoute({ support, payload, present, rank, weight, element: route.element, facts });
}
