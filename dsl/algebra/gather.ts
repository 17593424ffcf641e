/**
 * `t[V: ids]`: at every point of the ids the table's entry they name, so V is replaced by the axes of ids; axes both
 * have are met by name. -1 is none and gives 0; any other index outside V is an error of the run where it is needed.
 */
import {
  countPoints,
  offsets,
  pointAt,
  separableOffsets,
  sizeOf,
  strides,
  unite,
  without,
} from '../interpret/tensor.ts';
import { axes, axisArgument, dense, denseOperand, value } from './arguments.ts';
import { hasAll } from './axes-changed.ts';
import { isProblem, sameAxis, uniteAxes, withoutAxes, type Primitive } from './primitive.ts';
import { denseArgument, indices, oneAxis, tensor } from './typing.ts';

export const gather: Primitive = {
  name: 'gather',
  surface: [],
  syntax: 'index',
  parameters: [
    value('x', 'a tensor'),
    value('ids', 'i32: points of the axis, -1 is none', { element: 'i32' }),
    axes('axis', 'the axis that is looked up'),
  ],
  adopts: false,
  documentation: {
    summary: 'A look-up: the entries that indices name.',
    detail: '-1 gives 0. Families are not indexed at run time: that is a route.',
    example: 'table[V: ids]',
  },
  infer(call) {
    const x = denseArgument(call, 'x');
    if (isProblem(x)) return x;
    const axis = oneAxis(call, 'axis', 'an index');
    if (isProblem(axis)) return axis;
    const ids = indices(call, 'ids', axis);
    if (isProblem(ids)) return ids;
    const problem = hasAll(call, x, [axis], 'axis');
    if (problem !== null) return problem;
    const rest = withoutAxes(x.axes, [axis]);
    // The axes of ids stand where the axis stood; those the table has too stay where they are.
    const own = withoutAxes(ids.axes, rest);
    const result = x.axes.flatMap((each) => (sameAxis(each, axis) ? own : [each]));
    return tensor(x.element, uniteAxes(result, ids.axes), x.within);
  },
  evaluate(call, run) {
    const [x, ids] = [denseOperand(call, 'x'), denseOperand(call, 'ids')];
    const axis = axisArgument(call, 'axis');
    const size = sizeOf(axis);
    const own = without(ids.axes, without(x.axes, [axis]));
    const result = unite(
      x.axes.flatMap((each) => (each === axis ? own : [each])),
      ids.axes,
    );
    ids.data.forEach((id, i) => {
      if (id >= -1 && id < size) return;
      run.problem('MOE0721', `${id} is no point of ${axis.name}, which has ${size}`, ids.axes, pointAt(ids.axes, i));
    });
    const stride = strides(x.axes);
    const step = stride.get(axis) ?? 0;
    // The looked-up axis stands at 0 here, even if the ids have an axis of that name themselves.
    const start = separableOffsets(result, (each) => {
      const own = each === axis ? undefined : stride.get(each);
      return own === undefined ? null : Int32Array.from({ length: sizeOf(each) }, (_, i) => i * own);
    });
    const which = offsets(result, ids.axes);
    const data = new Float64Array(countPoints(result));
    for (let i = 0; i < data.length; i++) {
      const id = ids.data[which[i]];
      data[i] = id >= 0 && id < size ? x.data[start[i] + id * step] : 0;
    }
    return dense(x.element, result, data);
  },
};
