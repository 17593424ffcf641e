/**
 * Tensors made of nothing: `iota(T)`, `zeros[H]`, `ones[E]`. Like a literal they are of the element type they meet.
 */
import { countPoints } from '../tensors/tensor.ts';
import { axes, axesArgument, axisArgument, dense } from './arguments.ts';
import { isProblem, type Primitive } from './primitive.ts';
import { axesGiven, distinct, oneAxis, tensor } from './operand-typing.ts';

export const iota: Primitive = {
  name: 'iota',
  surface: ['iota'],
  syntax: 'call',
  parameters: [axes('axis', 'an axis', { positional: true })],
  untyped: true,
  documentation: {
    summary: 'The position along an axis, from 0.',
    detail: 'Of the element type it meets, f32 if it meets none.',
    example: "where(iota(T) >= iota(T'), dot(q, rename(k, T: T'), over: D), -inf)",
  },
  infer(call) {
    const axis = oneAxis(call, 'axis', 'iota');
    if (isProblem(axis)) return axis;
    // Positions are numbers: as truth values they would say nothing but "not the first".
    return tensor(call.element === null || call.element === 'bool' ? 'f32' : call.element, [axis]);
  },
  evaluate(call) {
    const axis = axisArgument(call, 'axis');
    return dense(
      call.element,
      [axis],
      Float64Array.from({ length: countPoints([axis]) }, (_, i) => i),
    );
  },
};

function filled(name: 'zeros' | 'ones', fill: number): Primitive {
  return {
    name,
    surface: [name],
    syntax: 'made',
    parameters: [axes('axes', 'the axes of the result', { positional: true })],
    untyped: true,
    documentation: {
      summary: `${fill} at every point of some axes.`,
      detail: 'Of the element type it meets, f32 if it meets none.',
      example: name === 'zeros' ? 'zeros[H]' : 'ones[E]',
    },
    infer(call) {
      const written = axesGiven(call, 'axes');
      return distinct(call, written, 'axes') ?? tensor(call.element ?? 'f32', written);
    },
    evaluate(call) {
      const all = axesArgument(call, 'axes');
      return dense(call.element, all, new Float64Array(countPoints(all)).fill(fill));
    },
  };
}

export const zeros = filled('zeros', 0);
export const ones = filled('ones', 1);
