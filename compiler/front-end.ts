/**
 * Text to typed program: parse, resolve imports, check. Pure: a caller who has files gives them.
 */
import type { File } from '../dsl/syntax/ast.ts';
import type { Comment } from '../dsl/syntax/lex.ts';
import { parseFile } from '../dsl/syntax/parse.ts';
import type { SourceFile } from '../dsl/syntax/source.ts';
import { checkProgram } from '../dsl/check/check.ts';
import type { Program } from '../dsl/check/program.ts';
import type { Diagnostic } from '../dsl/diagnostics/diagnostic.ts';
import { hasErrors } from '../dsl/diagnostics/diagnostic.ts';
import { librarySources } from '../dsl/std/sources.generated.ts';

export interface FrontEnd {
  readonly source: SourceFile;
  readonly file: File;
  readonly comments: readonly Comment[];
  /** Every source that a diagnostic may speak of. */
  readonly sources: readonly SourceFile[];
  /** null if there are errors. */
  readonly program: Program | null;
  readonly diagnostics: readonly Diagnostic[];
}

export interface FrontEndOptions {
  /** The text behind `import … from "./other.moe"`, or null. */
  readonly resolve?: (name: string) => SourceFile | null;
  /** Which model of the file; the only one by default. */
  readonly model?: string;
}

/** All mistakes of the file are collected; the checker works on what could be read. */
export function analyse(source: SourceFile, options: FrontEndOptions = {}): FrontEnd {
  const parsed = parseFile(source);
  const sources: SourceFile[] = [source];
  const diagnostics: Diagnostic[] = [...parsed.diagnostics];
  const known = new Map<string, readonly File[] | null>();
  const library = (): readonly File[] =>
    [...librarySources].map(([name, text]) => {
      const file: SourceFile = { name, text };
      sources.push(file);
      return parseFile(file).file;
    });
  const imports = (name: string): readonly File[] | null => {
    const before = known.get(name);
    if (before !== undefined) return before;
    let files: readonly File[] | null = null;
    if (name === 'std') files = library();
    else {
      const other = options.resolve?.(name) ?? null;
      if (other !== null) {
        sources.push(other);
        const result = parseFile(other);
        diagnostics.push(...result.diagnostics);
        files = [result.file];
      }
    }
    known.set(name, files);
    return files;
  };
  const unread = parsed.diagnostics.flatMap((d) => (d.span === undefined || d.severity !== 'error' ? [] : [d.span]));
  const checked = checkProgram(
    { main: parsed.file, resolve: imports },
    { unread, ...(options.model === undefined ? {} : { model: options.model }) },
  );
  const all = [...diagnostics, ...checked.diagnostics];
  return {
    source,
    file: parsed.file,
    comments: parsed.comments,
    sources,
    program: hasErrors(all) ? null : checked.program,
    diagnostics: all,
  };
}
