/** The functions of `moec`: what they return, what they refuse, and that they say what the command line says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  check,
  compile,
  format,
  interpret,
  render,
  MoecError,
  type CheckedProgram,
  type InterpretedValue,
  type InterpretOptions,
  type Named,
  type ShapedTensor,
  type SourceOptions,
} from '../../compiler/index.ts';
import { callMoec, everything, f32, readTensors, scratch, tensorFile } from '../cli/support.ts';

let folder: ReturnType<typeof scratch>;
beforeAll(() => (folder = scratch()));
afterAll(() => folder.remove());

function programOf(text: string, options: SourceOptions = {}): CheckedProgram {
  const checked = check(text, options);
  expect(render(checked)).toBe('');
  if (checked.program === null) throw new Error('no program');
  return checked.program;
}

function dataOf(value: InterpretedValue | undefined): readonly number[] {
  if (value?.kind !== 'tensor') throw new Error('no tensor');
  return [...value.data];
}

const codesOf = ({ diagnostics }: { readonly diagnostics: readonly { readonly code: string }[] }): readonly string[] =>
  diagnostics.map((d) => d.code);

/** What a call throws, which is always a MoecError with MOE0767. */
async function refusal(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof MoecError)) throw error;
    expect(error.code).toBe('MOE0767');
    return error.message;
  }
  throw new Error('nothing was thrown');
}

const twice = `model Twice {
  axis T, D = 4
  forward(x: [T, D]) -> [T, D] { 2 * x }
}
`;

describe('check', () => {
  it('tells every mistake with its place, and those that only sizes show', () => {
    const text = twice.replace('2 * x', '2 * y');
    const { program, diagnostics, sources } = check(text, { name: 'a.moe' });
    expect(program).toBeNull();
    expect(sources[0]).toEqual({ name: 'a.moe', text });
    expect(diagnostics).toHaveLength(1);
    const { span } = diagnostics[0] ?? {};
    expect(text.slice(span?.start, span?.end)).toBe('y');
    const selects =
      'model M {\n  axis T, E = 4\n  const K = 2\n  forward(x: [T, E]) -> route[T -> E] { top_k(x, K, over: E) }\n}\n';
    expect(codesOf(check(selects))).toEqual([]);
    expect(codesOf(check(selects, { set: { K: 5 } }))).toEqual(['MOE0450']);
    expect(codesOf(check(selects, { set: { Q: 5 } }))).toContain('MOE0354');
  });

  it('says what moec check says', async () => {
    const wrong = everything.replace('param w', 'param v').replace('2 * x', '2 * z');
    folder.file('wrong.moe', wrong);
    const ended = await callMoec(['check', 'wrong.moe'], { cwd: folder.path });
    expect(ended.code).toBe(1);
    expect(ended.stderr.startsWith(render(check(wrong, { name: 'wrong.moe' })))).toBe(true);
  });

  it('reads imports from a map or a function, by paths from the text that names them', () => {
    const texts: Readonly<Record<string, string>> = {
      'models/experts.moe': 'import { two } from "../numbers/two.moe"\nexpert Twice(x: [D]) -> [D] { two() * x }\n',
      'numbers/two.moe': 'fn two() -> [] { 2 }\n',
    };
    const text = `import { Twice } from "./experts.moe"
model M {
  axis T, D = 4, E = 2
  experts f[E] = Twice
  forward(x: [T, D]) -> [T, D] { sum(f(x), over: E) }
}
`;
    const asked: string[] = [];
    const imports = (path: string): string | null => {
      asked.push(path);
      return texts[path] ?? null;
    };
    const name = 'models/m.moe';
    for (const given of [texts, new Map(Object.entries(texts)), imports]) {
      const checked = check(text, { name, imports: given });
      expect(render(checked)).toBe('');
      expect(checked.sources.map((s) => s.name)).toEqual(expect.arrayContaining([name, ...Object.keys(texts)]));
    }
    expect([...new Set(asked)]).toEqual(Object.keys(texts));
    expect(codesOf(check(text, { name }))).toEqual(['MOE0209']);
    expect(
      codesOf(check(text, { name: 'm.moe', imports: { 'experts.moe': texts['models/experts.moe'] ?? '' } })),
    ).toContain('MOE0765');
    expect(codesOf(check(text.replace('experts.moe', 'experts.txt'), { imports: { 'experts.txt': '' } }))).toEqual([
      'MOE0766',
    ]);
    expect(codesOf(check(text.replace('./experts.moe', '/experts.moe'), { imports: { '/experts.moe': '' } }))).toEqual([
      'MOE0209',
    ]);
  });

  it('takes a circle of imports for what it is: files that know one another', () => {
    const text =
      'import { g } from "./b.moe"\nfn f(x: []) -> [] { x }\nmodel M {\n  axis T\n  forward(x: [T]) -> [T] { g(x) }\n}\n';
    const other = 'import { f } from "./a.moe"\nfn g(x: []) -> [] { f(x) }\n';
    for (const name of ['a.moe', './a.moe'])
      expect(render(check(text, { name, imports: { 'b.moe': other } }))).toBe('');
  });
});

describe('format', () => {
  it('lays out what reads, and leaves what does not', () => {
    expect(format(twice)).toMatchObject({ text: twice, diagnostics: [] });
    expect(
      format(twice.replaceAll('\n', ' ').replace('axis T', '\naxis   T').replace('forward', '\nforward')).text,
    ).toBe(twice);
    const broken = format('model M { forward( }', { name: 'b.moe' });
    expect(broken.text).toBeNull();
    expect(render(broken)).toContain('b.moe:1:');
  });
});

describe('compile', () => {
  it('gives the files that moec compile writes, byte for byte', async () => {
    folder.file('everything.moe', everything);
    const args = ['compile', 'everything.moe', '-o', 'out', '--runtime', 'moec/runtime', '--set', 'D=8'];
    expect((await callMoec(args, { cwd: folder.path })).code).toBe(0);
    const { files, diagnostics } = compile(everything, { name: 'everything.moe', set: { D: 8 } });
    expect(diagnostics).toEqual([]);
    // The module last: where it is, the others are.
    expect(files.map((f) => f.path)).toEqual([
      'everything.d.ts',
      'everything.manifest.json',
      'everything.simd4.js',
      'everything.js',
    ]);
    for (const { path, text } of files) expect(readFileSync(join(folder.path, 'out', path), 'utf8')).toBe(text);
  });

  it('compiles the entries that are named, for the target that is named, against the runtime that is named', () => {
    const { files } = compile(everything, { entries: ['plain'], runtime: './runtime.js', target: 'webgpu-large' });
    const textOf = (ending: string): string => files.find(({ path }) => path.endsWith(ending))?.text ?? '';
    expect(textOf('.js')).toContain('from "./runtime.js"');
    expect(JSON.parse(textOf('.manifest.json'))).toMatchObject({ entries: [{ name: 'plain' }] });
    const large = twice
      .replace('D = 4', 'D = 4, Z = 50000000')
      .replace('2 * x }', 'x * sum(w, over: Z) }')
      .replace('  forward', '  param w: [Z] = 1\n  forward');
    expect(codesOf(compile(large))).toContain('MOE0502');
    expect(codesOf(compile(large, { target: 'webgpu-large' }))).toEqual([]);
  });

  it('returns mistakes and no files', () => {
    for (const [text, options, code] of [
      [twice.replace('2 * x', '2 * y'), {}, 'MOE0201'],
      [twice, { entries: ['backward'] }, 'MOE0767'],
      [twice, { set: { D: 1.5 } }, 'MOE0356'],
      [twice, { model: 'Thrice' }, 'MOE0212'],
    ] as const) {
      const { files, diagnostics } = compile(text, options);
      expect(files).toEqual([]);
      expect(codesOf({ diagnostics })).toEqual([code]);
    }
  });
});

describe('interpret', () => {
  const inputs = { x: { shape: [2, 4], data: [1, -2, 3, 0.5, 0, 1, 1, -1] } };
  const w = [0.1, 0.2, -0.3, 0.4, -0.5, 0.6, 0.7, 0.8, -0.9, 1, 1.1, -1.2];

  it('says what moec run --on reference says, of results, outputs, losses and states', async () => {
    folder.file('model.moe', everything);
    folder.file('in.safetensors', tensorFile(f32('x', [2, 4], inputs.x.data)));
    folder.file('w.safetensors', tensorFile(f32('gate.w', [3, 4], w)));
    const args = ['run', 'model.moe', '--on', 'reference', '--input', 'in.safetensors', '--weights', 'w.safetensors'];
    const all = ['--losses', '--outputs', '--missing', 'initialise', '--output', 'out.safetensors'];
    const ended = await callMoec([...args, ...all], { cwd: folder.path });
    expect(ended.code, ended.stderr).toBe(0);
    const told = readTensors(join(folder.path, 'out.safetensors'));
    const weights = { 'gate.w': Float32Array.from(w) };
    const said = await interpret(programOf(everything), inputs, { weights, losses: true, outputs: true, states: true });
    expect(render(said)).toBe('');
    const numbers = (name: string) => told.get(name)?.data;
    const rounded = (value: InterpretedValue | undefined) => [...Float32Array.from(dataOf(value))];
    expect(rounded(said.results.get('y'))).toEqual(numbers('y'));
    expect(rounded(said.outputs.get('gate.scores'))).toEqual(numbers('gate.scores'));
    expect(rounded(said.losses.get('gate.balance'))).toEqual(numbers('loss.gate.balance'));
    expect(rounded(said.states.get('gate.seen'))).toEqual(numbers('state.gate.seen'));
    const route = said.results.get('r');
    if (route?.kind !== 'route') throw new Error('no route');
    expect(route.targets).toEqual([{ name: 'E', size: 3 }]);
    expect([...Float32Array.from(route.weight)]).toEqual(numbers('r'));
  });

  it('takes controls, seeds, sizes that nothing shows, and functions of the host', async () => {
    const text = `model M {
  axis T, U, D = 2
  input tilt: [D] = 1
  extern fn double(x: [D]) -> [D]
  forward(x: [T, D]) -> [T, U, D] { double(x) * tilt * ones[U] }
  noise() -> [U] { normal[U] }
}
`;
    const program = programOf(text);
    const x = { shape: [1, 2], data: [1, 2] };
    const options: InterpretOptions = {
      sizes: { U: 2 },
      externs: { double: ({ operands }) => Float64Array.from(operands.get('x')?.data ?? [], (v) => 2 * v) },
    };
    const { results } = await interpret(program, { x, tilt: { shape: [2], data: [10, 100] } }, options);
    expect(dataOf(results.get('output'))).toEqual([20, 400, 20, 400]);
    const noise = async (seed: number) =>
      dataOf((await interpret(program, {}, { entry: 'noise', sizes: { U: 3 }, seed })).results.get('output'));
    expect(await noise(1)).toEqual(await noise(1));
    expect(await noise(1)).not.toEqual(await noise(2));
    const codes = async (inputs: Named<ShapedTensor>, more: InterpretOptions): Promise<readonly string[]> =>
      codesOf(await interpret(program, inputs, more));
    expect(await codes({ x }, { ...options, sizes: {} })).toEqual(['MOE0715']);
    expect(await codes({ x }, { ...options, externs: {} })).toEqual(['MOE0706']);
    expect(await codes({ x }, { ...options, externs: { double: () => [1] } })).toEqual(['MOE0714']);
  });

  it('uses the sizes that the program was checked with', async () => {
    const { results } = await interpret(programOf(twice, { set: { D: 2 } }), { x: { shape: [1, 2], data: [3, 4] } });
    expect(dataOf(results.get('output'))).toEqual([6, 8]);
  });

  it.each<[string, Named<ShapedTensor>, InterpretOptions, string]>([
    ['an input is missing', {}, {}, 'MOE0706'],
    ['an input is none of the entry', { ...inputs, z: inputs.x }, {}, 'MOE0706'],
    ['an input has another shape', { x: { shape: [4, 2], data: inputs.x.data } }, {}, 'MOE0708'],
    ['an input has another rank', { x: { shape: [8], data: inputs.x.data } }, {}, 'MOE0708'],
    ['weights have another length', inputs, { weights: { 'gate.w': [1] } }, 'MOE0708'],
    ['weights are missing where they are needed', inputs, {}, 'MOE0635'],
    ['a score is not a number', inputs, { weights: { 'gate.w': w.map(() => NaN) } }, 'MOE0720'],
    ['there is no such entry', inputs, { entry: 'backward' }, 'MOE0767'],
    ['there is no such axis', inputs, { sizes: { D: 4 } }, 'MOE0706'],
  ])('%s: a diagnostic, and no results', async (_, given, options, code) => {
    const ran = await interpret(programOf(everything), given, options);
    expect(codesOf(ran)).toEqual([code]);
    expect(ran.results.size + ran.outputs.size + ran.losses.size + ran.states.size).toBe(0);
    expect(render(ran)).toContain(code);
  });

  it('checks indices, whole numbers and conditions of sizes before it runs', async () => {
    const text = `model M {
  axis T, U, D = 2
  param table: [D] = 1
  forward(i: i32[T] in D, b: bool[U]) -> [T] { table[D: i] * (U / T) }
}
`;
    const program = programOf(text);
    const codes = async (i: readonly number[], b: readonly number[]): Promise<readonly string[]> =>
      codesOf(await interpret(program, { i: { shape: [i.length], data: i }, b: { shape: [b.length], data: b } }));
    expect(await codes([0, 1], [1, 0])).toEqual([]);
    expect(await codes([0, 2], [1, 0])).toEqual(['MOE0710']);
    expect(await codes([0, 1], [1, 0.5])).toEqual(['MOE0707']);
    expect(await codes([], [1])).toEqual(['MOE0715']);
  });

  it('warns of weights that the entry does not read', async () => {
    const ran = await interpret(
      programOf(twice),
      { x: { shape: [1, 4], data: [1, 2, 3, 4] } },
      { weights: { w: [1] } },
    );
    expect(ran.diagnostics.map((d) => [d.code, d.severity])).toEqual([['MOE0706', 'warning']]);
    expect(dataOf(ran.results.get('output'))).toEqual([2, 4, 6, 8]);
  });
});

describe('what TypeScript refuses is thrown, with a code', () => {
  // As JavaScript would call: nothing is known of the arguments.
  const given = <T>(value: unknown): T => JSON.parse(JSON.stringify(value));
  it.each<[string, () => unknown, RegExp]>([
    ['a text that is none', () => check(given(7)), /the text of check is of type number/],
    ['options that are none', () => format(twice, given(3)), /the options of format/],
    [
      'an option of another name',
      () => check(twice, given({ sets: {} })),
      /check has no option sets: it has name, imports, model, set/,
    ],
    ['a setting that is no value', () => check(twice, { set: { D: NaN } }), /set gives D NaN/],
    ['imports that are none', () => check(twice, { imports: given('x') }), /imports is "x"/],
    ['a name that is none', () => compile(twice, { name: given(1) }), /name is of type number/],
    ['a target that is none', () => compile(twice, { target: given('moon') }), /no target moon/],
    ['entries that are none', () => compile(twice, { entries: given('forward') }), /entries is no list/],
    ['a program that is none', () => interpret(given(null), {}), /a program that check gave/],
    ['an input without a shape', () => interpret(programOf(twice), { x: given([1]) }), /x has no shape/],
    [
      'numbers that are none',
      () => interpret(programOf(twice), { x: { shape: [1, 4], data: given('abcd') } }),
      /x has no numbers/,
    ],
    [
      'fewer numbers than the shape has',
      () => interpret(programOf(twice), { x: { shape: [1, 4], data: [1] } }),
      /x has 1 numbers/,
    ],
    ['a seed that is none', () => interpret(programOf(twice), {}, { seed: 0.5 }), /seed is 0.5/],
    ['an extern that is none', () => interpret(programOf(twice), {}, { externs: { f: given(1) } }), /externs.f is 1/],
  ])('%s', async (_, call, message) => {
    expect(await refusal(call)).toMatch(message);
  });
});
