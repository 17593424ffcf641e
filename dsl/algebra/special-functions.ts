/**
 * erf and its complement in float64, to a few units in the last place: the reference must be much better than f32.
 * Series with positive terms near 0 (DLMF 7.6.2), continued fraction further out (DLMF 7.9.1).
 */
const series = 2.5;

export function erf(x: number): number {
  if (Math.abs(x) >= series) return x < 0 ? erfcTail(-x) - 1 : 1 - erfcTail(x);
  return erfSeries(x);
}

/** 1 - erf(x), without the cancellation for large x. NaN stays NaN. */
export function erfc(x: number): number {
  if (x >= series) return erfcTail(x);
  return x <= -series ? 2 - erfcTail(-x) : 1 - erfSeries(x);
}

function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    if (sum + term === sum) break;
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

function erfcTail(x: number): number {
  if (x > 27) return 0;
  let fraction = x;
  for (let n = 120; n >= 1; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / fraction;
}
