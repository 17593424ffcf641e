/**
 * `concat(a, b, (A, B): C)`: a along A and then b along B, along the new axis C of size A + B; the same axis may stand
 * twice. All other axes are united by name. Tensors only: routes over parts are embedded by their declared type.
 */
import { noNumber, get } from '../diagnostics/invariants.ts';
import {
  countPoints,
  offsets,
  separableOffsets,
  sizeOf,
  strides,
  unite,
  without,
  type F64Tensor,
} from '../tensors/tensor.ts';
import type { AxisVar } from '../types/program.ts';
import type { Axis } from '../types/axis.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import { axes, axesArgument, axisArgument, dense, denseOperand, value } from './arguments.ts';
import { hasAll } from './axes-changed.ts';
import { isProblem, type Primitive, type TypeCall, type TypeProblem } from './primitive.ts';
import { sameAxis, uniteAxes, withoutAxes } from '../types/axes.ts';
import { axesGiven, denseArgument, fresh, meet, oneAxis, sameWithin } from './operand-typing.ts';

/** Routes are not joined: over the parts of a union they are added, over one axis too. */
function withRouteHelp(call: TypeCall, problem: TypeProblem): TypeProblem {
  const type = call.args.get(problem.at ?? '');
  const [axis] = axesGiven(call, 'along');
  const [into] = axesGiven(call, 'into');
  if (type?.kind !== 'route' || axis === undefined || into === undefined) return problem;
  const names = (list: readonly AxisVar[]): string => list.map(call.nameOf).join(', ');
  if (!type.targets.some((a) => sameAxis(a, axis))) {
    return { ...problem, help: 'routes are not joined along sources: join the scores, and select of them' };
  }
  const targets = names(type.targets.map((a) => (sameAxis(a, axis) ? into : a)));
  const whole = type.sources.length === 0 ? targets : `${names(type.sources)} -> ${targets}`;
  const union = `over the parts of a union, \`experts both[${call.nameOf(into)}] = a | b\`, write \`let p: route[${whole}] = …\` of each and \`p + q\``;
  const help = `routes are added: ${union}; over one axis \`r + q\`, or \`keep(r, c) + keep(q, not c)\``;
  return { ...problem, help };
}

export const concat: Primitive = {
  name: 'concat',
  surface: ['concat'],
  syntax: 'pairs',
  pairs: { left: 'along', right: 'into' },
  parameters: [
    value('a', 'a tensor'),
    value('b', 'a tensor'),
    axes('along', 'the axis of the first and the axis of the second, possibly the same'),
    axes('into', 'the axis along which they stand side by side'),
  ],
  untyped: false,
  documentation: {
    summary: 'Two tensors side by side along a new axis.',
    detail: 'Other axes are united: what only one side has, the other is the same along.',
    example: 'concat(x, prompt, (D, Q): I)',
  },
  infer(call) {
    const a = denseArgument(call, 'a');
    if (isProblem(a)) return withRouteHelp(call, a);
    const b = denseArgument(call, 'b');
    if (isProblem(b)) return withRouteHelp(call, b);
    const met = a.element === b.element ? a.element : meet(['a', 'b'], [a, b]);
    if (isProblem(met)) return met;
    const into = oneAxis(call, 'into', 'concat');
    if (isProblem(into)) return into;
    const [first, second, ...more] = axesGiven(call, 'along');
    if (first === undefined || second === undefined || more.length > 0) {
      return { code: 'MOE0337', message: 'concat takes two axes, one of each side', at: 'along' };
    }
    const problem = hasAll(call, a, [first], 'along') ?? hasAll(call, b, [second], 'along');
    if (problem !== null) return problem;
    const rest = uniteAxes(withoutAxes(a.axes, [first]), withoutAxes(b.axes, [second]));
    const taken = fresh(call, into, rest, 'the result', 'into');
    if (taken !== null) return taken;
    // C stands where A stood.
    const own = a.axes.map((axis) => (sameAxis(axis, first) ? into : axis));
    const within = sameWithin(a, b);
    const type = {
      kind: 'tensor',
      element: met,
      axes: uniteAxes(own, rest),
      ...(within === undefined ? {} : { within }),
    } as const;
    return { type };
  },
  evaluate(call) {
    const [a, b] = [denseOperand(call, 'a'), denseOperand(call, 'b')];
    const [first, second] = axesArgument(call, 'along');
    const into = axisArgument(call, 'into');
    if (first === undefined || second === undefined) throw new CompilerBug('interpret', 'concat takes two axes');
    const own = a.axes.map((axis) => (axis === first ? into : axis));
    const result = unite(own, without(b.axes, [second]));
    const data = new Float64Array(countPoints(result));
    copy(data, result, into, a, first, 0);
    copy(data, result, into, b, second, sizeOf(first));
    return dense(call.element, result, data);
  },
};

/** Writes `from` to the points `start ..` along `into`. */
function copy(
  data: Float64Array,
  result: readonly Axis[],
  into: Axis,
  from: F64Tensor,
  along: Axis,
  start: number,
): void {
  const loop = result.map((axis) => (axis === into ? along : axis));
  const stride = strides(result);
  const step = get(stride, into, 'tensors: stride');
  const read = offsets(loop, from.axes);
  const write = separableOffsets(
    loop,
    (axis) =>
      Int32Array.from(
        { length: sizeOf(axis) },
        (_, i) => i * (axis === along ? step : get(stride, axis, 'tensors: stride')),
      ),
    start * step,
  );
  for (let i = 0; i < read.length; i++) data[write[i] ?? noNumber()] = from.data[read[i] ?? noNumber()] ?? noNumber();
}
