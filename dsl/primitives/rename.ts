/** `rename(x, T: T', …)`: the same values, axes called otherwise, all at once. The sizes are equal, the names free. */
import { at } from '../diagnostics/invariants.ts';
import { renamed } from '../tensors/reindex.ts';
import { axes, axesArgument, operand, value } from './arguments.ts';
import { hasAll } from './axes-changed.ts';
import { axesOfType, sameAxis, withoutAxes } from '../types/axes.ts';
import { isProblem, type Primitive } from './primitive.ts';
import { axesGiven, computable, distinct, fresh, substituteAxes } from './operand-typing.ts';

export const rename: Primitive = {
  name: 'rename',
  surface: ['rename'],
  syntax: 'pairs',
  pairs: { left: 'from', right: 'to' },
  parameters: [
    value('x', 'a tensor or a route'),
    axes('from', 'axes of the value'),
    axes('to', 'for each its new name, of equal size'),
  ],
  untyped: false,
  documentation: {
    summary: 'The same values with axes called otherwise.',
    detail: "A twin such as T' is always of equal size. Of a route: points, weights and ranks stay.",
    example: "rename(k, T: T')",
  },
  infer(call) {
    const x = computable(call, 'x');
    if (isProblem(x)) return x;
    const [from, to] = [axesGiven(call, 'from'), axesGiven(call, 'to')];
    const problem = hasAll(call, x, from, 'from') ?? distinct(call, to, 'to');
    if (problem !== null) return problem;
    const rest = withoutAxes(axesOfType(x), from);
    for (const axis of to) {
      const taken = fresh(call, axis, rest, 'this value', 'to');
      if (taken !== null) return taken;
    }
    const type = substituteAxes(x, (axis) => {
      const i = from.findIndex((each) => sameAxis(each, axis));
      return [i < 0 ? axis : at(to, i, 'primitives: axis of a rename')];
    });
    return { type };
  },
  evaluate(call) {
    const [from, to] = [axesArgument(call, 'from'), axesArgument(call, 'to')];
    return renamed(
      operand(call, 'x'),
      new Map(from.map((axis, i) => [axis, at(to, i, 'primitives: axis of a rename')])),
    );
  },
};
