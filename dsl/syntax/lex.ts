/**
 * Text to tokens, by hand: one pass, no backtracking, so time is linear in the text whatever the text is.
 *
 * Invariants
 * - Never fails: what has no meaning is reported and skipped, or read as what was probably meant, so that the parser
 *   sees the rest.
 * - Tokens do not overlap and come in order; `image` is the text, also of a number or string that has been reported.
 *   The exception is a lookalike (`&&`), which becomes the token that it looks like.
 * - Comments are kept beside the tokens: `docs` for the tree, all of them for the printer.
 */
import { createTokenInstance, type IToken, type TokenType } from 'chevrotain';
import { diagnostic, type Code, type Diagnostic, type DiagnosticDetails } from '../diagnostics/diagnostic.ts';
import * as characters from './characters.ts';
import { limits } from './text-limits.ts';
import { lineIndexAt, lineStarts, type SourceFile, type Span } from '../diagnostics/source-file.ts';
import { keywords, Name, NumberToken, StringToken, symbols } from './tokens.ts';

/** A comment as written, from its slashes to the last character that is not white space. */
export interface Comment {
  readonly kind: 'line' | 'doc';
  readonly text: string;
  readonly span: Span;
  /** Nothing but white space before it on its line. */
  readonly ownLine: boolean;
}

export interface Lexed {
  readonly tokens: readonly IToken[];
  readonly comments: readonly Comment[];
  /** The `///` block, without slashes, that stands directly before the token at this offset. */
  readonly docs: ReadonlyMap<number, string>;
  readonly diagnostics: readonly Diagnostic[];
}

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isNameStart = (code: number): boolean => (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95;
const isNamePart = (code: number): boolean => isNameStart(code) || isDigit(code);
const numberForm = /^\d+(\.\d+)?([eE][+-]?\d+)?$/;

/** Reads a whole text. Stops early only when there are more than `limits.tokens` tokens, with MOE0012. */
export function lex(source: SourceFile): Lexed {
  const { text } = source;
  const starts = lineStarts(text);
  const tokens: IToken[] = [];
  const comments: Comment[] = [];
  const docs = new Map<number, string>();
  const diagnostics: Diagnostic[] = [];
  let pendingDocs: string[] = [];
  let at = 0;

  const code = (offset: number): number => text.charCodeAt(offset); // NaN past the end: in no class
  const spanOf = (start: number, end: number): Span => ({ source: source.name, start, end });
  // Beyond this many, further ones could not change what is shown and would only take memory.
  const report = (codeName: Code, start: number, end: number, details: DiagnosticDetails = {}): void => {
    if (diagnostics.length <= 2 * limits.errors)
      diagnostics.push(diagnostic(codeName, { span: spanOf(start, end), ...details }));
  };

  const push = (type: TokenType, start: number, end: number): void => {
    const line = lineIndexAt(starts, start); // no token crosses a line
    const column = start - (starts[line] ?? 0) + 1;
    const image = text.slice(start, end);
    tokens.push(createTokenInstance(type, image, start, end - 1, line + 1, line + 1, column, column + end - start - 1));
    if (pendingDocs.length > 0) docs.set(start, pendingDocs.join('\n'));
    pendingDocs = [];
  };

  /** Warns about what cannot be seen inside a string or comment; NUL and half characters are refused even there. */
  const checkHidden = (start: number, end: number): void => {
    for (let i = start; i < end; i++) {
      const point = text.codePointAt(i) ?? 0;
      if (point >= 32 && point < 127) continue;
      const refused = point === 0 || characters.isLoneSurrogate(point);
      if (refused || characters.isInvisible(point)) {
        const name = characters.codePointName(point);
        report('MOE0008', i, i + 1, {
          message: refused ? `${name} is not allowed, not even here` : `the invisible character ${name} stands here`,
          severity: refused ? 'error' : 'warning',
        });
      }
      if (point > 0xffff) i++;
    }
  };

  const comment = (): void => {
    const start = at;
    while (at < text.length && code(at) !== 10 && code(at) !== 13) at++;
    const written = text.slice(start, at).trimEnd();
    checkHidden(start, start + written.length);
    const lineStart = starts[lineIndexAt(starts, start)] ?? 0;
    const ownLine = text.slice(lineStart, start).trim() === '';
    const kind = written.startsWith('///') && !written.startsWith('////') && ownLine ? 'doc' : 'line';
    comments.push({ kind, text: written, span: spanOf(start, start + written.length), ownLine });
    if (kind === 'doc') pendingDocs.push(written.slice(3).replace(/^ /, ''));
  };

  const string = (): void => {
    const start = at++;
    let escaped = false;
    while (at < text.length && code(at) !== 10 && code(at) !== 13 && (escaped || text[at] !== '"')) {
      if (escaped && !'"\\nt'.includes(text[at] ?? ''))
        report('MOE0004', at - 1, at + 1, {
          message: `the escape \`${text.slice(at - 1, at + 1)}\` is not known`,
          help: 'write one of \\" \\\\ \\n \\t',
        });
      escaped = !escaped && text[at] === '\\';
      at++;
    }
    if (text[at] === '"') at++;
    else
      report('MOE0003', start, start + 1, {
        help: 'a text ends with `"` on the line where it begins',
        fix: [{ span: spanOf(at, at), replacement: '"' }],
      });
    checkHidden(start, at);
    push(StringToken, start, at);
  };

  const word = (): void => {
    const start = at;
    let ascii = true;
    while (at < text.length) {
      const point = text.codePointAt(at) ?? 0;
      if (point < 128 ? !isNamePart(point) : !characters.isWordCharacter(String.fromCodePoint(point))) break;
      ascii &&= point < 128;
      at += point > 0xffff ? 2 : 1;
    }
    const name = text.slice(start, at);
    while (text[at] === "'") at++;
    const keyword = at - start === name.length ? keywords.get(name) : undefined;
    if (!ascii) {
      const meant = characters.asciiName(name);
      report('MOE0006', start, at, {
        message: `the name \`${name}\` has letters that are not ASCII`,
        help: meant === undefined ? undefined : `write \`${meant}\``,
        fix: meant === undefined ? undefined : [{ span: spanOf(start, start + name.length), replacement: meant }],
      });
    } else if (at - start > limits.nameLength)
      report('MOE0009', start, at, {
        message: `this name has ${at - start} characters; ${limits.nameLength} are the most`,
      });
    push(keyword ?? Name, start, at);
  };

  /** A run that begins with a digit and looks like a number in some language; only our own form passes. */
  const number = (): void => {
    const start = at;
    while (at < text.length) {
      const sign = (code(at + 1) === 43 || code(at + 1) === 45) && isDigit(code(at + 2));
      if ((text[at] === 'e' || text[at] === 'E') && sign && !/^0[xX]/.test(text.slice(start, start + 2))) at += 2;
      else if (isNamePart(code(at)) || (text[at] === '.' && isDigit(code(at + 1)))) at++;
      else break;
    }
    let end = at;
    // `1.` is not a number here, nor is it the start of a path or a range.
    if (text[at] === '.' && text[at + 1] !== '.' && !isNameStart(code(at + 1))) end = ++at;
    numberProblem(start, end);
    push(NumberToken, start, end);
  };

  const numberProblem = (start: number, end: number): void => {
    const written = text.slice(start, end);
    const value = Number(written);
    let help: string | undefined;
    let message = `\`${written.slice(0, 70)}\` is not a number`;
    let meant: string | undefined;
    if (written.length > limits.numberLength)
      message = `this number has ${written.length} characters; ${limits.numberLength} are the most`;
    else if (numberForm.test(written)) {
      // The bounds of float64 also bound the exact rationals that sizes and constants are.
      const zero = /^[0.]+([eE]|$)/.test(written);
      if (Number.isFinite(value) && (zero || value !== 0)) return;
      message = `\`${written}\` is beyond the range of a 64-bit float`;
    } else if (/^\.\d/.test(written)) meant = `0${written}`;
    else if (written.endsWith('.')) meant = `${written}0`;
    else if (/^\d[\d_]*\d$/.test(written)) meant = written.replaceAll('_', '');
    else if (/^0[xX][\da-fA-F]+$|^0[bB][01]+$|^0[oO][0-7]+$/.test(written) && Number.isSafeInteger(value))
      meant = String(value);
    else if (/^\d+[A-Za-z_]/.test(written))
      help = 'a name begins with a letter; a number has digits, a point and an exponent';
    if (meant !== undefined) help = `write \`${meant}\``;
    const fix = meant === undefined ? undefined : [{ span: spanOf(start, end), replacement: meant }];
    report('MOE0005', start, end, { message, help, fix });
  };

  const blockComment = (): void => {
    const end = text.indexOf('*/', at + 2);
    report('MOE0001', at, at + 2, {
      message: '`/*` does not begin a comment',
      help: 'comments begin with `//` and end with the line',
    });
    at = end < 0 ? text.length : end + 2;
  };

  /** An operator on bits: reported, and read as arithmetic of as many operands. False if there is none here. */
  const bitOperator = (): boolean => {
    const start = at;
    const written = [3, 2, 1].map((n) => text.slice(at, at + n)).find((t) => characters.bitOperators.has(t));
    const known = characters.bitOperators.get(written ?? '');
    if (written === undefined || known === undefined) return false;
    at += written.length;
    const message = `\`${written}\`: there are no operations on bits`;
    report('MOE0457', start, at, { message, help: known.help });
    push(symbols.get(known.readAs) ?? Name, start, at);
    const token = tokens.at(-1);
    if (token) token.image = known.readAs;
    return true;
  };

  /** Everything that no rule of the language begins with. */
  const stray = (): void => {
    const start = at;
    if (!characters.lookalikes.has(text.slice(at, at + 2)) && bitOperator()) return;
    for (const width of [2, 1]) {
      const written = text.slice(at, at + width);
      const meant = characters.lookalikes.get(written);
      if (meant === undefined || written.length < width) continue;
      at += width;
      const fix = [{ span: spanOf(start, at), replacement: meant }];
      report('MOE0001', start, at, { message: `\`${written}\` is not an operator`, help: `write \`${meant}\``, fix });
      const type = symbols.get(meant) ?? keywords.get(meant) ?? Name;
      push(type, start, at);
      const token = tokens.at(-1);
      if (token) token.image = meant;
      return;
    }
    const first = text.codePointAt(at) ?? 0;
    const hidden = characters.isInvisible(first) || characters.isLoneSurrogate(first);
    // A run of the same sort is one mistake.
    while (at < text.length) {
      const point = text.codePointAt(at) ?? 0;
      if ((characters.isInvisible(point) || characters.isLoneSurrogate(point)) !== hidden) break;
      const character = String.fromCodePoint(point);
      const known = point <= 32 || isNamePart(point) || point === 34 || symbols.has(character);
      if (
        !hidden &&
        at > start &&
        (known || characters.lookalikes.has(character) || characters.isWordCharacter(character))
      )
        break;
      at += point > 0xffff ? 2 : 1;
    }
    const written = text.slice(start, at);
    if (hidden) {
      const message = `the invisible character ${characters.codePointName(first)} stands here`;
      report('MOE0007', start, at, { message, help: 'remove it', fix: [{ span: spanOf(start, at), replacement: '' }] });
    } else {
      const help = characters.strayHelp.get(String.fromCodePoint(first));
      report('MOE0001', start, at, { message: `\`${[...written].slice(0, 20).join('')}\` has no meaning here`, help });
    }
  };

  while (at < text.length) {
    const c = code(at);
    if (c === 32 || c === 9 || c === 10 || c === 13) at++;
    else if (c === 47 && code(at + 1) === 47) comment();
    else if (c === 47 && code(at + 1) === 42) blockComment();
    else if (c === 34) string();
    else if (isDigit(c)) number();
    else if (c === 46 && isDigit(code(at + 1)) && !endsOperand(tokens.at(-1), at)) number();
    else if (isNameStart(c) || (c > 127 && startsForeignWord(text, at))) word();
    else {
      const two = text.slice(at, at + 2);
      const width = two.length === 2 && symbols.has(two) ? 2 : 1;
      const foreign = characters.lookalikes.has(two) || (characters.bitOperators.has(two) && two.length === 2);
      const type = foreign ? undefined : symbols.get(text.slice(at, at + width));
      if (type === undefined) stray();
      else {
        push(type, at, at + width);
        at += width;
      }
    }
    if (tokens.length > limits.tokens) {
      const last = tokens.pop();
      report('MOE0012', last?.startOffset ?? at, at, {
        message: `the file has more than ${limits.tokens} tokens`,
        help: 'split it into files: `import { … } from "…"`',
      });
      break;
    }
  }
  return { tokens, comments, docs, diagnostics };
}

/** A letter of another script begins a word; `…` or `×` do not. */
function startsForeignWord(text: string, at: number): boolean {
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
  return characters.isWordCharacter(character) && !characters.isInvisible(character.codePointAt(0) ?? 0);
}

/** Whether `.5` here, with nothing between, would follow a value: `x.5` is a path gone wrong, ` .5` a number. */
function endsOperand(previous: IToken | undefined, at: number): boolean {
  return previous?.endOffset === at - 1 && /[\w')\].]$/.test(previous.image);
}
