/**
 * The arithmetic of sizes: one for what is folded when compiling and for what a run evaluates.
 *
 * Invariants:
 * - Whole numbers and fractions stay exact (rationals of big integers); only functions like `exp`, and what is made of their
 *   results, are floating point. `floor` and `ceil` of either are exact again.
 * - `%` is floored, as in the language. A division by zero is no number: `null`, and the caller says what is wrong.
 *
 * It imports nothing: the runtime ships it, and the language folds with it (DECISIONS, on one evaluator of sizes).
 */

export type SizeOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'mod'
  | 'pow'
  | 'min'
  | 'max'
  | 'floor'
  | 'ceil'
  | 'abs'
  | 'sign'
  | 'sqrt'
  | 'exp'
  | 'log'
  | 'sin'
  | 'cos'
  | 'tanh';

/** A fraction in lowest terms with a positive denominator. */
export interface Rational {
  readonly kind: 'exact';
  readonly numerator: bigint;
  readonly denominator: bigint;
}

export interface Real {
  readonly kind: 'real';
  readonly value: number;
}

export type Known = Rational | Real;

/** Exponents above this make numbers no size can be. */
const MAX_EXPONENT = 4096n;

/** A fraction in lowest terms. The denominator is not 0. */
export function rational(numerator: bigint, denominator = 1n): Rational {
  const sign = denominator < 0n ? -1n : 1n;
  const divisor = gcd(numerator < 0n ? -numerator : numerator, denominator * sign);
  const by = divisor === 0n ? 1n : divisor;
  return { kind: 'exact', numerator: (sign * numerator) / by, denominator: (sign * denominator) / by };
}

export const real = (value: number): Real => ({ kind: 'real', value });

/** The double nearest to a value; big integers are scaled down to 64 significant bits first. */
export function toNumber(value: Known): number {
  if (value.kind === 'real') return value.value;
  const { numerator, denominator } = value;
  if (denominator === 1n) return Number(numerator);
  const magnitude = numerator < 0n ? -numerator : numerator;
  const shift = BigInt(Math.max(0, 64 - (bitLength(magnitude) - bitLength(denominator))));
  const quotient = (magnitude << shift) / denominator;
  const scaled = Number(quotient) * 2 ** -Number(shift);
  return numerator < 0n ? -scaled : scaled;
}

/** An operation on known numbers; null where it divides by zero. A function of one takes the first, the others fold from the left. */
export function applyKnown(op: SizeOp, first: Known, rest: readonly Known[]): Known | null {
  switch (op) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'mod':
    case 'pow':
    case 'min':
    case 'max':
      return rest.reduce<Known | null>((left, right) => (left === null ? null : binary(op, left, right)), first);
    case 'floor':
      return rounded(first, floorDivide, Math.floor);
    case 'ceil':
      return rounded(first, (n, d) => -floorDivide(-n, d), Math.ceil);
    case 'abs':
      if (first.kind === 'real') return real(Math.abs(first.value));
      return first.numerator < 0n ? rational(-first.numerator, first.denominator) : first;
    case 'sign':
      if (first.kind === 'real') return real(Math.sign(first.value));
      return rational(first.numerator < 0n ? -1n : first.numerator > 0n ? 1n : 0n);
    case 'sqrt':
      return real(Math.sqrt(toNumber(first)));
    case 'exp':
      return real(Math.exp(toNumber(first)));
    case 'log':
      return real(Math.log(toNumber(first)));
    case 'sin':
      return real(Math.sin(toNumber(first)));
    case 'cos':
      return real(Math.cos(toNumber(first)));
    case 'tanh':
      return real(Math.tanh(toNumber(first)));
    default:
      return unreachable(op);
  }
}

function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

const bitLength = (value: bigint): number => value.toString(2).length;

function rounded(value: Known, ofExact: (n: bigint, d: bigint) => bigint, ofReal: (value: number) => number): Known {
  if (value.kind === 'exact') return rational(ofExact(value.numerator, value.denominator));
  const whole = ofReal(value.value);
  return Number.isFinite(whole) ? rational(BigInt(whole)) : real(whole);
}

/** Division that rounds down; the divisor is positive. */
function floorDivide(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  return numerator % denominator !== 0n && numerator < 0n ? quotient - 1n : quotient;
}

type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'mod' | 'pow' | 'min' | 'max';

function binary(op: BinaryOp, left: Known, right: Known): Known | null {
  if ((op === 'div' || op === 'mod') && toNumber(right) === 0) return null;
  if (left.kind === 'exact' && right.kind === 'exact') {
    if (op === 'pow' && left.numerator === 0n && right.numerator < 0n) return null;
    const result = binaryExact(op, left, right);
    if (result !== null) return result;
  }
  const a = toNumber(left);
  const b = toNumber(right);
  switch (op) {
    case 'add':
      return real(a + b);
    case 'sub':
      return real(a - b);
    case 'mul':
      return real(a * b);
    case 'div':
      return real(a / b);
    case 'mod':
      return real(a - b * Math.floor(a / b));
    case 'pow':
      return real(a ** b);
    case 'min':
      return a <= b ? left : right;
    case 'max':
      return a >= b ? left : right;
    default:
      return unreachable(op);
  }
}

/** Null where the exact answer is no rational, or one too large to be of use. The divisor is not 0. */
function binaryExact(op: BinaryOp, left: Rational, right: Rational): Rational | null {
  const { numerator: a, denominator: b } = left;
  const { numerator: c, denominator: d } = right;
  switch (op) {
    case 'add':
      return rational(a * d + c * b, b * d);
    case 'sub':
      return rational(a * d - c * b, b * d);
    case 'mul':
      return rational(a * c, b * d);
    case 'div':
      return rational(a * d, b * c);
    case 'mod': {
      const quotient = c < 0n ? floorDivide(-a * d, b * -c) : floorDivide(a * d, b * c);
      return rational(a * d - quotient * c * b, b * d);
    }
    case 'pow': {
      if (d !== 1n || c > MAX_EXPONENT || c < -MAX_EXPONENT) return null;
      return c >= 0n ? rational(a ** c, b ** c) : rational(b ** -c, a ** -c);
    }
    case 'min':
      return a * d <= c * b ? left : right;
    case 'max':
      return a * d >= c * b ? left : right;
    default:
      return unreachable(op);
  }
}

/** Its own, since this file imports nothing. */
function unreachable(value: never): never {
  throw new Error(`bug in moec, sizes: unhandled operation ${String(value)}`);
}
