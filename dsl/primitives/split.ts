/** `split(x, E: (G, M))`: an axis as the row-major points of several, G outer. */
import { splitFrom, reindex } from '../tensors/reindex.ts';
import { axes, axesArgument, axisArgument, operand, value } from './arguments.ts';
import { replaceAxes } from './axes-changed.ts';
import { isProblem, type Primitive } from './primitive.ts';
import { axesGiven, computable, oneAxis } from './operand-typing.ts';

export const split: Primitive = {
  name: 'split',
  surface: ['split'],
  syntax: 'pairs',
  pairs: { left: 'axis', right: 'into' },
  parameters: [
    value('x', 'a tensor or a route'),
    axes('axis', 'the axis to take apart'),
    axes('into', 'the axes it becomes, outer first; their sizes multiply to its size'),
  ],
  untyped: false,
  documentation: {
    summary: 'One axis as several, row-major.',
    detail: 'Of a route: points, weights and ranks stay.',
    example: 'split(s, E: (G, M))',
  },
  infer(call) {
    const x = computable(call, 'x');
    if (isProblem(x)) return x;
    const axis = oneAxis(call, 'axis', 'split');
    if (isProblem(axis)) return axis;
    return replaceAxes(call, x, [axis], axesGiven(call, 'into'), { from: 'axis', to: 'into' });
  },
  evaluate: (call) => reindex(operand(call, 'x'), splitFrom(axisArgument(call, 'axis'), axesArgument(call, 'into'), 0)),
};
