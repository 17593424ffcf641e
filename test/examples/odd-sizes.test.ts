/**
 * Sizes and constants that nobody means: an axis of no points or of a billion, a constant below zero. Every example compiles or
 * says with a code why not; nothing throws, and nothing is written out until the memory is gone.
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

test.each(names)(
  '%s',
  (name) => {
    const read = (file: string): SourceFile => ({ name: file, text: readFileSync(join(examples, name, file), 'utf8') });
    const { program, sources } = analyse({ ...read('model.moe'), name: `${name}.moe` }, { resolve: read });
    if (program === null) throw new Error('the example has mistakes');
    for (const declaration of program.declarations) {
      const values = declaration.kind === 'axis' ? ['0', '1000000007'] : declaration.kind === 'const' ? ['-1'] : [];
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
