/** What a call loads: the command line starts fast because a verb's code is imported when the verb is called, and no sooner. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { everything, moec, scratch } from './support.ts';

let folder: ReturnType<typeof scratch>;
beforeAll(async () => {
  folder = scratch();
  folder.file('good.moe', everything);
  folder.file('bad.moe', everything.replace('param w', 'param v'));
  // The first call of all compiles the command line.
  await moec(['--version']);
}, 300_000);
afterAll(() => folder.remove());

/** The modules of moec that a call evaluates, as the engine counts them, by the path of what was compiled. */
async function modulesOf(args: readonly string[], code: number): Promise<readonly string[]> {
  const coverage = mkdtempSync(join(tmpdir(), 'moec-loaded-'));
  try {
    const ended = await moec(args, { cwd: folder.path, env: { NODE_V8_COVERAGE: coverage } });
    expect(ended.code, ended.stderr).toBe(code);
    const urls = readdirSync(coverage).flatMap((file) => {
      const { result }: { readonly result: readonly { readonly url: string }[] } = JSON.parse(
        readFileSync(join(coverage, file), 'utf8'),
      );
      return result.map(({ url }) => url);
    });
    const own = urls.flatMap((url) => /\/((?:compiler|dsl|runtime)\/[\w/.-]+\.js)$/.exec(url)?.[1] ?? []);
    const modules = [...new Set(own)].toSorted();
    expect(modules).toContain('compiler/cli/moec.js');
    return modules;
  } finally {
    rmSync(coverage, { recursive: true, force: true });
  }
}

const startsWithAny = (modules: readonly string[], ...starts: readonly string[]): readonly string[] =>
  modules.filter((m) => starts.some((start) => m.startsWith(start)));

/** The one file of the runtime that the language folds sizes with (DECISIONS 37). */
const sizeArithmetic = 'runtime/contract/exact.js';

describe('modules that a call loads', () => {
  it.each([
    [['--version']],
    [['--help']],
    [['help', 'verify']],
    [['compile', '--help']],
    [['explain', 'memory', '--help']],
  ])('%s: five at most', async (args) => {
    expect((await modulesOf(args, 0)).length).toBeLessThanOrEqual(5);
  });

  it('a call that cannot be read loads what shows it, and no verb', async () => {
    expect((await modulesOf(['chekc'], 2)).length).toBeLessThanOrEqual(6);
  });

  it('check loads neither the runtime nor the verifier nor other verbs', async () => {
    const modules = await modulesOf(['check', 'good.moe'], 0);
    expect(modules).toContain('compiler/check-sizes.js');
    const others = [
      'compiler/cli/terminal/failures',
      'compiler/cli/running/execute',
      'compiler/cli/verbs/compile-verb',
      'compiler/schedule/executing',
    ];
    const loaded = startsWithAny(modules, 'runtime/', 'compiler/verify/', 'compiler/api/', ...others);
    expect(loaded.filter((m) => m !== sizeArithmetic)).toEqual([]);
  });

  it('check of a program with mistakes loads the front end and what shows them', async () => {
    const modules = await modulesOf(['check', 'bad.moe'], 1);
    const core = modules.filter((m) => m.startsWith('compiler/') && !m.startsWith('compiler/cli/'));
    expect(core.filter((m) => !/\/(front-end|overrides|stages|target|version)\.js$/.test(m))).toEqual([]);
    const loaded = startsWithAny(modules, 'runtime/', 'dsl/diagnostics/explain/');
    expect(loaded.filter((m) => m !== sizeArithmetic)).toEqual([]);
  });

  it('fmt loads the syntax alone', async () => {
    const modules = await modulesOf(['fmt', '--check', 'good.moe'], 0);
    expect(startsWithAny(modules, 'runtime/', 'dsl/check/', 'dsl/meaning/', 'dsl/std/', 'compiler/front-end')).toEqual(
      [],
    );
  });
});
