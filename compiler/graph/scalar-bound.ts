/**
 * Error bounds of scalar functions: how far an f32 result may be from the exact one, given how far its arguments may be.
 * Accuracies are those WGSL promises (section 15.7.4) of + - * / and roots, and of what kernels compute themselves those of the
 * computation (compiler/kernel/math), in roundings of the result; see error-bound.ts. test/numbers holds every function to them.
 *
 * A result that is infinite or NaN for all operands within their bounds is certain: its bound is 0.
 */
import {
  erf,
  erfc,
  geluTanh,
  inverseRoot,
  power,
  quotient,
  rest,
  sigmoid,
} from '../../dsl/primitives/special-functions.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { roundToF16 } from '../../dsl/tensors/round-to-f16.ts';
import { LARGEST } from './infinity.ts';
import type { MapOp } from './graph-ir.ts';

/** Unit roundoff of f32. */
export const u = 2 ** -24;
/** Results below this may be flushed to zero. */
export const tiny = 2 ** -126;

/** The bound a factor's bound becomes in a product: nothing stays nothing, also times 0; a NaN is certain whatever it meets. */
export function times(factor: number, bound: number): number {
  if (bound === 0 || bound === Infinity) return bound;
  return Number.isNaN(factor) ? 0 : factor * bound;
}

/** A value and its error bound. A bound of Infinity: nothing is known of it, not even that it is a number. */
export interface Point {
  readonly v: number;
  readonly d: number;
}

/** From here on numbers round to an infinity: halfway from the largest f32 to what would be the next. */
export const infiniteFrom = 2 ** 128 - 2 ** 103;

/**
 * How far x stands above y in the order of sort keys, in which NaN is below all numbers. An infinity stands where f32 rounds to it, so
 * that a finite number whose bound reaches there may be as large.
 */
export function distance(x: number, y: number): number {
  if (x === y || (Number.isNaN(x) && Number.isNaN(y))) return 0;
  const ordinal = (v: number): number =>
    Number.isNaN(v) ? -Infinity : Math.min(Math.max(v, -infiniteFrom), infiniteFrom);
  return ordinal(x) - ordinal(y);
}

/** Unit roundoff of what is computed in wide numbers (graph/wide-angles.ts): the worst there is, a power of two. */
export const wideUnit = 2 ** -43;

/** A function with its own error: in roundings of its result by the argument, and absolute. */
interface ScalarFunction {
  readonly f: (x: number) => number;
  readonly roundings: (x: number) => number;
  readonly absolute?: (x: number) => number;
  /** The largest slope between the ends of an interval, of a function that is not monotone. */
  readonly slope?: number;
}

/** What may be flushed on the way, where a part of the result is multiplied by the argument. */
const flushed = (x: number): number => (2 + Math.min(Math.abs(x), 128)) * tiny;
/** What gelu_tanh takes exp of. */
const inner = (x: number): number => Math.abs(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3));

/**
 * Roundings, each u = 2^-24 relative; a quotient may have 5, an f32 polynomial of a small argument 3 with its own error.
 *
 * exp: the reduced argument is below 0.35 and has one, the polynomial and the sums 3. log: see kernel/math/logarithm.ts, 4. Roots: 4.5
 * and 2 units in the last place by WGSL, and one product. tanh: at worst beside 0.625, where 1 - e has 4e/(1 - e) of exp and the
 * quotient 5. sigmoid: exp 4, the sum 3, the quotient 5. gelu: exp and its correction 6, the products 4, t 7 and again in the
 * polynomial. gelu_tanh: 5 in the argument of exp, which makes them absolute. softplus: s has 10, log1p 3, the sum 1. erf: 1e-7 of its
 * second part. sin, cos: the rest of a turn has 3 in at most π/4, the polynomials 1.3; the reduction itself nothing.
 */
const functions: Partial<Record<MapOp, ScalarFunction>> = {
  exp: { f: Math.exp, roundings: () => 4 },
  log: { f: Math.log, roundings: () => 4 },
  sqrt: { f: Math.sqrt, roundings: () => 10 },
  rsqrt: { f: inverseRoot, roundings: () => 5 },
  tanh: { f: Math.tanh, roundings: () => 10 },
  sigmoid: { f: sigmoid, roundings: () => 12, absolute: () => tiny },
  silu: { f: (x) => x * sigmoid(x), roundings: () => 13, absolute: flushed, slope: 1.1 },
  gelu: { f: (x) => 0.5 * x * erfc(-x / Math.SQRT2), roundings: () => 26, absolute: flushed, slope: 1.13 },
  gelu_tanh: { f: geluTanh, roundings: (x) => 14 + 5 * Math.min(inner(x), 104), absolute: flushed, slope: 1.13 },
  relu: { f: (x) => Math.max(x, 0), roundings: () => 0 },
  softplus: { f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), roundings: () => 14, absolute: flushed },
  erf: { f: erf, roundings: () => 8, absolute: (x) => (Math.abs(x) < 0.92 ? 0 : 1e-7) },
  sin: { f: Math.sin, roundings: () => 0, absolute: () => 4 * u, slope: 1 },
  cos: { f: Math.cos, roundings: () => 0, absolute: () => 4 * u, slope: 1 },
  abs: { f: Math.abs, roundings: () => 0 },
  neg: { f: (x) => -x, roundings: () => 0 },
};

/** What is infinite or NaN has no distance to itself. */
export const apart = (x: number, y: number): number =>
  Object.is(x, y) ? 0 : Number.isNaN(x) || Number.isNaN(y) ? Infinity : x === y ? 0 : Math.abs(x - y);

function functionBound(f: ScalarFunction, a: Point, whole: boolean, unit: number): Point {
  const v = f.f(a.v);
  const wide = a.d === 0 ? 0 : Math.max(apart(f.f(a.v + a.d), v), apart(f.f(a.v - a.d), v));
  // Wave and bump: the ends may be alike and the middle not.
  const spread =
    a.d === 0 || f.slope === undefined ? wide : Math.max(wide, Math.min(f.slope * a.d, f.slope === 1 ? 2 : Infinity));
  if (!Number.isFinite(v)) return { v, d: spread };
  const own = whole ? 0 : f.roundings(a.v) * unit * Math.abs(v) + (f.absolute?.(a.v) ?? 0);
  return { v, d: spread + own };
}

/** i32 of a float, as the language has it. */
const truncated = (x: number): number =>
  Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), -(2 ** 31)), 2 ** 31 - 1);

/** What rounding a result may err. */
const rounding = (v: number, whole: boolean, unit: number): number =>
  whole || !Number.isFinite(v) ? 0 : Math.abs(v) * unit;

/** A result as i32 has it, if it is one. */
const wrapped = (v: number, whole: boolean): number => (whole && Number.isFinite(v) ? v | 0 : v);

/** Whether the quotient rounded down is the same for all operands within their bounds. */
function steadyQuotient(a: Point, b: Point): boolean {
  if (a.d === 0 && b.d === 0) return true;
  if (!(Math.abs(b.v) > b.d)) return false;
  const [low, high] = [b.v - b.d, b.v + b.d];
  const quotients = [a.v - a.d, a.v + a.d].flatMap((x) => [Math.floor(x / low), Math.floor(x / high)]);
  return quotients.every((q) => Number.isFinite(q) && q === quotients[0]);
}

/** Whether a number may be 0, or on the other side of it. */
const near0 = ({ v, d }: Point): boolean => d > 0 && !(Math.abs(v) > d);

/** The rest of whole numbers. One that rounding could turn stays undecided: anything up to the divisor. */
function wholeRest(a: Point, b: Point): Point {
  const v = b.v === 0 ? 0 : rest(a.v, b.v);
  if (a.d + b.d === 0) return { v, d: 0 };
  return { v, d: steadyQuotient(a, b) && b.d === 0 ? a.d : Math.abs(b.v) + b.d };
}

/**
 * The rest is exact but for one rounding: it moves with its operands, or, where the quotient is not certain, within the divisor. It is
 * certainly NaN of a dividend that is infinite and of a divisor that is 0.
 */
function restBound(a: Point, b: Point, unit: number): Point {
  const v = rest(a.v, b.v);
  if (Number.isNaN(v) || (a.d === 0 && b.d === 0)) return { v, d: rounding(v, false, unit) };
  const infinite = [a, b].some((x) => Number.isFinite(x.v) && Math.abs(x.v) + x.d >= infiniteFrom);
  if (infinite || near0(b)) return { v, d: Infinity };
  // Of an infinite divisor it is the dividend, or the divisor where the signs differ.
  if (!Number.isFinite(b.v)) return { v, d: near0(a) ? Infinity : a.d };
  if (!steadyQuotient(a, b)) return { v, d: Math.abs(b.v) + b.d };
  return { v, d: a.d + times(Math.abs(Math.floor(a.v / b.v)), b.d) + rounding(v, false, unit) };
}

/** Bound of x ** y: monotone in each where x is positive, so the corners say it. */
function powerBound(a: Point, b: Point, unit: number): Point {
  const v = power(a.v, b.v);
  // Beyond a product of eight factors and a quotient, what the exponent loses (kernel/math/power.ts).
  const own = Number.isFinite(v) ? (14 * unit + Math.min(Math.abs(b.v), 2 ** 60) * 2 ** -42) * Math.abs(v) : 0;
  if (a.d === 0 && b.d === 0) return { v, d: own };
  const corners = [a.v - a.d, a.v + a.d].flatMap((x) => [power(x, b.v - b.d), power(x, b.v + b.d)]);
  const across = a.v - a.d <= 0 && a.v + a.d >= 0 && b.v < 0;
  const spread = across ? Infinity : Math.max(...corners.map((c) => apart(c, v)));
  return { v, d: spread + own };
}

/** Operations with poles: there they are infinite exactly. */
const poles: ReadonlySet<MapOp> = new Set<MapOp>(['div', 'log', 'rsqrt', 'pow', 'mod']);

/** Whether a finite computation gives a number that f32 has not. An infinity among the operands makes an infinity. */
export function leavesRange(op: MapOp, v: number, args: readonly { readonly v: number }[]): boolean {
  if (!(Math.abs(v) > LARGEST) || args.some((a) => !(Math.abs(a.v) <= LARGEST))) return false;
  return Number.isFinite(v) || !poles.has(op);
}

/** Operations that may not look at an operand. */
const selective: ReadonlySet<MapOp> = new Set<MapOp>(['where', 'and', 'or']);

/**
 * A map of points: the value in float64, and how far an f32 one may be off. `unit` is the unit roundoff of + - * / and what is made
 * of them: that of f32, or `wideUnit`.
 */
export function mapBound(op: MapOp, args: readonly Point[], element: string, unit = u): Point {
  const { v, d } = pointBound(op, args, element, unit);
  if (args.some((a) => a.d === Infinity) && !selective.has(op)) return { v, d: Infinity };
  if (element !== 'f32') return { v, d };
  // What may have rounded to an infinity may be one.
  const reaches = Number.isFinite(v) && Math.abs(v) + d >= infiniteFrom;
  return { v, d: reaches || leavesRange(op, v, args) ? Infinity : d };
}

function pointBound(op: MapOp, args: readonly Point[], element: string, unit: number): Point {
  const [a = { v: 0, d: 0 }, b = { v: 0, d: 0 }, c = { v: 0, d: 0 }] = args;
  const whole = element === 'i32';
  const f = functions[op];
  if (f !== undefined) return functionBound(f, a, whole, unit);
  switch (op) {
    case 'add':
    case 'sub': {
      const v = wrapped(op === 'add' ? a.v + b.v : a.v - b.v, whole);
      if (!Number.isFinite(v)) return { v, d: Number.isFinite(a.d + b.d) ? 0 : Infinity };
      return { v, d: a.d + b.d + rounding(v, whole, unit) };
    }
    case 'mul': {
      const v = whole && Number.isFinite(a.v * b.v) ? Math.imul(a.v, b.v) : a.v * b.v;
      if (!Number.isFinite(a.v) || !Number.isFinite(b.v)) {
        // An infinity times what has a certain sign is certain.
        const certain = [a, b].every(({ v: x, d }) => d === 0 || Math.abs(x) > d);
        return { v, d: certain && Number.isFinite(a.d + b.d) ? 0 : Infinity };
      }
      return {
        v,
        d: times(Math.abs(a.v), b.d) + times(Math.abs(b.v), a.d) + times(a.d, b.d) + rounding(v, whole, unit),
      };
    }
    case 'div': {
      if (whole) {
        const v = b.v === 0 ? a.v : wrapped(Math.floor(a.v / b.v), whole);
        return { v, d: a.d + b.d === 0 || steadyQuotient(a, b) ? 0 : Infinity };
      }
      const v = quotient(a.v, b.v);
      if (!Number.isFinite(v) || !Number.isFinite(b.v)) {
        const certain = [a, b].every(({ v: x, d }) => d === 0 || Math.abs(x) > d);
        return { v, d: certain && Number.isFinite(a.d + b.d) ? 0 : Infinity };
      }
      const least = Math.abs(b.v) - b.d;
      const spread = least > 0 ? (a.d + times(Math.abs(v), b.d)) / least : a.d + b.d === 0 ? 0 : Infinity;
      return { v, d: spread + 5 * rounding(v, whole, unit) };
    }
    case 'mod':
      return whole ? wholeRest(a, b) : restBound(a, b, unit);
    case 'pow':
      return powerBound(a, b, unit);
    case 'minimum':
    case 'maximum':
      return { v: op === 'minimum' ? Math.min(a.v, b.v) : Math.max(a.v, b.v), d: Math.max(a.d, b.d) };
    case 'clamp':
      return { v: Math.min(Math.max(a.v, b.v), c.v), d: Math.max(a.d, b.d, c.d) };
    case 'where': {
      const v = a.v !== 0 ? b.v : c.v;
      if (a.d === 0) return { v, d: a.v !== 0 ? b.d : c.d };
      return { v, d: Math.max(b.d, c.d) + apart(b.v, c.v) };
    }
    case 'eq':
    case 'ne':
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge': {
      // What is certainly NaN compares the same with everything.
      const certain = [a, b].some(({ v, d }) => Number.isNaN(v) && d === 0);
      const slack = certain ? 0 : a.d + b.d;
      const results = {
        eq: a.v === b.v,
        ne: a.v !== b.v,
        lt: a.v < b.v,
        le: a.v <= b.v,
        gt: a.v > b.v,
        ge: a.v >= b.v,
      };
      return { v: results[op] ? 1 : 0, d: slack > 0 && Math.abs(distance(a.v, b.v)) <= slack ? 1 : 0 };
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
      return { v: Math.sign(a.v), d: near0(a) ? 1 + Math.abs(Math.sign(a.v)) : 0 };
    case 'floor':
    case 'ceil': {
      const g = op === 'floor' ? Math.floor : Math.ceil;
      return { v: g(a.v), d: Math.max(apart(g(a.v + a.d), g(a.v)), apart(g(a.v), g(a.v - a.d))) };
    }
    case 'convert': {
      if (element === 'f16') {
        // Rounding is exact and does not decrease: only a number near a tie has two outcomes.
        const v = roundToF16(a.v);
        if (a.d === 0) return { v, d: 0 };
        return { v, d: Math.max(apart(roundToF16(a.v + a.d), v), apart(v, roundToF16(a.v - a.d))) };
      }
      if (element === 'i32') {
        const v = truncated(a.v);
        return { v, d: Math.max(apart(truncated(a.v + a.d), v), apart(v, truncated(a.v - a.d))) };
      }
      if (element === 'bool') return { v: a.v !== 0 ? 1 : 0, d: near0(a) ? 1 : 0 };
      return { v: a.v, d: a.d + (Number.isInteger(a.v) && Math.abs(a.v) < 2 ** 24 ? 0 : rounding(a.v, whole, unit)) };
    }
    default:
      throw new CompilerBug('error bounds', `no bound for ${op}`);
  }
}
