/**
 * Sizes: exact numbers made of literals, constants and the sizes of axes. A size that depends on a dynamic axis stays
 * a formula, evaluated when a run binds its inputs. Literals and `/` are exact rationals; a transcendental makes a
 * `real`, which may stand in a tensor expression but never as a size (SEMANTICS 2.3).
 */
import { unreachable } from '../diagnostics/bug.ts';
import { missing, type Lookup } from '../diagnostics/invariants.ts';
import { applyKnown, rational, real, toNumber, type Known, type SizeOp } from '../../runtime/contract/exact.ts';

export type { SizeOp } from '../../runtime/contract/exact.ts';

export type Size =
  | Known
  /** The size of a dynamic axis of the model, by the axis's name. */
  | { readonly kind: 'dynamic'; readonly axis: string }
  /** `args`: one of a function of one number; else two or more, folded from the left (exact.ts). */
  | { readonly kind: 'op'; readonly op: SizeOp; readonly args: readonly Size[] };

export function exact(numerator: bigint | number, denominator: bigint | number = 1n): Size {
  return rational(BigInt(numerator), BigInt(denominator));
}

const ints = (n: number): Size => exact(n);
export const zero: Size = ints(0);
export const one: Size = ints(1);

/**
 * The integer a size is, or null while it is a formula, a fraction or a real. Above 2^53 it is the nearest double: a size like that is
 * refused as too large by whoever would compute with it, which needs no last digit. Equal sizes are told by `sizeKey`.
 */
export function asInteger(size: Size): number | null {
  return size.kind === 'exact' && size.denominator === 1n ? Number(size.numerator) : null;
}

/** The whole number that a size is where nothing else can stand: what is stored, families and the sizes of a run. */
export function integerOf(size: Size, what: Lookup): number {
  return asInteger(size) ?? missing(what, formatSize(size));
}

/** The number a size is (rounded to a double), or null while it is a formula. */
export function asNumber(size: Size): number | null {
  return isConstant(size) ? toNumber(size) : null;
}

/** The number of a size in a run, which knows all of them. */
export function numberOf(size: Size, what: Lookup): number {
  return asNumber(size) ?? missing(what, formatSize(size));
}

/** Whether a size is a number, and no formula of axes that a run decides. */
export function isConstant(size: Size): size is Known {
  return size.kind === 'exact' || size.kind === 'real';
}

/** Applies an operation; folds when the arguments are known. Division by zero gives a real (inf or nan), which is no size. */
export function apply(op: SizeOp, ...args: readonly Size[]): Size {
  const [first, ...rest] = args.filter(isConstant);
  if (first === undefined || rest.length < args.length - 1) return simplify(op, args);
  return applyKnown(op, first, rest) ?? divided(op, first, rest);
}

/** What IEEE makes of a division by zero. The checker reports it where it folds a constant; a run, by a size constraint. */
function divided(op: SizeOp, first: Known, rest: readonly Known[]): Known {
  const values = [first, ...rest].map(toNumber);
  const by = (a: number, b: number): number => (op === 'mod' ? NaN : op === 'pow' ? a ** b : a / b);
  return real(values.slice(1).reduce(by, values[0] ?? NaN));
}

function simplify(op: SizeOp, args: readonly Size[]): Size {
  const [a, b] = args;
  if (a !== undefined && b !== undefined && args.length === 2) {
    const x = asInteger(a);
    const y = asInteger(b);
    if (op === 'add' && x === 0) return b;
    if (op === 'add' && y === 0) return a;
    if (op === 'sub' && y === 0) return a;
    if (op === 'mul' && (x === 0 || y === 0)) return zero;
    if (op === 'mul' && x === 1) return b;
    if (op === 'mul' && y === 1) return a;
    if (op === 'div' && y === 1) return a;
    if ((op === 'min' || op === 'max') && sizeKey(a) === sizeKey(b)) return a;
    if (op === 'sub' && sizeKey(a) === sizeKey(b)) return zero;
  }
  // The size of an axis is an integer: floor and ceil of a sum of integers and axes change nothing.
  if ((op === 'floor' || op === 'ceil') && a !== undefined && isInteger(a)) return a;
  return { kind: 'op', op, args };
}

function isInteger(size: Size): boolean {
  if (size.kind === 'dynamic') return true;
  if (size.kind === 'exact') return size.denominator === 1n;
  if (size.kind === 'real') return Number.isInteger(size.value);
  switch (size.op) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'min':
    case 'max':
    case 'mod':
    case 'abs':
      return size.args.every(isInteger);
    case 'floor':
    case 'ceil':
    case 'sign':
      return true;
    case 'div':
    case 'pow':
    case 'sqrt':
    case 'exp':
    case 'log':
    case 'sin':
    case 'cos':
    case 'tanh':
      return false;
    default:
      return unreachable(size.op, 'sizes');
  }
}

/** How many parts of so many there are, the last of which may not be full. */
export function ceilDiv(size: Size, by: Size | number): Size {
  return apply('ceil', apply('div', size, typeof by === 'number' ? exact(by) : by));
}

/** The size with dynamic axes replaced by their sizes; axes that `sizes` lacks stay. */
export function substitute(size: Size, sizes: ReadonlyMap<string, number>): Size {
  switch (size.kind) {
    case 'exact':
    case 'real':
      return size;
    case 'dynamic': {
      const n = sizes.get(size.axis);
      return n === undefined ? size : exact(n);
    }
    case 'op':
      return apply(size.op, ...size.args.map((a) => substitute(a, sizes)));
  }
}

/** A canonical text of a formula: equal texts are equal sizes (the converse need not hold). */
export function sizeKey(size: Size): string {
  switch (size.kind) {
    case 'exact':
      return size.denominator === 1n ? `${size.numerator}` : `${size.numerator}/${size.denominator}`;
    case 'real':
      return `~${size.value}`;
    case 'dynamic':
      return size.axis;
    case 'op':
      return `${size.op}(${size.args.map(sizeKey).join(',')})`;
  }
}

/** How an operation is written between its arguments; null: as a call. */
const infix: Readonly<Record<SizeOp, string | null>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  mod: '%',
  pow: '**',
  min: null,
  max: null,
  floor: null,
  ceil: null,
  abs: null,
  sign: null,
  sqrt: null,
  exp: null,
  log: null,
  sin: null,
  cos: null,
  tanh: null,
};

/** A number in a program has no more characters (dsl/syntax/text-limits.ts). */
const MAX_DIGITS = 64;

/** Reads like the program: `(2 * T) / 8`. Every parenthesis that the meaning needs is there, and those that spare a reader the rules. */
export function formatSize(size: Size): string {
  switch (size.kind) {
    case 'exact': {
      const text = size.denominator === 1n ? `${size.numerator}` : `${size.numerator}/${size.denominator}`;
      // A number that no program could write is shown to the digits of a double.
      const near = toNumber(size);
      return text.length > MAX_DIGITS && Number.isFinite(near) ? `${near}` : text;
    }
    case 'real':
      return `${size.value}`;
    case 'dynamic':
      return size.axis;
    case 'op': {
      const sign = infix[size.op];
      if (sign === null) return `${size.op}(${size.args.map(formatSize).join(', ')})`;
      return size.args
        .map((arg, i) => (standsAlone(arg, size.op, i) ? formatSize(arg) : `(${formatSize(arg)})`))
        .join(` ${sign} `);
    }
  }
}

/** Whether an operand of an infix operator needs no parentheses there. */
function standsAlone(arg: Size, op: SizeOp, position: number): boolean {
  // What is grouped to the left may follow itself on the left; of `+` and `*` the grouping does not matter.
  const inLine = op === 'pow' ? position === 1 : position === 0 || op === 'add' || op === 'mul';
  if (arg.kind === 'op') return infix[arg.op] === null || (arg.op === op && inLine);
  if (arg.kind === 'dynamic') return true;
  // A fraction is written with `/`, and a minus binds less than a power.
  if (arg.kind === 'exact' && arg.denominator !== 1n) return op === 'add' || op === 'sub' || (op !== 'pow' && inLine);
  return op !== 'pow' || position === 1 || (asNumber(arg) ?? 0) >= 0;
}

export function multiply(sizes: readonly Size[]): Size {
  return sizes.reduce((a, b) => apply('mul', a, b), one);
}
