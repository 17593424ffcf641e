/**
 * Brackets are matched on the tokens, before the parser: it then always sees a balanced text, so one forgotten bracket
 * is one diagnostic at the bracket, not a trail of them further down, and the depth of the parser's recursion is known
 * beforehand.
 *
 * A bracket that is not closed gets a closing token of no width where it must have ended at the latest: before a word
 * that begins a statement (for `(` and `[`), or before the bracket that closes what is around it. Only if braces do
 * not come out even is the indentation asked which one is missing: a block ends before a line that stands no further
 * right than the line of its `{`.
 */
import { createTokenInstance, type IToken, type TokenType } from 'chevrotain';
import { diagnostic, type Diagnostic } from '../diagnostics/diagnostic.ts';
import { limits } from './text-limits.ts';
import type { Span } from '../diagnostics/source-file.ts';
import * as t from './tokens.ts';

export interface Balanced {
  readonly tokens: readonly IToken[];
  readonly diagnostics: readonly Diagnostic[];
  /** False: brackets are nested beyond the limit, or beyond repair, and the text cannot be parsed. */
  readonly parsable: boolean;
}

const closers = new Map<TokenType, TokenType>([
  [t.LParen, t.RParen],
  [t.LSquare, t.RSquare],
  [t.LCurly, t.RCurly],
]);
const closing = new Set(closers.values());

interface Open {
  readonly token: IToken;
  readonly closer: TokenType;
  /** Column at which the line of the bracket begins. */
  readonly indent: number;
}

export function balance(sourceName: string, tokens: readonly IToken[]): Balanced {
  const exact = match(sourceName, tokens, false);
  if (!exact.parsable || !exact.diagnostics.some((d) => d.code === 'MOE0103' || d.code === 'MOE0104')) return exact;
  const indented = match(sourceName, tokens, true);
  return indented.diagnostics.length <= exact.diagnostics.length ? indented : exact;
}

function match(sourceName: string, tokens: readonly IToken[], byIndentation: boolean): Balanced {
  const result: IToken[] = [];
  const diagnostics: Diagnostic[] = [];
  const stack: Open[] = [];
  const spanOf = (token: IToken): Span => ({
    source: sourceName,
    start: token.startOffset,
    end: token.startOffset + token.image.length,
  });
  const text = (type: TokenType): string => (type === t.RParen ? ')' : type === t.RSquare ? ']' : '}');
  let line = 0;
  let reported = false;
  let indent = 0;

  /** One diagnostic about `(` and `[` for each statement: the first mistake makes the others. */
  const report = (found: Diagnostic, type: TokenType): void => {
    const round = type !== t.LCurly && type !== t.RCurly;
    if (!round || !reported) diagnostics.push(found);
    reported ||= round;
  };

  /** Closes the innermost bracket after the last token so far. */
  const closeUnclosed = (reason?: IToken): void => {
    const open = stack.pop();
    const last = result.at(-1);
    if (open === undefined || last === undefined) return;
    const at = (last.endOffset ?? last.startOffset) + 1;
    report(
      diagnostic('MOE0103', {
        message: `this \`${open.token.image}\` is not closed`,
        span: spanOf(open.token),
        labels: reason ? [{ span: spanOf(reason), text: `\`${text(open.closer)}\` was expected before this` }] : [],
        help: `add \`${text(open.closer)}\``,
        fix: [{ span: { source: sourceName, start: at, end: at }, replacement: text(open.closer) }],
      }),
      open.token.tokenType,
    );
    result.push(closerAfter(last, open.closer));
  };

  for (const token of tokens) {
    const type = token.tokenType;
    const firstOfLine = (token.startLine ?? 0) !== line;
    if (firstOfLine) {
      line = token.startLine ?? 0;
      indent = token.startColumn ?? 1;
      if (byIndentation) closeDeeperBlocks(token);
    }
    if (t.leadingKeywords.has(type) || type === t.LCurly || type === t.RCurly) reported = false;
    if (
      byIndentation &&
      type === t.ElseKeyword &&
      result.at(-1)?.tokenType !== t.RCurly &&
      stack.at(-1)?.closer === t.RCurly
    )
      closeUnclosed(token);
    if (t.leadingKeywords.has(type)) {
      while (stack.length > 0 && stack.at(-1)?.closer !== t.RCurly) closeUnclosed(token);
      if (type === t.ModelKeyword || type === t.ImportKeyword) while (stack.length > 0) closeUnclosed(token);
    }
    const closer = closers.get(type);
    if (closer !== undefined) {
      stack.push({ token, closer, indent });
      if (stack.length > limits.nesting) {
        const message = `brackets are nested deeper than ${limits.nesting}`;
        diagnostics.push(diagnostic('MOE0011', { message, span: spanOf(token), help: 'name the parts with `let`' }));
        return { tokens: [], diagnostics, parsable: false };
      }
    } else if (closing.has(type)) {
      const misplaced = byIndentation && firstOfLine && type === t.RCurly && indent > (stack.at(-1)?.indent ?? 0);
      const depth = misplaced ? -1 : stack.findLastIndex((open) => open.closer === type);
      const top = stack.at(-1);
      if (depth >= 0) {
        while (stack.length - 1 > depth) closeUnclosed(token);
        stack.pop();
      } else if (top !== undefined && top.closer !== t.RCurly) {
        // Closed, but by the wrong kind.
        stack.pop();
        report(
          diagnostic('MOE0103', {
            message: `this \`${top.token.image}\` is closed by \`${token.image}\``,
            span: spanOf(token),
            labels: [{ span: spanOf(top.token), text: `it is opened here` }],
            help: `write \`${text(top.closer)}\``,
            fix: [{ span: spanOf(token), replacement: text(top.closer) }],
          }),
          type,
        );
        result.push({ ...token, tokenType: top.closer, tokenTypeIdx: top.closer.tokenTypeIdx ?? 0 });
        continue;
      } else if (diagnostics.length <= 2 * limits.errors) {
        const fix = [{ span: spanOf(token), replacement: '' }];
        const message = `this \`${token.image}\` closes nothing`;
        report(diagnostic('MOE0104', { message, span: spanOf(token), help: 'remove it', fix }), type);
        continue;
      }
    }
    result.push(token);
    // Of a text like this nothing more would be shown.
    if (diagnostics.length > 2 * limits.errors) return { tokens: [], diagnostics, parsable: false };
  }
  while (stack.length > 0) closeUnclosed();
  return { tokens: result, diagnostics, parsable: true };

  /** A line that begins at or left of the line of a `{` is outside of that block; a `}` there may be its own. */
  function closeDeeperBlocks(first: IToken): void {
    const column = first.startColumn ?? 1;
    const own = first.tokenType === t.RCurly ? 1 : 0;
    const isOutside = (open: Open): boolean => open.closer === t.RCurly && open.indent >= column + own;
    const outermost = stack.findIndex(isOutside);
    if (closing.has(first.tokenType) && first.tokenType !== t.RCurly) return;
    while (outermost >= 0 && stack.length > outermost) closeUnclosed(first);
  }
}

/** A token of no width behind `last`. */
function closerAfter(last: IToken, type: TokenType): IToken {
  const at = (last.endOffset ?? last.startOffset) + 1;
  const line = last.endLine ?? 1;
  const column = (last.endColumn ?? 1) + 1;
  return createTokenInstance(type, '', at, at - 1, line, line, column, column - 1);
}
