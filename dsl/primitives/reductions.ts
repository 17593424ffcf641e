/**
 * Reductions: one number for each point of the axes that are not reduced. Of a route they read what is present. Over some of
 * its targets the result is a route of the others, present where anything was, with the least of the ranks; else it is a
 * dense tensor: `sum` of nothing is 0, `max` -inf, `min` inf, `logsumexp` -inf. `mean`, `var` and `std` over the
 * support of a route are refused: it is not clear which points count. Over payload axes they are what they are, and
 * where the route is absent 0, the mean of nothing.
 *
 * A maximum over nothing in a tensor is an error of the run where it is needed (of the program, if the axis is static).
 * `argmax` is the lowest index of the greatest value (-inf counts like any number); NaN is an error of the run.
 */
import { noNumber } from '../diagnostics/invariants.ts';
import {
  logSumExpOf,
  maximumOf,
  meanOf,
  minimumOf,
  reduce,
  reduceTargets,
  sumOf,
  varianceOf,
  type Line,
} from '../tensors/reduce-lines.ts';
import { pointAt, without } from '../tensors/tensor.ts';
import { axesOf } from '../tensors/pointwise.ts';
import { axesArgument, operand, overParameter, value } from './arguments.ts';
import type { AxisVar } from '../types/program.ts';
import { reductionNames, type ReductionName } from '../types/primitive-names.ts';
import { axesOfType, sharedAxes, withoutAxes } from '../types/axes.ts';
import {
  isProblem,
  type Documentation,
  type Inferred,
  type Primitive,
  type TypeCall,
  type TypeProblem,
} from './primitive.ts';
import { computable, computed, format, list, oneAxis, over, supportOf, targetsLeft, wants } from './operand-typing.ts';

interface Entry {
  readonly of: 'float' | 'number';
  readonly f: (line: Line) => number;
  /** Of nothing there is none. */
  readonly needsOne: boolean;
  /** Reads the support of a route. */
  readonly overSupport: boolean;
  readonly documentation: Documentation;
}

const say = (summary: string, example: string, detail = ''): Documentation => ({ summary, detail, example });

const entries: Record<ReductionName, Entry> = {
  sum: {
    of: 'number',
    f: sumOf,
    needsOne: false,
    overSupport: true,
    documentation: say(
      'The sum over axes.',
      'sum(x, over: D)',
      'Over nothing 0. Of a route: of what is present; over some of its targets it is a route of the others.',
    ),
  },
  mean: {
    of: 'float',
    f: meanOf,
    needsOne: false,
    overSupport: false,
    documentation: say('The mean over axes.', 'mean(p, over: T)', 'Over nothing 0.'),
  },
  max: {
    of: 'number',
    f: maximumOf,
    needsOne: true,
    overSupport: true,
    documentation: say(
      'The greatest over axes.',
      'max(p, over: E)',
      'Of a route where nothing is present: -inf; over some of its targets it is a route of the others.',
    ),
  },
  min: {
    of: 'number',
    f: minimumOf,
    needsOne: true,
    overSupport: true,
    documentation: say(
      'The least over axes.',
      'min(p, over: E)',
      'Of a route where nothing is present: inf; over some of its targets it is a route of the others.',
    ),
  },
  var: {
    of: 'float',
    f: varianceOf,
    needsOne: false,
    overSupport: false,
    documentation: say('The variance over axes.', 'var(load(r, over: T), over: E)', 'Divided by n. Over nothing 0.'),
  },
  std: {
    of: 'float',
    f: (line) => Math.sqrt(varianceOf(line)),
    needsOne: false,
    overSupport: false,
    documentation: say('The standard deviation over axes.', 'std(s, over: E)', 'The root of `var`.'),
  },
  logsumexp: {
    of: 'float',
    f: logSumExpOf,
    needsOne: false,
    overSupport: true,
    documentation: say(
      'log(sum(exp(x))), without overflow.',
      'logsumexp(w @ x, over: E) ** 2',
      'Over nothing -inf. Over some of the targets of a route it is a route of the others.',
    ),
  },
  argmax: {
    of: 'number',
    f: argmaxOf,
    needsOne: true,
    overSupport: false,
    documentation: say(
      'Where along an axis the greatest is.',
      'argmax(s, over: E)',
      'i32 in that axis; the lower index of equal ones. NaN is an error of the run.',
    ),
  },
};

function argmaxOf({ values, positions, count }: Line): number {
  let best = -1;
  for (let k = 0; k < count; k++) {
    const value = values[k] ?? noNumber();
    if (!Number.isNaN(value) && (best < 0 || value > (values[best] ?? noNumber()))) best = k;
  }
  return best < 0 ? 0 : (positions[best] ?? noNumber());
}

/** The axes argument by which the checker tells that the result is a route: the targets it still has. */
export const stillTargets = 'targets';

function reduction(name: ReductionName, entry: Entry): Primitive {
  return {
    name,
    surface: [name],
    syntax: 'call',
    parameters: [value('x', 'a tensor or a route'), overParameter],
    untyped: false,
    documentation: entry.documentation,
    infer: (call) => inferReduction(call, name, entry),
    evaluate(call, run) {
      const x = operand(call, 'x');
      const along = axesArgument(call, 'over');
      const rest = without(axesOf(x), along);
      if (x.kind === 'route' && call.axes.has(stillTargets))
        return { kind: 'route', value: reduceTargets(x.value, along, call.element, run.absent, entry.f) };
      return reduce(x, along, call.element, (line, r) => {
        if (entry.needsOne && line.count === 0 && x.kind === 'tensor') {
          run.problem(
            'MOE0722',
            `${name} over ${along.map((axis) => axis.name).join(', ')}, which is empty`,
            rest,
            pointAt(rest, r),
          );
          return name === 'argmax' ? -1 : NaN;
        }
        if (name === 'argmax' && line.values.subarray(0, line.count).some(Number.isNaN)) {
          run.problem('MOE0720', 'argmax met a value that is not a number', rest, pointAt(rest, r));
        }
        return entry.f(line);
      });
    },
  };
}

function inferReduction(call: TypeCall, name: ReductionName, entry: Entry): Inferred | TypeProblem {
  const x = computable(call, 'x');
  if (isProblem(x)) return x;
  const gone = over(call, name, x);
  if (isProblem(gone)) return gone;
  const problem = wants(name, x.element, entry.of, 'x');
  if (problem !== null) return problem;
  if (x.kind === 'route') {
    const refused = refuseSupport(
      call,
      name,
      x.kind === 'route' ? sharedAxes(gone, supportOf(x)) : [],
      format(call, x),
    );
    if (name === 'argmax' || (!entry.overSupport && refused !== null)) {
      return (
        refused ?? {
          code: 'MOE0433',
          message: 'argmax takes a dense tensor, not a route',
          at: 'x',
          help: 'say dense(…)',
        }
      );
    }
  }
  const axes = withoutAxes(axesOfType(x), gone);
  const filled = new Map([['over', gone]]);
  const left = x.kind === 'route' ? targetsLeft(x, gone) : null;
  if (x.kind === 'route' && left !== null) {
    const type = { ...x, element: computed(x.element), targets: left, payload: withoutAxes(x.payload, gone) };
    return { type, axes: filled.set(stillTargets, left) };
  }
  if (name !== 'argmax') return { type: { kind: 'tensor', element: computed(x.element), axes }, axes: filled };
  const axis = oneAxis({ ...call, axes: filled }, 'over', name);
  if (isProblem(axis)) return axis;
  return { type: { kind: 'tensor', element: 'i32', axes, within: axis }, axes: filled };
}

function refuseSupport(
  call: TypeCall,
  name: ReductionName,
  support: readonly AxisVar[],
  type: string,
): TypeProblem | null {
  if (support.length === 0) return null;
  const axes = list(call, support);
  if (name === 'argmax') {
    return {
      code: 'MOE0431',
      message: `argmax over ${axes} of ${type}: a route has no value at its absent points`,
      at: 'x',
      help: `argmax(where(r, dense(r), -inf), over: ${axes}) looks at what is present`,
    };
  }
  return {
    code: 'MOE0431',
    message: `${name} over ${axes} of ${type}: it is not clear whether absent points count`,
    at: 'x',
    help: `write ${name}(dense(r), over: ${axes}) to count them as 0, or divide sum(r, over: ${axes}) by a number of your own`,
  };
}

export const reductionPrimitives: readonly Primitive[] = reductionNames.map((name) => reduction(name, entries[name]));
