/**
 * Sizes and constants that nobody means: an axis of no points or of a billion, a constant below zero. Every example compiles or
 * says with a code why not; nothing throws, and nothing is written out until the memory is gone.
 *
 * One axis has no points, the next one a billion, two are left out, and so on around, another one first in each example: what the
 * examples share (the library, the patterns of the language) meets both. With MOEC_THOROUGH every axis of every example has both.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { compileProgram } from '../../compiler/compile.ts';
import { analyse } from '../../compiler/front-end.ts';
import { parseOverrides } from '../../compiler/overrides.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { hasErrors } from '../../dsl/diagnostics/diagnostic.ts';
import type { SourceFile } from '../../dsl/diagnostics/source-file.ts';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const names = readdirSync(examples, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? [e.name] : []));

const sizes = ['0', '1000000007'];
/** Of so many axes that follow each other, one has each of the sizes. */
const round = 4;
const thorough = (process.env['MOEC_THOROUGH'] ?? '') !== '';

test.each(names)(
  '%s',
  (name) => {
    let turn = names.indexOf(name);
    const oddSizes = (): readonly string[] => (thorough ? sizes : sizes.filter((_, i) => i === turn % round));
    const read = (file: string): SourceFile => ({ name: file, text: readFileSync(join(examples, name, file), 'utf8') });
    const { program, sources } = analyse({ ...read('model.moe'), name: `${name}.moe` }, { resolve: read });
    if (program === null) throw new Error('the example has mistakes');
    for (const declaration of program.declarations) {
      const values = declaration.kind === 'axis' ? oddSizes() : declaration.kind === 'const' ? ['-1'] : [];
      turn++;
      for (const value of values) {
        const overrides = parseOverrides(new Map([[declaration.name, value]]));
        const [entry] = program.entries;
        const entries = entry === undefined ? [] : [entry.name];
        const compiled = compileProgram(program, { overrides, target: webgpuCore, sources, entries });
        const said = `${declaration.name} = ${value}`;
        expect(compiled.manifest === null, said).toBe(hasErrors(compiled.diagnostics));
      }
    }
  },
  60_000,
);
