/** The changelog names the tests that hold what it says: every paragraph names one, and each of them exists. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { allFiles, root } from './files.ts';

const text = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');

it('names files that exist', () => {
  const files = allFiles();
  const named = [...text.matchAll(/`([\w/.-]+\.(?:ts|moe|mjs))`/g)].flatMap(([, name]) => name ?? []);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((name) => !files.some((file) => file === name || file.endsWith(`/${name}`)))).toEqual([]);
});

it('names in every paragraph a test, or a program that a test runs', () => {
  const paragraphs = text.split(/\n(?=- |#|\n)/).filter((paragraph) => paragraph.startsWith('- '));
  expect(paragraphs.length).toBeGreaterThan(60);
  const holds = /`(?:test\/[\w/.-]+|[\w-]+\.moe)`/;
  expect(paragraphs.filter((paragraph) => !holds.test(paragraph)).map((paragraph) => paragraph.slice(0, 80))).toEqual(
    [],
  );
});
