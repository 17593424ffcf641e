/** The README keeps its word: its commands run as written, its program is the example's, its links lead somewhere. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { callMoec, moec, root, scratch } from './support.ts';

const readme = readFileSync(join(root, 'README.md'), 'utf8');
const blocks = (tag: string): readonly string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${tag}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, text = '']) => text);

let folder: ReturnType<typeof scratch>;
beforeAll(() => (folder = scratch()));
afterAll(() => folder.remove());

test('the program is the example', () => {
  expect(blocks('moe')).toEqual([readFileSync(join(root, 'examples', 'mixtral', 'model.moe'), 'utf8')]);
});

test('the tour runs, line by line', async () => {
  const lines = blocks('sh')
    .flatMap((text) => text.split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim());
  const commands = lines.filter((line) => line !== '');
  expect(commands.length).toBeGreaterThan(8);
  for (const [i, command] of commands.entries()) {
    const [name, ...args] = command.split(/\s+/);
    expect(name).toBe('moec');
    // That a process ends so, the first of them shows, and `test/cli/verbs.test.ts` of each verb.
    const ended = await (i === 0 ? moec : callMoec)(args, { cwd: folder.path });
    expect(ended.code, `${command}\n${ended.stderr}`).toBe(0);
  }
  expect(existsSync(join(folder.path, 'build', 'model.js'))).toBe(true);
}, 180_000);

test('the scripts it names are there', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const [, name = ''] of readme.matchAll(/npm run (\S+?)[`\s]/g)) expect(Object.keys(scripts)).toContain(name);
});

test('the links lead somewhere', () => {
  for (const [, link = ''] of readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g))
    expect(existsSync(join(root, link)), link).toBe(true);
});
