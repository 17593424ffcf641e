/**
 * One mistake, one diagnostic. The tokens of a file are cut into segments, at words that begin a statement and at braces; what the parser
 * says in a segment that has an error already is most likely an echo of it and is left out.
 */
import type { IToken } from 'chevrotain';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { LCurly, leadingKeywords, RCurly } from './tokens.ts';

export interface Segments {
  /** The number of the segment at an offset. */
  readonly at: (offset: number) => number;
}

export function segmentsOf(tokens: readonly IToken[]): Segments {
  const starts: number[] = [];
  for (const [i, { tokenType: type, startOffset }] of tokens.entries()) {
    const previous = tokens[i - 1]?.tokenType;
    if (leadingKeywords.has(type) || type === LCurly || type === RCurly || previous === LCurly || previous === RCurly) starts.push(startOffset);
  }
  const at = (offset: number): number => {
    let low = 0;
    let high = starts.length; // number of starts ≤ offset
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return { at };
}

/** The segments that have an error. */
export function marked(segments: Segments, diagnostics: readonly Diagnostic[]): Set<number> {
  const result = new Set<number>();
  for (const { severity, span, fix } of diagnostics) {
    if (severity !== 'error' || span === undefined) continue;
    result.add(segments.at(span.start));
    for (const edit of fix ?? []) result.add(segments.at(Math.max(edit.span.start - 1, 0)));
  }
  return result;
}
