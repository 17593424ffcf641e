/**
 * Contraction: the sum of products over axes that both sides have; other common axes are met by name.
 * `a @ b` is `dot` over the one axis they share, or, if one side is a route, over all its targets if the other side has
 * them; the checker asks `contractionAxes`.
 *
 * With routes only present points are read: an absent point is not touched, a present weight 0 times infinity is NaN.
 * The result is dense, 0 where nothing was present.
 */
import { noNumber } from '../diagnostics/invariants.ts';
import type { AxisVar, ValueType } from '../types/program.ts';
import type { Axis } from '../types/axis.ts';
import { axesOf } from '../tensors/pointwise.ts';
import { countPoints, makeTensor, offsets, unite, without } from '../tensors/tensor.ts';
import { axes, axesArgument, operand, value } from './arguments.ts';
import { axesOfType, hasAxis, isSubset, sharedAxes, uniteAxes, withoutAxes } from '../types/axes.ts';
import { isProblem, type Primitive, type TypeProblem } from './primitive.ts';
import type { F64Operand } from '../tensors/operand.ts';
import { BlockSums, SUM_BLOCK } from '../tensors/sum-order.ts';
import { axesGiven, computable, distinct, format, list, meet, wants, type Naming } from './operand-typing.ts';

/** The axes that `left @ right` contracts, or why it is not clear. */
export function contractionAxes(
  left: ValueType,
  right: ValueType,
  nameOf: (axis: AxisVar) => string,
): readonly AxisVar[] | TypeProblem {
  const naming: Naming = { nameOf };
  if (left.kind === 'tuple' || right.kind === 'tuple') {
    return {
      code: 'MOE0339',
      message: 'this is a tuple: take it apart with `let (a, b) = …`',
      at: left.kind === 'tuple' ? 'left' : 'right',
    };
  }
  const sides = `${format(naming, left)} and ${format(naming, right)}`;
  if (left.kind === 'route' && right.kind === 'route') {
    // `mask(r) @ ffn(r * x)`: one of them has a payload, the other says what is contracted.
    const [chooser, value] = right.payload.length > 0 ? [left, right] : [right, left];
    if (chooser.payload.length === 0 && value.payload.length > 0 && isSubset(chooser.targets, axesOfType(value))) {
      return chooser.targets;
    }
    return {
      code: 'MOE0334',
      message: `\`@\` does not say which axes of two routes to contract: ${sides}`,
      help: '`*` composes routes; dot(r, q, over: …) contracts them',
    };
  }
  const [route, dense] = left.kind === 'route' ? [left, right] : [right, left];
  if (route.kind === 'route' && isSubset(route.targets, axesOfType(dense))) return route.targets;
  const shared = sharedAxes(axesOfType(left), axesOfType(right));
  if (shared.length === 1) return shared;
  if (shared.length === 0) {
    return {
      code: 'MOE0334',
      message: `${sides} share no axis, so there is nothing to contract`,
      help: '`*` multiplies at every point of both',
    };
  }
  const [first] = shared;
  return {
    code: 'MOE0335',
    message: `${sides} share ${list(naming, shared)}: it is not clear which to contract`,
    help: `dot(a, b, over: ${first === undefined ? '…' : nameOf(first)}) contracts one and meets the others by name`,
  };
}

export const dot: Primitive = {
  name: 'dot',
  surface: ['dot', '@'],
  syntax: 'call',
  parameters: [
    value('left', 'a tensor or a route'),
    value('right', 'a tensor or a route'),
    axes('over', 'the axes to contract, which both sides have'),
  ],
  untyped: false,
  documentation: {
    summary: 'The sum of products over axes.',
    detail: 'Over an empty axis 0. With a route: over what is present. Products of i32 wrap.',
    example: 'dot(q, k, over: D)',
  },
  infer(call) {
    const left = computable(call, 'left');
    if (isProblem(left)) return left;
    const right = computable(call, 'right');
    if (isProblem(right)) return right;
    const element = meet(['left', 'right'], [left, right]);
    if (isProblem(element)) return element;
    const over = axesGiven(call, 'over');
    const problem = wants('a contraction', element, 'number', 'left') ?? distinct(call, over, 'over');
    if (problem !== null) return problem;
    for (const axis of over) {
      const lacking = [left, right].find((side) => !hasAxis(axesOfType(side), axis));
      if (lacking === undefined) continue;
      const name = call.nameOf(axis);
      const both = [left, right].every((side) => !hasAxis(axesOfType(side), axis));
      return {
        code: 'MOE0332',
        message: `${format(call, lacking)} has no axis ${name} to contract`,
        at: lacking === left ? 'left' : 'right',
        ...(both ? {} : { help: `sum(…, over: ${name}) of the side that has it` }),
      };
    }
    return {
      type: { kind: 'tensor', element, axes: withoutAxes(uniteAxes(axesOfType(left), axesOfType(right)), over) },
    };
  },
  evaluate(call) {
    const [left, right] = [operand(call, 'left'), operand(call, 'right')];
    const over = axesArgument(call, 'over');
    const rest = without(unite(axesOf(left), axesOf(right)), over);
    const data = contract(left, right, over, rest, call.element === 'i32');
    return { kind: 'tensor', value: makeTensor(call.element, rest, data) };
  },
};

/** For each point of the rest, the sum over `over` in row-major order as written, in the order of sums (sum-order.ts). */
function contract(
  left: F64Operand,
  right: F64Operand,
  over: readonly Axis[],
  rest: readonly Axis[],
  integers: boolean,
): Float64Array {
  const a = { numbers: numbersOf(left), rest: offsets(rest, axesOf(left)), over: offsets(over, axesOf(left)) };
  const b = { numbers: numbersOf(right), rest: offsets(rest, axesOf(right)), over: offsets(over, axesOf(right)) };
  const data = new Float64Array(a.rest.length);
  if (left.kind === 'tensor' && right.kind === 'tensor' && !integers) {
    sumProducts(a, b, data);
    return data;
  }
  const [aPresent, bPresent] = [presence(left), presence(right)];
  for (let i = 0; i < data.length; i++) {
    const sums = new BlockSums();
    let whole = 0;
    let block = 0;
    let terms = 0;
    for (let k = 0; k < a.over.length; k++) {
      const x = (a.rest[i] ?? noNumber()) + (a.over[k] ?? noNumber());
      const y = (b.rest[i] ?? noNumber()) + (b.over[k] ?? noNumber());
      if (!aPresent(x) || !bPresent(y)) continue;
      if (integers) {
        whole = (whole + Math.imul(a.numbers[x] ?? noNumber(), b.numbers[y] ?? noNumber())) | 0;
        continue;
      }
      block += (a.numbers[x] ?? noNumber()) * (b.numbers[y] ?? noNumber());
      if (++terms % SUM_BLOCK !== 0) continue;
      sums.enter(block);
      block = 0;
    }
    sums.enter(block);
    data[i] = integers ? whole : sums.total();
  }
  return data;
}

interface Side {
  readonly numbers: Float64Array;
  /** Where the side stands at each point of the rest, and what each point of `over` adds. */
  readonly rest: Int32Array;
  readonly over: Int32Array;
}

/** The same loop for two tensors of floats, on its own because nearly all time is spent here. */
function sumProducts(left: Side, right: Side, data: Float64Array): void {
  const { numbers: a, rest: aRest, over: aOver } = left;
  const { numbers: b, rest: bRest, over: bOver } = right;
  const count = aOver.length;
  for (let i = 0; i < data.length; i++) {
    const x = aRest[i] ?? noNumber();
    const y = bRest[i] ?? noNumber();
    const sums = new BlockSums();
    for (let first = 0; first < count; first += SUM_BLOCK) {
      const end = Math.min(first + SUM_BLOCK, count);
      let block = 0;
      for (let k = first; k < end; k++)
        block += (a[x + (aOver[k] ?? noNumber())] ?? noNumber()) * (b[y + (bOver[k] ?? noNumber())] ?? noNumber());
      sums.enter(block);
    }
    data[i] = sums.total();
  }
}

function numbersOf(side: F64Operand): Float64Array {
  return side.kind === 'tensor' ? side.value.data : side.value.weight;
}

/** Whether the point at this place of the numbers is present. */
function presence(side: F64Operand): (at: number) => boolean {
  if (side.kind === 'tensor') return () => true;
  const { present, payload } = side.value;
  const width = countPoints(payload);
  return (at) => present[Math.floor(at / width)] === 1;
}
