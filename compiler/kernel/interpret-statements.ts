/**
 * Statements of the kernel interpreter.
 *
 * Two ways to run. A statement without a barrier compiles to `Code`: one thread runs it from end to end. A statement with
 * a barrier inside compiles to `Code` over all threads of the workgroup at once ("collective"): the stretches between
 * barriers are run thread by thread, and the control around a barrier is decided by all threads together, which must
 * agree (the dynamic form of the verifier's uniformity rule).
 *
 * Signals tell how a statement ended: it fell through, it broke out of the innermost loop, or its thread returned.
 */
import { compileBool, compileNumber, compileValue, memoryOf } from './interpret-expressions.ts';
import type { ExprContext } from './interpret-expressions.ts';
import { fault, noteStore, outOfBounds } from './interpret-memory.ts';
import type { Memory } from './interpret-memory.ts';
import type { Expr, Stmt } from './ir.ts';
import { loadedType } from './typing.ts';
import { blocksOf, operandsOf } from './walk.ts';

export const NEXT = 0;
export const BREAK = 1;
export const RETURN = 2;
export type Signal = typeof NEXT | typeof BREAK | typeof RETURN;
export type Code = () => Signal;

export interface StmtContext extends ExprContext {
  /** Opens a scope for the duration of `body`. */
  readonly scoped: <T>(body: () => T) => T;
  /** Declares a local of the innermost scope and returns its slot. */
  readonly declare: (name: string, mutable: boolean) => number;
  /** Whether the local in scope may change after its declaration. */
  readonly isMutable: (name: string) => boolean;
  /** The threads of the workgroup that runs now. */
  readonly team: Team;
}

/** The threads of a workgroup, for collective statements. */
export interface Team {
  /** Runs `code` in every thread that has not returned; they must all end it the same way, except by returning. */
  readonly each: (code: Code) => Signal;
  /** The truth of `condition` in every thread that has not returned; they must agree. False if all have returned. */
  readonly agree: (condition: () => boolean) => boolean;
  /** All threads meet. */
  readonly barrier: () => void;
}

export function hasBarrier(statement: Stmt): boolean {
  return statement.kind === 'barrier' || blocksOf(statement).some((block) => block.some(hasBarrier));
}

/** A block run by one thread. */
export function compileBlock(body: readonly Stmt[], context: StmtContext): Code {
  return context.scoped(() => sequence(body.map((s) => compileStatement(s, context))));
}

function sequence(codes: readonly Code[]): Code {
  const [first, second] = codes;
  switch (codes.length) {
    case 0:
      return () => NEXT;
    case 1:
      return first;
    case 2:
      return () => first() || second();
    default:
      return () => {
        for (let i = 0; i < codes.length; i++) {
          const signal = codes[i]();
          if (signal !== NEXT) return signal;
        }
        return NEXT;
      };
  }
}

function compileStatement(statement: Stmt, context: StmtContext): Code {
  const { slots, kernel } = context;
  switch (statement.kind) {
    case 'let':
    case 'var': {
      const value = compileValue(statement.value, context);
      const slot = context.declare(statement.name, statement.kind === 'var');
      return () => {
        slots[slot] = value();
        return NEXT;
      };
    }
    case 'assign': {
      const slot = context.localSlot(statement.name);
      const value = compileValue(statement.value, context);
      return () => {
        slots[slot] = value();
        return NEXT;
      };
    }
    case 'store':
      return compileStore(memoryOf(statement.buffer, context), statement.index, statement.value, context);
    case 'store_shared':
      return compileStore(memoryOf(statement.array, context), statement.index, statement.value, context);
    case 'atomic':
      return compileAtomic(statement, context);
    case 'if': {
      const condition = compileBool(statement.condition, context);
      const then = compileBlock(statement.then, context);
      if (statement.else.length === 0) return () => (condition() ? then() : NEXT);
      const otherwise = compileBlock(statement.else, context);
      return () => (condition() ? then() : otherwise());
    }
    case 'for':
      return context.scoped(() => {
        const to = invariant(statement.to, context) ? compileNumber(statement.to, context) : undefined;
        const { slot, start, goesOn, advance } = compileCounter(statement, context);
        const body = compileBlock(statement.body, context);
        return () => {
          start();
          // An invariant limit is read once: this is the innermost loop of everything.
          const limit = to?.();
          while (limit === undefined ? goesOn() : slots[slot] < limit) {
            const signal = body();
            if (signal === BREAK) return NEXT;
            if (signal === RETURN) return RETURN;
            advance();
          }
          return NEXT;
        };
      });
    case 'break':
      return () => BREAK;
    case 'return':
      return () => RETURN;
    case 'barrier':
      return fault(kernel, 'a barrier was compiled for one thread');
  }
}

type ForStmt = Extract<Stmt, { kind: 'for' }>;

function compileCounter(statement: ForStmt, context: StmtContext) {
  const { slots, kernel } = context;
  const { name } = statement;
  const type = statement.from.type === 'i32' ? 'i32' : 'u32';
  const [from, to, step] = [statement.from, statement.to, statement.step].map((e) => compileNumber(e, context));
  const slot = context.declare(name, false);
  const wrap = type === 'i32' ? (n: number) => n | 0 : (n: number) => n >>> 0;
  return {
    slot,
    start: () => {
      slots[slot] = from();
    },
    goesOn: () => slots[slot] < to(),
    advance: () => {
      const before = slots[slot];
      const after = before + step();
      // A GPU would spin for ever, or wrap round and start again.
      if (!(after > before && after === wrap(after)))
        fault(kernel, `the loop over ${name} does not advance from ${before}`);
      slots[slot] = after;
    },
  };
}

/** Whether an expression keeps its value while a loop body runs: no memory, no mutable local. */
function invariant(expr: Expr, context: StmtContext): boolean {
  if (expr.kind === 'load' || expr.kind === 'load_shared') return false;
  if (expr.kind === 'local' && context.isMutable(expr.name)) return false;
  return operandsOf(expr).every((e) => invariant(e, context));
}

function compileStore(memory: Memory, index: Expr, value: Expr, context: StmtContext): Code {
  const { kernel, running, races } = context;
  const at = compileNumber(index, context);
  const code = compileNumber(value, context);
  const element = loadedType(memory.element);
  if (races) {
    return () => {
      const i = at();
      const v = code();
      if (!(i >= 0 && i < memory.length)) outOfBounds(kernel, 'store to', memory, i);
      noteStore(kernel, memory, i, running.thread);
      memory[element][i] = v;
      return NEXT;
    };
  }
  return () => {
    const i = at();
    const v = code();
    if (!(i >= 0 && i < memory.length)) outOfBounds(kernel, 'store to', memory, i);
    memory[element][i] = v;
    return NEXT;
  };
}

function compileAtomic(statement: Extract<Stmt, { kind: 'atomic' }>, context: StmtContext): Code {
  const { kernel } = context;
  const memory = memoryOf(statement.buffer, context);
  const at = compileNumber(statement.index, context);
  const value = compileNumber(statement.value, context);
  const { op } = statement;
  return () => {
    const i = at();
    const v = value();
    if (!(i >= 0 && i < memory.length)) outOfBounds(kernel, `atomic ${op} on`, memory, i);
    const words = memory.element === 'atomic_i32' ? memory.i32 : memory.u32;
    const old = words[i];
    words[i] = op === 'add' ? old + v : op === 'min' ? Math.min(old, v) : Math.max(old, v);
    return NEXT;
  };
}

/** A block run by all threads of the workgroup together. */
export function compileCollective(body: readonly Stmt[], context: StmtContext): Code {
  return context.scoped(() => {
    const codes: Code[] = [];
    let stretch: Code[] = [];
    const flush = () => {
      if (stretch.length === 0) return;
      const code = sequence(stretch);
      codes.push(() => context.team.each(code));
      stretch = [];
    };
    for (const statement of body) {
      if (hasBarrier(statement)) {
        flush();
        codes.push(compileMeeting(statement, context));
      } else {
        stretch.push(compileStatement(statement, context));
      }
    }
    flush();
    return sequence(codes);
  });
}

/** A statement that contains a barrier, for all threads together. */
function compileMeeting(statement: Stmt, context: StmtContext): Code {
  const { team } = context;
  switch (statement.kind) {
    case 'barrier':
      return () => {
        team.barrier();
        return NEXT;
      };
    case 'if': {
      const condition = compileBool(statement.condition, context);
      const then = compileCollective(statement.then, context);
      const otherwise = compileCollective(statement.else, context);
      return () => (team.agree(condition) ? then() : otherwise());
    }
    case 'for':
      return context.scoped(() => {
        const { start, goesOn, advance } = compileCounter(statement, context);
        const body = compileCollective(statement.body, context);
        const first = () => {
          start();
          return goesOn();
        };
        const next = () => {
          advance();
          return goesOn();
        };
        return () => {
          for (let more = team.agree(first); more; more = team.agree(next)) {
            const signal = body();
            if (signal === BREAK) return NEXT;
            if (signal === RETURN) return RETURN;
          }
          return NEXT;
        };
      });
    default:
      return fault(context.kernel, `a ${statement.kind} contains no barrier`);
  }
}
