/**
 * Sizes: exact numbers made of literals, constants and the sizes of axes. A size that depends on a dynamic axis stays
 * a formula, evaluated when a run binds its inputs. Literals and `/` are exact rationals; a transcendental makes a
 * `real`, which may stand in a tensor expression but never as a size (SEMANTICS 2.3).
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

export type Size =
  | { readonly kind: 'exact'; readonly numerator: bigint; readonly denominator: bigint }
  | { readonly kind: 'real'; readonly value: number }
  /** The size of a dynamic axis of the model, by the axis's name. */
  | { readonly kind: 'dynamic'; readonly axis: string }
  | { readonly kind: 'op'; readonly op: SizeOp; readonly args: readonly Size[] };

export function exact(numerator: bigint | number, denominator: bigint | number = 1n): Size {
  let n = BigInt(numerator);
  let d = BigInt(denominator);
  if (d < 0n) [n, d] = [-n, -d];
  const g = gcd(n < 0n ? -n : n, d);
  return { kind: 'exact', numerator: n / g, denominator: d / g };
}

function gcd(a: bigint, b: bigint): bigint {
  while (b !== 0n) [a, b] = [b, a % b];
  return a === 0n ? 1n : a;
}

const ints = (n: number): Size => exact(n);
export const zero: Size = ints(0);
export const one: Size = ints(1);

/** The integer a size is, or null while it is a formula, a fraction or a real. */
export function asInteger(size: Size): number | null {
  return size.kind === 'exact' && size.denominator === 1n ? Number(size.numerator) : null;
}

/** The number a size is (rounded to a double), or null while it is a formula. */
export function asNumber(size: Size): number | null {
  if (size.kind === 'exact') return Number(size.numerator) / Number(size.denominator);
  return size.kind === 'real' ? size.value : null;
}

export function isConstant(size: Size): boolean {
  return size.kind === 'exact' || size.kind === 'real';
}

/** Applies an operation; folds when the arguments are known. Division by zero gives a real (inf or nan). */
export function apply(op: SizeOp, ...args: readonly Size[]): Size {
  const exacts: { n: bigint; d: bigint }[] = [];
  for (const a of args) if (a.kind === 'exact') exacts.push({ n: a.numerator, d: a.denominator });
  if (exacts.length === args.length) {
    const folded = foldExact(op, exacts);
    if (folded !== null) return folded;
  }
  const numbers = args.map(asNumber);
  if (numbers.every((v) => v !== null))
    return {
      kind: 'real',
      value: realOp(
        op,
        numbers.map((v) => v ?? 0),
      ),
    };
  return simplify(op, args);
}

function simplify(op: SizeOp, args: readonly Size[]): Size {
  const [a, b] = args;
  if (a !== undefined && b !== undefined) {
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
    default:
      return false;
  }
}

function foldExact(op: SizeOp, args: readonly { n: bigint; d: bigint }[]): Size | null {
  const a = args[0];
  const b = args[1];
  if (a === undefined) return null;
  if (b === undefined) {
    if (op === 'floor') return exact(floorDiv(a.n, a.d));
    if (op === 'ceil') return exact(-floorDiv(-a.n, a.d));
    if (op === 'abs') return exact(a.n < 0n ? -a.n : a.n, a.d);
    if (op === 'sign') return exact(a.n > 0n ? 1 : a.n < 0n ? -1 : 0);
    return null;
  }
  switch (op) {
    case 'add':
      return exact(a.n * b.d + b.n * a.d, a.d * b.d);
    case 'sub':
      return exact(a.n * b.d - b.n * a.d, a.d * b.d);
    case 'mul':
      return exact(a.n * b.n, a.d * b.d);
    case 'div':
      return b.n === 0n ? null : exact(a.n * b.d, a.d * b.n);
    case 'mod': {
      if (b.n === 0n) return null;
      const q = floorDiv(a.n * b.d, a.d * b.n);
      return exact(a.n * b.d - q * b.n * a.d, a.d * b.d);
    }
    case 'min':
      return a.n * b.d <= b.n * a.d ? exact(a.n, a.d) : exact(b.n, b.d);
    case 'max':
      return a.n * b.d >= b.n * a.d ? exact(a.n, a.d) : exact(b.n, b.d);
    case 'pow': {
      if (b.d !== 1n || b.n > 64n || b.n < -64n || (a.n === 0n && b.n < 0n)) return null;
      const e = b.n < 0n ? -b.n : b.n;
      return b.n < 0n ? exact(a.d ** e, a.n ** e) : exact(a.n ** e, a.d ** e);
    }
    default:
      return null;
  }
}

function floorDiv(a: bigint, b: bigint): bigint {
  if (b < 0n) [a, b] = [-a, -b];
  const q = a / b;
  return a % b < 0n ? q - 1n : q;
}

function realOp(op: SizeOp, args: readonly number[]): number {
  const a = args[0] ?? NaN;
  const b = args[1] ?? NaN;
  switch (op) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return a * b;
    case 'div':
      return a / b;
    case 'mod':
      return a - Math.floor(a / b) * b;
    case 'pow':
      return a ** b;
    case 'min':
      return Math.min(a, b);
    case 'max':
      return Math.max(a, b);
    case 'floor':
      return Math.floor(a);
    case 'ceil':
      return Math.ceil(a);
    case 'abs':
      return Math.abs(a);
    case 'sign':
      return Math.sign(a);
    case 'sqrt':
      return Math.sqrt(a);
    case 'exp':
      return Math.exp(a);
    case 'log':
      return Math.log(a);
    case 'sin':
      return Math.sin(a);
    case 'cos':
      return Math.cos(a);
    case 'tanh':
      return Math.tanh(a);
  }
}

/** The size with the dynamic axes replaced; exact where the arguments are. */
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

const infix: Partial<Record<SizeOp, string>> = { add: '+', sub: '-', mul: '*', div: '/', mod: '%', pow: '**' };

/** Reads like the program: `(2 * T) / 8`. Every parenthesis that the meaning needs is there, and those that spare a reader the rules. */
export function formatSize(size: Size): string {
  switch (size.kind) {
    case 'exact':
      return size.denominator === 1n ? `${size.numerator}` : `${size.numerator}/${size.denominator}`;
    case 'real':
      return `${size.value}`;
    case 'dynamic':
      return size.axis;
    case 'op': {
      const sign = infix[size.op];
      if (sign === undefined) return `${size.op}(${size.args.map(formatSize).join(', ')})`;
      return size.args
        .map((arg, i) => (standsAlone(arg, size.op, i) ? formatSize(arg) : `(${formatSize(arg)})`))
        .join(` ${sign} `);
    }
  }
}

/** Whether an operand of an infix operator needs no parentheses there. */
function standsAlone(arg: Size, op: SizeOp, place: number): boolean {
  // What is grouped to the left may follow itself on the left; of `+` and `*` the grouping does not matter.
  const inLine = op === 'pow' ? place === 1 : place === 0 || op === 'add' || op === 'mul';
  if (arg.kind === 'op') return infix[arg.op] === undefined || (arg.op === op && inLine);
  if (arg.kind === 'dynamic') return true;
  // A fraction is written with `/`, and a minus binds less than a power.
  if (arg.kind === 'exact' && arg.denominator !== 1n) return op === 'add' || op === 'sub' || (op !== 'pow' && inLine);
  return op !== 'pow' || place === 1 || (asNumber(arg) ?? 0) >= 0;
}

export function multiply(sizes: readonly Size[]): Size {
  return sizes.reduce((a, b) => apply('mul', a, b), one);
}
