/**
 * Values for a run: of every input, control, param and state a program has, by a profile. All are functions of the seed and the
 * tensor's name, so that a program that lost a line still gets the numbers it had.
 */
import { numberToF16, f16ToNumber } from '../../runtime/contract/elements.ts';
import { elementCount, evaluateShape } from '../../runtime/contract/sizes.ts';
import type { Manifest } from '../../runtime/contract/manifest.ts';
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import type { Profile } from './program.ts';
import { Random } from './random.ts';

export interface Values {
  readonly inputs: ReadonlyMap<string, NamedTensor>;
  /** Params and states by path. */
  readonly stores: ReadonlyMap<string, Float64Array>;
}

type Element = NamedTensor['element'];

export function makeValues(
  manifest: Manifest,
  sizes: ReadonlyMap<string, number>,
  profile: Profile,
  seed: number,
  known: ReadonlyMap<string, Float64Array> = new Map(),
): Values {
  const inputs = new Map<string, NamedTensor>();
  for (const spec of manifest.entries[0]?.inputs ?? []) {
    const shape = evaluateShape(spec.axes, sizes);
    const within = spec.within === null ? null : (evaluateShape([spec.within], sizes)[0] ?? 0);
    const random = new Random(seed, hash(spec.name));
    inputs.set(
      spec.name,
      tensorOf(spec.element, shape, (i) => given(spec.element, profile, random, within, i)),
    );
  }
  const stores = new Map<string, Float64Array>(known);
  for (const spec of manifest.stores) {
    if (stores.has(spec.path)) continue;
    const random = new Random(seed, hash(spec.path));
    if (spec.kind === 'control') {
      // Every second time the host gives a control, else its default is what counts.
      if (!random.chance(0.5)) continue;
      const shape = evaluateShape(spec.axes, sizes);
      inputs.set(
        spec.path,
        tensorOf(spec.element, shape, () => finite(profile, random)),
      );
      continue;
    }
    const count = elementCount(evaluateShape(spec.axes, new Map()));
    const last = evaluateShape(spec.axes, new Map()).at(-1) ?? 1;
    const scale = profile === 'ties' ? 1 : 1 / Math.sqrt(Math.max(1, last));
    const numbers = Float64Array.from({ length: count }, () => stored(spec.element, scale * finite(profile, random)));
    stores.set(spec.path, numbers);
  }
  return { inputs, stores };
}

function tensorOf(element: Element, shape: readonly number[], at: (i: number) => number): NamedTensor {
  const count = elementCount(shape);
  const numbers = Array.from({ length: count }, (_, i) => at(i));
  switch (element) {
    case 'i32':
      return { element, shape, data: Int32Array.from(numbers) };
    case 'bool':
      return { element, shape, data: Uint8Array.from(numbers) };
    case 'f32':
      return { element, shape, data: Float32Array.from(numbers) };
    case 'f16':
      return { element, shape, data: Float32Array.from(numbers, roundToF16) };
  }
}

const roundToF16 = (value: number): number => f16ToNumber(numberToF16(value));

function stored(element: Element, value: number): number {
  if (element === 'f16') return roundToF16(value);
  return element === 'f32' ? Math.fround(value) : Math.round(value);
}

/** An input's number at a place. */
function given(element: Element, profile: Profile, random: Random, within: number | null, place: number): number {
  if (element === 'bool') return random.chance(0.5) ? 1 : 0;
  if (element === 'i32') {
    if (within !== null) {
      if (random.chance(0.12) || within === 0) return -1;
      // Repeated indices are likely: most are near one another.
      return random.chance(0.5) ? random.below(within) : Math.min(within - 1, random.below(2));
    }
    if (profile === 'edges' && random.chance(0.1)) return random.pick([0, -1, 2147483647, -2147483648, 65536]);
    return random.between(-3, 6);
  }
  if (profile !== 'edges' || !random.chance(0.12)) return finite(profile, random);
  const extreme = random.weighted([
    [4, 0],
    [2, -0],
    [2, 1e-30],
    [1, -1e-38],
    [1, 1e20],
    [1, -3.4028234663852886e38],
    [place === 0 ? 0 : 1.5, -Infinity],
    [place === 0 ? 0 : 0.5, Infinity],
    [0.15, NaN],
  ]);
  return extreme;
}

function finite(profile: Profile, random: Random): number {
  if (profile === 'ties') return random.pick([-1, -0.5, 0, 0.5, 1, 0.25, 1]);
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return profile === 'wide' ? normal * 10 ** (random.next() * 5 - 3) : normal;
}

function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h;
}
