/** Running a model of library members in the reference, and the plain loops that tests of the library compare it with. */
import { expect } from 'vitest';
import { checkProgram } from '../../dsl/check/check-program.ts';
import { interpretEntry, type InterpretedValue, type NumberTensor } from '../../dsl/interpret/interpret-entry.ts';
import { libraryFiles } from '../../dsl/std/library.ts';
import { parseFile } from '../../dsl/syntax/parse-file.ts';

// ------------------------------------------------------------------------------------------------------------- running

export type Numbers = readonly number[];
export type Dense = { readonly shape: readonly number[]; readonly data: Float64Array };

/** Numbers in [-1, 1) that look random and are the same every time. */
export function drawn(name: string, ...shape: readonly number[]): Dense {
  let h = [...name].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) >>> 0, 7);
  const data = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    h = (Math.imul(h, 1664525) + 1013904223) >>> 0;
    return h / 2 ** 31 - 1;
  });
  return { shape, data };
}

export interface Running {
  readonly members: string;
  /** The lines of the model. */
  readonly text: string;
  readonly inputs: Readonly<Record<string, NumberTensor>>;
  readonly variables?: Readonly<Record<string, Dense>>;
}

/** A run of the model, every result, output and loss by its name; of a route, its weights. */
export async function run({ members, text, inputs, variables = {} }: Running): Promise<(name: string) => Numbers> {
  const { file, diagnostics } = parseFile({
    name: 'test.moe',
    text: `import { ${members} } from "std"\nmodel M {\n${text}\n}`,
  });
  expect(diagnostics).toEqual([]);
  const checked = checkProgram({ main: file, resolve: (name) => (name === 'std' ? libraryFiles() : null) });
  expect(checked.diagnostics.map((d) => d.message)).toEqual([]);
  if (checked.program === null) throw new Error('no program');
  const reports: string[] = [];
  const { results, outputs, losses } = await interpretEntry({
    program: checked.program,
    entry: 'forward',
    overrides: new Map(),
    inputs: new Map(Object.entries(inputs)),
    variables: (path) => variables[path]?.data ?? null,
    seed: 1,
    want: { losses: true, outputs: true, updates: true },
    report: (problem) => reports.push(problem.message),
  });
  expect(reports).toEqual([]);
  const values: ReadonlyMap<string, InterpretedValue> = new Map([...results, ...outputs, ...losses]);
  return (name) => {
    const value = values.get(name);
    if (value === undefined) throw new Error(`no ${name} among ${[...values.keys()].join(', ')}`);
    return value.kind === 'tensor' ? [...value.data] : [...value.weight];
  };
}

/** Float64 on both sides: some dozens of roundings of numbers below 10. */
export function close(actual: Numbers, expected: Numbers): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((a, i) => expect(Math.abs(a - (expected[i] ?? NaN))).toBeLessThan(1e-13));
}

// --------------------------------------------------------------------------------------------------------- plain loops

export const range = (n: number): Numbers => Array.from({ length: n }, (_, i) => i);
export const sum = (v: Numbers): number => v.reduce((a, b) => a + b, 0);
export const mean = (v: Numbers): number => sum(v) / v.length;
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Rows of a tensor whose last axis has `width` points. */
export function rows({ data }: Dense, width: number): readonly Numbers[] {
  return range(data.length / width).map((i) => [...data.subarray(i * width, (i + 1) * width)]);
}
/** Blocks of so many rows. */
export function blocks<X>(of: readonly X[], size: number): readonly (readonly X[])[] {
  return range(of.length / size).map((i) => of.slice(i * size, (i + 1) * size));
}
export function softmax(v: Numbers): Numbers {
  const e = v.map((x) => Math.exp(x));
  return e.map((x) => x / sum(e));
}
/** Where the k greatest are, the lower index first of equal ones. */
export const best = (v: Numbers, k: number): Numbers =>
  [...v.keys()].sort((a, b) => (v[b] ?? 0) - (v[a] ?? 0)).slice(0, k);
export const product = (a: Numbers, b: Numbers): number => sum(a.map((x, i) => x * (b[i] ?? NaN)));
export const times = (w: readonly Numbers[], x: Numbers): Numbers => w.map((row) => product(row, x));
export const plus = (...vs: readonly Numbers[]): Numbers =>
  range(vs[0]?.length ?? 0).map((i) => sum(vs.map((v) => v[i] ?? NaN)));
