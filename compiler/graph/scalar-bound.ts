/**
 * Error bounds of scalar functions: how far an f32 result may be from the exact one, given how far its arguments may be.
 * Accuracies are those WGSL promises (section 15.7.4), in units in the last place or absolute, and of what kernels compute
 * themselves those of the computation (compiler/schedule/scalar-functions.ts); see error-bound.ts.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { roundToF16 } from '../../dsl/interpret/f16.ts';
import type { MapOp } from './ir.ts';

/** Unit roundoff of f32. */
export const u = 2 ** -24;
/** Results below this may be flushed to zero. */
export const tiny = 2 ** -126;

/** 0 · ∞ is 0 here: what is exactly 0 passes no error on. */
export function times(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : a * b;
}

/** A value and its error bound. */
export interface Point {
  readonly v: number;
  readonly d: number;
}

/** A function with its own error, relative to its result (units in the last place) and absolute, by the argument. */
interface ScalarFunction {
  readonly f: (x: number) => number;
  readonly ulp: (x: number) => number;
  readonly absolute: number | ((x: number) => number);
}

const functions: Partial<Record<MapOp, ScalarFunction>> = {
  exp: { f: Math.exp, ulp: (x) => 3 + 2 * Math.abs(x), absolute: 0 },
  log: { f: Math.log, ulp: () => 3, absolute: 2 ** -21 },
  sqrt: { f: Math.sqrt, ulp: () => 3, absolute: 0 },
  rsqrt: { f: (x) => 1 / Math.sqrt(x), ulp: () => 2, absolute: 0 },
  tanh: { f: Math.tanh, ulp: () => 4, absolute: 1e-5 },
  sigmoid: { f: (x) => 1 / (1 + Math.exp(-x)), ulp: (x) => 8 + 2 * Math.min(Math.abs(x), 88), absolute: 2e-38 },
  silu: { f: (x) => x / (1 + Math.exp(-x)), ulp: (x) => 10 + 2 * Math.min(Math.abs(x), 88), absolute: 2e-36 },
  gelu: { f: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)), ulp: () => 16, absolute: 5e-7 },
  gelu_tanh: {
    f: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
    ulp: () => 16,
    absolute: 2e-5,
  },
  relu: { f: (x) => Math.max(x, 0), ulp: () => 0, absolute: 0 },
  softplus: { f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), ulp: () => 8, absolute: 2 ** -20 },
  erf: { f: erf, ulp: () => 8, absolute: 5e-7 },
  sin: { f: Math.sin, ulp: () => 0, absolute: turnError },
  cos: { f: Math.cos, ulp: () => 0, absolute: turnError },
  abs: { f: Math.abs, ulp: () => 0, absolute: 0 },
  neg: { f: (x) => -x, ulp: () => 0, absolute: 0 },
};

/**
 * Absolute error of sin and cos as kernels compute them: x less q times π/2 in three parts, then a polynomial on the rest r.
 *
 * The parts have 8, 11 and 24 bits. While q has at most 16, x - q·part₁ is exact; while it has at most 13, so is q·part₂,
 * and beyond it adds u·q·part₂ < u·|x|/3200. What the parts lack of π/2 is 2e-15, and q is off by less than 0.012, so
 * |r| < 0.81. The two subtractions that round move r by at most 2u|r|, and with it sin r or cos r by 1.2u. The polynomials
 * add, rounding included: sin 1.3u (0.72u of them the last addition, 0.2u of Taylor's rest), cos 2.1u (u the last one).
 * Fused operations round less. Together below 4u. An argument with more than 16 bits of q is not reduced to anything.
 */
function turnError(x: number): number {
  const size = Math.abs(x);
  if (!(size < 2 ** 16 * 1.57)) return Infinity;
  return u * (4 + (size < 2 ** 13 * 1.57 ? 0 : size / 3200));
}

function erf(x: number): number {
  // Maclaurin series near 0, complement by continued fraction elsewhere: both far below f32.
  const a = Math.abs(x);
  if (a < 2.5) {
    let term = a;
    let sum = a;
    for (let n = 1; n < 60; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * (a + fraction)));
}

export function mapBound(op: MapOp, args: readonly Point[], element: string): Point {
  const [a = { v: 0, d: 0 }, b = { v: 0, d: 0 }, c = { v: 0, d: 0 }] = args;
  const whole = element === 'i32';
  const round = (v: number): number => (whole ? 0 : Math.abs(v) * u);
  const f = functions[op];
  if (f !== undefined) {
    const v = f.f(a.v);
    // The functions are monotone or have slope at most 1.13 between the ends: the ends and the slope bound the rest.
    const ends = Math.max(Math.abs(f.f(a.v + a.d) - v), Math.abs(f.f(a.v - a.d) - v));
    const spread = Number.isNaN(ends)
      ? Infinity
      : op === 'silu' || op === 'gelu' || op === 'gelu_tanh' || op === 'sin' || op === 'cos'
        ? Math.max(ends, 1.13 * a.d)
        : ends;
    const absolute = typeof f.absolute === 'number' ? f.absolute : f.absolute(Math.abs(a.v) + a.d);
    const own = whole ? 0 : f.ulp(a.v) * 2 * u * Math.abs(v) + absolute;
    return { v, d: (a.d === 0 ? 0 : spread) + own };
  }
  switch (op) {
    case 'add':
      return { v: a.v + b.v, d: a.d + b.d + round(a.v + b.v) };
    case 'sub':
      return { v: a.v - b.v, d: a.d + b.d + round(a.v - b.v) };
    case 'mul': {
      const v = a.v * b.v;
      return { v, d: times(Math.abs(a.v), b.d) + times(Math.abs(b.v), a.d) + times(a.d, b.d) + round(v) };
    }
    case 'div': {
      if (whole) return { v: Math.floor(a.v / b.v), d: a.d + b.d === 0 ? 0 : Infinity };
      const v = a.v / b.v;
      const least = Math.abs(b.v) - b.d;
      return {
        v,
        d: (least > 0 ? (a.d + times(Math.abs(v), b.d)) / least : a.d + b.d === 0 ? 0 : Infinity) + 5 * round(v),
      };
    }
    case 'mod': {
      const q = Math.floor(a.v / b.v);
      const v = a.v - q * b.v;
      const steady = Math.floor((a.v - a.d) / b.v) === q && Math.floor((a.v + a.d) / b.v) === q;
      // An integer that rounding could turn stays undecided: anything up to the divisor.
      if (whole) return { v, d: a.d + b.d === 0 ? 0 : steady && b.d === 0 ? a.d : Math.abs(b.v) + b.d };
      return { v, d: (steady ? a.d : Math.abs(b.v)) + 4 * u * Math.abs(a.v) };
    }
    case 'pow': {
      const v = a.v ** b.v;
      const spread = Math.max(Math.abs((a.v + a.d) ** (b.v + b.d) - v), Math.abs((a.v - a.d) ** (b.v - b.d) - v));
      // exp2(y log2 x): the error of the exponent is multiplied by it.
      const exponent = Math.abs(b.v * Math.log2(Math.max(Math.abs(a.v), tiny)));
      return { v, d: (a.d + b.d === 0 ? 0 : spread) + (16 + 8 * exponent) * 2 * u * Math.abs(v) };
    }
    case 'minimum':
    case 'maximum':
      return { v: op === 'minimum' ? Math.min(a.v, b.v) : Math.max(a.v, b.v), d: Math.max(a.d, b.d) };
    case 'clamp':
      return { v: Math.min(Math.max(a.v, b.v), c.v), d: Math.max(a.d, b.d, c.d) };
    case 'where': {
      const v = a.v !== 0 ? b.v : c.v;
      if (a.d === 0) return { v, d: a.v !== 0 ? b.d : c.d };
      return { v, d: Math.max(b.d, c.d) + Math.abs(b.v - c.v) };
    }
    case 'eq':
    case 'ne':
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge': {
      const slack = a.d + b.d;
      const results = {
        eq: a.v === b.v,
        ne: a.v !== b.v,
        lt: a.v < b.v,
        le: a.v <= b.v,
        gt: a.v > b.v,
        ge: a.v >= b.v,
      };
      return { v: results[op] ? 1 : 0, d: slack > 0 && Math.abs(a.v - b.v) <= slack ? 1 : 0 };
    }
    case 'and': {
      const sureFalse = (a.v === 0 && a.d === 0) || (b.v === 0 && b.d === 0);
      return { v: a.v !== 0 && b.v !== 0 ? 1 : 0, d: sureFalse ? 0 : Math.max(a.d, b.d) };
    }
    case 'or': {
      const sureTrue = (a.v !== 0 && a.d === 0) || (b.v !== 0 && b.d === 0);
      return { v: a.v !== 0 || b.v !== 0 ? 1 : 0, d: sureTrue ? 0 : Math.max(a.d, b.d) };
    }
    case 'not':
      return { v: a.v === 0 ? 1 : 0, d: a.d };
    case 'sign':
      return { v: Math.sign(a.v), d: a.d > 0 && Math.abs(a.v) <= a.d ? 1 + Math.abs(Math.sign(a.v)) : 0 };
    case 'floor':
    case 'ceil': {
      const g = op === 'floor' ? Math.floor : Math.ceil;
      return { v: g(a.v), d: Math.max(g(a.v + a.d) - g(a.v), g(a.v) - g(a.v - a.d)) };
    }
    case 'convert': {
      if (element === 'f16') {
        // Rounding is exact and does not decrease: only a number near a tie has two outcomes.
        const v = roundToF16(a.v);
        if (a.d === 0) return { v, d: 0 };
        return { v, d: Math.max(roundToF16(a.v + a.d) - v, v - roundToF16(a.v - a.d)) };
      }
      if (element === 'i32') return { v: Math.trunc(a.v), d: a.d === 0 ? 0 : Math.ceil(a.d) + 1 };
      if (element === 'bool') return { v: a.v !== 0 ? 1 : 0, d: a.d > 0 && Math.abs(a.v) <= a.d ? 1 : 0 };
      return { v: a.v, d: a.d + (Number.isInteger(a.v) && Math.abs(a.v) < 2 ** 24 ? 0 : round(a.v)) };
    }
    default:
      throw new CompilerBug('error-bound', `no bound for ${op}`);
  }
}
