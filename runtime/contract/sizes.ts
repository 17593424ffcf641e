/**
 * Size formulas: what a manifest says of sizes that only a run knows, evaluated exactly.
 *
 * Invariants:
 * - Whole numbers and fractions stay exact (rationals of big integers); only functions like `exp`, and what is made of
 *   their results, are floating point. `floor` and `ceil` of either are exact again.
 * - `%` is floored, as in the language. A division by zero is an error of the sizes, never an infinity.
 */
import { InputError } from './errors.ts';
import type { AxisSpec, SizeFormula, SizeFormulaOp } from './manifest.ts';

/** Sizes of the dynamic axes, by name. */
export type Sizes = ReadonlyMap<string, number>;

type Exact = { readonly kind: 'exact'; readonly numerator: bigint; readonly denominator: bigint };
type Real = { readonly kind: 'real'; readonly value: number };
type Value = Exact | Real;

/** A formula is nested no deeper than an expression of the language. */
const MOST_DEPTH = 256;

/** Exponents above this make numbers no size can be. */
const MOST_EXPONENT = 4096n;

/** A count of something: a whole number from 0 to 2^53 − 1. Throws InputError MOE0715. */
export function evaluateCount(formula: SizeFormula, sizes: Sizes, what: string): number {
  if (typeof formula === 'number' && Number.isSafeInteger(formula) && formula >= 0) return formula;
  const value = evaluate(formula, sizes, 0);
  const whole = value.kind === 'exact' && value.denominator === 1n ? value.numerator : null;
  if (whole === null || whole < 0n || whole > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new InputError('MOE0715', `${what} would be ${show(value)}${describeSizes(sizes)}`);
  }
  return Number(whole);
}

/** The nearest double of a formula. */
export function evaluateNumber(formula: SizeFormula, sizes: Sizes): number {
  if (typeof formula === 'number') return formula;
  return toNumber(evaluate(formula, sizes, 0));
}

/** A whole number of 32 bits for a uniform. Throws InputError MOE0715. */
export function evaluateWord(formula: SizeFormula, sizes: Sizes, signed: boolean, what: string): number {
  const value = evaluate(formula, sizes, 0);
  const whole = value.kind === 'exact' && value.denominator === 1n ? Number(value.numerator) : NaN;
  const inRange = signed ? whole >= -(2 ** 31) && whole < 2 ** 31 : whole >= 0 && whole < 2 ** 32;
  if (!inRange) throw new InputError('MOE0715', `${what} would be ${show(value)}${describeSizes(sizes)}`);
  return whole;
}

/** The lengths of axes, outermost first. */
export function evaluateShape(axes: readonly AxisSpec[], sizes: Sizes): readonly number[] {
  return axes.map((axis) => evaluateCount(axis.size, sizes, `the size of axis ${axis.name}`));
}

/** Elements of a shape; exact as long as the result is a safe integer, else InputError MOE0715. */
export function elementCount(shape: readonly number[]): number {
  const count = shape.reduce((product, size) => product * BigInt(size), 1n);
  if (count > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new InputError('MOE0715', `a tensor of ${count} elements is too large`);
  }
  return Number(count);
}

function describeSizes(sizes: Sizes): string {
  if (sizes.size === 0) return '';
  return ` with ${[...sizes].map(([name, size]) => `${name} = ${size}`).join(', ')}`;
}

function show(value: Value): string {
  if (value.kind === 'real') return String(value.value);
  return value.denominator === 1n ? String(value.numerator) : `${value.numerator}/${value.denominator}`;
}

const exact = (numerator: bigint, denominator = 1n): Exact => {
  if (denominator === 0n) throw new InputError('MOE0715', 'a size formula divides by zero');
  const sign = denominator < 0n ? -1n : 1n;
  const divisor = gcd(numerator < 0n ? -numerator : numerator, denominator * sign);
  const by = divisor === 0n ? 1n : divisor;
  return { kind: 'exact', numerator: (sign * numerator) / by, denominator: (sign * denominator) / by };
};

function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a;
}

const real = (value: number): Real => ({ kind: 'real', value });

/** The double nearest to a value; big integers are scaled down to 64 significant bits first. */
function toNumber(value: Value): number {
  if (value.kind === 'real') return value.value;
  const { numerator, denominator } = value;
  if (denominator === 1n) return Number(numerator);
  const magnitude = numerator < 0n ? -numerator : numerator;
  const shift = BigInt(Math.max(0, 64 - (bitLength(magnitude) - bitLength(denominator))));
  const quotient = (magnitude << shift) / denominator;
  const scaled = Number(quotient) * 2 ** -Number(shift);
  return numerator < 0n ? -scaled : scaled;
}

const bitLength = (value: bigint): number => value.toString(2).length;

function evaluate(formula: SizeFormula, sizes: Sizes, depth: number): Value {
  if (depth > MOST_DEPTH) throw new InputError('MOE0715', 'a size formula is nested too deeply');
  if (typeof formula === 'number') return Number.isSafeInteger(formula) ? exact(BigInt(formula)) : real(formula);
  if (typeof formula === 'string') {
    const size = sizes.get(formula);
    if (size === undefined) throw new InputError('MOE0715', `the size of axis ${formula} is not known`);
    return exact(BigInt(size));
  }
  if ('real' in formula) return real(formula.real);
  if ('numerator' in formula) return exact(BigInt(formula.numerator), BigInt(formula.denominator));
  return apply(
    formula.op,
    formula.args.map((arg) => evaluate(arg, sizes, depth + 1)),
  );
}

function apply(op: SizeFormulaOp, args: readonly Value[]): Value {
  const [first, ...rest] = args;
  if (first === undefined) throw new InputError('MOE0715', `a size formula has a ${op} of nothing`);
  switch (op) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'mod':
    case 'pow':
    case 'min':
    case 'max':
      return rest.reduce((left, right) => binary(op, left, right), first);
    case 'floor':
      return round(first, floorDivide, Math.floor);
    case 'ceil':
      return round(first, (n, d) => -floorDivide(-n, d), Math.ceil);
    case 'abs':
      if (first.kind === 'real') return real(Math.abs(first.value));
      return first.numerator < 0n ? exact(-first.numerator, first.denominator) : first;
    case 'sign':
      if (first.kind === 'real') return real(Math.sign(first.value));
      return exact(first.numerator < 0n ? -1n : first.numerator > 0n ? 1n : 0n);
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
    default: {
      const never: never = op;
      return never;
    }
  }
}

function round(value: Value, ofExact: (n: bigint, d: bigint) => bigint, ofReal: (value: number) => number): Value {
  if (value.kind === 'exact') return exact(ofExact(value.numerator, value.denominator));
  const rounded = ofReal(value.value);
  return Number.isFinite(rounded) ? exact(BigInt(rounded)) : real(rounded);
}

/** Division that rounds down; the divisor is positive. */
function floorDivide(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  return numerator % denominator !== 0n && numerator < 0n ? quotient - 1n : quotient;
}

type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'mod' | 'pow' | 'min' | 'max';

function binary(op: BinaryOp, left: Value, right: Value): Value {
  if (left.kind === 'exact' && right.kind === 'exact') {
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
    default: {
      const never: never = op;
      return never;
    }
  }
}

/** Null where the exact answer is no rational, or one too large to be of use. */
function binaryExact(op: BinaryOp, left: Exact, right: Exact): Value | null {
  const { numerator: a, denominator: b } = left;
  const { numerator: c, denominator: d } = right;
  switch (op) {
    case 'add':
      return exact(a * d + c * b, b * d);
    case 'sub':
      return exact(a * d - c * b, b * d);
    case 'mul':
      return exact(a * c, b * d);
    case 'div':
      return exact(a * d, b * c);
    case 'mod': {
      if (c === 0n) throw new InputError('MOE0715', 'a size formula divides by zero');
      const quotient = c < 0n ? floorDivide(-a * d, b * -c) : floorDivide(a * d, b * c);
      return exact(a * d - quotient * c * b, b * d);
    }
    case 'pow': {
      if (d !== 1n || c > MOST_EXPONENT || c < -MOST_EXPONENT) return null;
      return c >= 0n ? exact(a ** c, b ** c) : exact(b ** -c, a ** -c);
    }
    case 'min':
      return a * d <= c * b ? left : right;
    case 'max':
      return a * d >= c * b ? left : right;
    default: {
      const never: never = op;
      return never;
    }
  }
}
