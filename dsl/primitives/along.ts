/**
 * Operations along axes that keep them. `softmax`, `l2norm`, `rmsnorm` and `layernorm` take several axes at once;
 * `cumsum` and `argsort` depend on an order and take one.
 *
 * Of a route, softmax runs over what is present (`softmax(r)`: over the targets); the others are refused over support
 * axes, where absent points would have to count or not. Over payload axes all act at each present point.
 */
import { noNumber } from '../diagnostics/invariants.ts';
import { ascending } from '../tensors/ascending.ts';
import { along, maximumOf, meanOf, varianceOf, type Line } from '../tensors/reduce-lines.ts';
import { axesArgument, number, numberArgument, operand, overParameter, value } from './arguments.ts';
import { alongNames, type AlongName } from '../types/primitive-names.ts';
import {
  isProblem,
  type Documentation,
  type Inferred,
  type Primitive,
  type TypeCall,
  type TypeProblem,
} from './primitive.ts';
import { sharedAxes } from '../types/axes.ts';
import { BlockSums, SUM_BLOCK, sumInOrder } from '../tensors/sum-order.ts';
import { computable, computed, format, list, oneAxis, over, retyped, supportOf, wants } from './operand-typing.ts';

interface Entry {
  readonly of: 'float' | 'number';
  readonly ordered: boolean;
  readonly eps: boolean;
  readonly f: (line: Line, out: Float64Array, eps: number) => void;
  readonly documentation: Documentation;
}

const say = (summary: string, example: string, detail = '', source?: string): Documentation => ({
  summary,
  detail,
  example,
  ...(source === undefined ? {} : { source }),
});

/** Each value times a factor that all of them give. */
const scaled =
  (factor: (line: Line, eps: number) => number, shift: (line: Line) => number = () => 0) =>
  (line: Line, out: Float64Array, eps: number): void => {
    const times = factor(line, eps);
    const minus = shift(line);
    for (let k = 0; k < line.count; k++) out[k] = ((line.values[k] ?? noNumber()) - minus) * times;
  };

const squares = ({ values, count }: Line): number => sumInOrder(count, (k) => (values[k] ?? noNumber()) ** 2);

const entries: Record<AlongName, Entry> = {
  softmax: {
    of: 'float',
    ordered: false,
    eps: false,
    f: softmaxOf,
    documentation: say(
      'Exponentials that add up to 1.',
      'softmax(w @ x, over: E) |> top_k(K, over: E)',
      'Of nothing but -inf: 0. Of a route: over what is present.',
    ),
  },
  cumsum: {
    of: 'number',
    ordered: true,
    eps: false,
    f(line, out) {
      const closed = new BlockSums();
      for (let first = 0, before = 0; first < line.count; first += SUM_BLOCK) {
        let open = 0;
        for (let k = first; k < Math.min(first + SUM_BLOCK, line.count); k++)
          out[k] = before + (open += line.values[k] ?? noNumber());
        closed.enter(open);
        before = closed.total();
      }
    },
    documentation: say('The sum of what stands before along an axis, itself included.', 'cumsum(h, over: T)'),
  },
  argsort: {
    of: 'number',
    ordered: true,
    eps: false,
    f: argsortOf,
    documentation: say(
      'The indices that sort an axis: the first names the least.',
      'x[T: argsort(s, over: T)]',
      'Ascending; equal ones in their order, NaN before -inf. i32 in that axis.',
    ),
  },
  l2norm: {
    of: 'float',
    ordered: false,
    eps: true,
    f: scaled((line, eps) => 1 / Math.sqrt(squares(line) + eps)),
    documentation: say(
      'Each value divided by the length of all.',
      'l2norm(q, over: D, eps: 1e-12)',
      '`eps` inside the root, 0 if left out.',
    ),
  },
  rmsnorm: {
    of: 'float',
    ordered: false,
    eps: true,
    f: scaled((line, eps) => 1 / Math.sqrt(squares(line) / line.count + eps)),
    documentation: say(
      'Each value divided by the root of the mean square.',
      'scale * rmsnorm(x, over: D, eps: 1e-6)',
      '`eps` inside the root, 0 if left out.',
      'arXiv:1910.07467',
    ),
  },
  layernorm: {
    of: 'float',
    ordered: false,
    eps: true,
    f: scaled((line, eps) => 1 / Math.sqrt(varianceOf(line) + eps), meanOf),
    documentation: say(
      'Each value minus the mean, divided by the standard deviation.',
      'scale * layernorm(x, over: D, eps: 1e-5) + shift',
      '`eps` inside the root, 0 if left out.',
      'arXiv:1607.06450',
    ),
  },
};

function softmaxOf(line: Line, out: Float64Array): void {
  const max = maximumOf(line);
  if (max === -Infinity) {
    out.fill(0, 0, line.count);
    return;
  }
  const sum = sumInOrder(line.count, (k) => (out[k] = Math.exp((line.values[k] ?? noNumber()) - max)));
  for (let k = 0; k < line.count; k++) out[k] = (out[k] ?? noNumber()) / sum;
}

function argsortOf({ values, count }: Line, out: Float64Array): void {
  const order = Array.from({ length: count }, (_, k) => k);
  order.sort((a, b) => ascending(values[a] ?? noNumber(), values[b] ?? noNumber()) || a - b);
  order.forEach((from, k) => (out[k] = from));
}

function alongAxes(name: AlongName, entry: Entry): Primitive {
  const eps = number('eps', 'added inside the root, 0 if left out');
  return {
    name,
    surface: [name],
    syntax: 'call',
    parameters: [value('x', 'a tensor or a route'), overParameter, ...(entry.eps ? [eps] : [])],
    untyped: false,
    documentation: entry.documentation,
    infer: (call) => inferAlong(call, name, entry),
    evaluate(call, run) {
      const by = numberArgument(call, 'eps', 0);
      const over = axesArgument(call, 'over');
      const result = along(operand(call, 'x'), over, call.element, run.absent, (line, out) => entry.f(line, out, by));
      const [axis] = over;
      if (name !== 'argsort' || result.kind === 'route' || axis === undefined) return result;
      return { kind: 'tensor', value: { ...result.value, permutes: axis } };
    },
  };
}

function inferAlong(call: TypeCall, name: AlongName, entry: Entry): Inferred | TypeProblem {
  const x = computable(call, 'x');
  if (isProblem(x)) return x;
  const axes = over(call, name, x);
  if (isProblem(axes)) return axes;
  const problem = wants(name, x.element, entry.of, 'x');
  if (problem !== null) return problem;
  const filled = new Map([['over', axes]]);
  if (x.kind === 'route' && name !== 'softmax') {
    const support = sharedAxes(axes, supportOf(x));
    if (support.length > 0) {
      return {
        code: 'MOE0431',
        message: `${name} over ${list(call, support)} of ${format(call, x)}: it is not clear whether absent points count`,
        at: 'x',
        help: `write ${name}(dense(r), over: ${list(call, support)}) to count them as 0`,
      };
    }
  }
  if (!entry.ordered) return { type: retyped(x, computed(x.element)), axes: filled };
  const axis = oneAxis({ ...call, axes: filled }, 'over', name);
  if (isProblem(axis)) return axis;
  if (name !== 'argsort') return { type: retyped(x, computed(x.element)), axes: filled };
  if (x.kind === 'route') return { type: retyped(x, 'i32'), axes: filled };
  return { type: { kind: 'tensor', element: 'i32', axes: x.axes, within: axis }, axes: filled };
}

export const alongPrimitives: readonly Primitive[] = alongNames.map((name) => alongAxes(name, entries[name]));
