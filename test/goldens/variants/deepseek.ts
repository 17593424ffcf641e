/** DeepSeekMoE v1, V2 and V3 with the options no copied case has, and Pangu Pro MoE without a shared expert. */
import type { GoldenCase } from '../golden-case.ts';
import {
  CaseBuilder,
  type Matrix,
  type Pick,
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
  scaled,
  shared,
  sigmoid,
  softmax,
} from './plain.ts';

/** α · mean over sequences of Σₑ fₑ Pₑ, with fₑ = E / (K T) · count. */
function sequenceLoss(
  picks: readonly (readonly Pick[])[],
  p: Matrix,
  T: number,
  E: number,
  K: number,
  alpha: number,
): number {
  const sequences = range(p.length / T).map((b) => {
    const part = <X>(rows: readonly X[]): readonly X[] => rows.slice(b * T, (b + 1) * T);
    return (E / K) * dot(load(part(picks), E), mean(part(p)));
  });
  return (alpha * sequences.reduce((a, b) => a + b, 0)) / sequences.length;
}

/** Keeps the scores of the groups with the best values, and gives `closed` to all others. */
function limitGroups(scores: Vector, groupScores: Vector, kept: number, closed: number): Vector {
  const open = best(groupScores, kept);
  const size = scores.length / groupScores.length;
  return scores.map((s, e) => (open.includes(Math.floor(e / size)) ? s : closed));
}

function groupsOf(scores: Vector, groups: number): Matrix {
  const size = scores.length / groups;
  return range(groups).map((g) => scores.slice(g * size, (g + 1) * size));
}

export function deepSeekMoe(
  options: {
    readonly seqAux: boolean;
    readonly norm: boolean;
    readonly sharedExperts: number;
  },
  seed: number,
): GoldenCase {
  const [B, T, D, F, E, K, alpha] = [2, 5, 6, 3, 8, 3, 0.01];
  const config = new Map<string, number | boolean>([
    ['batch', B],
    ['tokens', T],
    ['d_model', D],
    ['moe_intermediate', F],
    ['n_routed_experts', E],
    ['top_k', K],
    ['n_shared_experts', options.sharedExperts],
    ['norm_topk_prob', options.norm],
    ['seq_aux', options.seqAux],
    ['aux_loss_alpha', alpha],
  ]);
  const name = `variant-deepseek-v1-${options.seqAux ? 'sequence' : 'batch'}-${options.norm ? 'norm' : 'raw'}-sh${options.sharedExperts}`;
  const builder = new CaseBuilder(name, 'DeepSeekMoE v1 (fine-grained + shared experts)', config, seed);
  const prefix = 'model.layers.1.mlp.';
  const x = builder.matrix('input', B * T, D);
  const w = builder.matrix(`${prefix}gate.weight`, E, D);
  const experts = range(E).map((e) => gatedExpert(builder, `${prefix}experts.${e}.`, D, F));
  const sharedExpert = gatedExpert(builder, `${prefix}shared_experts.`, D, options.sharedExperts * F);
  const p = x.map((token) => softmax(multiply(w, token)));
  const chosen = p.map((row) => picksOf(best(row, K), row));
  const picks = options.norm ? chosen.map((row) => shared(row, 1e-20)) : chosen;
  const whole = alpha * (E / K) * dot(load(picks, E), mean(p));
  builder.put('expected.scores', p);
  builder.putPicks('expected.', picks);
  builder.put('expected.aux_loss', options.seqAux ? sequenceLoss(picks, p, T, E, K, alpha) : whole);
  builder.put(
    'expected.output',
    x.map((token, t) => add(combine(picks[t] ?? [], experts, token), sharedExpert(token))),
  );
  return builder.build();
}

export function deepSeekV2(
  options: {
    readonly method: 'greedy' | 'group_limited_greedy';
    readonly norm: boolean;
    readonly scale: number;
  },
  seed: number,
): GoldenCase {
  const [B, T, D, F, E, K, sh, G, kept, alpha] = [3, 4, 6, 3, 9, 3, 2, 3, 2, 0.02];
  const config = new Map<string, number | boolean | string>([
    ['B', B],
    ['T', T],
    ['D', D],
    ['Ff', F],
    ['E', E],
    ['k', K],
    ['sh', sh],
    ['norm', options.norm],
    ['scale', options.scale],
    ['ng', G],
    ['tg', kept],
    ['method', options.method],
    ['aux_loss_alpha', alpha],
  ]);
  const name = `variant-deepseek-v2-${options.method}-${options.norm ? 'norm' : 'raw'}`;
  const builder = new CaseBuilder(name, 'DeepSeek-V2 (device/group-limited greedy)', config, seed);
  const prefix = 'model.layers.1.mlp.';
  const x = builder.matrix('input', B * T, D);
  const w = builder.matrix(`${prefix}gate.weight`, E, D);
  const experts = range(E).map((e) => gatedExpert(builder, `${prefix}experts.${e}.`, D, F));
  const sharedExpert = gatedExpert(builder, `${prefix}shared_experts.`, D, sh * F);
  const p = x.map((token) => softmax(multiply(w, token)));
  const groupScores = p.map((row) => groupsOf(row, G).map((group) => Math.max(...group)));
  const chosen = p.map((row, t) => {
    const limited = options.method === 'greedy' ? row : limitGroups(row, groupScores[t] ?? [], kept, 0);
    return picksOf(best(limited, K), limited);
  });
  const picks = chosen.map((row) => (options.norm ? shared(row, 1e-20) : scaled(row, options.scale)));
  if (options.method !== 'greedy') {
    builder.put('expected.group_scores', groupScores);
    builder.put(
      'expected.group_indices',
      groupScores.map((row) => best(row, kept)),
      'i32',
    );
  }
  builder.put('expected.scores', p);
  builder.putPicks('expected.', picks);
  builder.put('expected.seq_aux_loss', sequenceLoss(picks, p, T, E, K, alpha));
  builder.put(
    'expected.output',
    x.map((token, t) => add(combine(picks[t] ?? [], experts, token), sharedExpert(token))),
  );
  return builder.build();
}

export function deepSeekV3(
  options: {
    readonly fn: 'softmax' | 'sigmoid';
    readonly bias: boolean;
    readonly groups: number;
  },
  seed: number,
): GoldenCase {
  const [B, T, D, F, E, K, sh, kept, scale] = [2, 6, 6, 3, 8, 2, 2, options.groups === 1 ? 1 : 2, 1.75];
  const config = new Map<string, number | boolean | string>([
    ['B', B],
    ['T', T],
    ['D', D],
    ['Ff', F],
    ['E', E],
    ['k', K],
    ['sh', sh],
    ['ng', options.groups],
    ['tg', kept],
    ['scale', scale],
    ['fn', options.fn],
    ['bias', options.bias],
  ]);
  const name = `variant-deepseek-v3-${options.fn}-${options.bias ? 'bias' : 'nobias'}-g${options.groups}`;
  const builder = new CaseBuilder(
    name,
    'DeepSeek-V3 (sigmoid scores, bias-corrected group-limited selection)',
    config,
    seed,
  );
  const prefix = 'layers.3.ffn.';
  const names = ['w1.weight', 'w3.weight', 'w2.weight'] as const;
  const x = builder.matrix('input', B * T, D);
  const w = builder.matrix(`${prefix}gate.weight`, E, D);
  const bias = options.bias ? builder.vector(`${prefix}gate.bias`, E).map((b) => b) : range(E).map(() => 0);
  const experts = range(E).map((e) => gatedExpert(builder, `${prefix}experts.${e}.`, D, F, names));
  const sharedExpert = gatedExpert(builder, `${prefix}shared_experts.`, D, sh * F, names);
  const logits = x.map((token) => multiply(w, token));
  const scores = logits.map((row) => (options.fn === 'softmax' ? softmax(row) : row.map(sigmoid)));
  const biased = scores.map((row) => add(row, bias));
  const groupScores = biased.map((row) =>
    groupsOf(row, options.groups).map((group) => {
      const [first = NaN, second = NaN] = [...group].sort((a, b) => b - a);
      return options.bias ? first + second : first;
    }),
  );
  const picks = scores.map((row, t) => {
    const selects = biased[t] ?? [];
    const limited = options.groups === 1 ? selects : limitGroups(selects, groupScores[t] ?? [], kept, -Infinity);
    const chosen = picksOf(best(limited, K), row);
    return scaled(options.fn === 'sigmoid' ? shared(chosen) : chosen, scale);
  });
  builder.put('expected.router_logits', logits);
  builder.put('expected.scores', scores);
  if (options.bias) builder.put('expected.biased_scores', biased);
  if (options.groups > 1) builder.put('expected.group_scores', groupScores);
  builder.putPicks('expected.', picks);
  builder.put(
    'expected.output',
    x.map((token, t) => add(combine(picks[t] ?? [], experts, token), sharedExpert(token))),
  );
  return builder.build();
}

export function panguPro(
  options: { readonly perGroup: number; readonly sharedWidth: number },
  seed: number,
): GoldenCase {
  const [T, D, F, E, G] = [7, 6, 4, 9, 3];
  const K = options.perGroup * G;
  const config = new Map<string, number>([
    ['tokens', T],
    ['d_model', D],
    ['moe_intermediate', F],
    ['num_experts', E],
    ['num_groups', G],
    ['top_k', K],
    ['per_group_k', options.perGroup],
    ['shared_intermediate', options.sharedWidth],
    ['ep_size', 1],
  ]);
  const name = `variant-pangu-${options.perGroup}-of-each-${options.sharedWidth === 0 ? 'noshared' : 'shared'}`;
  const builder = new CaseBuilder(name, 'Pangu Pro MoE / MoGE (grouped experts)', config, seed);
  const prefix = 'model.layers.0.mlp.';
  const x = builder.matrix('input', T, D);
  const w = builder.matrix(`${prefix}gate.weight`, E, D);
  const [factor = []] = builder.matrix(`${prefix}router_scale`, 1, E);
  const experts = range(E).map((e) => gatedExpert(builder, `${prefix}experts.${e}.`, D, F));
  const sharedExpert =
    options.sharedWidth === 0 ? null : gatedExpert(builder, `${prefix}shared_expert.`, D, options.sharedWidth);
  const logits = x.map((token) => multiply(w, token));
  const p = logits.map(softmax);
  const picks = p.map((row) =>
    groupsOf(row, G).flatMap((group, g) =>
      best(group, options.perGroup).map((m) => {
        const index = (g * E) / G + m;
        return { index, weight: (row[index] ?? NaN) * (factor[index] ?? NaN) };
      }),
    ),
  );
  const routed = x.map((token, t) => combine(picks[t] ?? [], experts, token));
  builder.put('expected.router_logits', logits);
  builder.put('expected.router_probs', p);
  builder.putPicks('expected.', picks);
  builder.put('expected.routed_output', routed);
  builder.put(
    'expected.output',
    sharedExpert === null ? routed : x.map((token, t) => add(routed[t] ?? [], sharedExpert(token))),
  );
  builder.put('expected.aux_loss_alpha1', (E / K) * dot(load(picks, E), mean(p)));
  return builder.build();
}
