/** One line of a graph's text, read from left to right (words, nodes, axes, sizes, numbers) and what is cut off its end. */
import { idOf } from '../../dsl/types/ids.ts';
import { exact, type Size, type SizeOp } from '../../dsl/types/size.ts';
import { binaryNames, reduceOps, unaryNames } from '../../dsl/types/primitive-names.ts';
import type { DenseReason } from './domains.ts';
import type { ElementType, GraphInput, MapOp, NodeId, OutputRole, ReduceOp, Span } from './graph-ir.ts';

export const textError = (line: number, message: string): Error => new Error(`line ${line}: ${message}`);

export function isElement(word: string): word is ElementType {
  return word === 'f32' || word === 'f16' || word === 'i32' || word === 'bool';
}

const maps: ReadonlySet<string> = new Set([...unaryNames, ...binaryNames, 'where', 'clamp', 'convert']);
const reduces: ReadonlySet<string> = new Set(reduceOps);
const roles: ReadonlySet<string> = new Set(['input', 'param', 'state', 'control']);
const outputRoles: ReadonlySet<string> = new Set(['result', 'output', 'loss', 'update']);
export const isMap = (word: string): word is MapOp => maps.has(word);
export const isReduce = (word: string): word is ReduceOp => reduces.has(word);
export const isRole = (word: string): word is GraphInput['role'] => roles.has(word);
export const isOutputRole = (word: string): word is OutputRole => outputRoles.has(word);

const infix: readonly (readonly [sign: string, op: SizeOp, binding: number])[] = [
  ['+', 'add', 1],
  ['-', 'sub', 1],
  ['*', 'mul', 2],
  ['/', 'div', 2],
  ['%', 'mod', 2],
  ['**', 'pow', 3],
];
const functions: Readonly<Record<string, SizeOp>> = {
  min: 'min', max: 'max', floor: 'floor', ceil: 'ceil', abs: 'abs', sign: 'sign', sqrt: 'sqrt', exp: 'exp', log: 'log', sin: 'sin', cos: 'cos', tanh: 'tanh',
}; // prettier-ignore

const axisPattern = /^[A-Za-z_][A-Za-z0-9_]*'*(#\d+)?/;

export class GraphText {
  readonly number: number;
  #rest: string;

  constructor(text: string, number: number) {
    this.#rest = text;
    this.number = number;
  }

  #read(pattern: RegExp, what: string): string {
    this.#rest = this.#rest.trimStart();
    const match = pattern.exec(this.#rest);
    if (match === null) throw textError(this.number, `${what} is wanted before \`${this.#rest}\``);
    this.#rest = this.#rest.slice(match[0].length);
    return match[0];
  }

  /** Whether all that is left looks so. */
  ahead(pattern: RegExp): boolean {
    return pattern.test(this.#rest.trim());
  }

  end(): void {
    if (this.#rest.trim() !== '') throw textError(this.number, `too much: \`${this.#rest.trim()}\``);
  }

  /** Goes over a word or sign if it is next. A word is whole: `in` is not the beginning of `input`. */
  skip(token: string): boolean {
    const rest = this.#rest.trimStart();
    if (!rest.startsWith(token)) return false;
    const next = rest[token.length] ?? '';
    if (/\w$/.test(token) && /\w/.test(next)) return false;
    this.#rest = rest.slice(token.length);
    return true;
  }

  take(token: string): void {
    if (!this.skip(token)) throw textError(this.number, `\`${token}\` is wanted before \`${this.#rest}\``);
  }

  word(): string {
    return this.#read(/^[A-Za-z_]\w*/, 'a word');
  }

  /** A name of the host: `x`, `gate.w1`. */
  path(): string {
    return this.#read(/^[^\s=]+/, 'a name');
  }

  node(): NodeId {
    return idOf(Number(this.#read(/^%\d+/, 'a node').slice(1)));
  }

  nodes(): readonly NodeId[] {
    const found: NodeId[] = [];
    while (this.ahead(/^%\d/)) found.push(this.node());
    return found;
  }

  integer(): number {
    return Number(this.#read(/^\d+/, 'a whole number'));
  }

  float(): number {
    return Number(this.#read(/^-?(\d+(\.\d+)?(e[+-]?\d+)?|Infinity)/, 'a number'));
  }

  string(): string {
    const text: unknown = JSON.parse(this.#read(/^"(?:[^"\\]|\\.)*"/, 'a string'));
    return typeof text === 'string' ? text : '';
  }

  axis(): string {
    return this.#read(axisPattern, 'an axis');
  }

  /** `T`, `(T, E)`, `()` */
  axisList(): readonly string[] {
    if (!this.skip('(')) return [this.axis()];
    if (this.skip(')')) return [];
    return this.#axesUntil(')');
  }

  /** `[T, E]` */
  bracketed(): readonly string[] {
    this.take('[');
    return this.skip(']') ? [] : this.#axesUntil(']');
  }

  /** `[T, B -> E]`; there may be nothing before the arrow. */
  arrow(): readonly (readonly string[])[] {
    this.take('[');
    const sources = this.skip('->') ? [] : this.#axesUntil('->');
    return [sources, this.skip(']') ? [] : this.#axesUntil(']')];
  }

  #axesUntil(end: string): readonly string[] {
    const found = [this.axis()];
    while (this.skip(',')) found.push(this.axis());
    this.take(end);
    return found;
  }

  /** A formula as `formatSize` writes it. Nothing is simplified: it prints as it was. */
  size(binding = 1): Size {
    let left = this.#operand();
    for (;;) {
      const next = this.#sign(binding);
      if (next === null) return left;
      const [, op, tight] = next;
      const right = this.size(op === 'pow' ? tight : tight + 1);
      left = { kind: 'op', op, args: [left, right] };
    }
  }

  #sign(binding: number): (typeof infix)[number] | null {
    const rest = this.#rest.trimStart();
    // `**` before `*`; an arrow is no minus.
    const found = infix.toReversed().find(([sign]) => rest.startsWith(`${sign} `));
    if (found === undefined || found[2] < binding) return null;
    this.#rest = rest.slice(found[0].length);
    return found;
  }

  #operand(): Size {
    if (this.skip('(')) {
      const inner = this.size();
      this.take(')');
      return inner;
    }
    if (this.ahead(/^-?\d/)) {
      const text = this.#read(/^-?\d+(\/\d+|(\.\d+)?(e[+-]?\d+)?)/, 'a number');
      if (/[.e]/.test(text)) return { kind: 'real', value: Number(text) };
      const [numerator = '0', denominator = '1'] = text.split('/');
      return exact(BigInt(numerator), BigInt(denominator));
    }
    const name = this.axis();
    const op = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (op === undefined || !this.skip('(')) return { kind: 'dynamic', axis: name };
    const args = [this.size()];
    while (this.skip(',')) args.push(this.size());
    this.take(')');
    return { kind: 'op', op, args };
  }
}

/** The line without what matches at its end, and what that says. */
export function cut<X>(line: string, end: RegExp, read: (match: RegExpExecArray) => X): readonly [string, X | null] {
  const match = end.exec(line);
  return match === null ? [line, null] : [line.slice(0, match.index), read(match)];
}

/** The place that a line ends with. */
export const spanOf = (source = '', start = '0', end = '0'): Span => ({
  source,
  start: Number(start),
  end: Number(end),
});

/** The reason of a domain's being dense. */
export function reasonOf(word: string | undefined, number: number): DenseReason {
  if (word === 'a' || word === 'b' || word === 'c') return word;
  throw textError(number, 'no such reason');
}
