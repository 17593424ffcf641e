/** Which files of the library an import is from: reading one costs more than checking what is taken from it. */
import type { SourceFile } from '../diagnostics/source-file.ts';
import { librarySources } from './sources.generated.ts';

/** What the library declares → the name of the file that does. */
export const libraryDeclarations: ReadonlyMap<string, string> = new Map(
  [...librarySources].flatMap(([file, text]) =>
    [...text.matchAll(/^(?:expert|fn|router) (\w+)/gm)].map(([, name = '']) => [name, file] as const),
  ),
);

/** The files that declare what is wanted, in the library's order; all of them if none declares a part of it, for who is told what there is. */
export function sourcesDeclaring(wanted: readonly string[]): readonly SourceFile[] {
  const homes = new Set(wanted.map((name) => libraryDeclarations.get(name)));
  return [...librarySources].flatMap(([name, text]) =>
    homes.has(name) || homes.has(undefined) ? [{ name, text }] : [],
  );
}
