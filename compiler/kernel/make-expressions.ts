/**
 * Constructors of the kernel IR: the only way families and legalisation make expressions and statements.
 *
 * - Types are checked here, at the line that wrote the mistake (CompilerBug otherwise); nothing converts by itself.
 * - Expressions come out lightly simplified (simplify.ts): write `add(mul(row, width), 0)` without fear.
 * - An operand may be a plain JS number: it takes the type of the other operand (`add(i, 1)`), and is a u32 where it is an
 *   index. Numbers of type f32 are rounded to f32.
 * - `and` and `or` evaluate their right side only if the left does not decide (as WGSL's && and ||); `select` evaluates all.
 *
 * A kernel as a whole is made with KernelBuilder (kernel-builder.ts), which keeps the names.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import type {
  AtomicOp,
  KernelBinaryOp,
  BufferDecl,
  Builtin,
  KernelExpr,
  ScalarType,
  KernelStmt,
  KernelUnaryOp,
  LoadedType,
  SubgroupOp,
  UniformDecl,
  ValueType,
  ArrayDecl,
} from './kernel-ir.ts';
import {
  simplifyBinary,
  simplifyBitcast,
  simplifyConvert,
  simplifyFma,
  simplifySelect,
  simplifyUnary,
} from './simplify.ts';
import { simplifyComponent } from './simplify-vectors.ts';
import {
  binaryType,
  componentType,
  elementType,
  isAtomic,
  isFloats,
  isInteger,
  isNumbers,
  isVector,
  literalProblem,
  loadedType,
  scalarOf,
  selectType,
  subgroupType,
  typeOf,
  unaryType,
  widthOf,
} from './kernel-typing.ts';

/** An expression, or a JS number that takes the type its place asks for. */
export type KernelOperand = KernelExpr | number;

function refuse(message: string): never {
  throw new CompilerBug('kernel', message);
}

// Literals ---------------------------------------------------------------------------------------------------------

function literal(type: ScalarType, value: number | boolean): KernelExpr {
  const problem = literalProblem(type, value);
  return problem === undefined ? { kind: 'literal', type, value } : refuse(problem);
}

/** A u32 literal; an integer in [0, 2^32). */
export function u32(value: number): KernelExpr {
  return literal('u32', value);
}

/** An i32 literal; an integer in [-2^31, 2^31). `+ 0` makes 0 of -0, which no integer has. */
export function i32(value: number): KernelExpr {
  return literal('i32', value + 0);
}

/** An f32 literal: `value` rounded to f32; infinities and NaN too, which legalisation makes of their bits. */
export function f32(value: number): KernelExpr {
  return literal('f32', Math.fround(value));
}

/** A bool literal. */
export function bool(value: boolean): KernelExpr {
  return literal('bool', value);
}

/**
 * `operand` as an expression: a number becomes a literal of `type`, one in each component of a vector. `+ 0` makes 0 of -0, which
 * only f32 has.
 */
export function asExpr(operand: KernelOperand, type: ValueType): KernelExpr {
  if (typeof operand !== 'number') return operand;
  if (isVector(type)) return { kind: 'splat', type, operand: asExpr(operand, scalarOf(type)) };
  return type === 'f32' ? f32(operand) : literal(type, operand + 0);
}

// Leaves -----------------------------------------------------------------------------------------------------------

/** A local (`let`, `var` or the counter of a `for`) of a known type. */
export function local(name: string, type: ValueType): KernelExpr {
  return { kind: 'local', type, name };
}

/** A uniform field, by its declaration. */
export function uniform(field: UniformDecl): KernelExpr {
  return { kind: 'uniform', type: field.type, name: field.name };
}

/** A built-in index, always u32. */
export function builtin(name: Builtin): KernelExpr {
  return { kind: 'builtin', type: 'u32', name };
}

export const globalIdX: KernelExpr = builtin('global_id_x');
export const globalIdY: KernelExpr = builtin('global_id_y');
export const localIdX: KernelExpr = builtin('local_id_x');
export const localIndex: KernelExpr = builtin('local_index');
export const subgroupLane: KernelExpr = builtin('subgroup_lane');
export const workgroupIdX: KernelExpr = builtin('workgroup_id_x');
export const workgroupIdY: KernelExpr = builtin('workgroup_id_y');
export const numWorkgroupsX: KernelExpr = builtin('num_workgroups_x');

// Memory -----------------------------------------------------------------------------------------------------------

function indexOf(index: KernelOperand, what: string): KernelExpr {
  const expr = asExpr(index, 'u32');
  return isInteger(expr.type) ? expr : refuse(`${what} is indexed by ${expr.type}`);
}

/** `buffer[index]`, a vector where the buffer has lanes; an atomic element is read by value. */
export function load(buffer: BufferDecl, index: KernelOperand): KernelExpr {
  return { kind: 'load', type: elementType(buffer), buffer: buffer.name, index: indexOf(index, buffer.name) };
}

/** `array[index]` of workgroup memory. */
export function loadArray(array: ArrayDecl, index: KernelOperand): KernelExpr {
  return { kind: 'load_array', type: loadedType(array.element), array: array.name, index: indexOf(index, array.name) };
}

/** The number of elements of a bound buffer, u32; of vectors where the buffer has lanes. */
export function bufferLength(buffer: BufferDecl): KernelExpr {
  return { kind: 'buffer_length', type: 'u32', buffer: buffer.name };
}

// Vectors ----------------------------------------------------------------------------------------------------------

/** Two or four scalars of one type, side by side. */
export function vector(...parts: readonly KernelExpr[]): KernelExpr {
  const [first] = parts;
  if (first === undefined || (parts.length !== 2 && parts.length !== 4)) return refuse(`a vector of ${parts.length}`);
  const scalar = scalarOf(first.type);
  for (const part of parts) if (part.type !== scalar) return refuse(`a vector of ${scalar} and ${part.type}`);
  return { kind: 'vector', type: typeOf(scalar, parts.length), parts };
}

/** `width` times the same scalar. */
export function splat(operand: KernelExpr, width: 2 | 4): KernelExpr {
  if (isVector(operand.type)) return refuse(`a vector of ${operand.type}`);
  return { kind: 'splat', type: typeOf(scalarOf(operand.type), width), operand };
}

/** Component `index` of a vector, from 0. */
export function component(operand: KernelExpr, index: number): KernelExpr {
  if (componentType(operand.type, index) === undefined) return refuse(`component ${index} of ${operand.type}`);
  return simplifyComponent(operand, index);
}

/** All components of a vector, the first first; a scalar itself. */
export function componentsOf(operand: KernelExpr): readonly KernelExpr[] {
  if (!isVector(operand.type)) return [operand];
  return Array.from({ length: widthOf(operand.type) }, (_, i) => component(operand, i));
}

// Operations -------------------------------------------------------------------------------------------------------

/** `op operand`. */
export function unary(op: KernelUnaryOp, operand: KernelExpr): KernelExpr {
  const type = unaryType(op, operand.type) ?? refuse(`${op} of ${operand.type}`);
  return simplifyUnary(type, op, operand);
}

/** `left op right`; at least one side is an expression, and gives a number on the other side its type. */
export function binary(op: KernelBinaryOp, left: KernelOperand, right: KernelOperand): KernelExpr {
  if (typeof left === 'number' && typeof right === 'number') return refuse(`${op} of two untyped numbers`);
  const shift = op === 'shl' || op === 'shr';
  const leftExpr = typeof left === 'number' ? asExpr(left, typeof right === 'number' ? 'u32' : right.type) : left;
  const rightExpr = asExpr(right, shift ? typeOf('u32', widthOf(leftExpr.type)) : leftExpr.type);
  const type =
    binaryType(op, leftExpr.type, rightExpr.type) ?? refuse(`${op} of ${leftExpr.type} and ${rightExpr.type}`);
  return simplifyBinary(type, op, leftExpr, rightExpr);
}

type Binary = (left: KernelOperand, right: KernelOperand) => KernelExpr;
type Unary = (operand: KernelExpr) => KernelExpr;

export const add: Binary = (left, right) => binary('add', left, right);
export const sub: Binary = (left, right) => binary('sub', left, right);
export const mul: Binary = (left, right) => binary('mul', left, right);
export const div: Binary = (left, right) => binary('div', left, right);
export const rem: Binary = (left, right) => binary('rem', left, right);
export const min: Binary = (left, right) => binary('min', left, right);
export const max: Binary = (left, right) => binary('max', left, right);
export const eq: Binary = (left, right) => binary('eq', left, right);
export const ne: Binary = (left, right) => binary('ne', left, right);
export const lt: Binary = (left, right) => binary('lt', left, right);
export const le: Binary = (left, right) => binary('le', left, right);
export const gt: Binary = (left, right) => binary('gt', left, right);
export const ge: Binary = (left, right) => binary('ge', left, right);
export const bitAnd: Binary = (left, right) => binary('bit_and', left, right);
export const bitOr: Binary = (left, right) => binary('bit_or', left, right);
export const bitXor: Binary = (left, right) => binary('bit_xor', left, right);
export const shl: Binary = (left, right) => binary('shl', left, right);
export const shr: Binary = (left, right) => binary('shr', left, right);

/** Conjunction of any number of conditions; the empty one is true. Each guards those to its right. */
export function and(...conditions: readonly KernelExpr[]): KernelExpr {
  return conditions.length === 0 ? bool(true) : conditions.reduce((left, right) => binary('and', left, right));
}

/** Disjunction of any number of conditions; the empty one is false. */
export function or(...conditions: readonly KernelExpr[]): KernelExpr {
  return conditions.length === 0 ? bool(false) : conditions.reduce((left, right) => binary('or', left, right));
}

export const not: Unary = (operand) => unary('not', operand);
export const neg: Unary = (operand) => unary('neg', operand);
export const bitNot: Unary = (operand) => unary('bit_not', operand);
export const abs: Unary = (operand) => unary('abs', operand);
export const sign: Unary = (operand) => unary('sign', operand);
export const floor: Unary = (operand) => unary('floor', operand);
export const ceil: Unary = (operand) => unary('ceil', operand);
export const sqrt: Unary = (operand) => unary('sqrt', operand);
export const rsqrt: Unary = (operand) => unary('rsqrt', operand);

/**
 * `condition ? then : otherwise`; of vectors by one condition for all, or by one for each component. Both sides are evaluated:
 * loads in them must be in bounds.
 */
export function select(condition: KernelExpr, then: KernelOperand, otherwise: KernelOperand): KernelExpr {
  const type = typeof then !== 'number' ? then.type : typeof otherwise !== 'number' ? otherwise.type : undefined;
  if (type === undefined) return refuse('select of two untyped numbers');
  const thenExpr = asExpr(then, type);
  const elseExpr = asExpr(otherwise, type);
  if (selectType(condition.type, thenExpr.type, elseExpr.type) === undefined)
    return refuse(`select of ${thenExpr.type} and ${elseExpr.type} on ${condition.type}`);
  return simplifySelect(condition, thenExpr, elseExpr);
}

/** Value conversion; f32 to integers truncates and saturates. bool to number gives 0 or 1, number to bool `!= 0`. */
export function convert(type: ValueType, operand: KernelExpr): KernelExpr {
  if (widthOf(type) !== widthOf(operand.type)) return refuse(`${type} of ${operand.type}`);
  return simplifyConvert(type, operand);
}

/** The value of `type` that has the same bits, 32 in each component. */
export function bitcast(type: LoadedType, operand: KernelExpr): KernelExpr {
  if (!isNumbers(operand.type) || widthOf(type) !== widthOf(operand.type)) return refuse(`bitcast of ${operand.type}`);
  return simplifyBitcast(type, operand);
}

/** `a * b + c` on f32; a GPU may round once or twice. */
export function fma(a: KernelExpr, b: KernelOperand, c: KernelOperand): KernelExpr {
  const { type } = a;
  if (!isFloats(type)) return refuse(`fma of ${type}`);
  const rest = [asExpr(b, type), asExpr(c, type)] as const;
  if (rest.some((e) => e.type !== type)) return refuse(`fma of ${type}, ${rest[0].type} and ${rest[1].type}`);
  return simplifyFma(type, a, rest[0], rest[1]);
}

// Statements -------------------------------------------------------------------------------------------------------

/** An immutable local; read it with `local(name, value.type)`. */
export function letOf(name: string, value: KernelExpr): KernelStmt {
  return { kind: 'let', name, value };
}

/** A mutable local. */
export function varOf(name: string, value: KernelExpr): KernelStmt {
  return { kind: 'var', name, value };
}

/** `target = value`; `target` is the local expression of a `var`. */
export function assign(target: KernelExpr, value: KernelOperand): KernelStmt {
  if (target.kind !== 'local') return refuse(`assignment to a ${target.kind}`);
  const expr = asExpr(value, target.type);
  if (expr.type !== target.type) return refuse(`${target.name}: ${target.type} is assigned a ${expr.type}`);
  return { kind: 'assign', name: target.name, value: expr };
}

/** `buffer[index] = value`. */
export function store(buffer: BufferDecl, index: KernelOperand, value: KernelOperand): KernelStmt {
  if (buffer.access !== 'read_write') return refuse(`store to ${buffer.name}, which is read-only`);
  if (isAtomic(buffer.element)) return refuse(`plain store to ${buffer.name}, which is atomic`);
  const type = elementType(buffer);
  const expr = asExpr(value, type);
  if (expr.type !== type) return refuse(`${buffer.name}: ${type} is stored a ${expr.type}`);
  return { kind: 'store', buffer: buffer.name, index: indexOf(index, buffer.name), value: expr };
}

/** `array[index] = value` in workgroup memory. */
export function storeArray(array: ArrayDecl, index: KernelOperand, value: KernelOperand): KernelStmt {
  if (isAtomic(array.element)) return refuse(`plain store to ${array.name}, which is atomic`);
  const expr = asExpr(value, loadedType(array.element));
  if (expr.type !== array.element) return refuse(`${array.name}: ${array.element} is stored a ${expr.type}`);
  return { kind: 'store_array', array: array.name, index: indexOf(index, array.name), value: expr };
}

/** An atomic update of an atomic buffer; the old value is not seen (its order would not be deterministic). */
export function atomic(op: AtomicOp, buffer: BufferDecl, index: KernelOperand, value: KernelOperand): KernelStmt {
  if (!isAtomic(buffer.element)) return refuse(`atomic ${op} on ${buffer.name}, which is ${buffer.element}`);
  if (buffer.access !== 'read_write') return refuse(`atomic ${op} on ${buffer.name}, which is read-only`);
  const type = loadedType(buffer.element);
  const expr = asExpr(value, type);
  if (expr.type !== type) return refuse(`${buffer.name}: atomic ${op} of a ${expr.type}`);
  return { kind: 'atomic', op, buffer: buffer.name, index: indexOf(index, buffer.name), value: expr };
}

/** `if (condition) { then } else { otherwise }`. */
export function when(
  condition: KernelExpr,
  then: readonly KernelStmt[],
  otherwise: readonly KernelStmt[] = [],
): KernelStmt {
  if (condition.type !== 'bool') return refuse(`if on ${condition.type}`);
  return { kind: 'if', condition, then, else: otherwise };
}

/** How a loop is run, where it is not from its test at the top. */
export interface LoopForm {
  /** It surely runs once, and tests at its bottom. */
  readonly once?: true;
  /** Its rounds, which are known while building, are written out. */
  readonly unroll?: true;
}

/** `for (var name = from; name < to; name += step) { body }`; the counter has the type of `from` or else of `to`. */
export function forRange(
  name: string,
  from: KernelOperand,
  to: KernelOperand,
  step: KernelOperand,
  body: readonly KernelStmt[],
  form: LoopForm = {},
): KernelStmt {
  const type = typeof from !== 'number' ? from.type : typeof to !== 'number' ? to.type : 'u32';
  if (!isInteger(type)) return refuse(`for ${name} counts in ${type}`);
  const [first, limit, increment] = [asExpr(from, type), asExpr(to, type), asExpr(step, type)] as const;
  for (const part of [first, limit, increment]) {
    if (part.type !== type) return refuse(`for ${name}: ${type} meets ${part.type}`);
  }
  return { kind: 'for', name, from: first, to: limit, step: increment, body, ...form };
}

/** An immutable local that a subgroup makes: `lane` is of `broadcast`, `shuffle` and `shuffle_xor`. Read it with `local(name, type)`. */
export function subgroup(
  op: SubgroupOp,
  name: string,
  value: KernelExpr,
  lane: KernelOperand | null = null,
): SubgroupStmt {
  const type = subgroupType(op, value.type) ?? refuse(`subgroup ${op} of ${value.type}`);
  const asked = lane === null ? null : asExpr(lane, 'u32');
  const moves = op === 'broadcast' || op === 'shuffle' || op === 'shuffle_xor';
  if (moves !== (asked !== null)) return refuse(`subgroup ${op} ${moves ? 'of' : 'with'} a lane`);
  if (asked !== null && asked.type !== 'u32') return refuse(`subgroup ${op} of lane ${asked.type}`);
  if (op !== 'shuffle' && asked !== null && asked.kind !== 'literal')
    return refuse(`subgroup ${op} of no constant lane`);
  return { kind: 'subgroup', op, name, type, value, lane: asked };
}

export type SubgroupStmt = Extract<KernelStmt, { kind: 'subgroup' }>;

export const breakLoop: KernelStmt = { kind: 'break' };
export const returnKernel: KernelStmt = { kind: 'return' };
/** workgroupBarrier(): all threads of the workgroup meet here. */
export const barrier: KernelStmt = { kind: 'barrier' };

/** The number of the workgroup in a grid that may be folded into two dimensions. */
export const workgroupNumber: KernelExpr = add(mul(workgroupIdY, numWorkgroupsX), workgroupIdX);
