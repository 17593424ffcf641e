/** `clamp(x, low, high)`: elementwise, max with low and then min with high. Routes as in any elementwise function. */
import { pointwise } from '../tensors/pointwise.ts';
import { operand, value } from './arguments.ts';
import { isProblem, type Primitive } from './primitive.ts';
import { computable, join, meet, wants } from './operand-typing.ts';

export const clamp: Primitive = {
  name: 'clamp',
  surface: ['clamp'],
  syntax: 'call',
  parameters: [
    value('x', 'the value'),
    value('low', 'what it is not less than'),
    value('high', 'what it is not greater than; it wins if low is greater'),
  ],
  untyped: false,
  documentation: {
    summary: 'Each value, kept between two others.',
    detail: 'NaN stays NaN.',
    example: 'clamp(w1 @ x, -7, 7)',
  },
  infer(call) {
    const x = computable(call, 'x');
    if (isProblem(x)) return x;
    const low = computable(call, 'low');
    if (isProblem(low)) return low;
    const high = computable(call, 'high');
    if (isProblem(high)) return high;
    const element = meet(['x', 'low', 'high'], [x, low, high]);
    if (isProblem(element)) return element;
    return wants('clamp', element, 'number', 'x') ?? { type: join([x, low, high], element) };
  },
  evaluate: (call, run) =>
    pointwise(
      [operand(call, 'x'), operand(call, 'low'), operand(call, 'high')],
      (x, low, high) => Math.min(Math.max(x, low), high),
      call.element,
      run.absent,
    ),
};
