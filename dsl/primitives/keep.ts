/**
 * `keep(v, c [, over: E])`: all points where c holds. Of a route fewer of its points, which keep weights and ranks; of a
 * tensor a route with targets `over`, ranked in index order among the kept. Nothing is judged by its value: a kept -inf
 * or NaN is a weight.
 */
import { noNumber } from '../diagnostics/invariants.ts';
import { candidates, choose, chosenOf, grouped, laidOutOver, routeOf } from '../tensors/choose.ts';
import { allPresent } from '../tensors/pointwise.ts';
import { axesOfRoute, conditionOf, makeRoute, type F64Route } from '../tensors/route.ts';
import { countPoints, offsets, take, unite, without } from '../tensors/tensor.ts';
import { axes, axesArgument, operand, value } from './arguments.ts';
import { axesOfType, isSubset, uniteAxes, withoutAxes } from '../types/axes.ts';
import { isProblem, type Primitive } from './primitive.ts';
import {
  checkOver,
  computable,
  computed,
  conditionArgument,
  format,
  list,
  selected,
  supportOf,
} from './operand-typing.ts';
import type { F64Operand } from '../tensors/operand.ts';

export const keep: Primitive = {
  name: 'keep',
  surface: ['keep'],
  syntax: 'call',
  parameters: [
    value('v', 'a route, or a tensor of weights'),
    value('c', 'what to keep: a bool, or a route: where it is present', { element: 'bool' }),
    axes('over', 'of a tensor: the axes it is a choice among; of a route: its targets from here on', {
      optional: true,
    }),
  ],
  untyped: false,
  documentation: {
    summary: 'The points where a condition holds, as a route.',
    detail: 'Weights and ranks of a route are kept, not renormalised and not renumbered.',
    example: 'keep(r, rank(r) == 0)',
  },
  infer(call) {
    const v = computable(call, 'v');
    if (isProblem(v)) return v;
    const c = conditionArgument(call, 'c');
    if (isProblem(c)) return c;
    const over = call.axes.get('over');
    if (v.kind === 'route') {
      if (!isSubset(c.axes, supportOf(v))) {
        const more = withoutAxes(c.axes, supportOf(v));
        return {
          code: 'MOE0435',
          message: `this condition differs along ${list(call, more)}, along which ${format(call, v)} has no choices`,
          at: 'c',
        };
      }
      if (over === undefined) return { type: v };
      const problem = checkOver(call, over, { kind: 'tensor', element: v.element, axes: supportOf(v) }, 'the support');
      if (problem !== null) return problem;
      return { type: { ...v, sources: withoutAxes(supportOf(v), over), targets: over } };
    }
    const all = uniteAxes(v.axes, c.axes);
    if (over === undefined) {
      const [last] = all.slice(-1);
      const help = last === undefined ? {} : { help: `keep(…, …, over: ${call.nameOf(last)})` };
      return { code: 'MOE0336', message: 'keep of a tensor needs to know what it is a choice among', at: 'v', ...help };
    }
    const problem = checkOver(call, over, { kind: 'tensor', element: v.element, axes: all }, 'the value');
    return problem ?? selected(axesOfType({ ...v, axes: all }), over, computed(v.element));
  },
  evaluate(call, run) {
    const [v, c] = [operand(call, 'v'), operand(call, 'c')];
    if (v.kind === 'route') return { kind: 'route', value: keepOfRoute(v.value, c, run.absent) };
    const { axes, count, width } = grouped([v, c], axesArgument(call, 'over'));
    const kept = candidates([], c, axes);
    const chosen = chosenOf(axes);
    for (let g = 0; g < count; g++) {
      let rank = 0;
      for (let i = g * width; i < (g + 1) * width; i++) if (kept[i] === 1) choose(chosen, i, rank++);
    }
    return routeOf(axes, chosen, laidOutOver(v, axes), call.element, run.absent, []);
  },
};

/** Carried axes that only the condition has become sources. */
function keepOfRoute(route: F64Route, c: F64Operand, absent: number): F64Route {
  const condition = c.kind === 'tensor' ? c.value : conditionOf(c.value);
  const support = unite(route.support, without(condition.axes, route.payload));
  const payload = route.payload;
  const holds = offsets(support, condition.axes);
  const present = allPresent([route], support).map((here, i) =>
    here === 1 && condition.data[holds[i] ?? noNumber()] !== 0 ? 1 : 0,
  );
  const ranks = offsets(support, route.support);
  const width = countPoints(payload);
  const weight = take(route.weight, offsets([...support, ...payload], axesOfRoute(route))).map((value, i) =>
    present[Math.floor(i / width)] === 1 ? value : absent,
  );
  const rank = Int32Array.from(present, (here, i) =>
    here === 1 ? (route.rank[ranks[i] ?? noNumber()] ?? noNumber()) : 0,
  );
  const more = without(support, route.support);
  const facts = route.facts.map((fact) => ({ per: [...fact.per, ...more], atMost: fact.atMost }));
  return makeRoute({ support, payload, present, rank, weight, element: route.element, facts });
}
