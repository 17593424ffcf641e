/**
 * Programs with a slip: a token dropped, a token or a name replaced by another of the same file. The checker never throws, reads
 * what could be read, and gives no program where anything is wrong. Deterministic: the slips are those of a fixed seed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { checkProgram } from '../../dsl/check/check-program.ts';
import { printProgram } from '../../dsl/check/print-program.ts';
import { libraryFiles } from '../../dsl/std/library.ts';
import { parseFile } from '../../dsl/syntax/parse-file.ts';

const folder = fileURLToPath(new URL('./programs/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.moe'));

/** A linear congruential generator: numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

function slip(text: string, random: () => number): string {
  const tokens = [...text.matchAll(/"[^"]*"|[A-Za-z_]\w*'*|\d+(?:\.\d+)?|->|\|>|\.\.|[^\s]/g)];
  const names = tokens.filter((t) => /^[A-Za-z_]/.test(t[0]));
  const from = (list: readonly RegExpExecArray[]) => list[Math.floor(random() * list.length)];
  const kind = Math.floor(random() * 4);
  const at = from(kind < 2 ? tokens : names);
  const other = kind === 0 ? '' : (from(kind === 1 ? tokens : names)?.[0] ?? '');
  return at === undefined ? text : text.slice(0, at.index) + other + text.slice(at.index + at[0].length);
}

test.each([1, 2, 3, 4])('slips of seed %i', (seed) => {
  const random = generator(seed);
  for (let i = 0; i < 40; i++) {
    const name = files[Math.floor(random() * files.length)] ?? '';
    const text = slip(readFileSync(`${folder}${name}`, 'utf8'), random);
    const parsed = parseFile({ name, text });
    const unread = parsed.diagnostics.flatMap((d) => (d.span === undefined ? [] : [d.span]));
    const resolve = (from: string) => (from === 'std' ? libraryFiles() : null);
    const { program, diagnostics } = checkProgram({ main: parsed.file, resolve }, { unread });
    expect(program === null, text).toBe(unread.length > 0 || diagnostics.length > 0);
    if (program !== null) expect(printProgram(program)).toContain(`program ${program.name}`);
    for (const d of diagnostics) expect(d.span, d.message).toBeDefined();
  }
});
