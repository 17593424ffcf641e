/**
 * Old words stay away: an identifier of the last column of GLOSSARY.md that is gone from the sources may not come back. The list
 * has those that are gone for good; a word that the glossary lists and the sources still have is not on it yet.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { root, sourceFiles } from './files.ts';

/** An identifier that is gone, and the word that took its place. Whole identifiers, as they are written. */
const gone: Readonly<Record<string, string>> = {
  Algebra: 'Backend',
  Bench: 'GraphFixture or PlanFixture',
  BufferPlace: 'a binding',
  Env: 'NameScope or PointScope',
  Lowering: 'OpLowering or ExprEmitter',
  Scope: 'NameScope or InstanceScope',
  Word: 'StorageType',
  Workshop: 'LoweringContext',
  Walk: 'Instantiation',
  algebra: 'a backend',
  amplified: 'recomputed',
  habit: 'a foreign idiom',
  habitHelp: 'foreignSyntaxHelp',
  judge: 'a comparer, or to compare',
  judged: 'compared',
  judging: 'a comparison',
  leaf: 'a graph input',
  passing: 'inlined',
  recut: 'reindex',
  recutRoute: 'reindexRoute',
  refines: 'refinedBy',
  shop: 'cx, of a LoweringContext',
  supports: 'presences',
  verdict: 'a comparison',
  verdicts: 'comparisons',
  walk: 'to instantiate, or to visit',
};

function identifiersOf(file: string): ReadonlySet<string> {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.ES2022);
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) found.add(node.text.replace(/^#/, ''));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

it('no identifier is an old word of the glossary', () => {
  const files = sourceFiles(['dsl', 'compiler', 'runtime']);
  expect(files.length).toBeGreaterThan(200);
  const back = files.flatMap((file) =>
    [...identifiersOf(file)]
      .filter((name) => Object.hasOwn(gone, name))
      .map((name) => `${file}: ${name} is ${gone[name]} now`),
  );
  expect(back).toEqual([]);
});

it('every word on the list is an old word in the glossary', () => {
  const old = readFileSync(join(root, 'GLOSSARY.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').at(-2)?.toLowerCase() ?? '');
  const unknown = Object.keys(gone).filter(
    (word) => !old.some((cell) => cell.split(/[\s,()]+/).includes(word.toLowerCase())),
  );
  expect(unknown).toEqual([]);
});
