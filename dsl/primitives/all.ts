/** `all(s, over: E)`: everything is present (of a route: everything that is), the rank is the index along `over`. */
import { candidates, choose, chosenOf, grouped, laidOutOver, routeOf } from '../tensors/choose.ts';
import { multiply } from '../types/size.ts';
import { axesArgument, operand, overParameter, value } from './arguments.ts';
import type { Primitive } from './primitive.ts';
import { selection } from './selection.ts';

export const all: Primitive = {
  name: 'all',
  surface: ['all'],
  syntax: 'call',
  parameters: [value('s', 'the weights'), overParameter],
  untyped: false,
  documentation: {
    summary: 'Every point, as a route.',
    detail: 'Dense routing: nothing is left out. No value is judged, -inf is a weight here.',
    example: 'all(softmax(w @ x, over: E), over: E) @ ffn(x)',
    source: 'Jacobs, Jordan, Nowlan, Hinton: Adaptive mixtures of local experts, 1991',
  },
  infer: (call) => selection(call, 'all', 's'),
  evaluate(call, run) {
    const s = operand(call, 's');
    const { axes, rest, over, width } = grouped([s], axesArgument(call, 'over'));
    const chosen = chosenOf(axes);
    candidates([s], undefined, axes).forEach((here, i) => {
      if (here === 1) choose(chosen, i, i % width);
    });
    const facts = [
      { per: rest, atMost: multiply(over.map((axis) => axis.size)) },
      ...(s.kind === 'route' ? s.value.facts : []),
    ];
    return routeOf(axes, chosen, laidOutOver(s, axes), call.element, run.absent, facts);
  },
};
