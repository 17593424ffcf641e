/** Decimal spelling of f32 constants, for every printer of kernels. */
import { F32_MAX } from './arithmetic.ts';

/**
 * The shortest decimal that reads back as the same f32: `0.1` and not `0.10000000149011612`. Always with a point or an
 * exponent, so that it cannot be taken for an integer.
 */
export function formatF32(value: number): string {
  // toPrecision forgets the sign of a zero.
  if (Object.is(value, -0)) return '-0.0';
  // Of whole numbers that every f32 around is, too, no shorter decimal reads back as the same.
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 24) return withPoint(value);
  for (let digits = 1; digits <= 17; digits++) {
    const rounded = Number(value.toPrecision(digits));
    // A reader goes decimal -> double -> f32, so this is exactly the test to pass. WGSL refuses a double beyond the largest
    // f32 even if it rounds to it (3.4028235e38).
    if (Math.fround(rounded) === value && Math.abs(rounded) <= F32_MAX) return withPoint(rounded);
  }
  return withPoint(value);
}

function withPoint(value: number): string {
  const text = String(value).replace('e+', 'e');
  return /[.e]/.test(text) || !Number.isFinite(value) ? text : `${text}.0`;
}
