/**
 * `pick(ids, over: E [, along: K] [, weights: w])`: the points that indices name; -1 is none. K is consumed: a point's
 * weight is the sum of `w` (1 if there is none) over the entries that name it, in the order of K, its rank that of the
 * first. The weight of an entry -1 is not read. An index outside E is an error of the run where it is needed.
 */
import { noNumber } from '../diagnostics/invariants.ts';
import { choose, chosenOf, routeOf } from '../tensors/choose.ts';
import { countPoints, keepAs, offsets, pointAt, sizeOf, unite, without } from '../tensors/tensor.ts';
import type { AxisVar, ElementType } from '../types/program.ts';
import { multiply } from '../types/size.ts';
import { axes, axisArgument, denseOperand, value } from './arguments.ts';
import { isProblem, type Primitive, type TypeCall, type TypeProblem } from './primitive.ts';
import { withoutAxes } from '../types/axes.ts';
import {
  checkOver,
  computed,
  denseArgument,
  format,
  fresh,
  indices,
  list,
  oneAxis,
  selected,
  wants,
} from './operand-typing.ts';

export const pick: Primitive = {
  name: 'pick',
  surface: ['pick'],
  syntax: 'call',
  parameters: [
    value('ids', 'i32: points of the axis, -1 is none', { element: 'i32' }),
    axes('over', 'the axis they name points of: the target'),
    axes('along', 'axes of ids along which the choices stand', { optional: true }),
    value('weights', 'the weight of each entry of ids, with its axes or fewer; 1 by default', { optional: true }),
  ],
  untyped: true,
  unless: 'weights',
  documentation: {
    summary: 'The points that indices name, as a route.',
    detail:
      'Indices and weights from outside (`topk_ids`, `topk_weights`) are this one call. A point that several entries name ' +
      'has the sum of their weights and the rank of the first, and is present once. -1 names nothing, and its weight is ' +
      'not read. A weight of 0 is present. Without `weights` each entry counts 1, of the element type it meets, f32 if it ' +
      'meets none.',
    example: 'pick(picks, over: E, along: N, weights: shares)',
    source: 'arXiv:2106.04426',
  },
  infer(call) {
    const axis = oneAxis(call, 'over', 'pick');
    if (isProblem(axis)) return axis;
    const ids = indices(call, 'ids', axis);
    if (isProblem(ids)) return ids;
    const along = call.axes.get('along') ?? [];
    const sources = withoutAxes(ids.axes, along);
    const problem =
      checkOver(call, along, ids, 'the tensor of indices', 'along') ??
      fresh(call, axis, sources, 'the tensor of indices', 'over');
    if (problem !== null) return problem;
    const element = call.args.has('weights') ? weightElement(call, ids.axes) : (call.element ?? 'f32');
    if (typeof element !== 'string') return element;
    const { type, ...more } = selected([...sources, axis], [axis], element);
    return along.length === 0 || type.kind !== 'route'
      ? { type, ...more }
      : { ...more, type: { ...type, consumed: along } };
  },
  evaluate(call, run) {
    const ids = denseOperand(call, 'ids');
    const weight = call.args.has('weights') ? denseOperand(call, 'weights') : null;
    const axis = axisArgument(call, 'over');
    const size = sizeOf(axis);
    const entries = unite(ids.axes, weight?.axes ?? []);
    const along = (call.axes.get('along') ?? []).filter((each) => entries.includes(each));
    const rest = without(entries, along);
    const all = [...rest, axis];
    const start = offsets(rest, ids.axes);
    const step = offsets(along, ids.axes);
    const weightStart = offsets(rest, weight?.axes ?? []);
    const weightStep = offsets(along, weight?.axes ?? []);
    const chosen = chosenOf(all);
    const weights = new Float64Array(countPoints(all));
    for (let r = 0; r < start.length; r++) {
      for (let k = 0; k < step.length; k++) {
        const id = ids.data[(start[r] ?? noNumber()) + (step[k] ?? noNumber())] ?? noNumber();
        if (id === -1) continue;
        if (!(id >= 0 && id < size)) {
          const message = `${id} is no point of ${axis.name}, which has ${size}`;
          run.problem('MOE0721', message, rest, pointAt(rest, r));
          continue;
        }
        const point = r * size + id;
        if (chosen.present[point] === 0) choose(chosen, point, k);
        weights[point] =
          (weights[point] ?? noNumber()) +
          (weight === null
            ? 1
            : (weight.data[(weightStart[r] ?? noNumber()) + (weightStep[k] ?? noNumber())] ?? noNumber()));
      }
    }
    const kept = weights.map((each) => keepAs(call.element, each));
    const facts = [{ per: rest, atMost: multiply(along.map((each) => each.size)) }];
    return routeOf(all, chosen, kept, call.element, run.absent, facts);
  },
};

/** The element type of weights over axes of the indices, or what is wrong with them. */
function weightElement(call: TypeCall, axes: readonly AxisVar[]): ElementType | TypeProblem {
  const weights = denseArgument(call, 'weights');
  if (isProblem(weights)) return weights;
  const problem = wants('a weight', weights.element, 'number', 'weights');
  if (problem !== null) return problem;
  const more = withoutAxes(weights.axes, axes);
  if (more.length === 0) return computed(weights.element);
  return {
    code: 'MOE0332',
    message: `the tensor of indices has no axis ${list(call, more)}, along which these weights ${format(call, weights)} differ`,
    at: 'weights',
    help: 'every entry has one weight; `pick(…) * y` gives a route a payload',
  };
}
