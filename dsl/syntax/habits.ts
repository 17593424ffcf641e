/**
 * Forms of other languages that the grammar does not have, and the form of this language for each: what an author who comes from
 * PyTorch, JAX or C writes first. The parser has stopped at a token; its neighbours tell which habit it was.
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

/** The advice for the habit that the tokens around a place show, if they show one. */
export function habitHelp(stopped: Stopped): string | undefined {
  const { tokens, at, text } = stopped;
  const found = tokens[at];
  const before = tokens[at - 1];
  if (found === undefined || found.tokenType === EOF) return undefined;
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
  const slice = sliceHelp(tokens, at);
  if (slice !== undefined) return slice;
  if (before !== undefined && found.image === '*' && opensList(before)) {
    return 'arguments are written out one by one';
  }
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
  const operand = tokens[opener + 1];
  const known = operand === undefined ? undefined : axesWritten(tokens, operand.image, at);
  const minus = tokens[at + 1]?.image === '-';
  const number = Number(tokens[at + (minus ? 2 : 1)]?.image);
  const place = Number.isInteger(number) ? (minus ? (known?.length ?? 0) - number : number) : -1;
  const axis = known?.[place] ?? known?.at(-1) ?? declaredAxes(tokens)[0] ?? 'E';
  return `an argument is named with a colon, and an axis has a name: \`over: ${axis}\``;
}

/** `x[:, 0]`, `x[0:2]`, `x[..., 0]`: an index names its axis. */
function sliceHelp(tokens: readonly IToken[], at: number): string | undefined {
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
  const fromEnd = parts[0]?.[0]?.image === '..';
  const indices = parts.flatMap((part, i) => {
    const axis = (fromEnd ? axes[axes.length - parts.length + i] : axes[i]) ?? axes.at(-1) ?? 'T';
    const colon = part.findIndex((token) => token.image === ':');
    const written = (list: readonly IToken[]): string => list.map((token) => token.image).join('');
    if (part.length === 0 || part[0]?.image === '..' || (colon === 0 && part.length === 1)) return [];
    if (colon < 0) return [`${axis}: ${written(part)}`];
    const from = written(part.slice(0, colon)) || '0';
    const to = written(part.slice(colon + 1)) || axis;
    return [`${axis}: ${from} .. ${to} as ${axis}'`];
  });
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
    if (tokens[i]?.image !== name || tokens[i + 1]?.image !== ':') continue;
    const bracket = tokens[i + 2]?.image === '[' ? i + 2 : tokens[i + 3]?.image === '[' ? i + 3 : -1;
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
