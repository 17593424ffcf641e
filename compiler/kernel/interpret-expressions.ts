/**
 * Expressions of the kernel interpreter, as JavaScript text.
 *
 * A number expression becomes a JavaScript expression whose value is a number of its type (f32: what `Math.fround` leaves
 * alone; i32, u32: whole and in range), a bool expression one that is a JavaScript boolean. The commonest operations are
 * written in line, so that the engine compiles an inner loop to machine instructions; all others call arithmetic.ts, which
 * says what every operation means (a test holds the two to each other).
 *
 * A vector is written component by component, with the operations of scalars.
 *
 * Text is made of identifiers that this file and interpret-statements.ts make up, numbers, and operators: no name of a kernel is
 * spelt in it but inside JSON strings of messages.
 */
import { missing } from '../../dsl/diagnostics/invariants.ts';
import { binaryFunction, bitcastValue, convertValue, isComparison, isLogic, unaryFunction } from './arithmetic.ts';
import type { ComparisonOp } from './arithmetic.ts';
import type { KernelBinaryOp, Builtin, Kernel, KernelExpr } from './kernel-ir.ts';
import { fault } from './interpret-memory.ts';
import type { KernelMemory } from './interpret-memory.ts';
import { isNumbers, isNumeric, scalarOf } from './kernel-typing.ts';
import type { NumericType } from './kernel-ir.ts';
import { operandsOf } from './visit-kernel.ts';

/** A value the text refers to by a name: a function, a memory, a message. */
export type Constant =
  ((...args: never[]) => unknown) | KernelMemory | Int32Array | Float32Array | Uint32Array | Uint8Array;

/** What writing an expression needs to know. */
export interface ExprContext {
  readonly kernel: string;
  readonly shape: Pick<Kernel, 'sides' | 'subgroupSize'>;
  readonly races: boolean;
  readonly uniforms: ReadonlyMap<string, string>;
  readonly memories: ReadonlyMap<string, MemoryNames>;
  /** The text that reads a component of a local in scope. */
  readonly local: (name: string, lane: number) => string;
  /** A fresh variable of the launch, for a value that is used twice. */
  readonly temporary: () => string;
  /** The name under which the text finds a value. */
  readonly constant: (key: string, value: Constant) => string;
}

/** How the text reaches a memory: its views by type, its length, and itself. */
export interface MemoryNames {
  readonly memory: KernelMemory;
  readonly view: (type: NumericType) => string;
  readonly length: string;
  /** Where the part of a thread begins; null: all threads have all of it. */
  readonly from: string | null;
  readonly itself: string;
}

/** The texts of the built-ins, in variables that enter a thread (interpret-statements.ts). */
export function builtinText(name: Builtin, kernel: Pick<Kernel, 'sides' | 'subgroupSize'>): string {
  const linear = kernel.sides === undefined;
  switch (name) {
    case 'global_id_x':
      return 'globalX';
    case 'global_id_y':
      return linear ? 'groupY' : 'globalY';
    case 'global_id_z':
      return linear ? 'groupZ' : 'globalZ';
    case 'local_id_x':
      return linear ? 'local' : 'localX';
    case 'local_id_y':
      return linear ? '0' : 'localY';
    case 'local_id_z':
      return linear ? '0' : 'localZ';
    case 'workgroup_id_x':
      return 'groupX';
    case 'workgroup_id_y':
      return 'groupY';
    case 'workgroup_id_z':
      return 'groupZ';
    case 'num_workgroups_x':
      return 'groupsX';
    case 'num_workgroups_y':
      return 'groupsY';
    case 'num_workgroups_z':
      return 'groupsZ';
    case 'local_index':
      return 'local';
    case 'subgroup_lane':
      return `(local % ${kernel.subgroupSize ?? 1})`;
  }
}

export function memoryOf(name: string, context: ExprContext): MemoryNames {
  return context.memories.get(name) ?? fault(context.kernel, `no memory ${name} is declared`);
}

/** A number as text that reads back as the same number. */
function numeral(value: number): string {
  if (Object.is(value, -0)) return '(-0)';
  return value < 0 ? `(${value})` : String(value);
}

/** A number expression, or component `lane` of a vector of them: its operations are those of the components. */
export function writeNumber(expr: KernelExpr, context: ExprContext, lane = 0): string {
  const { kernel } = context;
  const type = scalarOf(expr.type);
  if (!isNumeric(type)) return fault(kernel, 'a bool stands where a number belongs');
  switch (expr.kind) {
    case 'literal':
      return numeral(Number(expr.value));
    case 'local':
      return context.local(expr.name, lane);
    case 'builtin':
      return builtinText(expr.name, context.shape);
    case 'uniform':
      return context.uniforms.get(expr.name) ?? fault(kernel, `no uniform ${expr.name} is declared`);
    case 'load':
      return writeLoad(memoryOf(expr.buffer, context), expr.index, type, context, lane);
    case 'load_array':
      return writeLoad(memoryOf(expr.array, context), expr.index, type, context, lane);
    case 'buffer_length':
      return memoryOf(expr.buffer, context).length;
    case 'unary': {
      if (expr.op === 'not') return fault(kernel, 'not is no number');
      const x = writeNumber(expr.operand, context, lane);
      if (expr.op === 'neg' && type === 'f32') return `(-${x})`;
      return `${context.constant(`${expr.op}_${type}`, unaryFunction(expr.op, type))}(${x})`;
    }
    case 'binary':
      return writeBinary(expr, context, lane);
    case 'select':
      return writeSelect(expr, context, lane, writeNumber);
    case 'convert': {
      const from = scalarOf(expr.operand.type);
      if (!isNumeric(from)) return `(${writeBool(expr.operand, context, lane)} ? 1 : 0)`;
      const x = writeNumber(expr.operand, context, lane);
      if (from === type) return x;
      if (type === 'f32') return `fround(${x})`;
      if (from !== 'f32') return type === 'i32' ? `(${x} | 0)` : `(${x} >>> 0)`;
      return `${context.constant(`f32_to_${type}`, (n: number) => convertValue(from, type, n))}(${x})`;
    }
    case 'bitcast': {
      const from = scalarOf(expr.operand.type);
      if (!isNumeric(from)) return fault(kernel, 'bitcast of a bool');
      const x = writeNumber(expr.operand, context, lane);
      if (from === type) return x;
      if (from !== 'f32' && type !== 'f32') return type === 'i32' ? `(${x} | 0)` : `(${x} >>> 0)`;
      return `${context.constant(`bits_${from}_${type}`, bitcastFunction(from, type))}(${x})`;
    }
    case 'fma': {
      const product = `fround(${writeNumber(expr.a, context, lane)} * ${writeNumber(expr.b, context, lane)})`;
      return `fround(${product} + ${writeNumber(expr.c, context, lane)})`;
    }
    case 'vector':
      return writeNumber(expr.parts[lane] ?? fault(kernel, `a vector has no component ${lane}`), context);
    case 'splat':
      return writeNumber(expr.operand, context);
    case 'component':
      return writeNumber(expr.operand, context, expr.index);
  }
}

/** A bool expression, or component `lane` of a vector of them. */
export function writeBool(expr: KernelExpr, context: ExprContext, lane = 0): string {
  const { kernel } = context;
  switch (expr.kind) {
    case 'literal':
      return Number(expr.value) === 0 ? 'false' : 'true';
    case 'local':
      return context.local(expr.name, lane);
    case 'unary':
      return `(!${writeBool(expr.operand, context, lane)})`;
    case 'binary':
      return writeTruth(expr, context, lane);
    case 'select':
      return writeSelect(expr, context, lane, writeBool);
    case 'convert':
      return isNumbers(expr.operand.type)
        ? `(${writeNumber(expr.operand, context, lane)} !== 0)`
        : writeBool(expr.operand, context, lane);
    case 'vector':
      return writeBool(expr.parts[lane] ?? fault(kernel, `a vector has no component ${lane}`), context);
    case 'splat':
      return writeBool(expr.operand, context);
    case 'component':
      return writeBool(expr.operand, context, expr.index);
    default:
      return fault(kernel, `a ${expr.kind} is no bool`);
  }
}

/** Any expression or component of it, as what its type says. */
export function writeValue(expr: KernelExpr, context: ExprContext, lane = 0): string {
  return isNumbers(expr.type) ? writeNumber(expr, context, lane) : writeBool(expr, context, lane);
}

function writeTruth({ op, left, right }: BinaryExpr, context: ExprContext, lane: number): string {
  if (isLogic(op)) {
    return `(${writeBool(left, context)} ${op === 'and' ? '&&' : '||'} ${writeBool(right, context)})`;
  }
  if (!isComparison(op)) return fault(context.kernel, `${op} is no bool`);
  return `(${writeValue(left, context, lane)} ${comparisonSign[op]} ${writeValue(right, context, lane)})`;
}

const comparisonSign: Readonly<Record<ComparisonOp, string>> = {
  eq: '===',
  ne: '!==',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
};

type SelectExpr = Extract<KernelExpr, { kind: 'select' }>;

/** Both sides are evaluated, as on a GPU, so that an out-of-bounds load in the side not taken is found. */
function writeSelect(expr: SelectExpr, context: ExprContext, lane: number, write: typeof writeValue): string {
  const keep = (side: KernelExpr): readonly [string, string] => {
    const text = write(side, context, lane);
    if (!mayFail(side)) return ['', text];
    const name = context.temporary();
    return [`${name} = ${text}, `, name];
  };
  const [before, then] = keep(expr.then);
  const [after, otherwise] = keep(expr.else);
  return `(${before}${after}${writeBool(expr.condition, context, lane)} ? ${then} : ${otherwise})`;
}

/** Whether evaluating an expression can find a mistake of the kernel. */
function mayFail(expr: KernelExpr): boolean {
  return expr.kind === 'load' || expr.kind === 'load_array' || operandsOf(expr).some(mayFail);
}

/** The text of an index that is read twice: the text that evaluates it, and the text that reads it again. */
export function writeIndex(
  index: KernelExpr,
  context: ExprContext,
): { readonly first: string; readonly again: string } {
  const text = writeNumber(index, context);
  if (index.kind === 'local' || index.kind === 'literal' || index.kind === 'builtin' || index.kind === 'uniform') {
    return { first: text, again: text };
  }
  const name = context.temporary();
  return { first: `(${name} = ${text})`, again: name };
}

/** Where a component is among the words of a memory. */
export function writeWordIndex({ memory, from }: MemoryNames, index: string, lane: number): string {
  if (from !== null) return `${from} + ${index}`;
  return memory.lanes === 1 ? index : `${memory.lanes} * ${index} + ${lane}`;
}

/** A negative index is a large one as u32, so that one comparison finds both ends; an index names all its components or none. */
function writeLoad(
  names: MemoryNames,
  index: KernelExpr,
  type: NumericType,
  context: ExprContext,
  lane: number,
): string {
  const { first, again } = writeIndex(index, context);
  const wrong = `outOfBounds(kernel, "load of", ${names.itself}, ${again})`;
  const view = names.view(type);
  const word = writeWordIndex(names, again, lane);
  const value = context.races
    ? `(noteLoad(kernel, ${names.itself}, ${word}, thread), ${view}[${word}])`
    : `${view}[${word}]`;
  return `(${first} >>> 0 < ${names.length} ? ${value} : ${wrong})`;
}

type BinaryExpr = Extract<KernelExpr, { kind: 'binary' }>;

function writeBinary(expr: BinaryExpr, context: ExprContext, lane: number): string {
  const { op, left, right } = expr;
  const type = scalarOf(expr.type);
  if (isComparison(op) || isLogic(op) || !isNumeric(type)) return fault(context.kernel, `${op} is no number`);
  const a = writeNumber(left, context, lane);
  const b = writeNumber(right, context, lane);
  const inline = inlined(op, type, a, b);
  if (inline !== undefined) return inline;
  return `${context.constant(`${op}_${type}`, binaryFunction(op, type))}(${a}, ${b})`;
}

/** The operations of inner loops. */
function inlined(op: KernelBinaryOp, type: NumericType, a: string, b: string): string | undefined {
  if (type === 'f32') {
    const sign = op === 'add' ? '+' : op === 'sub' ? '-' : op === 'mul' ? '*' : op === 'div' ? '/' : undefined;
    return sign === undefined ? undefined : `fround(${a} ${sign} ${b})`;
  }
  const wrap = (text: string): string => (type === 'i32' ? `(${text} | 0)` : `(${text} >>> 0)`);
  switch (op) {
    case 'add':
      return wrap(`(${a} + ${b})`);
    case 'sub':
      return wrap(`(${a} - ${b})`);
    case 'mul':
      return wrap(`imul(${a}, ${b})`);
    case 'bit_and':
      return wrap(`(${a} & ${b})`);
    case 'bit_or':
      return wrap(`(${a} | ${b})`);
    case 'bit_xor':
      return wrap(`(${a} ^ ${b})`);
    case 'shl':
      return wrap(`(${a} << ${b})`);
    case 'shr':
      return type === 'i32' ? `(${a} >> ${b})` : `(${a} >>> ${b})`;
    default:
      return undefined;
  }
}

/** As `bitcastValue`, on typed arrays, which the engine turns into one move. */
function bitcastFunction(from: NumericType, to: NumericType): (value: number) => number {
  const floats = new Float32Array(1);
  const words = to === 'i32' || from === 'i32' ? new Int32Array(floats.buffer) : new Uint32Array(floats.buffer);
  if (from === 'f32') {
    return (value) => {
      floats[0] = value;
      return words[0] ?? missing('kernel: word', 0);
    };
  }
  if (to === 'f32') {
    return (value) => {
      words[0] = value;
      return floats[0] ?? missing('kernel: float', 0);
    };
  }
  return (value) => bitcastValue(from, to, value);
}
