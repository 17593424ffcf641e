/**
 * Size formulas: what a manifest says of sizes that only a run knows, evaluated exactly (exact.ts). A division by zero is an error of
 * the sizes, never an infinity.
 */
import { InputError } from './errors.ts';
import { applyKnown, rational, real, toNumber, type Known } from './exact.ts';
import type { AxisSpec, SizeFormula } from './manifest.ts';

/** Sizes of the dynamic axes, by name. */
export type Sizes = ReadonlyMap<string, number>;

/** A formula is nested no deeper than an expression of the language. */
const MAX_DEPTH = 256;

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

function show(value: Known): string {
  if (value.kind === 'real') return String(value.value);
  return value.denominator === 1n ? String(value.numerator) : `${value.numerator}/${value.denominator}`;
}

function evaluate(formula: SizeFormula, sizes: Sizes, depth: number): Known {
  if (depth > MAX_DEPTH) throw new InputError('MOE0715', 'a size formula is nested too deeply');
  if (typeof formula === 'number') return Number.isSafeInteger(formula) ? rational(BigInt(formula)) : real(formula);
  if (typeof formula === 'string') {
    const size = sizes.get(formula);
    if (size === undefined) throw new InputError('MOE0715', `the size of axis ${formula} is not known`);
    return rational(BigInt(size));
  }
  if ('real' in formula) return real(formula.real);
  if ('numerator' in formula) {
    const denominator = BigInt(formula.denominator);
    if (denominator === 0n) throw dividedByZero();
    return rational(BigInt(formula.numerator), denominator);
  }
  const [first, ...rest] = formula.args.map((arg) => evaluate(arg, sizes, depth + 1));
  if (first === undefined) throw new InputError('MOE0715', `a size formula has a ${formula.op} of nothing`);
  const value = applyKnown(formula.op, first, rest);
  if (value === null) throw dividedByZero();
  return value;
}

const dividedByZero = (): InputError => new InputError('MOE0715', 'a size formula divides by zero');
