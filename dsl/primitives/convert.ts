/**
 * Conversions, called by the element type they give: `f32(b)`, `i32(floor(x))`, `f16(x)`, `bool(x)`. There are no
 * others: nothing converts by itself, except that f16 is read as f32.
 */
import { elementTypes } from '../types/program.ts';
import { pointwise } from '../tensors/pointwise.ts';
import { operand, value } from './arguments.ts';
import { isProblem, type Primitive } from './primitive.ts';
import { computable, retyped } from './operand-typing.ts';

/** Towards zero, to the ends of 32 bits if it is further out, NaN to 0. */
function truncate(value: number): number {
  if (Number.isNaN(value)) return 0;
  return Math.min(Math.max(Math.trunc(value), -(2 ** 31)), 2 ** 31 - 1);
}

export const convert: Primitive = {
  name: 'convert',
  surface: elementTypes,
  syntax: 'call',
  parameters: [value('x', 'a tensor or a route; of a route the present weights are converted')],
  untyped: false,
  documentation: {
    summary: 'The same values as another element type.',
    detail:
      'f16 rounds to nearest, ties to even, to infinity from 65,520 on. i32 of a float drops the fraction (write floor or ceil) and stays within 32 bits; of NaN it is 0. bool is whether the value is not 0; true is 1.',
    example: 'i32(floor(x))',
  },
  infer(call) {
    const x = computable(call, 'x');
    if (isProblem(x)) return x;
    const element = call.element ?? 'f32';
    if (x.kind === 'tensor' && x.within !== undefined && element === 'i32') return { type: x };
    return { type: retyped(x, element) };
  },
  evaluate(call, run) {
    const x = operand(call, 'x');
    const f = call.element === 'i32' && x.value.element !== 'i32' ? truncate : (a: number): number => a;
    return pointwise([x], f, call.element, run.absent);
  },
};
