/**
 * Whole programs, from text to numbers, against plain loops that know nothing of the language, and against identities
 * the language promises.
 */
import { at, noNumber } from '../../dsl/diagnostics/invariants.ts';
import { describe, expect, test } from 'vitest';
import { checkProgram } from '../../dsl/check/check-program.ts';
import type { Program } from '../../dsl/types/program.ts';
import { interpretEntry, type Interpreted, type NumberTensor } from '../../dsl/interpret/interpret-entry.ts';
import { libraryFiles } from '../../dsl/std/library.ts';
import { parseFile } from '../../dsl/syntax/parse-file.ts';

function program(text: string): Program {
  const { file, diagnostics } = parseFile({ name: 'test.moe', text });
  expect(diagnostics).toEqual([]);
  const checked = checkProgram({ main: file, resolve: (name) => (name === 'std' ? libraryFiles() : null) });
  expect(checked.diagnostics.map((d) => d.message)).toEqual([]);
  if (checked.program === null) throw new Error('no program');
  return checked.program;
}

/** Numbers that look random and are the same every time. */
function numbersOf(name: string, count: number): Float64Array {
  let h = [...name].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) >>> 0, 7);
  return Float64Array.from({ length: count }, () => {
    h = (Math.imul(h, 1664525) + 1013904223) >>> 0;
    return h / 2 ** 31 - 1;
  });
}

interface Running {
  readonly inputs: Readonly<Record<string, NumberTensor>>;
  readonly variables?: Readonly<Record<string, Float64Array>>;
  readonly poison?: boolean;
  readonly entry?: string;
}

async function run(
  text: string,
  { inputs, variables = {}, poison = false, entry = 'forward' }: Running,
): Promise<Interpreted> {
  const reports: string[] = [];
  const result = await interpretEntry({
    program: program(text),
    entry,
    overrides: new Map(),
    inputs: new Map(Object.entries(inputs)),
    variables: (path) => variables[path] ?? null,
    seed: 1,
    want: { losses: true, outputs: true, updates: true },
    poison,
    report: (problem) => reports.push(problem.message),
  });
  expect(reports).toEqual([]);
  return result;
}

/** The data of a dense result. */
function data(
  values: ReadonlyMap<string, Interpreted['results'] extends ReadonlyMap<string, infer V> ? V : never>,
  name = 'output',
): number[] {
  const value = values.get(name);
  if (value === undefined || value.kind !== 'tensor')
    throw new Error(`no tensor ${name}: ${[...values.keys()].join()}`);
  return [...value.data];
}

function close(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  // Both sides are float64 sums of a few hundred products of numbers below 10.
  expected.forEach((value, i) =>
    expect(Math.abs(at(actual, i, 'test: number') - value)).toBeLessThanOrEqual(1e-12 * (1 + Math.abs(value))),
  );
}

const [T, D, F, E, K] = [5, 3, 4, 4, 2];

describe('a mixture of SwiGLU experts', () => {
  const text = `
    import { SwiGLU } from "std"
    model Mixtral {
      axis T
      axis D = ${D}, F = ${F}, E = ${E}
      const K = ${K}
      experts ffn[E] = SwiGLU<F>
      router gate(x: [D]) -> route[E] {
        param w: [E, D]
        softmax(w @ x, over: E) |> top_k(K, over: E) |> normalize
      }
      forward(x: [T, D]) -> [T, D] { gate(x) @ ffn(x) }
      whole(x: [T, D]) -> (r: route[T -> E], a: [T, D], b: [T, D]) {
        let r = gate(x)
        (r: r, a: sum(ffn(r * x), over: E), b: mask(r) @ ffn(r * x))
      }
    }`;
  const x = numbersOf('x', T * D);
  const variables = {
    'gate.w': numbersOf('gate', E * D),
    'ffn.w1': numbersOf('w1', E * F * D),
    'ffn.w3': numbersOf('w3', E * F * D),
    'ffn.w2': numbersOf('w2', E * D * F),
  };
  const inputs = { x: { shape: [T, D], data: x } };
  const silu = (v: number): number => v / (1 + Math.exp(-v));

  function expert(e: number, input: readonly number[]): number[] {
    const batchAxes = Array.from({ length: F }, (_, f) => {
      const row = (w: Float64Array): number =>
        input.reduce((sum, v, d) => sum + (w[(e * F + f) * D + d] ?? noNumber()) * v, 0);
      return silu(row(variables['ffn.w1'])) * row(variables['ffn.w3']);
    });
    return Array.from({ length: D }, (_, d) =>
      batchAxes.reduce((sum, v, f) => sum + (variables['ffn.w2'][(e * D + d) * F + f] ?? noNumber()) * v, 0),
    );
  }

  function chosen(token: readonly number[]): { readonly e: number; readonly weight: number }[] {
    const logits = Array.from({ length: E }, (_, e) =>
      token.reduce((sum, v, d) => sum + (variables['gate.w'][e * D + d] ?? noNumber()) * v, 0),
    );
    const sum = logits.reduce((s, l) => s + Math.exp(l), 0);
    const best = logits
      .map((l, e) => ({ e, weight: Math.exp(l) / sum }))
      .sort((a, b) => b.weight - a.weight)
      .slice(0, K);
    const total = best.reduce((s, { weight }) => s + weight, 0);
    return best.map(({ e, weight }) => ({ e, weight: weight / total }));
  }

  const tokens = Array.from({ length: T }, (_, t) => [...x.slice(t * D, (t + 1) * D)]);

  test('is the weighted sum of the chosen experts', async () => {
    const expected = tokens.flatMap((token) => {
      const y = new Float64Array(D);
      for (const { e, weight } of chosen(token))
        expert(e, token).forEach((v, d) => (y[d] = (y[d] ?? noNumber()) + weight * v));
      return [...y];
    });
    close(data((await run(text, { inputs, variables })).results), expected);
    close(data((await run(text, { inputs, variables, poison: true })).results), expected);
  });

  test('weights on the input: the sum over experts is what mask(r) selects', async () => {
    const { results } = await run(text, { inputs, variables, entry: 'whole' });
    const expected = tokens.flatMap((token) => {
      const y = new Float64Array(D);
      for (const { e, weight } of chosen(token))
        expert(
          e,
          token.map((v) => v * weight),
        ).forEach((v, d) => (y[d] = (y[d] ?? noNumber()) + v));
      return [...y];
    });
    close(data(results, 'a'), expected);
    close(data(results, 'b'), expected);
    const r = results.get('r');
    if (r?.kind !== 'route') throw new Error('r is no route');
    tokens.forEach((token, t) => {
      chosen(token).forEach(({ e, weight }, rank) => {
        expect(r.present[t * E + e]).toBe(1);
        expect(r.rank[t * E + e]).toBe(rank);
        expect(r.weight[t * E + e]).toBeCloseTo(weight, 14);
      });
    });
    expect(r.present.reduce((sum, here) => sum + here, 0)).toBe(T * K);
  });

  test('runs with no tokens at all', async () => {
    const { results } = await run(text, { inputs: { x: { shape: [0, D], data: new Float64Array(0) } }, variables });
    expect(data(results)).toEqual([]);
  });
});

describe('what only the interpreter can say', () => {
  test('an expert that is wrong where it is not wanted does no harm; where it is wanted it is an error', async () => {
    // The inner router takes the log of a number that is negative for expert 1: NaN scores.
    const text = `
      model Nested {
        axis T, D = 2, E = 2, I = 2
        expert Inner<>(x: [D]) -> [D] {
          param c: [D]
          let s = log(c * x)
          mask(top_k(rename(s, D: I), 1, over: I)) @ ones[I] * x
        }
        experts ffn[E] = Inner<>
        forward(x: [T, D], ids: i32[T] in E) -> [T, D] { pick(ids, over: E) @ ffn(x) }
      }`;
    const variables = { 'ffn.c': Float64Array.of(1, 1, -1, -1) };
    const at = async (ids: readonly number[]): Promise<Interpreted> =>
      run(text, {
        inputs: {
          x: { shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) },
          ids: { shape: [2], data: Float64Array.from(ids) },
        },
        variables,
      });
    const fine = await at([0, 0]);
    expect(fine.problems).toEqual([]);
    expect(data(fine.results)).toEqual([1, 2, 3, 4]);
    const wrong = await at([0, 1]);
    expect(wrong.problems.map((p) => p.code)).toEqual(['MOE0720']);
    expect((await at([0, 2])).problems.map((p) => p.code)).toContain('MOE0721');
    expect((await at([-1, -1])).problems).toEqual([]);
  });

  test('a loss in a carried call is the mean over what is carried; an update is of the old state', async () => {
    const text = `
      model Balanced {
        axis T, D = 2, E = 2
        state seen: [E] = 0
        fn measure(x: [D]) -> [D] { loss size = sum(x ** 2, over: D)  x }
        router gate(x: [T, D]) -> route[T -> E] {
          param w: [E, D]
          let r = top_k(w @ x + seen, 1, over: E)
          update seen = seen + count(r, over: T)
          r
        }
        forward(x: [T, D]) -> [T, E] { dense(gate(measure(x))) }
      }`;
    const variables = { 'gate.w': Float64Array.of(1, 0, 0, 1) };
    const inputs = { x: { shape: [3, 2], data: Float64Array.of(1, 2, 3, 1, 0, 1) } };
    const first = await run(text, { inputs, variables });
    expect(data(first.losses, 'measure.size')).toEqual([(5 + 10 + 1) / 3]);
    expect(data(first.results)).toEqual([0, 2, 3, 0, 0, 1]);
    expect(data(first.states, 'seen')).toEqual([1, 2]);
    const second = await run(text, { inputs, variables: { ...variables, seen: Float64Array.of(10, 0) } });
    expect(data(second.results)).toEqual([11, 0, 13, 0, 10, 0]);
    expect(data(second.states, 'seen')).toEqual([13, 0]);
  });

  test('draws: the same for a token whatever the batch, different for each call', async () => {
    const text = `
      model Noise {
        axis T, D = 2
        fn noise(x: [D]) -> [D] { x + normal[D] }
        forward(x: [T, D]) -> (a: [T, D], b: [T, D]) { (a: noise(x), b: noise(x)) }
      }`;
    const zeros = (t: number): NumberTensor => ({ shape: [t, 2], data: new Float64Array(2 * t) });
    const long = await run(text, { inputs: { x: zeros(4) } });
    const short = await run(text, { inputs: { x: zeros(2) } });
    expect(data(short.results, 'a')).toEqual(data(long.results, 'a').slice(0, 4));
    expect(data(long.results, 'a')).not.toEqual(data(long.results, 'b'));
    expect(new Set(data(long.results, 'a')).size).toBe(8);
  });

  test('draws: each member of a family draws for itself, whether the family names its index or not', async () => {
    const noise = (index: string): string => `
      model Noise {
        axis T, L = 3, D = 2
        fn noise[${index}L](x: [D]) -> [D] { x + normal[D] }
        forward(x: [T, D]) -> [T, L, D] { noise(x) }
      }`;
    for (const index of ['', 'l in ']) {
      const { results } = await run(noise(index), { inputs: { x: { shape: [2, 2], data: new Float64Array(4) } } });
      expect(new Set(data(results)).size, `[${index}L]`).toBe(12);
    }
  });
});
