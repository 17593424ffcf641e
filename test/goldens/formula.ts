/**
 * Formulas of golden.json: how a value of a model follows from the `config` of a case.
 *
 *     "shared_experts": "n_shared_experts ?? 0"      "M": "E / ng"      "progressive": "psr != null"
 *
 * Numbers, 'strings', true, false, null; keys of the config (`psr.t` reads an entry, null of null); calls of the
 * functions given; `+ - * / %`, comparisons, `??` (the right side if the left is null) and parentheses. A key that a
 * config does not have is null, and arithmetic on null is null: what a case leaves open stays the model's default.
 */

export type Value = number | boolean | string | null;

/** What a formula may read: keys (nested entries joined by points) and functions. */
export interface Scope {
  key(path: string): Value;
  call(name: string, args: readonly Value[]): Value;
}

/** A golden.json or a case that does not make sense: a mistake of whoever wrote it, told in one line. */
export class GoldenError extends Error {}

const TOKEN = /\s*(?:(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|([A-Za-z_][\w.]*)|'([^']*)'|(\?\?|[=!<>]=|[-+*/%<>(),]))/y;

type Token =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'name' | 'string' | 'mark'; readonly text: string };

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim() !== '') {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new GoldenError(`the formula ${text} cannot be read from '${text.slice(start)}' on`);
    const [, number, name, string, mark] = match;
    if (number !== undefined) tokens.push({ kind: 'number', value: Number(number) });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (string !== undefined) tokens.push({ kind: 'string', text: string });
    else tokens.push({ kind: 'mark', text: mark ?? '' });
  }
  return tokens;
}

/** Binary operators by level, loosest first; all associate to the left. */
const LEVELS: readonly (readonly string[])[] = [
  ['??'],
  ['==', '!=', '<', '<=', '>', '>='],
  ['+', '-'],
  ['*', '/', '%'],
];

/** Value of a formula. Throws GoldenError for one that cannot be read. */
export function evaluate(text: string, scope: Scope): Value {
  const tokens = tokenize(text);
  let at = 0;
  const isMark = (mark: string): boolean => {
    const token = tokens[at];
    return token !== undefined && token.kind === 'mark' && token.text === mark;
  };
  const wrong = (): GoldenError => new GoldenError(`the formula ${text} is not complete or has a part too many`);
  const expect = (mark: string): void => {
    if (!isMark(mark)) throw wrong();
    at++;
  };

  const level = (n: number): Value => {
    const operators = LEVELS[n];
    if (operators === undefined) return unary();
    let left = level(n + 1);
    for (;;) {
      const operator = operators.find(isMark);
      if (operator === undefined) return left;
      at++;
      left = apply(operator, left, level(n + 1), text);
    }
  };
  const unary = (): Value => {
    if (!isMark('-')) return primary();
    at++;
    return apply('-', 0, unary(), text);
  };
  const primary = (): Value => {
    if (isMark('(')) {
      at++;
      const value = level(0);
      expect(')');
      return value;
    }
    const token = tokens[at++];
    if (token === undefined || token.kind === 'mark') throw wrong();
    if (token.kind === 'number') return token.value;
    if (token.kind === 'string') return token.text;
    if (isMark('(')) return call(token.text);
    if (token.text === 'true' || token.text === 'false') return token.text === 'true';
    return token.text === 'null' ? null : scope.key(token.text);
  };
  const call = (name: string): Value => {
    expect('(');
    const args: Value[] = [];
    while (!isMark(')')) {
      if (args.length > 0) expect(',');
      args.push(level(0));
    }
    expect(')');
    return scope.call(name, args);
  };

  const value = level(0);
  if (at !== tokens.length) throw wrong();
  return value;
}

function apply(operator: string, a: Value, b: Value, text: string): Value {
  if (operator === '??') return a ?? b;
  if (operator === '==') return a === b;
  if (operator === '!=') return a !== b;
  if (a === null || b === null) return null;
  if (typeof a !== 'number' || typeof b !== 'number')
    throw new GoldenError(`the formula ${text} calculates with more than numbers`);
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return a - b * Math.floor(a / b);
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    default:
      throw new GoldenError(`the formula ${text} has the operator ${operator}, which is not known`);
  }
}

/** Config keys a formula reads, with the whole path of an entry: `psr.t`. */
export function keysOf(text: string): readonly string[] {
  const tokens = tokenize(text);
  return tokens.flatMap((token, i) => {
    const next = tokens[i + 1];
    const isCall = next !== undefined && next.kind === 'mark' && next.text === '(';
    return token.kind === 'name' && !isCall && !['true', 'false', 'null'].includes(token.text) ? [token.text] : [];
  });
}
