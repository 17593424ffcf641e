/** The scalar functions of the language: what is right in float64, arguments at which they may go wrong, and how near is near. */
import type { BinaryName, UnaryName } from '../../dsl/types/primitive-names.ts';
import { erf, erfc } from '../../dsl/primitives/special-functions.ts';
import { ofBits, randomBits, same } from './elementwise.ts';

/** Unit roundoff of f32, and what a driver may take for 0. */
export const u = 2 ** -24;
export const TINY = 2 ** -126;

export interface Unary {
  readonly name: UnaryName;
  readonly exact: (x: number) => number;
  /** The error allowed at an argument, given the exact value. */
  readonly error: (x: number, y: number) => number;
}

const sigmoid = (x: number): number => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));
const relative = (units: number) => (_: number, y: number): number => units * u * Math.abs(y); // prettier-ignore
/** What 2z of gelu_tanh is; a relative error of it is an absolute one of the exponent. */
const inner = (x: number): number => 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);

export const unaries: readonly Unary[] = [
  { name: 'exp', exact: Math.exp, error: relative(4) },
  { name: 'log', exact: Math.log, error: relative(4) },
  { name: 'sqrt', exact: Math.sqrt, error: relative(6) },
  { name: 'rsqrt', exact: (x) => 1 / Math.sqrt(x + 0), error: relative(6) },
  { name: 'tanh', exact: Math.tanh, error: relative(7) },
  { name: 'sigmoid', exact: sigmoid, error: relative(10) },
  { name: 'silu', exact: (x) => x * sigmoid(x), error: relative(12) },
  { name: 'gelu', exact: (x) => 0.5 * x * erfc(-x / Math.SQRT2), error: relative(24) },
  {
    name: 'gelu_tanh',
    exact: (x) => x * sigmoid(inner(x)),
    error: (x, y) => (14 + 5 * Math.min(Math.abs(inner(x)), 104)) * u * Math.abs(y),
  },
  { name: 'softplus', exact: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), error: relative(10) },
  { name: 'erf', exact: erf, error: (_, y) => 8 * u * Math.abs(y) + (Math.abs(y) > 0.8 ? 1e-7 : 0) },
  { name: 'sin', exact: Math.sin, error: () => 4 * u },
  { name: 'cos', exact: Math.cos, error: () => 4 * u },
];

/** Arguments of every size and sign, dense where functions bend, with the edges of their parts and of the format. */
export function unaryArguments(): Float32Array {
  const dense = Array.from({ length: 12_000 }, (_, i) => -15 + i / 400);
  const wide = Array.from({ length: 4_000 }, (_, i) => -110 + i / 18.1);
  const places = Array.from({ length: 2_000 }, (_, i) => 66 * i - 0.37 * i);
  const quarters = Array.from({ length: 3_000 }, (_, i) =>
    [1, 1 - 2 ** -23, 1 + 2 ** -23].map((f) => i * (Math.PI / 4) * f),
  ).flat();
  const near = Array.from({ length: 200 }, (_, i) => 1 + (i - 100) * 2 ** -23);
  const edges = [
    0, 1e-45, 1e-40, TINY, 1e-30, 1e-12, 1e-8, 1e-6, 0.625, 0.7071068, 0.70710677, 0.9277344, 1.4142135, 4, 9.02, 14, 15, 17, 20, 40, 80,
    87.2, 88.72283, 88.72284, 89, 103.9, 104, 200, 1e4, 131071, 1e6, 2 ** 31, 1e10, 1e20, 1e30, 3.4028234663852886e38, Infinity,
  ]; // prettier-ignore
  const all = [...dense, ...wide, ...places, ...quarters, ...near, ...edges];
  return Float32Array.from([...all, ...all.map((x) => -x), NaN, ...ofBits(randomBits(6_000))]);
}

export interface Binary {
  readonly name: BinaryName;
  readonly exact: (x: number, y: number) => number;
  readonly error: (x: number, y: number, z: number) => number;
}

/** The rest of a division rounded down, from JavaScript's exact remainder. */
export function rest(x: number, y: number): number {
  const r = x % y;
  return r !== 0 && r < 0 !== y < 0 ? r + y : r + 0;
}

export const binaries: readonly Binary[] = [
  { name: 'div', exact: (x, y) => (y === 0 ? x * Infinity : x / y), error: (_x, _y, z) => 5 * u * Math.abs(z) },
  { name: 'mod', exact: rest, error: (_x, _y, z) => u * Math.abs(z) },
  {
    name: 'pow',
    exact: (x, y) => (x + 0) ** y,
    error: (_, y, z) => (4 + Math.min(Math.abs(y), 1e12) * 2 ** -18) * u * Math.abs(z),
  },
];

/** Pairs of arguments: all edges with all edges, numbers of like and of very unlike sizes, whole and half exponents. */
export function binaryArguments(): { readonly a: Float32Array; readonly b: Float32Array } {
  const sizes = [
    0,
    1e-30,
    1e-6,
    0.1,
    0.5,
    0.999,
    1,
    1.0000001,
    1.5,
    2,
    3,
    7.3,
    17,
    20,
    100,
    1e4,
    12345.678,
    131071,
    1e9,
    1e20,
    3e38,
    Infinity,
  ];
  const edges = [...sizes, ...sizes.map((x) => -x), NaN];
  const pairs = edges.flatMap((x) => edges.map((y) => [x, y] as const));
  const [p, q] = [ofBits(randomBits(4_000, 5)), ofBits(randomBits(4_000, 9))];
  // Subnormal operands may count as 0 on a GPU.
  const normal = (x: number): boolean => !(Math.abs(x) > 0 && Math.abs(x) < TINY);
  const wild = [...p].map((x, i) => [x, q[i] ?? 0] as const).filter(([x, y]) => normal(x) && normal(y));
  const tame = Array.from({ length: 6_000 }, (_, i) => {
    const [s, t] = [(i * 0.754877666) % 1, (i * 0.569840291) % 1];
    return [(i % 3 === 0 ? -1 : 1) * 1000 ** (2 * s - 1), (i % 2 === 0 ? 1 : -1) * 100 ** (2 * t - 1)] as const;
  });
  const whole = Array.from({ length: 800 }, (_, i) => [((i * 0.618) % 1) * 4 - 2, (i % 41) - 20] as const);
  const all = [...pairs, ...wild, ...tame, ...whole];
  return { a: Float32Array.from(all, ([x]) => x), b: Float32Array.from(all, ([, y]) => y) };
}

/**
 * What is wrong with results, in words, at most five. What is subnormal may be 0 on the way: `flushed` is how much that takes away at
 * most. What is larger than f32 by rounding is infinite.
 */
export function wrongOf(
  results: ArrayLike<number>,
  exactAt: (i: number) => number,
  errorAt: (i: number, y: number) => number,
  show: (i: number) => string,
  flushed: (i: number) => number = () => TINY,
): string[] {
  const wrong: string[] = [];
  for (let i = 0; i < results.length && wrong.length < 5; i++) {
    const [got, y] = [results[i] ?? 0, exactAt(i)];
    const error = errorAt(i, y) + flushed(i);
    const [low, high] = [Math.fround(y - error), Math.fround(y + error)];
    const fine = Number.isFinite(y) ? got >= low && got <= high : same(got, y);
    if (!fine) wrong.push(`${show(i)} = ${got}, not ${y} (error ${(Math.abs(got - y) / Math.abs(y) / u).toFixed(1)}u)`);
  }
  return wrong;
}

/** i32 of a float: towards 0, to the ends of 32 bits beyond them, 0 of NaN. */
export const integerOfFloat = (x: number): number =>
  Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), -(2 ** 31)), 2 ** 31 - 1);

/** What a function of one number may lose where a part of it is subnormal and multiplied by the argument. */
export const flushedOf = (x: number): number => (2 + Math.min(Math.abs(x), 128)) * TINY;
