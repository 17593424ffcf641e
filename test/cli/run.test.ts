/** `run` and `verify` without a GPU: names of results, what may be given, and how each fault ends. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import { differences, preparedOf, ready } from '../language/support.ts';
import { answer, callMoec, everything, f32, moec, noAdapter, readTensors, scratch, tensorFile } from './support.ts';

let folder: ReturnType<typeof scratch>;
let model: string;
let input: string;
let weights: string;
const x = [1, 2, 3, 4, 0, -1, 1, 0.5];
const w = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0];

beforeAll(() => {
  folder = scratch();
  model = folder.file('everything.moe', everything);
  input = folder.file('in.safetensors', tensorFile(f32('x', [2, 4], x)));
  weights = folder.file('w.safetensors', tensorFile(f32('gate.w', [3, 4], w)));
});
afterAll(() => folder.remove());

const runArguments = (args: readonly string[]): readonly string[] => ['run', model, '--weights', weights, ...args];
const run = (...args: readonly string[]) => callMoec(runArguments(args));

/** softmax of the three scores of a token. */
function softmax(scores: readonly [number, number, number]): readonly [number, number, number] {
  const [p, q, r] = scores;
  const e = [Math.exp(p), Math.exp(q), Math.exp(r)] as const;
  const sum = e[0] + e[1] + e[2];
  return [e[0] / sum, e[1] / sum, e[2] / sum];
}

const tensor = (element: 'f32' | 'i32', shape: readonly number[], data: readonly number[]): NamedTensor => ({
  element,
  shape,
  data: element === 'i32' ? Int32Array.from(data) : Float32Array.from(data),
});

/** What the model gives, worked out from its formulas. */
function byHand(): ReadonlyMap<string, NamedTensor> {
  // The rows of w pick the first three numbers of a token; two of three experts stay.
  const [[a, b, c], [d, e, f]] = [softmax([1, 2, 3]), softmax([0, -1, 1])];
  const [first, second] = [b + c, d + f];
  return new Map([
    // The product with w has the axes of w first.
    ['gate.scores', tensor('f32', [3, 2], [a, d, b, e, c, f])],
    ['loss.gate.balance', tensor('f32', [], [(a * a + b * b + c * c + d * d + e * e + f * f) / 6])],
    ['r', tensor('f32', [2, 3], [0, b, c, d, 0, f])],
    ['r.indices', tensor('i32', [2, 2], [2, 1, 2, 0])],
    ['r.weights', tensor('f32', [2, 2], [c, b, f, d])],
    ['state.gate.seen', tensor('f32', [3], [1, 1, 2])],
    ['y', tensor('f32', [2, 4], [...x.slice(0, 4).map((v) => v * first), ...x.slice(4).map((v) => v * second)])],
  ]);
}

describe.each(['reference', 'kernels'])('run --on %s', (on) => {
  test('names and numbers of results', async () => {
    const output = folder.file(`out-${on}.safetensors`);
    const ended = await moec(runArguments(['--input', input, '--on', on, '--losses', '--outputs', '--output', output]));
    expect(ended).toMatchObject({ code: 0, stdout: '' });
    const out = readTensors(output);
    const shapes = (tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>) =>
      Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]));
    expect(shapes(out)).toEqual(shapes(byHand()));
    const written = new Map(
      [...out].map(([name, { dtype, shape, data }]) => [name, tensor(dtype === 'I32' ? 'i32' : 'f32', shape, data)]),
    );
    // Both executors round; how far that carries each of these numbers is derived from the program and what it is given.
    const prepared = preparedOf(everything);
    const inputs = new Map([['x', tensor('f32', [2, 4], x)]]);
    const given = { inputs, stores: new Map([['gate.w', Float64Array.from(w)]]) };
    expect(differences(ready(prepared, given), written, byHand())).toEqual([]);
  });

  test('states of one run go into the next', async () => {
    const [first, second] = [folder.file(`first-${on}`), folder.file(`second-${on}`)];
    await run('--input', input, '--on', on, '--output', first);
    await run('--input', input, '--on', on, '--state', first, '--output', second);
    expect(readTensors(second).get('state.gate.seen')?.data).toEqual([2, 2, 4]);
    // Losses and outputs come only when asked for.
    expect([...readTensors(first).keys()].sort()).toEqual(['r', 'r.indices', 'r.weights', 'state.gate.seen', 'y']);
  });

  test('a control in the input file', async () => {
    const tilted = folder.file('tilted', tensorFile(f32('x', [2, 4], x), f32('tilt', [3], [100, 0, 0])));
    const output = folder.file(`tilted-${on}`);
    const ended = await run('--input', tilted, '--on', on, '--output', output);
    expect(ended.code, ended.stderr).toBe(0);
    expect(
      readTensors(output)
        .get('r.indices')
        ?.data.filter((_, i) => i % 2 === 0),
    ).toEqual([0, 0]);
  });
});

describe('run', () => {
  test('another entry; a result without a name is called output', async () => {
    const output = folder.file('plain');
    const ended = await run('--entry', 'plain', '--input', input, '--on', 'reference', '--output', output);
    expect(ended.code, ended.stderr).toBe(0);
    expect(readTensors(output).get('output')?.data).toEqual(x.map((v) => 2 * v));
  });

  test('without --output a summary on stdout, as a table or as JSON', async () => {
    const table = await run('--entry', 'plain', '--input', input, '--on', 'reference');
    expect(table.stdout).toMatch(/^name +type +shape/);
    const json = await run('--entry', 'plain', '--input', input, '--on', 'reference', '--json');
    expect(answer(json)).toMatchObject({
      ok: true,
      tensors: [{ name: 'output', dtype: 'F32', shape: [2, 4], min: -2, max: 8 }],
    });
  });

  test('--set changes a size, and the weights have to follow', async () => {
    const ended = await run('--set', 'E=4', '--input', input, '--on', 'reference', '--json');
    expect(ended.code).toBe(1);
    expect(answer(ended).diagnostics[0].code).toBe('MOE0631');
  });

  test('--random makes what is missing, the same each time', async () => {
    const [a, b] = [folder.file('a'), folder.file('b')];
    for (const output of [a, b]) {
      const ended = await callMoec([
        'run',
        model,
        '--random',
        '--size',
        'T=7',
        '--on',
        'reference',
        '--output',
        output,
      ]);
      expect(ended.code, ended.stderr).toBe(0);
    }
    expect(readFileSync(a).equals(readFileSync(b))).toBe(true);
    expect(readTensors(a).get('y')?.shape).toEqual([7, 4]);
  });

  test('a function of the host', async () => {
    const file = folder.file(
      'host.moe',
      'model H {\n  axis T, D = 4\n  extern fn twice(x: [T, D]) -> [T, D]\n  forward(x: [T, D]) -> [T, D] { twice(x) + 1 }\n}\n',
    );
    const host = folder.file(
      'host.mjs',
      "export const twice = ({ operands }) => operands.get('x').data.map((v) => 2 * v);\n",
    );
    const output = folder.file('host.out');
    const ended = await callMoec([
      'run',
      file,
      '--input',
      input,
      '--extern',
      host,
      '--on',
      'reference',
      '--output',
      output,
    ]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(readTensors(output).get('output')?.data).toEqual(x.map((v) => 2 * v + 1));
    expect(
      (await callMoec(['run', file, '--input', input, '--extern', folder.file('none.mjs'), '--on', 'reference'])).code,
    ).toBe(74);
  });

  test('tensors that nobody takes are told, and not used', async () => {
    const extra = folder.file('extra', tensorFile(f32('x', [2, 4], x), f32('z', [1], [1])));
    const ended = await run('--entry', 'plain', '--input', extra, '--on', 'reference', '--json');
    expect(ended.code).toBe(0);
    expect(ended.stderr).toContain('not used: z');
  });

  test.each([
    ['an input is missing', [], 1, 'MOE0706'],
    ['an input has another shape', ['--input', 'flat'], 1, 'MOE0708'],
    ['an input has another name', ['--input', 'other'], 1, 'MOE0706'],
  ])('%s', async (_, args, exitCode, code) => {
    folder.file('flat', tensorFile(f32('x', [8], x)));
    folder.file('other', tensorFile(f32('y', [2, 4], x)));
    const ended = await callMoec(['run', model, '--weights', weights, ...args, '--on', 'reference', '--json'], {
      cwd: folder.path,
    });
    expect(ended.code).toBe(exitCode);
    expect(answer(ended).diagnostics[0].code).toBe(code);
  });

  test.each([
    ['a model that is not there', ['run', 'none.moe'], 74],
    ['an input that is not there', ['run', 'everything.moe', '--input', 'none'], 74],
    ['weights that are not there', ['run', 'everything.moe', '--weights', 'none'], 74],
    ['a set without a value', ['run', 'everything.moe', '--set', 'D'], 2],
    ['an unknown executor', ['run', 'everything.moe', '--on', 'cloud'], 2],
    ['an unknown name to set', ['run', 'everything.moe', '--set', 'Q=2', '--random', '--on', 'reference'], 1],
  ])('%s', async (_, args, exitCode) => {
    const { code, stdout, stderr } = await callMoec(args, { cwd: folder.path });
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(stderr).toMatch(/error/);
  });

  test('without an adapter the GPU is not replaced by anything: exit code 3, what to install, no output', async () => {
    const output = folder.file('never');
    const { code, stderr } = await moec(['run', model, '--weights', weights, '--input', input, '--output', output], {
      env: noAdapter,
    });
    expect(code).toBe(3);
    expect(stderr).toContain('mesa-vulkan-drivers');
    expect(existsSync(output)).toBe(false);
  });

  test('a failure leaves the old output, and no file beside it', async () => {
    const output = folder.file('kept', 'old');
    const before = readdirSync(folder.path).sort();
    expect((await moec(runArguments(['--on', 'reference', '--output', output]))).code).toBe(1);
    expect(readFileSync(output, 'utf8')).toBe('old');
    expect(readdirSync(folder.path).sort()).toEqual(before);
    expect((await run('--input', input, '--on', 'reference', '--output', folder.path)).code).toBe(74);
    expect(readdirSync(folder.path).filter((name) => name.startsWith('.moec'))).toEqual([]);
  });
});

describe('verify', () => {
  test('the kernels are within their bounds', async () => {
    const ended = await moec([
      'verify',
      model,
      '--weights',
      weights,
      '--input',
      input,
      '--on',
      'kernels',
      '--losses',
      '--outputs',
      '--json',
    ]);
    expect(ended.code, ended.stderr).toBe(0);
    const { ok, tensors } = answer(ended);
    expect(ok).toBe(true);
    const names = tensors.map((t: { name: string }) => t.name).sort();
    expect(names).toEqual(['gate.scores', 'loss.gate.balance', 'r', 'r.indices', 'r.weights', 'state.gate.seen', 'y']);
    for (const tensor of tensors) expect(tensor).toMatchObject({ passed: true, undecided: 0 });
  });

  test('initial values that are drawn are the same on both sides', async () => {
    const drawn = folder.file('drawn.moe', everything.replace('param w: [E, D]', 'param w: [E, D] = normal[E, D]'));
    const ended = await callMoec(['verify', drawn, '--input', input, '--on', 'kernels']);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toContain('verified: ');
  });
});
