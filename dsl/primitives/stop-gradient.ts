/** `stop_gradient(x)`: x, through which no gradient passes. */
import { operand, value } from './arguments.ts';
import { isProblem, type Primitive } from './primitive.ts';
import { computable } from './operand-typing.ts';

export const stopGradient: Primitive = {
  name: 'stop_gradient',
  surface: ['stop_gradient'],
  syntax: 'call',
  parameters: [value('x', 'a tensor or a route')],
  untyped: false,
  documentation: {
    summary: 'The value itself, without its gradient.',
    detail: '',
    example: 'stop_gradient(s) * p',
  },
  infer(call) {
    const x = computable(call, 'x');
    return isProblem(x) ? x : { type: x };
  },
  evaluate: (call) => operand(call, 'x'),
};
