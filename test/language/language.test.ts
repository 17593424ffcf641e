/**
 * LANGUAGE.md is right and whole: each example does what its tag promises, on the reference interpreter and on the kernels; the
 * parts made from the source are current; and every operation, library member, reserved word and form of declaration occurs.
 * The examples of SEMANTICS.md do what their tags promise too; those without a model stand in the context of LANGUAGE.md.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { checkProgram } from '../../dsl/check/check-program.ts';
import { isCode } from '../../dsl/diagnostics/catalogue.ts';
import { hasErrors } from '../../dsl/diagnostics/diagnostic.ts';
import { primitives } from '../../dsl/primitives/primitive-table.ts';
import { libraryFiles } from '../../dsl/std/library.ts';
import { lex } from '../../dsl/syntax/lex.ts';
import { parseFile } from '../../dsl/syntax/parse-file.ts';
import { keywords } from '../../dsl/syntax/tokens.ts';
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import { documentPath, libraryMembers, madeDocument, semanticsPath } from './document.ts';
import { readExamples, readValues, wholeText, type Example, type WrittenValue } from './examples.ts';
import { diagnosticsOf, differences, onKernels, onReference, preparedOf, ready, type Results } from './support.ts';

const examples = readExamples();
const context = examples.find((e) => e.kind === 'context')?.text ?? '';
const files = new Map(examples.filter((e) => e.kind === 'file').map((e) => [e.of, e.text]));
const titled = (document: string, all: readonly Example[]) =>
  all.map((example) => ({ example, title: `${document}, line ${example.line}: ${example.text.split('\n')[0] ?? ''}` }));
const named = titled('LANGUAGE.md', examples);
const both = [...named, ...titled('SEMANTICS.md', readExamples(semanticsPath))];
const ofKind = (all: typeof named, kinds: readonly string[]) =>
  all.filter(({ example }) => kinds.includes(example.kind));
const of = (...kinds: readonly string[]) => ofKind(both, kinds);

const complaints = (text: string): readonly string[] =>
  diagnosticsOf(text, { files }).map((d) => `${d.code} ${d.message}: ${text.slice(d.span?.start, d.span?.end)}`);

describe('examples', () => {
  test.each(of('model', 'context', 'body', 'run'))('$title', ({ example }) => {
    expect(complaints(wholeText(example, context))).toEqual([]);
  });

  test.each(of('file'))('$title', ({ example }) => {
    const parsed = parseFile({ name: example.of, text: example.text });
    const { diagnostics } = checkProgram({ main: parsed.file, resolve: () => libraryFiles() }, { library: true });
    expect([...parsed.diagnostics, ...diagnostics].filter((d) => hasErrors([d]))).toEqual([]);
  });
});

describe('wrong examples give their one diagnostic', () => {
  test.each(of('fails'))('$title', ({ example }) => {
    expect(isCode(example.of)).toBe(true);
    expect(complaints(wholeText(example, context)).map((c) => c.slice(0, 7))).toEqual([example.of]);
  });
});

describe('examples with values', () => {
  test.each(of('run'))('$title', async ({ example }) => {
    const prepared = preparedOf(example.text);
    const { given, expected } = readValues(example.values);
    expect(expected.length).toBeGreaterThan(0);
    const inputs = new Set(prepared.entry.elaborated.inputs.map((i) => i.name));
    const elements = new Map(prepared.manifest.entries[0]?.inputs.map((i) => [i.name, i.element]));
    const tensor = (v: WrittenValue): NamedTensor => ({
      element: elements.get(v.name) ?? 'f32',
      shape: v.shape,
      data: Float64Array.from(v.numbers),
    });
    const stores = prepared.manifest.stores.filter((s) => s.initial === null && s.kind === 'param').map((s) => s.path);
    expect(given.map((v) => v.name)).toEqual(expect.arrayContaining([...inputs, ...stores]));
    const run = ready(prepared, {
      inputs: new Map(given.filter((v) => inputs.has(v.name)).map((v) => [v.name, tensor(v)])),
      stores: new Map(given.filter((v) => !inputs.has(v.name)).map((v) => [v.name, Float64Array.from(v.numbers)])),
    });
    const reference = await onReference(run);
    expect(expected.flatMap((v) => unlike(v, reference))).toEqual([]);
    expect(differences(run, await onKernels(run), reference)).toEqual([]);
  });
});

function unlike(written: WrittenValue, results: Results): readonly string[] {
  const { name, shape, numbers, tolerance } = written;
  const result = results.get(name);
  if (result === undefined) return [`there is no ${name}, but ${[...results.keys()].join(', ')}`];
  if (result.shape.join() !== shape.join())
    return [`${name} is [${result.shape.join(', ')}]: ${[...result.data].join(', ')}`];
  const off = numbers.some(
    (n, i) => !(n === result.data[i] || Math.abs((result.data[i] ?? NaN) - n) <= (tolerance[i] ?? 0)),
  );
  return off ? [`${name} = ${[...result.data].join(', ')}, not ${numbers.join(', ')}`] : [];
}

test('both documents have examples of values and of mistakes', () => {
  for (const document of ['LANGUAGE.md', 'SEMANTICS.md'])
    for (const kind of ['body', 'run', 'fails'])
      expect(of(kind).filter(({ title }) => title.startsWith(document)).length, `${document}: ${kind}`).toBeGreaterThan(
        0,
      );
});

test('the parts made from the source are current (npx tsx test/language/document.ts)', async () => {
  const text = readFileSync(documentPath, 'utf8');
  expect(await madeDocument(text)).toBe(text);
});

describe('the page is whole', () => {
  const right = ofKind(named, ['model', 'file', 'context', 'body', 'run']).map(({ example }) => example.text);
  const words = new Set(right.flatMap((text) => lex({ name: '', text }).tokens.map((t) => t.image)));
  const all = right.join('\n');

  test('every operation occurs', () => {
    const written = primitives.filter((p) => p.surface.length > 0);
    expect(written.flatMap((p) => p.surface).filter((name) => !words.has(name))).toEqual([]);
    const document = readFileSync(documentPath, 'utf8');
    expect(primitives.filter((p) => !document.includes(p.documentation.summary)).map((p) => p.name)).toEqual([]);
  });

  test('every member of the library occurs', () => {
    const declared = libraryFiles().flatMap((file) => file.decls.flatMap((d) => ('name' in d ? [d.name.text] : [])));
    expect(libraryMembers().map((m) => m.name)).toEqual(declared);
    expect(declared.filter((name) => !words.has(name))).toEqual([]);
  });

  test('every reserved word occurs', () => {
    expect([...keywords.keys()].filter((word) => !words.has(word))).toEqual([]);
  });

  test('every form of declaration occurs', () => {
    const forms: readonly (readonly [string, RegExp])[] = [
      ['dynamic axis', /^\s*axis T( |$|,)/m],
      ['derived axis', /\w+ = ceil\(T/],
      ['named points', /= \((low|text), \w+\)/],
      ['union', /experts \w+\[\w+\] = \w+ \| \w+/],
      ['single instance', /experts shared = /],
      ['instance of a fn', /fn \w+ = \w+</],
      ['instance of a router', /router \w+ = \w+</],
      ['fn family', /fn \w+\[\w+\]\(/],
      ['named index', /fn \w+\[l in L\]\(/],
      ['template fn', /fn \w+<\w+>\(/],
      ['template router', /router \w+<[^>]+>\(/],
      ['number parameter with a default', /<F, scale = 1>/],
      ['record result', /-> \(y: \[/],
      ['tuple result', /-> \(\[T, A\], \[T\]\)/],
      ['extern expert', /extern expert \w+\[E\]\(/],
      ['extern fn', /extern fn /],
      ['frozen', /\] frozen/],
      ['decoder', /from mxfp4\(/],
      ['route with a source', /route\[T -> E\]/],
    ];
    expect(forms.filter(([, form]) => !form.test(all)).map(([name]) => name)).toEqual([]);
  });
});
