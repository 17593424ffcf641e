/**
 * The scalar functions of the language in the operations of the kernel IR, in f32 and i32.
 *
 * - Everything that drivers compute each in its own way is computed (kernel/math), within the errors that graph/scalar-bound.ts states.
 * - NaN stays NaN: where an operation of the GPU drops it (max, min, sign), it is found by its bits.
 * - 0 has no sign: x / 0 is the infinity of the sign of x, whichever zero it is.
 * - i32 division and remainder round down, as the language says; dividing by 0 gives the dividend, its remainder is 0.
 */
import { CompilerBug, unreachable } from '../../../dsl/diagnostics/bug.ts';
import type { BinaryName, UnaryName } from '../../../dsl/types/primitive-names.ts';
import {
  abs, add, and, bitXor, ceil, convert, div, eq, f32, floor, ge, gt, i32, le, lt, max, min, mul, ne, neg, not, or, rem, select, sign, sub,
  u32,
} from '../../kernel/make-expressions.ts'; // prettier-ignore
import type { KernelExpr, ScalarType } from '../../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../../kernel/kernel-builder.ts';
import { exp, sigmoid, softplus, tanh } from '../../kernel/math/exponential.ts';
import { log } from '../../kernel/math/logarithm.ts';
import { erf, gelu } from '../../kernel/math/normal.ts';
import { power } from '../../kernel/math/power.ts';
import { remainder } from '../../kernel/math/remainder.ts';
import { rsqrt, sqrt } from '../../kernel/math/roots.ts';
import { cosine, sine, turned } from '../../kernel/math/turn.ts';
import { canBeNaN, isNaNBits, keepingNaN, magnitudeBits } from '../../kernel/not-a-number.ts';
import { numberOf } from '../../kernel/simplify.ts';

/** A value as another type: numbers convert, a bool is 0 or 1, a number is true if it is not 0. */
export function as(type: ScalarType, value: KernelExpr): KernelExpr {
  return convert(type, value);
}

/** A float as i32: towards 0, to the ends of 32 bits beyond them (WGSL stops at the last float before), 0 of NaN. */
export function integerOf(k: KernelBuilder, value: KernelExpr): KernelExpr {
  if (!canBeNaN(value)) return as('i32', value);
  const x = k.let(value);
  const whole = select(ge(x, f32(2 ** 31)), i32(2147483647), as('i32', x));
  return select(isNaNBits(x), i32(0), select(lt(x, f32(-(2 ** 31))), i32(-2147483648), whole));
}

/** `name(x)`; `x` of type f32, or i32 where the function has integers, or bool for `not`. */
export function unaryFunctionOf(k: KernelBuilder, name: UnaryName, operand: KernelExpr): KernelExpr {
  const x = held(k, operand);
  switch (name) {
    case 'neg':
      return neg(x);
    case 'not':
      return not(as('bool', x));
    case 'exp':
      return exp(k, x);
    case 'log':
      return log(k, x);
    case 'sqrt':
      return sqrt(k, x);
    case 'rsqrt':
      return rsqrt(k, x);
    case 'tanh':
      return tanh(k, x);
    case 'sigmoid':
      return sigmoid(k, x);
    case 'silu':
      return mul(x, sigmoid(k, x));
    case 'gelu':
      return gelu(k, x);
    case 'gelu_tanh': {
      // (1 + tanh z) / 2 is sigmoid(2z), whose tail keeps its digits.
      const inner = mul(x, add(mul(mul(x, x), f32(0.044715)), 1));
      return mul(x, sigmoid(k, mul(inner, f32(2 * Math.sqrt(2 / Math.PI)))));
    }
    case 'relu':
      return maximum(k, x, f32(0));
    case 'softplus':
      return softplus(k, x);
    case 'erf':
      return erf(k, x);
    case 'abs':
      return abs(x);
    case 'sign':
      return keeping(k, [x], sign(x));
    case 'floor':
      return x.type === 'f32' ? floor(x) : x;
    case 'ceil':
      return x.type === 'f32' ? ceil(x) : x;
    case 'sin':
      return sine(k, turned(k, x));
    case 'cos':
      return cosine(k, turned(k, x));
    default:
      return unreachable(name, 'schedule');
  }
}

/** An operand in a form that may be repeated. A number that is never NaN stays to be seen as one. */
const held = (k: KernelBuilder, operand: KernelExpr): KernelExpr =>
  operand.kind === 'literal' || operand.kind === 'uniform' ? operand : k.let(operand);

const keeping = (k: KernelBuilder, operands: readonly KernelExpr[], value: KernelExpr): KernelExpr =>
  keepingNaN(operands, value, (expr) => k.let(expr));

const maximum = (k: KernelBuilder, x: KernelExpr, y: KernelExpr): KernelExpr => keeping(k, [x, y], max(x, y));

/** min(max(x, low), high); NaN if one of the three is. */
export function clamp(k: KernelBuilder, value: KernelExpr, low: KernelExpr, high: KernelExpr): KernelExpr {
  const [x, from, to] = [held(k, value), held(k, low), held(k, high)];
  return keeping(k, [x, from, to], min(max(x, from), to));
}

/** `name(x, y)`, both of one type; comparisons give bool. */
export function binaryFunctionOf(k: KernelBuilder, name: BinaryName, left: KernelExpr, right: KernelExpr): KernelExpr {
  const x = held(k, left);
  const y = sameValue(left, right) ? x : held(k, right);
  switch (name) {
    case 'add':
      return add(x, y);
    case 'sub':
      return x === y && x.type === 'f32' ? unlessInfinite(x, f32(0)) : sub(x, y);
    case 'mul':
      return timesNothing(x, y) ?? timesNothing(y, x) ?? mul(x, y);
    case 'div':
      return x.type === 'f32' ? quotient(x, y) : flooredQuotient(k, x, y);
    case 'mod':
      return x.type === 'f32' ? remainder(k, x, y) : flooredRest(k, x, y);
    case 'pow':
      if (x.type !== 'f32') throw new CompilerBug('schedule', `a power of ${x.type}`);
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

/** Drivers take x - x and x * 0 for 0, which of an infinity they are not: then it is told by its bits. */
const unlessInfinite = (x: KernelExpr, value: KernelExpr): KernelExpr =>
  select(lt(magnitudeBits(x), u32(0x7f800000)), value, f32(NaN));

const sameValue = (x: KernelExpr, y: KernelExpr): boolean =>
  x === y || (x.kind === 'local' && y.kind === 'local' && x.name === y.name);

const timesNothing = (x: KernelExpr, y: KernelExpr): KernelExpr | null =>
  x.type === 'f32' && numberOf(y) === 0 && numberOf(x) === undefined ? unlessInfinite(x, f32(0)) : null;

/** x / y of floats; a divisor that is a number other than 0, or a size, needs no look. */
function quotient(x: KernelExpr, y: KernelExpr): KernelExpr {
  const known = numberOf(y);
  if (x === y) return select(eq(x, 0), f32(NaN), unlessInfinite(x, f32(1)));
  if (known !== undefined && known !== 0) return div(x, y);
  return known === 0 ? mul(x, f32(Infinity)) : select(eq(y, 0), mul(x, f32(Infinity)), div(x, y));
}

/** Whether a remainder that is not 0 has the other sign than the divisor: the truncated quotient is then one too large. */
function crosses(rest: KernelExpr, divisor: KernelExpr): KernelExpr {
  return and(ne(rest, 0), lt(bitXor(rest, divisor), 0));
}

function flooredQuotient(k: KernelBuilder, x: KernelExpr, y: KernelExpr): KernelExpr {
  const quotient = div(x, y);
  return select(crosses(k.let(rem(x, y)), y), sub(quotient, 1), quotient);
}

function flooredRest(k: KernelBuilder, x: KernelExpr, y: KernelExpr): KernelExpr {
  const rest = k.let(rem(x, y));
  return select(crosses(rest, y), add(rest, y), rest);
}
