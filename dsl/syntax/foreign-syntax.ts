/**
 * Forms of other languages that the grammar does not have, and the form of this language for each: what an author who comes from
 * PyTorch, JAX or C writes first. The parser has stopped at a token; its neighbours tell which idiom it was.
 *
 * Advice speaks of the program's own axes where the text shows them: the axes written for a name before this place.
 */
import { EOF, type IToken } from 'chevrotain';

/** Words of other languages, and what to do here instead. */
export const foreignWords: ReadonlyMap<string, string> = new Map([
  ['return', 'the last expression of a body is its result: leave out `return`'],
  ['var', 'names are given with `let`'],
  ['mut', 'nothing is mutable: give the new value a name with `let`'],
  [
    'for',
    'operations act at every point of an axis, and experts are chosen by a route, `r @ ffn(x)`; what repeats is a chain: `chain i in AXIS carrying h = x { … }`',
  ],
  ['while', 'what repeats is a chain: `chain i in AXIS carrying h = x { … }`'],
  ['def', 'functions are declared with `fn`'],
  ['function', 'functions are declared with `fn`'],
  ['func', 'functions are declared with `fn`'],
  ['lambda', 'functions are declared with `fn`, with a name'],
  ['class', 'a unit is a `model`'],
  ['module', 'a unit is a `model`'],
  ['elif', 'write `else if`'],
  ['with', 'nothing is opened or closed: leave out `with`'],
  ['assert', 'what a run must satisfy is stated with `require`'],
  ['True', 'write `true`'],
  ['False', 'write `false`'],
  ['self', 'declarations have no owner: leave out `self`'],
  ['null', 'there is no missing value: leave out the argument, or write two functions'],
  ['None', 'there is no missing value: leave out the argument, or write two functions'],
]);

/** Names that other libraries give the axes of an operation. */
const axisArguments: ReadonlySet<string> = new Set(['dim', 'dims', 'axis', 'axes']);

/** Where the parser stopped: the token it found, among all tokens of the file. */
export interface Stopped {
  readonly text: string;
  readonly tokens: readonly IToken[];
  /** Index of the token found; the number of tokens at the end. */
  readonly at: number;
}

/** The advice for the foreign idiom that the tokens around a place show, if they show one. */
export function foreignSyntaxHelp(stopped: Stopped): string | undefined {
  const { tokens, at, text } = stopped;
  const found = tokens[at];
  const before = tokens[at - 1];
  if (found === undefined || found.tokenType === EOF) return undefined;
  const two = twoTokens(tokens, at);
  if (two !== undefined) return two;
  if (found.image === '=') {
    const argument = argumentHelp(tokens, at);
    if (argument !== undefined) return argument;
    const target = assigned(tokens, at);
    if (target !== undefined) return target;
  }
  if (found.image === 'else') {
    const condition = conditionBefore(text, tokens, at);
    if (condition !== undefined)
      return `an \`if\` stands in front: \`if ${condition} { … } else { … }\` for what is known when compiling, \`where(${condition}, …, …)\` for data`;
  }
  if (before !== undefined && /^\*\*?$/.test(found.image) && opensList(before)) {
    return 'arguments are written out one by one';
  }
  const opener = openerOf(tokens, at);
  if (/^(?:[<>]=?|[!=]=)$/.test(found.image) && opener !== undefined && tokens[opener]?.image === '[')
    return 'what a condition chooses by data: `where(c, x, 0)`, or of a route `keep(r, c)`; an index names points';
  // `over: [T, D]`
  if (found.image === '[' && before?.image === ':' && tokens[at - 2]?.image === 'over')
    return 'several axes stand in parentheses: `over: (T, D)`';
  if (found.image === '[' && before !== undefined && (opensList(before) || before.image === '=')) {
    return 'there are no lists of values: the points of an axis are the list, and `concat(a, b, (A, B): C)` joins two values along an axis';
  }
  return undefined;
}

/** Whether the line declares experts by names after `=`: `experts mix[U] = ffn + copy`. */
function isUnion(tokens: readonly IToken[], at: number): boolean {
  const line = tokens.slice(0, at).filter((token) => token.startLine === tokens[at]?.startLine);
  const equals = line.findIndex((token) => token.image === '=');
  return line[0]?.image === 'experts' && equals > 0 && line.slice(equals + 1).every(isName);
}

/** What two tokens show: the one found, and the one before or after it. */
function twoTokens(tokens: readonly IToken[], at: number): string | undefined {
  const [first, before, found, after] = [at - 2, at - 1, at, at + 1].map((i) => tokens[i]);
  if (found === undefined || before === undefined) return undefined;
  if (/^[+,]$/.test(found.image) && isUnion(tokens, at))
    return `the members of a union stand between \`|\`: \`${before.image} | …\``;
  const inLet = first?.image === 'let' && isName(before);
  if (inLet && found.image === '==') return `a name is given with one \`=\`: \`let ${before.image} = …\``;
  if (inLet && found.image === ',')
    return `names that take a tuple apart stand in parentheses: \`let (${before.image}, …) = …\``;
  if (found.image === ':' && after?.image === '=' && isName(before))
    return `names are given with \`let\`: \`let ${before.image} = …\``;
  if (found.image === '=' && before.image === ']')
    return 'nothing is assigned: a new value is chosen, as in `where(iota(T) == 0, …, x)`';
  if (/^[+-]$/.test(found.image) && before.image === found.image && first !== undefined && isName(first))
    return `nothing is assigned twice: \`let ${first.image} = ${first.image} ${found.image} 1\``;
  return undefined;
}

/** `y += x` and `y = x`. */
function assigned(tokens: readonly IToken[], at: number): string | undefined {
  const before = tokens[at - 1];
  if (before === undefined) return undefined;
  if (isName(before)) return `names are given with \`let\`: \`let ${before.image} = …\``;
  const name = tokens[at - 2];
  const joined = before.startOffset + before.image.length === tokens[at]?.startOffset;
  if (joined && name !== undefined && isName(name) && /^(?:[+\-*/%@]|\*\*)$/.test(before.image)) {
    return `nothing is assigned twice: give the new value the name, \`let ${name.image} = ${name.image} ${before.image} …\``;
  }
  return undefined;
}

/** `softmax(x, dim=-1)`: an argument has a colon, and names an axis. */
export function argumentHelp(tokens: readonly IToken[], at: number): string | undefined {
  const name = tokens[at - 1];
  const opener = openerOf(tokens, at);
  if (name === undefined || opener === undefined || tokens[opener]?.image !== '(') return undefined;
  if (!isName(name) && name.image !== 'axis') return undefined;
  if (!axisArguments.has(name.image)) return `an argument is named with a colon: \`${name.image}: …\``;
  const called = tokens[opener - 1]?.image ?? '';
  if (/^(?:cat|concat|concatenate|stack)$/.test(called))
    return '`concat(a, b, (A, B): C)` joins two values along an axis';
  // Of a method the tensor stands before the point.
  const method = tokens[opener - 2]?.image === '.' ? tokens[opener - 3] : undefined;
  const operand = [method, tokens[opener + 1]].find((token) => token !== undefined && axesWritten(tokens, token.image, at)); // prettier-ignore
  const known = operand === undefined ? undefined : axesWritten(tokens, operand.image, at);
  const minus = tokens[at + 1]?.image === '-';
  const number = Number(tokens[at + (minus ? 2 : 1)]?.image);
  const index = Number.isInteger(number) ? (minus ? (known?.length ?? 0) - number : number) : -1;
  const axis = known?.[index] ?? known?.at(-1);
  if (axis === undefined) return 'an argument is named with a colon, and an axis has a name: `over: …` and the axis';
  return `an argument is named with a colon, and an axis has a name: \`over: ${axis}\``;
}

/** `x[:, 0]`, `x[0:2]`, `x[..., 0]`: an index names its axis. */
export function sliceHelp(tokens: readonly IToken[], at: number): string | undefined {
  const found = tokens[at];
  const opener = openerOf(tokens, at);
  if (found === undefined || opener === undefined || tokens[opener]?.image !== '[') return undefined;
  if (found.image !== ':' && found.image !== '..' && found.image !== ',' && found.image !== ']') return undefined;
  const target = tokens[opener - 1];
  if (target === undefined || !isName(target)) return undefined;
  return indexAdvice(tokens, opener);
}

/** The advice for the brackets that open at `opener`, after the name of a value: its index with the axes named. */
export function indexAdvice(tokens: readonly IToken[], opener: number): string {
  const target = tokens[opener - 1]?.image ?? 'x';
  const known = axesWritten(tokens, target, opener);
  const parts: IToken[][] = [[]];
  let depth = 0;
  for (const token of tokens.slice(opener + 1)) {
    if (/^[([{]$/.test(token.image)) depth++;
    if (/^[)\]}]$/.test(token.image) && depth-- === 0) break;
    if (token.image === ',' && depth === 0) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  const axes = known ?? declaredAxes(tokens);
  const written = parts.map((part) => part[0]?.image);
  const fromEnd = parts[0]?.[0]?.image === '..';
  const indices = parts.flatMap((part, i) => {
    // `x[T: 1:3]` has its axis, `x[None, :]` makes one that nobody needs.
    const named = part[1]?.image === ':' && part.length > 2 && axes.includes(part[0]?.image ?? '');
    if (named) part.splice(0, 2);
    if (part.length === 1 && /^(?:None|newaxis)$/.test(part[0]?.image ?? '')) return [];
    const positional = (fromEnd ? axes[axes.length - parts.length + i] : axes[i]) ?? axes.at(-1) ?? 'T';
    const axis = named ? (written[i] ?? positional) : positional;
    const colon = part.findIndex((token) => token.image === ':');
    const text = (list: readonly IToken[]): string => list.map((token) => token.image).join('');
    if (part.length === 0 || part[0]?.image === '..' || (colon === 0 && part.length === 1)) return [];
    if (colon < 0) return [`${axis}: ${text(part)}`];
    const from = text(part.slice(0, colon)) || '0';
    const to = text(part.slice(colon + 1)) || axis;
    return [`${axis}: ${from} .. ${to} as ${axis}'`];
  });
  const missing = parts.some((part) => part.some((token) => /^(?:None|newaxis)$/.test(token.image)));
  if (missing && indices.length === 0) return `axes meet by name: nothing is inserted, write \`${target}\``;
  const [first = `${axes[0] ?? 'T'}: 0`, ...others] = indices;
  return `an index names its axis, and axes that are left alone are left out: \`${target}[${[first, ...others].join(', ')}]\`${
    indices.some((text) => text.includes('..')) ? '; a range names the axis it makes' : ''
  }`;
}

/** The condition between the nearest `if` before and the `else` found, if no brace stands between. */
function conditionBefore(text: string, tokens: readonly IToken[], at: number): string | undefined {
  for (let i = at - 1; i >= 0; i--) {
    const token = tokens[i];
    if (token === undefined || /^[{}]$/.test(token.image)) return undefined;
    if (token.image !== 'if') continue;
    const first = tokens[i + 1];
    const last = tokens[at - 1];
    if (first === undefined || last === undefined || i + 1 > at - 1) return undefined;
    return text.slice(first.startOffset, last.startOffset + last.image.length);
  }
  return undefined;
}

/** The innermost bracket that is open before a token. */
function openerOf(tokens: readonly IToken[], at: number): number | undefined {
  let depth = 0;
  for (let i = at - 1; i >= 0; i--) {
    const image = tokens[i]?.image ?? '';
    if (/^[)\]}]$/.test(image)) depth++;
    if (/^[([{]$/.test(image) && depth-- === 0) return i;
  }
  return undefined;
}

/** The axes in the last type written for a name before a place: of `x: [T, D]` or `ids: i32[T]`. */
export function axesWritten(tokens: readonly IToken[], name: string, before: number): readonly string[] | undefined {
  for (let i = Math.min(before, tokens.length) - 1; i >= 0; i--) {
    const family = /^(?:experts|router|fn)$/.test(tokens[i - 1]?.image ?? '') && tokens[i + 1]?.image === '[';
    if (tokens[i]?.image !== name || (tokens[i + 1]?.image !== ':' && !family)) continue;
    const bracket = family ? i + 1 : tokens[i + 2]?.image === '[' ? i + 2 : tokens[i + 3]?.image === '[' ? i + 3 : -1;
    if (bracket < 0) continue;
    const axes: string[] = [];
    for (let k = bracket + 1; k < tokens.length && tokens[k]?.image !== ']'; k++) {
      const token = tokens[k];
      if (token !== undefined && isName(token)) axes.push(token.image);
    }
    return axes;
  }
  return undefined;
}

/** The axes that the file declares, in order. */
function declaredAxes(tokens: readonly IToken[]): readonly string[] {
  const names: string[] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (tokens[i]?.image !== 'axis') continue;
    let depth = 0;
    let expects = true;
    for (let k = i + 1; k < tokens.length; k++) {
      const token = tokens[k];
      if (token === undefined) break;
      if (/^[([{]$/.test(token.image)) depth++;
      if (/^[)\]}]$/.test(token.image) && depth-- === 0) break;
      if (depth === 0 && expects && isName(token)) names.push(token.image);
      else if (depth === 0 && token.startLine !== tokens[k - 1]?.startLine && tokens[k - 1]?.image !== ',') break;
      expects = token.image === ',' && depth === 0;
    }
  }
  return names;
}

const opensList = (token: IToken): boolean => token.image === '(' || token.image === ',';
const isName = (token: IToken): boolean => token.tokenType.name === 'Name';
