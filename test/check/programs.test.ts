/**
 * Programs that are right: all published systems of `programs/` check without a word, and a few typed programs are held as
 * text, so that a change of what the checker hands on is seen.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { printProgram } from '../../dsl/check/print-program.ts';
import { checkText } from './support.ts';

const folder = fileURLToPath(new URL('./programs/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.moe'));
const read = (name: string): string => readFileSync(`${folder}${name}`, 'utf8');

describe('published systems', () => {
  test('there are all of them', () => expect(files.length).toBeGreaterThanOrEqual(51));

  test.each(files)('%s', (name) => {
    const { program, diagnostics } = checkText(read(name));
    expect(diagnostics.map((d) => `${d.code} ${d.message}`)).toEqual([]);
    expect(program?.entries.length).toBeGreaterThan(0);
  });
});

describe('typed programs', () => {
  test.each(['mixtral', 'deepseek-v3', 'moepp', 'rexmoe', 'rmoe', 'composition', 'uoe-smha', 'home'])(
    '%s',
    async (name) => {
      const { program } = checkText(read(`${name}.moe`));
      const text = program === null ? 'no program' : printProgram(program);
      await expect(text).toMatchFileSnapshot(`./programs/${name}.program.txt`);
    },
  );
});
