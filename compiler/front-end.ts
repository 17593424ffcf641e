/**
 * Text to typed program: parse, resolve imports, check. Pure: a caller who has files gives them.
 */
import type { File } from '../dsl/syntax/ast.ts';
import type { Comment } from '../dsl/syntax/lex.ts';
import { parseFile } from '../dsl/syntax/parse-file.ts';
import type { SourceFile } from '../dsl/diagnostics/source-file.ts';
import { verifyProgram } from '../dsl/check/verify-program.ts';
import { checkProgram, type CheckFiles, type ImportRefusal } from '../dsl/check/check-program.ts';
import type { Program } from '../dsl/types/program.ts';
import type { Diagnostic } from '../dsl/diagnostics/diagnostic.ts';
import { hasErrors } from '../dsl/diagnostics/diagnostic.ts';
import { sourcesDeclaring } from '../dsl/std/declaring.ts';
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
  /**
   * The text behind `import … from "./other.moe"` in the file that is called `from`: null if there is none, a refusal where it is
   * not to be read. A file that several imports name has one name as a source.
   */
  readonly resolve?: (name: string, from: string) => SourceFile | ImportRefusal | null;
  /** Which model of the file; the only one by default. */
  readonly model?: string;
}

/** The library's sources alone are called so (`isLibrary`): what a user has in a folder `std` is called `./std/…`. */
function ownSource(given: SourceFile): SourceFile {
  return given.name.startsWith('std/') ? { ...given, name: `./${given.name}` } : given;
}

/** All mistakes of the file are collected; the checker works on what could be read. */
export function analyse(given: SourceFile, options: FrontEndOptions = {}): FrontEnd {
  const source = ownSource(given);
  const parsed = parseFile(source);
  const sources: SourceFile[] = [source];
  const diagnostics: Diagnostic[] = [...parsed.diagnostics];
  /** By the name as a source, as the caller calls it. */
  const givenNames = new Map([[source.name, given.name]]);
  const known = new Map<string, readonly File[] | ImportRefusal>([[source.name, [parsed.file]]]);
  /** What of the library was read, by the names of its files; null until something is imported from it. */
  let libraryFiles: Map<string, File> | null = null;
  const library = (wanted: readonly string[]): readonly File[] => {
    if (libraryFiles === null) sources.push(...[...librarySources].map(([name, text]) => ({ name, text })));
    const files = (libraryFiles ??= new Map());
    return sourcesDeclaring(wanted).map((source) => {
      const file = files.get(source.name) ?? parseFile(source).file;
      files.set(source.name, file);
      return file;
    });
  };
  const read = (other: SourceFile, name: string): readonly File[] | ImportRefusal => {
    const { file, diagnostics: mistakes } = parseFile(other);
    // What does not read as a program may be anything, and nobody asked for its text: no frame shows it.
    if (hasErrors(mistakes) && file.imports.length + file.decls.length + file.models.length === 0) {
      const message = `${JSON.stringify(name)} is not a module: nothing in it is declared as moec declares it`;
      return { code: 'MOE0766', message, help: 'import a .moe file' };
    }
    sources.push(other);
    diagnostics.push(...mistakes);
    return [file];
  };
  const remember = (key: string, make: () => readonly File[] | ImportRefusal): readonly File[] | ImportRefusal => {
    const before = known.get(key);
    const files = before ?? make();
    if (before === undefined) known.set(key, files);
    return files;
  };
  const imports: CheckFiles['resolve'] = (name, from, wanted) => {
    if (name === 'std') return library(wanted);
    const found = options.resolve?.(name, givenNames.get(from) ?? from) ?? null;
    if (found === null || 'code' in found) return found;
    const other = ownSource(found);
    givenNames.set(other.name, found.name);
    return remember(other.name, () => read(other, name));
  };
  const unread = parsed.diagnostics.flatMap((d) => (d.span === undefined || d.severity !== 'error' ? [] : [d.span]));
  const checked = checkProgram(
    { main: parsed.file, resolve: imports },
    { unread, ...(options.model === undefined ? {} : { model: options.model }) },
  );
  if (checked.program !== null) verifyProgram(checked.program);
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
