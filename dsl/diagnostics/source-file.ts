/**
 * Source files and places in them.
 *
 * A place in a file is a `Span`: two offsets in UTF-16 code units (what JavaScript strings count in), half-open. Lines
 * and columns are for people and are computed only when a diagnostic is shown. The text of a `SourceFile` is exactly
 * what was read, minus one byte order mark: CR and CRLF are kept, so offsets always agree with the file on disk.
 */

/**
 * A named text. `name` is what diagnostics show: a path as the user wrote it, or `"std"` and the like for built-in
 * files.
 */
export interface SourceFile {
  readonly name: string;
  readonly text: string;
}

/** A half-open range `[start, end)` of the text of the file called `source`. */
export interface Span {
  readonly source: string;
  readonly start: number;
  readonly end: number;
}

/** Line and column, both from 1; the column counts code points, so a wide character or an emoji is one column. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The smallest span that covers both; they must be of one file. */
export function joinSpans(a: Span, b: Span): Span {
  return { source: a.source, start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}

/** Offsets at which the lines of `text` begin; LF, CRLF and a lone CR end a line. The first is always 0. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 13 && text.charCodeAt(i + 1) === 10) i++;
    if (code === 10 || code === 13) starts.push(i + 1);
  }
  return starts;
}

/** Index into `starts` (line number minus 1) of the line that holds `offset`. Binary search. */
export function lineIndexAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Line and column of an offset; past the end means the end. */
export function positionAt(source: SourceFile, offset: number, starts = lineStarts(source.text)): Position {
  const at = Math.max(0, Math.min(offset, source.text.length));
  const index = lineIndexAt(starts, at);
  const before = source.text.slice(starts[index] ?? 0, at);
  return { line: index + 1, column: [...before].length + 1 };
}

/** The text of line `index` (from 0), without its line end. */
export function lineText(source: SourceFile, index: number, starts = lineStarts(source.text)): string {
  const start = starts[index] ?? source.text.length;
  const end = starts[index + 1] ?? source.text.length;
  return source.text.slice(start, end).replace(/[\r\n]+$/, '');
}
