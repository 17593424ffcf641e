/**
 * `top_p(s, p, over: E [, at_most: n])`: of each group the shortest prefix by falling score whose sum exceeds p
 * (strictly: a prefix that sums to exactly p takes one more), all candidates if none does; the weight is s.
 */
import { at, noNumber } from '../diagnostics/invariants.ts';
import { candidates, choose, chosenOf, grouped, laidOutOver, routeOf, scored } from '../tensors/choose.ts';
import { pointAt } from '../tensors/tensor.ts';
import { axesArgument, number, numberArgument, operand, overParameter, value } from './arguments.ts';
import { isProblem, type Primitive } from './primitive.ts';
import { selection } from './selection.ts';
import { chosenAtMost } from './top-k.ts';
import { runTimeNumber } from './operand-typing.ts';

export const topP: Primitive = {
  name: 'top_p',
  surface: ['top_p'],
  syntax: 'call',
  parameters: [
    value('s', 'scores, which become the weights'),
    value('p', 'what the sum of the chosen has to exceed', { element: 'f32' }),
    overParameter,
    number('at_most', 'the most there can be; never more are chosen'),
  ],
  untyped: false,
  documentation: {
    summary: 'As many of the best as it takes for their sum to exceed p.',
    detail:
      'Sums run from the best score down. Ties: the lower index. -inf is never chosen; NaN is an error of the run.',
    example: 'softmax(w @ x, over: E) |> top_p(0.4, over: E, at_most: 4)',
    source: 'arXiv:2403.07652',
  },
  infer(call) {
    const result = selection(call, 'top_p', 's');
    if (isProblem(result)) return result;
    return runTimeNumber(call, 'p', result.rest, 'float') ?? { type: result.type, axes: result.axes };
  },
  evaluate(call, run) {
    const [s, p] = [operand(call, 's'), operand(call, 'p')];
    const groups = grouped([s, p], axesArgument(call, 'over'));
    const { axes, rest, width } = groups;
    const candidate = candidates([s], undefined, axes);
    const scores = laidOutOver(s, axes);
    const limits = laidOutOver(p, rest);
    const maxChosen = numberArgument(call, 'at_most', Infinity);
    const chosen = chosenOf(axes);
    for (let g = 0; g < groups.count; g++) {
      const points = scored(g, width, candidate, scores, () => {
        run.problem('MOE0720', 'a score that top_p chooses by is not a number', rest, pointAt(rest, g));
      });
      points.sort((a, b) => (scores[b] ?? noNumber()) - (scores[a] ?? noNumber()) || a - b);
      let sum = 0;
      for (let rank = 0; rank < Math.min(points.length, maxChosen); rank++) {
        const point = at(points, rank, 'primitives: candidate');
        choose(chosen, point, rank);
        sum += scores[point] ?? noNumber();
        if (sum > (limits[g] ?? noNumber())) break;
      }
    }
    return routeOf(axes, chosen, scores, call.element, run.absent, chosenAtMost(call, 'at_most', rest));
  },
};
