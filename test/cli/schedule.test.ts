/** `--schedule FILE`: what is printed is lowered again, what may be changed is changed, and what may not has a code, a place and a remedy. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rowsApart } from '../schedule/programs.ts';
import { callMoec, moec, scratch } from './support.ts';

const layer = `import { SwiGLU } from "std"
model Layer {
  axis T, D = 64, E = 4, F = 64
  experts ffn[E] = SwiGLU<F>
  router gate(x: [D]) -> route[E] {
    param w: [E, D]
    top_k(softmax(w @ x, over: E), 2, over: E)
  }
  forward(x: [T, D]) -> [T, D] { gate(x) @ ffn(x) }
}
`;

let folder: ReturnType<typeof scratch>;
let model: string;
let file: string;
let printed: string;

beforeAll(async () => {
  folder = scratch();
  model = folder.file('layer.moe', layer);
  file = join(folder.path, 'layer.schedule');
  const merged = (await callMoec(['compile', model, '--emit=schedule'])).stdout;
  // Each value on a line of its own: what may be changed is easier to name.
  writeFileSync(file, rowsApart(merged));
  printed = (await callMoec(['compile', model, `--schedule=${file}`, '--emit=schedule'])).stdout;
});
afterAll(() => folder.remove());

const withSchedule = (text: string, ...args: readonly string[]) => {
  writeFileSync(file, text);
  return callMoec(['compile', model, `--schedule=${file}`, ...args]);
};

/** Numbers of steps are for people. */
const withoutNumbers = (text: string): string => text.replace(/#\d+ /g, '');

describe('a schedule that may be', () => {
  test.each([
    ['as it was printed', (text: string) => text],
    ['another family: a workgroup for each choice', (text: string) => text.replace(' choose on ', ' choose_long on ')],
    ['another family: a contraction point by point', (text: string) => text.replace(/(%\d+) tile 1 x 4, rows one by one, columns \(E\) on/, '$1 contract on')],
    ['no forms of a class', (text: string) => text.replace(/; simd8: \d+ x \d+/g, '')],
    ['smaller tiles of a class', (text: string) => text.replace(/; simd8: (?!1 x)\d+ x \d+/g, '; simd8: 4 x 1')],
    ['rows one by one', (text: string) => text.replace(/tile 4 x 2 of ([^,]*), rows in blocks of 16 of one group, (columns \(\w+\)), loads of 4[^\n]* on/, 'tile 1 x 2 of $1, rows one by one, $2, loads of 4 on')],
    ['blocks of another size', (text: string) => text.replaceAll('in blocks of 16', 'in blocks of 8').replaceAll(/(simd[48]): 16 x/g, '$1: 8 x')],
  ])('%s', async (what, edit) => {
    const text = edit(printed);
    if (what !== 'as it was printed') expect(text).not.toBe(printed);
    const ended = await withSchedule(text, '--emit=schedule');
    expect(ended.stderr).toBe('');
    expect(ended.code).toBe(0);
    expect(withoutNumbers(ended.stdout)).toBe(withoutNumbers(text));
  }); // prettier-ignore

  test('is what a run is compared with as well', async () => {
    writeFileSync(file, printed.replace(' choose on ', ' choose_long on '));
    const ended = await moec(['verify', model, `--schedule=${file}`, '--on', 'kernels', '--random', '--size', 'T=5']);
    expect(ended.stderr).not.toContain('error');
    expect(ended.code).toBe(0);
  });
});

test('a family that reads more says what has to have memory, and is lowered with it', async () => {
  const summed = printed.replace(/(%\d+) reduce_slots .* on /, '$1 reduce on ');
  const refused = await withSchedule(summed, '--emit=plan');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/error\[MOE0506\]: somebody reads %\d+[^]*help: give %\d+ memory/);
  const lacking = /give (%\d+) memory/.exec(refused.stderr)?.[1] ?? '';
  const ended = await withSchedule(summed.replace('  #7 ', `  ${lacking} reduce on [T, E]\n  #7 `), '--emit=schedule');
  expect(ended.stderr).toBe('');
  expect(ended.stdout).toContain(`${lacking} reduce on [T, E]`);
});

describe('a schedule that may not be', () => {
  const lineOf = (text: string, part: string): number => text.split('\n').findIndex((line) => line.includes(part)) + 1;

  test('a family that cannot compute the value: its line, and what can stand there', async () => {
    const text = printed.replace(/ choose on /, ' scan on ');
    const { code, stderr, stdout } = await withSchedule(text, '-o', join(folder.path, 'build'));
    expect(code).toBe(1);
    expect(stdout).toBe('');
    const [line, right] = [text, printed].map((each) => each.split('\n')[lineOf(text, ' scan on ') - 1]?.trim() ?? '');
    expect(stderr).toContain('error[MOE0506]');
    expect(stderr).toContain(`${file}:${lineOf(text, ' scan on ')}:`);
    expect(stderr).toContain(line);
    expect(stderr).toContain(`help: here it is '${withoutNumbers(right ?? '')}'`);
    expect(stderr).toContain('moec explain MOE0506');
  }); // prettier-ignore

  test.each([
    ['blocks that are no whole tiles', /tile 4 x 2/, 'tile 3 x 2', 'blocks of 16 rows are no whole tiles of 3'],
    ['more sums than a thread keeps', /tile 4 x 2/, 'tile 16 x 16', 'a thread keeps 256 sums at most'],
    ['a class that no device is of', /simd8/, 'simd9', 'simd9 has no tile of this sum'],
    ['a value before what it reads', /( {2}#0 [^\n]*\n)( {2}#1 [^\n]*\n)/, '$2$1', 'is read before it is computed'],
    ['a value with memory twice', /( {2}#\d+ (%\d+ choose) [^\n]*\n)/, '$1$1', 'is computed twice'],
  ])('%s: MOE0506 with its line', async (_, from, to, message) => {
    const text = printed.replace(from, to);
    expect(text).not.toBe(printed);
    const { code, stderr } = await withSchedule(text, '--emit=plan');
    expect(code).toBe(1);
    expect(stderr).toContain('error[MOE0506]');
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/layer\.schedule:\d+:\d+/);
  });

  test('as JSON it has its code and a fix', async () => {
    const { code, stdout } = await withSchedule(printed.replace(/ choose on /, ' scan on '), '--json', '-o', folder.path);
    expect(code).toBe(1);
    const { diagnostics } = JSON.parse(stdout);
    expect(diagnostics).toMatchObject([{ code: 'MOE0506', fix: [{ replacement: expect.stringContaining(' choose on ') }] }]);
  }); // prettier-ignore

  test.each([
    ['no schedule', 'model M {}\n', 'no line says of which graph'],
    ['of another graph', '// graph 0123456789abcdef\nschedule forward: nothing\n', 'which this program has not'],
  ])('a file that has %s: MOE0505', async (_, text, message) => {
    const { code, stderr } = await withSchedule(text, '--emit=plan');
    expect(code).toBe(1);
    expect(stderr).toContain('error[MOE0505]');
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/layer\.schedule:1:1/);
  });

  test('no file is an error of reading: 74', async () => {
    const ended = await callMoec(['compile', model, `--schedule=${join(folder.path, 'none')}`, '--emit=plan']);
    expect(ended.code).toBe(74);
    expect(readFileSync(model, 'utf8')).toBe(layer);
  });
});
