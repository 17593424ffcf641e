/**
 * `normalize(r, eps: e)`: present weights divided by (their sum over the targets + e). A denominator of exactly 0 gives
 * weights 0; where nothing is present nothing is, so `r @ y` is 0 there.
 */
import { noNumber } from '../diagnostics/invariants.ts';
import { along, sumOf } from '../tensors/reduce-lines.ts';
import { axesArgument, number, numberArgument, operand, overParameter, value } from './arguments.ts';
import { isProblem, type Primitive } from './primitive.ts';
import { checkOver, computed, routeArgument, supportOf, wants } from './operand-typing.ts';

export const normalize: Primitive = {
  name: 'normalize',
  surface: ['normalize'],
  syntax: 'call',
  parameters: [
    value('r', 'a route'),
    { ...overParameter, documentation: 'the axes of the support that are summed over, by default the targets' },
    number('eps', 'added to the sum, 0 if left out'),
  ],
  untyped: false,
  documentation: {
    summary: 'Weights that add up to 1.',
    detail: 'An empty choice stays empty; a sum of exactly 0 gives weights 0.',
    example: 'top_k(s, K, over: E) |> normalize(eps: 1e-20)',
  },
  infer(call) {
    const r = routeArgument(call, 'r');
    if (isProblem(r)) return r;
    const over = call.axes.get('over') ?? r.targets;
    const support = { kind: 'tensor', element: r.element, axes: supportOf(r) } as const;
    const problem =
      wants('normalize', r.element, 'float', 'r') ?? checkOver(call, over, support, 'the support of the route');
    return problem ?? { type: { ...r, element: computed(r.element) }, axes: new Map([['over', over]]) };
  },
  evaluate(call, run) {
    const eps = numberArgument(call, 'eps', 0);
    return along(operand(call, 'r'), axesArgument(call, 'over'), call.element, run.absent, (line, out) => {
      const sum = sumOf(line) + eps;
      for (let k = 0; k < line.count; k++) out[k] = sum === 0 ? 0 : (line.values[k] ?? noNumber()) / sum;
    });
  },
};
