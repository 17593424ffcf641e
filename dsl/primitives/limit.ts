/**
 * `limit(r, to: c, over: T [, by: key])`: each target's queue along T, sorted by key and then position, is cut after the
 * first c; the rest is dropped and reported. Weights and ranks of what stays are kept, not renormalised. c is a static
 * whole number or i32 (it may differ from target to target); zero or less drops all. If a key is a route, points where
 * it is absent are dropped.
 */
import { noNumber } from '../diagnostics/invariants.ts';
import { laidOutOver } from '../tensors/choose.ts';
import { axesOf } from '../tensors/pointwise.ts';
import { queues } from '../tensors/queues.ts';
import { axesOfRoute, makeRoute, type F64Route } from '../tensors/route.ts';
import { countPoints, offsets, pointAt, take, unite, without } from '../tensors/tensor.ts';
import { axes, axesArgument, numberArgument, operand, routeOperand, staticSize, value } from './arguments.ts';
import { axesOfType, hasAxis, isSubset, withoutAxes } from '../types/axes.ts';
import { isProblem, type Primitive, type TypeCall, type TypeProblem } from './primitive.ts';
import { scores } from './selection.ts';
import { axesGiven, distinct, format, list, routeArgument, runTimeNumber, supportOf } from './operand-typing.ts';
import type { Axis } from '../types/axis.ts';
import type { AxisVar, RouteType } from '../types/program.ts';

export const limit: Primitive = {
  name: 'limit',
  surface: ['limit'],
  syntax: 'call',
  parameters: [
    value('r', 'a route'),
    {
      name: 'to',
      kind: 'either',
      positional: false,
      optional: false,
      element: 'i32',
      documentation: 'how many of each queue stay: a static whole number, or i32 over target axes',
    },
    axes('over', 'the sources along which tokens queue'),
    {
      name: 'by',
      kind: 'value',
      positional: false,
      optional: true,
      many: true,
      apart: true,
      documentation: 'what queues are sorted by, ascending; a tuple of keys lexicographically',
    },
  ],
  untyped: false,
  documentation: {
    summary: 'A capacity: the first c of each queue stay.',
    detail:
      'Without `by:` the queue is in token order. `by: rank(r)`: all first choices first; `by: -r`: best first; `by: (rank(r), -p)`: batch priority. What does not stay is dropped; `count` before and after tells how much.',
    example: 'limit(r, to: ceil(1.25 * K * T / E), over: T, by: rank(r))',
    source: 'arXiv:2101.03961',
  },
  infer(call) {
    const r = routeArgument(call, 'r');
    if (isProblem(r)) return r;
    const over = axesGiven(call, 'over');
    const problem = queueAxes(call, 'limit', r, over);
    if (problem !== null) return problem;
    for (const name of keyNames(call.args)) {
      const key = scores(call, name, 'limit');
      if (isProblem(key)) return key;
      if (isSubset(axesOfType(key), supportOf(r))) continue;
      const more = list(call, withoutAxes(axesOfType(key), supportOf(r)));
      return {
        code: 'MOE0435',
        message: `this key differs along ${more}, along which ${format(call, r)} has no choices`,
        at: name,
      };
    }
    return runTimeNumber(call, 'to', withoutAxes(supportOf(r), over), 'i32') ?? { type: r };
  },
  evaluate(call, run) {
    const r = routeOperand(call, 'r');
    const over = axesArgument(call, 'over');
    const to = call.args.get('to');
    const keys = keyNames(call.args).map((name) => operand(call, name));
    // Carried axes that only the capacity has are sources too: each of their points has queues of its own.
    const wide = to === undefined ? r.support : unite(r.support, axesOf(to));
    const queued = queues({ ...r, ...spreadPresence(r, wide) }, over, keys);
    const { axes: support, rest, lines, notANumber } = queued;
    for (const point of notANumber) {
      const queue = Math.floor(point / countPoints(over));
      run.problem('MOE0720', 'a key that limit sorts by is not a number', rest, pointAt(rest, queue));
    }
    const many = to === undefined ? null : laidOutOver(to, rest);
    const present = new Uint8Array(countPoints(support));
    let dropped = 0;
    lines.forEach((line, g) => {
      const count = Math.max(many === null ? numberArgument(call, 'to', 0) : (many[g] ?? noNumber()), 0);
      for (const point of line.slice(0, count)) present[point] = 1;
      dropped += Math.max(line.length - count, 0);
    });
    run.dropped(dropped);
    const ranks = offsets(support, r.support);
    const width = countPoints(r.payload);
    const weight = take(r.weight, offsets([...support, ...r.payload], axesOfRoute(r))).map((each, i) =>
      present[Math.floor(i / width)] === 1 ? each : run.absent,
    );
    const rank = Int32Array.from(present, (here, i) =>
      here === 1 ? (r.rank[ranks[i] ?? noNumber()] ?? noNumber()) : 0,
    );
    const bound = staticSize(call.attributes, 'to');
    const more = without(support, r.support);
    const facts = [
      ...r.facts.map((fact) => ({ per: [...fact.per, ...more], atMost: fact.atMost })),
      ...(bound === null ? [] : [{ per: rest, atMost: bound }]),
    ];
    return {
      kind: 'route',
      value: makeRoute({ support, payload: r.payload, present, rank, weight, element: r.element, facts }),
    };
  },
};

/** The same presence over more axes. */
function spreadPresence(r: F64Route, support: readonly Axis[]): Pick<F64Route, 'support' | 'present'> {
  return { support, present: Uint8Array.from(offsets(support, r.support), (i) => r.present[i] ?? noNumber()) };
}

/** `by0`, `by1`, … as far as they go. */
export function keyNames(args: ReadonlyMap<string, unknown>): readonly string[] {
  const names: string[] = [];
  while (args.has(`by${names.length}`)) names.push(`by${names.length}`);
  return names;
}

/** Queues run along sources: at least one axis, none of them a target. */
export function queueAxes(call: TypeCall, what: string, r: RouteType, over: readonly AxisVar[]): TypeProblem | null {
  const twice = distinct(call, over, 'over');
  if (twice !== null) return twice;
  const wrong = over.find((axis) => !hasAxis(r.sources, axis));
  if (wrong === undefined) return null;
  const name = call.nameOf(wrong);
  return {
    code: 'MOE0435',
    message: `${name} is no source of ${format(call, r)}: ${what} forms a queue for each target along sources`,
    at: 'over',
    help: hasAxis(r.targets, wrong)
      ? 'declare the route the other way round with a `let r: route[… -> …] = …` first'
      : `name ${name} in the signature: a function that mixes the points of an axis says so`,
  };
}
