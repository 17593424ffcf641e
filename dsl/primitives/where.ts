/**
 * `where(c, a, b)`: a where c holds, else b, elementwise. The condition is bool, or a route: then "present (and true)".
 * With dense a and b the result is dense over all their axes; if one of them is a route it is a route as in any elementwise
 * function. Two routes are refused: a choice between them is `keep(a, c) + keep(b, not c)`. Only the side taken matters: an infinity or NaN on the other side does no harm.
 */
import { pointwise } from '../tensors/pointwise.ts';
import { conditionOperand, operand, value } from './arguments.ts';
import { isProblem, type Primitive } from './primitive.ts';
import { uniteAxes } from '../types/axes.ts';
import { computable, conditionArgument, format, isFloat, join, meet, sameWithin } from './operand-typing.ts';

export const where: Primitive = {
  name: 'where',
  surface: ['where'],
  syntax: 'call',
  parameters: [
    value('condition', 'a bool, or a route: where it is present', { element: 'bool' }),
    value('then', 'the values where the condition holds'),
    value('else', 'the values elsewhere'),
  ],
  untyped: false,
  documentation: {
    summary: 'One value where a condition holds, another elsewhere.',
    detail: 'A choice known when compiling is `if`. -inf as a score means "not a candidate" to a selection.',
    example: 'where(open, s, -inf)',
  },
  infer(call) {
    const condition = conditionArgument(call, 'condition');
    if (isProblem(condition)) return condition;
    const then = computable(call, 'then');
    if (isProblem(then)) return then;
    const other = computable(call, 'else');
    if (isProblem(other)) return other;
    const element = meet(['then', 'else'], [then, other]);
    if (isProblem(element)) return element;
    const kept = isFloat(element) && then.element === other.element ? then.element : element;
    if (then.kind === 'route' && other.kind === 'route') {
      return {
        code: 'MOE0455',
        message: `where between ${format(call, then)} and ${format(call, other)}: it would be present only where both are`,
        help: 'keep(a, c) + keep(b, not c) chooses one of two routes; r * where(c, 2, 1) changes weights of one',
      };
    }
    if (then.kind === 'route' || other.kind === 'route') return { type: join([then, other, condition], kept) };
    const within = sameWithin(then, other);
    const axes = uniteAxes(uniteAxes(condition.axes, then.axes), other.axes);
    return { type: { kind: 'tensor', element: kept, axes, ...(within === undefined ? {} : { within }) } };
  },
  evaluate: (call, run) =>
    pointwise(
      [{ kind: 'tensor', value: conditionOperand(call, 'condition') }, operand(call, 'then'), operand(call, 'else')],
      (condition, then, other) => (condition !== 0 ? then : other),
      call.element,
      run.absent,
    ),
};
