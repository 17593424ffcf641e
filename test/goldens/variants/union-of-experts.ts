/** Union of Experts with what no copied case has: heads that are not half, the other place of the norm, patches that choose slices. */
import type { Value } from '../formula.ts';
import type { GoldenCase } from '../golden-case.ts';
import {
  CaseBuilder,
  type Matrix,
  TooClose,
  type Vector,
  add,
  best,
  dot,
  multiply,
  range,
  softmax,
  times,
} from './plain.ts';

/** Stored for each expert one after another: [experts, rows, columns]. */
function stack(builder: CaseBuilder, name: string, experts: number, rows: number, columns: number): readonly Matrix[] {
  const all = builder.matrix(name, experts * rows, columns);
  const parts = range(experts).map((e) => all.slice(e * rows, (e + 1) * rows));
  builder.put(name, parts);
  return parts;
}

/** x @ w for w of [in, out]. */
const through = (x: Vector, w: Matrix): Vector => add(...x.map((v, i) => times(v, w[i] ?? [])));

function layerNorm(x: Vector, weight: Vector, bias: Vector, eps: number): Vector {
  const m = x.reduce((a, b) => a + b, 0) / x.length;
  const centred = x.map((v) => v - m);
  const deviation = Math.sqrt(dot(centred, centred) / x.length + eps);
  return centred.map((v, i) => (v / deviation) * (weight[i] ?? NaN) + (bias[i] ?? NaN));
}

/** By its series, which needs no table and is exact for the small arguments here. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= -(x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const gelu = (x: number): number => (x / 2) * (1 + erf(x / Math.SQRT2));

interface Gated {
  /** [B, T, E]. */
  readonly gate: readonly Matrix[];
  /** How many tokens picked each expert, [B, E]. */
  readonly counts: Matrix;
}

function gateOf(
  builder: CaseBuilder,
  x: readonly Matrix[],
  [E, K]: readonly [number, number],
  capacity: number,
  eps: number,
): Gated {
  const [[first = []] = []] = x;
  const w = builder.matrix('switch_gate.w_gate.weight', E, first.length);
  const b = builder.vector('switch_gate.w_gate.bias', E);
  const kept = x.map((rows) =>
    rows.map((token) => {
      const p = softmax(add(multiply(w, token), b));
      const chosen = best(p, K);
      return p.map((v, e) => (chosen.includes(e) ? v : 0));
    }),
  );
  const gate = kept.map((rows) =>
    rows.map((row, t) =>
      row.map((v, e) => {
        const all = kept.reduce((sum, other) => sum + (other[t]?.[e] ?? NaN), 0);
        return (v / (all + eps)) * Math.floor(capacity * x.length);
      }),
    ),
  );
  return { gate, counts: kept.map((rows) => range(E).map((e) => rows.filter((row) => (row[e] ?? 0) > 0).length)) };
}

/** Positions each expert takes, ascending: [E, B, n]. */
function takenBy(gate: readonly Matrix[], E: number, n: number): readonly Matrix[] {
  return range(E).map((e) =>
    gate.map((rows) =>
      [
        ...best(
          rows.map((row) => row[e] ?? NaN),
          n,
        ),
      ].sort((a, b) => a - b),
    ),
  );
}

interface Block {
  readonly finish: (x: Vector, y: Vector) => Vector;
}

function blockOf(builder: CaseBuilder, D: number, prenorm: boolean, eps: number): Block {
  const weight = builder.vector('layer_norm.weight', D);
  const bias = builder.vector('layer_norm.bias', D);
  return { finish: (x, y) => (prenorm ? add(x, y) : layerNorm(add(x, y), weight, bias, eps)) };
}

/** `part` is the end of the stored names: data selection has one part, `.0`, expert selection none. */
function slices(
  builder: CaseBuilder,
  [E, D, F]: readonly [number, number, number],
  part: '.0' | '',
): (e: number, x: Vector) => Vector {
  const up = stack(builder, `linear1.weight${part}`, E, D, F);
  const upBias = stack(builder, `linear1.bias${part}`, E, 1, F);
  const down = stack(builder, `linear2.weight${part}`, E, F, D);
  const downBias = builder.matrix('linear2.bias', E, D);
  return (e, x) => {
    const h = add(through(x, up[e] ?? []), upBias[e]?.[0] ?? []).map(gelu);
    return add(through(h, down[e] ?? []), downBias[e] ?? []);
  };
}

function inputOf(builder: CaseBuilder, B: number, T: number, D: number): readonly Matrix[] {
  const rows = builder.matrix('input', B * T, D);
  return range(B).map((b) => rows.slice(b * T, (b + 1) * T));
}

export function dataSelection(prenorm: boolean, seed: number): GoldenCase {
  const [B, T, D, E, F, K, capacity, eps] = [3, 7, 5, 4, 3, 3, 1.5, 1e-3];
  const config = new Map<string, Value>([
    ['batch', B],
    ['seq', T],
    ['d_model', D],
    ['d_ff_total', E * F],
    ['experts', E],
    ['d_ff_per_expert', F],
    ['topk', K],
    ['capacity_factor', capacity],
    ['epsilon', eps],
    ['picked_per_expert', Math.floor(T / 2)],
    ['pre_lnorm', prenorm],
    ['act', 'gelu (erf)'],
  ]);
  const builder = new CaseBuilder(`variant-uome-ds-${prenorm ? 'prenorm' : 'postnorm'}`, 'UoE', config, seed);
  const x = inputOf(builder, B, T, D);
  const { gate } = gateOf(builder, x, [E, K], capacity, eps);
  const slice = slices(builder, [E, D, F], '.0');
  const { finish } = blockOf(builder, D, prenorm, 1e-5);
  const taken = takenBy(gate, E, Math.floor(T / 2));
  builder.put('expected.gate', gate);
  builder.put('expected.token_ids', taken);
  builder.put(
    'expected.output',
    x.map((rows, b) =>
      rows.map((token, t) => {
        const takers = range(E).filter((e) => taken[e]?.[b]?.includes(t) === true);
        return finish(token, add(times(0, token), ...takers.map((e) => slice(e, token))));
      }),
    ),
  );
  return builder.build();
}

/** A patch, flattened token by token, chooses slices for all of its tokens. */
export function expertSelection(prenorm: boolean, seed: number): GoldenCase {
  const [B, S, D, E, F, K, eps] = [4, 3, 5, 4, 3, 2, 1e-3];
  const config = new Map<string, Value>([
    ['patches', B],
    ['tokens_per_patch', S],
    ['d_model', D],
    ['d_ff_total', E * F],
    ['experts', E],
    ['d_ff_per_expert', F],
    ['topk', K],
    ['layer_norm_eps', eps],
    ['pre_lnorm', prenorm],
    ['act', 'gelu (erf)'],
  ]);
  const builder = new CaseBuilder(`variant-uome-es-${prenorm ? 'prenorm' : 'postnorm'}`, 'UoE', config, seed);
  const x = inputOf(builder, B, S, D);
  const w = builder.matrix('switch.weight', E, S * D);
  const bias = builder.vector('switch.bias', E);
  const slice = slices(builder, [E, D, F], '');
  const { finish } = blockOf(builder, D, prenorm, eps);
  const p = x.map((patch) => softmax(add(multiply(w, patch.flat()), bias)));
  const chosen = p.map((row) => best(row, K));
  builder.put('expected.route_prob', p);
  builder.put('expected.expert_ids', chosen);
  builder.put(
    'expected.patches_per_expert',
    range(E).map((e) => chosen.filter((row) => row.includes(e)).length),
  );
  builder.put(
    'expected.output',
    x.map((patch, b) => patch.map((token) => finish(token, add(...(chosen[b] ?? []).map((e) => slice(e, token)))))),
  );
  return builder.build();
}

/** One head over its pack: rotary positions of the pack, every token sees the ones before it. */
function attend(q: Matrix, k: Matrix, v: Matrix, theta: number, causal: boolean): Matrix {
  const turn = (x: Vector, place: number): Vector => {
    const half = x.length / 2;
    return x.map((value, i) => {
      const angle = place * theta ** (-(i % half) / half);
      const other = i < half ? -(x[i + half] ?? NaN) : (x[i - half] ?? NaN);
      return value * Math.cos(angle) + other * Math.sin(angle);
    });
  };
  const keys = k.map(turn);
  return q.map((row, i) => {
    const query = turn(row, i);
    const seen = causal ? keys.slice(0, i + 1) : keys;
    const a = softmax(seen.map((key) => dot(query, key) / Math.sqrt(row.length)));
    return add(...a.map((weight, j) => times(weight, v[j] ?? [])));
  });
}

export function selectiveAttention(prenorm: boolean, causal: boolean, seed: number): GoldenCase {
  const [B, T, D, H, C, K, capacity, eps, theta] = [2, 6, 6, 3, 4, 2, 1.25, 1e-3, 50];
  const packed = (T * K) / H;
  const config = new Map<string, Value>([
    ['batch', B],
    ['seq', T],
    ['d_model', D],
    ['heads_as_experts', H],
    ['head_dim', C],
    ['topk_heads_per_token', K],
    ['capacity_factor', capacity],
    ['epsilon', eps],
    ['tokens_per_head', packed],
    ['pre_lnorm', prenorm],
    ['rope_theta', theta],
    ['causal', causal],
  ]);
  const name = `variant-smha-${prenorm ? 'prenorm' : 'postnorm'}-${causal ? 'causal' : 'all'}`;
  const builder = new CaseBuilder(name, 'UoE', config, seed);
  const x = inputOf(builder, B, T, D);
  const { gate, counts } = gateOf(builder, x, [H, K], capacity, eps);
  // Which of several zeros a busier head's neighbours take is nobody's definition.
  if (counts.flat().some((count) => count !== packed)) throw new TooClose();
  const wq = stack(builder, 'W_q.weight.0', H, D, C);
  const bq = stack(builder, 'W_q.bias.0', H, 1, C);
  const wkv = stack(builder, 'W_kv.weight.0', H, D, 2 * C);
  const bkv = stack(builder, 'W_kv.bias.0', H, 1, 2 * C);
  const wo = stack(builder, 'ff.weight.0', H, C, D);
  const bo = builder.matrix('ff.bias', H, D);
  const { finish } = blockOf(builder, D, prenorm, 1e-5);
  const taken = takenBy(gate, H, packed);
  const sums = x.map((rows) => rows.map((token) => times(0, token)));
  for (const [b, rows] of x.entries()) {
    for (const h of range(H)) {
      const places = taken[h]?.[b] ?? [];
      const pack = places.map((t) => rows[t] ?? []);
      const q = pack.map((token) => add(through(token, wq[h] ?? []), bq[h]?.[0] ?? []));
      const kv = pack.map((token) => add(through(token, wkv[h] ?? []), bkv[h]?.[0] ?? []));
      const k = kv.map((row) => row.slice(0, C));
      const v = kv.map((row) => row.slice(C));
      const y = attend(q, k, v, theta, causal).map((row) => add(through(row, wo[h] ?? []), bo[h] ?? []));
      const into = sums[b] ?? [];
      for (const [i, t] of places.entries()) into[t] = add(into[t] ?? [], y[i] ?? []);
    }
  }
  builder.put('expected.gate', gate);
  builder.put('expected.token_ids', taken);
  builder.put(
    'expected.output',
    x.map((rows, b) => rows.map((token, t) => finish(token, sums[b]?.[t] ?? []))),
  );
  return builder.build();
}
