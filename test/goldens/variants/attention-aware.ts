/** Similarity-aware mixture: no heads, the graph of the tokens is a learned similarity of them. */
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
  multiply,
  picksOf,
  range,
  shared,
  silu,
  softmax,
  sum,
  times,
} from './plain.ts';

export interface SimilarityOptions {
  /** As the case says that there is no attention. */
  readonly heads: 0 | null;
  readonly topK: number | null;
  readonly causal: boolean;
}

const entropy = (p: Vector): number => -sum(p.map((v) => v * Math.log(v)));

export function similarityAware({ heads, topK, causal }: SimilarityOptions, seed: number): GoldenCase {
  // A width that the example's default of heads does not divide.
  const [T, D, F, E, tau] = [6, 7, 5, 4, 0.75];
  const config = new Map<string, Value>([
    ['tokens', T],
    ['d_model', D],
    ['d_ff', F],
    ['experts', E],
    ['top_k', topK],
    ['causal', causal],
    ['heads', heads],
    ['tau', tau],
  ]);
  const name = `variant-simatt-similarity-${String(heads)}-${topK ?? 'all'}-${causal ? 'causal' : 'both-ways'}`;
  const builder = new CaseBuilder(name, 'Similarity-aware / Attention-aware SMoE', config, seed);
  const x = builder.matrix('input', T, D);
  const ws = builder.matrix('similarity.weight', D, D);
  const router = builder.matrix('router.weight', E, D);
  // Stored for all experts at once, [E, rows, columns].
  const stacked = (name: string, rows: number, columns: number): readonly Matrix[] => {
    const all = builder.matrix(name, E * rows, columns);
    const parts = range(E).map((e) => all.slice(e * rows, (e + 1) * rows));
    builder.put(name, parts);
    return parts;
  };
  const [gates, ups, downs] = [
    stacked('experts.gate', F, D),
    stacked('experts.up', F, D),
    stacked('experts.down', D, F),
  ];
  const experts = range(E).map((e) => (token: Vector): Vector => {
    const up = multiply(ups[e] ?? [], token);
    const hidden = multiply(gates[e] ?? [], token).map((g, f) => silu(g) * (up[f] ?? NaN));
    return multiply(downs[e] ?? [], hidden);
  });
  const own = x.map((token) => softmax(multiply(router, token)));
  const graph = x.map((token, i) => {
    const seen = x.filter((_, j) => !causal || j <= i);
    const row = softmax(seen.map((other) => dot(token, multiply(ws, other)) / tau));
    return range(T).map((j) => row[j] ?? 0);
  });
  const mixed = graph.map((row) => add(...own.map((p, j) => times(row[j] ?? NaN, p))));
  const picks = mixed.map((p) => (topK === null ? picksOf(range(E), p) : shared(picksOf(best(p, topK), p))));
  builder.put('expected.token_graph', graph);
  builder.put('expected.moe_input', x);
  builder.put('expected.own_router_probs', own);
  builder.put('expected.mixed_router_probs', mixed);
  builder.put(
    'expected.weights',
    picks.map((row) => range(E).map((e) => row.find(({ index }) => index === e)?.weight ?? 0)),
  );
  builder.put('expected.entropy_own', own.map(entropy));
  builder.put('expected.entropy_mixed', mixed.map(entropy));
  builder.put(
    'expected.output',
    x.map((token, t) => combine(picks[t] ?? [], experts, token)),
  );
  return builder.build();
}
