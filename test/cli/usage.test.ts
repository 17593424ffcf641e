/** How a call that cannot be read is told, with `--json` too, and that nothing that a call names steers the terminal. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { showName, showText } from '../../dsl/diagnostics/columns.ts';
import { renderAll } from '../../dsl/diagnostics/render.ts';
import { diagnostic } from '../../dsl/diagnostics/diagnostic.ts';
import { table } from '../../compiler/cli/terminal/text-table.ts';
import { quoteName } from '../../runtime/weights/json.ts';
import { answer, callMoec, everything, f32, scratch, tensorFile } from './support.ts';

let folder: ReturnType<typeof scratch>;
beforeAll(async () => {
  folder = scratch();
  folder.file('model.moe', everything);
  // The first call of all compiles the command line.
  await callMoec(['--version']);
}, 300_000);
afterAll(() => folder.remove());

/** What a terminal obeys: controls but line ends and tabs, marks that reorder text. */
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const escape = '\u001b[31m\u009b2J\u202e\u2066';

describe('usage errors are JSON under --json', () => {
  test.each([
    ['an unknown verb', ['nope', '--json']],
    ['no verb', ['--json']],
    ['an unknown option', ['run', 'model.moe', '--json', '--nope']],
    ['a missing argument', ['check', '--json']],
    ['an argument too many', ['inspect', 'a', 'b', '--json']],
    ['a choice that is none', ['verify', 'model.moe', '--json', '--on', 'moon']],
    ['an option without its value', ['compile', 'model.moe', '--json', '--out']],
    ['a number that is none', ['run', 'model.moe', '--seed', 'x', '--json']],
    ['a seed beyond 32 bits', ['run', 'model.moe', '--seed', '4294967296', '--json']],
    ['a verb of a verb', ['explain', 'kernels', '--json']],
    ['an axis that no run decides', ['run', 'model.moe', '--random', '--size', 'D=3', '--json', '--on', 'reference']],
    ['a stage that is not reached', ['compile', 'model.moe', '--emit=wgsl', '--stop-after=ast']],
  ])('%s', async (_, args) => {
    const ended = await callMoec(args, { cwd: folder.path });
    expect(ended.code).toBe(2);
    if (!args.includes('--json')) return expect(ended.stderr).toMatch(/wgsl.*ast/);
    expect(answer(ended)).toMatchObject({ ok: false, exitCode: 2, diagnostics: [] });
    expect(answer(ended).error).toMatch(/\w/);
  });
});

describe('nothing named steers the terminal', () => {
  test('names and texts are shown by number', () => {
    expect(showName(`a${escape}\n`)).toBe('a\\u{1b}[31m\\u{9b}2J\\u{202e}\\u{2066}\\u{a}');
    expect(showText('a\u001b\n\tb é 日')).toBe('a\\u{1b}\n\tb é 日');
    for (const shown of [quoteName(escape), ...table(['a'], [[escape]])]) expect(shown).not.toMatch(steering);
    const span = { source: `${escape}.moe`, start: 0, end: 1 };
    const told = diagnostic('MOE0630', { message: escape, help: escape, notes: [escape], span, label: escape });
    expect(renderAll([told], [{ name: span.source, text: escape }])).not.toMatch(steering);
  });

  test.each([
    ['a path', ['check', `no${escape}.moe`]],
    ['a path of weights', ['run', 'model.moe', '--weights', `no${escape}`, '--on', 'reference']],
    ['a name of a tensor', ['inspect', 'names.safetensors']],
    ['a name of a tensor, as JSON', ['inspect', 'names.safetensors', '--json']],
    ['a name of an input', ['run', 'model.moe', '--random', '--input', 'names.safetensors', '--on', 'reference']],
    ['an option', ['run', `--${escape}`]],
    ['an option, as JSON', ['run', `--${escape}`, '--json']],
    ['a value of an option', ['run', 'model.moe', '--set', `${escape}=1`, '--on', 'reference']],
    ['an entry', ['run', 'model.moe', '--random', '--entry', escape, '--on', 'reference']],
    ['a file that is written', ['run', 'model.moe', '--random', '--on', 'reference', '--output', `o${escape}ut`]],
    ['an import', ['check', 'import.moe']],
  ])('%s', async (_, args) => {
    folder.file('names.safetensors', tensorFile(f32(`na${escape}me`, [1], [1])));
    folder.file('import.moe', `import { A } from "./\\u{1b}[31m.moe"\n${everything}`);
    const { stdout, stderr } = await callMoec(args, { cwd: folder.path });
    expect(stdout + stderr).not.toMatch(steering);
    expect(stdout + stderr).not.toBe('');
  });
});
