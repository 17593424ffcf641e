/**
 * A small pretty printer (Oppen, Wadler): documents with places where a line may break, laid out in a given width.
 *
 * A `group` stands on one line if it fits, with what follows it up to the next possible break; otherwise its own
 * `line`s break, and its inner groups decide for themselves. A group that has a `hard` line inside is broken. A
 * `trailing` comment goes to the end of its line and counts no width; trailing comments of lines that follow one
 * another are aligned.
 */
import { unreachable } from '../diagnostics/bug.ts';

export type Doc =
  | string
  | { readonly kind: 'concat'; readonly parts: readonly Doc[] }
  | { readonly kind: 'indent'; readonly by: number; readonly doc: Doc }
  /** Lines inside begin at the column where this begins. */
  | { readonly kind: 'align'; readonly doc: Doc }
  | { readonly kind: 'group'; readonly doc: Doc; readonly broken: boolean }
  /** Contents and separators in turn: a separator breaks only if what follows it does not fit. */
  | { readonly kind: 'fill'; readonly parts: readonly Doc[]; readonly from: number }
  /** `flat` on one line, else a new line. */
  | { readonly kind: 'line'; readonly flat: '' | ' ' }
  | { readonly kind: 'hard' }
  /** An empty line, to be followed by a line break. */
  | { readonly kind: 'blank' }
  | { readonly kind: 'trailing'; readonly text: string };

export const line: Doc = { kind: 'line', flat: ' ' };
export const softline: Doc = { kind: 'line', flat: '' };
export const hard: Doc = { kind: 'hard' };
export const blank: Doc = { kind: 'blank' };

export function concat(...parts: readonly Doc[]): Doc {
  return { kind: 'concat', parts };
}

/** The same for a list of any length (an argument list is not). */
export function concatAll(parts: readonly Doc[]): Doc {
  return { kind: 'concat', parts };
}

export function indent(doc: Doc, by = 2): Doc {
  return { kind: 'indent', by, doc };
}

export function group(doc: Doc): Doc {
  return { kind: 'group', doc, broken: mustBreak(doc) };
}

export function align(doc: Doc): Doc {
  return { kind: 'align', doc };
}

export function fill(parts: readonly Doc[]): Doc {
  return { kind: 'fill', parts, from: 0 };
}

export function trailing(text: string): Doc {
  return { kind: 'trailing', text };
}

export function join(separator: Doc, docs: readonly Doc[]): Doc {
  return concatAll(docs.flatMap((doc, i) => (i === 0 ? [doc] : [separator, doc])));
}

/**
 * Whether a document cannot stand on one line. A trailing comment ends its line, so nothing may follow it: at the very end
 * of the document it is no reason to break. Groups have the answer already, so this is linear over the whole document.
 */
function mustBreak(doc: Doc, last = true): boolean {
  if (typeof doc === 'string') return false;
  switch (doc.kind) {
    case 'concat':
    case 'fill': {
      const end = doc.parts.findLastIndex((part) => part !== '');
      return doc.parts.some((part, i) => mustBreak(part, last && i === end));
    }
    case 'indent':
    case 'align':
      return mustBreak(doc.doc, last);
    case 'group':
      return doc.broken || (!last && endsWithComment(doc.doc));
    case 'hard':
    case 'blank':
      return true;
    case 'trailing':
      return !last;
    case 'line':
      return false;
    default:
      return unreachable(doc, 'print');
  }
}

function endsWithComment(doc: Doc): boolean {
  if (typeof doc === 'string') return false;
  switch (doc.kind) {
    case 'concat':
    case 'fill':
      return endsWithComment(doc.parts.findLast((part) => part !== '') ?? '');
    case 'indent':
    case 'align':
    case 'group':
      return endsWithComment(doc.doc);
    case 'trailing':
      return true;
    case 'hard':
    case 'blank':
    case 'line':
      return false;
    default:
      return unreachable(doc, 'print');
  }
}

interface Command {
  readonly doc: Doc;
  readonly indent: number;
  readonly flat: boolean;
}

interface OutputLine {
  text: string;
  comment: string;
}

/** Columns between a line and its trailing comment. */
const commentGap = 4;

/** The text, with a line end at its end. */
export function layOut(doc: Doc, width: number): string {
  const lines: OutputLine[] = [];
  let current: OutputLine = { text: '', comment: '' };
  const newLine = (indentation: number): void => {
    current.text = current.text.trimEnd();
    lines.push(current);
    current = { text: ' '.repeat(indentation), comment: '' };
  };
  const stack: Command[] = [{ doc, indent: 0, flat: false }];
  for (let command = stack.pop(); command !== undefined; command = stack.pop()) {
    const { doc: now, indent: by, flat } = command;
    if (typeof now === 'string') current.text += now;
    else if (now.kind === 'concat') {
      for (const part of now.parts.toReversed()) stack.push({ doc: part, indent: by, flat });
    } else if (now.kind === 'indent') stack.push({ doc: now.doc, indent: by + now.by, flat });
    else if (now.kind === 'align') stack.push({ doc: now.doc, indent: current.text.length, flat });
    else if (now.kind === 'trailing') current.comment += (current.comment === '' ? '' : ' ') + now.text;
    else if (now.kind === 'hard') newLine(by);
    else if (now.kind === 'blank') newLine(0);
    else if (now.kind === 'line') {
      if (flat) current.text += now.flat;
      else newLine(by);
    } else if (now.kind === 'group') {
      const alone: Command = { doc: now.doc, indent: by, flat: true };
      stack.push(
        !now.broken && (flat || fits(alone, stack, width - current.text.length)) ? alone : { ...alone, flat: false },
      );
    } else {
      const [content, separator, next] = now.parts.slice(now.from, now.from + 3);
      if (content === undefined) continue;
      const room = width - current.text.length;
      if (separator !== undefined) {
        const two: Command = { doc: concat(content, separator, next ?? ''), indent: by, flat: true };
        const last = now.from + 3 >= now.parts.length;
        stack.push({ doc: { ...now, from: now.from + 2 }, indent: by, flat });
        stack.push({
          doc: separator,
          indent: by,
          flat: flat || (!mustBreak(two.doc) && fits(two, last ? stack.slice(0, -1) : [], room)),
        });
      }
      stack.push({ doc: group(content), indent: by, flat });
    }
  }
  newLine(0);
  return alignComments(lines);
}

/** The parts of a list from `at` on: long lists are measured only as far as the width goes. */
interface Cursor {
  readonly parts: readonly Doc[];
  readonly at: number;
  readonly flat: boolean;
}

/** Whether a command and what follows it, up to the next line break, fit. */
function fits(command: Command, rest: readonly Command[], width: number): boolean {
  let left = width;
  let restIndex = rest.length;
  const stack: Cursor[] = [{ parts: [command.doc], at: 0, flat: command.flat }];
  while (left >= 0) {
    const cursor = stack.pop();
    if (cursor === undefined) {
      const next = rest[--restIndex];
      if (next === undefined) return true;
      stack.push({ parts: [next.doc], at: 0, flat: next.flat });
      continue;
    }
    const doc = cursor.parts[cursor.at];
    if (doc === undefined) continue;
    const { flat } = cursor;
    if (cursor.at + 1 < cursor.parts.length) stack.push({ ...cursor, at: cursor.at + 1 });
    if (typeof doc === 'string') left -= doc.length;
    else if (doc.kind === 'concat') stack.push({ parts: doc.parts, at: 0, flat });
    else if (doc.kind === 'fill') stack.push({ parts: doc.parts, at: doc.from, flat });
    else if (doc.kind === 'indent' || doc.kind === 'align') stack.push({ parts: [doc.doc], at: 0, flat });
    else if (doc.kind === 'group') stack.push({ parts: [doc.doc], at: 0, flat: flat && !doc.broken });
    else if (doc.kind === 'line') {
      if (!flat) return true;
      left -= doc.flat.length;
    } else if (doc.kind === 'hard' || doc.kind === 'blank') return true;
  }
  return false;
}

function alignComments(lines: readonly OutputLine[]): string {
  const result: string[] = [];
  let first = 0;
  for (let i = 0; i <= lines.length; i++) {
    const here = lines[i];
    if (here !== undefined && here.comment !== '') continue;
    const run = lines.slice(first, i);
    const column = run.reduce((widest, { text }) => Math.max(widest, text.length), 0) + commentGap;
    for (const { text, comment } of run) result.push(text.padEnd(column) + comment);
    if (here !== undefined) result.push(here.text);
    first = i + 1;
  }
  return `${result.join('\n')}\n`;
}
