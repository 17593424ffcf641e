/**
 * Keywords where a name is meant: `forward(input: [T, D])`, `let state = x`, `(output: x)`.
 *
 * Read as keywords they would begin a declaration, end every bracket around them and leave a trail of errors that say nothing of
 * the cause. So before brackets are matched, each such word is told once (MOE0105) and read as the name it was meant to be, here and
 * wherever else in the file it cannot be the keyword.
 */
import { createTokenInstance, type IToken } from 'chevrotain';
import { diagnostic, type Diagnostic } from '../diagnostics/diagnostic.ts';
import { argumentHelp } from './foreign-syntax.ts';
import * as t from './tokens.ts';

export interface Renamed {
  readonly tokens: readonly IToken[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Words after which a name stands. */
const beforeName: ReadonlySet<string> = new Set([
  'let',
  'axis',
  'const',
  'param',
  'state',
  'input',
  'update',
  'loss',
  'output',
  'fn',
  'expert',
  'experts',
  'router',
  'model',
  'chain',
  'carrying',
]);

/** Keywords that are also the beginning of a value or join two: beside an operator they are what they are. */
const inValues: ReadonlySet<string> = new Set(['true', 'false', 'if', 'else', 'not', 'and', 'or', 'chain']);

/** Before a value, a name or the label of one. */
const opens = /^(?:[([<,=:+\-*/%@]|\*\*|[=!<>]=|->|\|>)$/;
/** After a name, never after a keyword. */
const follows = /^(?:[)\],:=.}+\-*/%@>|[(<]|\*\*|[=!<>]=|->|\|>)$/;

export function nameReserved(sourceName: string, tokens: readonly IToken[]): Renamed {
  const meant = tokens.map((token, i) => isMeantAsName(token, tokens[i - 1], tokens[i + 1]));
  const words = new Map<string, IToken>();
  for (const [i, token] of tokens.entries()) {
    if (meant[i] === true && !words.has(token.image)) words.set(token.image, token);
  }
  if (words.size === 0) return { tokens, diagnostics: [] };
  const renamed = tokens.map((token, i) => {
    const again = words.has(token.image) && isKeyword(token) && isUsed(tokens[i + 1]);
    return meant[i] === true || again ? asName(token) : token;
  });
  const diagnostics = [...words.values()].map((token) =>
    diagnostic('MOE0105', {
      message: `\`${token.image}\` is a keyword and cannot be a name`,
      span: { source: sourceName, start: token.startOffset, end: token.startOffset + token.image.length },
      help: (token.image === 'axis' ? axisHelp(tokens, token) : undefined) ?? 'choose another name',
    }),
  );
  return { tokens: renamed, diagnostics };
}

/** `softmax(x, axis: -1)`. */
function axisHelp(tokens: readonly IToken[], token: IToken): string | undefined {
  const next = tokens.indexOf(token) + 1;
  return /^[:=]$/.test(tokens[next]?.image ?? '') ? argumentHelp(tokens, next) : undefined;
}

function isKeyword(token: IToken): boolean {
  return t.keywords.get(token.image) === token.tokenType;
}

/** `&` read as `and`: no word that anybody meant as a name. */
function isLookalike(token: IToken): boolean {
  return (token.endOffset ?? token.startOffset) - token.startOffset + 1 !== token.image.length;
}

function isMeantAsName(token: IToken, before: IToken | undefined, after: IToken | undefined): boolean {
  if (!isKeyword(token) || isLookalike(token) || before === undefined) return false;
  const ended = after === undefined || follows.test(after.image);
  if (isKeyword(before)) {
    if (!beforeName.has(before.image) || before.startLine !== token.startLine) return false;
    return ended || (before.image === 'chain' && after.image === 'in');
  }
  if (inValues.has(token.image) || !opens.test(before.image)) return false;
  // `let (a, b)` and `from "…"` go on as they do after a keyword.
  if (after?.image === '(') return false;
  return ended && after !== undefined;
}

/** Whether what follows a word shows that it is used as a value. */
function isUsed(after: IToken | undefined): boolean {
  return after === undefined || follows.test(after.image);
}

function asName(token: IToken): IToken {
  const { image, startOffset, endOffset, startLine, endLine, startColumn, endColumn } = token;
  return createTokenInstance(
    t.Name,
    image,
    startOffset,
    endOffset ?? startOffset,
    startLine ?? 0,
    endLine ?? 0,
    startColumn ?? 0,
    endColumn ?? 0,
  );
}
