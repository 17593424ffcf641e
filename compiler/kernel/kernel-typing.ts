/**
 * The typing rules of the kernel IR, in one place: the constructors (make-expressions.ts) refuse what they forbid, and the verifier
 * (verify-kernel.ts) asks them again of finished trees, so that a transformation which bypasses the constructors is caught too.
 *
 * Every rule answers `undefined` for "no such operation on these types".
 */
import type { KernelBinaryOp, NumericType, ScalarType, BufferElement, KernelUnaryOp } from './kernel-ir.ts';

export function isNumeric(type: ScalarType): type is NumericType {
  return type !== 'bool';
}

export function isInteger(type: ScalarType): type is 'i32' | 'u32' {
  return type === 'i32' || type === 'u32';
}

/** The type a load of such an element has: atomics are read by value. */
export function loadedType(element: BufferElement): NumericType {
  switch (element) {
    case 'f32':
      return 'f32';
    case 'i32':
    case 'atomic_i32':
      return 'i32';
    case 'u32':
    case 'atomic_u32':
      return 'u32';
  }
}

export function isAtomic(element: BufferElement): boolean {
  return element === 'atomic_i32' || element === 'atomic_u32';
}

/** The result type of `op operand`, or `undefined` if there is none. */
export function unaryType(op: KernelUnaryOp, operand: ScalarType): ScalarType | undefined {
  switch (op) {
    case 'neg':
    case 'sign':
      return operand === 'f32' || operand === 'i32' ? operand : undefined;
    case 'abs':
      return isNumeric(operand) ? operand : undefined;
    case 'not':
      return operand === 'bool' ? 'bool' : undefined;
    case 'bit_not':
      return isInteger(operand) ? operand : undefined;
    case 'floor':
    case 'ceil':
    case 'sqrt':
    case 'rsqrt':
      return operand === 'f32' ? 'f32' : undefined;
  }
}

/** The result type of `left op right`, or `undefined` if there is none. Nothing converts by itself. */
export function binaryType(op: KernelBinaryOp, left: ScalarType, right: ScalarType): ScalarType | undefined {
  switch (op) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'rem':
    case 'min':
    case 'max':
      return left === right && isNumeric(left) ? left : undefined;
    case 'eq':
    case 'ne':
      return left === right ? 'bool' : undefined;
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
      return left === right && isNumeric(left) ? 'bool' : undefined;
    case 'and':
    case 'or':
      return left === 'bool' && right === 'bool' ? 'bool' : undefined;
    case 'bit_and':
    case 'bit_or':
    case 'bit_xor':
      return left === right && isInteger(left) ? left : undefined;
    case 'shl':
    case 'shr':
      return isInteger(left) && right === 'u32' ? left : undefined;
  }
}

/** Why `value` cannot be a literal of `type`, or `undefined` if it can. Infinities and NaN are f32 like others; legalisation makes them. */
export function literalProblem(type: ScalarType, value: number | boolean): string | undefined {
  if (typeof value === 'boolean') return type === 'bool' ? undefined : `${value} is not of type ${type}`;
  switch (type) {
    case 'bool':
      return `${value} is not a bool`;
    case 'f32':
      return Object.is(Math.fround(value), value) ? undefined : `${value} is not representable as f32`;
    case 'i32':
      return Number.isInteger(value) && value >= -2147483648 && value <= 2147483647
        ? undefined
        : `${value} is not representable as i32`;
    case 'u32':
      return Number.isInteger(value) && value >= 0 && value <= 4294967295
        ? undefined
        : `${value} is not representable as u32`;
  }
}
