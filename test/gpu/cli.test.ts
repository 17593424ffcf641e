/** The command line on an adapter: run, verify, and a compiled module as a program of its own, as the README has it. */
import { spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import { answer, everything, f32, moec, readTensors, root, scratch, tensorFile } from '../cli/support.ts';
import { gpuTest } from '../support/gpu-test.ts';

let folder: ReturnType<typeof scratch>;
let model: string;
let files: readonly string[];
beforeAll(() => {
  folder = scratch();
  model = folder.file('everything.moe', everything);
  const input = folder.file('in.safetensors', tensorFile(f32('x', [2, 4], [1, 2, 3, 4, 0, -1, 1, 0.5])));
  const weights = folder.file('w.safetensors', tensorFile(f32('gate.w', [3, 4], [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0])));
  files = ['--input', input, '--weights', weights];
});
afterAll(() => folder.remove());

gpuTest('run and verify', async () => {
  const [gpu, kernels] = [folder.file('gpu'), folder.file('kernels')];
  const ran = await moec(['run', model, ...files, '--losses', '--outputs', '--output', gpu]);
  expect(ran.code, ran.stderr).toBe(0);
  await moec(['run', model, ...files, '--losses', '--outputs', '--on', 'kernels', '--output', kernels]);
  const [a, b] = [readTensors(gpu), readTensors(kernels)];
  expect([...a.keys()].sort()).toEqual([...b.keys()].sort());
  expect(a.get('r.indices')).toEqual(b.get('r.indices'));
  expect(a.get('state.gate.seen')).toEqual(b.get('state.gate.seen'));
  const verified = await moec(['verify', model, ...files, '--losses', '--outputs', '--json']);
  expect(verified.code, verified.stderr).toBe(0);
  for (const tensor of answer({ ...verified, stdout: verified.stdout.slice(verified.stdout.indexOf('{')) }).tensors) {
    expect(tensor).toMatchObject({ passed: true });
  }
});

gpuTest('the program of the README', async () => {
  expect((await moec(['init', join(folder.path, 'my-model')])).code).toBe(0);
  const first = join(folder.path, 'my-model', 'model.moe');
  expect((await moec(['compile', first, '-o', join(folder.path, 'build')])).code).toBe(0);
  const shapes: readonly (readonly [string, readonly number[]])[] = [
    ['gate.w', [8, 64]],
    ['ffn.w1', [8, 128, 64]],
    ['ffn.w3', [8, 128, 64]],
    ['ffn.w2', [8, 64, 128]],
  ];
  const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
  const tensors = shapes.map(([name, shape]) =>
    f32(
      name,
      shape,
      Array.from({ length: count(shape) }, (_, i) => Math.sin(i) / 8),
    ),
  );
  folder.file('weights.safetensors', tensorFile(...tensors));
  const [program = ''] = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(
    ([, text]) => text,
  );
  expect(program).toContain('create(');
  // The package webgpu is looked up from the runtime beside the module: here it is the project's.
  writeFileSync(join(folder.path, 'program.mjs'), program);
  symlinkSync(join(root, 'node_modules'), join(folder.path, 'node_modules'), 'dir');
  const ended = spawnSync(process.execPath, ['program.mjs'], { cwd: folder.path, encoding: 'utf8' });
  expect(ended.status, ended.stderr).toBe(0);
  expect(ended.stdout).toContain('[ 16, 64 ]');
});
