/**
 * The pages of `moec explain`: one for every code, with a program that has the diagnostic and one that has none, both run
 * here; and the embedded copy, which has to be current. Codes that no program text shows (files, weights, a run, a command
 * line) have a page with command lines instead.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { analyse } from '../../compiler/front-end.ts';
import { compileProgram } from '../../compiler/compile.ts';
import { denseExperts } from '../../compiler/graph/dense-experts.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { catalogue, isCode } from '../../dsl/diagnostics/catalogue.ts';
import type { Diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import { pages } from '../../dsl/diagnostics/explain/pages.generated.ts';
import { generate } from '../../dsl/diagnostics/explain/generate.mjs';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dsl', 'diagnostics', 'explain');

/** Codes that need more than a program text: options of the command line, sizes of files. */
const shownByNoProgram = /^MOE(0002|0010|0011|0012|0013|0014|0212|0318|0354|0355|0356|0501|050[5-7]|06[0-7]\d|07\d\d)$/;

/** Told by `check` of a program without a mistake. */
const notices: ReadonlySet<string> = new Set(['MOE0456']);

interface Example {
  readonly tag: string;
  readonly text: string;
}

function examplesOf(page: string): readonly Example[] {
  return [...page.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map(([, tag = '', text = '']) => ({ tag, text }));
}

/** Everything moec says about a program, from its characters to its kernels. */
function diagnosticsOf(text: string): readonly Diagnostic[] {
  const { program, diagnostics, sources } = analyse({ name: 'example.moe', text });
  if (program === null) return diagnostics;
  return [
    ...diagnostics,
    ...compileProgram(program, { overrides: new Map(), target: webgpuCore, sources }).diagnostics,
  ];
}

/** Places where every expert runs though a route is there. */
function noticesOf(text: string): number {
  const { program, sources } = analyse({ name: 'example.moe', text });
  if (program === null) return NaN;
  const { entries } = compileProgram(program, { overrides: new Map(), target: webgpuCore, sources });
  return entries.flatMap(({ inference }) => denseExperts(inference.fused, 'example.moe')).length;
}

describe('pages of explain', () => {
  test('there is one for every code, and no other', () => {
    const files = readdirSync(folder).filter((name) => name.endsWith('.md'));
    expect(files.sort()).toEqual(
      Object.keys(catalogue)
        .sort()
        .map((code) => `${code}.md`),
    );
  });

  test('the embedded copy is current', () => {
    expect(readFileSync(join(folder, 'pages.generated.ts'), 'utf8')).toBe(generate(folder));
  });

  test.each([...pages])('%s', (code, page) => {
    expect(isCode(code)).toBe(true);
    if (!isCode(code)) return;
    expect(page.split('\n')[0]).toBe(`# ${code}: ${catalogue[code].title}`);
    const examples = examplesOf(page);
    const shown = examples.map(({ tag }) => tag);
    if (shownByNoProgram.test(code)) expect(shown).toContain('text');
    else expect(shown).toEqual([`moe ${notices.has(code) ? 'notice' : 'fails-with'} ${code}`, 'moe ok']);
    for (const { tag, text } of examples) {
      if (notices.has(code)) expect(noticesOf(text)).toBe(tag === 'moe ok' ? 0 : 1);
      if (tag === `moe notice ${code}`) {
        expect(diagnosticsOf(text)).toEqual([]);
        continue;
      }
      if (tag === 'moe ok') expect(diagnosticsOf(text)).toEqual([]);
      else if (tag.startsWith('moe ')) {
        const codes = diagnosticsOf(text).map((d) => d.code);
        // One mistake, one diagnostic: a mistake of syntax leaves gaps in the tree, of which nobody speaks again.
        expect(codes).toEqual([code]);
      }
    }
  });
});
