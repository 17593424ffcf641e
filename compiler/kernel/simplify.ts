/**
 * Light simplification at construction: constants fold, and the index arithmetic that families write naturally
 * (`row * width + 0`, `x * 1`) reads as a person would have written it.
 *
 * Invariants:
 * - Exact: the value of an expression never changes by a bit, except that an f32 operation on two literals is done here.
 * - A float operation whose result is not finite and normal is left alone: WGSL has no such constant, and a GPU may flush.
 * - Integer identities hold under wrap-around (so `(x * c) / c` stays).
 * - Integer division by a literal zero and shifts by 32 or more are errors at shader creation: they become what they mean.
 */
import {
  F32_MIN_NORMAL,
  binaryFunction,
  bitcastValue,
  comparisonFunction,
  convertValue,
  isComparison,
  isLogic,
  unaryFunction,
} from './arithmetic.ts';
import type { ComparisonOp, NumberOp } from './arithmetic.ts';
import type {
  FloatType,
  KernelBinaryOp,
  KernelExpr,
  KernelUnaryOp,
  LoadedType,
  NumericType,
  ValueType,
} from './kernel-ir.ts';
import { isInteger, isNumeric, isVector, scalarOf } from './kernel-typing.ts';
import { acceptedRight, foldVectors } from './simplify-vectors.ts';

function number(type: NumericType, value: number): KernelExpr {
  return { kind: 'literal', type, value };
}

function bool(value: boolean): KernelExpr {
  return { kind: 'literal', type: 'bool', value };
}

/** The value of a number literal, else `undefined`. */
export function numberOf(expr: KernelExpr): number | undefined {
  return expr.kind === 'literal' && typeof expr.value === 'number' ? expr.value : undefined;
}

/** The value of a bool literal, else `undefined`. */
export function boolOf(expr: KernelExpr): boolean | undefined {
  return expr.kind === 'literal' && typeof expr.value === 'boolean' ? expr.value : undefined;
}

/** Whether two leaves are surely the same value. Mutable locals count: both are read at the same moment. */
function sameLeaf(a: KernelExpr, b: KernelExpr): boolean {
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case 'literal':
      return b.kind === 'literal' && a.type === b.type && Object.is(a.value, b.value);
    case 'local':
      return b.kind === 'local' && a.name === b.name;
    case 'uniform':
      return b.kind === 'uniform' && a.name === b.name;
    case 'builtin':
      return b.kind === 'builtin' && a.name === b.name;
    default:
      return a === b;
  }
}

/** Whether an f32 may stand in a shader as a literal that every GPU keeps. */
function keepsAsLiteral(value: number): boolean {
  return Number.isFinite(value) && (value === 0 || Math.abs(value) >= F32_MIN_NORMAL);
}

/** `left op right` of result type `type`, simplified; both sides already well typed. */
export function simplifyBinary(type: ValueType, op: KernelBinaryOp, left: KernelExpr, right: KernelExpr): KernelExpr {
  if (isVector(type)) {
    const part = (a: KernelExpr, b: KernelExpr) => simplifyBinary(scalarOf(type), op, a, b);
    return (
      foldVectors(type, [left, right], part) ?? { kind: 'binary', type, op, left, right: acceptedRight(op, right) }
    );
  }
  if (isLogic(op)) return simplifyLogic(op, left, right);
  if (isComparison(op)) return simplifyComparison(op, left, right);
  if (!isNumeric(type)) return { kind: 'binary', type, op, left, right };
  const a = numberOf(left);
  const b = numberOf(right);
  if (a !== undefined && b !== undefined) {
    if (type !== 'f32') return number(type, binaryFunction(op, type)(a, b));
    if (op === 'add' || op === 'sub' || op === 'mul' || op === 'div' || op === 'min' || op === 'max') {
      const value = binaryFunction(op, type)(a, b);
      if (keepsAsLiteral(value) && keepsAsLiteral(a) && keepsAsLiteral(b)) return number(type, value);
    }
    return { kind: 'binary', type, op, left, right };
  }
  if (isInteger(type)) return simplifyInteger(type, op, left, right);
  if (b === 1 && (op === 'mul' || op === 'div')) return left;
  if (a === 1 && op === 'mul') return right;
  return { kind: 'binary', type, op, left, right };
}

function simplifyInteger(type: 'i32' | 'u32', op: NumberOp, left: KernelExpr, right: KernelExpr): KernelExpr {
  const commutes =
    op === 'add' ||
    op === 'mul' ||
    op === 'min' ||
    op === 'max' ||
    op === 'bit_and' ||
    op === 'bit_or' ||
    op === 'bit_xor';
  if (commutes && left.kind === 'literal') return simplifyInteger(type, op, right, left);
  const b = numberOf(right);
  const allOnes = type === 'i32' ? -1 : 4294967295;
  const node: KernelExpr = { kind: 'binary', type, op, left, right };
  switch (op) {
    case 'add':
    case 'mul': {
      if (b === undefined) return node;
      if (op === 'mul' && b === 0) return right;
      if (b === (op === 'add' ? 0 : 1)) return left;
      // (x + c1) + c2 = x + (c1 + c2), and so for products: both hold under wrap-around.
      if (left.kind === 'binary' && left.op === op) {
        const inner = numberOf(left.right);
        if (inner !== undefined) {
          return simplifyInteger(type, op, left.left, number(type, binaryFunction(op, type)(inner, b)));
        }
      }
      return node;
    }
    case 'sub':
      if (b === 0) return left;
      return sameLeaf(left, right) ? number(type, 0) : node;
    case 'div':
      if (b === 0 || b === 1) return left;
      return numberOf(left) === 0 ? left : node;
    case 'rem':
      if (b === 0 || b === 1) return number(type, 0);
      return numberOf(left) === 0 ? left : node;
    case 'min':
      if (type === 'u32' && b === 0) return right;
      return sameLeaf(left, right) ? left : node;
    case 'max':
      if (type === 'u32' && b === 0) return left;
      return sameLeaf(left, right) ? left : node;
    case 'bit_and':
      if (b === 0) return right;
      return b === allOnes ? left : node;
    case 'bit_or':
      if (b === 0) return left;
      return b === allOnes ? right : node;
    case 'bit_xor':
      return b === 0 ? left : node;
    case 'shl':
    case 'shr':
      if (b === undefined) return node;
      if (b % 32 === 0) return left;
      return b < 32 ? node : { kind: 'binary', type, op, left, right: number('u32', b % 32) };
  }
}

function simplifyLogic(op: 'and' | 'or', left: KernelExpr, right: KernelExpr): KernelExpr {
  // `and` is decided by false, `or` by true; the other constant changes nothing.
  const decisive = op === 'or';
  const a = boolOf(left);
  const b = boolOf(right);
  if (a !== undefined) return a === decisive ? left : right;
  if (b !== undefined) return b === decisive ? right : left;
  return sameLeaf(left, right) ? left : { kind: 'binary', type: 'bool', op, left, right };
}

function simplifyComparison(op: ComparisonOp, left: KernelExpr, right: KernelExpr): KernelExpr {
  const node: KernelExpr = { kind: 'binary', type: 'bool', op, left, right };
  const p = boolOf(left);
  const q = boolOf(right);
  if (p !== undefined && q !== undefined) return bool(op === 'eq' ? p === q : p !== q);
  const a = numberOf(left);
  const b = numberOf(right);
  if (a !== undefined && b !== undefined) return bool(comparisonFunction(op)(a, b));
  if (!isInteger(left.type)) return node;
  if (sameLeaf(left, right)) return bool(op === 'eq' || op === 'le' || op === 'ge');
  if (left.type === 'u32') {
    // No u32 is below zero.
    if (b === 0 && (op === 'lt' || op === 'ge')) return bool(op === 'ge');
    if (a === 0 && (op === 'gt' || op === 'le')) return bool(op === 'le');
  }
  return node;
}

const OPPOSITE = { eq: 'ne', ne: 'eq', lt: 'ge', ge: 'lt', gt: 'le', le: 'gt' } as const;

/** `op operand` of result type `type`, simplified. */
export function simplifyUnary(type: ValueType, op: KernelUnaryOp, operand: KernelExpr): KernelExpr {
  if (isVector(type)) {
    const whole = foldVectors(type, [operand], (x) => simplifyUnary(scalarOf(type), op, x));
    if (whole !== undefined) return whole;
  }
  if (op === 'not') {
    const value = boolOf(operand);
    if (value !== undefined) return bool(!value);
    if (operand.kind === 'unary' && operand.op === 'not') return operand.operand;
    // Only on integers: on floats a NaN makes `not (a < b)` differ from `a >= b`.
    if (operand.kind === 'binary' && isComparison(operand.op) && isInteger(operand.left.type)) {
      return { ...operand, op: OPPOSITE[operand.op] };
    }
    return { kind: 'unary', type, op, operand };
  }
  if ((op === 'neg' || op === 'bit_not') && operand.kind === 'unary' && operand.op === op) return operand.operand;
  const value = numberOf(operand);
  const exact = op === 'neg' || op === 'abs' || op === 'sign' || op === 'floor' || op === 'ceil' || op === 'bit_not';
  if (value !== undefined && exact && isNumeric(type)) {
    const folded = unaryFunction(op, type)(value);
    if (type !== 'f32' || (keepsAsLiteral(value) && keepsAsLiteral(folded))) return number(type, folded);
  }
  return { kind: 'unary', type, op, operand };
}

/** `condition ? then : else`, simplified. */
export function simplifySelect(condition: KernelExpr, then: KernelExpr, otherwise: KernelExpr): KernelExpr {
  const known = boolOf(condition);
  if (known !== undefined) return known ? then : otherwise;
  if (sameLeaf(then, otherwise)) return then;
  const { type } = then;
  const whole = isVector(type) ? foldVectors(type, [condition, then, otherwise], simplifySelect) : undefined;
  return whole ?? { kind: 'select', type, condition, then, else: otherwise };
}

/** `a * b + c`, of constant vectors taken apart: of scalars, legalisation folds it (legalise/evaluate-constants.ts). */
export function simplifyFma(type: FloatType, a: KernelExpr, b: KernelExpr, c: KernelExpr): KernelExpr {
  const node = (x: KernelExpr, y: KernelExpr, z: KernelExpr): KernelExpr => ({
    kind: 'fma',
    type: 'f32',
    a: x,
    b: y,
    c: z,
  });
  const whole = isVector(type) ? foldVectors(type, [a, b, c], node) : undefined;
  return whole ?? { kind: 'fma', type, a, b, c };
}

/** Value conversion to `type`, simplified. */
export function simplifyConvert(type: ValueType, operand: KernelExpr): KernelExpr {
  if (operand.type === type) return operand;
  if (isVector(type)) {
    const whole = foldVectors(type, [operand], (x) => simplifyConvert(scalarOf(type), x));
    return whole ?? { kind: 'convert', type, operand };
  }
  const value = numberOf(operand);
  if (value !== undefined && isNumeric(operand.type)) {
    return isNumeric(type) ? number(type, convertValue(operand.type, type, value)) : bool(value !== 0);
  }
  const truth = boolOf(operand);
  if (truth !== undefined && isNumeric(type)) return number(type, truth ? 1 : 0);
  return { kind: 'convert', type, operand };
}

/** Reinterpretation of the bits as `type`, simplified. */
export function simplifyBitcast(type: LoadedType, operand: KernelExpr): KernelExpr {
  if (operand.type === type) return operand;
  if (!isNumeric(type)) {
    const whole = foldVectors(type, [operand], (x) => simplifyBitcast(scalarOf(type), x));
    return whole ?? { kind: 'bitcast', type, operand };
  }
  const value = numberOf(operand);
  if (value !== undefined && isNumeric(operand.type)) {
    const folded = bitcastValue(operand.type, type, value);
    if (type !== 'f32' || keepsAsLiteral(folded)) return number(type, folded);
  }
  return { kind: 'bitcast', type, operand };
}
