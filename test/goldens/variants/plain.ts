/**
 * Plain loops over plain lists, to compute small cases by hand: options that none of the copied cases has. Nothing here comes
 * from the compiler or the interpreter; it is written from the papers' equations alone, so that agreement means something.
 */
import { GoldenError } from '../formula.ts';
import type { Value } from '../formula.ts';
import { type GoldenCase, usualTolerance } from '../golden-case.ts';
import type { NamedTensor } from '../compare-numbers.ts';

export type Vector = readonly number[];
export type Matrix = readonly Vector[];
type Nested = number | readonly Nested[];

/** Selections closer than this could fall either way in f32: such a case would prove nothing. */
const SMALLEST_GAP = 2e-5;

/** Two scores are too close at a selection: take another seed. */
export class TooClose extends Error {}

/** One case in the making: draws weights and inputs, keeps what is expected. */
export class CaseBuilder {
  readonly #tensors = new Map<string, NamedTensor>();
  readonly #config: ReadonlyMap<string, Value>;
  readonly #name: string;
  readonly #system: string;
  #seed: number;

  constructor(name: string, system: string, config: ReadonlyMap<string, Value>, seed: number) {
    this.#name = name;
    this.#system = system;
    this.#config = config;
    this.#seed = seed;
  }

  /** Uniform in -1 .. 1, exact in f32 (mulberry32). */
  #draw(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.fround(((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1);
  }

  vector(name: string, size: number): Vector {
    const values = Array.from({ length: size }, () => this.#draw());
    this.put(name, values);
    return values;
  }

  /** Weights are drawn smaller the more of them are added up, so that a chain of layers neither dies nor explodes. */
  matrix(name: string, rows: number, columns: number): Matrix {
    const scale = name === 'input' ? 1 : 2.5 / Math.sqrt(columns);
    const values = Array.from({ length: rows }, () =>
      Array.from({ length: columns }, () => Math.fround(scale * this.#draw())),
    );
    this.put(name, values);
    return values;
  }

  /** Of any rank; expected tensors are rounded to f32, as a case on disk is. */
  put(name: string, values: Nested, element: 'f32' | 'i32' = 'f32'): void {
    const shape: number[] = [];
    let level: Nested | undefined = values;
    while (typeof level === 'object') {
      shape.push(level.length);
      level = level[0];
    }
    const numbers = flatten(values);
    const data = element === 'f32' ? Float32Array.from(numbers) : Int32Array.from(numbers);
    this.#tensors.set(name, { element, shape, data });
  }

  /** The picks of all tokens, to be compared as sets. */
  putPicks(prefix: string, picks: readonly (readonly Pick[])[]): void {
    this.put(
      `${prefix}topk_indices`,
      picks.map((row) => row.map((pick) => pick.index)),
      'i32',
    );
    this.put(
      `${prefix}topk_weights`,
      picks.map((row) => row.map((pick) => pick.weight)),
    );
  }

  build(): GoldenCase {
    return {
      name: this.#name,
      system: this.#system,
      config: this.#config,
      tensors: this.#tensors,
      tolerance: usualTolerance,
    };
  }
}

function flatten(values: Nested): readonly number[] {
  return typeof values === 'number' ? [values] : values.flatMap(flatten);
}

export interface Pick {
  readonly index: number;
  readonly weight: number;
}

/** The k best, best first. */
export function best(scores: Vector, k: number): readonly number[] {
  const order = scores.map((_, i) => i).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
  const [last, next] = [order[k - 1], order[k]];
  if (last !== undefined && next !== undefined && (scores[last] ?? 0) - (scores[next] ?? 0) < SMALLEST_GAP) {
    throw new TooClose();
  }
  return order.slice(0, k);
}

export function picksOf(indices: readonly number[], weights: Vector): readonly Pick[] {
  return indices.map((index) => ({ index, weight: weights[index] ?? NaN }));
}

/** Weights that add up to one, over their sum and eps. */
export function shared(picks: readonly Pick[], eps = 0): readonly Pick[] {
  const sum = picks.reduce((total, pick) => total + pick.weight, 0) + eps;
  return picks.map((pick) => ({ index: pick.index, weight: pick.weight / sum }));
}

export function scaled(picks: readonly Pick[], factor: number): readonly Pick[] {
  return picks.map((pick) => ({ index: pick.index, weight: pick.weight * factor }));
}

export function softmax(scores: Vector): Vector {
  const top = Math.max(...scores);
  const powers = scores.map((s) => Math.exp(s - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
export const silu = (x: number): number => x * sigmoid(x);
export const sum = (v: Vector): number => v.reduce((total, x) => total + x, 0);
/** A vector of length 1. */
export const unit = (v: Vector): Vector => times(1 / Math.sqrt(dot(v, v)), v);

export function multiply(matrix: Matrix, vector: Vector): Vector {
  return matrix.map((row) => row.reduce((sum, w, i) => sum + w * (vector[i] ?? NaN), 0));
}

export function add(...vectors: readonly Vector[]): Vector {
  const [first = []] = vectors;
  return first.map((_, i) => vectors.reduce((sum, v) => sum + (v[i] ?? NaN), 0));
}

export const times = (factor: number, vector: Vector): Vector => vector.map((v) => factor * v);

export function mean(rows: Matrix): Vector {
  const [first = []] = rows;
  return first.map((_, i) => rows.reduce((sum, row) => sum + (row[i] ?? NaN), 0) / rows.length);
}

export function range(n: number): readonly number[] {
  return Array.from({ length: n }, (_, i) => i);
}

/** A gated feed-forward expert, with the names of its three matrices behind a prefix. */
export interface GatedExpert {
  (x: Vector): Vector;
}

export function gatedExpert(
  builder: CaseBuilder,
  prefix: string,
  d: number,
  f: number,
  names: readonly [gate: string, up: string, down: string] = ['gate_proj.weight', 'up_proj.weight', 'down_proj.weight'],
): GatedExpert {
  const gate = builder.matrix(prefix + names[0], f, d);
  const up = builder.matrix(prefix + names[1], f, d);
  const down = builder.matrix(prefix + names[2], d, f);
  return (x) => {
    const u = multiply(up, x);
    return multiply(
      down,
      multiply(gate, x).map((g, i) => silu(g) * (u[i] ?? NaN)),
    );
  };
}

/** The weighted sum of what the picked experts give. */
export function combine(picks: readonly Pick[], experts: readonly ((x: Vector) => Vector)[], x: Vector): Vector {
  return add(
    x.map(() => 0),
    ...picks.map((pick) => {
      const expert = experts[pick.index];
      if (expert === undefined) throw new GoldenError(`there is no expert ${pick.index}`);
      return times(pick.weight, expert(x));
    }),
  );
}

/** Share of the tokens that picked each of n experts. */
export function load(picks: readonly (readonly Pick[])[], n: number): Vector {
  return range(n).map((e) => picks.filter((row) => row.some((pick) => pick.index === e)).length / picks.length);
}

export function dot(a: Vector, b: Vector): number {
  return a.reduce((sum, v, i) => sum + v * (b[i] ?? NaN), 0);
}
