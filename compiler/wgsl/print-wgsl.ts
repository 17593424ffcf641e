/**
 * The WGSL printer: the only place where WGSL is spelt, and it prints dumbly. Whatever WGSL or a driver would refuse or get
 * wrong has been legalised in the IR before (kernel/legalise).
 *
 * Text: ASCII, deterministic, two-space indent, one statement a line. Bindings in group 0: the buffers in declared order,
 * then, if the kernel has uniforms, one uniform struct of 4-byte fields (`bindingLayout` says the same as data).
 *
 * Parentheses: sums and products associate as written; every other operand that is an operation stands in parentheses.
 * A comparison in an argument that is not the last does too, for `f(a < b, c > d)` would read as a template list.
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { missing } from '../../dsl/diagnostics/invariants.ts';
import { formatF32 } from '../kernel/format-f32.ts';
import type {
  KernelBinaryOp,
  KernelExpr,
  Kernel,
  KernelStmt,
  BufferElement,
  NumericType,
  KernelUnaryOp,
  ScalarType,
  SubgroupOp,
} from '../kernel/kernel-ir.ts';
import { elementType, isAtomic } from '../kernel/kernel-typing.ts';
import { COMPONENTS } from '../kernel/print-kernel.ts';
import { BUILTIN_VALUES, usedParameters } from './builtins.ts';
import { NameTable } from './wgsl-names.ts';

/** How a kernel's memory is bound: what pipelines, the manifest and the runtime derive from. */
export interface BindingLayout {
  readonly group: 0;
  readonly buffers: readonly {
    readonly name: string;
    readonly binding: number;
    readonly access: 'read' | 'read_write';
  }[];
  /** Absent if the kernel has no uniforms. Offsets and size in bytes. */
  readonly uniforms?: {
    readonly binding: number;
    readonly size: number;
    readonly fields: readonly {
      readonly name: string;
      readonly type: NumericType;
      readonly offset: number;
    }[];
  };
}

/** The bindings of `kernel`: buffers first, in declared order, the uniform struct last. */
export function bindingLayout(kernel: Kernel): BindingLayout {
  const buffers = kernel.buffers.map(({ name, access }, binding) => ({ name, binding, access }));
  if (kernel.uniforms.length === 0) return { group: 0, buffers };
  const fields = kernel.uniforms.map(({ name, type }, i) => ({ name, type, offset: 4 * i }));
  return { group: 0, buffers, uniforms: { binding: buffers.length, size: 4 * fields.length, fields } };
}

/** The entry point of every shader. */
export const ENTRY_POINT = 'main';

/** The shader of a verified and legalised kernel. */
export function printWgsl(kernel: Kernel): string {
  return new Printer(kernel).module();
}

const SUBGROUP_FUNCTIONS: Readonly<Record<SubgroupOp, string>> = {
  broadcast: 'subgroupBroadcast',
  shuffle: 'subgroupShuffle',
  shuffle_xor: 'subgroupShuffleXor',
  add: 'subgroupAdd',
  min: 'subgroupMin',
  max: 'subgroupMax',
  ballot: 'subgroupBallot',
  all: 'subgroupAll',
  any: 'subgroupAny',
};

/** Extensions that a kernel with subgroups asks for. */
const SUBGROUP_EXTENSIONS = ['enable subgroups;', ''];

const FUNCTIONS: Readonly<Record<Exclude<KernelUnaryOp, 'neg' | 'not' | 'bit_not'>, string>> = {
  abs: 'abs',
  sign: 'sign',
  floor: 'floor',
  ceil: 'ceil',
  sqrt: 'sqrt',
  rsqrt: 'inverseSqrt',
};

/** How tightly an expression binds. What WGSL does not let mix freely never gets to stand side by side. */
type Binding = 'or' | 'and' | 'compare' | 'bits' | 'sum' | 'product' | 'unary' | 'primary';

interface Infix {
  readonly symbol: string;
  readonly binding: Binding;
}

const INFIX: Readonly<Record<Exclude<KernelBinaryOp, 'min' | 'max'>, Infix>> = {
  add: { symbol: '+', binding: 'sum' },
  sub: { symbol: '-', binding: 'sum' },
  mul: { symbol: '*', binding: 'product' },
  div: { symbol: '/', binding: 'product' },
  rem: { symbol: '%', binding: 'product' },
  eq: { symbol: '==', binding: 'compare' },
  ne: { symbol: '!=', binding: 'compare' },
  lt: { symbol: '<', binding: 'compare' },
  le: { symbol: '<=', binding: 'compare' },
  gt: { symbol: '>', binding: 'compare' },
  ge: { symbol: '>=', binding: 'compare' },
  and: { symbol: '&&', binding: 'and' },
  or: { symbol: '||', binding: 'or' },
  bit_and: { symbol: '&', binding: 'bits' },
  bit_or: { symbol: '|', binding: 'bits' },
  bit_xor: { symbol: '^', binding: 'bits' },
  shl: { symbol: '<<', binding: 'bits' },
  shr: { symbol: '>>', binding: 'bits' },
};

/** What may stand bare on the left and on the right of an operator of this binding. */
const BARE: Readonly<Record<Binding, { left: readonly Binding[]; right: readonly Binding[] }>> = {
  or: { left: ['or', 'compare', 'unary', 'primary'], right: ['compare', 'unary', 'primary'] },
  and: { left: ['and', 'compare', 'unary', 'primary'], right: ['compare', 'unary', 'primary'] },
  compare: { left: ['sum', 'product', 'unary', 'primary'], right: ['sum', 'product', 'unary', 'primary'] },
  bits: { left: ['unary', 'primary'], right: ['unary', 'primary'] },
  sum: { left: ['sum', 'product', 'unary', 'primary'], right: ['product', 'primary'] },
  product: { left: ['product', 'unary', 'primary'], right: ['primary'] },
  unary: { left: [], right: ['primary'] },
  primary: { left: [], right: [] },
};

interface Text {
  readonly text: string;
  readonly binding: Binding;
}

const UNIFORMS = 'uniforms';

class Printer {
  readonly #kernel: Kernel;
  readonly #names = new NameTable();
  readonly #lines: string[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    // Declarations first, so that a local can never take a buffer's name from it.
    for (const decl of [...kernel.buffers, ...kernel.uniforms, ...kernel.arrays]) this.#names.get(decl.name);
  }

  module(): string {
    const { buffers, uniforms, arrays, subgroupSize, body } = this.#kernel;
    const layout = bindingLayout(this.#kernel);
    const lines = this.#lines;
    if (subgroupSize !== undefined) lines.push(...SUBGROUP_EXTENSIONS);
    if (layout.uniforms !== undefined) {
      lines.push('struct Uniforms {', ...uniforms.map((u) => `  ${this.#names.get(u.name)}: ${u.type},`), '}', '');
    }
    for (const [binding, buffer] of buffers.entries()) {
      const { name, access, element } = buffer;
      const type = `array<${isAtomic(element) ? storedType(element) : elementType(buffer)}>`;
      lines.push(`@group(0) @binding(${binding}) var<storage, ${access}> ${this.#names.get(name)}: ${type};`);
    }
    if (layout.uniforms !== undefined) {
      lines.push(`@group(0) @binding(${layout.uniforms.binding}) var<uniform> ${UNIFORMS}: Uniforms;`);
    }
    for (const { scope, name, element, length } of arrays) {
      const space = scope === 'thread' ? 'private' : 'workgroup';
      lines.push(`var<${space}> ${this.#names.get(name)}: array<${storedType(element)}, ${length}>;`);
    }
    const parameters = usedParameters(body).map(([name, attribute, type]) => `@builtin(${attribute}) ${name}: ${type}`);
    if (lines.length > 0) lines.push('');
    lines.push(`@compute ${shapeText(this.#kernel)}`, `fn ${ENTRY_POINT}(${parameters.join(', ')}) {`);
    this.#block(body, '');
    lines.push('}', '');
    return lines.join('\n');
  }

  #block(body: readonly KernelStmt[], pad: string): void {
    for (const statement of body) this.#statement(statement, `${pad}  `);
  }

  #statement(statement: KernelStmt, pad: string): void {
    const line = (text: string): void => void this.#lines.push(pad + text);
    switch (statement.kind) {
      case 'let':
        return line(`let ${this.#names.get(statement.name)} = ${this.#expr(statement.value)};`);
      case 'var':
        return line(`var ${this.#names.get(statement.name)} = ${this.#expr(statement.value)};`);
      case 'assign':
        return line(`${this.#names.get(statement.name)} = ${this.#expr(statement.value)};`);
      case 'store':
        return line(`${this.#element(statement.buffer, statement.index)} = ${this.#expr(statement.value)};`);
      case 'store_array':
        return line(`${this.#element(statement.array, statement.index)} = ${this.#expr(statement.value)};`);
      case 'atomic': {
        const name = { add: 'atomicAdd', min: 'atomicMin', max: 'atomicMax' }[statement.op];
        const element = this.#element(statement.buffer, statement.index);
        return line(`${name}(&${element}, ${this.#expr(statement.value)});`);
      }
      case 'if':
        line(`if (${this.#expr(statement.condition)}) {`);
        this.#block(statement.then, pad);
        if (statement.else.length > 0) line('} else {');
        this.#block(statement.else, pad);
        return line('}');
      case 'for': {
        if (statement.once === true) return this.#onceLoop(statement, line, pad);
        const name = this.#names.get(statement.name);
        const limit = this.#operand(statement.to, BARE.compare.right);
        line(`for (var ${name} = ${this.#expr(statement.from)}; ${name} < ${limit}; ${name} += ${this.#expr(statement.step)}) {`); // prettier-ignore
        this.#block(statement.body, pad);
        return line('}');
      }
      case 'subgroup': {
        const { op, name, value, lane } = statement;
        const call = this.#call(SUBGROUP_FUNCTIONS[op], ...(lane === null ? [value] : [value, lane]));
        return line(`let ${this.#names.get(name)} = ${call.text};`);
      }
      case 'break':
        return line('break;');
      case 'return':
        return line('return;');
      case 'barrier':
        return line('workgroupBarrier();');
    }
  }

  /** A loop that tests at its bottom. The block around it is the scope of its counter. */
  #onceLoop(loop: Extract<KernelStmt, { kind: 'for' }>, line: (text: string) => void, pad: string): void {
    const name = this.#names.get(loop.name);
    line('{');
    line(`  var ${name} = ${this.#expr(loop.from)};`);
    line('  loop {');
    this.#block(loop.body, `${pad}  `);
    line('    continuing {');
    line(`      ${name} += ${this.#expr(loop.step)};`);
    line(`      break if ${name} >= ${this.#operand(loop.to, BARE.compare.right)};`);
    line('    }');
    line('  }');
    line('}');
  }

  #element(name: string, index: KernelExpr): string {
    return `${this.#names.get(name)}[${this.#expr(index)}]`;
  }

  #expr(expr: KernelExpr): string {
    return this.#spell(expr).text;
  }

  #operand(expr: KernelExpr, bare: readonly Binding[]): string {
    const { text, binding } = this.#spell(expr);
    return bare.includes(binding) ? text : `(${text})`;
  }

  #call(name: string, ...args: readonly KernelExpr[]): Text {
    // A comparison before a comma could be read as the start of a template list.
    const texts = args.map((arg, i) =>
      i + 1 === args.length ? this.#expr(arg) : this.#operand(arg, ['bits', 'sum', 'product', 'unary', 'primary']),
    );
    return { text: `${name}(${texts.join(', ')})`, binding: 'primary' };
  }

  #prefix(symbol: string, operand: KernelExpr): Text {
    return { text: `${symbol}${this.#operand(operand, BARE.unary.right)}`, binding: 'unary' };
  }

  #spell(expr: KernelExpr): Text {
    switch (expr.kind) {
      case 'literal': {
        const text = literalText(expr.type, expr.value);
        return { text, binding: text.startsWith('-') ? 'unary' : 'primary' };
      }
      case 'local':
        return { text: this.#names.get(expr.name), binding: 'primary' };
      case 'uniform':
        return { text: `${UNIFORMS}.${this.#names.get(expr.name)}`, binding: 'primary' };
      case 'builtin': {
        const { parameter, component } = BUILTIN_VALUES[expr.name];
        return { text: component === null ? parameter : `${parameter}.${component}`, binding: 'primary' };
      }
      case 'load': {
        const element = this.#element(expr.buffer, expr.index);
        const atomic = this.#kernel.buffers.some((b) => b.name === expr.buffer && b.element.startsWith('atomic'));
        return { text: atomic ? `atomicLoad(&${element})` : element, binding: 'primary' };
      }
      case 'load_array':
        return { text: this.#element(expr.array, expr.index), binding: 'primary' };
      case 'buffer_length':
        return { text: `arrayLength(&${this.#names.get(expr.buffer)})`, binding: 'primary' };
      case 'unary':
        switch (expr.op) {
          case 'neg':
            return this.#prefix('-', expr.operand);
          case 'not':
            return this.#prefix('!', expr.operand);
          case 'bit_not':
            return this.#prefix('~', expr.operand);
          default:
            return this.#call(FUNCTIONS[expr.op], expr.operand);
        }
      case 'binary': {
        if (expr.op === 'min' || expr.op === 'max') {
          return this.#call(expr.op, expr.left, expr.right);
        }
        const { symbol, binding } = INFIX[expr.op];
        const { left, right } = BARE[binding];
        const text = `${this.#operand(expr.left, left)} ${symbol} ${this.#operand(expr.right, right)}`;
        return { text, binding };
      }
      case 'select':
        // WGSL puts the value for `false` first and the condition last.
        return this.#call('select', expr.else, expr.then, expr.condition);
      case 'convert':
        return this.#call(expr.type, expr.operand);
      case 'bitcast':
        return this.#call(`bitcast<${expr.type}>`, expr.operand);
      case 'fma':
        return this.#call('fma', expr.a, expr.b, expr.c);
      case 'vector':
        return this.#call(expr.type, ...expr.parts);
      case 'splat':
        return this.#call(expr.type, expr.operand);
      case 'component': {
        const name = COMPONENTS[expr.index] ?? missing('wgsl: component', expr.index);
        return { text: `${this.#operand(expr.operand, ['primary'])}.${name}`, binding: 'primary' };
      }
    }
  }
}

function storedType(element: BufferElement): string {
  switch (element) {
    case 'f32':
    case 'i32':
    case 'u32':
      return element;
    case 'atomic_i32':
      return 'atomic<i32>';
    case 'atomic_u32':
      return 'atomic<u32>';
  }
}

function literalText(type: ScalarType, value: number | boolean): string {
  if (typeof value === 'boolean') return String(value);
  switch (type) {
    case 'f32':
      // Legalisation has made infinities and NaN of their bits.
      if (!Number.isFinite(value)) throw new CompilerBug('wgsl', `${value} is no constant of WGSL`);
      return `${formatF32(value)}f`;
    case 'u32':
      return `${value}u`;
    case 'i32':
      // `-2147483648i` would negate a literal that is out of range.
      return value === -2147483648 ? 'i32(-2147483648)' : `${value}i`;
    case 'bool':
      return String(value !== 0);
  }
}

/** The attributes of the entry point that say the workgroup's shape. */
export function shapeText({ sides, workgroupSize }: Kernel): string {
  return `@workgroup_size(${sides?.join(', ') ?? workgroupSize})`;
}
