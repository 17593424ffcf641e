/** BatchNorm of the library against plain loops: by the running numbers, and in training by those of the batch, which the others follow. */
import { expect, test } from 'vitest';
import { checkProgram } from '../../dsl/check/check-program.ts';
import { interpretEntry, type Interpreted, type InterpretedValue } from '../../dsl/interpret/interpret-entry.ts';
import type { StaticValue } from '../../dsl/meaning/instances.ts';
import { libraryFiles } from '../../dsl/std/library.ts';
import { parseFile } from '../../dsl/syntax/parse-file.ts';

const text = `
  import { BatchNorm } from "std"
  model Normed {
    axis T, D = 2
    fn norm = BatchNorm<0.5, 0.25, B: T>
    forward(x: [T, D]) -> [T, D] { norm(x) }
  }`;

/** Columns of the input, so that a feature is a list. */
const columns = [
  [1, 2, 6],
  [-1, 0, 4],
] as const;
const [weight, bias, means, variances] = [
  [2, -1],
  [0.5, 3],
  [1, -2],
  [4, 0.25],
] as const;

async function run(train: boolean): Promise<Interpreted> {
  const { file } = parseFile({ name: 'test.moe', text });
  const { program } = checkProgram({ main: file, resolve: (name) => (name === 'std' ? libraryFiles() : null) });
  if (program === null) throw new Error('no program');
  const variables: ReadonlyMap<string, readonly number[]> = new Map<string, readonly number[]>([
    ['norm.weight', weight],
    ['norm.bias', bias],
    ['norm.running_mean', means],
    ['norm.running_var', variances],
  ]);
  const reports: string[] = [];
  const result = await interpretEntry({
    program,
    entry: 'forward',
    overrides: new Map<string, StaticValue>([['train', { kind: 'bool', value: train }]]),
    inputs: new Map([['x', { shape: [3, 2], data: rows((d, i) => columns[d]?.[i] ?? NaN) }]]),
    variables: (path) => Float64Array.from(variables.get(path) ?? []),
    seed: 1,
    want: { losses: false, outputs: false, updates: true },
    report: (problem) => reports.push(problem.message),
  });
  expect(reports).toEqual([]);
  return result;
}

/** Three rows of two features. */
const rows = (at: (feature: number, row: number) => number): Float64Array =>
  Float64Array.from({ length: 6 }, (_, k) => at(k % 2, Math.floor(k / 2)));

const numbers = (value: InterpretedValue | undefined): readonly number[] =>
  value?.kind === 'tensor' ? [...value.data] : [];

const normed = (m: readonly number[], v: readonly number[]): Float64Array =>
  rows(
    (d, i) =>
      (((columns[d]?.[i] ?? NaN) - (m[d] ?? NaN)) / Math.sqrt((v[d] ?? NaN) + 0.5)) * (weight[d] ?? NaN) +
      (bias[d] ?? NaN),
  );

/** Float64 on both sides: a few roundings of numbers below 10. */
function close(actual: readonly number[], expected: Iterable<number>): void {
  const wanted = [...expected];
  expect(actual).toHaveLength(wanted.length);
  actual.forEach((a, i) => expect(Math.abs(a - (wanted[i] ?? NaN))).toBeLessThan(1e-14));
}

test('in use it goes by the running numbers, and leaves them', async () => {
  const { results, states } = await run(false);
  close(numbers(results.get('output')), normed(means, variances));
  expect([...states.keys()]).toEqual([]);
});

test('in training it goes by the batch, and the running numbers follow it', async () => {
  const { results, states } = await run(true);
  const mean = columns.map((c) => (c[0] + c[1] + c[2]) / 3);
  const squares = columns.map((c, d) => c.reduce((sum: number, x) => sum + (x - (mean[d] ?? NaN)) ** 2, 0));
  const biased = squares.map((s) => s / 3);
  close(numbers(results.get('output')), normed(mean, biased));
  close(
    numbers(states.get('norm.running_mean')),
    means.map((m, d) => 0.75 * m + 0.25 * (mean[d] ?? NaN)),
  );
  // The variance that is kept is the sample's: over one less.
  close(
    numbers(states.get('norm.running_var')),
    variances.map((v, d) => 0.75 * v + 0.25 * ((squares[d] ?? NaN) / 2)),
  );
});
