/**
 * The functions of numbers that JavaScript has not, or has with another meaning at the edges.
 *
 * 0 has no sign: one over it is infinity, whichever zero it is. erf and its complement are in float64, to a few units in the last place: the reference must be much better than f32.
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

/** x / y; of a divisor 0 the infinity of the sign of x, NaN of 0 / 0. */
export function quotient(x: number, y: number): number {
  return y === 0 ? x * Infinity : x / y;
}

/** The rest of a division rounded down, x - y · floor(x / y), without the quotient: it has the sign of y. */
export function rest(x: number, y: number): number {
  const r = x % y;
  return r !== 0 && r < 0 !== y < 0 ? r + y : r;
}

/** x ** y; of 0 to a negative power infinity. */
export function power(x: number, y: number): number {
  return (x + 0) ** y;
}

/** 1 / √x; infinity of 0. */
export function inverseRoot(x: number): number {
  return 1 / Math.sqrt(x + 0);
}

/** 1 / (1 + exp(-x)). */
export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** x (1 + tanh z) / 2, z = √(2/π) (x + 0.044715 x³): as x · sigmoid(2z), which has no cancellation. */
export function geluTanh(x: number): number {
  return x * sigmoid(2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3));
}
