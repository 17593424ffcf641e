/** What the tree says in words: its documents, and the comments of its sources. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { allFiles, root } from './files.ts';

export interface Prose {
  readonly file: string;
  readonly text: string;
}

/** Comments of a source, one after the other; what follows `://` is an address. */
function commentsOf(source: string): string {
  return [...source.matchAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/[^\n]*/g)].map(([comment]) => comment).join('\n');
}

/** A document without its blocks of code, whose files are the reader's. */
function withoutCode(document: string): string {
  return document.replace(/^```[\s\S]*?^```/gm, '');
}

/** Documents and comments, without the cases of original systems, which are data. */
export function proseOfTree(): readonly Prose[] {
  return allFiles()
    .filter(
      (file) => /\.(md|ts|mjs)$/.test(file) && !file.includes('generated') && !file.startsWith('test/goldens/cases'),
    )
    .map((file) => {
      const text = readFileSync(join(root, file), 'utf8');
      return { file, text: file.endsWith('.md') ? withoutCode(text) : commentsOf(text) };
    });
}
