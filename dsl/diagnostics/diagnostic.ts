/**
 * Diagnostics: what the tools tell a user about a program, as plain values.
 *
 * Mistakes of users are collected, never thrown. A diagnostic has a code from `catalogue.ts`, one sentence in plain
 * lower-case words without a full stop, the place it is about, other labelled places, and where it helps a suggestion.
 * `render.ts` draws it.
 */
import { catalogue, type Code } from './catalogue.ts';
import type { Span } from './source-file.ts';

export type { SourceFile, Span } from './source-file.ts';
export type { Code } from './catalogue.ts';

/** Of a notice the program is right, but something in it is costlier than it looks. */
export type Severity = 'error' | 'warning' | 'notice';

/** A place with a few words; an empty text draws a bare underline. */
export interface Label {
  readonly span: Span;
  readonly text: string;
}

/** One replacement of a fix: the text of `span` becomes `replacement`. The edits of a fix do not overlap. */
export interface Edit {
  readonly span: Span;
  readonly replacement: string;
}

export interface Diagnostic {
  readonly code: Code;
  readonly severity: Severity;
  /** One sentence, lower case, no full stop. */
  readonly message: string;
  /** The primary place; absent when the mistake has none (a missing file, a command-line value). */
  readonly span?: Span;
  /** Words under the caret of `span`, the primary place. */
  readonly label?: string;
  /** Other places, each with its words. */
  readonly labels: readonly Label[];
  readonly help?: string;
  /** Edits that do what the help says; applied together. */
  readonly fix?: readonly Edit[];
  readonly notes?: readonly string[];
}

/** What a rule has to say beyond the code: everything else has a default. */
export interface DiagnosticDetails {
  /** Defaults to the title in the catalogue. */
  readonly message?: string;
  /** Defaults to `'error'`. */
  readonly severity?: Severity;
  readonly span?: Span;
  readonly label?: string;
  readonly labels?: readonly Label[];
  readonly help?: string;
  readonly fix?: readonly Edit[];
  readonly notes?: readonly string[];
}

/** Whether a place lies in the library: nothing that a user can mend. No other source is called so (compiler/front-end.ts). */
export function isLibrary(span: Span): boolean {
  return span.source.startsWith('std/');
}

/** The one constructor of diagnostics: `diagnostic('MOE0201', { message: 'no axis is called F', span })`. */
export function diagnostic(code: Code, details: DiagnosticDetails = {}): Diagnostic {
  return {
    ...details,
    code,
    severity: details.severity ?? 'error',
    message: details.message ?? catalogue[code].title,
    labels: details.labels ?? [],
  };
}

/** Whether any of them is an error: warnings alone do not stop a compilation. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((d) => d.severity === 'error');
}

/** The order in which errors are told: of the text, and at one place of the codes. */
export function compareByText(
  a: { readonly span: Span; readonly code: Code },
  b: { readonly span: Span; readonly code: Code },
): number {
  return compareTexts(a.span.source, b.span.source) || a.span.start - b.span.start || compareTexts(a.code, b.code);
}

/** By code units: the same on every machine. */
export const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
