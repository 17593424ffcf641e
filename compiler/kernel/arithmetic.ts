/**
 * What the scalar operations of the kernel IR compute, on plain JS numbers: the single statement of their semantics.
 * The constant folder (simplify.ts) calls these functions, and the interpreter (interpret-expressions.ts) calls them or
 * inlines the commonest ones (a test holds the two to each other).
 *
 * Values: f32 is a number that `Math.fround` leaves alone; i32 is an integer in [-2^31, 2^31); u32 in [0, 2^32); bool is a
 * JS boolean at the surface of this file.
 *
 * Semantics, as WGSL defines them and as Dawn's software drivers compute them:
 * - f32: every operation is the real one rounded once (`Math.fround`), subnormals kept. Division and roots
 *   are correctly rounded here and within WGSL's bounds on a GPU. min and max return the operand that is not NaN.
 * - integers wrap; x/0 = x, x%0 = 0, MIN/-1 = MIN, MIN%-1 = 0; shift counts are taken modulo 32.
 * - f32 to integers truncates and saturates, NaN gives 0 (no kernel may rely on the last).
 * - `fma` rounds twice (`round(round(a*b)+c)`): this is what the software drivers do and what WGSL allows.
 */
import type { KernelBinaryOp, ScalarType, KernelUnaryOp } from './kernel-ir.ts';
import type { NumericType } from './kernel-ir.ts';

/** Largest finite f32: 3.4028235e38. */
export const F32_MAX = 3.4028234663852886e38;
/** Smallest positive normal f32, 2^-126: below it a GPU may flush to zero. */
export const F32_MIN_NORMAL = 1.1754943508222875e-38;

const bits = new DataView(new ArrayBuffer(4));

/** The value of type `to` that has the bits of `value` of type `from`. */
export function bitcastValue(from: NumericType, to: NumericType, value: number): number {
  if (from === 'f32') bits.setFloat32(0, value);
  else bits.setUint32(0, value);
  if (to === 'f32') return bits.getFloat32(0);
  return to === 'i32' ? bits.getInt32(0) : bits.getUint32(0);
}

/** Value conversion (`convert`) between number types. */
export function convertValue(from: NumericType, to: NumericType, value: number): number {
  if (from === to) return value;
  if (to === 'f32') return Math.fround(value);
  if (from !== 'f32') return to === 'i32' ? value | 0 : value >>> 0;
  if (Number.isNaN(value)) return 0;
  const whole = Math.trunc(value) + 0;
  return to === 'i32' ? Math.min(Math.max(whole, -2147483648), 2147483647) : Math.min(Math.max(whole, 0), 4294967295);
}

/** The number function of a unary operation on numbers of `type` (`not`, on bools, is no number function). */
export function unaryFunction(op: Exclude<KernelUnaryOp, 'not'>, type: NumericType): (x: number) => number {
  const { fround } = Math;
  switch (op) {
    case 'neg':
      return type === 'f32' ? (x) => -x : (x) => -x | 0;
    case 'abs':
      if (type === 'f32') return Math.abs;
      return type === 'i32' ? (x) => Math.abs(x) | 0 : (x) => x;
    case 'sign':
      return (x) => (x > 0 ? 1 : x < 0 ? -1 : 0);
    case 'bit_not':
      return type === 'i32' ? (x) => ~x : (x) => ~x >>> 0;
    case 'floor':
      return Math.floor;
    case 'ceil':
      return Math.ceil;
    case 'sqrt':
      return (x) => fround(Math.sqrt(x));
    case 'rsqrt':
      return (x) => fround(1 / Math.sqrt(x));
  }
}

export type ComparisonOp = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge';
export type LogicOp = 'and' | 'or';
export type NumberOp = Exclude<KernelBinaryOp, ComparisonOp | LogicOp>;

export function isComparison(op: KernelBinaryOp): op is ComparisonOp {
  return op === 'eq' || op === 'ne' || op === 'lt' || op === 'le' || op === 'gt' || op === 'ge';
}

export function isLogic(op: KernelBinaryOp): op is LogicOp {
  return op === 'and' || op === 'or';
}

/** The truth of `a op b` on numbers. */
export function comparisonFunction(op: ComparisonOp): (a: number, b: number) => boolean {
  switch (op) {
    case 'eq':
      return (a, b) => a === b;
    case 'ne':
      return (a, b) => a !== b;
    case 'lt':
      return (a, b) => a < b;
    case 'le':
      return (a, b) => a <= b;
    case 'gt':
      return (a, b) => a > b;
    case 'ge':
      return (a, b) => a >= b;
  }
}

/** The number function of `a op b`, both of `type` (for shifts: the type of the left side). */
export function binaryFunction(op: NumberOp, type: NumericType): (a: number, b: number) => number {
  switch (type) {
    case 'f32':
      return floatFunction(op);
    case 'i32':
      return signedFunction(op);
    case 'u32':
      return unsignedFunction(op);
  }
}

function floatFunction(op: NumberOp): (a: number, b: number) => number {
  const { fround } = Math;
  switch (op) {
    case 'add':
      return (a, b) => fround(a + b);
    case 'sub':
      return (a, b) => fround(a - b);
    case 'mul':
      return (a, b) => fround(a * b);
    case 'div':
      return (a, b) => fround(a / b);
    case 'rem':
      // WGSL: x - y * trunc(x / y). JS `%` is that without the intermediate roundings.
      return (a, b) => fround(a % b);
    case 'min':
      return (a, b) => (a <= b ? a : Number.isNaN(b) ? a : b);
    case 'max':
      return (a, b) => (a >= b ? a : Number.isNaN(b) ? a : b);
    default:
      return noSuch(op, 'f32');
  }
}

function signedFunction(op: NumberOp): (a: number, b: number) => number {
  switch (op) {
    case 'add':
      return (a, b) => (a + b) | 0;
    case 'sub':
      return (a, b) => (a - b) | 0;
    case 'mul':
      return Math.imul;
    case 'div':
      return (a, b) => (b === 0 ? a : (a / b) | 0);
    case 'rem':
      return (a, b) => (b === 0 ? 0 : (a % b) | 0);
    case 'min':
      return (a, b) => (a < b ? a : b);
    case 'max':
      return (a, b) => (a > b ? a : b);
    case 'bit_and':
      return (a, b) => a & b;
    case 'bit_or':
      return (a, b) => a | b;
    case 'bit_xor':
      return (a, b) => a ^ b;
    case 'shl':
      return (a, b) => a << b;
    case 'shr':
      return (a, b) => a >> b;
    default:
      return noSuch(op, 'i32');
  }
}

function unsignedFunction(op: NumberOp): (a: number, b: number) => number {
  switch (op) {
    case 'add':
      return (a, b) => (a + b) >>> 0;
    case 'sub':
      return (a, b) => (a - b) >>> 0;
    case 'mul':
      return (a, b) => Math.imul(a, b) >>> 0;
    case 'div':
      return (a, b) => (b === 0 ? a : (a / b) >>> 0);
    case 'rem':
      return (a, b) => (b === 0 ? 0 : a % b);
    case 'min':
      return (a, b) => (a < b ? a : b);
    case 'max':
      return (a, b) => (a > b ? a : b);
    case 'bit_and':
      return (a, b) => (a & b) >>> 0;
    case 'bit_or':
      return (a, b) => (a | b) >>> 0;
    case 'bit_xor':
      return (a, b) => (a ^ b) >>> 0;
    case 'shl':
      return (a, b) => (a << b) >>> 0;
    case 'shr':
      return (a, b) => a >>> b;
    default:
      return noSuch(op, 'u32');
  }
}

/** The typing rules (kernel-typing.ts) admit no such pair: reached only if they and this table disagree. */
function noSuch(op: NumberOp, type: ScalarType): never {
  throw new TypeError(`no operation ${op} on ${type}`);
}
