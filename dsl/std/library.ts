/** The library as syntax trees: what `import { … } from "std"` searches. Parsed once, when it is first asked for. */
import { CompilerBug } from '../diagnostics/bug.ts';
import type { File } from '../syntax/ast.ts';
import { parseFile } from '../syntax/parse-file.ts';
import type { SourceFile } from '../diagnostics/source-file.ts';
import { librarySources } from './sources.generated.ts';

/** The library's files, named `std/experts.moe` and so on: for rendering diagnostics that point into them. */
export const librarySourceFiles: readonly SourceFile[] = [...librarySources].map(([name, text]) => ({ name, text }));

let parsed: readonly File[] | null = null;

export function libraryFiles(): readonly File[] {
  parsed ??= librarySourceFiles.map((source) => {
    const { file, diagnostics } = parseFile(source);
    const [first] = diagnostics;
    if (first !== undefined)
      throw new CompilerBug('parse', `the library does not parse: ${source.name}: ${first.message}`);
    return file;
  });
  return parsed;
}
