/**
 * Rounding to f16, to nearest, ties to even: what "f16 rounds where a value is declared or converted" means. f16 has
 * 11 significant bits, exponents -14 to 15, subnormals in steps of 2^-24; from 65520 on a number rounds to infinity.
 *
 * A number of the language is an f32, so a float64 value is rounded to f32 first: a value that is a tie in f32 is a tie here too.
 */
export function roundToF16(number: number): number {
  const value = Math.fround(number);
  if (value === 0 || !Number.isFinite(value)) return value;
  const magnitude = Math.abs(value);
  if (magnitude >= 65520) return value < 0 ? -Infinity : Infinity;
  // Math.log2 may be off by one near powers of two: the loop settles it.
  let exponent = Math.max(Math.floor(Math.log2(magnitude)), -14);
  while (exponent > -14 && 2 ** exponent > magnitude) exponent--;
  while (2 ** (exponent + 1) <= magnitude) exponent++;
  const step = 2 ** (exponent - 10);
  return roundHalfEven(value / step) * step;
}

/** The quotient above is exact (a division by a power of two), so only this rounds. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  const rounded = rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
  return rounded === 0 && value < 0 ? -0 : rounded;
}
