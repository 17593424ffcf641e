/**
 * Losses, statistics, attention and routers of the library against plain loops that know nothing of the language, at two sizes, with and
 * without axes that are carried (a batch, heads).
 */
import { describe, expect, test } from 'vitest';
import {
  run,
  drawn,
  close,
  type Dense,
  type Numbers,
  range,
  sum,
  mean,
  rows,
  blocks,
  softmax,
  best,
  product,
  times,
} from './library-support.ts';

/** E Σ f p over some tokens' probabilities, k of which are picked. */
function balance(p: readonly Numbers[], k: number): number {
  const experts = range(p[0]?.length ?? 0);
  const share = experts.map((e) => mean(p.map((row) => (best(row, k).includes(e) ? 1 : 0))));
  return (
    experts.length *
    product(
      share,
      experts.map((e) => mean(p.map((row) => row[e] ?? NaN))),
    )
  );
}

/** Attention of a sequence: q, k and v by token; the weights too. */
function attention(
  q: readonly Numbers[],
  k: readonly Numbers[],
  v: readonly Numbers[],
  seen: (t: number, u: number) => boolean,
) {
  const width = q[0]?.length ?? NaN;
  const weights = q.map((row, t) => {
    const e = k.map((key, u) => (seen(t, u) ? Math.exp(product(row, key) / Math.sqrt(width)) : 0));
    return e.map((x) => (sum(e) === 0 ? 0 : x / sum(e)));
  });
  const mixed = weights.map((a) => range(width).map((c) => sum(a.map((x, u) => x * (v[u]?.[c] ?? NaN)))));
  return { weights, mixed };
}

const sizes: readonly (readonly [number, number, number, number])[] = [
  [2, 3, 4, 2],
  [3, 7, 5, 3],
];

describe.each(sizes)('B = %i, T = %i, E = %i, K = %i', (B, T, E, K) => {
  const text = (axes: string, rest: string): string => `  axis B, T, E = ${E}, ${axes}\n  const K = ${K}\n${rest}`;
  const x = drawn('x', B, T, E);
  const logits = rows(x, E);
  const p = logits.map(softmax);

  test('Balance of a sequence, of each of a batch, and BatchBalance', async () => {
    const one = await run({
      members: 'Balance',
      text: text(
        'V = 2',
        'forward(x: [T, E]) -> f32 { let p = softmax(x, over: E)\n Balance(top_k(p, K, over: E), p, true) }',
      ),
      inputs: { x: { shape: [T, E], data: x.data.subarray(0, T * E) } },
    });
    close(one('output'), [balance(p.slice(0, T), K)]);
    const many = await run({
      members: 'Balance, BatchBalance',
      text: text(
        'V = 2',
        `forward(x: [B, T, E]) -> (each: [B], whole: f32) {
          let p: [B, T, E] = softmax(x, over: E)
          let r = top_k(p, K, over: E)
          (each: Balance(r, p, true), whole: BatchBalance(r, p, true))
        }`,
      ),
      inputs: { x },
    });
    close(
      many('each'),
      blocks(p, T).map((sequence) => balance(sequence, K)),
    );
    close(many('whole'), [balance(p, K)]);
  });

  test('padding counts nowhere: shares and means are of the real tokens', async () => {
    const masks = [
      [1, 0, 1, 1, 0, 0],
      [0, 0, 0, 0, 0, 0],
    ].map((row) => range(T).map((t) => row[t] ?? 0));
    const real = { shape: [2, T], data: Float64Array.from(masks.flat()) };
    const two = { shape: [2, T, E], data: x.data.subarray(0, 2 * T * E) };
    const found = await run({
      members: 'Balance, BatchBalance, RealMean, ZLoss',
      text: text(
        'V = 2',
        `forward(x: [B, T, E], real: bool[B, T]) -> (each: [B], whole: f32, small: [B]) {
          let p: [B, T, E] = softmax(x, over: E)
          let r = top_k(p, K, over: E)
          (each: Balance(r, p, real), whole: BatchBalance(r, p, real), small: RealMean(ZLoss(x), real))
        }`,
      ),
      inputs: { x: two, real },
    });
    const kept = blocks(p.slice(0, 2 * T), T).map((sequence, b) => sequence.filter((_, t) => masks[b]?.[t] === 1));
    const [first = [], second = []] = kept;
    expect(second).toEqual([]);
    close(found('each'), [balance(first, K), 0]);
    close(found('whole'), [balance(first, K)]);
    const z = logits
      .slice(0, T)
      .map((row) => Math.log(sum(row.map(Math.exp))) ** 2)
      .filter((_, t) => masks[0]?.[t] === 1);
    close(found('small'), [sum(z) / z.length, 0]);
  });

  test('ZLoss, CrossEntropy, Entropy, Cv2: of one and of many', async () => {
    const label = { shape: [B, T], data: Float64Array.from(range(B * T), (i) => (i * i + 1) % E) };
    const model = (of: string, vector: string, scalar: string): string =>
      text(
        'V = 2',
        `fn wrong = CrossEntropy<V: E>
        forward(x: ${vector}, label: i32${of} in E) -> (z: ${scalar}, wrong: ${scalar}, h: ${scalar}, cv: ${scalar}) {
          (z: ZLoss(x), wrong: wrong(x, label), h: Entropy(max(x, 0)), cv: Cv2(x))
        }`,
      );
    const expected = (of: readonly Numbers[]): readonly Numbers[] => [
      of.map((v) => Math.log(sum(v.map(Math.exp))) ** 2),
      of.map((v, i) => Math.log(sum(v.map(Math.exp))) - (v[label.data[i] ?? NaN] ?? NaN)),
      of.map((v) => -sum(v.map((q) => (q > 0 ? q * Math.log(q) : 0)))),
      of.map((v) => sum(v.map((q) => (q - mean(v)) ** 2)) / (E - 1) / (mean(v) ** 2 + 1e-10)),
    ];
    for (const [program, of, shape] of [
      [model('', '[E]', 'f32'), logits.slice(0, 1), []],
      [model('[B, T]', '[B, T, E]', '[B, T]'), logits, [B, T]],
    ] as const) {
      const count = of.length;
      const value = await run({
        members: 'ZLoss, CrossEntropy, Entropy, Cv2',
        text: program,
        inputs: {
          x: { shape: [...shape, E], data: x.data.subarray(0, count * E) },
          label: { shape, data: label.data.subarray(0, count) },
        },
      });
      const [z = [], wrong = [], h = [], cv = []] = expected(of);
      close(value('z'), z);
      close(value('wrong'), wrong);
      close(value('h'), h);
      // The mean of numbers of either sign is small, and divides.
      value('cv').forEach((a, i) => expect(Math.abs(a / (cv[i] ?? NaN) - 1)).toBeLessThan(1e-11));
    }
  });

  test('AttentionWeights and Attention: causal, all, nothing seen; heads in groups; with and without a batch', async () => {
    const [H, M, C] = [2, 3, E];
    const q = drawn('q', B, T, H, M, C);
    const k = drawn('k', B, T, H, C);
    const v = drawn('v', B, T, H, C);
    const at = (of: Dense, heads: number, b: number, head: number): readonly Numbers[] =>
      range(T).map((t) => rows(of, C)[(b * T + t) * heads + head] ?? []);
    const masks: readonly (readonly [string, (t: number, u: number) => boolean])[] = [
      ["iota(T) >= iota(T')", (t, u) => t >= u],
      ['true', () => true],
      ["iota(T) > iota(T') + 1", (t, u) => t > u + 1],
    ];
    for (const [mask, seen] of masks) {
      const grouped = await run({
        members: 'AttentionWeights, Attention',
        text: text(
          `H = ${H}, M = ${M}, C = ${C}`,
          `forward(q: [B, T, H, M, C], k: [B, T, H, C], v: [B, T, H, C]) -> (a: [B, H, M, T, T'], y: [B, H, M, T, C]) {
            (a: AttentionWeights(q, k, ${mask}), y: Attention(q, k, v, ${mask}))
          }`,
        ),
        inputs: { q, k, v },
      });
      const heads = range(B).flatMap((b) =>
        range(H).flatMap((h) =>
          range(M).map((m) => attention(at(q, H * M, b, h * M + m), at(k, H, b, h), at(v, H, b, h), seen)),
        ),
      );
      close(
        grouped('a'),
        heads.flatMap((one) => one.weights.flat()),
      );
      close(
        grouped('y'),
        heads.flatMap((one) => one.mixed.flat()),
      );
      const [one, two, three] = [drawn('one', T, C), drawn('two', T, C), drawn('three', T, C)];
      const single = await run({
        members: 'Attention',
        text: text(`C = ${C}`, `forward(q: [T, C], k: [T, C], v: [T, C]) -> [T, C] { Attention(q, k, v, ${mask}) }`),
        inputs: { q: one, k: two, v: three },
      });
      close(single('output'), attention(rows(one, C), rows(two, C), rows(three, C), seen).mixed.flat());
    }
  });

  test('BalancedTopK: raw weights, logits, and the loss of the batch', async () => {
    const D = 3;
    const input = drawn('in', B, T, D);
    const weight = drawn('weight', E, D);
    // The first token of each sequence is padding.
    const real = { shape: [B, T], data: Float64Array.from(range(B * T), (i) => (i % T === 0 ? 0 : 1)) };
    const value = await run({
      members: 'BalancedTopK',
      text: text(
        `D = ${D}`,
        'router gate = BalancedTopK<K>\n forward(x: [B, T, D], real: bool[B, T]) -> [B, T, E] { dense(gate(x, real)) }',
      ),
      inputs: { x: input, real },
      variables: { 'gate.weight': weight },
    });
    const s = rows(input, D).map((row) => times(rows(weight, D), row));
    close(value('gate.logits'), s.flat());
    close(
      value('output'),
      s.map(softmax).flatMap((row) => row.map((q, e) => (best(row, K).includes(e) ? q : 0))),
    );
    close(value('gate.balance'), [
      balance(
        s.map(softmax).filter((_, i) => i % T !== 0),
        K,
      ),
    ]);
  });

  test.each([1, 2])('OpenGroups by the best %i of each group', async (most) => {
    const [G, M] = [E, 3];
    const s = drawn('groups', B, T, G, M);
    const scores = blocks(rows(s, M), G).map((groups) =>
      groups.map((group) => sum(best(group, most).map((i) => group[i] ?? NaN))),
    );
    const opened = scores.map((row) => row.map((_, g) => (best(row, K).includes(g) ? 1 : 0)));
    for (const axes of ['B, T, ', '']) {
      const of = axes === '' ? 1 : B * T;
      const value = await run({
        members: 'OpenGroups',
        text: text(
          `G = ${G}, M = ${M}`,
          `router open = OpenGroups<K, ${most}>\n forward(s: [${axes}G, M]) -> [${axes}G] { dense(mask(open(s))) }`,
        ),
        inputs: { s: { shape: [...(axes === '' ? [] : [B, T]), G, M], data: s.data.subarray(0, of * G * M) } },
      });
      close(value('output'), opened.slice(0, of).flat());
      close(value('open.scores'), scores.slice(0, of).flat());
    }
  });
});

test('NormalCdf against the tables of the normal distribution', async () => {
  const value = await run({
    members: 'NormalCdf',
    text: '  axis N\n  forward(x: [N]) -> [N] { NormalCdf(x) }',
    inputs: { x: { shape: [4], data: Float64Array.from([0, 1, -1.96, 3]) } },
  });
  const expected = [0.5, 0.8413447460685429, 0.024997895148220435, 0.9986501019683699];
  value('output').forEach((a, i) => expect(Math.abs(a - (expected[i] ?? NaN))).toBeLessThan(1e-12));
});

test('the most even distribution has entropy log E, a certain one 0', async () => {
  const value = await run({
    members: 'Entropy',
    text: '  axis N, E = 8\n  forward(x: [N, E]) -> [N] { Entropy(x) }',
    inputs: { x: { shape: [2, 8], data: Float64Array.from(range(16), (i) => (i < 8 ? 1 / 8 : i === 9 ? 1 : 0)) } },
  });
  close(value('output'), [Math.log(8), 0]);
});
