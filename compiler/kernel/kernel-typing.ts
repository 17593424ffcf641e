/**
 * The typing rules of the kernel IR, in one place: the constructors (make-expressions.ts) refuse what they forbid, and the verifier
 * (verify-kernel.ts) asks them again of finished trees, so that a transformation which bypasses the constructors is caught too.
 *
 * Every rule answers `undefined` for "no such operation on these types".
 */
import type {
  BufferDecl,
  BufferElement,
  FloatType,
  KernelBinaryOp,
  KernelUnaryOp,
  LoadedType,
  NumericType,
  ScalarType,
  SubgroupOp,
  ValueType,
  VectorType,
  Width,
} from './kernel-ir.ts';

/** Whether a value is one number. */
export function isNumeric(type: ValueType): type is NumericType {
  return type === 'f32' || type === 'i32' || type === 'u32';
}

/** Whether a value is one integer. */
export function isInteger(type: ValueType): type is 'i32' | 'u32' {
  return type === 'i32' || type === 'u32';
}

export function isVector(type: ValueType): type is VectorType {
  return widthOf(type) !== 1;
}

/** Whether a value is made of numbers, as what memory holds is. */
export function isNumbers(type: ValueType): type is LoadedType {
  return isNumeric(scalarOf(type));
}

export function isFloats(type: ValueType): type is FloatType {
  return scalarOf(type) === 'f32';
}

/** How many scalars a value has. */
export function widthOf(type: VectorType): 2 | 4;
export function widthOf(type: ValueType): Width;
export function widthOf(type: ValueType): Width {
  switch (type) {
    case 'vec2<f32>':
    case 'vec2<i32>':
    case 'vec2<u32>':
    case 'vec2<bool>':
      return 2;
    case 'vec4<f32>':
    case 'vec4<i32>':
    case 'vec4<u32>':
    case 'vec4<bool>':
      return 4;
    case 'f32':
    case 'i32':
    case 'u32':
    case 'bool':
      return 1;
  }
}

/** The type of a value's components; its own where it has but one. */
export function scalarOf(type: LoadedType): NumericType;
export function scalarOf(type: ValueType): ScalarType;
export function scalarOf(type: ValueType): ScalarType {
  switch (type) {
    case 'f32':
    case 'vec2<f32>':
    case 'vec4<f32>':
      return 'f32';
    case 'i32':
    case 'vec2<i32>':
    case 'vec4<i32>':
      return 'i32';
    case 'u32':
    case 'vec2<u32>':
    case 'vec4<u32>':
      return 'u32';
    case 'bool':
    case 'vec2<bool>':
    case 'vec4<bool>':
      return 'bool';
  }
}

/** Written out: types are compared wherever expressions are made or looked at, and a text put together each time compares slowly. */
const VECTORS = {
  f32: { 2: 'vec2<f32>', 4: 'vec4<f32>' },
  i32: { 2: 'vec2<i32>', 4: 'vec4<i32>' },
  u32: { 2: 'vec2<u32>', 4: 'vec4<u32>' },
  bool: { 2: 'vec2<bool>', 4: 'vec4<bool>' },
} as const satisfies Readonly<Record<ScalarType, Readonly<Record<2 | 4, VectorType>>>>;

/** The type of `width` scalars. */
export function typeOf(scalar: ScalarType, width: 2 | 4): VectorType;
export function typeOf(scalar: NumericType, width: Width): LoadedType;
export function typeOf(scalar: ScalarType, width: Width): ValueType;
export function typeOf(scalar: ScalarType, width: Width): ValueType {
  return width === 1 ? scalar : VECTORS[scalar][width];
}

/** Elements that one index of a buffer names. */
export function lanesOf(decl: Pick<BufferDecl, 'lanes'>): Width {
  return decl.lanes ?? 1;
}

/** The type of what one index of a memory names. */
export function elementType(decl: { readonly element: BufferElement; readonly lanes?: Width }): LoadedType {
  return typeOf(loadedType(decl.element), lanesOf(decl));
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
export function unaryType(op: KernelUnaryOp, operand: ValueType): ValueType | undefined {
  const scalar = unaryScalar(op, scalarOf(operand));
  return scalar === undefined ? undefined : typeOf(scalar, widthOf(operand));
}

/** The result type of `left op right`, or `undefined` if there is none. Nothing converts by itself, and nothing is repeated. */
export function binaryType(op: KernelBinaryOp, left: ValueType, right: ValueType): ValueType | undefined {
  const width = widthOf(left);
  // `and` and `or` guard their right side, which a vector of truths could only do for all at once.
  if (width !== widthOf(right) || (width > 1 && (op === 'and' || op === 'or'))) return undefined;
  const scalar = binaryScalar(op, scalarOf(left), scalarOf(right));
  return scalar === undefined ? undefined : typeOf(scalar, width);
}

/** The type of a choice between two values, or `undefined` if there is none: one condition, or one for each component. */
export function selectType(condition: ValueType, then: ValueType, otherwise: ValueType): ValueType | undefined {
  const fits = condition === 'bool' || condition === typeOf('bool', widthOf(then));
  return fits && then === otherwise ? then : undefined;
}

/** The type of `component index of operand`, or `undefined` if there is none. */
export function componentType(operand: ValueType, index: number): ScalarType | undefined {
  const within = Number.isInteger(index) && index >= 0 && index < widthOf(operand);
  return isVector(operand) && within ? scalarOf(operand) : undefined;
}

/** The type of what a subgroup makes of a value of each lane, or `undefined` if there is no such operation. */
export function subgroupType(op: SubgroupOp, value: ValueType): ValueType | undefined {
  switch (op) {
    case 'broadcast':
    case 'shuffle':
    case 'shuffle_xor':
      return isNumbers(value) ? value : undefined;
    case 'add':
    case 'min':
    case 'max':
      return isInteger(scalarOf(value)) ? value : undefined;
    case 'ballot':
      return value === 'bool' ? 'vec4<u32>' : undefined;
    case 'all':
    case 'any':
      return value === 'bool' ? 'bool' : undefined;
  }
}

function unaryScalar(op: KernelUnaryOp, operand: ScalarType): ScalarType | undefined {
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

function binaryScalar(op: KernelBinaryOp, left: ScalarType, right: ScalarType): ScalarType | undefined {
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
