/**
 * The files of classes of devices: what only devices of a class run stands in a file of its own, which nobody else loads, whatever
 * loads it. `test/gpu/device-classes.test.ts` runs them.
 */
import { build, type Metafile } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { manifestFaults } from '../../compiler/emit/verify-manifest.ts';
import { compileProgram } from '../../compiler/compile.ts';
import { analyse } from '../../compiler/front-end.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { type ClassShaders, shadersOfClass } from '../../runtime/contract/device-class.ts';
import { callMoec, scratch } from './support.ts';

const layer = `model Layer {
  axis T, D = 256, F = 256
  param w: [F, D] = 0.1
  param v: [F, D] = 0.2
  forward(x: [T, D]) -> [T, F] {
    loss z = sum(v @ x, over: (T, F))
    w @ x
  }
}
`;

interface ClassFile extends ClassShaders {
  readonly shaders: Readonly<Record<string, string>>;
}

let folder: ReturnType<typeof scratch>;
let out: string;
/** A name in which every character means something in a URL. */
const stem = 'a #1?%20 layer';
beforeAll(async () => {
  folder = scratch();
  out = join(folder.path, 'out');
  const ended = await callMoec(['compile', folder.file(`${stem}.moe`, layer), '-o', out]);
  expect(ended.stderr).toContain(`${stem}.simd4.js, ${stem}.simd8.js, ${stem}.js`);
});
afterAll(() => folder.remove());

const text = (file: string): string => readFileSync(join(out, file), 'utf8');

/** The module, and the files that it names, loaded as Node loads them: vitest has its own ideas of such names. */
function loaded(file: string): { readonly shaders: readonly string[]; readonly classes: readonly ClassFile[] } {
  const script = `
    import { readFileSync } from 'node:fs';
    const url = new URL(${JSON.stringify(pathToFileURL(join(out, file)).href)});
    const { shaders } = await import(url);
    const named = [...readFileSync(url, 'utf8').matchAll(/import\\(("[^"]*")\\)/g)].map(([, name]) => JSON.parse(name));
    const classes = await Promise.all(named.map((name) => import(new URL(name, url))));
    console.log(JSON.stringify({ shaders, classes: classes.map(({ hash, shaders }) => ({ hash, shaders })) }));`;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }));
}

const subgroups = 'enable subgroups;';

function compiled() {
  const { program } = analyse({ name: 'layer.moe', text: layer });
  if (program === null) throw new Error('the layer has errors');
  const { manifest, shaders } = compileProgram(program, { overrides: new Map(), target: webgpuCore });
  if (manifest === null) throw new Error('the layer has errors');
  return { manifest, shaders };
}

describe('a module with forms for classes of devices', () => {
  test('has the texts of a class in a file of that class, and those of all devices itself', () => {
    const { shaders } = compiled();
    const { hash } = JSON.parse(text(`${stem}.manifest.json`));
    const own = loaded(`${stem}.js`);
    expect(text(`${stem}.js`)).not.toContain(subgroups);
    expect(own.shaders).toEqual(shaders.slice(0, own.shaders.length));
    expect(own.classes).toHaveLength(2);
    const found = new Map(own.shaders.map((shader, i) => [i, shader]));
    for (const file of own.classes) {
      expect(file.hash).toBe(hash);
      for (const [i, shader] of Object.entries(file.shaders)) {
        expect(shader.startsWith(subgroups)).toBe(true);
        found.set(Number(i), shader);
      }
    }
    expect([...found].sort(([a], [b]) => a - b)).toEqual(shaders.map((shader, i) => [i, shader]));
  });

  test('that no launch has a form for is one file', async () => {
    const ended = await callMoec([
      'compile',
      folder.file('small.moe', layer.replaceAll('= 256', '= 4')),
      '-o',
      out,
      '--runtime=r',
    ]);
    expect(ended.code).toBe(0);
    expect(readdirSync(out).filter((file) => file.startsWith('small'))).toEqual(['small.d.ts', 'small.js', 'small.manifest.json']); // prettier-ignore
  });

  test('whose texts are in another order is refused by the verifier', () => {
    const { manifest, shaders } = compiled();
    expect(manifestFaults(manifest, shaders)).toEqual([]);
    const last = shaders.length - 1;
    const turned = manifest.kernels.map((kernel) => ({ ...kernel, shader: last - kernel.shader }));
    expect(manifestFaults({ ...manifest, kernels: turned }, shaders.toReversed())).toContainEqual(
      expect.stringMatching(/shader \d+, of a portable form, stands behind one of a class/),
    );
  });
});

describe('the texts of a class', () => {
  const { manifest, shaders } = compiled();
  const portable = shaders.slice(0, 1);
  const texts =
    (hash: string): (() => Promise<ClassShaders>) =>
    async () => ({ hash, shaders: { 1: 'one', 2: 'two' } });

  test('are asked for by nobody else, and continue those of the module', async () => {
    const never = (): Promise<ClassShaders> => Promise.reject(new Error('asked'));
    const loaders = { simd4: never, simd8: texts(manifest.hash) };
    expect(await shadersOfClass(manifest, portable, 'portable', loaders)).toEqual(portable);
    expect(await shadersOfClass(manifest, portable, 'simd8', loaders)).toEqual([portable[0], 'one', 'two']);
    expect(await shadersOfClass(manifest, shaders, 'simd8', {})).toEqual(shaders);
  });

  test('that do not load, or are of another compilation, are MOE0717, with a way out', async () => {
    const gone = (): Promise<ClassShaders> => Promise.reject(new Error('404'));
    const failed = shadersOfClass(manifest, portable, 'simd4', { simd4: gone });
    await expect(failed).rejects.toMatchObject({ code: 'MOE0717', cause: new Error('404') });
    await expect(failed).rejects.toThrow("class: 'portable'");
    await expect(shadersOfClass(manifest, portable, 'simd4', { simd4: texts('other') })).rejects.toThrow(
      /MOE0717: .*simd4 are of another compilation: compile the model again/,
    );
  });
});

describe('a bundler', () => {
  const bundle = (splitting: boolean): Promise<{ readonly metafile: Metafile; readonly texts: readonly string[] }> =>
    build({
      entryPoints: [join(out, 'bundled.js')],
      bundle: true,
      format: 'esm',
      splitting,
      outdir: join(folder.path, 'bundle'),
      metafile: true,
      write: false,
      logLevel: 'silent',
    }).then(({ metafile, outputFiles }) => ({ metafile, texts: outputFiles.map((file) => file.text) }));

  beforeAll(() => {
    for (const ending of ['js', 'simd4.js', 'simd8.js']) {
      const moved = text(`${stem}.${ending}`);
      writeFileSync(
        join(out, `bundled.${ending}`),
        moved.replaceAll(/import\("\.\/.*\.(simd\d)\.js"\)/g, 'import("./bundled.$1.js")'),
      );
    }
  });

  test('that splits puts each class into a chunk of its own', async () => {
    const { texts, metafile } = await bundle(true);
    expect(texts.filter((chunk) => chunk.includes(subgroups))).toHaveLength(2);
    const main = Object.values(metafile.outputs).find((o) => o.entryPoint?.endsWith('bundled.js'));
    const loaded = main?.imports.filter(({ kind }) => kind === 'dynamic-import') ?? [];
    expect(loaded.map(({ path }) => /simd\d/.exec(path)?.[0])).toEqual(expect.arrayContaining(['simd4', 'simd8']));
    // What the runtime loads later shares chunks with what it loads at once; none of them is of a class.
    const shared = main?.imports.filter(({ kind }) => kind !== 'dynamic-import') ?? [];
    expect(shared.filter(({ path }) => /simd\d/.test(path))).toEqual([]);
  });

  test('that does not makes the module one file, with all texts', async () => {
    const { texts } = await bundle(false);
    expect(texts).toHaveLength(1);
    const { shaders } = compiled();
    for (const shader of shaders.filter((each) => each.includes('subgroupShuffle'))) {
      const line =
        shader
          .split('\n')
          .find((each) => each.includes('subgroupShuffle'))
          ?.trim() ?? 'no shuffle';
      expect(texts[0]).toContain(line);
    }
  });
});
