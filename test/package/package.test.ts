/** The package is one: what is packed is whole, is imported by its names, has types, and runs in a page. */
import { build } from 'esbuild';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, openBrowser } from '../support/browser.ts';
import { install, readPackage, root, type Installed } from './install.ts';

let installed: Installed;
beforeAll(() => {
  installed = install();
}, 300_000);
afterAll(() => installed?.remove());

/** Runs a module of the user's folder in Node and gives what it prints. */
function node(name: string, text: string): string {
  const file = installed.write(name, text);
  const ended = spawnSync(process.execPath, [file], { cwd: installed.folder, encoding: 'utf8' });
  expect(ended.status, ended.stderr).toBe(0);
  return ended.stdout;
}

/** The program of the README's chapter on the library. */
function readmeLines(): string {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  return /## As a library\n[\s\S]*?```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
}

/** What a page does with the library: everything, and numbers for an answer. */
const page = `
import { check, compile, format, interpret, render, version } from 'moec';

const text = \`import { Twice } from "./twice.moe"
model M {
  axis T, D = 3, E = 2
  experts ffn[E] = Twice
  router gate(x: [D]) -> route[E] {
    param w: [E, D] = 1
    top_k(softmax(w @ x, over: E), 1, over: E)
  }
  forward(x: [T, D]) -> [T, D] { gate(x) @ ffn(x) }
}
\`;
const options = {
  name: 'models/m.moe',
  imports: { 'models/twice.moe': 'expert Twice(x: [D]) -> [D] { 2 * x }' },
};

export async function main() {
  const checked = check(text, options);
  if (checked.program === null) throw new Error(render(checked));
  const inputs = { x: { shape: [2, 3], data: new Float32Array([1, 2, 3, 4, 5, 6]) } };
  const { results } = await interpret(checked.program, inputs);
  const { files } = compile(text, options);
  return JSON.stringify({
    version,
    output: [...results.get('output').data],
    files: files.map(({ path, text }) => [path, text]),
    wrong: render(check('model M { forward(x: [Q]) -> [Q] { x } }')),
    laidOut: format('model M{axis D=4\\nforward(x:[D])->[D]{x}}').text,
  });
}
`;

/** The page's answer in Node, from the package by its name. */
const answerOfNode = (): string => node('answer.mjs', `${page}\nprocess.stdout.write(await main());\n`);

/** The page and all of the library that it uses as one script. A builtin of Node does not resolve, and is an error. */
async function bundled(format: 'iife' | 'esm'): Promise<string> {
  const entry = installed.write(`page-${format}.mjs`, page);
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    absWorkingDir: installed.folder,
    bundle: true,
    format,
    globalName: 'page',
    platform: 'browser',
    target: 'es2022',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const taken = [...Object.values(metafile.inputs), ...Object.values(metafile.outputs)].flatMap(({ imports }) =>
    imports.filter((i) => i.external === true).map((i) => i.path),
  );
  expect(taken).toEqual([]);
  return outputFiles[0]?.text ?? '';
}

describe('what is packed', () => {
  it('is what is needed: the build, the documents and the licence, and nothing of the tests and sources', () => {
    const outside = installed.files.filter((f) => !f.startsWith('dist/')).toSorted();
    const documents = readPackage(root).files.filter((f) => f !== 'dist' && existsSync(join(root, f)));
    expect(outside).toEqual([...documents, 'package.json'].toSorted());
    expect(documents).toContain('LICENSE');
    expect(installed.files.filter((f) => !/\.(js|d\.ts)$/.test(f) && f.startsWith('dist/'))).toEqual([]);
    expect(installed.files.filter((f) => /^dist\/(test|examples)\//.test(f))).toEqual([]);
  });

  it('has every file that package.json names', () => {
    const { exports, bin } = readPackage(installed.package);
    const named = [
      ...Object.values(bin),
      ...Object.values(exports).flatMap((e) => (typeof e === 'string' ? [e] : [e.types, e.default])),
    ];
    expect(named.filter((file) => !existsSync(join(installed.package, file)))).toEqual([]);
    expect(named.length).toBeGreaterThan(6);
  });
});

describe('the README', () => {
  it('links documents that are packed too', () => {
    const readme = readFileSync(join(installed.package, 'README.md'), 'utf8');
    const linked = [...readme.matchAll(/\]\(([\w-]+\.md|LICENSE)\)/g)].map(([, file = '']) => file);
    const some = ['LANGUAGE.md', 'ARCHITECTURE.md', 'DECISIONS.md', 'CHANGELOG.md', 'LICENSE'];
    expect(linked).toEqual(expect.arrayContaining(some));
    expect(linked.filter((file) => !existsSync(join(installed.package, file)))).toEqual([]);
  });
});

describe('in Node', () => {
  it("runs the README's lines", () => {
    const lines = readmeLines();
    expect(lines.trim().split('\n').length).toBeLessThanOrEqual(12);
    const printed = node('readme.mjs', lines);
    expect(printed).toBe('2 4 6 8\ntwice.d.ts true\ntwice.manifest.json true\ntwice.js true\n');
  });

  it('imports every name of the package', () => {
    const printed = node(
      'names.mjs',
      `import * as moec from 'moec';
       import * as runtime from 'moec/runtime';
       import * as files from 'moec/runtime/node';
       import manifest from 'moec/package.json' with { type: 'json' };
       console.log(Object.keys(moec).sort().join(' '));
       console.log(typeof runtime.createModel, typeof files.fromFile, moec.version === manifest.version);
       console.log(moec.MoecError === runtime.MoecError);`,
    );
    expect(printed).toBe('MoecError check compile format interpret render version\nfunction function true\ntrue\n');
  });

  it('has the command line, which compiles with the runtime beside', () => {
    installed.write('m.moe', 'model M {\n  axis T, D = 4\n  forward(x: [T, D]) -> [T, D] { 2 * x }\n}\n');
    const moec = join(installed.package, readPackage(installed.package).bin.moec ?? '');
    execFileSync(process.execPath, [moec, 'compile', 'm.moe', '-o', 'out'], { cwd: installed.folder, stdio: 'pipe' });
    expect(node('loads.mjs', "console.log(typeof (await import('./out/m.js')).create)")).toBe('function\n');
  });

  it('compiles to a module that finds its runtime by name', () => {
    const printed = node(
      'module.mjs',
      `import { writeFile } from 'node:fs/promises';
       import { compile } from 'moec';
       const text = 'model M {\\n  axis T, D = 4\\n  forward(x: [T, D]) -> [T, D] { 2 * x }\\n}';
       for (const { path, text: file } of compile(text, { name: 'layer.moe' }).files) await writeFile(path, file);
       const { create, plan } = await import('./layer.js');
       console.log(typeof create, plan({ sizes: { T: 8 } }).bytes > 0);`,
    );
    expect(printed).toBe('function true\n');
  });
});

describe('in a page', () => {
  it('is a bundle without builtins of Node, which runs where there is nothing but the language', async () => {
    const script = await bundled('iife');
    const context = createContext({});
    runInContext(script, context);
    const answer: unknown = await runInContext('page.main()', context);
    expect(answer).toBe(answerOfNode());
    const { output, wrong } = JSON.parse(String(answer));
    // Half of the weight of two equal scores, times twice the input.
    expect(output).toEqual([1, 2, 3, 4, 5, 6]);
    expect(wrong).toMatch(/^error\[MOE\d{4}\]/);
  });

  it.skipIf(findChromium() === null)(
    'runs in Chromium, under a policy that forbids evaluating text',
    async () => {
      const program = findChromium();
      if (program === null) throw new Error('no browser');
      const script = await bundled('esm');
      const session = await openBrowser(program, new Map([['/page.js', { type: 'text/javascript', bytes: script }]]));
      try {
        const answer = await session.page.evaluate("import('/page.js').then(({ main }) => main())");
        expect(answer, session.messages.join('\n')).toBe(answerOfNode());
      } finally {
        await session.close();
      }
    },
    120_000,
  );
});

describe('types', () => {
  const user = `
import { check, compile, format, interpret, render, MoecError, version } from 'moec';
import type { Checked, Compiled, Diagnostic, Formatted, InterpretedValue, Interpretation, Span } from 'moec';

const checked: Checked = check('model M {}', { set: { D: 4, name: 'a', train: true }, imports: (path) => (path === 'a.moe' ? '' : null) });
const places: readonly (Span | undefined)[] = checked.diagnostics.map((d: Diagnostic) => d.span);
const compiled: Compiled = compile('', { target: 'webgpu-large', entries: ['forward'] });
const texts: readonly string[] = compiled.files.map((file) => file.text);
const laid: Formatted = format('');
const shown: string = render(laid) + version + (laid.text ?? '') + texts.join('') + places.length;
if (checked.program !== null) {
  const ran: Interpretation = await interpret(checked.program, new Map([['x', { shape: [1], data: [1] }]]), { seed: 1, losses: true });
  const y: InterpretedValue | undefined = ran.results.get('output');
  if (y?.kind === 'tensor') console.log(y.data.length, y.axes.map((axis) => axis.name), shown);
}
export const error: string = new MoecError('MOE0767', 'x').code;
`;

  /** What TypeScript says of a text of the user's, with every declaration of the package checked too. */
  function complaintsOf(name: string, text: string): readonly string[] {
    const program = ts.createProgram([installed.write(name, text)], {
      target: ts.ScriptTarget.ES2022,
      lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      strict: true,
      noEmit: true,
      types: [],
    });
    return ts.getPreEmitDiagnostics(program).map((d) => ts.flattenDiagnosticMessageText(d.messageText, '\n'));
  }

  it('are there for every name, and hold', () => {
    expect(complaintsOf('user.ts', user)).toEqual([]);
  }, 120_000);

  it('refuse what a call would refuse', () => {
    const wrong = "import { check, compile, interpret } from 'moec';\n";
    expect(
      complaintsOf('wrong.ts', `${wrong}check(1); compile('', { target: 'moon' }); interpret(null, {});`),
    ).toHaveLength(3);
  }, 120_000);
});
