/**
 * What the runtime weighs that a compiled module loads: all of inference (runs, encoders, weights, states, memory plans), bundled,
 * minified and packed. `npx vitest run test/package/runtime-size.test.ts` prints it where it is too much.
 */
import { build, type BuildOptions, type Metafile } from 'esbuild';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { createModel } from '../../runtime/index.ts';
import { requestDevice } from '../../runtime/node.ts';
import { fromTensors } from '../../runtime/weights/weight-source.ts';
import { manifest, shaders } from '../runtime/sample-model.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** 20 KiB: what a page loads before it does anything. */
const LIMIT = 20_480;

/** What only some models or moments need, by the file that is imported then. */
const LATER = {
  /** What is wrong with a checkpoint, and what to write instead. */
  'misfits.ts': 4096,
  /** Models with functions of the host. */
  'run-extern.ts': 3072,
  /** Checkpoints in MXFP4. */
  'mxfp4.ts': 1024,
} as const;

const packed = (bytes: Uint8Array): number => gzipSync(bytes, { level: 9 }).length;

const common: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  logLevel: 'silent',
};

/** A bundle of what is there from the beginning: what is imported later is left where it is, and listed. */
async function bundleOf(contents: string): Promise<{
  readonly bytes: number;
  readonly inputs: Metafile['outputs'][string]['inputs'];
  readonly later: readonly string[];
}> {
  const later = new Set<string>();
  const { outputFiles, metafile } = await build({
    ...common,
    stdin: { contents, resolveDir: root },
    write: false,
    metafile: true,
    plugins: [
      {
        name: 'later',
        setup: ({ onResolve }) => {
          onResolve({ filter: /./ }, ({ kind, path }) => {
            if (kind !== 'dynamic-import') return undefined;
            later.add(basename(path));
            return { path, external: true };
          });
        },
      },
    ],
  });
  const [output] = Object.values(metafile.outputs);
  return {
    bytes: packed(outputFiles[0]?.contents ?? new Uint8Array(0)),
    inputs: output?.inputs ?? {},
    later: [...later],
  };
}

/** What a generated module takes of the runtime (`compiler/emit/emit-module.ts`). */
const module = `export { createModel, planMemory } from './runtime/index.ts'`;

describe('the runtime of a module', () => {
  test('is 20 KiB at most with all of inference, and leaves the rest for later', async () => {
    const { bytes, inputs, later } = await bundleOf(module);
    expect(later.toSorted()).toEqual(Object.keys(LATER).toSorted());
    for (const part of ['run', 'encode', 'model', 'weights', 'pipelines', 'memory-plan', 'routes', 'faults'])
      expect(Object.keys(inputs).map((path) => basename(path))).toContain(`${part}.ts`);
    const heaviest = Object.entries(inputs).map(([path, { bytesInOutput }]) => `${bytesInOutput} ${path}`);
    const told = `${bytes} bytes:\n${heaviest.toSorted((a, b) => parseInt(b) - parseInt(a)).join('\n')}`;
    expect(bytes <= LIMIT ? 'within 20,480 bytes' : told).toBe('within 20,480 bytes');
  });

  test('loads later what is small too', async () => {
    const own = await bundleOf(module);
    for (const [file, limit] of Object.entries(LATER)) {
      const folder = file === 'run-extern.ts' ? 'running' : 'weights';
      const all = await bundleOf(`${module}; export * from './runtime/${folder}/${file}'`);
      expect(all.bytes - own.bytes, file).toBeLessThanOrEqual(limit);
    }
  });
});

describe('a bundle in chunks', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'moec-chunks-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([true, false])('finds what it loads later (splitting: %s)', async (splitting) => {
    const outdir = join(folder, String(splitting));
    await build({
      ...common,
      stdin: { contents: module, resolveDir: root },
      outdir,
      splitting,
      outExtension: { '.js': '.mjs' },
    });
    const loaded: { readonly createModel: typeof createModel } = await import(
      pathToFileURL(join(outdir, 'stdin.mjs')).href
    );
    const device = await requestDevice({ dawnOptions: ['backend=null'] });
    const weights = (length: number) =>
      fromTensors(
        ['w', 'noise'].map((name) => ({ name, dtype: 'F32', shape: [length], data: new Float32Array(length) })),
      );
    const externs = { host: () => new Float32Array(4) };
    await expect(loaded.createModel(manifest, shaders, { device, weights: weights(5), externs })).rejects.toThrow(
      'has the shape [5], [4] is wanted',
    );
    const model = await loaded.createModel(manifest, shaders, { device, weights: weights(4), externs });
    const { results } = await model.run({ x: new Float32Array(4) }, { entry: 'hosted' });
    expect([...results.keys()]).toEqual(['z']);
    model.dispose();
    device.destroy();
  });
});
