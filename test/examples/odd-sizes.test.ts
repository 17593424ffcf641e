/**
 * Sizes and constants that nobody means: an axis of no points or of a billion, a constant below zero. Every example compiles or
 * says with a code why not; nothing throws, and nothing is written out until the memory is gone.
 *
 * One axis has no points, the next one a billion, two are left out, and so on around, another one first in each example: what the
 * examples share (the library, the patterns of the language) meets both. Each constant is put below zero by itself as far as errors
 * of values come (elaboration); those that may be, all at once through the rest, where they are but numbers, and each by itself if
 * that says something. With MOEC_THOROUGH every axis of every example has both sizes, and each constant is compiled by itself.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { compileProgram } from '../../compiler/compile.ts';
import { elaborate } from '../../compiler/elaborate/elaborate.ts';
import { analyse } from '../../compiler/front-end.ts';
import { parseOverrides } from '../../compiler/overrides.ts';
import { portableOf, webgpuCore } from '../../compiler/target.ts';
import { hasErrors } from '../../dsl/diagnostics/diagnostic.ts';
import type { SourceFile } from '../../dsl/diagnostics/source-file.ts';
import type { Program } from '../../dsl/types/program.ts';
import { overExamples } from '../support/sweeps.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const names = readdirSync(examples, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [e.name] : []));

const sizes = ['0', '1000000007'];
/** Of so many axes that follow each other, one has each of the sizes. */
const round = 4;
const thorough = (process.env['MOEC_THOROUGH'] ?? '') !== '';

/** Whether a program with these values has no mistake that its text and they show. */
function elaborates(program: Program, sets: ReadonlyMap<string, string>): boolean {
  let good = true;
  elaborate(program, { overrides: parseOverrides(sets) }, (problem) => (good &&= !hasErrors([problem])));
  return good;
}

const sweep = overExamples(names, (name) => [name]);
describe.each(names)('%s', (name) => {
  sweep.testOf(name)('compiles or is refused with a code', { timeout: 60_000 }, () => {
    let turn = names.indexOf(name);
    const oddSizes = (): readonly string[] => (thorough ? sizes : sizes.filter((_, i) => i === turn % round));
    const read = (file: string): SourceFile => ({ name: file, text: readFileSync(join(examples, name, file), 'utf8') });
    const { program, sources } = analyse({ ...read('model.moe'), name: `${name}.moe` }, { resolve: read });
    if (program === null) throw new Error('the example has mistakes');
    const compiles = (sets: ReadonlyMap<string, string>): boolean => {
      const overrides = parseOverrides(sets);
      const [entry] = program.entries;
      const entries = entry === undefined ? [] : [entry.name];
      // The plan with losses, outputs and updates has the results in it.
      const options = { overrides, target: portableOf(webgpuCore), sources, entries, plans: 'all' } as const;
      const compiled = compileProgram(program, options);
      const said = [...sets].map(([set, value]) => `${set} = ${value}`).join(', ');
      expect(compiled.manifest === null, said).toBe(hasErrors(compiled.diagnostics));
      return compiled.manifest !== null;
    };
    const below = new Map<string, string>();
    for (const declaration of program.declarations) {
      const values = declaration.kind === 'axis' ? oddSizes() : declaration.kind === 'const' ? ['-1'] : [];
      turn++;
      for (const value of values) {
        const set = new Map([[declaration.name, value]]);
        if (declaration.kind === 'const' && !thorough && elaborates(program, set)) below.set(declaration.name, value);
        else compiles(set);
      }
    }
    if (below.size > 0 && !compiles(below)) for (const set of below) compiles(new Map([set]));
  });
});
