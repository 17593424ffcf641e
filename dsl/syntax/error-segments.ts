/**
 * One mistake, one diagnostic. The tokens of a file are cut into segments, at words that begin a statement and at
 * braces; what the parser says in a segment that has an error already is most likely an echo of it and is left out.
 */
import type { IToken } from 'chevrotain';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { LCurly, leadingKeywords, RCurly } from './tokens.ts';

export interface ErrorSegments {
  /** The number of the segment at an offset. */
  readonly at: (offset: number) => number;
  /** Whether a segment begins with a word that begins a statement: there the parser has found its way again. */
  readonly isStatement: (segment: number) => boolean;
}

export function errorSegmentsOf(tokens: readonly IToken[]): ErrorSegments {
  const starts: number[] = [];
  const statements = new Set<number>();
  for (const [i, { tokenType: type, startOffset }] of tokens.entries()) {
    const previous = tokens[i - 1]?.tokenType;
    const isStatement = leadingKeywords.has(type);
    if (isStatement || type === LCurly || type === RCurly || previous === LCurly || previous === RCurly)
      starts.push(startOffset);
    if (isStatement) statements.add(starts.length);
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
  return { at, isStatement: (segment) => statements.has(segment) };
}

/** Decides, error by error in the order they are found, which are news. */
export class EchoFilter {
  readonly #segments: ErrorSegments;
  readonly #marked = new Set<number>();
  readonly #pieces = new Set<number>();

  /** `known`: what has been reported about characters and brackets. */
  constructor(segments: ErrorSegments, known: readonly Diagnostic[]) {
    this.#segments = segments;
    for (const { severity, span, fix } of known) {
      if (severity !== 'error' || span === undefined) continue;
      const first = segments.at(span.start);
      this.#marked.add(first);
      // A bracket is missing where the fix puts it: on the way there from its partner only statements are sure.
      const last = Math.max(first, ...(fix ?? []).map((edit) => segments.at(edit.span.start)));
      for (let between = first + 1; between <= last; between++)
        if (!segments.isStatement(between)) this.#marked.add(between);
      for (const edit of fix ?? []) this.#marked.add(segments.at(Math.max(edit.span.start - 1, 0)));
    }
  }

  /** An error of the parser: the first of its piece, or the first of a statement. */
  admits(error: Diagnostic, piece: number): boolean {
    const segment = this.#segments.at(error.span?.start ?? 0);
    const news = !this.#marked.has(segment) && (!this.#pieces.has(piece) || this.#segments.isStatement(segment));
    this.#marked.add(segment);
    this.#pieces.add(piece);
    return news;
  }

  /** An error of form, found on a tree that may have been recovered. */
  admitsForm(error: Diagnostic): boolean {
    return !this.#marked.has(this.#segments.at(error.span?.start ?? 0));
  }
}
