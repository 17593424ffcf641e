/**
 * The scalar functions of the language in the operations of the kernel IR, in f32 and i32.
 *
 * - NaN stays NaN: where an operation of the GPU drops it (max, min, sign, and what erf is made of), it is found by its bits.
 * - Nothing overflows into a NaN on the way: sigmoid and its relatives use exp of a non-positive number only; erf clamps its
 *   argument. What `exp`, `tanh` and `log` themselves do outside their range is for legalisation (kernel/legalise).
 * - i32 division and remainder round down, as the language says; dividing by 0 gives the dividend, its remainder is 0.
 * - `sin` and `cos` are computed, because drivers differ by more than models bear.
 * - `erf` is a two-part minimax approximation, below 1e-7 everywhere (test/schedule/scalar-functions.test.ts).
 */
import { CompilerBug, unreachable } from '../../dsl/diagnostics/bug.ts';
import type { BinaryName, UnaryName } from '../../dsl/algebra/names.ts';
import {
  abs, add, and, bitAnd, bitXor, ceil, convert, div, eq, exp, f32, floor, fma, ge, gt, i32, le, log, lt, max, min, mul, ne, neg, not, or,
  pow, rem, rsqrt, select, sign, sqrt, sub, tanh,
} from '../kernel/build.ts'; // prettier-ignore
import type { Expr, ScalarType } from '../kernel/ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { canBeNaN, isNaNBits, keepingNaN } from '../kernel/not-a-number.ts';
import { numberOf } from '../kernel/simplify.ts';

/** A value as another type: numbers convert, a bool is 0 or 1, a number is true if it is not 0. */
export function as(type: ScalarType, value: Expr): Expr {
  return convert(type, value);
}

/** A float as i32: of NaN it is 0, which WGSL leaves open. */
export function integerOf(k: KernelBuilder, value: Expr): Expr {
  if (!canBeNaN(value)) return as('i32', value);
  const x = k.let(value);
  return select(isNaNBits(x), i32(0), as('i32', x));
}

/** `name(x)`; `x` of type f32, or i32 where the function has integers, or bool for `not`. */
export function unaryFunctionOf(k: KernelBuilder, name: UnaryName, operand: Expr): Expr {
  const x = held(k, operand);
  switch (name) {
    case 'neg':
      return neg(x);
    case 'not':
      return not(as('bool', x));
    case 'exp':
      return exp(x);
    case 'log':
      return log(x);
    case 'sqrt':
      return sqrt(x);
    case 'rsqrt':
      return rsqrt(x);
    case 'tanh':
      return tanh(x);
    case 'sigmoid':
      return sigmoid(k, x);
    case 'silu':
      return mul(x, sigmoid(k, x));
    case 'gelu':
      return mul(mul(x, f32(0.5)), add(erf(k, mul(x, f32(Math.SQRT1_2))), 1));
    case 'gelu_tanh': {
      const inner = mul(f32(Math.sqrt(2 / Math.PI)), add(x, mul(f32(0.044715), mul(x, mul(x, x)))));
      return mul(mul(x, f32(0.5)), add(tanh(inner), 1));
    }
    case 'relu':
      return maximum(k, x, f32(0));
    case 'softplus':
      return add(max(x, 0), log(add(exp(neg(abs(x))), 1)));
    case 'erf':
      return keeping(k, [x], erf(k, x));
    case 'abs':
      return abs(x);
    case 'sign':
      return keeping(k, [x], sign(x));
    case 'floor':
      return x.type === 'f32' ? floor(x) : x;
    case 'ceil':
      return x.type === 'f32' ? ceil(x) : x;
    case 'sin':
      return turn(k, x, 0);
    case 'cos':
      return turn(k, x, 1);
    default:
      return unreachable(name, 'schedule');
  }
}

/** An operand in a form that may be repeated. A number that is never NaN stays to be seen as one. */
const held = (k: KernelBuilder, operand: Expr): Expr =>
  operand.kind === 'literal' || operand.kind === 'uniform' ? operand : k.let(operand);

const keeping = (k: KernelBuilder, operands: readonly Expr[], value: Expr): Expr =>
  keepingNaN(operands, value, (expr) => k.let(expr));

const maximum = (k: KernelBuilder, x: Expr, y: Expr): Expr => keeping(k, [x, y], max(x, y));

/** min(max(x, low), high); NaN if one of the three is. */
export function clamp(k: KernelBuilder, value: Expr, low: Expr, high: Expr): Expr {
  const [x, from, to] = [held(k, value), held(k, low), held(k, high)];
  return keeping(k, [x, from, to], min(max(x, from), to));
}

/** 1 / (1 + exp(-x)), with exp of -|x| only. */
function sigmoid(k: KernelBuilder, x: Expr): Expr {
  const e = k.let(exp(neg(abs(x))));
  const small = div(e, add(e, 1));
  return select(ge(x, 0), div(f32(1), add(e, 1)), small);
}

/**
 * sin(x + quarters · π/2). Drivers differ by up to 2e-4 here, which rotary positions do not bear, so it is computed: the
 * argument reduced to [-π/4, π/4] by a three-part π/2 (Cody, Waite 1980), then the polynomials of Cephes. Below 2e-7 for
 * arguments up to 10^4; the error grows with the argument beyond.
 */
function turn(k: KernelBuilder, argument: Expr, quarters: number): Expr {
  const x = k.let(argument);
  const q = k.let(floor(add(mul(x, f32(2 / Math.PI)), 0.5)));
  const part = (from: Expr, of: number): Expr => k.let(sub(from, mul(q, f32(of))));
  const r = part(part(part(x, 1.5703125), 4.837512969970703125e-4), 7.54978995489188216e-8);
  const z = k.let(mul(r, r));
  const poly = (coefficients: readonly number[]): Expr =>
    coefficients.slice(1).reduce((sum, c) => add(mul(sum, z), f32(c)), f32(coefficients[0] ?? 0));
  const odd = k.let(add(mul(mul(poly([-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]), z), r), r));
  const even = k.let(add(mul(poly([2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2, -0.5]), z), 1));
  const n = k.let(bitAnd(add(convert('i32', q), i32(quarters)), i32(3)));
  const value = k.let(select(eq(bitAnd(n, i32(1)), i32(0)), odd, even));
  return select(lt(n, i32(2)), value, neg(value));
}

/** Error function: an odd polynomial near 0, 1 - exp(polynomial) further out; beyond 4 it is 1 in f32. */
function erf(k: KernelBuilder, argument: Expr): Expr {
  const x = k.let(argument);
  const t = k.let(min(abs(x), 4));
  const s = k.let(mul(t, t));
  const poly = (at: Expr, coefficients: readonly number[]) =>
    coefficients.slice(1).reduce((sum, c) => fma(sum, at, c), f32(coefficients[0] ?? 0));
  const near = k.let(
    mul(
      fma(
        poly(s, [-5.96761703e-4, 4.99119423e-3, -2.67681349e-2, 1.12819925e-1, -3.76125336e-1, 1.28379166e-1]),
        f32(1),
        1,
      ),
      x,
    ),
  );
  const high = fma(poly(t, [-1.7285347e-5, 3.83197126e-4]), s, poly(t, [-3.88396438e-3, 2.42546219e-2]));
  const rest = [-1.06777877e-1, -6.34846687e-1, -1.28717512e-1].reduce((sum, c) => fma(sum, t, c), high);
  const far = k.let(sub(f32(1), exp(fma(rest, t, neg(t)))));
  return select(gt(t, f32(0.927734375)), select(lt(x, 0), neg(far), far), near);
}

/** `name(x, y)`, both of one type; comparisons give bool. */
export function binaryFunctionOf(k: KernelBuilder, name: BinaryName, left: Expr, right: Expr): Expr {
  const [x, y] = [held(k, left), held(k, right)];
  switch (name) {
    case 'add':
      return add(x, y);
    case 'sub':
      return sub(x, y);
    case 'mul':
      return mul(x, y);
    case 'div':
      return x.type === 'f32' ? div(x, y) : flooredQuotient(k, x, y);
    case 'mod':
      return x.type === 'f32' ? sub(x, mul(y, floor(div(x, y)))) : flooredRest(k, x, y);
    case 'pow':
      return power(k, x, y);
    case 'eq':
      return eq(x, y);
    case 'ne':
      // WGSL's `!=` is false of a NaN on some drivers.
      return [x, y].filter(canBeNaN).reduce((differ, v) => or(differ, isNaNBits(v)), ne(x, y));
    case 'lt':
      return lt(x, y);
    case 'le':
      return le(x, y);
    case 'gt':
      return gt(x, y);
    case 'ge':
      return ge(x, y);
    case 'and':
      return and(x, y);
    case 'or':
      return or(x, y);
    case 'minimum':
      return keeping(k, [x, y], min(x, y));
    case 'maximum':
      return maximum(k, x, y);
    default:
      return unreachable(name, 'schedule');
  }
}

/** Whether a remainder that is not 0 has the other sign than the divisor: the truncated quotient is then one too large. */
function crosses(rest: Expr, divisor: Expr): Expr {
  return and(ne(rest, 0), lt(bitXor(rest, divisor), 0));
}

function flooredQuotient(k: KernelBuilder, x: Expr, y: Expr): Expr {
  const quotient = div(x, y);
  return select(crosses(k.let(rem(x, y)), y), sub(quotient, 1), quotient);
}

function flooredRest(k: KernelBuilder, x: Expr, y: Expr): Expr {
  const rest = k.let(rem(x, y));
  return select(crosses(rest, y), add(rest, y), rest);
}

/**
 * x ** y. A GPU's pow is exp2(y log2 x), undefined for negative x: small constant exponents become products and roots, and a negative
 * base is raised by its magnitude when the exponent is an integer.
 */
function power(k: KernelBuilder, x: Expr, y: Expr): Expr {
  if (x.type !== 'f32') throw new CompilerBug('schedule', `a power of ${x.type}`);
  const n = numberOf(y);
  if (n !== undefined && Number.isInteger(n) && n >= 0 && n <= 16) return product(k, x, n);
  if (n !== undefined && Number.isInteger(n) && n >= -16) return div(f32(1), product(k, x, -n));
  if (n === 0.5) return sqrt(x);
  if (n === -0.5) return rsqrt(x);
  const whole = eq(floor(y), y);
  const odd = ne(mul(floor(mul(y, f32(0.5))), 2), y);
  const size = k.let(pow(abs(x), y));
  const signed = select(odd, neg(size), size);
  const value = select(lt(x, 0), select(whole, signed, pow(x, y)), size);
  return select(eq(y, 0), f32(1), value);
}

/** x to a power n >= 0, by repeated squaring. */
function product(k: KernelBuilder, x: Expr, n: number): Expr {
  let result: Expr | null = null;
  let square = x;
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result === null ? square : k.let(mul(result, square));
    if (rest > 1) square = k.let(mul(square, square));
  }
  return result ?? f32(1);
}
