/**
 * What can be said of a kernel's conditions by looking at them: which of them ask for a thread's number, and which are true every so
 * many times that they are asked. Shared by what states the work of a launch (compiler/schedule/emitting/work.ts) and what counts it
 * (compiler/schedule/executing/count-work.ts).
 */
import type { KernelExpr, Kernel, KernelStmt } from './kernel-ir.ts';
import { isFloats, widthOf } from './kernel-typing.ts';
import { forEachStatement, operandsOf } from './visit-kernel.ts';

/** Condition of a statement, as far as its text tells how often it is true. */
export type StatementCondition =
  /** Of threads numbered below so many (u32). */
  | { readonly kind: 'below'; readonly limit: KernelExpr }
  /** Of so many threads of a workgroup. */
  | { readonly kind: 'share'; readonly of: number }
  /** Of one thread. */
  | { readonly kind: 'one' }
  /** Every so many rounds of the only statement that counts this local up, by so much, from 0. */
  | { readonly kind: 'every'; readonly local: string; readonly period: number; readonly by: number }
  /** Of rows below as many as memory says there are. */
  | { readonly kind: 'rows' }
  /** What is in memory decides, or an index. */
  | { readonly kind: 'open' };

export class KernelFacts {
  readonly #workgroupSize: number;
  readonly #isLinear: boolean;
  readonly #lets = new Map<string, KernelExpr>();
  readonly #starts = new Map<string, KernelExpr>();
  readonly #assigned = new Map<string, KernelExpr[]>();

  constructor(kernel: Kernel) {
    this.#workgroupSize = kernel.workgroupSize;
    this.#isLinear = kernel.sides === undefined;
    forEachStatement(kernel.body, (statement) => {
      if (statement.kind === 'let') this.#lets.set(statement.name, statement.value);
      if (statement.kind === 'var') this.#starts.set(statement.name, statement.value);
      if (statement.kind !== 'assign') return;
      const values = this.#assigned.get(statement.name);
      if (values === undefined) this.#assigned.set(statement.name, [statement.value]);
      else values.push(statement.value);
    });
  }

  /** The expression an immutable local stands for, else the expression itself. */
  behind(expr: KernelExpr): KernelExpr {
    let here = expr;
    for (;;) {
      const value = here.kind === 'local' ? this.#lets.get(here.name) : undefined;
      if (value === undefined) return here;
      here = value;
    }
  }

  /** Whether two expressions are the same text, locals looked through; false where that is not seen. */
  same(left: KernelExpr, right: KernelExpr): boolean {
    if (left.kind === 'local' && right.kind === 'local' && left.name === right.name) return true;
    const [a, b] = [this.behind(left), this.behind(right)];
    if (a.kind === 'literal' && b.kind === 'literal') return a.type === b.type && a.value === b.value;
    if (a.kind === 'local' && b.kind === 'local') return a.name === b.name;
    if (a.kind === 'uniform' && b.kind === 'uniform') return a.name === b.name;
    if (a.kind === 'builtin' && b.kind === 'builtin') return a.name === b.name;
    if (a.kind !== 'binary' || b.kind !== 'binary' || a.op !== b.op) return false;
    return this.same(a.left, b.left) && this.same(a.right, b.right);
  }

  /** Whether an expression numbers the threads of a launch, from 0 on. */
  isThread(expr: KernelExpr): boolean {
    if (!this.#isLinear) return false;
    const id = this.behind(expr);
    if (id.kind !== 'binary' || id.op !== 'add' || !isBuiltin(id.right, 'local_id_x')) return false;
    const [group, size] =
      id.left.kind === 'binary' && id.left.op === 'mul' ? operandsOf(id.left) : [id.left, undefined];
    if (size !== undefined && !(size.kind === 'literal' && size.value === this.#workgroupSize)) return false;
    if (group?.kind !== 'binary' || group.op !== 'add' || !isBuiltin(group.right, 'workgroup_id_x')) return false;
    const [line, lines] = operandsOf(group.left);
    return isBuiltin(line, 'workgroup_id_y') && isBuiltin(lines, 'num_workgroups_x');
  }

  /** Whether an expression numbers the threads of a workgroup. */
  isLocalThread(expr: KernelExpr): boolean {
    return isBuiltin(this.behind(expr), 'local_id_x');
  }

  condition(condition: KernelExpr): StatementCondition {
    const test = this.behind(condition);
    if (test.kind !== 'binary') return { kind: 'open' };
    const { op, left, right } = test;
    if (op === 'lt' && this.isThread(left) && !this.#isLoaded(right)) return { kind: 'below', limit: right };
    if (op === 'lt' && this.isLocalThread(left) && right.kind === 'literal')
      return { kind: 'share', of: Number(right.value) };
    if (op === 'eq' && this.isLocalThread(left) && right.kind === 'literal') return { kind: 'one' };
    if (op === 'lt' && right.type === 'u32' && this.behind(right).kind === 'load') return { kind: 'rows' };
    const masked = this.behind(left);
    if (op !== 'eq' || !isNumber(right, 0) || masked.kind !== 'binary' || masked.op !== 'bit_and')
      return { kind: 'open' };
    const by = masked.left.kind === 'local' ? this.#counts(masked.left.name) : null;
    if (by === null || masked.left.kind !== 'local' || masked.right.kind !== 'literal') return { kind: 'open' };
    return { kind: 'every', local: masked.left.name, period: Number(masked.right.value) + 1, by };
  }

  /** Whether memory has a say in an expression. */
  #isLoaded(expr: KernelExpr): boolean {
    const value = this.behind(expr);
    return value.kind === 'load' || value.kind === 'load_array' || operandsOf(value).some((e) => this.#isLoaded(e));
  }

  /** By how much a mutable local is counted up from 0 wherever it is assigned at all, which is in one place. */
  #counts(name: string): number | null {
    const start = this.#starts.get(name);
    const [next, ...others] = this.#assigned.get(name) ?? [];
    if (start === undefined || !isNumber(start, 0) || others.length > 0) return null;
    if (next?.kind !== 'binary' || next.op !== 'add' || next.right.kind !== 'literal') return null;
    return next.left.kind === 'local' && next.left.name === name ? Number(next.right.value) : null;
  }
}

/**
 * Float operations of a statement itself, not of the blocks it holds; those that give an f32, in each component of a vector, and a
 * fused one is two.
 */
export function floatOperations(exprs: readonly KernelExpr[]): number {
  let count = 0;
  const open = [...exprs];
  for (let expr = open.pop(); expr !== undefined; expr = open.pop()) {
    const width = isFloats(expr.type) ? widthOf(expr.type) : 0;
    if (expr.kind === 'binary' || expr.kind === 'unary') count += width;
    if (expr.kind === 'fma') count += 2 * width;
    open.push(...operandsOf(expr));
  }
  return count;
}

export function hasLoop(body: readonly KernelStmt[]): boolean {
  let found = false;
  forEachStatement(body, (statement) => (found ||= statement.kind === 'for'));
  return found;
}

function isBuiltin(expr: KernelExpr | undefined, name: string): boolean {
  return expr?.kind === 'builtin' && expr.name === name;
}

function isNumber(expr: KernelExpr, value: number): boolean {
  return expr.kind === 'literal' && expr.value === value;
}
