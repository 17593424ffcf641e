/**
 * `count(r, over: T)` and `load(r, over: T)`: at how many points of T a route is present, and which share of them that
 * is. Dense over the rest, f32, whatever the weights. No gradient.
 */
import { noNumber } from '../diagnostics/invariants.ts';
import { allPresent } from '../tensors/pointwise.ts';
import { countPoints, offsets, without } from '../tensors/tensor.ts';
import { axes, axesArgument, dense, routeOperand, value } from './arguments.ts';
import { isProblem, type Documentation, type Primitive } from './primitive.ts';
import { withoutAxes } from '../types/axes.ts';
import { axesGiven, checkOver, routeArgument, supportOf, tensor } from './operand-typing.ts';

function counting(name: 'load' | 'count', documentation: Documentation): Primitive {
  return {
    name,
    surface: [name],
    syntax: 'call',
    parameters: [value('r', 'a route'), axes('over', 'the axes whose points are counted')],
    untyped: false,
    documentation,
    infer(call) {
      const r = routeArgument(call, 'r');
      if (isProblem(r)) return r;
      const over = axesGiven(call, 'over');
      const support = supportOf(r);
      const problem = checkOver(
        call,
        over,
        { kind: 'tensor', element: 'bool', axes: support },
        'the support of the route',
      );
      return problem ?? tensor('f32', withoutAxes(support, over));
    },
    evaluate(call) {
      const r = routeOperand(call, 'r');
      const over = axesArgument(call, 'over');
      const rest = without(r.support, over);
      const to = offsets(r.support, rest);
      const data = new Float64Array(countPoints(rest));
      allPresent([r], r.support).forEach((here, i) => {
        const count = to[i] ?? noNumber();
        data[count] = (data[count] ?? noNumber()) + here;
      });
      const all = countPoints(over);
      if (name === 'count' || all === 0) return dense('f32', rest, data);
      return dense(
        'f32',
        rest,
        data.map((n) => n / all),
      );
    },
  };
}

export const load = counting('load', {
  summary: 'The share of points at which a route is present.',
  detail: 'Over tokens it adds up to K over the experts. Over nothing 0.',
  example: 'update bias = bias + 0.001 * sign(mean(load(r, over: T), over: E) - load(r, over: T))',
  source: 'arXiv:2408.15664',
});

export const count = counting('count', {
  summary: 'The number of points at which a route is present.',
  detail: 'As f32.',
  example: 'count(r, over: T)',
});
