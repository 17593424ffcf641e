/**
 * The shortest decimal that reads back as the same f32: `0.1` and not `0.10000000149011612`. Always with a point or an
 * exponent, so that it cannot be taken for an integer. Used by every printer of kernels.
 */
export function formatF32(value: number): string {
  for (let digits = 1; digits <= 9; digits++) {
    const rounded = Number(value.toPrecision(digits));
    // A reader goes decimal -> double -> f32, so this is exactly the test to pass.
    if (Math.fround(rounded) === value) return withPoint(rounded);
  }
  return withPoint(value);
}

function withPoint(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value).replace('e+', 'e');
  return /[.e]/.test(text) || !Number.isFinite(value) ? text : `${text}.0`;
}
