/**
 * Texts that nobody would write. Whatever the text: no exception; places inside it; and either an error, or a tree
 * that prints to a text with the same tree.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasErrors } from '../../dsl/diagnostics/diagnostic.ts';
import { renderAll } from '../../dsl/diagnostics/render.ts';
import { decodeSource } from '../../dsl/syntax/decode.ts';
import { parseFile } from '../../dsl/syntax/parse-file.ts';
import { format, printFile } from '../../dsl/syntax/print-ast.ts';
import { programs, withoutSpans } from './support.ts';

/** The same texts on every run: a failure is then a change. Another seed, tried by hand, looks elsewhere. */
const fixed = { seed: 20 };

function holds(text: string): void {
  const source = { name: 'fuzz.moe', text };
  const { file, diagnostics, comments } = parseFile(source);
  for (const { span, labels, fix } of diagnostics)
    for (const place of [span, ...labels.map((label) => label.span), ...(fix ?? []).map((edit) => edit.span)]) {
      if (place === undefined) continue;
      expect(place.start).toBeGreaterThanOrEqual(0);
      expect(place.end).toBeGreaterThanOrEqual(place.start);
      expect(place.end).toBeLessThanOrEqual(text.length);
    }
  renderAll(diagnostics, [source]);
  if (hasErrors(diagnostics)) return;
  const printed = printFile(file, source, comments);
  const again = parseFile({ name: 'fuzz.moe', text: printed });
  expect(again.diagnostics.filter((d) => d.severity === 'error')).toEqual([]);
  expect(withoutDocs(withoutSpans(again.file))).toBe(withoutDocs(withoutSpans(file)));
  expect(again.comments.map((comment) => comment.text).toSorted()).toEqual(
    comments.map((comment) => comment.text).toSorted(),
  );
  const twice = format({ name: 'fuzz.moe', text: printed });
  expect(twice.ok && twice.text).toBe(printed);
}

/** A `///` that stood in the middle of a declaration is printed before it, and documents it from then on. */
function withoutDocs(tree: string): string {
  return tree.replaceAll(/,?\n *"docs": ".*"/g, '');
}

const words =
  'model import from axis const param state input expert experts router fn extern let update loss output chain in carrying collecting if else ' +
  "and or not true false as of frozen ( ) [ ] { } ( ) [ ] { } , , : : -> |> | == < > = + - * ** / % @ .. . x y T E T' f g route f32 0 1 2.5 " +
  '"w" "a.{E}" // \n \n \n /// ; # & λ \u202e 0x1 " ,\n { } = = x x';
const token = fc.constantFrom(...words.split(' '));

const grammatical: fc.Arbitrary<string> = fc.letrec<{ e: string; t: string }>((tie) => ({
  e: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom('x', 'y', '1', '2.5e-3', '"s"', 'true', "T'"),
    fc
      .tuple(
        tie('e'),
        fc.constantFrom('+', '-', '*', '/', '%', '**', '@', '==', '<', 'and', 'or', '\n+', '\n@'),
        tie('e'),
      )
      .map(([a, o, b]) => `(${a}) ${o} (${b})`),
    fc.tuple(tie('e'), fc.constantFrom('+', '@', '*', '**'), tie('e')).map(([a, o, b]) => `(${a} ${o} ${b})`),
    tie('e').map((a) => `(-${a})`),
    tie('e').map((a) => `(not (${a}))`),
    fc.tuple(tie('e'), tie('e')).map(([a, b]) => `f(${a}, over: ${b})`),
    fc.tuple(tie('e'), tie('e')).map(([a, b]) => `g[T: (${a}) .. (${b}) as W](${b}, // why\n (A, B): C)`),
    fc.tuple(tie('e'), tie('e')).map(([a, b]) => `(${a}, ${b})`),
    fc.tuple(tie('e'), tie('e')).map(([a, b]) => `(${a} |> f(${b})\n |> g)`),
    fc.tuple(tie('e'), tie('e'), tie('e')).map(([a, b, c]) => `(if (${a}) { ${b} } else { ${c} })`),
    fc
      .tuple(tie('e'), tie('e'))
      .map(([a, b]) => `(chain l in L carrying h: ${'[T]'} = ${a} {\n let p = ${b} // here\n h })`),
  ),
  t: fc.constant(''),
})).e;

describe('fuzz', () => {
  it('soups of tokens', () => {
    fc.assert(
      fc.property(fc.array(token, { maxLength: 60 }), (tokens) => holds(tokens.join(' '))),
      { ...fixed, numRuns: 400 },
    );
  });
  it('soups in a body', () => {
    fc.assert(
      fc.property(fc.array(token, { maxLength: 25 }), (tokens) =>
        holds(`model M {\n fn f(x: [T]) -> [T] {\n ${tokens.join(' ')} } }`),
      ),
      { ...fixed, numRuns: 300 },
    );
  });
  it('any characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => holds(text)),
      { ...fixed, numRuns: 300 },
    );
  });
  it('expressions print to themselves', () => {
    fc.assert(
      fc.property(grammatical, (e) => holds(`fn f(x: [T]) -> [T] { let a = ${e}\n a + (${e}) }`)),
      { ...fixed, numRuns: 300 },
    );
  });
  it('programs with pieces cut out, doubled and moved', () => {
    const pick = fc.nat();
    fc.assert(
      fc.property(
        pick,
        pick,
        fc.nat(12),
        pick,
        fc.constantFrom('', ' ', '\n', '// c\n', ', ', ' ) ', ' { '),
        (which, from, length, to, glue) => {
          const text = programs[which % programs.length]?.text ?? '';
          const start = from % text.length;
          const piece = text.slice(start, start + length);
          const rest = text.slice(0, start) + glue + text.slice(start + length);
          const at = to % rest.length;
          holds(rest);
          holds(rest.slice(0, at) + piece + rest.slice(at));
        },
      ),
      { ...fixed, numRuns: 150 },
    );
  });
  it('programs with bytes changed', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (which, changes) => {
          const bytes = new TextEncoder().encode(programs[which % programs.length]?.text ?? '');
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          const decoded = decodeSource('fuzz.moe', bytes);
          if (decoded.ok) holds(decoded.source.text);
          else renderAll(decoded.diagnostics, []);
        },
      ),
      { ...fixed, numRuns: 200 },
    );
  });
});
