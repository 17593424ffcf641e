/** The changelog names the tests that hold what it says: each of them exists, and most paragraphs name one. */
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
