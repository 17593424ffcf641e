/**
 * Decoders: how many launches a layer takes, of norms, attention with rotary positions and a cache, and a mixture of experts, with the updates
 * of its cache: at most 12, for a text as for one token; and that they give what the reference does.
 *
 * Counted is what two layers more take, at sizes of models: what a row has room for depends on them.
 */
import { describe, expect, it } from 'vitest';
import { regimesOf } from '../../compiler/compile.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { differences, onKernels, onReference, preparedOf, ready } from '../language/support.ts';
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';

const MOST = 12;

interface Block {
  /** Declarations of the model. */
  readonly declared: string;
  /** What becomes of queries and keys before they are turned. */
  readonly query: string;
  readonly key: string;
  /** What is added to `y` of a layer, of its norm `z`. */
  readonly added: string;
}

/** G heads of keys and values, R queries for each; the past is a state of S places, of which `start` are taken. */
const decoder = ({ declared, query, key, added }: Block): string => `import { SwiGLU, RmsNorm } from "std"

model Decoder {
  axis T, S = 24, V = 32, D = 16, L = 2, G = 2, R = 2, C = 8, E = 4, F = 8
  const K = 2, base = 10000
  param embedding: [V, D]
  param head: [V, D]
  experts ffn[L, E] = SwiGLU<F>
  fn before[L] = RmsNorm<>
  fn between[L] = RmsNorm<>
  fn last = RmsNorm<>
  ${declared}

  fn turn(x: [C], place: f32) -> [C] {
    axis Two = 2, N = C / 2
    let p = split(x, C: (Two, N))
    let angle = place * base ** (-iota(N) / N)
    let turned = (2 * iota(Two) - 1) * p[Two: 1 - iota(Two)]
    merge(p * cos(angle) + turned * sin(angle), (Two, N): C)
  }

  fn attend[L](x: [T, D], start: i32) -> [T, D] {
    param q: [G, R, C, D], k: [G, C, D], v: [G, C, D], o: [D, G, R, C]
    state keys: [S, G, C] = 0
    state values: [S, G, C] = 0
    let place = start + i32(iota(T))
    let query = turn(${query}, f32(place))
    let fresh_keys = turn(${key}, f32(place))
    let fresh_values = v @ x
    let age = i32(iota(S)) - start
    let token = where(age >= 0 and age < T, age, -1)
    let all_keys: [S, G, C] = where(token >= 0, fresh_keys[T: token], keys)
    let all_values: [S, G, C] = where(token >= 0, fresh_values[T: token], values)
    update keys = all_keys
    update values = all_values
    let scores = where(i32(iota(S)) <= place, dot(query, all_keys, over: C) / C ** 0.5, -inf)
    dot(o, dot(softmax(scores, over: S), all_values, over: S), over: (G, R, C))
  }

  forward(ids: i32[T] in V, start: i32) -> [T, V] {
    let h = chain l in L carrying h = embedding[V: ids] {
      let y = h + attend[l](before[l](h), start)
      let z = between[l](y)
      y + ${added}
    }
    head @ last(h)
  }
}`;

const programs: readonly (readonly [string, string])[] = [
  [
    'an expert for all beside those that are chosen, of probabilities',
    decoder({
      declared: `experts shared[L] = SwiGLU<F>
  router gate[L](x: [D]) -> route[E] {
    param w: [E, D]
    softmax(w @ x, over: E) |> top_k(K, over: E) |> normalize
  }`,
      query: 'q @ x',
      key: 'k @ x',
      added: 'gate[l](z) @ ffn[l](z) + shared[l](z)',
    }),
  ],
  [
    'queries and keys with norms, a softmax over what is chosen',
    decoder({
      declared: `fn even(x: [C]) -> [C] { x / sqrt(mean(x * x, over: C) + 0.000001) }
  router gate[L](x: [D]) -> route[E] {
    param w: [E, D]
    softmax(top_k(w @ x, K, over: E), over: E)
  }`,
      query: 'even(q @ x)',
      key: 'even(k @ x)',
      added: 'gate[l](z) @ ffn[l](z)',
    }),
  ],
];

/** S, V, D, G, R, C, E, F: of a small model with a long cache, and rows too large for what small ones are drawn into. */
const sizes: readonly (readonly [string, Readonly<Record<string, number>>])[] = [
  ['16 heads of 64', { S: 4096, V: 4000, D: 512, G: 4, R: 4, C: 64, E: 8, F: 512 }],
  ['32 heads of 128', { S: 4096, V: 2000, D: 2048, G: 8, R: 4, C: 128, E: 16, F: 64 }],
];

describe.each(programs)('a decoder: %s', (_, text) => {
  it.each(sizes)(`takes at most ${MOST} launches a layer: %s`, (_size, values) => {
    const countsOf = (layers: number): readonly (readonly [string, number])[] => {
      const sets = new Map(Object.entries({ ...values, L: layers }).map(([name, value]) => [name, String(value)]));
      const { withAux } = preparedOf(text, { sets, target: webgpuCore, plans: 'all' }).entry;
      return regimesOf(withAux).map(({ regime, plan }) => [regime, plan.steps.length] as const);
    };
    const one = countsOf(1);
    const three = new Map(countsOf(3));
    expect(one.map(([regime]) => regime)).toEqual(['many', 'few']);
    for (const [regime, count] of one) expect(((three.get(regime) ?? Infinity) - count) / 2, regime).toBeLessThanOrEqual(MOST); // prettier-ignore
  });

  it('has the kernels of its layers once, however many they are and whatever size is the number of one', () => {
    const kernels = (layers: number): number =>
      preparedOf(text, { sets: new Map([['L', String(layers)]]), target: webgpuCore }).compilation.kernels.length;
    expect(kernels(5)).toBe(kernels(3));
  });

  it.each([1, 5])('gives what the reference does, with its updates: %i tokens', async (T) => {
    const start: NamedTensor = { shape: [], element: 'i32', data: Int32Array.of(7) };
    const run = ready(preparedOf(text, { target: webgpuCore }), {
      sizes: new Map([['T', T]]),
      inputs: new Map([['start', start]]),
    });
    expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
  });
});
