/** Qwen2-MoE with weights that add up to one, and single picks: Mixtral, OLMoE, Llama 4; a wide clamp: gpt-oss. */
import type { Value } from '../formula.ts';
import type { GoldenCase } from '../golden-case.ts';
import {
  CaseBuilder,
  type Matrix,
  type Vector,
  add,
  best,
  combine,
  dot,
  gatedExpert,
  load,
  mean,
  multiply,
  picksOf,
  range,
  shared,
  sigmoid,
  softmax,
} from './plain.ts';

interface Sizes {
  readonly B: number;
  readonly T: number;
  readonly D: number;
  readonly Ff: number;
  readonly E: number;
  readonly k: number;
}

const sizesOf = (sizes: Sizes): readonly (readonly [string, number])[] => Object.entries(sizes);

/** Softmax, the k best, raw or shared out: the block that Mixtral, Qwen and OLMoE have in common. */
function softmaxTopK(builder: CaseBuilder, gate: string, sizes: Sizes, renormalise: boolean) {
  const w = builder.matrix(gate, sizes.E, sizes.D);
  return (tokens: Matrix) => {
    const logits = tokens.map((x) => multiply(w, x));
    const p = logits.map(softmax);
    const chosen = p.map((row) => picksOf(best(row, sizes.k), row));
    const picks = renormalise ? chosen.map((row) => shared(row)) : chosen;
    builder.put('expected.router_logits', logits);
    builder.putPicks('expected.', picks);
    builder.put('expected.aux_loss', sizes.E * dot(load(picks, sizes.E), mean(p)));
    return picks;
  };
}

export function mixtralTop1(seed: number): GoldenCase {
  const sizes: Sizes = { B: 3, T: 4, D: 7, Ff: 5, E: 5, k: 1 };
  const builder = new CaseBuilder('variant-mixtral-top1', 'Mixtral', new Map(sizesOf(sizes)), seed);
  const x = builder.matrix('input', sizes.B * sizes.T, sizes.D);
  const prefix = 'model.layers.0.block_sparse_moe.';
  const route = softmaxTopK(builder, `${prefix}gate.weight`, sizes, true);
  const names = ['w1.weight', 'w3.weight', 'w2.weight'] as const;
  const experts = range(sizes.E).map((e) => gatedExpert(builder, `${prefix}experts.${e}.`, sizes.D, sizes.Ff, names));
  const picks = route(x);
  builder.put(
    'expected.output',
    x.map((token, t) => combine(picks[t] ?? [], experts, token)),
  );
  return builder.build();
}

/** OLMoE keeps raw weights, Qwen3-MoE shares them out. */
export function manyExperts(system: 'OLMoE' | 'Qwen3-MoE', seed: number): GoldenCase {
  const sizes: Sizes = { B: 1, T: 9, D: 6, Ff: 3, E: 11, k: 5 };
  const builder = new CaseBuilder(`variant-${system.toLowerCase()}-top5`, system, new Map(sizesOf(sizes)), seed);
  const x = builder.matrix('input', sizes.B * sizes.T, sizes.D);
  const route = softmaxTopK(builder, 'model.layers.0.mlp.gate.weight', sizes, system === 'Qwen3-MoE');
  const experts = range(sizes.E).map((e) =>
    gatedExpert(builder, `model.layers.0.mlp.experts.${e}.`, sizes.D, sizes.Ff),
  );
  const picks = route(x);
  builder.put(
    'expected.output',
    x.map((token, t) => combine(picks[t] ?? [], experts, token)),
  );
  return builder.build();
}

export function qwen2Normalised(seed: number): GoldenCase {
  const sizes: Sizes = { B: 2, T: 5, D: 6, Ff: 4, E: 6, k: 2 };
  const sh = 7;
  const builder = new CaseBuilder(
    'variant-qwen2-norm',
    'Qwen2-MoE',
    new Map<string, Value>([...sizesOf(sizes), ['sh', sh], ['norm', true]]),
    seed,
  );
  const prefix = 'model.layers.0.mlp.';
  const x = builder.matrix('input', sizes.B * sizes.T, sizes.D);
  const route = softmaxTopK(builder, `${prefix}gate.weight`, sizes, true);
  const experts = range(sizes.E).map((e) => gatedExpert(builder, `${prefix}experts.${e}.`, sizes.D, sizes.Ff));
  const sharedExpert = gatedExpert(builder, `${prefix}shared_expert.`, sizes.D, sh);
  const open = builder.matrix(`${prefix}shared_expert_gate.weight`, 1, sizes.D);
  const picks = route(x);
  builder.put(
    'expected.output',
    x.map((token, t) => {
      const gate = sigmoid(multiply(open, token)[0] ?? NaN);
      return add(
        combine(picks[t] ?? [], experts, token),
        sharedExpert(token).map((v) => gate * v),
      );
    }),
  );
  return builder.build();
}

export function llama4Top1(seed: number): GoldenCase {
  const [B, T, D, hid, E] = [2, 3, 6, 8, 5];
  const F = Math.floor((2 * hid) / 3);
  const config = new Map([
    ['B', B],
    ['T', T],
    ['D', D],
    ['hid', hid],
    ['E', E],
    ['k', 1],
    ['expert_hidden', F],
  ] as const);
  const builder = new CaseBuilder('variant-llama4-top1', 'Llama-4', config, seed);
  const prefix = 'layers.0.feed_forward.';
  const x = builder.matrix('input', B * T, D);
  const w = builder.matrix(`${prefix}router_DE`, D, E);
  // Stored [E, in, out]: drawn as [in, out] for each expert, put together, and read through their transpose.
  const stack = (name: string, rows: number, columns: number): readonly Matrix[] => {
    const flat = builder.matrix(`${prefix}experts.${name}`, E * rows, columns);
    const parts = range(E).map((e) => flat.slice(e * rows, (e + 1) * rows));
    builder.put(`${prefix}experts.${name}`, parts);
    return parts;
  };
  const [w1, w3, w2] = [stack('w1', D, F), stack('w3', D, F), stack('w2', F, D)];
  const transposed = (m: Matrix | undefined): Matrix =>
    range(m?.[0]?.length ?? 0).map((j) => (m ?? []).map((row) => row[j] ?? NaN));
  const experts = range(E).map((e) => (token: Vector): Vector => {
    const up = multiply(transposed(w3[e]), token);
    const gate = multiply(transposed(w1[e]), token);
    return multiply(
      transposed(w2[e]),
      gate.map((g, i) => g * sigmoid(g) * (up[i] ?? NaN)),
    );
  });
  const sharedExpert = gatedExpert(builder, `${prefix}shared_expert.`, D, F, ['w1.weight', 'w3.weight', 'w2.weight']);
  const logits = x.map((token) => multiply(transposed(w), token));
  const picks = logits.map((row) => picksOf(best(row, 1), row.map(sigmoid)));
  builder.put('expected.router_logits', logits);
  builder.putPicks('expected.', picks);
  builder.put(
    'expected.output',
    x.map((token, t) => {
      const [pick] = picks[t] ?? [];
      const expert = experts[pick?.index ?? -1];
      const routed = expert?.(token.map((v) => v * (pick?.weight ?? NaN))) ?? [];
      return add(routed, sharedExpert(token));
    }),
  );
  return builder.build();
}

export function gptOssWide(seed: number): GoldenCase {
  const [T, D, F, E, k, limit, alpha] = [5, 6, 4, 6, 2, 0.4, 1.2];
  const config = new Map([
    ['T', T],
    ['D', D],
    ['Ff', F],
    ['E', E],
    ['k', k],
    ['limit', limit],
    ['ws', 1],
    ['alpha', alpha],
  ] as const);
  const builder = new CaseBuilder('variant-gptoss-alpha', 'gpt-oss', config, seed);
  const prefix = 'block.0.mlp.';
  const x = builder.matrix('input', T, D);
  const cut = (name: string, rows: number, columns: number): readonly Matrix[] => {
    const flat = builder.matrix(prefix + name, E * rows, columns);
    const parts = range(E).map((e) => flat.slice(e * rows, (e + 1) * rows));
    builder.put(prefix + name, parts);
    return parts;
  };
  const mlp1 = cut('mlp1_weight', 2 * F, D);
  const bias1 = builder.matrix(`${prefix}mlp1_bias`, E, 2 * F);
  const mlp2 = cut('mlp2_weight', D, F);
  const bias2 = builder.matrix(`${prefix}mlp2_bias`, E, D);
  const scale = builder.vector(`${prefix}norm.scale`, D);
  const w = builder.matrix(`${prefix}gate.weight`, E, D);
  const b = builder.vector(`${prefix}gate.bias`, E);
  const normed = x.map((token) => {
    const root = Math.sqrt(dot(token, token) / D + 1e-5);
    return token.map((v, i) => (v / root) * (scale[i] ?? NaN));
  });
  const logits = normed.map((t) => add(multiply(w, t), b));
  const picks = logits.map((row) => {
    const chosen = best(row, k);
    const weights = softmax(chosen.map((e) => row[e] ?? NaN));
    return chosen.map((index, i) => ({ index, weight: weights[i] ?? NaN }));
  });
  const experts = range(E).map((e) => (t: Vector): Vector => {
    const rows = add(multiply(mlp1[e] ?? [], t), bias1[e] ?? []);
    const inner = range(F).map((f) => {
      const g = Math.min(rows[2 * f] ?? NaN, limit);
      const u = Math.max(-limit, Math.min(rows[2 * f + 1] ?? NaN, limit));
      return g * sigmoid(alpha * g) * (u + 1);
    });
    return add(multiply(mlp2[e] ?? [], inner), bias2[e] ?? []);
  });
  const moe = normed.map((t, i) => combine(picks[i] ?? [], experts, t));
  builder.put('expected.normed', normed);
  builder.put('expected.router_logits', logits);
  builder.putPicks('expected.', picks);
  builder.put('expected.moe_output', moe);
  builder.put(
    'expected.output',
    x.map((token, t) => add(token, moe[t] ?? [])),
  );
  return builder.build();
}
