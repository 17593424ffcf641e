/** Several models, imports of files, the library, and `train`. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
// @ts-expect-error: plain JavaScript without declarations
import { generate } from '../../dsl/std/generate.mjs';
import { libraryFiles } from '../../dsl/std/library.ts';
import { checkText } from './support.ts';

const model = (name: string, decls = ''): string =>
  `model ${name} { axis T, D = 4\n ${decls}\n forward(x: [T, D]) -> [T, D] { x } }`;

describe('models', () => {
  test('one of several', () => {
    expect(checkText(`${model('A')}\n${model('B')}`, { model: 'B' }).program?.name).toBe('B');
  });

  test('a name that no model has', () => {
    const { places, diagnostics } = checkText(`${model('Mixtral')}\n${model('B')}`, { model: 'mixtral' });
    expect(places).toEqual(['MOE0212 1:1']);
    expect(diagnostics[0]?.help).toContain('Mixtral');
  });

  test('mistakes of all models are told, whichever is chosen', () => {
    const { places } = checkText(`${model('A', 'param w: [Q]')}\n${model('B')}`, { model: 'B' });
    expect(places).toEqual(['MOE0201 2:12']);
  });

  test('a library needs none', () => {
    expect(checkText('expert Copy(x: [D]) -> [D] { x }', { library: true }).diagnostics).toEqual([]);
  });

  test('of a file that could not be read as a whole, nothing is said to be missing', () => {
    const text = model('A', 'param w: [Q]\n param v: [D, D]');
    const at = (line: string) => [{ source: 'test.moe', start: text.indexOf(line), end: text.indexOf(line) + 1 }];
    expect(checkText(text, { unread: at('w: [Q]') }).places).toEqual(['MOE0301 3:15']);
    expect(checkText(text, { unread: at('v: [D') }).places).toEqual([]);
  });

  test('train is the first const of every model', () => {
    expect(checkText(model('A')).program?.declarations[0]).toMatchObject({
      kind: 'const',
      name: 'train',
      value: { value: false },
    });
  });
});

describe('imports', () => {
  const others = new Map([
    [
      './a.moe',
      'import { Inner } from "./b.moe"\nexpert Outer(x: [D]) -> [D] { experts inner = Inner\n inner(x) }\nexpert Wrong(x: [D]) -> [E] { x }',
    ],
    ['./b.moe', 'expert Inner(x: [D]) -> [D] { param w: [D]\n x * w }'],
  ]);

  test('of a file that imports another', () => {
    const text = `import { Outer } from "./a.moe"\n${model('M', 'experts ffn = Outer')}`;
    const { program, diagnostics } = checkText(text, { others });
    expect(diagnostics).toEqual([]);
    expect(program?.globals.map((d) => (d.kind === 'callable' ? d.name : d.kind))).toEqual(['Inner', 'Outer']);
  });

  test('mistakes of an imported declaration are told at their place, others are not', () => {
    expect(checkText(`import { Wrong } from "./a.moe"\n${model('M')}`, { others }).places).toEqual(['MOE0307 ./a.moe']);
  });

  test('files that import one another', () => {
    const circle = new Map([
      ['./a.moe', 'import { B } from "./b.moe"\nexpert A(x: [D]) -> [D] { B(x) }'],
      ['./b.moe', 'import { A } from "./a.moe"\nexpert B(x: [D]) -> [D] { A(x) }'],
    ]);
    const { diagnostics } = checkText(`import { A } from "./a.moe"\n${model('M')}`, { others: circle });
    expect(diagnostics.map((d) => d.code)).toEqual(['MOE0417']);
  });
});

describe('the library', () => {
  test('sources.generated.ts is current: run `node dsl/std/generate.mjs`', () => {
    const folder = fileURLToPath(new URL('../../dsl/std/', import.meta.url));
    expect(readFileSync(`${folder}sources.generated.ts`, 'utf8')).toBe(generate(folder));
  });

  const members = libraryFiles().flatMap((file) => file.decls.flatMap((d) => (d.kind === 'Callable' ? [d] : [])));

  test.each(members.map((m) => [m.name.text, m] as const))('%s is documented and checks', (name, member) => {
    expect(member.docs?.length).toBeGreaterThan(10);
    expect(checkText(`import { ${name} } from "std"\n${model('M')}`).diagnostics).toEqual([]);
  });
});
