/**
 * Experts of several tasks, with the options no copied case has: MMoE and PLE with other numbers of layers and levels, HoME by the
 * numbers of the batch and with one expert in each set. Every example of a batch is computed by itself, except for batch norms.
 */
import type { Value } from '../formula.ts';
import type { GoldenCase } from '../golden-case.ts';
import { CaseBuilder, type Matrix, type Vector, add, multiply, range, sigmoid, silu, softmax, times } from './plain.ts';

/** A batch through something: rows in, rows out. */
type Batch = (rows: Matrix) => Matrix;

const relu = (v: Vector): Vector => v.map((a) => Math.max(a, 0));

function linear(builder: CaseBuilder, prefix: string, inner: number, outer: number): (x: Vector) => Vector {
  const weight = builder.matrix(`${prefix}weight`, outer, inner);
  const bias = builder.vector(`${prefix}bias`, outer);
  return (x) => add(multiply(weight, x), bias);
}

/** A batch norm by stored statistics, or by those of the batch, whose deviation is divided by all (biased). */
function batchNorm(builder: CaseBuilder, prefix: string, size: number, stored: boolean, eps: number): Batch {
  const weight = builder.vector(`${prefix}weight`, size);
  const bias = builder.vector(`${prefix}bias`, size);
  const normed = (x: Vector, mean: Vector, variance: Vector): Vector =>
    x.map(
      (v, i) =>
        ((v - (mean[i] ?? NaN)) / Math.sqrt((variance[i] ?? NaN) + eps)) * (weight[i] ?? NaN) + (bias[i] ?? NaN),
    );
  if (stored) {
    const mean = builder.vector(`${prefix}running_mean`, size);
    const variance = builder.vector(`${prefix}running_var`, size).map((v) => Math.fround(Math.abs(v) + 0.5));
    builder.put(`${prefix}running_var`, variance);
    return (rows) => rows.map((x) => normed(x, mean, variance));
  }
  return (rows) => {
    const mean = times(1 / rows.length, add(...rows));
    const squares = rows.map((x) => x.map((v, i) => (v - (mean[i] ?? NaN)) ** 2));
    const variance = times(1 / rows.length, add(...squares));
    return rows.map((x) => normed(x, mean, variance));
  };
}

/** Linear maps and batch norms at every fourth place of a list: 0 and 1, 4 and 5, … */
function layers(builder: CaseBuilder, prefix: string, inner: number, widths: readonly number[]): readonly Batch[] {
  return widths.map((outer, i) => {
    const map = linear(builder, `${prefix}mlp.${4 * i}.`, widths[i - 1] ?? inner, outer);
    const norm = batchNorm(builder, `${prefix}mlp.${4 * i + 1}.`, outer, true, 1e-5);
    return (rows) => norm(rows.map(map));
  });
}

function mlp(builder: CaseBuilder, prefix: string, inner: number, widths: readonly number[]): Batch {
  const all = layers(builder, prefix, inner, widths);
  return (rows) => all.reduce<Matrix>((x, layer) => layer(x).map(relu), rows);
}

function gate(builder: CaseBuilder, prefix: string, inner: number, outer: number): Batch {
  const all = layers(builder, prefix, inner, [outer]);
  return (rows) => all.reduce<Matrix>((x, layer) => layer(x).map(softmax), rows);
}

/** Σ over experts of gate times what they give, example by example. */
function weighed(gates: Matrix, given: readonly Matrix[]): Matrix {
  return gates.map((g, b) => add(...given.map((rows, e) => times(g[e] ?? NaN, rows[b] ?? []))));
}

/** One column for each task: [task][batch] to [batch][task]. */
function columns(tasks: readonly Matrix[]): Matrix {
  const [first = []] = tasks;
  return first.map((_, b) => tasks.flatMap((rows) => rows[b] ?? []));
}

const listed = (key: string, sizes: readonly number[]): readonly (readonly [string, Value])[] => [
  [key, JSON.stringify(sizes)],
  [`${key}.length`, sizes.length],
  ...sizes.map((size, i) => [`${key}.${i}`, size] as const),
];

const relatives = 'MMoE / PLE (relatives of HoME)';

export function multiGate(experts: readonly number[], towers: readonly number[], seed: number): GoldenCase {
  const [B, D, E, K] = [4, 6, 3, 2];
  const config = new Map<string, Value>([
    ['batch', B],
    ['d_in', D],
    ...listed('expert_dims', experts),
    ...listed('tower_dims', towers),
    ['tasks', K],
    ['n_expert', E],
    ['activation', 'relu'],
  ]);
  const builder = new CaseBuilder(`variant-mmoe-${experts.length}-${towers.length}`, relatives, config, seed);
  const x = builder.matrix('input', B, D);
  const given = range(E).map((e) => mlp(builder, `experts.${e}.`, D, experts)(x));
  const tasks = range(K).map((t) => {
    const g = gate(builder, `gates.${t}.`, D, E)(x);
    builder.put(`expected.gate${t}`, g);
    const y = mlp(builder, `towers.${t}.`, experts.at(-1) ?? 0, towers)(weighed(g, given));
    const head = linear(builder, `towers.${t}.mlp.${4 * towers.length}.`, towers.at(-1) ?? 0, 1);
    return y.map((row) => head(row).map(sigmoid));
  });
  builder.put('expected.output', columns(tasks));
  return builder.build();
}

export interface LevelOptions {
  readonly levels: number;
  /** Experts of each task, and shared ones. */
  readonly specific: number;
  readonly shared: number;
  readonly experts: readonly number[];
  readonly towers: readonly number[];
  /** Towers end in a map to one number. */
  readonly head: boolean;
}

export function progressiveLevels(options: LevelOptions, seed: number): GoldenCase {
  const [B, D, K] = [4, 6, 3];
  const { levels, specific, shared, experts, towers, head } = options;
  const config = new Map<string, Value>([
    ['batch', B],
    ['d_in', D],
    ...listed('expert_dims', experts),
    ...listed('tower_dims', towers),
    ['tasks', K],
    ['n_level', levels],
    ['n_expert_specific', specific],
    ['n_expert_shared', shared],
    ['activation', 'relu'],
  ]);
  const name = `variant-ple-${levels}-levels-${specific}-${shared}-${experts.length}-${towers.length}${head ? '' : '-open'}`;
  const builder = new CaseBuilder(name, relatives, config, seed);
  const width = experts.at(-1) ?? 0;
  const x = builder.matrix('input', B, D);
  let own: readonly Matrix[] = range(K).map(() => x);
  let common: Matrix = x;
  for (const level of range(levels)) {
    const prefix = `cgc_layers.${level}.`;
    const inner = level === 0 ? D : width;
    const ofTasks = own.map((rows, t) =>
      range(specific).map((n) => mlp(builder, `${prefix}experts_specific.${t * specific + n}.`, inner, experts)(rows)),
    );
    const ofAll = range(shared).map((m) => mlp(builder, `${prefix}experts_shared.${m}.`, inner, experts)(common));
    const next = own.map((rows, t) =>
      weighed(gate(builder, `${prefix}gates_specific.${t}.`, inner, specific + shared)(rows), [
        ...(ofTasks[t] ?? []),
        ...ofAll,
      ]),
    );
    if (level < levels - 1) {
      const g = gate(builder, `${prefix}gate_shared.`, inner, K * specific + shared)(common);
      common = weighed(g, [...ofTasks.flat(), ...ofAll]);
    }
    own = next;
  }
  const tasks = own.map((rows, t) => {
    const y = mlp(builder, `towers.${t}.`, width, towers)(rows);
    if (!head) return y.map((row) => row.map(sigmoid));
    const last = linear(builder, `towers.${t}.mlp.${4 * towers.length}.`, towers.at(-1) ?? 0, 1);
    return y.map((row) => last(row).map(sigmoid));
  });
  builder.put('expected.output', columns(tasks));
  return builder.build();
}

export interface HierarchyOptions {
  readonly experts: number;
  readonly watch: readonly number[];
  readonly inter: readonly number[];
  /** By stored statistics, else by those of the batch. */
  readonly running: boolean;
}

export function hierarchy(options: HierarchyOptions, seed: number): GoldenCase {
  const { experts: N, watch, inter, running } = options;
  const [B, D, W, R, eps] = [6, 5, 4, 2, 1e-3];
  const config = new Map<string, Value>([
    ['batch', B],
    ['d_in', D],
    ['expert_width', W],
    ['experts_per_set', N],
    ['task_groups', true],
    ...listed('task_groups.watch', watch),
    ...listed('task_groups.inter', inter),
    ['lora_rank', R],
    ['norm', running ? 'running' : 'batch'],
    ['norm_eps', eps],
  ]);
  const name = `variant-home-${N}-experts-${watch.length}-${inter.length}-${running ? 'running' : 'batch'}`;
  const builder = new CaseBuilder(name, 'HoME', config, seed);
  const x = builder.matrix('input', B, D);

  const expert = (prefix: string, inner: number): Batch => {
    const first = linear(builder, `${prefix}mlp.0.`, inner, W);
    const second = linear(builder, `${prefix}mlp.1.`, W, W);
    const norm = batchNorm(builder, `${prefix}norm.`, W, running, eps);
    const down = builder.matrix(`${prefix}fea.B`, inner, R);
    const up = builder.matrix(`${prefix}fea.A`, R, inner);
    const through = (v: Vector, m: Matrix): Vector => add(...m.map((row, i) => times(v[i] ?? NaN, row)));
    const weighedFeatures = (v: Vector): Vector => {
      const g = through(through(v, down), up);
      return v.map((a, i) => a * 2 * sigmoid(g[i] ?? NaN));
    };
    return (rows) => norm(rows.map((v) => second(relu(first(weighedFeatures(v)))))).map((v) => v.map(silu));
  };
  const set = (prefix: string, inner: number): readonly Batch[] =>
    range(N).map((n) => expert(`${prefix}.${n}.`, inner));
  const apply = (experts: readonly Batch[], rows: Matrix): readonly Matrix[] => experts.map((e) => e(rows));
  const softGate = (prefix: string, inner: number, outer: number): Batch => {
    const map = linear(builder, prefix, inner, outer);
    return (rows) => rows.map((v) => softmax(map(v)));
  };
  const selfGate = (prefix: string, inner: number, outer: number): Batch => {
    const map = linear(builder, prefix, inner, outer);
    return (rows) => rows.map((v) => (outer === 1 ? map(v).map(sigmoid) : softmax(map(v))));
  };
  const plus = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => add(row, b[i] ?? []));

  const groups = ['watch', 'inter'] as const;
  const shared = apply(set('meta.shared', D), x);
  const own = groups.map((group) => apply(set(`meta.${group}`, D), x));
  const meta = (which: string, seen: readonly Matrix[], mine: readonly Matrix[]): Matrix => {
    const mixed = weighed(softGate(`meta.${which}.gate.`, D, seen.length)(x), seen);
    const result = plus(mixed, weighed(selfGate(`meta.${which}.self.`, D, N)(x), mine));
    builder.put(`expected.meta.${which}`, result);
    return result;
  };
  const common = meta('shared', [...shared, ...own.flat()], shared);
  const every = apply(set('task.global', W), common);
  const tasks = groups.flatMap((group, i) => {
    const mine = own[i] ?? [];
    const m = meta(group, [...shared, ...mine], mine);
    const ofGroup = apply(set(`task.${group}`, W), m);
    return options[group].map((t) => {
      const both = common.map((row, b) => [...row, ...(m[b] ?? [])]);
      const single = apply([expert(`task.t${t}.0.`, W)], m);
      const g = softGate(`task.t${t}.gate.`, 2 * W, 2 * N + 1)(both);
      const s = selfGate(`task.t${t}.self.`, 2 * W, 1)(both);
      const y = plus(weighed(g, [...every, ...ofGroup, ...single]), weighed(s, single));
      builder.put(`expected.gate.t${t}`, g);
      builder.put(`expected.task.t${t}`, y);
      const tower = linear(builder, `tower.t${t}.`, W, 1);
      return { t, y: y.map((row) => tower(row).map(sigmoid)) };
    });
  });
  const ordered = [...tasks].sort((a, b) => a.t - b.t).map((task) => task.y);
  builder.put('expected.output', columns(ordered));
  return builder.build();
}
