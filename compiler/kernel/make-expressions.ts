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
  UniformDecl,
  WorkgroupDecl,
} from './kernel-ir.ts';
import { simplifyBinary, simplifyBitcast, simplifyConvert, simplifySelect, simplifyUnary } from './simplify.ts';
import { binaryType, isAtomic, isInteger, isNumeric, literalProblem, loadedType, unaryType } from './kernel-typing.ts';
import type { NumericType } from './kernel-ir.ts';

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

/** `operand` as an expression: a number becomes a literal of `type`. `+ 0` makes 0 of -0, which only f32 has. */
export function asExpr(operand: KernelOperand, type: ScalarType): KernelExpr {
  if (typeof operand !== 'number') return operand;
  return type === 'f32' ? f32(operand) : literal(type, operand + 0);
}

// Leaves -----------------------------------------------------------------------------------------------------------

/** A local (`let`, `var` or the counter of a `for`) of a known type. */
export function local(name: string, type: ScalarType): KernelExpr {
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
export const workgroupIdX: KernelExpr = builtin('workgroup_id_x');
export const workgroupIdY: KernelExpr = builtin('workgroup_id_y');
export const numWorkgroupsX: KernelExpr = builtin('num_workgroups_x');

// Memory -----------------------------------------------------------------------------------------------------------

function indexOf(index: KernelOperand, what: string): KernelExpr {
  const expr = asExpr(index, 'u32');
  return isInteger(expr.type) ? expr : refuse(`${what} is indexed by ${expr.type}`);
}

/** `buffer[index]`; an atomic element is read by value. */
export function load(buffer: BufferDecl, index: KernelOperand): KernelExpr {
  return { kind: 'load', type: loadedType(buffer.element), buffer: buffer.name, index: indexOf(index, buffer.name) };
}

/** `array[index]` of workgroup memory. */
export function loadShared(array: WorkgroupDecl, index: KernelOperand): KernelExpr {
  return { kind: 'load_shared', type: loadedType(array.element), array: array.name, index: indexOf(index, array.name) };
}

/** The number of elements of a bound buffer, u32. */
export function bufferLength(buffer: BufferDecl): KernelExpr {
  return { kind: 'buffer_length', type: 'u32', buffer: buffer.name };
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
  const rightExpr = asExpr(right, shift ? 'u32' : leftExpr.type);
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

/** `condition ? then : otherwise`. Both sides are evaluated: loads in them must be in bounds. */
export function select(condition: KernelExpr, then: KernelOperand, otherwise: KernelOperand): KernelExpr {
  if (condition.type !== 'bool') return refuse(`select on ${condition.type}`);
  const type = typeof then !== 'number' ? then.type : typeof otherwise !== 'number' ? otherwise.type : undefined;
  if (type === undefined) return refuse('select of two untyped numbers');
  const thenExpr = asExpr(then, type);
  const elseExpr = asExpr(otherwise, type);
  if (thenExpr.type !== elseExpr.type) return refuse(`select of ${thenExpr.type} and ${elseExpr.type}`);
  return simplifySelect(condition, thenExpr, elseExpr);
}

/** Value conversion; f32 to integers truncates and saturates. bool to number gives 0 or 1, number to bool `!= 0`. */
export function convert(type: ScalarType, operand: KernelExpr): KernelExpr {
  return simplifyConvert(type, operand);
}

/** The value of `type` that has the same 32 bits. */
export function bitcast(type: NumericType, operand: KernelExpr): KernelExpr {
  return isNumeric(operand.type) ? simplifyBitcast(type, operand) : refuse('bitcast of bool');
}

/** `a * b + c` on f32; a GPU may round once or twice. */
export function fma(a: KernelExpr, b: KernelOperand, c: KernelOperand): KernelExpr {
  const rest = [asExpr(b, 'f32'), asExpr(c, 'f32')] as const;
  if (a.type !== 'f32' || rest.some((e) => e.type !== 'f32')) return refuse(`fma of ${a.type}`);
  return { kind: 'fma', type: 'f32', a, b: rest[0], c: rest[1] };
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
  const expr = asExpr(value, loadedType(buffer.element));
  if (expr.type !== buffer.element) return refuse(`${buffer.name}: ${buffer.element} is stored a ${expr.type}`);
  return { kind: 'store', buffer: buffer.name, index: indexOf(index, buffer.name), value: expr };
}

/** `array[index] = value` in workgroup memory. */
export function storeShared(array: WorkgroupDecl, index: KernelOperand, value: KernelOperand): KernelStmt {
  if (isAtomic(array.element)) return refuse(`plain store to ${array.name}, which is atomic`);
  const expr = asExpr(value, loadedType(array.element));
  if (expr.type !== array.element) return refuse(`${array.name}: ${array.element} is stored a ${expr.type}`);
  return { kind: 'store_shared', array: array.name, index: indexOf(index, array.name), value: expr };
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

/** `for (var name = from; name < to; name += step) { body }`; the counter has the type of `from` or else of `to`. */
export function forRange(
  name: string,
  from: KernelOperand,
  to: KernelOperand,
  step: KernelOperand,
  body: readonly KernelStmt[],
): KernelStmt {
  const type = typeof from !== 'number' ? from.type : typeof to !== 'number' ? to.type : 'u32';
  if (!isInteger(type)) return refuse(`for ${name} counts in ${type}`);
  const [first, limit, increment] = [asExpr(from, type), asExpr(to, type), asExpr(step, type)] as const;
  for (const part of [first, limit, increment]) {
    if (part.type !== type) return refuse(`for ${name}: ${type} meets ${part.type}`);
  }
  return { kind: 'for', name, from: first, to: limit, step: increment, body };
}

export const breakLoop: KernelStmt = { kind: 'break' };
export const returnKernel: KernelStmt = { kind: 'return' };
/** workgroupBarrier(): all threads of the workgroup meet here. */
export const barrier: KernelStmt = { kind: 'barrier' };
