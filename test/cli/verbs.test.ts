/** The verbs that need no run: what they print, where, and how they end. */
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { catalogue } from '../../dsl/diagnostics/catalogue.ts';
import { answer, callMoec, everything, f32, moec, noAdapter, root, scratch, tensorFile } from './support.ts';

const wrong = 'model M {\n  axis T, D = 4\n  forward(x: [T, D]) -> [T, D] { softmax(x, over: Dd) }\n}\n';
let folder: ReturnType<typeof scratch>;
beforeAll(() => (folder = scratch()));
afterAll(() => folder.remove());

describe('moec', () => {
  test('has the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(await moec(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });

  test('help goes to stdout and is no mistake', async () => {
    const { code, stdout } = await moec(['--help']);
    expect(code).toBe(0);
    for (const verb of [
      'init',
      'check',
      'compile',
      'run',
      'verify',
      'profile',
      'tune',
      'explain',
      'inspect',
      'fmt',
      'doctor',
    ])
      expect(stdout).toContain(`  ${verb} `);
  });

  test.each([
    [[]],
    [['sing']],
    [['check']],
    [['check', '--loud', 'a.moe']],
    [['run', 'a.moe', '--on', 'cpu']],
    [['explain', 'MOE9999']],
  ])('a wrong command line ends with 2: %j', async (args) => {
    const { code, stdout, stderr } = await callMoec(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).not.toBe('');
  });

  test('a reader that has seen enough is no mistake', async () => {
    const { code, stderr } = await moec(['explain'], {
      during: (child) => {
        child.stdin?.end();
        child.stdout?.destroy();
      },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends it with %i', async (signal, exitCode) => {
    const waits = "process.stderr.write('ready'); await new Promise((done) => setTimeout(done, 60_000));";
    const { code } = await moec(['run', 'any.moe', '--extern', folder.file('waits.mjs', waits)], {
      during: (child) => child.stderr?.once('data', () => child.kill(signal)),
    });
    expect(code).toBe(exitCode);
  });
});

describe('check', () => {
  test('a program without mistakes', async () => {
    const { code, stdout } = await moec(['check', 'examples/mixtral/model.moe']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });

  test('frames on stderr, with the place as it was written', async () => {
    folder.file('wrong.moe', wrong);
    const { code, stdout, stderr } = await moec(['check', 'wrong.moe'], { cwd: folder.path });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('error[MOE0201]: no axis is called Dd');
    expect(stderr).toContain('--> wrong.moe:3:51');
    expect(stderr).toContain('1 error');
  });

  test('as JSON, good and bad', async () => {
    const bad = await callMoec(['check', '--json', folder.file('wrong.moe', wrong)]);
    expect(bad.code).toBe(1);
    expect(answer(bad).diagnostics).toMatchObject([{ code: 'MOE0201', span: { line: 3, column: 51 } }]);
    const good = await callMoec(['check', '--json', 'examples/mixtral/model.moe']);
    expect(answer(good)).toEqual({ ok: true, diagnostics: [] });
  });

  test('a file that is not there, a folder, and bytes that are no text', async () => {
    const missing = await callMoec(['check', folder.file('missing.moe')]);
    expect(missing.code).toBe(74);
    expect(missing.stderr).toContain('missing.moe');
    expect((await callMoec(['check', folder.path])).code).toBe(74);
    const bytes = await callMoec(['check', '--json', folder.file('latin.moe', Uint8Array.of(0x6d, 0xff))]);
    expect(bytes.code).toBe(1);
    expect(answer(bytes).diagnostics[0].code).toBe('MOE0002');
  });

  test('all files are looked at', async () => {
    const { code, stderr } = await callMoec([
      'check',
      folder.file('wrong.moe', wrong),
      'examples/olmoe/model.moe',
      folder.file('missing.moe'),
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('MOE0201');
    expect(stderr).toContain('olmoe/model.moe: model');
    expect(stderr).toContain('missing.moe');
  });
});

describe('fmt', () => {
  const loose = 'model  M {\n axis T,D=4\n  forward( x:[T,D] )->[T,D]{x}\n}\n';

  test('lays a file out, once', async () => {
    const file = folder.file('loose.moe', loose);
    expect((await callMoec(['fmt', '--check', file])).code).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe(loose);
    expect((await moec(['fmt', file])).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toContain('  axis T, D = 4\n');
    expect((await callMoec(['fmt', '--check', file])).code).toBe(0);
  });

  test('from stdin to stdout', async () => {
    const { code, stdout } = await moec(['fmt', '-'], { stdin: loose });
    expect(code).toBe(0);
    expect(stdout).toContain('  axis T, D = 4\n');
  });

  test('leaves a file with syntax errors as it is', async () => {
    const file = folder.file('broken.moe', 'model M {');
    expect((await callMoec(['fmt', file])).code).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe('model M {');
  });
});

describe('init', () => {
  test('writes a model that checks and is laid out, and never overwrites', async () => {
    const target = join(folder.path, 'fresh');
    expect((await moec(['init', target])).code).toBe(0);
    expect(readdirSync(target).sort()).toEqual(['README.md', 'model.moe']);
    const model = join(target, 'model.moe');
    expect((await callMoec(['check', model])).code).toBe(0);
    expect((await callMoec(['fmt', '--check', model])).code).toBe(0);
    const text = readFileSync(model, 'utf8');
    const again = await callMoec(['init', target]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('already there');
    expect(readFileSync(model, 'utf8')).toBe(text);
  });

  test('with one of its files in the way nothing is written', async () => {
    mkdirSync(join(folder.path, 'half'));
    folder.file('half/README.md', 'mine');
    expect((await callMoec(['init', join(folder.path, 'half')])).code).toBe(1);
    expect(readdirSync(join(folder.path, 'half'))).toEqual(['README.md']);
    expect(existsSync(join(folder.path, 'half', 'model.moe'))).toBe(false);
  });
});

describe('inspect', () => {
  test('a file, as a table and as JSON', async () => {
    const file = folder.file('w.safetensors', tensorFile(f32('b', [2, 3], [1, 2, 3, 4, 5, 6]), f32('a', [], [7])));
    const { code, stdout } = await moec(['inspect', file]);
    expect(code).toBe(0);
    expect(stdout.split('\n').slice(1, 3)).toEqual([
      expect.stringMatching(/^a +F32 +\[\] +4 B$/),
      expect.stringMatching(/^b +F32 +\[2, 3\] +24 B$/),
    ]);
    expect(answer(await callMoec(['inspect', '--json', file]))).toMatchObject({
      tensors: [
        { name: 'a', dtype: 'F32', shape: [], bytes: 4 },
        { name: 'b', dtype: 'F32', shape: [2, 3], bytes: 24 },
      ],
      bytes: 28,
    });
  });

  test('a folder, and what is none', async () => {
    folder.file('w.safetensors', tensorFile(f32('a', [], [7])));
    expect((await callMoec(['inspect', folder.path])).stdout).toContain('1 tensors');
    expect((await callMoec(['inspect', join(folder.path, 'nothing')])).code).toBe(74);
    const broken = await callMoec(['inspect', '--json', folder.file('short.safetensors', Uint8Array.of(1, 2, 3))]);
    expect(broken.code).toBe(1);
    expect(answer(broken).diagnostics[0].code).toBe('MOE0601');
  });

  test('names of tensors cannot steer a terminal', async () => {
    const file = folder.file('evil.safetensors', tensorFile(f32('a\u001b[2J', [], [7])));
    expect((await callMoec(['inspect', file])).stdout).toContain('a\\u{1b}[2J');
  });
});

describe('explain', () => {
  test('a code, in several spellings', async () => {
    for (const spelling of ['MOE0201', 'moe0201', '201']) {
      const { code, stdout } = await callMoec(['explain', spelling]);
      expect(code).toBe(0);
      expect(stdout).toContain(`MOE0201: ${catalogue.MOE0201.title}`);
    }
    expect(answer(await callMoec(['explain', '--json', 'MOE0201']))).toMatchObject({
      code: 'MOE0201',
      title: catalogue.MOE0201.title,
    });
  });

  test('lists all codes', async () => {
    const { stdout } = await callMoec(['explain']);
    for (const code of Object.keys(catalogue)) expect(stdout).toContain(code);
  });

  test('schedule: what each launch leaves for others, and why', async () => {
    const args = [
      'explain',
      'schedule',
      'examples/mixtral/model.moe',
      '--set',
      'D=8',
      '--set',
      'F=16',
      '--size',
      'T=5',
    ];
    const { code, stdout } = await callMoec(args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^forward: \d+ launches, \d+ boundaries   for B = 16, T = 5$/m);
    expect(stdout).toMatch(/^   %\d+ → #\d+.*, [\d.]+ (B|KiB)\n   (kernel|cost): \S/m);
    const { sizes, entries, reasons } = answer(await callMoec([...args, '--json']));
    expect(sizes).toEqual({ B: 16, T: 5 });
    for (const { boundaries } of entries[0].steps)
      for (const { reason, readers, because } of boundaries) {
        expect(Object.keys(reasons)).toContain(reason);
        expect(readers.length).toBeGreaterThan(0);
        expect(because).not.toBe('');
      }
  });

  test('kernels: formulas and numbers', async () => {
    const ended = await moec([
      'explain',
      'kernels',
      'examples/mixtral/model.moe',
      '--set',
      'D=8',
      '--set',
      'F=16',
      '--size',
      'T=5',
      '--json',
    ]);
    expect(ended.code).toBe(0);
    const { sizes, entries } = answer(ended);
    expect(sizes).toEqual({ B: 16, T: 5 });
    const { launches } = entries[0];
    const router = launches[0];
    expect(router).toMatchObject({
      domain: 'rows of B × T',
      kernel: expect.any(String),
      label: expect.stringContaining('model.moe:'),
    });
    // The router: for each of 16 · 5 tokens and 8 experts 8 multiplications and additions, and what its softmax and weights take.
    expect(router.flops.number).toBeGreaterThan(2 * 16 * 5 * 8 * 8);
    expect(router.flops.formula).toContain('T');
    expect(launches.some((l: { domain: string }) => l.domain.startsWith('rows of'))).toBe(true);
    const text = await callMoec(['explain', 'kernels', 'examples/mixtral/model.moe', '--set', 'D=8', '--set', 'F=16']);
    expect(text.stdout).toContain('rows of');
  });

  test('kernels of a model that is too large for the target', async () => {
    const { code, stdout, stderr } = await callMoec([
      'explain',
      'kernels',
      'examples/mixtral/model.moe',
      '--set',
      'D=4096',
      '--set',
      'F=14336',
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain('launches of');
    expect(stderr).toContain('MOE0502');
  });

  test('memory', async () => {
    const ended = await callMoec([
      'explain',
      'memory',
      folder.file('e.moe', everything),
      '--entry',
      'forward',
      '--size',
      'T=5',
      '--json',
    ]);
    const { entries } = answer(ended);
    expect(entries).toHaveLength(1);
    expect(entries[0].buffers.find((b: { label: string }) => b.label.startsWith('x'))).toMatchObject({
      place: 'input',
      bytes: 4 * 5 * 4,
    });
    expect(entries[0].total.params).toBeGreaterThanOrEqual(4 * 3 * 4);
  });

  test.each([
    ['an unknown axis', ['--size', 'Q=3']],
    ['a size that is none', ['--size', 'T=x']],
    ['an unknown entry', ['--entry', 'nothing']],
  ])('%s ends with 2', async (_, args) => {
    expect((await callMoec(['explain', 'kernels', folder.file('e.moe', everything), ...args])).code).toBe(2);
  });
});

describe('doctor', () => {
  test('without an adapter says what to install and ends with 3', async () => {
    const { code, stdout } = await moec(['doctor'], { env: noAdapter });
    expect(code).toBe(3);
    expect(stdout).toContain('no adapter');
    expect(stdout).toContain('mesa-vulkan-drivers');
    expect(stdout).toContain('--on reference');
  });

  test('as JSON', async () => {
    const ended = await moec(['doctor', '--json'], { env: noAdapter });
    expect(ended.code).toBe(3);
    expect(answer(ended)).toMatchObject({
      ok: false,
      adapter: { ok: false },
      help: expect.stringContaining('install'),
    });
  });
});

test('a folder that cannot be written ends with 74 and leaves nothing', async () => {
  const target = folder.file('a-file', 'mine');
  const { code, stderr } = await callMoec(['init', target]);
  expect(code).toBe(74);
  expect(stderr).toContain('a-file');
  expect(readFileSync(target, 'utf8')).toBe('mine');
  // Root may write anywhere: then there is nothing to see here.
  if (process.getuid?.() === 0) return;
  mkdirSync(join(folder.path, 'closed'));
  chmodSync(join(folder.path, 'closed'), 0o555);
  expect((await callMoec(['init', join(folder.path, 'closed')])).code).toBe(74);
});
