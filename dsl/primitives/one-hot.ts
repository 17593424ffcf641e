/** `one_hot(ids, over: E)`: 1 at the point of E that each index names, 0 elsewhere; nothing but 0 for -1. */
import { noNumber } from '../diagnostics/invariants.ts';
import { countPoints, offsets, pointAt, sizeOf } from '../tensors/tensor.ts';
import { axes, axisArgument, dense, denseOperand, value } from './arguments.ts';
import { isProblem, type Primitive } from './primitive.ts';
import { fresh, indices, oneAxis, tensor } from './operand-typing.ts';

export const oneHot: Primitive = {
  name: 'one_hot',
  surface: ['one_hot'],
  syntax: 'call',
  parameters: [
    value('ids', 'i32: points of the axis, -1 is none', { element: 'i32' }),
    axes('over', 'the axis the indices name points of'),
  ],
  untyped: true,
  documentation: {
    summary: '1 where an index points, 0 elsewhere.',
    detail: 'Dense; `pick` gives a route. Of the element type it meets, f32 if it meets none.',
    example: 'one_hot(ids, over: V)',
  },
  infer(call) {
    const axis = oneAxis(call, 'over', 'one_hot');
    if (isProblem(axis)) return axis;
    const ids = indices(call, 'ids', axis);
    if (isProblem(ids)) return ids;
    const taken = fresh(call, axis, ids.axes, 'the tensor of indices', 'over');
    return taken ?? tensor(call.element ?? 'f32', [...ids.axes, axis]);
  },
  evaluate(call, run) {
    const ids = denseOperand(call, 'ids');
    const axis = axisArgument(call, 'over');
    const size = sizeOf(axis);
    ids.data.forEach((id, i) => {
      if (id >= -1 && id < size) return;
      run.problem('MOE0721', `${id} is no point of ${axis.name}, which has ${size}`, ids.axes, pointAt(ids.axes, i));
    });
    const result = [...ids.axes, axis];
    const which = offsets(result, ids.axes);
    const data = new Float64Array(countPoints(result));
    for (let i = 0; i < data.length; i++) data[i] = ids.data[which[i] ?? noNumber()] === i % size ? 1 : 0;
    return dense(call.element, result, data);
  },
};
