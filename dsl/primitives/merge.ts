/** `merge(x, (G, M): E)`: several axes as one, row-major in the order written. The inverse of split. */
import { merged, reindex } from '../tensors/reindex.ts';
import { axes, axesArgument, axisArgument, operand, value } from './arguments.ts';
import { hasAll, replaceAxes } from './axes-changed.ts';
import { isProblem, type Primitive } from './primitive.ts';
import { sharedAxes } from '../types/axes.ts';
import { axesGiven, computable, format, list, oneAxis } from './operand-typing.ts';

export const merge: Primitive = {
  name: 'merge',
  surface: ['merge'],
  syntax: 'pairs',
  pairs: { left: 'axes', right: 'into' },
  parameters: [
    value('x', 'a tensor or a route'),
    axes('axes', 'the axes to put together, outer first'),
    axes('into', 'the axis they become, of the product of their sizes'),
  ],
  untyped: false,
  documentation: {
    summary: 'Several axes as one, row-major.',
    detail: 'Of a route: the axes are all sources, all targets or all payload; points, weights and ranks stay.',
    example: 'merge(g, (G, M): E)',
  },
  infer(call) {
    const x = computable(call, 'x');
    if (isProblem(x)) return x;
    const into = oneAxis(call, 'into', 'merge');
    if (isProblem(into)) return into;
    const from = axesGiven(call, 'axes');
    const problem = hasAll(call, x, from, 'axes');
    if (problem !== null) return problem;
    if (x.kind === 'route') {
      const roles = [x.sources, x.targets, x.payload].filter((role) => sharedAxes(from, role).length > 0);
      if (roles.length > 1) {
        return {
          code: 'MOE0439',
          message: `${list(call, from)} are not all sources, all targets or all payload of ${format(call, x)}`,
          at: 'axes',
          help: 'declare the route the other way round with a `let r: route[…] = …` first',
        };
      }
    }
    return replaceAxes(call, x, from, [into], { from: 'axes', to: 'into' });
  },
  evaluate: (call) => reindex(operand(call, 'x'), merged(axesArgument(call, 'axes'), axisArgument(call, 'into'))),
};
