/**
 * Expressions of the kernel interpreter: a tree becomes JS closures once, and nothing is looked up by name while running.
 *
 * Everything a leaf can read (built-ins, uniforms, literals, locals) is a slot of one Float64Array; an operation reads a
 * leaf's slot directly instead of calling a closure for it, which about halves the time of index arithmetic. The commonest
 * operations are written out here for speed; the rest, and the meaning of all, are in arithmetic.ts.
 *
 * Number expressions compile to `() => number`, bool ones to `() => boolean`; a bool local is stored as 0 or 1.
 */
import { binaryFunction, bitcastValue, comparisonFunction, convertValue, isComparison, isLogic } from './arithmetic.ts';
import { unaryFunction } from './arithmetic.ts';
import type { BinaryOp, Builtin, Expr } from './ir.ts';
import { fault, noteLoad, outOfBounds } from './interpret-memory.ts';
import type { Memory } from './interpret-memory.ts';
import { isNumeric } from './typing.ts';

export type NumberCode = () => number;
export type BoolCode = () => boolean;

/** Slots of the built-ins, before all others. */
export const BUILTIN_SLOT: Readonly<Record<Builtin, number>> = {
  global_id_x: 0,
  global_id_y: 1,
  local_id_x: 2,
  workgroup_id_x: 3,
  workgroup_id_y: 4,
  num_workgroups_x: 5,
};
export const BUILTIN_SLOTS = 6;

/** The thread that runs now, as its number in the whole launch: what race messages name. */
export interface Running {
  thread: number;
}

/** What compiling an expression needs to know. */
export interface ExprContext {
  readonly kernel: string;
  readonly slots: Float64Array;
  readonly uniforms: ReadonlyMap<string, number>;
  readonly memories: ReadonlyMap<string, Memory>;
  readonly running: Running;
  readonly races: boolean;
  /** The slot of a local in scope. */
  readonly localSlot: (name: string) => number;
  /** A slot that holds this constant. */
  readonly constantSlot: (value: number) => number;
}

/** The slot a leaf is read from, or `undefined` for an expression that computes. */
function slotOf(expr: Expr, context: ExprContext): number | undefined {
  switch (expr.kind) {
    case 'literal':
      return context.constantSlot(Number(expr.value));
    case 'local':
      return context.localSlot(expr.name);
    case 'builtin':
      return BUILTIN_SLOT[expr.name];
    case 'uniform': {
      const slot = context.uniforms.get(expr.name);
      return slot ?? fault(context.kernel, `no uniform ${expr.name} is declared`);
    }
    default:
      return undefined;
  }
}

export function memoryOf(name: string, context: ExprContext): Memory {
  return context.memories.get(name) ?? fault(context.kernel, `no memory ${name} is declared`);
}

/** Any expression as a number: bools give 0 or 1. */
export function compileValue(expr: Expr, context: ExprContext): NumberCode {
  if (isNumeric(expr.type)) return compileNumber(expr, context);
  const code = compileBool(expr, context);
  return () => (code() ? 1 : 0);
}

/** A number expression. */
export function compileNumber(expr: Expr, context: ExprContext): NumberCode {
  const { slots, kernel } = context;
  const slot = slotOf(expr, context);
  if (slot !== undefined) return () => slots[slot];
  const { type } = expr;
  if (!isNumeric(type)) return fault(kernel, 'a bool stands where a number belongs');
  switch (expr.kind) {
    case 'load':
      return compileLoad(memoryOf(expr.buffer, context), compileNumber(expr.index, context), type, context);
    case 'load_shared':
      return compileLoad(memoryOf(expr.array, context), compileNumber(expr.index, context), type, context);
    case 'buffer_length': {
      const memory = memoryOf(expr.buffer, context);
      return () => memory.length;
    }
    case 'unary': {
      if (expr.op === 'not') return fault(kernel, 'not is no number');
      const f = unaryFunction(expr.op, type);
      const x = compileNumber(expr.operand, context);
      return () => f(x());
    }
    case 'binary':
      return compileBinary(expr, context);
    case 'select': {
      const condition = compileBool(expr.condition, context);
      const then = compileNumber(expr.then, context);
      const otherwise = compileNumber(expr.else, context);
      // Both sides are evaluated, as on a GPU, so that an out-of-bounds load in the side not taken is found.
      return () => {
        const a = then();
        const b = otherwise();
        return condition() ? a : b;
      };
    }
    case 'convert': {
      const from = expr.operand.type;
      if (!isNumeric(from)) {
        const truth = compileBool(expr.operand, context);
        return () => (truth() ? 1 : 0);
      }
      const x = compileNumber(expr.operand, context);
      return () => convertValue(from, type, x());
    }
    case 'bitcast': {
      const from = expr.operand.type;
      if (!isNumeric(from)) return fault(kernel, 'bitcast of a bool');
      const x = compileNumber(expr.operand, context);
      return () => bitcastValue(from, type, x());
    }
    case 'fma': {
      const { fround } = Math;
      const [a, b, c] = [expr.a, expr.b, expr.c].map((e) => compileNumber(e, context));
      return () => fround(fround(a() * b()) + c());
    }
    default:
      return fault(kernel, `a ${expr.kind} has no value`);
  }
}

/** A bool expression. */
export function compileBool(expr: Expr, context: ExprContext): BoolCode {
  const { slots, kernel } = context;
  const slot = slotOf(expr, context);
  if (slot !== undefined) return () => slots[slot] !== 0;
  switch (expr.kind) {
    case 'unary': {
      const x = compileBool(expr.operand, context);
      return () => !x();
    }
    case 'binary':
      return compileTruth(expr.op, expr.left, expr.right, context);
    case 'select': {
      const condition = compileBool(expr.condition, context);
      const then = compileBool(expr.then, context);
      const otherwise = compileBool(expr.else, context);
      return () => {
        const a = then();
        const b = otherwise();
        return condition() ? a : b;
      };
    }
    case 'convert': {
      const x = compileValue(expr.operand, context);
      return () => x() !== 0;
    }
    default:
      return fault(kernel, `a ${expr.kind} is no bool`);
  }
}

function compileTruth(op: BinaryOp, left: Expr, right: Expr, context: ExprContext): BoolCode {
  if (isLogic(op)) {
    const a = compileBool(left, context);
    const b = compileBool(right, context);
    return op === 'and' ? () => a() && b() : () => a() || b();
  }
  if (!isComparison(op)) return fault(context.kernel, `${op} is no bool`);
  const a = compileValue(left, context);
  const b = compileValue(right, context);
  if (op === 'lt') return () => a() < b();
  const f = comparisonFunction(op);
  return () => f(a(), b());
}

function compileLoad(memory: Memory, index: NumberCode, type: 'f32' | 'i32' | 'u32', context: ExprContext): NumberCode {
  const { kernel, running } = context;
  if (context.races) {
    return () => {
      const i = index();
      if (!(i >= 0 && i < memory.length)) outOfBounds(kernel, 'load of', memory, i);
      noteLoad(kernel, memory, i, running.thread);
      return memory[type][i];
    };
  }
  switch (type) {
    case 'f32':
      return () => {
        const i = index();
        return i >= 0 && i < memory.length ? memory.f32[i] : outOfBounds(kernel, 'load of', memory, i);
      };
    case 'i32':
      return () => {
        const i = index();
        return i >= 0 && i < memory.length ? memory.i32[i] : outOfBounds(kernel, 'load of', memory, i);
      };
    case 'u32':
      return () => {
        const i = index();
        return i >= 0 && i < memory.length ? memory.u32[i] : outOfBounds(kernel, 'load of', memory, i);
      };
  }
}

type BinaryExpr = Extract<Expr, { kind: 'binary' }>;

function compileBinary(expr: BinaryExpr, context: ExprContext): NumberCode {
  const { op, type, left, right } = expr;
  if (isComparison(op) || isLogic(op) || !isNumeric(type)) return fault(context.kernel, `${op} is no number`);
  const fast = compileFast(expr, context);
  if (fast !== undefined) return fast;
  const f = binaryFunction(op, type);
  const a = compileNumber(left, context);
  const b = compileNumber(right, context);
  return () => f(a(), b());
}

/** The operations of inner loops, one closure for each combination of leaf and computed operands. */
function compileFast(expr: BinaryExpr, context: ExprContext): NumberCode | undefined {
  const { slots } = context;
  const { fround, imul } = Math;
  const { op, type } = expr;
  if ((type !== 'f32' && type !== 'u32') || (op !== 'add' && op !== 'mul' && op !== 'sub')) return undefined;
  const p = slotOf(expr.left, context);
  const q = slotOf(expr.right, context);
  const known = p !== undefined && q !== undefined ? { p, q } : undefined;
  if (known !== undefined) {
    const { p: i, q: j } = known;
    if (type === 'f32') {
      if (op === 'add') return () => fround(slots[i] + slots[j]);
      if (op === 'mul') return () => fround(slots[i] * slots[j]);
      return () => fround(slots[i] - slots[j]);
    }
    if (op === 'add') return () => (slots[i] + slots[j]) >>> 0;
    if (op === 'mul') return () => imul(slots[i], slots[j]) >>> 0;
    return () => (slots[i] - slots[j]) >>> 0;
  }
  if (p !== undefined) {
    const b = compileNumber(expr.right, context);
    if (type === 'f32') {
      if (op === 'add') return () => fround(slots[p] + b());
      if (op === 'mul') return () => fround(slots[p] * b());
      return () => fround(slots[p] - b());
    }
    if (op === 'add') return () => (slots[p] + b()) >>> 0;
    if (op === 'mul') return () => imul(slots[p], b()) >>> 0;
    return () => (slots[p] - b()) >>> 0;
  }
  const a = compileNumber(expr.left, context);
  if (q !== undefined) {
    if (type === 'f32') {
      if (op === 'add') return () => fround(a() + slots[q]);
      if (op === 'mul') return () => fround(a() * slots[q]);
      return () => fround(a() - slots[q]);
    }
    if (op === 'add') return () => (a() + slots[q]) >>> 0;
    if (op === 'mul') return () => imul(a(), slots[q]) >>> 0;
    return () => (a() - slots[q]) >>> 0;
  }
  const b = compileNumber(expr.right, context);
  if (type === 'f32') {
    if (op === 'add') return () => fround(a() + b());
    if (op === 'mul') return () => fround(a() * b());
    return () => fround(a() - b());
  }
  if (op === 'add') return () => (a() + b()) >>> 0;
  if (op === 'mul') return () => imul(a(), b()) >>> 0;
  return () => (a() - b()) >>> 0;
}
