/**
 * Long sums of every kind, as programs, with what they come to: float64 over the f32 numbers that go in.
 *
 * Equal terms are the worst for one accumulator: rounding errs to the same side each time. Every number that is wanted is a sum of
 * terms of one sign, or made of such sums without cancellation, and has to be within 2e-6 of itself.
 */
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import { prepareText, ready, type Ready } from '../language/support.ts';

export interface LongSum {
  readonly name: string;
  readonly text: string;
  readonly inputs: Readonly<Record<string, NamedTensor>>;
  readonly stores?: Readonly<Record<string, Float64Array>>;
  /** By result: numbers in order, or the numbers at some places. */
  readonly wanted: Readonly<Record<string, readonly number[] | ReadonlyMap<number, number>>>;
}

const f32 = (shape: readonly number[], at: (i: number) => number): NamedTensor => ({
  element: 'f32',
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => at(i)),
});
const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const c = Math.fround;
const sum = (n: number, term: (i: number) => number): number => {
  let total = 0;
  for (let i = 0; i < n; i++) total += term(i);
  return total;
};
/** Positive numbers that are not equal, as f32. */
const uneven = (i: number) => c(0.05 + 0.9 * Math.abs(Math.sin(i * 12.9898)));

const tenth = c(0.1);
const [T, A, B, D] = [65_536, 300, 2, 70];

export const longSums: readonly LongSum[] = [
  {
    name: 'sum, mean, var and std of equal and of uneven numbers',
    text: `model M { axis T
      forward(x: [T], y: [T]) -> (total: f32, mean: f32, uneven: f32, spread: f32, root: f32) {
        (total: sum(x, over: T), mean: mean(x, over: T), uneven: sum(y, over: T), spread: var(y, over: T), root: std(y, over: T))
      } }`,
    inputs: { x: f32([T], () => 0.1), y: f32([T], (i) => (i % 3 === 0 ? 0.1 : 0.7)) },
    wanted: (() => {
      const y = (i: number) => c(i % 3 === 0 ? 0.1 : 0.7);
      const mean = sum(T, y) / T;
      const spread = sum(T, (i) => (y(i) - mean) ** 2) / T;
      return { total: [T * tenth], mean: [tenth], uneven: [sum(T, y)], spread: [spread], root: [Math.sqrt(spread)] };
    })(),
  },
  {
    name: 'several axes together: outermost and innermost, and all of them',
    text: `model M { axis A, B, D = ${D}, E = 3
      forward(x: [A, B, D], y: [A, E]) -> (some: [B], all: f32, short: f32, mean: [D], lines: [B, D]) {
        (some: sum(x, over: (A, D)), all: sum(x, over: (A, B, D)), short: sum(y, over: (A, E)),
         mean: mean(x, over: (B, A)), lines: sum(x, over: A))
      } }`,
    inputs: { x: f32([A, B, D], () => 0.1), y: f32([A, 3], () => 0.7) },
    wanted: {
      some: Array<number>(B).fill(A * D * tenth),
      all: [A * B * D * tenth],
      short: [3 * A * c(0.7)],
      mean: Array<number>(D).fill(tenth),
      lines: Array<number>(B * D).fill(A * tenth),
    },
  },
  {
    name: 'norms, softmax and logsumexp of a long axis',
    text: `model M { axis V
      forward(x: [V]) -> (p: [V], log: f32, unit: [V], rms: [V]) {
        (p: softmax(0 * x, over: V), log: logsumexp(0 * x + 20, over: V), unit: l2norm(x, over: V), rms: rmsnorm(x, over: V))
      } }`,
    inputs: { x: f32([100_000], () => 0.1) },
    wanted: {
      p: new Map([0, 99_999].map((i) => [i, 1e-5])),
      log: [20 + Math.log(100_000)],
      unit: new Map([[5, 1 / Math.sqrt(100_000)]]),
      rms: new Map([[7, 1]]),
    },
  },
  {
    name: 'dot products over 50,000, over several axes, and in columns',
    text: `model M { axis D = 50000, R = 3, C = 4, A = 111, F = 37
      forward(x: [D], w: [D], a: [R, A, F], b: [C, A, F]) -> (far: f32, square: f32, both: [R, C]) {
        (far: x @ w, square: x @ x, both: dot(a, b, over: (F, A)))
      } }`,
    inputs: {
      x: f32([50_000], () => 0.3),
      w: f32([50_000], uneven),
      a: f32([3, 111, 37], () => 0.1),
      b: f32([4, 111, 37], () => 0.7),
    },
    wanted: {
      far: [sum(50_000, (i) => c(0.3) * uneven(i))],
      square: [50_000 * c(0.3) ** 2],
      both: Array<number>(12).fill(111 * 37 * tenth * c(0.7)),
    },
  },
  {
    name: 'the sum an expert takes over its input, and what its tokens give',
    text: `model M { axis T, D = 8192, F = 5, E = 2
      expert Linear(x: [D]) -> [F] {
        param w: [F, D]
        w @ x
      }
      experts ffn[E] = Linear
      forward(x: [T, D], s: [T, E]) -> [T, F] { mask(top_k(s, 1, over: E)) @ ffn(x) } }`,
    inputs: { x: f32([9, 8192], () => 0.1), s: f32([9, 2], (i) => (i * 7) % 5) },
    stores: { 'ffn.w': new Float64Array(2 * 5 * 8192).fill(c(0.7)) },
    wanted: { output: Array<number>(45).fill(8192 * tenth * c(0.7)) },
  },
  {
    name: 'the rows of a route: weights over tokens, tokens of an expert, payloads, experts of a token, and counts',
    text: `model M { axis T, E = 2, D = 3, N = 2000
      forward(x: [T, D], s: [T, E], many: [N]) -> (weights: [E], tokens: [E, D], payload: [D], combine: f32, load: [E], count: [E]) {
        let r = top_k(s, 1, over: E)
        let packed = r * x
        (weights: sum(r, over: T), tokens: dot(mask(r), x, over: T), payload: sum(packed, over: (T, E)),
         combine: sum(top_k(many, 1999, over: N), over: N), load: load(r, over: T), count: count(r, over: T))
      } }`,
    inputs: {
      x: f32([20_000, 3], () => 0.1),
      s: f32([20_000, 2], (i) => (i % 4 === 0 || i % 4 === 3 ? 0.7 : 0.2)),
      many: f32([2000], (i) => (i === 1999 ? 0.2 : 0.7)),
    },
    wanted: {
      weights: Array<number>(2).fill(10_000 * c(0.7)),
      tokens: Array<number>(6).fill(10_000 * tenth),
      payload: Array<number>(3).fill(20_000 * c(0.7) * tenth),
      combine: [1999 * c(0.7)],
      load: [0.5, 0.5],
      count: [10_000, 10_000],
    },
  },
  {
    name: 'running sums along each of two axes',
    text: `model M { axis T, D = 2
      forward(x: [T, D], y: [D, T]) -> (down: [T, D], along: [D, T]) { (down: cumsum(x, over: T), along: cumsum(y, over: T)) } }`,
    inputs: { x: f32([100_000, 2], () => 0.1), y: f32([2, 100_000], (i) => uneven(i % 100_000)) },
    wanted: {
      down: new Map([0, 15, 16, 17, 255, 256, 4097, 65_535, 99_999].flatMap((t) => [[2 * t, (t + 1) * tenth], [2 * t + 1, (t + 1) * tenth]])), // prettier-ignore
      along: new Map([3, 777, 70_001, 99_999].map((t) => [100_000 + t, sum(t + 1, uneven)])),
    },
  },
  {
    name: 'parts of a union, side by side',
    text: `model M { axis T, A = 9000, B = 5000
      experts one[A] = One
      experts two[B] = One
      expert One(x: f32) -> f32 { x }
      experts mix[P] = one | two
      forward(x: [T], s: [P]) -> (all: f32, product: [T]) { (all: sum(s, over: P), product: all(s, over: P) @ mix(x)) } }`,
    inputs: { x: f32([2], () => 0.7), s: f32([14_000], () => 0.1) },
    wanted: { all: [14_000 * tenth], product: Array<number>(2).fill(14_000 * tenth * c(0.7)) },
  },
  {
    name: 'losses: of a batch, of carried points, over calls',
    text: `model M { axis B, T, L = 600
      fn step[l in L](x: [T]) -> [T] {
        loss size = mean(x * x, over: T)
        x
      }
      fn shared(x: [T]) -> [T] {
        loss calls = mean(x, over: T)
        x
      }
      forward(x: [B, T]) -> [B, T] {
        loss batch = mean(x, over: (B, T))
        step[L: 0](chain l in L carrying h = x { shared(h) })
      } }`,
    inputs: { x: f32([300, 70], () => 0.1) },
    wanted: {
      'loss.batch': [tenth],
      'loss.step.size': new Map([[0, tenth ** 2]]),
      'loss.shared.calls': [600 * tenth],
    },
  },
  {
    name: 'numbers of f16, constants, and whole numbers',
    text: `model M { axis T, V = 70000
      forward(h: f16[T], n: i32[T]) -> (half: f32, own: f32, made: f32, whole: i32) {
        (half: sum(f32(h), over: T), own: f32(mean(h, over: T)), made: sum(0.1 * ones[V], over: V), whole: sum(n, over: T))
      } }`,
    inputs: {
      h: f32([50_000], () => 0.0999755859375),
      n: { element: 'i32', shape: [50_000], data: Int32Array.from({ length: 50_000 }, (_, i) => 70_000 + (i % 2)) },
    },
    wanted: {
      half: [50_000 * 0.0999755859375],
      own: [0.0999755859375],
      made: [70_000 * tenth],
      whole: [(50_000 * 70_000 + 25_000) | 0],
    },
  },
  {
    name: 'a window of neighbours, as a convolution sums it',
    text: `model M { axis T, W = 9, C = 450, O = 32
      forward(x: [T, C], k: [W, C]) -> [O] { dot(x[T: iota(O) + iota(W)], k, over: (W, C)) } }`,
    inputs: { x: f32([40, 450], () => 0.1), k: f32([9, 450], () => 0.7) },
    wanted: { output: Array<number>(32).fill(9 * 450 * tenth * c(0.7)) },
  },
];

/** A long sum, compiled, with what goes in. */
export function readySum({ text, inputs, stores }: LongSum): Ready {
  const { prepared, diagnostics } = prepareText(text, { name: 'sums.moe' });
  if (prepared === null) throw new Error(diagnostics.map((d) => `${d.code} ${d.message}`).join('; '));
  return ready(prepared, { inputs: new Map(Object.entries(inputs)), stores: new Map(Object.entries(stores ?? {})) });
}

/** What is not within 2e-6 of what is wanted, one line each. */
export function wrongSums(
  { wanted }: LongSum,
  results: ReadonlyMap<string, NamedTensor>,
  rtol = 2e-6,
): readonly string[] {
  return Object.entries(wanted).flatMap(([name, values]) => {
    const found = results.get(name);
    if (found === undefined) return [`${name} is missing of ${[...results.keys()].join(', ')}`];
    const each = [...values.entries()];
    if (!(values instanceof Map) && each.length !== product(found.shape))
      return [`${name} is [${found.shape.join(', ')}]`];
    return each.flatMap(([i, want]) => {
      const have = found.data[i] ?? NaN;
      return Math.abs(have - want) <= rtol * Math.abs(want) ? [] : [`${name}[${i}] is ${have}, not ${want}`];
    });
  });
}
