/** Programs of infinite numbers and of finite ones beside them, for all executors: infinities are those of IEEE, and nothing else is one. */
import type { Results } from '../language/support.ts';

const inf = Infinity;
const most = 3.4028234663852886e38;
const far = Math.fround(-3.39e38);

/** Rows of x: infinities of both signs, alone and beside numbers, finite numbers next to them, and equal ones. */
export const infiniteRows: readonly (readonly number[])[] = [
  [1, 2, 0, -4],
  [-inf, 1, 2, 0],
  [inf, 1, -inf, 0],
  [inf, inf, inf, inf],
  [-inf, -inf, -inf, -inf],
  [far, far, far, far],
  [-most, most, -1e30, -2e30],
  [-1e31, -2e31, -inf, -1e32],
  [-most, -most, -inf, -inf],
  [0, -0.0, -inf, inf],
];

/** Of x [T, E] and c = [0.5, -1, 1.5, 0]. A finite result stays within f32. */
export const infiniteExpressions: readonly string[] = [
  'x',
  '-x',
  'where(x == -inf, 1, 0) + where(x == inf, 2, 0) + where(x != -inf, 4, 0)',
  'where(x < inf, 1, 0) + where(x > -inf, 2, 0) + where(x <= -inf, 4, 0) + where(x >= -5e29, 8, 0)',
  'x / 1e9',
  'x * 0.0001',
  'x * -0.25 + 3',
  'x / 64 - c',
  'x - max(x, over: E)',
  'x * 0',
  'x * c',
  'x - x',
  'x / x',
  'c / x',
  'c / 0',
  'x / 0',
  'max(x, 0)',
  'min(x, 0)',
  'clamp(x, -5, 5)',
  'relu(x)',
  'abs(x)',
  'sign(x)',
  'floor(x)',
  'max(x, over: E)',
  'min(x, over: E)',
  'exp(x)',
  'log(x)',
  'log(abs(x))',
  'sqrt(abs(x))',
  'rsqrt(abs(x))',
  'tanh(x)',
  'sigmoid(x)',
  'silu(max(x, -1000))',
  'gelu(max(x, -1000))',
  'softplus(x)',
  'erf(x)',
  'cos(x)',
  'x % 3',
  'c % x',
  'abs(x) ** 0.5',
  '2 ** clamp(x, -9, 9)',
  'c ** 0',
  'where(c > 0, x, -inf)',
  'softmax(x, over: E)',
  'softmax(where(c > 0, x, -inf), over: E)',
  'softmax(where(c > 5, x, -inf) / 1e9, over: E)',
  'logsumexp(x, over: E)',
  'f16(x)',
  'i32(x)',
];

/** Scores of selections: what is -inf is no candidate, what is finite is one, however low. */
export const infiniteScores: readonly string[] = ['x', 'x / 2', 'max(x, -3e38)', 'where(c > 0, x, -inf)', 'x - 1e31'];

/** Where two results differ by more than a few roundings of the larger; an infinity equals only itself, NaN is NaN. */
export function differences(expressions: readonly string[], got: Results, wanted: Results): readonly string[] {
  return expressions.flatMap((expression, i) => {
    const [have, want] = [got.get(`y${i}`)?.data, wanted.get(`y${i}`)?.data];
    if (have === undefined || want === undefined) return [`${expression}: missing`];
    return Array.from(want).flatMap((w, at) => {
      const h = have[at] ?? 0;
      const kept = Math.fround(w);
      const near = Math.abs(h - kept) <= 1e-6 * Math.abs(kept) + 2 ** -126;
      if (h === kept || near || (Number.isNaN(h) && Number.isNaN(w))) return [];
      return [`${expression} of row ${Math.floor(at / 4)}, ${at % 4}: ${h}, not ${w}`];
    });
  });
}
