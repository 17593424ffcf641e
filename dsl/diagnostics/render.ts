/**
 * Diagnostics for people (frames of source with carets) and for programs (JSON).
 *
 *     error[MOE0402]: the router selects more experts than there are
 *       --> mixtral.moe:14:38
 *        |
 *      9 |   axis E = 4
 *        |        - E has 4 experts
 *     14 |     softmax(w @ x, over: E) |> top_k(8, over: E)
 *        |                                      ^ 8 are selected here
 *        = help: select at most 4, or give E more experts
 *        = more: moec explain MOE0402
 *
 * The primary place has `^`, the others `-`. A place of several lines is marked on its first. Colours are the caller's
 * affair.
 */
import { lineIndexAt, lineStarts, lineText, positionAt, type SourceFile, type Span } from './source-file.ts';
import { showLine, showName, showText } from './columns.ts';
import type { Diagnostic } from './diagnostic.ts';

/** Paints parts of a frame; the default paints nothing. */
export interface Styler {
  readonly error: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly message: (text: string) => string;
  readonly gutter: (text: string) => string;
  readonly secondary: (text: string) => string;
}

const same = (text: string): string => text;
export const plain: Styler = { error: same, warning: same, message: same, gutter: same, secondary: same };

/** The files that diagnostics speak of. A place in a file that is not here is shown without its text. */
export type Sources = readonly SourceFile[];

/** A file and where its lines begin, found once for all diagnostics. */
interface Indexed {
  readonly source: SourceFile;
  readonly starts: readonly number[];
}

/** Finds files by name, indexing each at most once. */
function indexer(sources: Sources): (name: string) => Indexed | undefined {
  const indexed = new Map<string, Indexed>();
  return (name) => {
    const known = indexed.get(name);
    if (known) return known;
    const source = sources.find((file) => file.name === name);
    if (source === undefined) return undefined;
    const entry = { source, starts: lineStarts(source.text) };
    indexed.set(name, entry);
    return entry;
  };
}

/** Longer lines are cut around what is marked. */
const widest = 150;

interface Mark {
  readonly from: number;
  readonly to: number;
  readonly text: string;
  readonly primary: boolean;
}

/** One diagnostic, without a line end after the last line. */
export function render(diagnostic: Diagnostic, sources: Sources, styler: Styler = plain): string {
  return renderWith(diagnostic, indexer(sources), styler);
}

function renderWith(diagnostic: Diagnostic, find: (name: string) => Indexed | undefined, styler: Styler): string {
  const paint = diagnostic.severity === 'error' ? styler.error : styler.warning;
  const lines = [
    `${paint(`${diagnostic.severity}[${diagnostic.code}]`)}${styler.message(`: ${showText(diagnostic.message)}`)}`,
  ];
  const frames = framesOf(diagnostic, find);
  const numbers = frames.flatMap((frame) => [...frame.lines.keys()]);
  const gutter = Math.max(2, String(Math.max(0, ...numbers) + 1).length);
  const bar = (number = ''): string => styler.gutter(`${number.padStart(gutter)} |`);

  for (const [i, frame] of frames.entries()) {
    lines.push(`${' '.repeat(gutter)}${styler.gutter(i === 0 ? '-->' : ':::')} ${showName(frame.location)}`);
    if (frame.file === undefined) continue;
    const { source, starts } = frame.file;
    lines.push(bar());
    for (const [index, marks] of [...frame.lines].toSorted(([a], [b]) => a - b)) {
      const { text, marks: shown } = cut(lineText(source, index, starts), marks);
      lines.push(`${bar(String(index + 1))} ${text}`.trimEnd());
      for (const row of underline(shown, paint, styler.secondary)) lines.push(`${bar()} ${row}`);
    }
  }
  const remark = (kind: string, text: string): void => {
    const [first = '', ...rest] = showText(text).split('\n');
    lines.push(`${' '.repeat(gutter)} ${styler.gutter('=')} ${styler.message(kind)}: ${first}`);
    for (const line of rest) lines.push(`${' '.repeat(gutter + 3 + kind.length + 2)}${line}`);
  };
  for (const note of diagnostic.notes ?? []) remark('note', note);
  if (diagnostic.help !== undefined) remark('help', diagnostic.help);
  remark('more', `moec explain ${diagnostic.code}`);
  return lines.join('\n');
}

/** All of them, one empty line between two. */
export function renderAll(diagnostics: readonly Diagnostic[], sources: Sources, styler: Styler = plain): string {
  const find = indexer(sources);
  return diagnostics.map((diagnostic) => renderWith(diagnostic, find, styler)).join('\n\n');
}

interface Frame {
  readonly location: string;
  /** Absent: the text is not at hand. */
  readonly file?: Indexed;
  /** Marks by line index. */
  readonly lines: ReadonlyMap<number, readonly Mark[]>;
}

/** One frame for each file, the primary place's first. */
function framesOf(diagnostic: Diagnostic, find: (name: string) => Indexed | undefined): readonly Frame[] {
  const primary = diagnostic.span;
  const marks: { span: Span; text: string; primary: boolean }[] = diagnostic.labels.map((label) => ({
    ...label,
    primary: false,
  }));
  if (primary) marks.unshift({ span: primary, text: diagnostic.label ?? '', primary: true });
  const byFile = new Map<string, typeof marks>();
  for (const mark of marks) byFile.set(mark.span.source, [...(byFile.get(mark.span.source) ?? []), mark]);
  return [...byFile].map(([name, inFile]): Frame => {
    const file = find(name);
    if (file === undefined) return { location: name, lines: new Map() };
    const { source, starts } = file;
    const lines = new Map<number, Mark[]>();
    for (const { span, text, primary: isPrimary } of inFile) {
      const start = Math.min(span.start, source.text.length);
      const index = lineIndexAt(starts, start);
      const lineStart = starts[index] ?? 0;
      const length = lineText(source, index, starts).length;
      const from = Math.min(start - lineStart, length);
      const to = Math.max(from, Math.min(span.end - lineStart, length));
      lines.set(index, [...(lines.get(index) ?? []), { from, to, text: showName(text), primary: isPrimary }]);
    }
    const first = inFile[0]?.span.start ?? 0;
    const { line, column } = positionAt(source, first, starts);
    return { location: `${name}:${line}:${column}`, file, lines };
  });
}

/** A line as shown, its marks in columns, cut around the first mark if it is too long. */
function cut(line: string, marks: readonly Mark[]): { readonly text: string; readonly marks: readonly Mark[] } {
  const first = Math.min(...marks.map((mark) => mark.from));
  // Cut by characters before anything is measured: a line may be a megabyte long.
  const from = line.length > widest && first > widest / 2 ? first - Math.floor(widest / 2) : 0;
  const to = line.length - from > widest ? from + widest : line.length;
  const lead = from > 0 ? '…' : '';
  const shown = showLine(line.slice(from, to));
  const column = (offset: number): number =>
    lead.length + (shown.columns[Math.max(0, Math.min(offset, to) - from)] ?? 0);
  const placed = marks.map((mark) => ({
    ...mark,
    from: column(mark.from),
    to: Math.max(column(mark.to), column(mark.from) + 1),
  }));
  return { text: `${lead}${shown.text}${to < line.length ? '…' : ''}`, marks: placed };
}

/** Carets, then the texts: the last one beside its caret, the others below, each under its mark. */
function underline(
  marks: readonly Mark[],
  paint: (text: string) => string,
  paintSecond: (text: string) => string,
): readonly string[] {
  const sorted = marks.toSorted((a, b) => a.from - b.from || Number(a.primary) - Number(b.primary));
  const width = Math.max(...sorted.map((mark) => mark.to));
  const carets: string[] = [];
  for (let column = 0; column < width; column++) {
    const over = sorted.filter((mark) => mark.from <= column && column < mark.to);
    const primary = over.some((mark) => mark.primary);
    carets.push(primary ? paint('^') : over.length > 0 ? paintSecond('-') : ' ');
  }
  const style = (mark: Mark): ((text: string) => string) => (mark.primary ? paint : paintSecond);
  const last = sorted.at(-1);
  const beside = last?.text !== '' && last?.to === width ? last : undefined;
  const rows = [carets.join('') + (beside ? ` ${style(beside)(beside.text)}` : '')];
  const below = sorted.filter((mark) => mark !== beside && mark.text !== '');
  if (below.length > 0) rows.push(joinAt(below.map((mark) => ({ at: mark.from, text: '|', paint: style(mark) }))));
  for (let i = below.length - 1; i >= 0; i--) {
    const mark = below[i];
    if (mark === undefined) continue;
    const bars = below.slice(0, i).filter((other) => other.from < mark.from);
    rows.push(
      joinAt([
        ...bars.map((other) => ({ at: other.from, text: '|', paint: style(other) })),
        { at: mark.from, text: mark.text, paint: style(mark) },
      ]),
    );
  }
  return rows;
}

function joinAt(
  pieces: readonly { readonly at: number; readonly text: string; readonly paint: (text: string) => string }[],
): string {
  let row = '';
  let column = 0;
  for (const { at, text, paint } of pieces) {
    if (at < column) continue;
    row += ' '.repeat(at - column) + paint(text);
    column = at + text.length;
  }
  return row;
}

/** A place with its lines and columns (from 1, in code points; `end` is exclusive). */
export interface JsonLocation extends Span {
  readonly line?: number;
  readonly column?: number;
  readonly endLine?: number;
  readonly endColumn?: number;
}

export interface JsonDiagnostic {
  readonly code: string;
  readonly severity: string;
  readonly message: string;
  readonly span?: JsonLocation;
  readonly label?: string;
  readonly labels: readonly { readonly span: JsonLocation; readonly text: string }[];
  readonly help?: string;
  readonly fix?: readonly { readonly span: JsonLocation; readonly replacement: string }[];
  readonly notes?: readonly string[];
}

/** The same, as data for `JSON.stringify`. */
export function toJson(diagnostic: Diagnostic, sources: Sources): JsonDiagnostic {
  const locationOf = (span: Span): JsonLocation => {
    const source = sources.find((file) => file.name === span.source);
    if (source === undefined) return span;
    const starts = lineStarts(source.text);
    const start = positionAt(source, span.start, starts);
    const end = positionAt(source, span.end, starts);
    return { ...span, line: start.line, column: start.column, endLine: end.line, endColumn: end.column };
  };
  const { code, severity, message, span, label, labels, help, fix, notes } = diagnostic;
  return {
    code,
    severity,
    message,
    ...(span && { span: locationOf(span) }),
    ...(label !== undefined && { label }),
    labels: labels.map((other) => ({ span: locationOf(other.span), text: other.text })),
    ...(help !== undefined && { help }),
    ...(fix && { fix: fix.map((edit) => ({ span: locationOf(edit.span), replacement: edit.replacement })) }),
    ...(notes && { notes }),
  };
}
