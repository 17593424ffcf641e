/**
 * Indexing by what is known when compiling: `x[T: 0]`, `x[T: a .. b as S]`, `x[P: part]`, and `is(P: part)`. Of a route
 * the points that remain keep their weights and ranks, nothing is renumbered. All ranges lie inside their axis.
 */
import { indexed, splitFrom, reindex } from '../tensors/reindex.ts';
import { sizeOf } from '../tensors/tensor.ts';
import { axes, axesArgument, axisArgument, dense, integerArgument, number, operand, value } from './arguments.ts';
import { replaceAxes } from './axes-changed.ts';
import { isProblem, type Primitive } from './primitive.ts';
import { axesGiven, computable, oneAxis, tensor } from './operand-typing.ts';

const subject = value('x', 'a tensor or a route');
const axis = axes('axis', 'the axis that is indexed');

export const at: Primitive = {
  name: 'at',
  surface: [],
  syntax: 'index',
  parameters: [subject, axis, number('index', 'a point of it', { optional: false })],
  untyped: false,
  documentation: {
    summary: 'One point of an axis, which is gone.',
    detail: 'A choice made at run time is an index by a tensor.',
    example: 'x[T: 0]',
  },
  infer(call) {
    const x = computable(call, 'x');
    if (isProblem(x)) return x;
    const from = oneAxis(call, 'axis', 'an index');
    return isProblem(from) ? from : replaceAxes(call, x, [from], [], { from: 'axis', to: 'axis' });
  },
  evaluate: (call) => reindex(operand(call, 'x'), indexed(axisArgument(call, 'axis'), integerArgument(call, 'index'))),
};

export const window: Primitive = {
  name: 'window',
  surface: [],
  syntax: 'index',
  parameters: [
    subject,
    axis,
    axes('as', 'what the range is called: an axis of its length'),
    number('from', 'the first point', { optional: false }),
    number('to', 'the point after the last', { optional: false }),
  ],
  untyped: false,
  documentation: {
    summary: 'A range of an axis, under a name of its own.',
    detail: 'Half-open, not clipped.',
    example: 'x[T: 0 .. 4 as S]',
  },
  infer(call) {
    const x = computable(call, 'x');
    if (isProblem(x)) return x;
    const from = oneAxis(call, 'axis', 'an index');
    if (isProblem(from)) return from;
    const as = oneAxis(call, 'as', 'a range');
    return isProblem(as) ? as : replaceAxes(call, x, [from], [as], { from: 'axis', to: 'as' });
  },
  evaluate: (call) =>
    reindex(
      operand(call, 'x'),
      splitFrom(axisArgument(call, 'axis'), [axisArgument(call, 'as')], integerArgument(call, 'from')),
    ),
};

const partStatics = [
  number('part', 'which part of the union', { optional: false }),
  number('offset', 'its first point', { optional: false }),
  number('length', 'how many points it has', { optional: false }),
];

export const part: Primitive = {
  name: 'part',
  surface: [],
  syntax: 'index',
  parameters: [subject, axis, axes('into', "the part's own axes; none if it is a single point"), ...partStatics],
  untyped: false,
  documentation: {
    summary: "A part of a union's axis, in the part's own axes.",
    detail: 'A route keeps the ranks it has.',
    example: 'u[U: ffn]',
  },
  infer(call) {
    const x = computable(call, 'x');
    if (isProblem(x)) return x;
    const from = oneAxis(call, 'axis', 'an index');
    return isProblem(from) ? from : replaceAxes(call, x, [from], axesGiven(call, 'into'), { from: 'axis', to: 'axis' });
  },
  evaluate: (call) =>
    reindex(
      operand(call, 'x'),
      splitFrom(axisArgument(call, 'axis'), axesArgument(call, 'into'), integerArgument(call, 'offset')),
    ),
};

export const is: Primitive = {
  name: 'is',
  surface: ['is'],
  syntax: 'pairs',
  parameters: [axes('axis', "a union's axis"), ...partStatics],
  untyped: false,
  documentation: {
    summary: "Which points of a union's axis are of a part.",
    detail: '',
    example: 'keep(u, not is(U: zero), over: U)',
  },
  infer(call) {
    const of = oneAxis(call, 'axis', 'is');
    return isProblem(of) ? of : tensor('bool', [of]);
  },
  evaluate(call) {
    const of = axisArgument(call, 'axis');
    const start = integerArgument(call, 'offset');
    const length = integerArgument(call, 'length');
    return dense(
      'bool',
      [of],
      Float64Array.from({ length: sizeOf(of) }, (_, i) => (i >= start && i < start + length ? 1 : 0)),
    );
  },
};
