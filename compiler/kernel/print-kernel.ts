/**
 * A readable dump of a kernel (`--emit=kernel`), for people and golden files: one line a statement, every name declared
 * with its type. It looks like a shader but is none; WGSL is spelt in wgsl/print-wgsl.ts only.
 *
 *   kernel scale, workgroup 64
 *     read x: f32[]
 *     read_write y: f32[]
 *     uniform n: u32
 *   {
 *     let v0: u32 = global_id.x
 *     if (v0 < n) {
 *       y[v0] = x[v0] * 2.0
 *     }
 *   }
 */
import { formatF32 } from './format-f32.ts';
import type { KernelBinaryOp, Builtin, KernelExpr, Kernel, KernelStmt } from './kernel-ir.ts';
import { elementType, isAtomic } from './kernel-typing.ts';

const SYMBOLS: Readonly<Record<Exclude<KernelBinaryOp, 'min' | 'max' | 'pow'>, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  rem: '%',
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
  gt: '>',
  ge: '>=',
  and: '&&',
  or: '||',
  bit_and: '&',
  bit_or: '|',
  bit_xor: '^',
  shl: '<<',
  shr: '>>',
};

const BUILTINS: Readonly<Record<Builtin, string>> = {
  global_id_x: 'global_id.x',
  global_id_y: 'global_id.y',
  global_id_z: 'global_id.z',
  local_id_x: 'local_id.x',
  local_id_y: 'local_id.y',
  local_id_z: 'local_id.z',
  workgroup_id_x: 'workgroup_id.x',
  workgroup_id_y: 'workgroup_id.y',
  workgroup_id_z: 'workgroup_id.z',
  num_workgroups_x: 'num_workgroups.x',
  num_workgroups_y: 'num_workgroups.y',
  num_workgroups_z: 'num_workgroups.z',
  local_index: 'local_index',
  subgroup_lane: 'subgroup_lane',
};

/** Of a vector, in order: what kernels call them, and shaders. */
export const COMPONENTS = ['x', 'y', 'z', 'w'] as const;

/** The kernel as text, ending in a newline. */
export function printKernel(kernel: Kernel): string {
  return [
    `kernel ${kernel.name}, workgroup ${kernel.sides?.join(' x ') ?? kernel.workgroupSize}${kernel.subgroupSize === undefined ? '' : `, subgroups of ${kernel.subgroupSize}`}`,
    ...kernel.buffers.map((b) => `  ${b.access} ${b.name}: ${isAtomic(b.element) ? b.element : elementType(b)}[]`),
    ...kernel.uniforms.map((u) => `  uniform ${u.name}: ${u.type}`),
    ...kernel.arrays.map(
      (s) => `  ${s.scope === 'thread' ? 'private' : 'shared'} ${s.name}: ${s.element}[${s.length}]`,
    ),
    '{',
    ...kernel.body.flatMap((s) => printStatement(s, 1)),
    '}',
    '',
  ].join('\n');
}

/** One statement as lines, indented `depth` levels. */
export function printStatement(statement: KernelStmt, depth = 0): readonly string[] {
  const lines: string[] = [];
  printInto(lines, statement, '  '.repeat(depth));
  return lines;
}

function printInto(lines: string[], statement: KernelStmt, pad: string): void {
  const block = (body: readonly KernelStmt[]): void => {
    for (const inner of body) printInto(lines, inner, `${pad}  `);
  };
  switch (statement.kind) {
    case 'let':
    case 'var': {
      const { kind, name, value } = statement;
      lines.push(`${pad}${kind} ${name}: ${value.type} = ${printExpr(value)}`);
      return;
    }
    case 'assign':
      lines.push(`${pad}${statement.name} = ${printExpr(statement.value)}`);
      return;
    case 'store':
      lines.push(`${pad}${statement.buffer}[${printExpr(statement.index)}] = ${printExpr(statement.value)}`);
      return;
    case 'store_array':
      lines.push(`${pad}${statement.array}[${printExpr(statement.index)}] = ${printExpr(statement.value)}`);
      return;
    case 'atomic': {
      const { op, buffer, index, value } = statement;
      lines.push(`${pad}atomic_${op}(${buffer}[${printExpr(index)}], ${printExpr(value)})`);
      return;
    }
    case 'if':
      lines.push(`${pad}if (${printExpr(statement.condition)}) {`);
      block(statement.then);
      if (statement.else.length > 0) lines.push(`${pad}} else {`);
      block(statement.else);
      lines.push(`${pad}}`);
      return;
    case 'for': {
      const { name, from, to, step } = statement;
      const head = `for ${name}: ${from.type} = ${printExpr(from)} to ${printExpr(to)} step ${printExpr(step)}`;
      const form = `${statement.once ? ' once' : ''}${statement.unroll ? ' unroll' : ''}`;
      lines.push(`${pad}${head}${form} {`);
      block(statement.body);
      lines.push(`${pad}}`);
      return;
    }
    case 'subgroup': {
      const { name, type, op, value, lane } = statement;
      const given = lane === null ? printExpr(value) : `${printExpr(value)}, ${printExpr(lane)}`;
      lines.push(`${pad}let ${name}: ${type} = subgroup_${op}(${given})`);
      return;
    }
    case 'break':
    case 'return':
    case 'barrier':
      lines.push(pad + statement.kind);
  }
}

/** One expression; operands that are operations themselves stand in parentheses. */
export function printExpr(expr: KernelExpr): string {
  switch (expr.kind) {
    case 'literal':
      return expr.type === 'f32' ? formatF32(Number(expr.value)) : String(expr.value);
    case 'local':
    case 'uniform':
      return expr.name;
    case 'builtin':
      return BUILTINS[expr.name];
    case 'load':
      return `${expr.buffer}[${printExpr(expr.index)}]`;
    case 'load_array':
      return `${expr.array}[${printExpr(expr.index)}]`;
    case 'unary':
      if (expr.op === 'neg') return `-${printOperand(expr.operand)}`;
      if (expr.op === 'not') return `!${printOperand(expr.operand)}`;
      return `${expr.op}(${printExpr(expr.operand)})`;
    case 'binary':
      if (expr.op === 'min' || expr.op === 'max') {
        return `${expr.op}(${printExpr(expr.left)}, ${printExpr(expr.right)})`;
      }
      return `${printOperand(expr.left)} ${SYMBOLS[expr.op]} ${printOperand(expr.right)}`;
    case 'select':
      return `select(${printExpr(expr.condition)}, ${printExpr(expr.then)}, ${printExpr(expr.else)})`;
    case 'convert':
    case 'splat':
      return `${expr.type}(${printExpr(expr.operand)})`;
    case 'bitcast':
      return `bitcast_${expr.type}(${printExpr(expr.operand)})`;
    case 'fma':
      return `fma(${printExpr(expr.a)}, ${printExpr(expr.b)}, ${printExpr(expr.c)})`;
    case 'buffer_length':
      return `length(${expr.buffer})`;
    case 'vector':
      return `${expr.type}(${expr.parts.map(printExpr).join(', ')})`;
    case 'component':
      return `${printWhole(expr.operand)}.${COMPONENTS[expr.index] ?? expr.index}`;
  }
}

function printOperand(expr: KernelExpr): string {
  const infix = expr.kind === 'binary' && expr.op !== 'min' && expr.op !== 'max';
  return infix ? `(${printExpr(expr)})` : printExpr(expr);
}

/** An operand of what binds tightest. */
function printWhole(expr: KernelExpr): string {
  const prefix = expr.kind === 'unary' && (expr.op === 'neg' || expr.op === 'not');
  return prefix ? `(${printExpr(expr)})` : printOperand(expr);
}
