/**
 * For tests of what a plan states and saves: a kernel that also counts what it does, over all threads, in atomic words of a buffer it
 * gets in addition. What it computes is unchanged. It counts what is executed: no loop limit, bound or formula has a say.
 */
import { atomic, u32 } from '../../kernel/make-expressions.ts';
import type { BufferDecl, Kernel, KernelStmt } from '../../kernel/kernel-ir.ts';
import { widthOf } from '../../kernel/kernel-typing.ts';
import { expressionsOf } from '../../kernel/visit-kernel.ts';
import { KernelFacts, floatOperations, hasLoop } from '../../kernel/kernel-facts.ts';

export interface WorkCounted {
  /** How often innermost loops ran. */
  readonly rounds: number;
  readonly flops: number;
  /** Elements stored, fault words aside. */
  readonly stores: number;
  /** How often a row was none of those there are. */
  readonly absent: number;
  /** How often a statement was passed over: by a condition that memory or an index decides, or by one branch for the other. */
  readonly passed: number;
}

const COUNTS: BufferDecl = { name: 'counts', element: 'atomic_u32', access: 'read_write' };
const WORDS = ['rounds', 'flops', 'stores', 'absent', 'passed'] as const satisfies readonly (keyof WorkCounted)[];
export const COUNTERS = WORDS.length;

/** The kernel with counters, bound after its own buffers. */
export function withCounters(kernel: Kernel): Kernel {
  const facts = new KernelFacts(kernel);
  return { ...kernel, buffers: [...kernel.buffers, COUNTS], body: countedBlock(kernel.body, facts) };
}

export function countsOf(words: Uint32Array): WorkCounted {
  const [rounds = 0, flops = 0, stores = 0, absent = 0, passed = 0] = words;
  return { rounds, flops, stores, absent, passed };
}

function count(word: (typeof WORDS)[number], by: number): readonly KernelStmt[] {
  return by === 0 ? [] : [atomic('add', COUNTS, u32(WORDS.indexOf(word)), u32(by))];
}

/** A block, counted where it goes on straight: up to a statement that holds others. */
function countedBlock(body: readonly KernelStmt[], facts: KernelFacts): readonly KernelStmt[] {
  const counted: KernelStmt[] = [];
  let flops = 0;
  let stores = 0;
  for (const statement of body) {
    if (statement.kind !== 'for') flops += floatOperations(expressionsOf(statement));
    if (statement.kind === 'store') stores += widthOf(statement.value.type);
    if (
      statement.kind === 'if' ||
      statement.kind === 'for' ||
      statement.kind === 'break' ||
      statement.kind === 'return'
    ) {
      counted.push(...count('flops', flops), ...count('stores', stores));
      [flops, stores] = [0, 0];
    }
    counted.push(countedStatement(statement, facts));
  }
  return [...counted, ...count('flops', flops), ...count('stores', stores)];
}

function countedStatement(statement: KernelStmt, facts: KernelFacts): KernelStmt {
  if (statement.kind === 'for') {
    const body = countedBlock(statement.body, facts);
    return { ...statement, body: hasLoop(statement.body) ? body : [...count('rounds', 1), ...body] };
  }
  if (statement.kind !== 'if') return statement;
  const then = countedBlock(statement.then, facts);
  const otherwise = countedBlock(statement.else, facts);
  const { kind } = facts.condition(statement.condition);
  if (kind === 'rows') return { ...statement, then, else: [...count('absent', 1), ...otherwise] };
  if (kind !== 'open') return { ...statement, then, else: otherwise };
  const passed = count('passed', 1);
  const both = statement.else.length > 0;
  return { ...statement, then: both ? [...passed, ...then] : then, else: [...passed, ...otherwise] };
}
