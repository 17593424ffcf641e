/**
 * Text to tree: lex, match brackets, parse, build; every syntax error of the file in one run, and a tree of what could
 * be read.
 */
import { EOF } from 'chevrotain';
import { diagnostic, type Diagnostic } from '../diagnostics/diagnostic.ts';
import type { File } from './ast.ts';
import { balance } from './brackets.ts';
import { buildFile } from './build-ast.ts';
import { BuildContext } from './build-context.ts';
import { tooLarge } from './decode.ts';
import { withoutTooDeep } from './depth.ts';
import { MoeParser, parseTokens } from './grammar.ts';
import { lex, type Comment } from './lex.ts';
import { limits } from './text-limits.ts';
import { parserDiagnostic } from './parse-errors.ts';
import { partsOfFile, parseRecoveryUnits } from './recovery-units.ts';
import { verifyTokens, verifyTree } from './verify-syntax.ts';
import { nameReserved } from './reserved-names.ts';
import { EchoFilter, errorSegmentsOf } from './error-segments.ts';
import type { SourceFile } from '../diagnostics/source-file.ts';

export interface Parsed {
  /** What could be read; without errors, all of it. */
  readonly file: File;
  /** By place; at most `limits.errors`, then MOE0013. */
  readonly diagnostics: readonly Diagnostic[];
  /** All comments in order, for the printer. */
  readonly comments: readonly Comment[];
}

/**
 * Building the parser analyses the grammar, which takes longer than most files. It holds nothing between two parses.
 */
const parser = new MoeParser();

/** Never throws for any text, unless a verifier finds a bug of ours. */
export function parseFile(source: SourceFile): Parsed {
  const nothing: File = {
    kind: 'File',
    imports: [],
    models: [],
    decls: [],
    span: { source: source.name, start: 0, end: source.text.length },
  };
  const bytes = utf8Length(source.text);
  if (bytes > limits.sourceBytes) return { file: nothing, diagnostics: [tooLarge(source.name, bytes)], comments: [] };

  const lexed = lex(source);
  const unread = (diagnostics: readonly Diagnostic[]): Parsed => ({
    file: nothing,
    diagnostics: shown(diagnostics, source),
    comments: lexed.comments,
  });
  if (lexed.diagnostics.some((d) => d.code === 'MOE0012')) return unread(lexed.diagnostics);
  if (lexed.diagnostics.length === 0) verifyTokens(source, lexed.tokens);
  const renamed = nameReserved(source.name, lexed.tokens);
  const balanced = balance(source.name, renamed.tokens);
  const early = [...lexed.diagnostics, ...renamed.diagnostics, ...balanced.diagnostics];
  if (!balanced.parsable) return unread(early);

  const context = new BuildContext(source.name, lexed.docs, renamed.tokens);
  const whole = early.length > 0 ? undefined : parseTokens(parser, () => parser.file(), balanced.tokens, 0);
  if (whole?.cst) {
    const built = withoutTooDeep(buildFile(context, partsOfFile(whole.cst), source.text.length));
    const mistakes = [...context.diagnostics, ...built.diagnostics];
    if (mistakes.length === 0) verifyTree(source, built.file);
    return { file: built.file, diagnostics: shown(mistakes, source), comments: lexed.comments };
  }
  const { parts, errors, failed } = parseRecoveryUnits(parser, balanced.tokens);
  const built = withoutTooDeep(buildFile(context, parts, source.text.length));
  // A badly written number or name is still a number or a name: only what was skipped or moved can have echoes.
  const disturbing = lexed.diagnostics.filter((d) => d.code === 'MOE0001' || d.code === 'MOE0003');
  const echoes = new EchoFilter(errorSegmentsOf(balanced.tokens), [...disturbing, ...balanced.diagnostics]);
  const tokenAt = tokenFinder(balanced.tokens);
  const syntax = errors
    .filter(({ found }) => found.tokenType === EOF || found.image !== '') // else a bracket that we closed: reported there
    .map(({ message, found, piece }) => ({
      piece,
      diagnostic: parserDiagnostic(
        message,
        found,
        { text: source.text, tokens: balanced.tokens, at: tokenAt(found.startOffset) },
        source.name,
      ),
    }))
    .filter(({ piece, diagnostic }) => echoes.admits(diagnostic, piece));
  const isSure = (offset: number): boolean => !failed.some(({ start, end }) => start <= offset && offset < end);
  const form = context.diagnostics.filter((d) => echoes.admitsForm(d) && isSure(d.span?.start ?? 0));
  const all = [...early, ...syntax.map((error) => error.diagnostic), ...form, ...built.diagnostics];
  return { file: built.file, diagnostics: shown(all, source), comments: lexed.comments };
}

/** In the order of the text, cut at the limit. */
function shown(diagnostics: readonly Diagnostic[], source: SourceFile): readonly Diagnostic[] {
  const sorted = diagnostics.toSorted((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0));
  if (sorted.length <= limits.errors) return sorted;
  const next = sorted[limits.errors];
  const message = `too many errors in ${source.name}: only the first ${limits.errors} are shown`;
  return [...sorted.slice(0, limits.errors), diagnostic('MOE0013', { message, span: next?.span })];
}

/** Finds the index of the first token at or after an offset (NaN: the end). */
function tokenFinder(tokens: readonly { readonly startOffset: number }[]): (offset: number) => number {
  return (offset) => {
    if (Number.isNaN(offset)) return tokens.length;
    let low = 0;
    let high = tokens.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((tokens[middle]?.startOffset ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Bytes of a text in UTF-8, without making them: a surrogate pair is two units and four bytes. */
function utf8Length(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i) ?? 0;
    if (point > 0xffff) i++;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}
