/** A graph's text can be read back: of every example and of random programs, as elaborated and with domains, with places and without. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { elaborate } from '../../compiler/elaborate/elaborate.ts';
import { analyse } from '../../compiler/front-end.ts';
import type { Graph } from '../../compiler/graph/graph-ir.ts';
import { parseGraph } from '../../compiler/graph/parse-graph.ts';
import { printGraph, type PrintOptions } from '../../compiler/graph/print-graph.ts';
import { verifyGraph, verifySparse } from '../../compiler/graph/verify-graph.ts';
import { optimise } from '../../compiler/passes/pass-list.ts';
import type { SourceFile } from '../../dsl/diagnostics/source-file.ts';
import { makeProgram } from '../fuzz/program.ts';
import { runGraphText } from './run-text.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const names = readdirSync(examples, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [e.name] : []));

/** Every graph of a text: plain and full, of all entries. */
function graphsOf(source: SourceFile, resolve: (name: string) => SourceFile | null): readonly Graph[] {
  const { program, diagnostics } = analyse(source, { resolve });
  if (program === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
  const { entries } = elaborate(program, { overrides: new Map() }, () => {});
  return entries.flatMap(({ inference, withAux }) => (inference === withAux ? [inference] : [inference, withAux]));
}

function readsBack(graph: Graph): void {
  for (const spans of [false, true]) {
    const text = printGraph(graph, { spans });
    const { graph: again } = parseGraph(text);
    verifyGraph(again, 'parse');
    expect(printGraph(again, { spans })).toBe(text);
    // It is the same graph, not only the same text.
    if (spans) expect(again.nodes.map((n) => n.kind)).toEqual(graph.nodes.map((n) => n.kind));
  }
  const { graph: last, domains, materialised } = optimise(graph);
  const options: PrintOptions = { domains, materialised };
  const text = printGraph(last, options);
  const parsed = parseGraph(text);
  verifySparse(parsed, 'parse');
  expect(printGraph(parsed.graph, { domains: parsed.domains, materialised: parsed.materialised })).toBe(text);
  expect(parsed.materialised).toEqual(new Set([...materialised].sort((a, b) => a - b)));
}

test.each(names)('%s', (name) => {
  const read = (file: string): SourceFile => ({ name: file, text: readFileSync(join(examples, name, file), 'utf8') });
  for (const graph of graphsOf(read('model.moe'), read)) readsBack(graph);
});

it('random programs', () => {
  for (let seed = 0; seed < 25; seed++) {
    const { text } = makeProgram(seed);
    for (const graph of graphsOf({ name: 'model.moe', text }, () => null)) readsBack(graph);
  }
}, 60_000);

it('a check that some runs skip', () => {
  const text = [
    'graph g',
    '  axes T = T',
    '  %0 = input x : bool[T]',
    '  check holds %0 "x is false" MOE0723 at [T] for loss skip if noise given skip if gate.bias given',
    '',
  ].join('\n');
  const { graph } = parseGraph(text);
  expect(graph.checks.map((check) => check.skipIfGiven)).toEqual([['noise', 'gate.bias']]);
  expect(printGraph(graph)).toBe(text);
});

describe('what is no graph', () => {
  it.each([
    ['graph g\n  %0 = input x : f32[T]\n', 'line 2: no axis T'],
    ['graph g\n  %0 = twist %1 : f32[]\n', 'line 2: no operation twist'],
    ['graph g\n  %1 = constant 1 : f32[]\n', 'line 2: %1 stands where %0 belongs'],
    ['graph g\n  %0 = constant 1 2 : f32[]\n', 'line 2: too much'],
    ['graph g\n  hello\n', 'line 2: no line of a graph begins with hello'],
  ])('%j', (text, message) => {
    expect(() => parseGraph(text)).toThrow(message);
  });
});

it('a choice among candidates, of as many as a run says, by text and on the kernels', async () => {
  const text = `graph chosen
  axes T = T, E = 6, S = 3
  %0 = input x : f32[T, E]
  %1 = input open : bool[E]
  %2 = input most : i32[T]
  %3 = choose by %0 among %1 count %2 over E along S : i32[T, S]
  %4 = choose among %1 over (T, E) along S : i32[S]
  result y = %3 [T, S]
  result z = %4 [S]
`;
  expect(printGraph(parseGraph(text).graph)).toBe(text);
  const { compared, wrong } = await runGraphText(text, new Map([['T', 5]]), 3);
  expect(wrong).toBeNull();
  expect(compared).toBeGreaterThanOrEqual(18);
});

it('a text runs with made inputs, by the interpreter and by the kernels', async () => {
  const text = `graph routed
  axes T = T, E = 4, D = 3
  %0 = input x : f32[T, D]
  %1 = param w : f32[E, D]
  %2 = contract %1 %0 over D : f32[T, E]
  %3 = sort_rank by %2 desc over E : i32[T, E]
  %4 = constant 2 : i32[]
  %5 = lt %3 %4 : bool[T, E]
  %6 = presence %5 T -> E {per T <= 2} : bool[T, E]
  %7 = predicated %6 %2 else 0 : f32[T, E]
  %8 = sum %7 over E : f32[T]
  result y = %8 [T]
`;
  const { lines, compared, wrong } = await runGraphText(text, new Map([['T', 5]]), 1);
  expect(wrong).toBeNull();
  expect(compared).toBeGreaterThanOrEqual(5);
  const [, got, wanted] = /kernels (.*) \| graph (.*)$/.exec(lines[0] ?? '') ?? [];
  expect(got).toBe(wanted);
});
