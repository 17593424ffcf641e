/** Work that adapts to the token: Duo-LLM's oracle with three ways, online pruning of MC-MoE and MC# with the options no copied case has. */
import type { Value } from '../formula.ts';
import type { GoldenCase } from '../golden-case.ts';
import {
  CaseBuilder,
  type GatedExpert,
  TooClose,
  type Vector,
  add,
  best,
  combine,
  gatedExpert,
  mean,
  multiply,
  picksOf,
  range,
  shared,
  softmax,
} from './plain.ts';

const rms = (x: Vector): Vector => {
  const size = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / x.length + 1e-6);
  return x.map((v) => v / size);
};

/** Where the least is; too close if another is as good. */
function least(values: Vector): number {
  const [at] = best(
    values.map((v) => -v),
    1,
  );
  if (at === undefined) throw new TooClose();
  return at;
}

/** Every pattern of big, small and skip, for every token; the router of such a model is not there. */
export function oracleOfThreeWays(seed: number): GoldenCase {
  const [T, D, V, L, big, small] = [4, 6, 5, 3, 7, 2];
  const config = new Map<string, Value>([
    ['tokens', T],
    ['d_model', D],
    ['vocab', V],
    ['layers', L],
    ['ff_big', big],
    ['ff_small', small],
    ['modes', '["big","small","skip"]'],
    ['modes.length', 3],
    ['target_budget', 0.25],
  ]);
  const builder = new CaseBuilder('variant-duollm-three-ways', 'Duo-LLM', config, seed);
  const names = ['gate', 'up', 'down'] as const;
  const x = builder.matrix('input', T, D);
  const targets = range(T).map((t) => (3 * t + 1) % V);
  builder.put('targets', targets);
  const skip: GatedExpert = (h) => h.map(() => 0);
  const layers = range(L).map((l) => [
    gatedExpert(builder, `layers.${l}.big.`, D, big, names),
    gatedExpert(builder, `layers.${l}.small.`, D, small, names),
    skip,
  ]);
  const head = builder.matrix('head.weight', V, D);
  const patterns = range(3 ** L).map((p) => range(L).map((l) => Math.floor(p / 3 ** (L - 1 - l)) % 3));
  builder.put('patterns', patterns);

  const table = x.map((token, t) =>
    patterns.map((pattern) => {
      const h = pattern.reduce((at: Vector, way, l) => add(at, layers[l]?.[way]?.(rms(at)) ?? []), token);
      return -Math.log(softmax(multiply(head, rms(h)))[targets[t] ?? 0] ?? NaN);
    }),
  );
  builder.put('expected.loss_table', table);
  const bestOf = (open: (pattern: readonly number[]) => boolean): { losses: Vector; chosen: readonly Vector[] } => {
    const which = patterns.flatMap((pattern, p) => (open(pattern) ? [p] : []));
    const found = table.map((row) => which[least(which.map((p) => row[p] ?? NaN))] ?? 0);
    return { losses: found.map((p, t) => table[t]?.[p] ?? NaN), chosen: found.map((p) => patterns[p] ?? []) };
  };
  for (const b of range(L + 1)) {
    const { losses, chosen } = bestOf((pattern) => pattern.filter((way) => way === 0).length === b);
    builder.put(`expected.oracle_loss.big${b}`, losses);
    builder.put(`expected.oracle_pattern.big${b}`, chosen);
  }
  const all = bestOf(() => true);
  const allSmall = bestOf((pattern) => pattern.every((way) => way === 1)).losses;
  builder.put('expected.best_loss', all.losses);
  builder.put('expected.best_pattern', all.chosen);
  builder.put('expected.loss_all_big', bestOf((pattern) => pattern.every((way) => way === 0)).losses);
  builder.put('expected.loss_all_small', allSmall);
  builder.put(
    'expected.token_difficulty_gain',
    allSmall.map((v, t) => v - (all.losses[t] ?? NaN)),
  );
  return builder.build();
}

export interface PruningOptions {
  readonly active: boolean;
  readonly least: number;
  readonly most: number;
}

export function onlinePruning(options: PruningOptions, seed: number): GoldenCase {
  const [T, D, F, E, K, H, beta] = [10, 6, 5, 5, 2, 3, 0.7];
  const config = new Map<string, Value>([
    ['tokens', T],
    ['d_model', D],
    ['d_ff', F],
    ['experts', E],
    ['top_k', K],
    ['heads', H],
    ['layer_active', options.active],
    ['beta', beta],
    ['tau_low', options.least],
    ['tau_high', options.most],
  ]);
  const name = `variant-odp-${options.active ? 'active' : 'inactive'}-${options.least}-${options.most}`;
  const builder = new CaseBuilder(name, 'MC-MoE', config, seed);
  const x = builder.matrix('input', T, D);
  const attention = range(H).map((h) => builder.matrix(`scores.${h}`, T, T).map((row) => softmax(row)));
  builder.put('attention', attention);
  const gate = builder.matrix('gate.weight', E, D);
  const experts = range(E).map((e) => {
    return gatedExpert(builder, `experts.${e}.`, D, F, ['w1.weight', 'w3.weight', 'w2.weight']);
  });

  const size = (token: Vector): number => token.reduce((sum, v) => sum + Math.abs(v), 0);
  const weighed = (attended: (row: Vector, t: number, head: readonly Vector[]) => number): Vector =>
    x.map(
      (token, t) =>
        (mean(attention.map((head) => [attended(head[t] ?? [], t, head)]))[0] ?? NaN) * (size(token) / (T - t)),
    );
  const importance = weighed((row) => row.reduce((a, b) => a + b, 0));
  const received = weighed((_, t, head) => head.reduce((sum, row) => sum + (row[t] ?? NaN), 0));
  const guarded = options.active ? best(importance, Math.floor(options.most * T)) : [];
  const low = options.active
    ? best(
        importance.map((v) => -v),
        Math.floor(options.least * T),
      )
    : [];
  const givenUp = low.filter((t) => !guarded.includes(t));

  const logits = x.map((token) => multiply(gate, token));
  const used: number[] = [];
  const output = x.map((token, t) => {
    const p = softmax(logits[t] ?? []);
    const picks = picksOf(best(p, K), p);
    const first = picks[0]?.weight ?? NaN;
    if (picks.some(({ weight }) => Math.abs(weight - beta * first) < 1e-5)) throw new TooClose();
    const strong = options.active ? picks.filter(({ weight }) => weight >= beta * first) : picks;
    const kept = guarded.includes(t) ? picks : givenUp.includes(t) ? [] : strong;
    used.push(kept.length);
    return combine(shared(kept), experts, token);
  });
  builder.put('expected.output', output);
  builder.put('expected.router_logits', logits);
  builder.put('expected.experts_used', used);
  builder.put('expected.token_importance', importance);
  builder.put('paper_form.token_importance', received);
  const flags = (tokens: readonly number[]): Vector => range(T).map((t) => (tokens.includes(t) ? 1 : 0));
  builder.put('expected.protected', flags(guarded));
  builder.put('expected.all_dropped', flags(givenUp));
  return builder.build();
}

export function topAnyPruning(hard: boolean, seed: number): GoldenCase {
  const [T, D, E, K, H, tau, lambda] = [6, 5, 6, 3, 4, 0.7, 0.25];
  const config = new Map<string, Value>([
    ['tokens', T],
    ['d_model', D],
    ['experts', E],
    ['top_k', K],
    ['tau', tau],
    ['lambda', lambda],
    ['hard', hard],
  ]);
  const builder = new CaseBuilder(`variant-otp-${hard ? 'hard' : 'soft'}`, 'MC# (OTP)', config, seed);
  const x = builder.matrix('input', T, D);
  const gate = builder.matrix('gate.weight', E, D);
  const w1 = builder.matrix('mask_router.0.weight', H, D + K);
  const b1 = builder.vector('mask_router.0.bias', H);
  const w2 = builder.matrix('mask_router.2.weight', K, H);
  const b2 = builder.vector('mask_router.2.bias', K);
  const weights = range(E).map((e) => builder.matrix(`matrix.${e}`, D, D));
  builder.put('experts.weight', weights);
  // Uniform in 0 .. 1, away from the edges.
  const noise = range(T).map((t) => builder.vector(`noise.${t}`, K).map((v) => Math.fround(0.5 + 0.49 * v)));
  builder.put('uniform_noise', noise);

  const experts = weights.map((w) => (token: Vector) => multiply(w, token));
  const rows = x.map((token, t) => {
    const p = softmax(multiply(gate, token));
    const picks = picksOf(best(p, K), p);
    const scores = picks.map(({ weight }) => weight);
    const hidden = add(multiply(w1, [...token, ...scores]), b1).map((v) => Math.max(v, 0));
    const logits = add(multiply(w2, hidden), b2);
    const [first] = best(logits, 1);
    const logP = softmax(logits).map(Math.log);
    const draws = noise[t] ?? [];
    const selection = hard
      ? logits.map((_, c) => (c === first ? 1 : 0))
      : softmax(logP.map((v, c) => (v - Math.log(-Math.log(draws[c] ?? NaN))) / tau));
    const mask = selection.map((_, c) => selection.slice(c).reduce((a, b) => a + b, 0));
    const masked = picks.map(({ index, weight }, c) => ({ index, weight: weight * (mask[c] ?? NaN) }));
    const indices = picks.map(({ index }) => index);
    const output = combine(masked, experts, token);
    return { scores, indices, logits, selection, mask, output, full: combine(picks, experts, token) };
  });
  builder.put(
    'expected.topk_scores',
    rows.map(({ scores }) => scores),
  );
  builder.put(
    'expected.topk_indices',
    rows.map(({ indices }) => indices),
    'i32',
  );
  builder.put(
    'expected.mask_logits',
    rows.map(({ logits }) => logits),
  );
  builder.put(
    'expected.selection',
    rows.map(({ selection }) => selection),
  );
  builder.put(
    'expected.mask',
    rows.map(({ mask }) => mask),
  );
  builder.put(
    'expected.output',
    rows.map(({ output }) => output),
  );
  builder.put(
    'expected.full_output',
    rows.map(({ full }) => full),
  );
  const average = (values: Vector): number => values.reduce((a, b) => a + b, 0) / values.length;
  const apart = average(rows.flatMap(({ output, full }) => output.map((v, i) => (v - (full[i] ?? NaN)) ** 2)));
  builder.put('expected.loss', [apart + lambda * average(rows.flatMap(({ mask }) => mask))]);
  return builder.build();
}
