/**
 * Architectures that nobody published: the features of the language recombined, one program a file beside this one. They exist
 * because the examples could be right by being the examples.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Prepared } from '../../compiler/cli/running/execution.ts';
import { prepareText } from '../language/support.ts';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** File names, in order. */
export const architectures: readonly string[] = readdirSync(folder)
  .filter((name) => name.endsWith('.moe'))
  .sort();

/** An architecture, compiled. Throws what the compiler says about it. */
export function prepareArchitecture(file: string): Prepared {
  const { prepared, diagnostics } = prepareText(readFileSync(`${folder}${file}`, 'utf8'), { name: file });
  if (prepared === null) throw new Error(`${file}: ${diagnostics.map((d) => `${d.code} ${d.message}`).join('; ')}`);
  return prepared;
}

/** Sizes for the axes that a run decides. */
export function sizesOf(prepared: Prepared, sizes: Readonly<Record<string, number>>): ReadonlyMap<string, number> {
  return new Map(prepared.manifest.dynamic.map((name) => [name, sizes[name] ?? 1]));
}
