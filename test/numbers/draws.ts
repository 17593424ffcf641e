/**
 * Draws by an account of their own: the hash in exact integers, logarithms and cosines in float64 by formulas that lose nothing where
 * those of dsl/primitives/draw-hash.ts do. Hashes at which every distribution has its ends, zeros and turns, found by inverting the hash.
 */
import { drawNames, type DrawName } from '../../dsl/types/primitive-names.ts';
import { preparedOf, ready, type Ready, type Results } from '../language/support.ts';

export { drawNames };

const MASK = 0xffffffffn;
const u32 = (n: bigint): bigint => n & MASK;
const [FIRST, SECOND, GOLDEN] = [0x7feb352dn, 0x846ca68bn, 0x9e3779b9n] as const;

function mix(given: bigint): bigint {
  let h = u32((given ^ (given >> 16n)) * FIRST);
  h = u32((h ^ (h >> 15n)) * SECOND);
  return h ^ (h >> 16n);
}

/** The odd number by which `n` times it is 1 modulo 2^32. */
function inverse(n: bigint): bigint {
  let x = n;
  // Each step doubles the bits that are right (Newton).
  for (let i = 0; i < 5; i++) x = u32(x * (2n - n * x));
  return x;
}

/** x ^ (x >> n) = h, for n from 15 on. */
const unshift = (h: bigint, n: bigint): bigint => h ^ (h >> n) ^ (h >> (2n * n));

function unmix(mixed: bigint): bigint {
  const second = unshift(u32(unshift(mixed, 16n) * inverse(SECOND)), 15n);
  return unshift(u32(second * inverse(FIRST)), 16n);
}

const fold = (h: bigint, v: bigint): bigint => mix(h ^ mix(u32(v + GOLDEN)));

/** The hash of a point whose stream `n` has these 24 bits. */
const hashWith = (n: bigint, bits: bigint): bigint => unmix((bits << 8n) | 0x5an) ^ mix(u32(n + GOLDEN));

const top24 = (h: bigint, stream: bigint): number => Number(fold(h, stream) >> 8n);

/** cos(2π n / 2^24): within an eighth of a turn, where neither function loses digits. */
function cosineOfTurn(n: number): number {
  const [quarter, whole] = [2 ** 22, 2 ** 24];
  const folded = n > whole / 2 ? whole - n : n;
  if (folded > quarter) return -cosineOfTurn(whole / 2 - folded);
  const angle = (steps: number): number => (Math.PI / 2) * (steps / quarter);
  return folded > quarter / 2 ? Math.sin(angle(quarter - folded)) : Math.cos(angle(folded));
}

/** ln(n / 2^24), also where it is near 0. */
const logarithm = (n: number): number => (n > 2 ** 23 ? Math.log1p((n - 2 ** 24) / 2 ** 24) : Math.log(n / 2 ** 24));

/** The number of a point by its hash. */
export function drawnAt(distribution: DrawName, hash: number): number {
  const h = BigInt(hash >>> 0);
  const a = top24(h, 0n);
  switch (distribution) {
    case 'uniform':
      return a / 2 ** 24;
    case 'normal':
      return Math.sqrt(-2 * logarithm(a + 1)) * cosineOfTurn(top24(h, 1n));
    case 'gumbel':
      return -Math.log(-logarithm(Math.max(a, 0.5)));
  }
}

/** Hashes of points: at the ends and turns of both streams, and thousands between. */
export function hashes(): Int32Array {
  const [top, octave] = [2 ** 24 - 1, 2 ** 21];
  const ends = [0, 1, 2, 3, top, top - 1, top - 2, 2 ** 23, 2 ** 23 - 1, Math.round(2 ** 24 / Math.E)];
  const turns = Array.from({ length: 8 }, (_, i) => [i * octave, i * octave + 1, i * octave + top]).flat();
  const sizes = Array.from({ length: 300 }, (_, i) => Math.round(2 ** (i * 0.08)) - 1);
  const streams = [...ends, ...turns, ...sizes, ...sizes.map((n) => top - n)].map((n) => BigInt(n & top));
  const chosen = streams.flatMap((bits) => [hashWith(0n, bits), hashWith(1n, bits)]);
  const between = Array.from({ length: 4000 }, (_, i) => Math.imul(i, 0x9e3779b1));
  return Int32Array.from([...chosen.map(Number), ...between]);
}

const SEED = 4294967295;

const text = `model Draws {
  axis T, E = 3
  forward(x: [T]) -> (uniform: [T, E], normal: [T, E], gumbel: [T, E]) {
    (uniform: uniform[T, E], normal: normal[E, T], gumbel: x[T: 0] + gumbel[T, E])
  }
}`;

/** A program that draws, with a seed of all bits. */
export function readyDraws(T: number): Ready {
  const prepared = preparedOf(text);
  const x = { element: 'f32' as const, shape: [T], data: new Float32Array(T) };
  return ready(prepared, { inputs: new Map([['x', x]]), seed: SEED });
}

/** FNV-1a over the bytes of UTF-16. */
const textHash = (words: string): bigint =>
  [...words].reduce((h, c) => {
    const unit = BigInt(c.charCodeAt(0));
    return u32((u32((h ^ (unit & 0xffn)) * 0x01000193n) ^ (unit >> 8n)) * 0x01000193n);
  }, 0x811c9dc5n);

/** The greatest distance of each result of the program from what it is, in order of the names. */
export function farthestDraws(results: Results): readonly (readonly [DrawName, number])[] {
  return drawNames.map((name) => {
    const { data, shape: [T = 0, E = 0] } = results.get(name) ?? { data: [NaN], shape: [] }; // prettier-ignore
    // The axes in the order of their names, however they are written.
    const key = fold(mix(BigInt(SEED)), textHash(`forward/${text.indexOf(`${name}[`)}`));
    let most = 0;
    for (let i = 0; i < Math.max(1, T * E); i++) {
      const ofE = fold(fold(key, textHash('E')), BigInt(i % E));
      const point = fold(fold(ofE, textHash('T')), BigInt(Math.floor(i / E)));
      const distance = Math.abs((data[i] ?? NaN) - drawnAt(name, Number(point)));
      if (!(distance <= most)) most = distance;
    }
    return [name, most] as const;
  });
}
