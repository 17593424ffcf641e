/** Chains over layers and steps: Chain-of-Experts, ReXMoE, RMoE and MoE++ with the options no copied case has. */
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
  scaled,
  shared,
  silu,
  softmax,
  times,
} from './plain.ts';

export interface ChainOptions {
  readonly independent: boolean;
  readonly inner: boolean;
  readonly outer: boolean;
  readonly norm: boolean;
  readonly sharedExperts: number | null;
}

export function chainOfExperts(options: ChainOptions, seed: number): GoldenCase {
  const [C, B, T, D, F, E, K, scale, alpha] = [3, 2, 4, 5, 3, 6, 2, 1.5, 0.01];
  const config = new Map<string, Value>([
    ['iterations', C],
    ['batch', B],
    ['tokens', T],
    ['d_model', D],
    ['moe_intermediate', F],
    ['n_routed_experts', E],
    ['num_experts_per_tok', K],
    ['n_shared_experts', options.sharedExperts],
    ['independent_gates', options.independent],
    ['inner_residual', options.inner],
    ['outer_residual', options.outer],
    ['norm_topk_prob', options.norm],
    ['routed_scaling_factor', scale],
    ['aux_loss_alpha', alpha],
  ]);
  const flags = [
    options.independent ? 'igate' : 'sharedgate',
    options.inner ? 'inner' : 'plain',
    options.outer ? 'outer' : 'through',
  ];
  const name = `variant-coe-${flags.join('-')}-${options.norm ? 'norm' : 'raw'}-sh${options.sharedExperts ?? 0}`;
  const builder = new CaseBuilder(name, 'Chain-of-Experts (CoE)', config, seed);
  const prefix = 'model.layers.0.mlp.';
  const x = builder.matrix('input', B * T, D);
  const gates = options.independent
    ? range(C).map((i) => builder.matrix(`${prefix}gate.${i}.weight`, E, D))
    : [builder.matrix(`${prefix}gate.weight`, E, D)];
  const experts = range(E).map((e) => gatedExpert(builder, `${prefix}experts.${e}.`, D, F));
  const sharedExpert =
    options.sharedExperts === null
      ? null
      : gatedExpert(builder, `${prefix}shared_experts.`, D, options.sharedExperts * F);
  let h: Matrix = x;
  for (const i of range(C)) {
    const w = gates[options.independent ? i : 0] ?? [];
    const p = h.map((token) => softmax(multiply(w, token)));
    const chosen = p.map((row) => picksOf(best(row, K), row));
    const picks = chosen.map((row) => (options.norm ? shared(row, 1e-20) : scaled(row, scale)));
    const y = h.map((token, t) => {
      const routed = combine(picks[t] ?? [], experts, token);
      return sharedExpert === null ? routed : add(routed, sharedExpert(token));
    });
    const losses = range(B).map((b) => {
      const part = <X>(rows: readonly X[]): readonly X[] => rows.slice(b * T, (b + 1) * T);
      return (E / K) * dot(load(part(picks), E), mean(part(p)));
    });
    builder.put(`expected.iter${i}.seq_aux_loss`, (alpha * losses.reduce((a, b) => a + b, 0)) / B);
    builder.put(`expected.iter${i}.scores`, p);
    builder.putPicks(`expected.iter${i}.`, picks);
    builder.put(`expected.iter${i}.moe_output`, y);
    h = options.inner ? h.map((token, t) => add(token, y[t] ?? [])) : y;
  }
  builder.put('expected.output', options.outer ? x.map((token, t) => add(token, h[t] ?? [])) : h);
  return builder.build();
}

export interface ReuseOptions {
  readonly L: number;
  readonly r: number;
  readonly sharedExperts: number;
  /** Open experts of each layer's pool, or null: all. */
  readonly open: Matrix | null;
}

export function rexMoe(options: ReuseOptions, seed: number): GoldenCase {
  const [T, D, F, N, K] = [5, 6, 3, 3, 2];
  const { L, r } = options;
  const config = new Map<string, Value>([
    ['T', T],
    ['D', D],
    ['Ff', F],
    ['L', L],
    ['r', r],
    ['N', N],
    ['k', K],
    ['sh', options.sharedExperts],
    ...(options.open === null
      ? ([['psr', null]] as const)
      : ([
          ['psr', true],
          ['psr.t', 30],
          ['psr.ts', 10],
          ['psr.te', 50],
        ] as const)),
  ]);
  const name = `variant-rexmoe-l${L}-r${r}-sh${options.sharedExperts}${options.open === null ? '' : '-psr'}`;
  const builder = new CaseBuilder(name, 'ReXMoE (cross-layer expert reuse, progressive scaling routing)', config, seed);
  const x = builder.matrix('input', T, D);
  const layers = range(L).map((l) => {
    const prefix = `layers.${l}.mlp.`;
    return {
      router: builder.matrix(`${prefix}router.weight`, r * N, D),
      experts: range(N).map((e) => gatedExpert(builder, `${prefix}experts.${e}.`, D, F)),
      shared:
        options.sharedExperts === 0
          ? null
          : gatedExpert(builder, `${prefix}shared_experts.`, D, options.sharedExperts * F),
    };
  });
  options.open?.forEach((mask, l) => builder.put(`input.layer${l}.psr_available`, mask, 'i32'));
  let h: Matrix = x;
  for (const l of range(L)) {
    const layer = layers[l];
    if (layer === undefined) continue;
    const first = Math.floor(l / r) * r;
    const pool = layers.slice(first, first + r).flatMap((neighbour) => neighbour.experts);
    const mask = options.open?.[l] ?? pool.map(() => 1);
    const p = h.map((token) => softmax(multiply(layer.router, token)));
    const picks = p.map((row) =>
      picksOf(
        best(
          row.map((s, u) => s * (mask[u] ?? 0)),
          K,
        ),
        row,
      ),
    );
    const y = h.map((token, t) => {
      const routed = combine(picks[t] ?? [], pool, token);
      return layer.shared === null ? routed : add(routed, layer.shared(token));
    });
    builder.put(`expected.layer${l}.router_probs`, p);
    builder.putPicks(`expected.layer${l}.`, picks);
    builder.put(`expected.layer${l}.moe_output`, y);
    h = h.map((token, t) => add(token, y[t] ?? []));
  }
  builder.put('expected.output', h);
  // floor((1 + (r - 1) (30 - 10) / (50 - 10)) N): half way.
  builder.put('expected.psr_pool_size', options.open === null ? r * N : Math.floor((1 + (r - 1) / 2) * N), 'i32');
  return builder.build();
}

export function recurrentRouter(cell: 'gru' | 'rnn', bias: boolean, seed: number): GoldenCase {
  const [L, B, T, D, R, F, E, K] = [3, 2, 3, 5, 4, 3, 5, 2];
  const config = new Map<string, Value>([
    ['layers', L],
    ['batch', B],
    ['tokens', T],
    ['d_model', D],
    ['router_hidden', R],
    ['d_ff', F],
    ['num_experts', E],
    ['top_k', K],
    ['router', cell],
    ['moe_bias', bias],
    ['activation', 'silu'],
  ]);
  const builder = new CaseBuilder(
    `variant-rmoe-${cell}${bias ? '-bias' : ''}`,
    'Layerwise Recurrent Router (RMoE)',
    config,
    seed,
  );
  const x = builder.matrix('input', B * T, D);
  const gate = (kind: string) => {
    const wi = builder.matrix(`model.rnn_router.weight_i${kind}`, R, R);
    const wh = builder.matrix(`model.rnn_router.weight_h${kind}`, R, R);
    const bi = builder.vector(`model.rnn_router.bias_i${kind}`, R);
    const bh = builder.vector(`model.rnn_router.bias_h${kind}`, R);
    return {
      input: (u: Vector): Vector => add(multiply(wi, u), bi),
      memory: (h: Vector): Vector => add(multiply(wh, h), bh),
    };
  };
  const logistic = (v: Vector): Vector => v.map((a) => 1 / (1 + Math.exp(-a)));
  const fresh = gate('n');
  const others = cell === 'gru' ? { reset: gate('r'), update: gate('z') } : null;
  const step = (u: Vector, h: Vector): Vector => {
    if (others === null) return add(fresh.input(u), fresh.memory(h)).map(Math.tanh);
    const reset = logistic(add(others.reset.input(u), others.reset.memory(h)));
    const z = logistic(add(others.update.input(u), others.update.memory(h)));
    const past = fresh.memory(h);
    return fresh.input(u).map((n, i) => {
      const made = Math.tanh(n + (reset[i] ?? NaN) * (past[i] ?? NaN));
      return (1 - (z[i] ?? NaN)) * made + (z[i] ?? NaN) * (h[i] ?? NaN);
    });
  };
  let tokens: Matrix = x;
  let memory: Matrix = x.map(() => range(R).map(() => 0));
  const loads: Vector[] = [];
  const probabilities: Vector[] = [];
  for (const l of range(L)) {
    const prefix = `model.layers.${l}.block_sparse_moe.`;
    const down = builder.matrix(`${prefix}weight1`, R, D);
    const up = builder.matrix(`${prefix}weight2`, E, R);
    const shift = bias ? builder.vector(`${prefix}bias`, D) : range(D).map(() => 0);
    const names = ['w1.weight', 'w3.weight', 'w2.weight'] as const;
    const experts = range(E).map((e) => gatedExpert(builder, `${prefix}experts.${e}.`, D, F, names));
    const previous = memory;
    memory = tokens.map((token, t) => step(multiply(down, token), previous[t] ?? []));
    const logits = memory.map((h) => multiply(up, h));
    const p = logits.map(softmax);
    const picks = p.map((row) => shared(picksOf(best(row, K), row)));
    const y = tokens.map((token, t) => add(combine(picks[t] ?? [], experts, token), shift));
    builder.put(`expected.layer${l}.router_logits`, logits);
    builder.put(`expected.layer${l}.rnn_state`, memory);
    builder.putPicks(`expected.layer${l}.`, picks);
    builder.put(`expected.layer${l}.moe_output`, y);
    loads.push(load(picks, E));
    probabilities.push(mean(p));
    tokens = tokens.map((token, t) => add(token, y[t] ?? []));
  }
  builder.put('expected.output', tokens);
  builder.put('expected.aux_loss', E * dot(mean(loads), mean(probabilities)));
  return builder.build();
}

export interface PlusPlusOptions {
  readonly twoLayer: boolean;
  readonly mixtral: boolean;
  readonly normed: boolean;
  readonly unscaled: boolean;
  readonly constants: number;
}

export function moePlusPlus(options: PlusPlusOptions, seed: number): GoldenCase {
  const [L, B, T, D, F, E, K, target, tau] = [3, 2, 6, 5, 3, 4, 2, 1.3, 0.75];
  const C = options.constants;
  const P = E + C + 2;
  const config = new Map<string, Value>([
    ['layers', L],
    ['batch', B],
    ['tokens', T],
    ['d_model', D],
    ['d_ff', F],
    ['num_experts_total', P],
    ['ffn_experts', E],
    ['constant_experts', C],
    ['copy_index', P - 2],
    ['zero_index', P - 1],
    ['top_k', K],
    ['two_layer_gate', options.twoLayer],
    ['mixtral_gating', options.mixtral],
    ['logits_norm', options.normed],
    ['gate_norm_std', target],
    ['feature_no_mul_topk', options.unscaled],
  ]);
  const flags = [
    options.twoLayer && '2lgate',
    options.mixtral && 'mixtral',
    options.normed && 'normed',
    options.unscaled && 'unscaled',
  ];
  const name = `variant-moepp-${[...flags.filter((flag) => flag !== false), `c${C}`].join('-')}`;
  const builder = new CaseBuilder(name, 'MoE++ (zero, copy, constant experts, gating residuals)', config, seed);
  let h: Matrix = builder.matrix('input', B * T, D);
  let before: Matrix | null = null;
  for (const l of range(L)) {
    const prefix = `model.layers.${l}.mlp.moe.`;
    const own = routerOf(builder, prefix, D, P, options.twoLayer);
    const map = builder.matrix(`${prefix}gate.gate_map.weight`, P, P);
    const ffn = range(E).map((e) => {
      const up = builder.matrix(`${prefix}experts.experts.${e}.up_proj.weight`, 2 * F, D);
      const down = builder.matrix(`${prefix}experts.experts.${e}.down_proj.weight`, D, F);
      return (x: Vector): Vector => {
        const rows = multiply(up, x);
        return multiply(
          down,
          range(F).map((f) => silu(rows[f] ?? NaN) * (rows[F + f] ?? NaN)),
        );
      };
    });
    const constants = range(C).map((c) => {
      const v = builder.vector(`${prefix}experts.experts.${E + c}.constant`, D);
      const w = builder.matrix(`${prefix}experts.experts.${E + c}.wg.weight`, 2, D);
      return (x: Vector): Vector => {
        const [keep = NaN, replace = NaN] = softmax(multiply(w, x));
        return add(times(keep, x), times(replace, v));
      };
    });
    const experts = [...ffn, ...constants, (x: Vector): Vector => x, (x: Vector): Vector => x.map(() => 0)];
    const below: Matrix | null = before;
    const logits: Matrix = h.map((token, t) =>
      below === null ? own(token) : add(own(token), multiply(map, below[t] ?? [])),
    );
    const picks = logits.map((row) => {
      const z = options.normed ? times(target / deviation(row), row) : row;
      if (options.mixtral) {
        const chosen = best(z, K);
        const weights = softmax(chosen.map((e) => z[e] ?? NaN));
        return chosen.map((index, i) => ({ index, weight: weights[i] ?? NaN }));
      }
      const p = softmax(z);
      return shared(
        picksOf(
          best(p, K),
          p.map((v, e) => (e === P - 1 ? 0 : v)),
        ),
      );
    });
    const factor = options.mixtral || options.unscaled ? 1 : K;
    const y = h.map((token, t) => combine(picks[t] ?? [], experts, times(factor, token)));
    const eta = range(P).map((e) => (e < E ? 1 : tau));
    const f = load(picks, P);
    builder.put(
      `expected.layer${l}.hetero_balance_loss`,
      dot(
        eta.map((v, e) => v * (f[e] ?? NaN)),
        mean(logits.map(softmax)),
      ),
    );
    builder.put(`expected.layer${l}.gate_logits`, logits);
    builder.putPicks(`expected.layer${l}.`, picks);
    builder.put(`expected.layer${l}.moe_output`, y);
    h = h.map((token, t) => add(token, y[t] ?? []));
    before = logits;
  }
  builder.put('expected.output', h);
  return builder.build();
}

function routerOf(
  builder: CaseBuilder,
  prefix: string,
  D: number,
  P: number,
  twoLayer: boolean,
): (x: Vector) => Vector {
  if (!twoLayer) {
    const w = builder.matrix(`${prefix}gate.wg.weight`, P, D);
    return (x) => multiply(w, x);
  }
  const first = builder.matrix(`${prefix}gate.wg.0.weight`, 8 * P, D);
  const second = builder.matrix(`${prefix}gate.wg.2.weight`, P, 8 * P);
  return (x) => multiply(second, multiply(first, x).map(Math.tanh));
}

/** The sample's: over n - 1. */
function deviation(values: Vector): number {
  const middle = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((sum, v) => sum + (v - middle) ** 2, 0) / (values.length - 1));
}
