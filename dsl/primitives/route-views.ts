/**
 * What else a route is asked: `mask(r)` (1 where it is present), `rank(r)` (the order of choice), `dense(r)` (a tensor,
 * 0 where it is absent). `mask` and `rank` have r's points and ranks and leave a payload behind; no gradient passes.
 */
import { noNumber } from '../diagnostics/invariants.ts';
import { filledWith, makeRoute, type F64Route } from '../tensors/route.ts';
import { routeOperand, value } from './arguments.ts';
import { axesOfType } from '../types/axes.ts';
import { isProblem, type Primitive } from './primitive.ts';
import { routeArgument, tensor } from './operand-typing.ts';

/** The same points and ranks with other weights, one at each. */
function reweighted(
  r: F64Route,
  weight: (point: number) => number,
  element: F64Route['element'],
  absent: number,
): F64Route {
  const { support, present, rank, facts } = r;
  const weights = Float64Array.from(present, (here, i) => (here === 1 ? weight(i) : absent));
  return makeRoute({ support, payload: [], present, rank, weight: weights, element, facts });
}

export const mask: Primitive = {
  name: 'mask',
  surface: ['mask'],
  syntax: 'call',
  parameters: [value('r', 'a route')],
  untyped: true,
  documentation: {
    summary: 'Weight 1 wherever a route is present.',
    detail: '`mask(r) @ y` selects. Of the element type it meets, f32 if it meets none.',
    example: 'mask(r) @ ffn(r * x)',
  },
  infer(call) {
    const r = routeArgument(call, 'r');
    return isProblem(r) ? r : { type: { ...r, element: call.element ?? 'f32', payload: [] } };
  },
  evaluate: (call, run) => ({
    kind: 'route',
    value: reweighted(routeOperand(call, 'r'), () => 1, call.element, run.absent),
  }),
};

export const rank: Primitive = {
  name: 'rank',
  surface: ['rank'],
  syntax: 'call',
  parameters: [value('r', 'a route')],
  untyped: false,
  documentation: {
    summary: 'The order of choice, from 0, as the weights of a route of i32.',
    detail: 'Ranks are kept by everything that keeps points: they need not be consecutive after keep or limit.',
    example: 'keep(r, rank(r) == 0)',
  },
  infer(call) {
    const r = routeArgument(call, 'r');
    return isProblem(r) ? r : { type: { ...r, element: 'i32', payload: [] } };
  },
  evaluate(call, run) {
    const r = routeOperand(call, 'r');
    return { kind: 'route', value: reweighted(r, (point) => r.rank[point] ?? noNumber(), 'i32', run.absent) };
  },
};

export const denseOf: Primitive = {
  name: 'dense',
  surface: ['dense'],
  syntax: 'call',
  parameters: [value('r', 'a route')],
  untyped: false,
  documentation: {
    summary: 'A tensor of the weights, 0 where the route is absent.',
    detail: 'A contraction with it reads everything, also what the route left out.',
    example: 'dense(r) + bias',
  },
  infer(call) {
    const r = routeArgument(call, 'r');
    return isProblem(r) ? r : tensor(r.element, axesOfType(r));
  },
  evaluate: (call) => ({ kind: 'tensor', value: filledWith(routeOperand(call, 'r'), 0) }),
};
