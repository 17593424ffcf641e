/** Tokens as text, one a line: where each is, what it is, and how it is written. For `--emit=tokens`. */
import type { IToken } from 'chevrotain';
import { positionAt, type SourceFile } from '../diagnostics/source-file.ts';

export function printTokens(source: SourceFile, tokens: readonly IToken[]): string {
  const lines = tokens.map((token) => {
    const { line, column } = positionAt(source, token.startOffset);
    return `${line}:${column}`.padEnd(9) + token.tokenType.name.padEnd(18) + JSON.stringify(token.image);
  });
  return `${lines.join('\n')}\n`;
}
