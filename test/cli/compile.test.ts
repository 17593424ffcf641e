/** `compile`: what it writes, that it is the same every time, that nobody sees half of it, and the window into the compiler. */
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runtimeFiles } from '../../compiler/cli/running/runtime-files.ts';
import { loadProject } from '../../compiler/cli/running/project.ts';
import { frontText, isFrontStage, stageText } from '../../compiler/cli/running/stage-text.ts';
import { compileProgram } from '../../compiler/compile.ts';
import { stages, type Stage } from '../../compiler/stages.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { answer, callMoec, everything, moec, root, scratch } from './support.ts';

let folder: ReturnType<typeof scratch>;
let model: string;
beforeAll(() => {
  folder = scratch();
  model = folder.file('everything.moe', everything);
});
afterAll(() => folder.remove());

const compile = (...args: readonly string[]) => callMoec(['compile', ...args]);
const text = (...path: readonly string[]): string => readFileSync(join(folder.path, ...path), 'utf8');

describe('what is written', () => {
  test('module, types, manifest and runtime; the module loads and knows its memory', async () => {
    const out = join(folder.path, 'build');
    const ended = await moec(['compile', model, '-o', out]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toBe('');
    expect(readdirSync(out).sort()).toEqual([
      'everything.d.ts',
      'everything.js',
      'everything.manifest.json',
      'everything.simd4.js',
      'runtime',
    ]);
    expect(readdirSync(join(out, 'runtime'))).toEqual(expect.arrayContaining(['index.js', 'node.js']));
    const module: {
      readonly plan: (options: object) => { readonly bytes: number };
      readonly shaders: readonly string[];
    } = await import(pathToFileURL(join(out, 'everything.js')).href);
    expect(module.plan({ entry: 'forward', sizes: { T: 5 } }).bytes).toBeGreaterThan(4 * 4 * 5);
    expect(module.shaders.length).toBeGreaterThan(0);
    expect(JSON.parse(text('build', 'everything.manifest.json')).name).toBe('Everything');
  });

  test('with --runtime the module imports it from there', async () => {
    const ended = await compile(model, '-o', join(folder.path, 'bare'), '--runtime=moec/runtime', '--json');
    expect(answer(ended)).toMatchObject({
      ok: true,
      files: ['everything.d.ts', 'everything.manifest.json', 'everything.simd4.js', 'everything.js'],
    });
    expect(text('bare', 'everything.js')).toContain('from "moec/runtime"');
  });

  test('byte for byte the same, wherever the files lie and however they are named', async () => {
    mkdirSync(join(folder.path, 'elsewhere'), { recursive: true });
    writeFileSync(join(folder.path, 'elsewhere', 'everything.moe'), everything);
    await compile(model, '-o', join(folder.path, 'one'), '--runtime=r');
    const ended = await moec(['compile', './everything.moe', '-o', '../two', '--runtime=r'], {
      cwd: join(folder.path, 'elsewhere'),
      env: { TZ: 'Asia/Tokyo', LC_ALL: 'C', HOME: '' },
    });
    expect(ended.code, ended.stderr).toBe(0);
    for (const name of readdirSync(join(folder.path, 'one'))) expect(text('two', name), name).toBe(text('one', name));
    expect(text('one', 'everything.js')).not.toContain(folder.path);
  });

  test('the types hold in a strict program, with the runtime beside them', async () => {
    const out = join(folder.path, 'typed');
    await compile(model, '-o', out, '--runtime=./runtime/index.js');
    const files = await runtimeFiles();
    for (const { path } of files) mkdirSync(dirname(join(out, path)), { recursive: true });
    for (const { path, bytes } of files) writeFileSync(join(out, path), bytes);
    const good = join(out, 'good.ts');
    const use = (access: string): string => `import { create } from './everything.js';
      export async function f(device: GPUDevice): Promise<number> {
        const model = await create({ device });
        const { results } = await model.run({ x: new Float32Array(8) });
        const y = ${access};
        const width: 4 = y.shape[1];
        return width;
      }`;
    writeFileSync(good, use("results.get('y')"));
    writeFileSync(join(out, 'bad.ts'), use("results.get('z')"));
    const program = ts.createProgram([good, join(out, 'bad.ts')], {
      strict: true,
      noEmit: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      // WebGPU is part of TypeScript's own dom library; Node's types are for runtime/node.
      types: [join(root, 'node_modules', '@types', 'node')],
      skipLibCheck: true,
    });
    const told = ts
      .getPreEmitDiagnostics(program)
      .map((d) => `${d.file?.fileName.split('/').at(-1)}: ${ts.flattenDiagnosticMessageText(d.messageText, ' ')}`);
    expect(told.filter((line) => !line.startsWith('bad.ts'))).toEqual([]);
    expect(told.some((line) => line.startsWith('bad.ts'))).toBe(true);
  });
});

describe('nothing is half written', () => {
  test('a program with mistakes leaves the old output', async () => {
    mkdirSync(join(folder.path, 'old'));
    writeFileSync(join(folder.path, 'old', 'everything.js'), 'old');
    const bad = folder.file('bad.moe', everything.replace('top_k(s, K', 'top_k(s, 9'));
    const ended = await moec(['compile', bad, '-o', join(folder.path, 'old')]);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('MOE0450');
    expect(readdirSync(join(folder.path, 'old'))).toEqual(['everything.js']);
    expect(text('old', 'everything.js')).toBe('old');
  });

  test('a target that is a file, or has a folder in the way', async () => {
    expect((await compile(model, '-o', folder.file('blocked', 'mine'), '--runtime=r')).code).toBe(74);
    expect(text('blocked')).toBe('mine');
    mkdirSync(join(folder.path, 'occupied', 'everything.js'), { recursive: true });
    expect((await compile(model, '-o', join(folder.path, 'occupied'), '--runtime=r')).code).toBe(74);
    expect(readdirSync(join(folder.path, 'occupied'))).toEqual(['everything.js']);
  });

  test('killed at any moment: all of it or nothing, and the next call cleans up', async () => {
    const parent = join(folder.path, 'killed');
    mkdirSync(parent);
    const all = ['everything.d.ts', 'everything.js', 'everything.manifest.json', 'everything.simd4.js'];
    const started = Date.now();
    await moec(['compile', model, '-o', join(parent, 'whole'), '--runtime=r']);
    const usual = Date.now() - started;
    for (const share of [0.7, 0.85, 0.95, 1]) {
      const out = join(parent, `out-${share}`);
      await moec(['compile', model, '-o', out, '--runtime=r'], {
        during: (child) => void setTimeout(() => child.kill('SIGKILL'), share * usual),
      });
      if (existsSync(out)) expect(readdirSync(out).sort()).toEqual(all);
    }
    await compile(model, '-o', join(parent, 'last'), '--runtime=r');
    expect(readdirSync(parent).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

describe('the window into the compiler', () => {
  test('every stage has a text, and all of them come out of one call', async () => {
    const project = await loadProject(model);
    if (project.program === null) throw new Error('the model has mistakes');
    const compiled = compileProgram(project.program, {
      overrides: new Map(),
      target: webgpuCore,
      sources: project.sources,
    });
    const textOf = (stage: Stage): string =>
      isFrontStage(stage) ? frontText(stage, project) : stageText(stage, compiled);
    for (const stage of stages) expect(textOf(stage).length, stage).toBeGreaterThan(50);
    expect(textOf('program')).toMatch(/^program Everything\n[^]*^entry forward\(.*\) -> .* uses /m);

    const { code, stdout, stderr } = await moec(['compile', model, `--emit=${stages.join(',')}`]);
    expect(code, stderr).toBe(0);
    for (const stage of stages) expect(stdout, stage).toContain(textOf(stage).trim());
  });

  test('--stop-after goes no further, and writes nothing', async () => {
    const out = join(folder.path, 'stopped');
    expect((await compile(model, '-o', out, '--stop-after=plan')).code).toBe(0);
    expect(existsSync(out)).toBe(false);
    const late = await compile(model, '--stop-after=graph', '--emit=graph,wgsl');
    expect(late.code).toBe(2);
    expect(late.stderr).toContain('--emit=wgsl comes after --stop-after=graph');
  });

  test('--print-after, --time, --skip-pass and --pass-limit', async () => {
    const printed = await compile(model, '--stop-after=wgsl', '--print-after=sparsify', '--time');
    expect(printed.stdout).toBe('');
    expect(printed.stderr).toContain('// after sparsify');
    expect(printed.stderr).not.toMatch(/after \d+ fold-constants/);
    expect(printed.stderr).toMatch(/sparsify +\d+\.\d ms/);
    const all = await compile(model, '--stop-after=wgsl', '--print-after=all');
    expect(all.stderr).toMatch(/after \d+ fold-constants/);
    // Without any pass the program still compiles, and does the same in more launches.
    const launches = (stdout: string): number => Number(/plan forward: (\d+) launches/.exec(stdout)?.[1]);
    const usual = launches((await compile(model, '--emit=plan')).stdout);
    const bare = launches((await compile(model, '--emit=plan', '--pass-limit=0')).stdout);
    const unfused = launches((await compile(model, '--emit=plan', '--skip-pass=fuse-elementwise')).stdout);
    expect(usual).toBeGreaterThan(0);
    expect(unfused).toBeGreaterThan(usual);
    expect(bare, 'without its passes a graph has other launches').not.toBe(unfused);
  });

  test.each([
    ['nothing to do', []],
    ['an unknown stage', ['--emit=magic']],
    ['an unknown pass', ['--skip-pass=magic', '--emit=plan']],
    ['an unknown target', ['--target=abacus', '--emit=plan']],
    ['an unknown entry', ['--entry=magic', '--emit=plan']],
    ['a limit that is no number', ['--pass-limit=few', '--emit=plan']],
  ])('%s ends with 2', async (_, args) => {
    expect((await compile(model, ...args)).code).toBe(2);
  });
});
