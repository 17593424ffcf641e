/**
 * Elementwise functions of two values: axes are united by name, nothing is ever aligned by position.
 *
 * Routes: `r * d` acts on the present weights (new axes of d become payload), of two routes the result is present
 * where both are, except `+` and `-`: absent is not 0 and not neutral either, so `r + d` is refused, and the sum of two
 * routes over the same axes is present where either is. `and`, `or` read a route as "present" and give dense bools.
 *
 * i32 wraps to 32 bits; `/` and `%` are floored, `x / 0` is x and `x % 0` is 0, as integer division in WGSL has it.
 */
import { noNumber } from '../diagnostics/invariants.ts';
import { boundsOfSum, bound } from '../tensors/route-bounds.ts';
import type { ElementType } from '../types/program.ts';
import { integerOf } from '../types/size.ts';
import { pointwise } from '../tensors/pointwise.ts';
import { axesOfRoute, makeRoute, type F64Route } from '../tensors/route.ts';
import { countPoints, keepAs, offsets, without } from '../tensors/tensor.ts';
import { axesArgument, conditionOperand, operand, value } from './arguments.ts';
import { binaryNames, type BinaryName } from '../types/primitive-names.ts';
import { power, quotient, rest } from './special-functions.ts';
import {
  isProblem,
  type Documentation,
  type EvaluationContext,
  type Inferred,
  type Primitive,
  type TypeCall,
  type TypeProblem,
} from './primitive.ts';
import { sameAxes, uniteAxes } from '../types/axes.ts';
import type { F64Call, F64Operand } from '../tensors/operand.ts';
import {
  computable,
  conditionArgument,
  format,
  join,
  meet,
  meetsConsumed,
  supportOf,
  wants,
  type Computable,
  type ElementClass,
} from './operand-typing.ts';

interface Entry {
  readonly sign: string;
  readonly of: ElementClass | 'condition';
  /** Comparisons give bool. */
  readonly gives: 'same' | 'bool';
  readonly f: (x: number, y: number) => number;
  /** On i32, where it is not the same function. */
  readonly i32?: (x: number, y: number) => number;
  readonly documentation: Documentation;
}

const say = (summary: string, example: string, detail = ''): Documentation => ({ summary, detail, example });
const compare = (sign: string, summary: string, f: (x: number, y: number) => boolean, of: ElementClass): Entry => ({
  sign,
  of,
  gives: 'bool',
  f: (x, y) => (f(x, y) ? 1 : 0),
  documentation: say(summary, `keep(r, rank(r) ${sign} 0)`, 'With a route: a route of bools, present where it is.'),
});

const entries: Record<BinaryName, Entry> = {
  add: {
    sign: '+',
    of: 'number',
    gives: 'same',
    f: (x, y) => x + y,
    documentation: say(
      'The sum.',
      'x + gate(x) @ ffn(x)',
      'Of two routes over the same axes: present where either is, a missing weight counts 0; the ranks of the second come after those of the first.',
    ),
  },
  sub: {
    sign: '-',
    of: 'number',
    gives: 'same',
    f: (x, y) => x - y,
    documentation: say('The difference.', 'x - mean(x, over: D)', 'Of two routes: as for `+`.'),
  },
  mul: {
    sign: '*',
    of: 'number',
    gives: 'same',
    f: (x, y) => x * y,
    i32: Math.imul,
    documentation: say('The product.', 'silu(w1 @ x) * (w3 @ x)', 'Of two routes: present where both are.'),
  },
  div: {
    sign: '/',
    of: 'number',
    gives: 'same',
    f: quotient,
    i32: (x, y) => (y === 0 ? x : Math.floor(x / y)),
    documentation: say(
      'The quotient.',
      'r / max(sum(r, over: E), 0.1)',
      '`x / 0` is the infinity of the sign of x, `0 / 0` is NaN. Of i32: rounded down; `x / 0` is x.',
    ),
  },
  mod: {
    sign: '%',
    of: 'number',
    gives: 'same',
    f: rest,
    i32: (x, y) => (y === 0 ? 0 : x - Math.floor(x / y) * y),
    documentation: say(
      'The rest of a division rounded down: it has the sign of the divisor.',
      'ids % E',
      'The rest is exact, however large the quotient. `x % 0` is NaN, and 0 for i32.',
    ),
  },
  pow: {
    sign: '**',
    of: 'float',
    gives: 'same',
    f: power,
    documentation: say(
      'The power.',
      'x ** 2',
      'A negative number has whole powers only: others are NaN. `x ** 0` is 1.',
    ),
  },
  eq: compare('==', 'Whether both are equal.', (x, y) => x === y, 'any'),
  ne: compare('!=', 'Whether they differ.', (x, y) => x !== y, 'any'),
  lt: compare('<', 'Whether the first is less.', (x, y) => x < y, 'number'),
  le: compare('<=', 'Whether the first is not greater.', (x, y) => x <= y, 'number'),
  gt: compare('>', 'Whether the first is greater.', (x, y) => x > y, 'number'),
  ge: compare('>=', 'Whether the first is not less.', (x, y) => x >= y, 'number'),
  and: {
    sign: 'and',
    of: 'condition',
    gives: 'bool',
    f: (x, y) => x * y,
    documentation: say(
      'True where both are.',
      'keep(s, open and not first, over: E)',
      'A route counts as where it is present.',
    ),
  },
  or: {
    sign: 'or',
    of: 'condition',
    gives: 'bool',
    f: (x, y) => Math.max(x, y),
    documentation: say(
      'True where either is.',
      'keep(s, open or r, over: E)',
      'A route counts as where it is present.',
    ),
  },
  minimum: {
    sign: 'min',
    of: 'number',
    gives: 'same',
    f: (x, y) => Math.min(x, y),
    documentation: say('The smaller of two.', 'min(x, 6)', 'With `over:` instead of a second value, the reduction.'),
  },
  maximum: {
    sign: 'max',
    of: 'number',
    gives: 'same',
    f: (x, y) => Math.max(x, y),
    documentation: say('The greater of two.', 'max(x, 0)', 'With `over:` instead of a second value, the reduction.'),
  },
};

function binary(name: BinaryName, entry: Entry): Primitive {
  const additive = name === 'add' || name === 'sub';
  return {
    name,
    surface: [entry.sign],
    syntax: name === 'minimum' || name === 'maximum' ? 'call' : 'operator',
    parameters: [value('x', 'the left value'), value('y', 'the right value')],
    untyped: false,
    documentation: entry.documentation,
    infer(call) {
      if (entry.of === 'condition') return inferCondition(call);
      const x = computable(call, 'x');
      if (isProblem(x)) return x;
      const y = computable(call, 'y');
      if (isProblem(y)) return y;
      const element = meet(['x', 'y'], [x, y]);
      if (isProblem(element)) return element;
      const problem = wants(entry.sign, element, entry.of, 'x');
      if (problem !== null) return problem;
      const late = meetsConsumed(call, ['x', 'y'], [x, y]);
      if (late !== null) return late;
      const result: ElementType = entry.gives === 'bool' ? 'bool' : element;
      if (additive && (x.kind === 'route' || y.kind === 'route')) return inferSum(call, entry.sign, result);
      return { type: join([x, y], result) };
    },
    evaluate(call, run) {
      if (entry.of === 'condition') {
        const [x, y] = [conditionOperand(call, 'x'), conditionOperand(call, 'y')];
        const operands: readonly F64Operand[] = [
          { kind: 'tensor', value: x },
          { kind: 'tensor', value: y },
        ];
        return pointwise(operands, entry.f, 'bool', run.absent);
      }
      const [x, y] = [operand(call, 'x'), operand(call, 'y')];
      const f = x.value.element === 'i32' ? (entry.i32 ?? entry.f) : entry.f;
      if (additive && x.kind === 'route' && y.kind === 'route') {
        return { kind: 'route', value: sumOfRoutes(call, run, x.value, y.value, f) };
      }
      return pointwise([x, y], f, call.element, run.absent);
    },
  };
}

function inferCondition(call: TypeCall): Inferred | TypeProblem {
  const x = conditionArgument(call, 'x');
  if (isProblem(x)) return x;
  const y = conditionArgument(call, 'y');
  if (isProblem(y)) return y;
  return { type: { kind: 'tensor', element: 'bool', axes: uniteAxes(x.axes, y.axes) } };
}

function inferSum(call: TypeCall, sign: string, element: ElementType): Inferred | TypeProblem {
  const x = computable(call, 'x');
  const y = computable(call, 'y');
  if (isProblem(x)) return x;
  if (isProblem(y)) return y;
  if (x.kind !== 'route' || y.kind !== 'route') {
    const [route, dense] = x.kind === 'route' ? [x, y] : [y, x];
    return {
      code: 'MOE0430',
      message: `${format(call, route)} and ${format(call, dense)}: absent is not 0, so a route and a tensor are not ${sign === '+' ? 'added' : 'subtracted'}`,
      help: sumHelp(call, sign, route, x.kind === 'route'),
    };
  }
  if (!sameAxes(supportOf(x), supportOf(y)) || !sameAxes(x.payload, y.payload)) {
    return {
      code: 'MOE0434',
      message: `${format(call, x)} and ${format(call, y)} are not over the same axes`,
      help: `\`*\` joins routes over different axes`,
    };
  }
  // The ranks of the sum put y's choices after x's: how many x may choose is asked about x's targets.
  return { type: { ...x, element }, axes: new Map([['over', x.targets]]) };
}

/** A route of vectors is what experts gave: they are added up before anything is added to them. A dense form would run them all. */
function sumHelp(call: TypeCall, sign: string, route: Computable, first: boolean): string {
  if (route.kind !== 'route' || route.payload.length === 0) return `r ${sign} d * mask(r) changes only what is present`;
  const targets = route.targets.map(call.nameOf);
  const over = targets.length === 1 ? targets.join('') : `(${targets.join(', ')})`;
  const sum = first ? `sum(x, over: ${over}) ${sign} y` : `x ${sign} sum(y, over: ${over})`;
  return `add up what was chosen first: \`${sum}\`, or weigh it by a route: \`r @ f(x)\``;
}

/** Present where either is; `over` are the targets of the first, whose ranks come first. */
function sumOfRoutes(
  call: F64Call,
  run: EvaluationContext,
  x: F64Route,
  y: F64Route,
  f: (a: number, b: number) => number,
): F64Route {
  const { support, payload } = x;
  const points = countPoints(support);
  const width = countPoints(payload);
  const yPoint = offsets(support, y.support);
  const yWeight = offsets([...support, ...payload], axesOfRoute(y));
  const ranksOfX = integerOf(
    bound(x.facts, support, without(support, axesArgument(call, 'over'))),
    'interpret: bound of a route',
  );
  const present = new Uint8Array(points);
  const rank = new Int32Array(points);
  const weight = new Float64Array(points * width).fill(run.absent);
  for (let s = 0; s < points; s++) {
    const inX = x.present[s] === 1;
    const inY = y.present[yPoint[s] ?? noNumber()] === 1;
    if (!inX && !inY) continue;
    present[s] = 1;
    rank[s] = inX ? (x.rank[s] ?? noNumber()) : ranksOfX + (y.rank[yPoint[s] ?? noNumber()] ?? noNumber());
    for (let i = s * width; i < (s + 1) * width; i++) {
      const a = inX ? (x.weight[i] ?? noNumber()) : 0;
      const b = inY ? (y.weight[yWeight[i] ?? noNumber()] ?? noNumber()) : 0;
      weight[i] = keepAs(call.element, f(a, b));
    }
  }
  const facts = boundsOfSum(x.facts, y.facts, support);
  return makeRoute({ support, payload, present, rank, weight, element: call.element, facts });
}

export const binaryPrimitives: readonly Primitive[] = binaryNames.map((name) => binary(name, entries[name]));
