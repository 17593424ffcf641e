/**
 * What comments and documents refer to exists: sections of SEMANTICS.md, files, scripts, headings. A reader who follows a reference
 * of the tree arrives.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { proseOfTree, type Prose } from './comments.ts';
import { allFiles, root } from './files.ts';

const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const prose = proseOfTree();

describe('SEMANTICS.md', () => {
  const numbers = [...read('SEMANTICS.md').matchAll(/^#{2,3} (\d+(?:\.\d+)?) \S/gm)].map(([, number = '']) => number);

  it('is numbered without a gap', () => {
    let [chapter, section] = [0, 0];
    const expected = numbers.map((number) => {
      [chapter, section] = number.includes('.') ? [chapter, section + 1] : [chapter + 1, 0];
      return section === 0 ? `${chapter}` : `${chapter}.${section}`;
    });
    expect(numbers.length).toBeGreaterThan(40);
    expect(numbers).toEqual(expected);
  });

  it('has every section that is cited', () => {
    const cited = prose.flatMap(citations);
    expect(cited.filter(({ number }) => !numbers.includes(number))).toEqual([]);
    expect(new Set(cited.map(({ file }) => file)).size).toBeGreaterThan(20);
  });

  it('has every section that the glossary names', () => {
    const [, words = ''] = /^## The language$([\s\S]*?)^## /m.exec(read('GLOSSARY.md')) ?? [];
    const named = [...words.matchAll(/\|\s*(\d+\.\d+(?:, \d+\.\d+)*)\s*\|$/gm)].flatMap(([, list = '']) =>
      list.split(', '),
    );
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((number) => !numbers.includes(number))).toEqual([]);
  });

  it('is what is cited, not a design of it', () => {
    const design = ['core', 'md'].join('.');
    expect(prose.filter(({ text }) => text.includes(design)).map(({ file }) => file)).toEqual([]);
  });
});

/** `SEMANTICS 5.2 and 5.5`, also where a line of a comment ends in between. */
function citations({ file, text }: Prose): readonly { readonly file: string; readonly number: string }[] {
  const flat = text.replace(/\n\s*(?:\*(?!\/)|\/\/)?\s*/g, ' ');
  const found = flat.matchAll(/SEMANTICS (\d+(?:\.\d+)?(?:(?:, | and | to )\d+(?:\.\d+)?)*)/g);
  return [...found].flatMap(([, list = '']) => list.split(/, | and | to /).map((number) => ({ file, number })));
}

describe('files that are named', () => {
  const files = allFiles();
  const known = new Set(files);
  const folders = new Set(files.flatMap(foldersOf));
  /** Files of a reader's own, which examples of use name, and one that a test writes. */
  const elsewhere = new Set([
    'file.moe',
    './layers.moe',
    './other.moe',
    'model.safetensors.index.json',
    '.cache/gpu.json',
  ]);
  /** A place for a name: `plans/NAME.moe`, `explain/MOEnnnn.md`. */
  const isPattern = (name: string): boolean => /NAME|MOEnnnn/.test(name);

  it('exist', () => {
    const named = prose.flatMap(({ file, text }) => namedFiles(text).map((name) => ({ file, name })));
    const missing = named.filter(({ file, name }) => !elsewhere.has(name) && !isPattern(name) && !exists(name, file));
    expect(missing).toEqual([]);
    expect(named.length).toBeGreaterThan(300);
  });

  it('exist as folders too', () => {
    const named = prose.flatMap(({ file, text }) =>
      [...text.matchAll(/`((?:dsl|compiler|runtime|test|examples)\/[\w./*-]*)`/g)].map(([, name = '']) => ({
        file,
        name,
      })),
    );
    const missing = named.filter(({ file, name }) => !folders.has(name.replace(/\/$/, '')) && !exists(name, file));
    expect(missing).toEqual([]);
  });

  /** A bare name of a source leads to one that a reader finds from where it is named, not to some file of that name elsewhere. */
  it('are near, where only the name is given', () => {
    const named = prose.flatMap(({ file, text }) =>
      linesOf(file, text).flatMap((line) =>
        namedFiles(line).flatMap((name) => (isBareSource(name) ? [{ file, name, line }] : [])),
      ),
    );
    const far = named.filter(({ file, name, line }) => exists(name, file) && !isNear(name, file, line));
    expect(far.map(({ file, name }) => ({ file, name }))).toEqual([]);
    expect(named.length).toBeGreaterThan(100);
  });

  /** By its path from the root, from the file that names it, or by the end of its path. `*` stands for any text of a name. */
  function exists(name: string, from: string): boolean {
    if (known.has(name) || known.has(normalize(join(dirname(from), name)))) return true;
    if (name.includes('*')) return files.some((file) => globOf(name).test(file));
    const end = `/${name.replace(/^(?:\.\/)+/, '')}`;
    return files.some((file) => file.endsWith(end));
  }

  /**
   * Of a source that names it: in its folder, below or above it, or imported by it. Of a document: in its folder, or in or below a
   * folder that the line names. `text`: the line of the document.
   */
  function isNear(name: string, from: string, text: string): boolean {
    if (known.has(name)) return true;
    const homes = files.filter((file) => file.endsWith(`/${name}`)).map(dirname);
    if (from.endsWith('.md')) {
      const named = homes.flatMap((home) => [home, ...foldersOf(home)].filter((folder) => folder.includes('/')));
      return homes.includes(dirname(from)) || named.some((folder) => text.includes(folder));
    }
    const here = dirname(from);
    const isAround = (home: string): boolean => `${home}/`.startsWith(`${here}/`) || `${here}/`.startsWith(`${home}/`);
    return homes.some(isAround) || read(from).includes(`/${name}'`);
  }

  it('would be found missing', () => {
    const text = 'see `compiler/passes/no-such-pass.ts`, no-such-file.ts and sparsify.ts';
    const missing = namedFiles(text).filter((name) => !exists(name, 'README.md'));
    expect(missing).toEqual(['compiler/passes/no-such-pass.ts', 'no-such-file.ts']);
  });

  it('would be found far', () => {
    // There is a compiler/api/interpret.ts.
    expect(exists('interpret.ts', 'compiler/kernel/arithmetic.ts')).toBe(true);
    expect(isNear('interpret.ts', 'compiler/kernel/arithmetic.ts', '')).toBe(false);
    expect(isNear('simplify.ts', 'compiler/kernel/arithmetic.ts', '')).toBe(true);
    expect(isNear('kernel-ir.ts', 'compiler/wgsl/print-wgsl.ts', '')).toBe(true);
    expect(isNear('lex.ts', 'README.md', 'tokens (`dsl/primitives`): lex.ts')).toBe(false);
    expect(isNear('lex.ts', 'README.md', 'tokens (`dsl/syntax`): lex.ts')).toBe(true);
  });
});

/** A document is read line by line; a comment is one text. */
function linesOf(file: string, text: string): readonly string[] {
  return file.endsWith('.md') ? text.split('\n') : [text];
}

/** A source's name without a folder. */
function isBareSource(name: string): boolean {
  return /^[\w-]+(?:\.[\w-]+)*\.(?:ts|mjs)$/.test(name);
}

/** Names of sources, documents, programs and data in a text. What stands behind a scheme or an option is none. */
function namedFiles(text: string): readonly string[] {
  const pattern = /(?<![\w./*{}$-])((?:[\w.*-]+\/)*[\w*-]+(?:\.[\w*-]+)*\.(?:ts|mjs|md|moe|json|svg))(?![\w/])/g;
  // `psr.ts` is a name of its paper.
  return [...text.matchAll(pattern)].flatMap(([, name = '']) => (name === 'psr.ts' ? [] : [name]));
}

/** `*` stands for any text of one name. */
function globOf(name: string): RegExp {
  const parts = name.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`(?:^|/)${parts.join('[^/]*')}$`);
}

function foldersOf(file: string): readonly string[] {
  const folder = dirname(file);
  return folder === '.' ? [] : [folder, ...foldersOf(folder)];
}

it('every script that is named is one of package.json', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };
  const text = allFiles().filter((file) => /\.(md|ts|mjs|moe|yml|sh)$|^\.ci\//.test(file));
  const named = text.flatMap((file) =>
    [...read(file).matchAll(/npm run ([\w:-]+)/g)].map(([, name = '']) => ({ file, name })),
  );
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter(({ file, name }) => !(name in scripts) && basename(file) !== 'citations.test.ts')).toEqual([]);
});

describe('links between documents', () => {
  const files = allFiles();
  const documents = files.filter((file) => /^[^/]+\.md$/.test(file));

  it.each(documents)('of %s lead to a file and a heading', (document) => {
    const links = [...withoutLinksInCode(read(document)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
    const broken = links
      .filter((link) => !/^https?:/.test(link))
      .filter((link) => {
        const [path = '', anchor] = link.split('#');
        const file = path === '' ? document : normalize(join(dirname(document), path)).replace(/\/$/, '');
        if (!files.some((known) => known === file || known.startsWith(`${file}/`))) return true;
        return anchor !== undefined && !anchorsOf(read(file)).includes(anchor);
      });
    expect(broken).toEqual([]);
  });

  function withoutLinksInCode(text: string): string {
    return text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[\]()]/g, ''));
  }

  /** Headings as addresses: lower case, signs left out, spaces as hyphens. */
  function anchorsOf(text: string): readonly string[] {
    return [...withoutLinksInCode(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    );
  }
});
