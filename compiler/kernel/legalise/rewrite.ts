/**
 * Rewriting the expressions of a kernel, bottom up, by a rule that may also name a value to use it twice.
 *
 * What a rule changes is built again through the constructors of make-expressions.ts, so constants fold and types are checked on the way.
 */
import {
  component,
  fma,
  letOf,
  local,
  binary,
  bitcast,
  convert,
  select,
  splat,
  unary,
  vector,
} from '../make-expressions.ts';
import type { KernelExpr, Kernel, KernelStmt } from '../kernel-ir.ts';
import { widthOf } from '../kernel-typing.ts';
import { sameStructure } from '../same-kernel.ts';
import { literalParts } from '../simplify-vectors.ts';
import { declaredIn } from '../visit-kernel.ts';

/**
 * Replaces one expression whose operands are already rewritten, or returns it as it is.
 * `share(e)` is `e` in a form that costs nothing to repeat: a leaf, or a `let` placed before the statement. Where no `let`
 * can be placed (`canShare` is false: the guarded side of and/or, the limit and step of a loop) it is `e` itself.
 */
export type RewriteRule = (expr: KernelExpr, share: Share) => KernelExpr;

export interface Share {
  (expr: KernelExpr): KernelExpr;
  readonly canShare: boolean;
}

/** The kernel with `rule` applied to every expression. */
export function rewriteExprs(kernel: Kernel, rule: RewriteRule): Kernel {
  let taken: ReadonlySet<string> | null = null;
  let count = 0;
  const fresh = (): string => {
    taken ??= namesOf(kernel);
    const name = `h${count++}`;
    return taken.has(name) ? fresh() : name;
  };

  /** What goes in front of the statement that is being rewritten. */
  let before: KernelStmt[] = [];
  const share: Share = Object.assign(
    (expr: KernelExpr) => {
      if (isLeaf(expr)) return expr;
      const name = fresh();
      before.push(letOf(name, expr));
      return local(name, expr.type);
    },
    { canShare: true },
  );
  const repeat: Share = Object.assign((expr: KernelExpr) => expr, { canShare: false });

  // The right side of and/or may be guarded by the left one: nothing of it may move in front.
  const isGuarding = (expr: KernelExpr): boolean => expr.kind === 'binary' && (expr.op === 'and' || expr.op === 'or');
  const now = (expr: KernelExpr): KernelExpr => rule(rebuild(expr, now, isGuarding(expr) ? repeated : now), share);
  const repeated = (expr: KernelExpr): KernelExpr => rule(rebuild(expr, repeated, repeated), repeat);

  const block = (body: readonly KernelStmt[]): readonly KernelStmt[] => {
    const around = before;
    const written: KernelStmt[] = [];
    let same = true;
    for (const statement of body) {
      before = [];
      const rewritten = rewriteStatement(statement, now, repeated, block);
      same &&= before.length === 0 && rewritten === statement;
      written.push(...before, rewritten);
    }
    before = around;
    return same ? body : written;
  };

  const body = block(kernel.body);
  return body === kernel.body ? kernel : { ...kernel, body };
}

/** Every name of a kernel: of its memory, its uniforms and its locals. */
export function namesOf({ buffers, uniforms, arrays, body }: Kernel): Set<string> {
  return new Set([...[...buffers, ...uniforms, ...arrays].map((d) => d.name), ...declaredIn(body)]);
}

/** What locals and memory are called instead; absent: what they are called. */
export interface Names {
  readonly local: (name: string) => string;
  readonly buffer?: (name: string) => string;
  readonly uniform?: (name: string) => string;
  readonly array?: (name: string) => string;
}

/**
 * The statements with other names, wherever these are declared, read or written, and with what `whole` gives in place of the expressions
 * that it gives something for: those are asked before what they are made of.
 */
export function renamed(
  body: readonly KernelStmt[],
  { local, buffer = same, uniform = same, array = same }: Names,
  whole: (expr: KernelExpr) => KernelExpr | null,
): readonly KernelStmt[] {
  const value = (expr: KernelExpr): KernelExpr => {
    const other = whole(expr);
    if (other !== null) return other;
    switch (expr.kind) {
      case 'local':
        return { ...expr, name: local(expr.name) };
      case 'uniform':
        return { ...expr, name: uniform(expr.name) };
      case 'buffer_length':
        return { ...expr, buffer: buffer(expr.buffer) };
      case 'load':
        return { ...expr, buffer: buffer(expr.buffer), index: value(expr.index) };
      case 'load_array':
        return { ...expr, array: array(expr.array), index: value(expr.index) };
      default:
        return rebuild(expr, value, value);
    }
  };
  const block = (statements: readonly KernelStmt[]): readonly KernelStmt[] =>
    statements.map((statement) => {
      const written = rewriteStatement(statement, value, value, block);
      switch (written.kind) {
        case 'let':
        case 'var':
        case 'assign':
        case 'for':
        case 'subgroup':
          return { ...written, name: local(written.name) };
        case 'store':
        case 'atomic':
          return { ...written, buffer: buffer(written.buffer) };
        case 'store_array':
          return { ...written, array: array(written.array) };
        case 'if':
        case 'break':
        case 'return':
        case 'barrier':
          return written;
      }
    });
  return block(body);
}

const same = (name: string): string => name;

function isLeaf(expr: KernelExpr): boolean {
  return expr.kind === 'literal' || expr.kind === 'local' || expr.kind === 'builtin' || expr.kind === 'uniform';
}

/** The statement made anew of rewritten parts, or itself where they are what they were. */
function rewriteStatement(
  statement: KernelStmt,
  now: (expr: KernelExpr) => KernelExpr,
  repeated: (expr: KernelExpr) => KernelExpr,
  block: (body: readonly KernelStmt[]) => readonly KernelStmt[],
): KernelStmt {
  switch (statement.kind) {
    case 'let':
    case 'var':
    case 'assign': {
      const value = now(statement.value);
      return value === statement.value ? statement : { ...statement, value };
    }
    case 'store':
    case 'store_array':
    case 'atomic': {
      const [index, value] = [now(statement.index), now(statement.value)];
      return index === statement.index && value === statement.value ? statement : { ...statement, index, value };
    }
    case 'if': {
      const condition = now(statement.condition);
      const [then, otherwise] = [block(statement.then), block(statement.else)];
      const same = condition === statement.condition && then === statement.then && otherwise === statement.else;
      return same ? statement : { ...statement, condition, then, else: otherwise };
    }
    case 'for': {
      const [from, to, step] = [now(statement.from), repeated(statement.to), repeated(statement.step)];
      const body = block(statement.body);
      const same = from === statement.from && to === statement.to && step === statement.step && body === statement.body;
      return same ? statement : { ...statement, from, to, step, body };
    }
    case 'subgroup': {
      const value = now(statement.value);
      const lane = statement.lane === null ? null : now(statement.lane);
      return value === statement.value && lane === statement.lane ? statement : { ...statement, value, lane };
    }
    case 'break':
    case 'return':
    case 'barrier':
      return statement;
  }
}

/** What the constructors make of an expression's operands, where they would make something else of them. */
export function reconstructed(expr: KernelExpr): KernelExpr {
  // To `rebuild`, a copy is another operand. What the constructors do depends on constants.
  const copied = (operand: KernelExpr): KernelExpr => (isConstant(operand) ? { ...operand } : operand);
  const again = rebuild(expr, copied, copied);
  return again === expr || sameStructure(again, expr) ? expr : again;
}

function isConstant(expr: KernelExpr): boolean {
  return expr.kind === 'literal' || literalParts(expr) !== undefined;
}

/** The expression made anew of rewritten operands, or itself where they are what they were; `right` is for the right of a binary operation. */
function rebuild(
  expr: KernelExpr,
  inner: (expr: KernelExpr) => KernelExpr,
  right: (expr: KernelExpr) => KernelExpr,
): KernelExpr {
  switch (expr.kind) {
    case 'literal':
    case 'local':
    case 'builtin':
    case 'uniform':
    case 'buffer_length':
      return expr;
    case 'load':
    case 'load_array': {
      const index = inner(expr.index);
      return index === expr.index ? expr : { ...expr, index };
    }
    case 'unary': {
      const operand = inner(expr.operand);
      return operand === expr.operand ? expr : unary(expr.op, operand);
    }
    case 'binary': {
      const [a, b] = [inner(expr.left), right(expr.right)];
      return a === expr.left && b === expr.right ? expr : binary(expr.op, a, b);
    }
    case 'select': {
      const [condition, then, otherwise] = [inner(expr.condition), inner(expr.then), inner(expr.else)];
      const same = condition === expr.condition && then === expr.then && otherwise === expr.else;
      return same ? expr : select(condition, then, otherwise);
    }
    case 'convert': {
      const operand = inner(expr.operand);
      return operand === expr.operand ? expr : convert(expr.type, operand);
    }
    case 'bitcast': {
      const operand = inner(expr.operand);
      return operand === expr.operand ? expr : bitcast(expr.type, operand);
    }
    case 'fma': {
      const [a, b, c] = [inner(expr.a), inner(expr.b), inner(expr.c)];
      return a === expr.a && b === expr.b && c === expr.c ? expr : fma(a, b, c);
    }
    case 'vector': {
      const parts = expr.parts.map(inner);
      return parts.every((part, i) => part === expr.parts[i]) ? expr : vector(...parts);
    }
    case 'splat': {
      const operand = inner(expr.operand);
      return operand === expr.operand ? expr : splat(operand, widthOf(expr.type));
    }
    case 'component': {
      const operand = inner(expr.operand);
      return operand === expr.operand ? expr : component(operand, expr.index);
    }
  }
}
