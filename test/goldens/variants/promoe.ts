/** ProMoE with the options no copied case has: other scores, token and expert choice, the parts left out, the balance losses. */
import type { Value } from '../formula.ts';
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
  mean,
  multiply,
  picksOf,
  range,
  sigmoid,
  softmax,
  sum,
  times,
  unit,
} from './plain.ts';

export interface ProMoeOptions {
  readonly score: 'softmax' | 'sigmoid' | 'identity';
  readonly topK: number;
  readonly labels: readonly number[];
  readonly shared: boolean;
  readonly uncond: boolean;
  readonly allPicks: boolean;
  readonly balance: number;
  readonly perSample: boolean;
}

const [T, D, F, S, E, lam, tau, classless] = [7, 6, 4, 5, 3, 0.5, 0.2, 9];

const geluTanh = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

function mlp(builder: CaseBuilder, prefix: string, f: number): (x: Vector) => Vector {
  const up = builder.matrix(`${prefix}.up_proj.weight`, f, D);
  const upBias = builder.vector(`${prefix}.up_proj.bias`, f);
  const down = builder.matrix(`${prefix}.down_proj.weight`, D, f);
  const downBias = builder.vector(`${prefix}.down_proj.bias`, D);
  return (x) => add(multiply(down, add(multiply(up, x), upBias).map(geluTanh)), downBias);
}

/** Cross entropy of each prototype that has tokens against the means of all that have; 0 for fewer than two. */
function contrast(centres: Matrix, own: readonly Matrix[]): number {
  const owners = range(centres.length).filter((e) => (own[e] ?? []).length > 0);
  if (owners.length < 2) return 0;
  const errors = owners.map((i) => {
    const logits = owners.map((j) => dot(unit(centres[i] ?? []), unit(mean(own[j] ?? []))) / tau);
    return -Math.log(softmax(logits)[owners.indexOf(i)] ?? NaN);
  });
  return sum(errors) / errors.length;
}

interface Parts {
  readonly builder: CaseBuilder;
  readonly samples: readonly Matrix[];
  readonly classed: (b: number) => boolean;
  readonly centres: Matrix;
  readonly experts: readonly ((x: Vector) => Vector)[];
  readonly shared: ((x: Vector) => Vector) | null;
}

function start(name: string, config: readonly (readonly [string, Value])[], o: ProMoeOptions, seed: number): Parts {
  const sizes: readonly (readonly [string, Value])[] = [
    ['batch', o.labels.length],
    ['seq', T],
    ['d_model', D],
    ['routed_experts', E],
    ['expert_ff', F],
    ['shared_ff', S],
    ['top_k', o.topK],
    ['router_weight_mode', o.score],
    ['unconditional_label', classless],
    ['routing_contrastive_lam', lam],
    ['routing_contrastive_temperature', tau],
  ];
  const builder = new CaseBuilder(name, 'ProMoE', new Map([...sizes, ...config]), seed);
  const x = builder.matrix('input', o.labels.length * T, D);
  builder.put('labels', o.labels);
  return {
    builder,
    samples: o.labels.map((_, b) => x.slice(b * T, (b + 1) * T)),
    classed: (b) => !o.uncond || o.labels[b] !== classless,
    centres: builder.matrix('cluster_centers', E, D),
    experts: range(o.uncond ? E + 1 : E).map((e) => mlp(builder, `experts.${e}`, F)),
    shared: o.shared ? mlp(builder, 'shared_expert', S) : null,
  };
}

const cosines = (parts: Parts, token: Vector): Vector => parts.centres.map((c) => dot(unit(c), unit(token)));

/** What comes out of a token's picks and the shared expert. */
function output(parts: Parts, picks: readonly Pick[], token: Vector): Vector {
  const routed = combine(picks, parts.experts, token);
  return parts.shared === null ? routed : add(routed, parts.shared(token));
}

export function proMoeTokenChoice(o: ProMoeOptions, seed: number): GoldenCase {
  const parts = start(
    `variant-promoe-tc-${o.score}-top${o.topK}-${o.allPicks ? 'all' : 'first'}-${o.shared ? 'shared' : 'bare'}-` +
      `${o.uncond ? 'apart' : 'together'}-${o.perSample ? 'seq' : 'batch'}${o.balance}`,
    [
      ['use_shared_expert', o.shared],
      ['use_uncond_expert', o.uncond],
      ['use_top_k_for_routing_contrastive', o.allPicks],
      ['load_balance_loss_coef', o.balance],
      ['seq_aux', o.perSample],
    ],
    o,
    seed,
  );
  const { builder, samples, classed, centres } = parts;
  const own: Vector[][] = range(E).map(() => []);
  const counts = samples.map(() => range(E).map(() => 0));
  const scores: Vector[][] = samples.map(() => []);
  const picks = samples.flatMap((sample, b) =>
    sample.map((token): readonly Pick[] => {
      if (!classed(b)) return range(o.topK).map((k) => ({ index: E, weight: k === 0 ? 1 : 0 }));
      const c = cosines(parts, token);
      const s = o.score === 'softmax' ? softmax(c) : o.score === 'sigmoid' ? c.map(sigmoid) : c;
      const chosen = best(s, o.topK);
      for (const e of chosen) counts[b] = (counts[b] ?? []).map((n, i) => (i === e ? n + 1 : n));
      for (const e of o.allPicks ? chosen : chosen.slice(0, 1)) own[e]?.push(token);
      scores[b]?.push(o.score === 'softmax' ? s : softmax(s));
      return picksOf(chosen, s);
    }),
  );
  const some = range(samples.length).filter(classed);
  // Each way: E times the share of picks, times the mean probability.
  const uneven = o.perSample
    ? sum(some.map((b) => dot(times(E / (T * o.topK), counts[b] ?? []), mean(scores[b] ?? [])))) / some.length
    : dot(
        times(E / (some.length * T * o.topK), add(...some.map((b) => counts[b] ?? []))),
        mean(some.flatMap((b) => scores[b] ?? [])),
      );
  builder.put(
    'expected.cosine',
    samples.flatMap((sample) => sample.map((token) => cosines(parts, token))),
  );
  builder.put(
    'expected.expert_indices',
    picks.map((row) => row.map((pick) => pick.index)),
  );
  builder.put(
    'expected.router_weights',
    picks.map((row) => row.map((pick) => pick.weight)),
  );
  builder.put('expected.loss', [lam * contrast(centres, own) + o.balance * uneven]);
  builder.put(
    'expected.output',
    samples.flat().map((token, i) => output(parts, picks[i] ?? [], token)),
  );
  return builder.build();
}

export function proMoeExpertChoice(
  o: Omit<ProMoeOptions, 'allPicks' | 'balance' | 'perSample'>,
  seed: number,
): GoldenCase {
  const k = Math.max(1, Math.min(Math.floor((T * o.topK) / E), T));
  const parts = start(
    `variant-promoe-ec-${o.score}-top${o.topK}-${o.shared ? 'shared' : 'bare'}-${o.uncond ? 'apart' : 'together'}`,
    [
      ['capacity_per_expert', k],
      ['use_shared_expert', o.shared],
      ['use_uncond_expert', o.uncond],
    ],
    { ...o, allPicks: false, balance: 0, perSample: false },
    seed,
  );
  const { builder, samples, classed, centres } = parts;
  const some = range(samples.length).filter(classed);
  const near = samples.map((sample) => sample.map((token) => cosines(parts, token)));
  const chosen = samples.map((sample, b) =>
    range(E).map((e) => {
      const c = sample.map((_, t) => near[b]?.[t]?.[e] ?? NaN);
      const s = o.score === 'softmax' ? softmax(c) : o.score === 'sigmoid' ? c.map(sigmoid) : c;
      return picksOf(best(s, k), s);
    }),
  );
  const losses = some.map((b) =>
    contrast(
      centres,
      (chosen[b] ?? []).map((row) => row.map((pick) => samples[b]?.[pick.index] ?? [])),
    ),
  );
  builder.put(
    'expected.cosine',
    some.map((b) => range(E).map((e) => (near[b] ?? []).map((row) => row[e] ?? NaN))),
  );
  builder.put(
    'expected.topk_tokens',
    some.map((b) => (chosen[b] ?? []).map((row) => row.map((pick) => pick.index))),
  );
  builder.put('expected.loss', [(lam * sum(losses)) / some.length]);
  builder.put(
    'expected.output',
    samples.map((sample, b) =>
      sample.map((token, t) => {
        const takers = (chosen[b] ?? []).flatMap((row, index) =>
          row.filter((pick) => pick.index === t).map(({ weight }): Pick => ({ index, weight })),
        );
        return output(parts, classed(b) ? takers : [{ index: E, weight: 1 }], token);
      }),
    ),
  );
  return builder.build();
}
