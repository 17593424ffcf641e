/**
 * For tests of work saved: a kernel that also counts how often its innermost loops run, over all threads, in an atomic word of a
 * buffer `rounds` it gets in addition. What it computes is unchanged.
 */
import { atomic, u32 } from '../kernel/build.ts';
import type { BufferDecl, Kernel, Stmt } from '../kernel/ir.ts';
import { blocksOf } from '../kernel/walk.ts';

const ROUNDS: BufferDecl = { name: 'rounds', element: 'atomic_u32', access: 'read_write' };

/** The kernel with a counter, bound after its own buffers. */
export function withRoundCounter(kernel: Kernel): Kernel {
  return { ...kernel, buffers: [...kernel.buffers, ROUNDS], body: kernel.body.map(counted) };
}

function counted(statement: Stmt): Stmt {
  switch (statement.kind) {
    case 'if':
      return { ...statement, then: statement.then.map(counted), else: statement.else.map(counted) };
    case 'for': {
      if (statement.body.some(hasLoop)) return { ...statement, body: statement.body.map(counted) };
      return { ...statement, body: [atomic('add', ROUNDS, u32(0), u32(1)), ...statement.body] };
    }
    default:
      return statement;
  }
}

function hasLoop(statement: Stmt): boolean {
  return statement.kind === 'for' || blocksOf(statement).some((block) => block.some(hasLoop));
}
