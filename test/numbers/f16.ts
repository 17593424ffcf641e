/** Arguments at which rounding to f16 may go wrong, and what is right, from the values f16 has. */
import { ofBits, randomBits } from './elementwise.ts';

/** The finite f16 numbers from 0 up, decoded from their bits. */
export const halves: readonly number[] = Array.from({ length: 0x7c00 }, (_, bits) => {
  const [exponent, fraction] = [bits >> 10, bits & 1023];
  return exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
});

/** Every f16, every middle between two neighbours, and the f32 numbers beside each middle; both signs; and bits of all kinds. */
export function f16Arguments(): Float32Array {
  const sizes = halves.flatMap((value, i) => {
    const middle = (value + (halves[i + 1] ?? 65536)) / 2;
    const step = 2 ** (Math.floor(Math.log2(middle)) - 23);
    return [value, middle, middle - step, middle + step];
  });
  const edges = [65520, 70000, 1e6, 1e30, 3e38, Infinity, NaN, 2 ** -126, 2 ** -100];
  const all = [...sizes, ...edges];
  return Float32Array.from([...all, ...all.map((x) => -x), ...ofBits(randomBits(20_000))]);
}

/** The nearest f16 of an f32, by looking for it: ties go to the even one, which has an even place among them. */
export function nearestHalf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return NaN;
  if (size >= 65520) return x < 0 ? -Infinity : Infinity;
  let [low, high] = [0, halves.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((halves[middle] ?? 0) <= size) low = middle;
    else high = middle - 1;
  }
  const below = halves[low] ?? 0;
  const above = halves[low + 1] ?? 65536;
  const up = size - below > above - size || (size - below === above - size && low % 2 === 1);
  const rounded = up ? Math.min(above, 65504) : below;
  return x < 0 ? -rounded : rounded;
}
