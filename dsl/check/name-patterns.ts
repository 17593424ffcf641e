/**
 * Checkpoint names with holes: `"layers.{L}.experts.{G * per + M}.{param}.weight"`.
 *
 * In braces stands an integer expression of axes and constants, where an axis (or the index a family gives it) is the position
 * along it; an axis of named points alone is the point's name; `{(G, M)}` counts a group row-major; a constant that is a string
 * is put in as it is; `{all E}` leaves nothing: one tensor for every point of E; `{param}` is the name of the param.
 */
import type * as ast from '../syntax/ast.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import { hasAxis, uniteAxes } from '../types/axes.ts';
import { nameHelp, type Context } from './context.ts';
import { mentionsOfStatic } from './mentions.ts';
import type { AxisVar, NameHole, NamePattern, Static, StaticOp } from '../types/program.ts';
import type { NameScope } from './name-scope.ts';
import { formatAxes } from './types.ts';

/** What names in braces may be. */
export interface PatternNames {
  readonly scope: NameScope;
  /** Axes of the tensors that are named: of the families around, of the instance, and declared. */
  readonly axes: readonly AxisVar[];
  /** What the tensors belong to, for messages. */
  readonly what: string;
  /** `{param}` is allowed. */
  readonly param: boolean;
}

interface Token {
  readonly text: string;
  readonly kind: 'name' | 'number' | 'sign';
  readonly start: number;
}

/** Deeper parentheses in braces are refused: the parser's limit does not see into strings. */
const deepest = 32;

/** Reads a pattern; null after a diagnostic. */
export function checkPattern(cx: Context, literal: ast.StringLiteral, names: PatternNames): NamePattern | null {
  const texts: string[] = [];
  const holes: NameHole[] = [];
  const spanOf = (start: number, end: number): Span => ({
    source: literal.span.source,
    start: Math.min(literal.span.start + 1 + start, literal.span.end),
    end: Math.min(literal.span.start + 1 + end, literal.span.end),
  });
  const { value } = literal;
  let text = '';
  for (let i = 0; i < value.length; i++) {
    const c = value[i] ?? '';
    if (c === '}') {
      cx.report('MOE0680', spanOf(i, i + 1), { message: 'this brace closes nothing' });
      return null;
    }
    if (c !== '{') {
      text += c;
      continue;
    }
    const end = value.indexOf('}', i);
    if (end < 0) {
      cx.report('MOE0680', spanOf(i, i + 1), { message: 'this brace is not closed' });
      return null;
    }
    const hole = new HoleReader(cx, names, value.slice(i + 1, end), (from, to) =>
      spanOf(i + 1 + from, i + 1 + to),
    ).read();
    if (hole === null) return null;
    texts.push(text);
    holes.push(hole);
    text = '';
    i = end;
  }
  return { texts: [...texts, text], holes };
}

class HoleReader {
  readonly #cx: Context;
  readonly #names: PatternNames;
  readonly #tokens: readonly Token[];
  readonly #span: (from: number, to: number) => Span;
  readonly #length: number;
  readonly #used: AxisVar[] = [];
  #position = 0;
  #depth = 0;
  #failed = false;

  constructor(cx: Context, names: PatternNames, text: string, span: (from: number, to: number) => Span) {
    this.#cx = cx;
    this.#names = names;
    this.#span = span;
    this.#length = text.length;
    this.#tokens = [...text.matchAll(/([A-Za-z_]\w*'*)|(\d+)|(\S)/g)].map((m) => ({
      text: m[0],
      kind: m[1] !== undefined ? 'name' : m[2] !== undefined ? 'number' : 'sign',
      start: m.index,
    }));
  }

  read(): NameHole | null {
    const [first] = this.#tokens;
    if (first?.text === 'param' && this.#tokens.length === 1) {
      if (this.#names.param) return { kind: 'param' };
      return this.#fail(first, 'MOE0680', '{param} stands in the pattern of an instance, here the name is known');
    }
    if (first?.text === 'all') return this.#shared();
    const group = this.#group(0);
    if (this.#failed) return null;
    if (group !== null) return { kind: 'group', axes: group };
    const value = this.#sum();
    if (value === null) return null;
    const rest = this.#tokens[this.#position];
    if (rest !== undefined) return this.#fail(rest, 'MOE0680', `${rest.text} was not expected here`);
    if (value.kind === 'size' && this.#cx.axisOf(value.axis).of.kind === 'points')
      return { kind: 'point_name', axis: value.axis };
    // A constant may have another value at each point of a family around: the name then runs over that axis too.
    const hidden = [...mentionsOfStatic(this.#cx, value)].flatMap((index) => {
      const axis = this.#cx.steps.has(index) ? undefined : this.#cx.indices.get(index);
      return axis === undefined ? [] : [axis];
    });
    const axes = uniteAxes(this.#used, value.kind === 'size' ? [] : hidden);
    return value.type === 'string' ? { kind: 'text', value, axes } : { kind: 'position', value, axes };
  }

  /** `all E`, `all (G, M)`: axes that the stored tensor does not have and its name does not show. */
  #shared(): NameHole | null {
    const name = this.#tokens[1];
    if (name?.kind === 'name' && this.#tokens.length === 2) {
      const value = this.#name(name);
      if (value === null) return null;
      return value.kind === 'size'
        ? { kind: 'all', axes: [value.axis] }
        : this.#fail(name, 'MOE0680', `one tensor is read for all points of an axis, ${name.text} is none`);
    }
    const group = this.#group(1);
    if (group !== null) return { kind: 'all', axes: group };
    return this.#fail(this.#tokens[0], 'MOE0680', 'one tensor for every point of an axis is written {all E}');
  }

  /** `(G, M)`, from a token on: two axes or more. */
  #group(at: number): readonly AxisVar[] | null {
    if (this.#tokens[at]?.text !== '(' || this.#tokens[at + 2]?.text !== ',') return null;
    const axes: AxisVar[] = [];
    for (let i = at + 1; i < this.#tokens.length; i += 2) {
      const name = this.#tokens[i];
      const after = this.#tokens[i + 1];
      const value = name?.kind === 'name' ? this.#name(name) : null;
      if (value === null) {
        if (!this.#failed) this.#fail(name, 'MOE0680', 'the name of an axis is wanted here');
        return null;
      }
      if (value.kind !== 'size') {
        this.#fail(name, 'MOE0680', 'only axes are counted as a group');
        return null;
      }
      axes.push(value.axis);
      if (after?.text === ')' && i + 2 === this.#tokens.length) return axes;
      if (after?.text !== ',') break;
    }
    this.#fail(this.#tokens.at(-1), 'MOE0680', 'a group of axes is written (G, M)');
    return null;
  }

  #sum(): Static | null {
    return this.#chain(['+', '-'], () => this.#chain(['*', '/', '%'], () => this.#factor()));
  }

  #chain(signs: readonly string[], next: () => Static | null): Static | null {
    const first = this.#tokens[this.#position];
    let left = next();
    for (
      let sign = this.#tokens[this.#position];
      left !== null && sign !== undefined && signs.includes(sign.text);
      sign = this.#tokens[this.#position]
    ) {
      this.#position++;
      const right = next();
      if (right === null) return null;
      const op = operations[sign.text];
      if (op === undefined) return null;
      const last = this.#tokens[this.#position - 1];
      if (first === undefined || last === undefined) throw new CompilerBug('check', 'an expression without tokens');
      const span = this.#span(first.start, last.start + last.text.length);
      left = { kind: 'op', op, args: [left, right], type: 'number', span };
    }
    return left;
  }

  #factor(): Static | null {
    const token = this.#tokens[this.#position++];
    if (token === undefined) return this.#fail(undefined, 'MOE0680', 'an axis or a number is wanted here');
    const span = this.#span(token.start, token.start + token.text.length);
    if (token.kind === 'number')
      return { kind: 'number', type: 'number', numerator: BigInt(token.text), denominator: 1n, span };
    if (token.kind === 'name') return this.#name(token);
    if (token.text === '(' && this.#depth < deepest) {
      this.#depth++;
      const inner = this.#sum();
      this.#depth--;
      if (inner === null) return null;
      const close = this.#tokens[this.#position++];
      return close?.text === ')' ? inner : this.#fail(close, 'MOE0680', 'this parenthesis is not closed');
    }
    return this.#fail(token, 'MOE0680', `${token.text} was not expected here`);
  }

  #name(token: Token): Static | null {
    const span = this.#span(token.start, token.start + token.text.length);
    const axis = this.#names.axes.find((a) => this.#cx.nameOf(a) === token.text);
    if (axis !== undefined) {
      if (!hasAxis(this.#used, axis)) this.#used.push(axis);
      return { kind: 'size', axis, type: 'number', span };
    }
    const entity = this.#names.scope.lookup(token.text)?.binding.entity;
    // The index of a family is its members' own point, as its axis is; of a chain it is told where the variable is declared.
    if (entity?.kind === 'index') {
      if (this.#cx.steps.has(entity.index)) return { kind: 'index', index: entity.index, type: 'number', span };
      if (!hasAxis(this.#used, entity.axis)) this.#used.push(entity.axis);
      return { kind: 'size', axis: entity.axis, type: 'number', span };
    }
    const value: Static | null =
      entity?.kind === 'const'
        ? { kind: 'const', decl: entity.decl, type: entity.type, span }
        : entity?.kind === 'static'
          ? entity.value
          : null;
    if (value !== null) return this.#spelt(value, token);
    if (entity?.kind === 'error' || entity?.kind === 'pending') {
      this.#failed = true;
      return null;
    }
    const axes = this.#names.axes.map(this.#cx.nameOf);
    const has = axes.length === 0 ? 'has no axes' : `has ${formatAxes(this.#names.axes, this.#cx.nameOf)}`;
    this.#failed = true;
    this.#cx.report('MOE0681', span, {
      message: `${token.text} is no axis of ${this.#names.what}, which ${has}, and no constant in sight`,
      ...nameHelp(token.text, span, [...axes, ...this.#names.scope.visibleNames((e) => e.kind === 'const')]),
    });
    return null;
  }

  /** A constant as a part of a name: a number of an expression, a string alone. */
  #spelt(value: Static, token: Token): Static | null {
    if (value.type === 'bool')
      return this.#fail(token, 'MOE0680', `${token.text} is a bool: names are made of strings and whole numbers`);
    if (value.type === 'string' && this.#tokens.length > 1)
      return this.#fail(token, 'MOE0680', `${token.text} is a string, which stands in braces alone`);
    return value;
  }

  #fail(token: Token | undefined, code: 'MOE0680', message: string): null {
    const span =
      token === undefined ? this.#span(0, this.#length) : this.#span(token.start, token.start + token.text.length);
    if (!this.#failed)
      this.#cx.report(code, span, {
        message,
        help: 'braces hold a string constant alone, or axes, integers, constants, + - * / % and parentheses',
      });
    this.#failed = true;
    return null;
  }
}

const operations: Readonly<Record<string, StaticOp>> = { '+': 'add', '-': 'sub', '*': 'mul', '/': 'div', '%': 'mod' };
