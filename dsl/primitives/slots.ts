/**
 * `slots(r, P, over: T)`: `route[S -> X, P]`, each assignment with its place in its target's queue along T, in token
 * order. Weight 1, ranks r's. Places beyond P are dropped and reported. `dot(s, x, over: T)` packs, `s @ y` puts back.
 */
import { noNumber } from '../diagnostics/invariants.ts';
import { queues } from '../tensors/queues.ts';
import { countPoints, offsets, sizeOf } from '../tensors/tensor.ts';
import { routeOf } from '../tensors/choose.ts';
import { one } from '../types/size.ts';
import { axes, axesArgument, axisArgument, routeOperand, value } from './arguments.ts';
import { queueAxes } from './limit.ts';
import { axesOfType } from '../types/axes.ts';
import { isProblem, type Primitive } from './primitive.ts';
import { axesGiven, format, fresh, oneAxis, routeArgument } from './operand-typing.ts';

export const slots: Primitive = {
  name: 'slots',
  surface: ['slots'],
  syntax: 'call',
  parameters: [
    value('r', 'a route'),
    axes('places', 'the axis of places, a new target', { positional: true }),
    axes('over', 'the sources along which tokens queue'),
  ],
  untyped: true,
  documentation: {
    summary: 'For each assignment its place in the queue of its target.',
    detail:
      'In token order; what has no place is dropped. Weights and payload are left behind: every weight is 1, and `(s * r) @ y` weighs what comes back.',
    example: 'let s = slots(r, P, over: T)',
    source: 'arXiv:2006.16668',
  },
  infer(call) {
    const r = routeArgument(call, 'r');
    if (isProblem(r)) return r;
    const places = oneAxis(call, 'places', 'slots');
    if (isProblem(places)) return places;
    const problem =
      queueAxes(call, 'slots', r, axesGiven(call, 'over')) ??
      fresh(call, places, axesOfType(r), format(call, r), 'places');
    return problem ?? { type: { ...r, element: call.element ?? 'f32', targets: [...r.targets, places], payload: [] } };
  },
  evaluate(call, run) {
    const r = routeOperand(call, 'r');
    const places = axisArgument(call, 'places');
    const size = sizeOf(places);
    const { axes: laid, rest, lines } = queues(r, axesArgument(call, 'over'), []);
    const ranks = offsets(laid, r.support);
    const support = [...laid, places];
    const present = new Uint8Array(countPoints(support));
    const rank = new Int32Array(present.length);
    let dropped = 0;
    for (const line of lines) {
      line.forEach((point, position) => {
        if (position >= size) dropped++;
        else {
          present[point * size + position] = 1;
          rank[point * size + position] = r.rank[ranks[point] ?? noNumber()] ?? noNumber();
        }
      });
    }
    run.dropped(dropped);
    const facts = [...r.facts, { per: [...rest, places], atMost: one }, { per: r.support, atMost: one }];
    return routeOf(
      support,
      { present, rank },
      new Float64Array(present.length).fill(1),
      call.element,
      run.absent,
      facts,
    );
  },
};
