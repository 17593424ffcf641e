/** The report of a bug of moec: it can be repeated from, and names the files that repeating it takes. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bugReport, filesToAttach } from '../../compiler/cli/terminal/bug-report.ts';
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { scratch } from './support.ts';

let folder: ReturnType<typeof scratch>;
beforeEach(() => (folder = scratch()));
afterEach(() => folder.remove());

const model = 'import { Own } from "./parts.moe"\nimport { SwiGLU } from "std"\nmodel M { axis T, D = 2\n }';

describe('the files to attach', () => {
  test('are those that the arguments name, with what models import, each once', () => {
    const main = folder.file('model.moe', model);
    const parts = folder.file('parts.moe', 'import { M } from "./model.moe"\nimport { A } from "./missing.moe"');
    const input = folder.file('in put.safetensors', '');
    expect(filesToAttach(['run', main, '--input', input, '--set', 'E=4', '--seed=3'])).toEqual([main, parts, input]);
    expect(filesToAttach(['run', main, `--input=${input}`, main])).toEqual([main, parts, input]);
  });

  test('are no folders, nothing that is not there, and nothing that is written', () => {
    const main = folder.file('model.moe', 'model M {');
    const old = folder.file('old.safetensors', '');
    const args = ['run', main, '--weights', folder.path, '--output', old, `--output=${old}`, '-o', old];
    expect(filesToAttach([...args, '--input', join(folder.path, 'none')])).toEqual([main]);
  });
});

test('a report has the stage, the whole command and the files, and writes nothing', () => {
  const main = folder.file('model.moe', 'model M { axis T }');
  const before = readdirSync(folder.path);
  const args = ['compile', main, '--set', 'E=4', '--set', "name=it's"];
  const lines = bugReport({ error: new CompilerBug('schedule', 'no buffer'), stage: 'compile', args });
  expect(lines).toContain('   = stage: schedule');
  expect(lines).toContain(`   = to see it again: moec compile ${main} --set E=4 --set 'name=it'\\''s'`);
  expect(lines).toContain(`   = attach: ${main}`);
  expect(readdirSync(folder.path)).toEqual(before);
});

test('a report of a call without files names none', () => {
  const lines = bugReport({ error: new Error('x'), stage: 'doctor', args: ['doctor'] });
  expect(lines).toContain('   = stage: doctor');
  expect(lines.filter((line) => line.includes('attach'))).toEqual([]);
});
