/** SCMoE with what no copied case has: other lists of ranks, temperatures, an end that may come. */
import type { Value } from '../formula.ts';
import type { GoldenCase } from '../golden-case.ts';
import {
  CaseBuilder,
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
  times,
} from './plain.ts';

export interface ContrastOptions {
  readonly strong: readonly number[];
  readonly weak: readonly number[];
  readonly temperatures: readonly [strong: number, weak: number];
  readonly endless: boolean;
}

export function selfContrast(options: ContrastOptions, seed: number): GoldenCase {
  const [B, P, N, V, D, F, E, alpha, beta, eos] = [2, 3, 4, 7, 5, 4, 6, 0.2, 0.75, 2];
  const { strong, weak, temperatures, endless } = options;
  const listed = (name: string, list: readonly number[]): readonly (readonly [string, Value])[] => [
    [name, JSON.stringify(list)],
    [`${name}.length`, list.length],
    ...list.map((rank, i) => [`${name}.${i}`, rank] as const),
  ];
  const config = new Map<string, Value>([
    ['vocab', V],
    ['d_model', D],
    ['d_ff', F],
    ['experts', E],
    ['batch', B],
    ['prompt', P],
    ['new_tokens', N],
    ['alpha', alpha],
    ['beta', beta],
    ...listed('strong_ranks', strong),
    ...listed('weak_ranks', weak),
    ['teacher_t', temperatures[0]],
    ['student_t', temperatures[1]],
    ['eos_id', eos],
    ['eos_forbidden', endless],
  ]);
  const name = `variant-scmoe-strong${strong.join('')}-weak${weak.join('')}-${endless ? 'endless' : 'ending'}`;
  const builder = new CaseBuilder(name, 'SCMoE', config, seed);
  const embedding = builder.matrix('embedding.weight', V, D);
  const mix = builder.matrix('mix.weight', D, D);
  const head = builder.matrix('head.weight', V, D);
  const gate = builder.matrix('moe.gate.weight', E, D);
  const experts = range(E).map((e) =>
    gatedExpert(builder, `moe.experts.${e}.`, D, F, ['w1.weight', 'w3.weight', 'w2.weight']),
  );
  const prompt = range(B).map((b) => range(P).map((t) => (5 * b + 3 * t + 1) % V));
  builder.put('input_ids', prompt);

  /** Logits of what follows a text, by the experts of some ranks. */
  const answer = (ids: readonly number[], ranks: readonly number[], temperature: number): Vector => {
    const words = ids.map((id) => embedding[id] ?? []);
    const h = add(words.at(-1) ?? [], multiply(mix, mean(words)));
    const p = softmax(multiply(gate, h));
    const order = best(p, Math.max(...ranks) + 1);
    for (const rank of ranks) best(p, rank); // no rank too close to the one before it
    const picks = shared(
      picksOf(
        ranks.map((rank) => order[rank] ?? NaN),
        p,
      ),
    );
    return times(1 / temperature, multiply(head, add(h, combine(picks, experts, h))));
  };

  const texts = prompt.map((ids) => [...ids]);
  const logits = texts.map((ids) =>
    range(N).map(() => {
      const s = answer(ids, strong, temperatures[0]);
      const w = answer(ids, weak, temperatures[1]);
      const cut = Math.log(alpha) + Math.max(...s);
      const c = s.map((v, i) => (v < cut || (endless && i === eos) ? -1e30 : (1 + beta) * v - beta * (w[i] ?? NaN)));
      ids.push(best(c, 1)[0] ?? NaN);
      return { s, w, c };
    }),
  );
  builder.put('expected.output_ids', texts);
  builder.put(
    'expected.strong_logits',
    logits.map((steps) => steps.map(({ s }) => s)),
  );
  builder.put(
    'expected.weak_logits',
    logits.map((steps) => steps.map(({ w }) => w)),
  );
  builder.put(
    'expected.contrast_logits',
    logits.map((steps) => steps.map(({ c }) => c)),
  );
  return builder.build();
}

/** One layer alone, without the text around it: its experts by their ranks, one by one and together, and by their sum. */
export function oneLayer(seed: number): GoldenCase {
  const [N, D, F, E, thresholds] = [5, 6, 4, 5, [0.25, 0.5, 0.9]];
  const config = new Map<string, Value>([
    ['tokens', N],
    ['d_model', D],
    ['d_ff', F],
    ['experts', E],
    ['activation', 'silu'],
    ['expert', 'w2(silu(w1 x) * w3 x)'],
  ]);
  const builder = new CaseBuilder('variant-scmoe-one-layer', 'SCMoE', config, seed);
  const x = builder.matrix('input', N, D);
  const gate = builder.matrix('gate.weight', E, D);
  const experts = range(E).map((e) =>
    gatedExpert(builder, `experts.${e}.`, D, F, ['w1.weight', 'w3.weight', 'w2.weight']),
  );
  const logits = x.map((token) => multiply(gate, token));
  const p = logits.map(softmax);
  const sorted = p.map((row) => {
    for (const k of range(E)) best(row, k);
    return best(row, E);
  });
  builder.put('expected.router_logits', logits);
  builder.put('expected.sorted_experts', sorted);
  const put = (name: string, ranksOf: (t: number) => readonly number[]): void =>
    builder.put(
      `expected.output.${name}`,
      x.map((token, t) => {
        const chosen = ranksOf(t).map((rank) => sorted[t]?.[rank] ?? NaN);
        return combine(shared(picksOf(chosen, p[t] ?? [])), experts, token);
      }),
    );
  for (const k of range(E)) {
    put(`top${k + 1}`, () => range(k + 1));
    put(`rank${k + 1}`, () => [k]);
  }
  put('ranks_2_4', () => [1, 3]);
  for (const threshold of thresholds) {
    put(`dynamic_${threshold}`, (t) => {
      let total = 0;
      const exceeding = (sorted[t] ?? []).filter((e) => {
        total += p[t]?.[e] ?? NaN;
        if (Math.abs(total - threshold) < 1e-5) throw new TooClose();
        return total > threshold;
      });
      return range(E - exceeding.length + 1);
    });
  }
  return builder.build();
}
