/**
 * `pick(ids, over: E [, along: K])`: the points that indices name; -1 is none. K is consumed: a point named k times has
 * weight k and the rank of its first position. An index outside E is an error of the run where it is needed.
 */
import { choose, chosenOf, routeOf } from '../interpret/choose.ts';
import { countPoints, offsets, pointAt, sizeOf, without } from '../interpret/tensor.ts';
import { multiply } from '../meaning/size.ts';
import { axes, axisArgument, denseOperand, value } from './arguments.ts';
import { isProblem, withoutAxes, type Primitive } from './primitive.ts';
import { checkOver, fresh, indices, oneAxis, selected } from './typing.ts';

export const pick: Primitive = {
  name: 'pick',
  surface: ['pick'],
  syntax: 'call',
  parameters: [
    value('ids', 'i32: points of the axis, -1 is none', { element: 'i32' }),
    axes('over', 'the axis they name points of: the target'),
    axes('along', 'axes of ids along which the choices stand', { optional: true }),
  ],
  adopts: true,
  documentation: {
    summary: 'The points that indices name, as a route of weight 1.',
    detail: 'A repeated index adds. The weight is of the element type it meets, f32 if it meets none.',
    example: 'pick(picks, over: E, along: N) * shares',
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
    return problem ?? selected([...sources, axis], [axis], call.element ?? 'f32');
  },
  evaluate(call, run) {
    const ids = denseOperand(call, 'ids');
    const axis = axisArgument(call, 'over');
    const size = sizeOf(axis);
    const along = (call.axes.get('along') ?? []).filter((each) => ids.axes.includes(each));
    const rest = without(ids.axes, along);
    const all = [...rest, axis];
    const start = offsets(rest, ids.axes);
    const step = offsets(along, ids.axes);
    const chosen = chosenOf(all);
    const weights = new Float64Array(countPoints(all));
    for (let r = 0; r < start.length; r++) {
      for (let k = 0; k < step.length; k++) {
        const id = ids.data[start[r] + step[k]];
        if (id === -1) continue;
        if (!(id >= 0 && id < size)) {
          const message = `${id} is no point of ${axis.name}, which has ${size}`;
          run.problem('MOE0721', message, rest, pointAt(rest, r));
          continue;
        }
        const point = r * size + id;
        if (chosen.present[point] === 0) choose(chosen, point, k);
        weights[point] += 1;
      }
    }
    const facts = [{ per: rest, atMost: multiply(along.map((each) => each.size)) }];
    return routeOf(all, chosen, weights, call.element, run.absent, facts);
  },
};
