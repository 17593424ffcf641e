/**
 * Putting values together along an axis: the steps of a chain (`stack`), the members of a union (`unite`), and a route
 * over one member's axes as a route over the union's (`embed`).
 */
import { noNumber, get } from '../diagnostics/invariants.ts';
import { bound, boundsOfReindex, type BoundFact } from '../tensors/route-bounds.ts';
import type { F64Operand } from '../tensors/operand.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Axis } from '../types/axis.ts';
import { apply, asNumber, type Size } from '../types/size.ts';
import type { Deferred } from '../tensors/deferred-errors.ts';
import { project } from '../tensors/deferred-errors.ts';
import { axesOfRoute, makeRoute, weightsOf, type F64Route } from '../tensors/route.ts';
import {
  countPoints,
  makeTensor,
  offsets,
  separableOffsets,
  sizeOf,
  spread,
  strides,
  take,
  unite,
  without,
  type F64Tensor,
} from '../tensors/tensor.ts';

/** Values one after the other along a new axis; all tensors or all routes. */
export function stacked(operands: readonly F64Operand[], axis: Axis): F64Operand {
  const [first] = operands;
  if (first === undefined) return { kind: 'tensor', value: makeTensor('f32', [axis], new Float64Array(0)) };
  if (operands.length !== sizeOf(axis))
    throw new CompilerBug('interpret', `${operands.length} values along ${axis.name}`);
  const problems = operands.flatMap((operand, i) => atIndex(operand.value.problems, axis, i));
  if (first.kind === 'tensor') {
    const tensors = operands.flatMap((operand) => (operand.kind === 'tensor' ? [operand.value] : []));
    const own = unite(...tensors.map((tensor) => tensor.axes));
    const data = joined(tensors.map((tensor) => spread(tensor, own).data));
    return { kind: 'tensor', value: makeTensor(first.value.element, [axis, ...own], data, problems) };
  }
  const routes = operands.flatMap((operand) => (operand.kind === 'route' ? [operand.value] : []));
  const support = unite(...routes.map((route) => route.support));
  const payload = without(unite(...routes.map((route) => route.payload)), support);
  const all = [...support, ...payload];
  const present = joined(
    routes.map((route) => take(Float64Array.from(route.present), offsets(support, route.support))),
  );
  const rank = joined(routes.map((route) => take(Float64Array.from(route.rank), offsets(support, route.support))));
  const weight = joined(routes.map((route) => spread(weightsOf(route), all).data));
  return {
    kind: 'route',
    value: makeRoute({
      support: [axis, ...support],
      payload,
      present: Uint8Array.from(present),
      rank: Int32Array.from(rank),
      weight,
      element: first.value.element,
      facts: boundsOfStack(routes, axis),
      problems,
    }),
  };
}

/** At each step: what any step knows, with the greatest bound of all steps. */
function boundsOfStack(routes: readonly F64Route[], axis: Axis): readonly BoundFact[] {
  const larger = (a: Size, b: Size): Size => {
    const [x, y] = [asNumber(a), asNumber(b)];
    return x !== null && y !== null ? (x >= y ? a : b) : apply('max', a, b);
  };
  return routes.flatMap((route) =>
    route.facts.map(({ per }) => ({
      per: [axis, ...per],
      atMost: routes.map((other) => bound(other.facts, other.support, per)).reduce(larger),
    })),
  );
}

function joined(pieces: readonly Float64Array[]): Float64Array {
  const result = new Float64Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.length;
  }
  return result;
}

/** A problem of the i-th step is one of the i-th point only. */
function atIndex(problems: readonly Deferred[], axis: Axis, i: number): readonly Deferred[] {
  const size = sizeOf(axis);
  return problems.map((deferred) => {
    const at = new Uint8Array(size * deferred.at.length);
    at.set(deferred.at, i * deferred.at.length);
    return { ...deferred, axes: [axis, ...deferred.axes], at };
  });
}

export interface TensorPart {
  readonly value: F64Tensor;
  readonly axes: readonly Axis[];
}

/** Parts side by side along a union's axis, each with its own axes row-major; other axes are united. */
export function united(parts: readonly TensorPart[], axis: Axis): F64Tensor {
  const others = unite(...parts.map(({ value, axes }) => without(value.axes, axes)));
  const result = [...others, axis];
  const data = new Float64Array(countPoints(result));
  const step = strides(result);
  let start = 0;
  for (const { value, axes } of parts) {
    const within = strides(axes);
    const loop = [...others, ...axes];
    const read = offsets(loop, value.axes);
    const write = separableOffsets(
      loop,
      (each) => {
        const stride = within.get(each) ?? get(step, each, 'interpret: stride');
        return Int32Array.from({ length: sizeOf(each) }, (_, i) => i * stride);
      },
      start,
    );
    for (let i = 0; i < read.length; i++)
      data[write[i] ?? noNumber()] = value.data[read[i] ?? noNumber()] ?? noNumber();
    start += countPoints(axes);
  }
  if (start !== sizeOf(axis)) throw new CompilerBug('interpret', `the parts of ${axis.name} have ${start} points`);
  const problems = parts.flatMap(({ value, axes }) => project(value.problems, axes));
  return makeTensor(parts[0]?.value.element ?? 'f32', result, data, problems);
}

/** A route over the axes of a part (none: the part is one point) as a route over the union's axis. */
export function embedded(route: F64Route, part: readonly Axis[], axis: Axis, start: number, absent: number): F64Route {
  const support = [...without(route.support, part), axis];
  const all = [...support, ...route.payload];
  const within = strides(part);
  const scatter = (to: readonly Axis[], from: readonly Axis[]): Int32Array => {
    const step = strides(to);
    const along = get(step, axis, 'interpret: stride');
    return separableOffsets(
      from,
      (each) => {
        const inside = within.get(each);
        const stride = inside === undefined ? get(step, each, 'interpret: stride') : inside * along;
        return Int32Array.from({ length: sizeOf(each) }, (_, i) => i * stride);
      },
      start * along,
    );
  };
  const present = new Uint8Array(countPoints(support));
  const rank = new Int32Array(present.length);
  scatter(support, route.support).forEach((to, i) => {
    present[to] = route.present[i] ?? noNumber();
    rank[to] = route.rank[i] ?? noNumber();
  });
  const weight = new Float64Array(countPoints(all)).fill(absent);
  scatter(all, axesOfRoute(route)).forEach((to, i) => (weight[to] = route.weight[i] ?? noNumber()));
  const facts = boundsOfReindex(route.facts, part, [axis]);
  const problems = project(route.problems, part);
  return makeRoute({ support, payload: route.payload, present, rank, weight, element: route.element, facts, problems });
}
