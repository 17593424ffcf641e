/** Routers, losses and the dispatcher of Megatron-Core, with the options that no copied case has. */
import type { Value } from '../formula.ts';
import type { GoldenCase } from '../golden-case.ts';
import {
  CaseBuilder,
  type Matrix,
  type Pick,
  TooClose,
  type Vector,
  add,
  best,
  dot,
  load,
  mean,
  multiply,
  picksOf,
  range,
  scaled,
  shared,
  sigmoid,
  softmax,
  sum,
  times,
} from './plain.ts';

const at = (m: Matrix, i: number, j: number): number => m[i]?.[j] ?? NaN;

/** Which of n an expert list names: 1 or 0 at each. */
const flags = (indices: readonly number[], n: number): Vector => range(n).map((i) => (indices.includes(i) ? 1 : 0));

/** A balance loss whose counts are of a micro-batch, of a sequence, and of a step so far, which may have begun in an earlier run. */
export function balanceScopes(
  options: { readonly score: 'softmax' | 'sigmoid'; readonly continued: boolean },
  seed: number,
): GoldenCase {
  const [R, M, S, P, E, K, coefficient] = [3, 2, 2, 5, 6, 2, 0.02];
  const config = new Map<string, Value>([
    ['ranks', R],
    ['micro_batches', M],
    ['sequences_per_micro_batch', S],
    ['sequence_length', P],
    ['experts', E],
    ['top_k', K],
    ['score', options.score],
    ['coefficient', coefficient],
    ['layout', 'router_logits[rank, micro, position, sequence, expert]'],
  ]);
  const name = `variant-balance-${options.score}${options.continued ? '-continued' : ''}`;
  const builder = new CaseBuilder(name, 'Load-balancing loss scopes', config, seed);
  const logits = builder.matrix('router_logits', R * M * P * S, E);
  const before = options.continued ? range(E).map((e) => 3 + ((5 * e) % 7)) : range(E).map(() => 0);
  const stepsBefore = options.continued ? 2 : 0;
  if (options.continued) {
    builder.put('total', before);
    builder.put('seen', stepsBefore);
    builder.put('input.first', 0);
  }
  const scores = logits.map((row) => {
    if (options.score === 'softmax') return softmax(row);
    const s = row.map(sigmoid);
    return times(1 / (sum(s) + 1e-20), s);
  });
  const chosen = scores.map((row) => flags(best(row, K), E));
  /** The rows of a rank's micro-batch, of one sequence or of all. */
  const rowsOf = (rank: number, micro: number, sequence: number | null): readonly number[] =>
    range(P).flatMap((p) =>
      range(S).flatMap((s) => (sequence === null || s === sequence ? [((rank * M + micro) * P + p) * S + s] : [])),
    );
  const total = (rows: readonly number[], of: Matrix): Vector => add(...rows.map((row) => of[row] ?? []));
  const loss = (p: Vector, n: Vector, tokens: number): number => (coefficient * E * dot(p, n)) / (K * tokens * tokens);

  const each = range(R).map((rank) =>
    range(M).map((micro) => {
      const rows = rowsOf(rank, micro, null);
      const sequences = range(S).map((s) => rowsOf(rank, micro, s));
      const soFar = range(micro + 1).flatMap((m) => range(R).map((r) => total(rowsOf(r, m, null), chosen)));
      const counts = times(1 / (stepsBefore + micro + 1), add(before, ...soFar));
      return {
        micro: loss(total(rows, scores), total(rows, chosen), P * S),
        seq: sum(sequences.map((part) => loss(total(part, scores), total(part, chosen), P))) / S,
        global: loss(total(rows, scores), counts, R * P * S),
      };
    }),
  );
  builder.put('expected.scores', scores);
  builder.put('expected.routing_map', chosen);
  for (const scope of ['micro', 'seq', 'global'] as const) {
    builder.put(
      `expected.loss.${scope}`,
      each.map((row) => row.map((losses) => losses[scope])),
    );
    builder.put(`expected.loss_mean.${scope}`, sum(each.flat().map((losses) => losses[scope])) / (R * M));
  }
  builder.put('expected.loss_one_big_batch', loss(add(...scores), add(...chosen), R * M * P * S));
  return builder.build();
}

/** Two losses, and sinkhorn that stops after few steps because the tolerance is coarse. */
export function routerLosses(tolerance: number, seed: number): GoldenCase {
  const [T, E, K, aux, z] = [7, 5, 2, 0.05, 0.002];
  const config = new Map<string, Value>([
    ['T', T],
    ['E', E],
    ['k', K],
    ['aux_coeff', aux],
    ['z_coeff', z],
    ['sinkhorn_tol', tolerance],
  ]);
  const builder = new CaseBuilder(
    `variant-router-losses-${tolerance}`,
    'Router losses and sinkhorn (Megatron-Core)',
    config,
    seed,
  );
  const logits = builder.matrix('input', T, E);
  const p = logits.map(softmax);
  const picks = p.map((row) => picksOf(best(row, K), row));
  const weight = logits.map((row) => row.map(Math.exp));
  let rows: Vector = range(T).map(() => 1);
  let columns: Vector = range(E).map(() => 1);
  for (let moved = Infinity; moved > tolerance;) {
    const last = columns;
    rows = range(T).map((t) => 1 / T / (sum(range(E).map((e) => at(weight, t, e) * (last[e] ?? NaN))) + 1e-8));
    columns = range(E).map((e) => 1 / E / (sum(range(T).map((t) => at(weight, t, e) * (rows[t] ?? NaN))) + 1e-8));
    moved = sum(columns.map((c, e) => Math.abs(c - (last[e] ?? NaN)))) / E;
    if (Math.abs(moved / tolerance - 1) < 1e-2) throw new TooClose();
  }
  const fair = range(T).map((t) => range(E).map((e) => (rows[t] ?? NaN) * at(weight, t, e) * (columns[e] ?? NaN)));
  builder.put('expected.output', p);
  builder.put(
    'expected.topk_indices',
    picks.map((row) => row.map(({ index }) => index)),
    'i32',
  );
  builder.put('expected.tokens_per_expert', times(T, load(picks, E)));
  builder.put('expected.aux_loss', ((aux * E) / K) * dot(load(picks, E), mean(p)));
  builder.put('expected.z_loss', (z * sum(logits.map((row) => Math.log(sum(row.map(Math.exp))) ** 2))) / T);
  builder.put('expected.sinkhorn', fair);
  builder.put(
    'expected.sinkhorn_top1',
    fair.map((row) => best(row, 1)[0] ?? NaN),
    'i32',
  );
  return builder.build();
}

interface Dispatch {
  readonly E: number;
  readonly K: number;
  readonly factor: number | null;
  readonly policy: 'probs' | 'position';
  readonly pad: boolean;
  readonly score: 'softmax' | 'sigmoid';
  readonly groups: readonly [groups: number, open: number] | null;
  readonly preSoftmax: boolean;
  readonly bias: boolean;
  readonly scale: number | null;
}

/** Pairs of token and expert: chosen, dropped or padded, laid out expert by expert, and what comes back. */
export function dispatcher(name: string, options: Dispatch, seed: number): GoldenCase {
  const { E, K, factor } = options;
  const [T, D] = [11, 4];
  const config = new Map<string, Value>([
    ['tokens', T],
    ['d_model', D],
    ['experts', E],
    ['top_k', K],
    ['capacity_factor', factor],
    ['drop_policy', options.policy],
    ['pad_to_capacity', options.pad],
    ['score', options.score],
    ['groups', options.groups?.[0] ?? null],
    ['group_topk', options.groups?.[1] ?? null],
    ['pre_softmax', options.preSoftmax],
    ['expert_bias', options.bias],
    ['scaling_factor', options.scale],
  ]);
  const builder = new CaseBuilder(
    `variant-dispatcher-${name}`,
    'MoE Parallel Folding dispatcher (Megatron-Core)',
    config,
    seed,
  );
  const x = builder.matrix('input', T, D);
  const logits = builder.matrix('router_logits', T, E);
  const flat = builder.matrix('experts.weight', E * D, D);
  const experts = range(E).map((e) => flat.slice(e * D, (e + 1) * D));
  builder.put('experts.weight', experts);
  const bias = options.bias ? builder.vector('expert_bias', E) : range(E).map(() => 0);

  const picks = logits.map((row): readonly Pick[] => {
    const s = options.score === 'sigmoid' ? row.map(sigmoid) : options.preSoftmax ? softmax(row) : row;
    const chosen = picksOf(chooseWithin(add(s, bias), K, options.groups), s);
    const weighed =
      options.score === 'sigmoid'
        ? K > 1
          ? shared(chosen, 1e-20)
          : chosen
        : options.preSoftmax
          ? chosen
          : reweighed(chosen, softmax(chosen.map(({ weight }) => weight)));
    return scaled(weighed, options.scale ?? 1);
  });
  const probs = picks.map((row) => range(E).map((e) => row.find(({ index }) => index === e)?.weight ?? 0));
  const map = picks.map((row) =>
    flags(
      row.map(({ index }) => index),
      E,
    ),
  );
  const capacity = factor === null ? null : Math.ceil(((T * K) / E) * factor);
  const sent = range(E).map((e): readonly number[] => {
    const routed = range(T).filter((t) => at(map, t, e) === 1);
    if (capacity === null) return routed;
    // Best first or in order; after them those that did not choose the expert, as padding.
    const queue = options.policy === 'position' ? routed : ordered(routed, (t) => at(probs, t, e), capacity);
    const padding = options.pad ? range(T).filter((t) => !routed.includes(t)) : [];
    return [...queue, ...padding].slice(0, capacity).sort((a, b) => a - b);
  });
  const rows = sent.flatMap((tokens, e) => tokens.map((t) => ({ t, e })));
  const sentMap = range(T).map((t) => range(E).map((e) => (sent[e]?.includes(t) === true ? 1 : 0)));
  const sentProbs = range(T).map((t) => range(E).map((e) => at(sentMap, t, e) * at(probs, t, e)));
  builder.put('expected.routing_probs', probs);
  builder.put('expected.routing_map', map);
  builder.put('expected.final_probs', sentProbs);
  builder.put('expected.final_map', sentMap);
  if (capacity !== null) builder.put('expected.capacity', capacity);
  builder.put(
    'expected.tokens_per_expert',
    sent.map((tokens) => tokens.length),
  );
  builder.put(
    'expected.permuted_tokens',
    rows.map(({ t }) => x[t] ?? []),
  );
  builder.put(
    'expected.sorted_indices',
    rows.map(({ t }) => t),
  );
  builder.put(
    'expected.permuted_probs',
    rows.map(({ t, e }) => at(probs, t, e)),
  );
  builder.put(
    'expected.output',
    x.map((token, t) =>
      add(
        token.map(() => 0),
        ...experts.map((w, e) => times(at(sentProbs, t, e), multiply(w, token))),
      ),
    ),
  );
  return builder.build();
}

/** The k best, of the best groups only: a group counts the sum of its k / open best. */
function chooseWithin(scores: Vector, k: number, groups: Dispatch['groups']): readonly number[] {
  if (groups === null) return best(scores, k);
  const [count, open] = groups;
  const size = scores.length / count;
  const values = range(count).map((g) => {
    const part = scores.slice(g * size, (g + 1) * size);
    return sum(best(part, Math.floor(k / open)).map((i) => part[i] ?? NaN));
  });
  const kept = best(values, open);
  return best(
    scores.map((s, e) => (kept.includes(Math.floor(e / size)) ? s : -Infinity)),
    k,
  );
}

function reweighed(picks: readonly Pick[], weights: Vector): readonly Pick[] {
  return picks.map(({ index }, i) => ({ index, weight: weights[i] ?? NaN }));
}

/** Greatest first; too close at the place where the queue is cut is too close. */
function ordered(tokens: readonly number[], key: (t: number) => number, cut: number): readonly number[] {
  const order = best(tokens.map(key), Math.min(cut, tokens.length));
  return order.map((i) => tokens[i] ?? NaN);
}

const plainDispatch: Dispatch = {
  E: 6,
  K: 2,
  factor: null,
  policy: 'probs',
  pad: false,
  score: 'softmax',
  groups: null,
  preSoftmax: false,
  bias: false,
  scale: null,
};

export const megatronVariants: readonly ((seed: number) => GoldenCase)[] = [
  (seed) => balanceScopes({ score: 'softmax', continued: false }, seed),
  (seed) => balanceScopes({ score: 'sigmoid', continued: true }, seed),
  (seed) => routerLosses(1e-2, seed),
  (seed) => routerLosses(1e-5, seed),
  (seed) => dispatcher('dropless', plainDispatch, seed),
  (seed) => dispatcher('top1', { ...plainDispatch, K: 1, score: 'sigmoid', factor: 1, policy: 'position' }, seed),
  (seed) => dispatcher('bias', { ...plainDispatch, score: 'sigmoid', bias: true, factor: 1, pad: true }, seed),
  (seed) =>
    dispatcher(
      'groups',
      { ...plainDispatch, E: 8, K: 4, groups: [4, 2], score: 'sigmoid', bias: true, scale: 2.5 },
      seed,
    ),
  (seed) => dispatcher('groups-softmax', { ...plainDispatch, E: 8, groups: [4, 2], factor: 0.75, pad: true }, seed),
  (seed) =>
    dispatcher(
      'groups-before',
      { ...plainDispatch, E: 8, groups: [4, 2], preSoftmax: true, factor: 1, policy: 'position', scale: 2.5 },
      seed,
    ),
  (seed) => dispatcher('position-pad', { ...plainDispatch, K: 3, factor: 0.75, policy: 'position', pad: true }, seed),
];
