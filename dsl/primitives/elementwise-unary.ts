/**
 * Elementwise functions of one value, one line each: what they are and their float64 function. A route keeps where it
 * is present and its ranks; the function acts on the present weights. f16 is read as f32; `- abs sign` also take i32.
 */
import { pointwise } from '../tensors/pointwise.ts';
import { conditionOperand, operand, value } from './arguments.ts';
import { unaryNames, type UnaryName } from '../types/primitive-names.ts';
import { isProblem, type Documentation, type Primitive } from './primitive.ts';
import { erf, erfc, geluTanh, inverseRoot, sigmoid } from './special-functions.ts';
import { computable, computed, conditionArgument, retyped, wants } from './operand-typing.ts';

interface Entry {
  readonly surface?: string;
  readonly of: 'float' | 'number';
  readonly f: (x: number) => number;
  readonly documentation: Documentation;
}

const say = (summary: string, example: string, detail = '', source?: string): Documentation => ({
  summary,
  detail,
  example,
  ...(source === undefined ? {} : { source }),
});

const angles = 'Of an angle computed with + - * / ** exp, as that of a rotary position is, the exact one. NaN at ±inf.';

const entries: Record<Exclude<UnaryName, 'not'>, Entry> = {
  neg: { surface: '-', of: 'number', f: (x) => -x, documentation: say('The negative.', '-x') },
  exp: { of: 'float', f: Math.exp, documentation: say('e to the power of each value.', 'exp(x)') },
  log: {
    of: 'float',
    f: Math.log,
    documentation: say('The natural logarithm.', 'log(x)', '-inf at 0, NaN below.'),
  },
  sqrt: { of: 'float', f: Math.sqrt, documentation: say('The square root.', 'sqrt(x)', 'NaN below 0.') },
  rsqrt: {
    of: 'float',
    f: inverseRoot,
    documentation: say('One over the square root.', 'rsqrt(x)', 'inf at 0, NaN below.'),
  },
  tanh: { of: 'float', f: Math.tanh, documentation: say('The hyperbolic tangent.', 'tanh(x)') },
  sigmoid: { of: 'float', f: sigmoid, documentation: say('1 / (1 + exp(-x)).', 'sigmoid(w @ x)') },
  silu: {
    of: 'float',
    f: (x) => x * sigmoid(x),
    documentation: say('x * sigmoid(x), also called swish.', 'silu(w1 @ x) * (w3 @ x)', '', 'arXiv:1702.03118'),
  },
  gelu: {
    of: 'float',
    f: (x) => 0.5 * x * erfc(-x / Math.SQRT2),
    documentation: say('x times the normal distribution at x, exactly.', 'gelu(x)', 'With erf.', 'arXiv:1606.08415'),
  },
  gelu_tanh: {
    of: 'float',
    f: geluTanh,
    documentation: say('The approximation of gelu by tanh.', 'gelu_tanh(x)', '', 'arXiv:1606.08415'),
  },
  relu: { of: 'float', f: (x) => (x < 0 ? 0 : x), documentation: say('The positive part.', 'relu(x)') },
  softplus: {
    of: 'float',
    f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    documentation: say('log(1 + exp(x)).', 'softplus(w @ x)', 'Does not overflow.'),
  },
  erf: { of: 'float', f: erf, documentation: say('The error function.', 'erf(x)') },
  abs: { of: 'number', f: Math.abs, documentation: say('The magnitude.', 'abs(x)') },
  sign: { of: 'number', f: Math.sign, documentation: say('-1, 0 or 1.', 'sign(mean(c, over: E) - c)') },
  floor: { of: 'float', f: Math.floor, documentation: say('The greatest whole number not above.', 'i32(floor(x))') },
  ceil: { of: 'float', f: Math.ceil, documentation: say('The smallest whole number not below.', 'i32(ceil(x))') },
  sin: { of: 'float', f: Math.sin, documentation: say('The sine.', 'sin(f32(iota(T)))', angles) },
  cos: { of: 'float', f: Math.cos, documentation: say('The cosine.', 'cos(f32(iota(T)))', angles) },
};

function unary(name: Exclude<UnaryName, 'not'>, entry: Entry): Primitive {
  return {
    name,
    surface: [entry.surface ?? name],
    syntax: entry.surface === undefined ? 'call' : 'operator',
    parameters: [value('x', 'a tensor, or a route: then the function acts on the present weights')],
    untyped: false,
    documentation: entry.documentation,
    infer(call) {
      const x = computable(call, 'x');
      if (isProblem(x)) return x;
      return wants(entry.surface ?? name, x.element, entry.of, 'x') ?? { type: retyped(x, computed(x.element)) };
    },
    evaluate: (call, run) => pointwise([operand(call, 'x')], entry.f, call.element, run.absent),
  };
}

const not: Primitive = {
  name: 'not',
  surface: ['not'],
  syntax: 'operator',
  parameters: [value('x', 'a bool, or a route: then where it is present')],
  untyped: false,
  documentation: say(
    'True where the operand is not.',
    'keep(s, not first, over: E)',
    'Of a route: where it is absent.',
  ),
  infer(call) {
    const x = conditionArgument(call, 'x');
    return isProblem(x) ? x : { type: x };
  },
  evaluate: (call, run) =>
    pointwise([{ kind: 'tensor', value: conditionOperand(call, 'x') }], (x) => 1 - x, 'bool', run.absent),
};

export const unaryPrimitives: readonly Primitive[] = unaryNames.map((name) =>
  name === 'not' ? not : unary(name, entries[name]),
);
