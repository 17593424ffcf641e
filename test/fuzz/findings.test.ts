/** What random programs found, each made small: they agree on every executor since. Laid out, compiled twice, run twice with all kinds of values. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { format } from '../../dsl/syntax/print-ast.ts';
import { examine } from './examine.ts';
import { drawsOf } from '../support/sweeps.ts';
import { profiles } from './program.ts';

const folder = fileURLToPath(new URL('findings/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.moe'));

/** Kinds of values that a program runs with: the next program begins with the next kind. */
const kinds = drawsOf(profiles.length);
const profilesOf = (file: string): readonly (typeof profiles)[number][] =>
  profiles.filter((_, i) => (i + files.indexOf(file)) % profiles.length < kinds);

test.each(files)(
  '%s',
  async (file) => {
    const text = readFileSync(`${folder}${file}`, 'utf8');
    const laid = format({ name: file, text });
    expect(laid.ok ? laid.text : laid.diagnostics).toBe(text);
    const own = profilesOf(file);
    for (const profile of own) {
      for (const T of [1, 4]) {
        const sizes = new Map([
          ['T', T],
          ['B', 2],
        ]);
        // A program is the same for all values: what it compiles to is compared once for each seed.
        const twice = profile === own[0] ? true : 'run';
        const outcome = await examine({ text, sizes, profile, seed: T }, { on: 'kernels', twice });
        expect(['agreed', 'stopped'], JSON.stringify(outcome)).toContain(outcome.kind);
      }
    }
  },
  120_000,
);
