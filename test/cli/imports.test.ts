/** Which files a program may import, from where the paths count, and what is never shown of the others. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadProject } from '../../compiler/cli/running/project.ts';
import { renderAll } from '../../dsl/diagnostics/render.ts';
import { scratch } from './support.ts';

let folder: ReturnType<typeof scratch>;
beforeEach(() => (folder = scratch()));
afterEach(() => folder.remove());

function put(name: string, text: string): string {
  const path = join(folder.path, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

const main = (...imports: readonly string[]): string =>
  `${imports.join('\n')}\nmodel M {\n  axis T, D = 2\n  fn a = A<>\n  forward(x: [T, D]) -> [T, D] { a(x) }\n}\n`;
const twice = 'fn A<>(x: [D]) -> [D] { 2 * x }\n';

/** Codes of what is wrong with a program, and all that would be shown of it. */
async function checked(path: string, root?: string) {
  const { diagnostics, sources, program } = await loadProject(path, root === undefined ? {} : { root });
  return {
    good: program !== null,
    codes: diagnostics.map((d) => d.code),
    told: renderAll(diagnostics, sources),
    sources: sources.map((s) => s.name),
  };
}

test('a path counts from the file that says it, and a file is one source under all its names', async () => {
  const path = put('main.moe', main('import { A } from "./sub/a.moe"', 'import { B } from "./sub/../sub/b.moe"'));
  put('sub/a.moe', 'import { B } from "./b.moe"\nfn A<>(x: [D]) -> [D] {\n  fn b = B<>\n  b(x)\n}\n');
  put('sub/b.moe', 'fn B<>(x: [D]) -> [D] { 2 * x }\n');
  const { good, sources } = await checked(path);
  expect(good).toBe(true);
  expect(sources.filter((name) => name.endsWith('b.moe'))).toHaveLength(1);
});

test('files that import one another are read once', async () => {
  const path = put('main.moe', main('import { A } from "./a.moe"'));
  put('a.moe', `import { C } from "./b.moe"\n${twice}`);
  put('b.moe', 'import { A } from "./a.moe"\nfn C<>(x: [D]) -> [D] { x }\n');
  expect((await checked(path)).good).toBe(true);
});

test('what lies above the folder of the program is read only below --root', async () => {
  const path = put('models/main.moe', main('import { A } from "../lib/a.moe"'));
  put('lib/a.moe', twice);
  const refused = await checked(path);
  expect(refused.codes).toContain('MOE0765');
  expect(refused.told).toContain('--root');
  expect((await checked(path, folder.path)).good).toBe(true);
  expect((await checked(path, join(folder.path, 'models'))).codes).toContain('MOE0765');
});

test.each([
  ['through a link to a file', (at: (name: string) => string) => symlinkSync(at('secret.moe'), at('inside/a.moe'))],
  ['through a link to a folder', (at: (name: string) => string) => symlinkSync(at('.'), at('inside/up'))],
])('nothing outside is read %s', async (_, link) => {
  put('secret.moe', 'password = hunter2\n');
  const way = _.includes('folder') ? './up/secret.moe' : './a.moe';
  const path = put('inside/main.moe', main(`import { A } from "${way}"`));
  link((name) => join(folder.path, name));
  const { codes, told } = await checked(path);
  expect(codes).toContain('MOE0765');
  expect(told).not.toContain('hunter2');
});

test('a link that stays inside is followed', async () => {
  const path = put('main.moe', main('import { A } from "./link.moe"'));
  put('real/a.moe', twice);
  symlinkSync('real/a.moe', join(folder.path, 'link.moe'));
  expect((await checked(path)).good).toBe(true);
});

test.each([
  ['above', '../secret.txt', 'MOE0765'],
  ['beside', './secret.txt', 'MOE0766'],
  ['with the ending of a module', './secret.moe', 'MOE0766'],
  ['that is not UTF-8', './latin.moe', 'MOE0766'],
  ['that is absolute', '/etc/hostname', 'MOE0209'],
  ['that is a folder', './sub', 'MOE0209'],
  ['that is a folder called as a module', './sub.moe', 'MOE0209'],
  ['that is a pipe', './pipe.moe', 'MOE0209'],
  ['that is not there', './nothing.moe', 'MOE0209'],
])('the text of a file %s is not shown', async (_, name, code) => {
  put('secret.txt', 'password = hunter2\n');
  put('in/secret.txt', 'password = hunter2\n');
  put('in/secret.moe', 'password = hunter2\n');
  writeFileSync(join(folder.path, 'in', 'latin.moe'), Buffer.from([0x68, 0x75, 0x6e, 0x74, 0x65, 0x72, 0x32, 0xff]));
  mkdirSync(join(folder.path, 'in', 'sub'));
  mkdirSync(join(folder.path, 'in', 'sub.moe'));
  execFileSync('mkfifo', [join(folder.path, 'in', 'pipe.moe')]);
  const path = put('in/main.moe', main(`import { A } from "${name}"`));
  const { codes, told, sources } = await checked(path);
  expect(codes).toContain(code);
  expect(told).toContain('main.moe:1:19');
  expect(told).not.toContain('hunter2');
  expect(sources.every((source) => source.endsWith('main.moe'))).toBe(true);
});

test('mistakes of an imported module are shown with its text', async () => {
  const path = put('main.moe', main('import { A } from "./a.moe"'));
  put('a.moe', `${twice}fn B<>(x: [D]) -> [D] { 2 * * x }\n`);
  const { told } = await checked(path);
  expect(told).toContain('a.moe:2:');
  expect(told).toContain('2 * * x');
});
