/**
 * `top_k(s, k, over: E [, by: t] [, where: c])`: of each point of the rest the k best points along `over`, by falling t
 * (s itself if there is no t), among those where c holds; the weight is s. Ties go to the lower index, row-major in the
 * written order of `over`. NaN is never chosen and an error of the run, -inf is no candidate; with fewer candidates
 * fewer are chosen.
 */
import { noNumber } from '../diagnostics/invariants.ts';
import { candidates, choose, chosenOf, grouped, laidOutOver, routeOf, scored } from '../tensors/choose.ts';
import { pointAt } from '../tensors/tensor.ts';
import { axesArgument, number, numberArgument, operand, overParameter, staticSize, value } from './arguments.ts';
import { isProblem, type Primitive } from './primitive.ts';
import type { F64Call } from '../tensors/operand.ts';
import type { BoundFact } from '../tensors/route-bounds.ts';
import type { Axis } from '../types/axis.ts';
import { needsAtMost, selection } from './selection.ts';
import { runTimeNumber } from './operand-typing.ts';

export const topK: Primitive = {
  name: 'top_k',
  surface: ['top_k'],
  syntax: 'call',
  parameters: [
    value('s', 'scores, which become the weights; of a route only what is present competes'),
    {
      name: 'k',
      kind: 'either',
      positional: true,
      optional: false,
      element: 'i32',
      documentation: 'how many of each group; chosen at run time (i32) it needs `at_most:`',
    },
    overParameter,
    { ...value('by', 'scores to choose by instead of s', { optional: true }), apart: true },
    value('where', 'which points may be chosen', { optional: true, element: 'bool' }),
    number('at_most', 'the greatest k there can be; never more are chosen'),
  ],
  untyped: false,
  documentation: {
    summary: 'The k best of each group, as a route.',
    detail:
      '`over:` says what is chosen among and becomes the target; the rest is batch. The rank is 0 for the best. Ties: the lower index. -inf is never chosen; NaN is an error of the run.',
    example: 'softmax(w @ x, over: E) |> top_k(K, over: E) |> normalize',
    source: 'arXiv:1701.06538',
  },
  infer(call) {
    const result = selection(call, 'top_k', 's', ['by'], ['where']);
    if (isProblem(result)) return result;
    const problem = runTimeNumber(call, 'k', result.rest, 'i32') ?? needsAtMost(call, 'k');
    return problem ?? { type: result.type, axes: result.axes };
  },
  evaluate(call, run) {
    const s = operand(call, 's');
    const by = call.args.get('by') ?? s;
    const where = call.args.get('where');
    const k = call.args.get('k');
    const operands = [s, by, ...(where === undefined ? [] : [where]), ...(k === undefined ? [] : [k])];
    const groups = grouped(operands, axesArgument(call, 'over'));
    const { axes, rest, width } = groups;
    const candidate = candidates([s, by], where, axes);
    const keys = laidOutOver(by, axes);
    const maxChosen = numberArgument(call, 'at_most', Infinity);
    const many = k === undefined ? null : laidOutOver(k, rest);
    const chosen = chosenOf(axes);
    for (let g = 0; g < groups.count; g++) {
      const points = scored(g, width, candidate, keys, () => {
        run.problem('MOE0720', 'a score that top_k chooses by is not a number', rest, pointAt(rest, g));
      });
      points.sort((a, b) => (keys[b] ?? noNumber()) - (keys[a] ?? noNumber()) || a - b);
      const count = Math.min(many === null ? numberArgument(call, 'k', 0) : (many[g] ?? noNumber()), maxChosen);
      points.slice(0, Math.max(count, 0)).forEach((point, rank) => choose(chosen, point, rank));
    }
    const facts = chosenAtMost(call, many === null ? 'k' : 'at_most', rest);
    return routeOf(axes, chosen, laidOutOver(s, axes), call.element, run.absent, facts);
  },
};

/** The fact "per point of the rest at most so many", if that number is static. */
export function chosenAtMost(call: F64Call, name: string, rest: readonly Axis[]): readonly BoundFact[] {
  const maxChosen = staticSize(call.attributes, name);
  return maxChosen === null ? [] : [{ per: rest, atMost: maxChosen }];
}
