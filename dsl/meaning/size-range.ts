/** What a formula of sizes can come to, whatever a run has: from the axes, whose sizes are whole numbers of 31 bits. */
import { unreachable } from '../diagnostics/bug.ts';
import { asNumber, type Size } from '../types/size.ts';

export interface SizeRange {
  readonly least: number;
  readonly greatest: number;
  /** Whether it is a whole number in every run. */
  readonly whole: boolean;
}

const anything: SizeRange = { least: -Infinity, greatest: Infinity, whole: false };
const largestAxis = 2 ** 31 - 1;

/** The range of a formula; wider than it need be where its steps depend on one another. */
export function rangeOf(size: Size): SizeRange {
  if (size.kind === 'dynamic') return { least: 0, greatest: largestAxis, whole: true };
  if (size.kind !== 'op') {
    const value = asNumber(size) ?? NaN;
    return Number.isNaN(value) ? anything : { least: value, greatest: value, whole: Number.isInteger(value) };
  }
  const args = size.args.map(rangeOf);
  const [a = anything, b = anything] = args;
  const whole = args.every((arg) => arg.whole);
  const ends = (op: (x: number, y: number) => number): SizeRange => {
    const found = [op(a.least, b.least), op(a.least, b.greatest), op(a.greatest, b.least), op(a.greatest, b.greatest)];
    return found.some(Number.isNaN) ? { ...anything, whole } : { least: Math.min(...found), greatest: Math.max(...found), whole }; // prettier-ignore
  };
  switch (size.op) {
    case 'add':
      return ends((x, y) => x + y);
    case 'sub':
      return ends((x, y) => x - y);
    case 'mul':
      return ends((x, y) => x * y);
    case 'min':
      return ends(Math.min);
    case 'max':
      return ends(Math.max);
    case 'div':
      return b.least > 0 || b.greatest < 0 ? { ...ends((x, y) => x / y), whole: false } : anything;
    case 'mod':
      // Floored: between 0 and the divisor.
      return { least: Math.min(b.least, 0), greatest: Math.max(b.greatest, 0), whole };
    case 'floor':
    case 'ceil': {
      const round = size.op === 'floor' ? Math.floor : Math.ceil;
      return { least: round(a.least), greatest: round(a.greatest), whole: true };
    }
    case 'abs': {
      const far = Math.max(Math.abs(a.least), Math.abs(a.greatest));
      const near = a.least <= 0 && a.greatest >= 0 ? 0 : Math.min(Math.abs(a.least), Math.abs(a.greatest));
      return { least: near, greatest: far, whole };
    }
    case 'sign':
      return { least: -1, greatest: 1, whole: true };
    case 'sin':
    case 'cos':
    case 'tanh':
      return { least: -1, greatest: 1, whole: false };
    case 'pow':
    case 'sqrt':
    case 'exp':
    case 'log':
      return anything;
    default:
      return unreachable(size.op, 'sizes');
  }
}
