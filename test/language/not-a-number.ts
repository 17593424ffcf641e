/**
 * Programs through which a NaN of the input has to come, whatever stands in between, for all executors: what is NaN in the
 * reference is NaN on the others, what is a number is that number, and where the reference reports an error they do.
 */
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import type { CompiledPlan } from '../../compiler/compile.ts';
import { legalise } from '../../compiler/kernel/legalise/legalise.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { prepareText, ready, type Ready, type Results } from './support.ts';

const inf = Infinity;

/** A NaN in each place among E and none at all, beside infinities and zeros; then nothing but NaN and nothing but -inf. */
export const rows: readonly (readonly number[])[] = [
  [1, 2, 3, -4],
  [NaN, 2, 3, 0.5],
  [1, NaN, -inf, 0.5],
  [1, 2, 0, NaN],
  [-0.5, -2, NaN, -3],
  [NaN, NaN, NaN, NaN],
  [-inf, -inf, -inf, -inf],
  [-inf, NaN, -inf, -inf],
];

/** Of `x` [T, E] and `c` [E] (numbers), to [T, E] or [T]. */
export const expressions: readonly string[] = [
  'max(x, 0.5)',
  'min(x, 0.5)',
  'max(c, x)',
  'min(x, c)',
  'max(x, -x)',
  'relu(x)',
  'clamp(x, -1, 2)',
  'clamp(c, x, 2)',
  'clamp(c, -1, x)',
  'max(x, over: E)',
  'min(x, over: E)',
  'max(relu(x) * c, over: E)',
  'softmax(x, over: E)',
  'logsumexp(x, over: E)',
  'exp(min(x, 1))',
  'log(max(x, 0.5))',
  'sqrt(max(x, 0))',
  'rsqrt(max(x, 0.25))',
  'tanh(x)',
  'sigmoid(x)',
  'softplus(max(x, -3))',
  'erf(x)',
  'gelu_tanh(max(x, -3))',
  'sin(clamp(x, -1, 1))',
  'sign(x)',
  'abs(x)',
  'f16(max(x, -2))',
  'max(x, 0.5) ** 2.5',
  'argsort(x, over: E)',
  'i32(x)',
  'where(x != x, 1, 2)',
  'where(x != 2, 1, 2)',
  'where(not (x < 1), 1, 2)',
];

/** The axes of what an expression gives. */
const axesOf = (expression: string): string =>
  /^(max|min|argmax|logsumexp)\(.*over: E\)$/.test(expression) ? '[T]' : '[T, E]';
const elementOf = (expression: string): string =>
  /^(argsort|argmax|i32)\(/.test(expression) ? 'i32' : expression.startsWith('f16') ? 'f16' : '';

export const c: readonly number[] = [0.5, -1, 1.5, 0];

export function softmaxOf(score: string, x: readonly (readonly number[])[]): Ready {
  return programOf([`softmax(${score}, over: E)`, `logsumexp(${score}, over: E)`], x);
}

function prepared(text: string, x: readonly (readonly number[])[]): Ready {
  const { prepared: found, diagnostics } = prepareText(text);
  if (found === null) throw new Error(`${diagnostics.map((d) => d.message).join('; ')}\n${text}`);
  const inputs = new Map<string, NamedTensor>([
    ['x', { element: 'f32', shape: [x.length, 4], data: Float32Array.from(x.flat()) }],
    ['c', { element: 'f32', shape: [4], data: Float32Array.from(c) }],
  ]);
  return ready(found, { inputs });
}

/** A program of some expressions, each a result by its place. */
export function programOf(some: readonly string[], x: readonly (readonly number[])[] = rows): Ready {
  const results = some.map((e, i) => `y${i}: ${`${elementOf(e)} ${axesOf(e)}`.trim()}`).join(', ');
  const values = some.map((e, i) => `y${i}: ${e}`).join(', ');
  return prepared(
    `model M {\n  axis T, E = 4\n  forward(x: [T, E], c: [E]) -> (${results}) {\n    (${values})\n  }\n}\n`,
    x,
  );
}

/** Scores of [T, E] that a top-2 is made of, where a NaN comes through what could drop it. */
export const scores: readonly string[] = [
  'x',
  'max(x, -5)',
  'min(x, 5)',
  'relu(x)',
  'clamp(x, -5, 5)',
  'x + max(x, over: E)',
  'x + min(x, over: E)',
  'softmax(x, over: E)',
  'exp(relu(x))',
  'max(x, -5) * 2 + c',
];

export function selectionOf(score: string, x: readonly (readonly number[])[]): Ready {
  return prepared(
    `model M {\n  axis T, E = 4\n  forward(x: [T, E], c: [E]) -> (r: route[T -> E]) {\n    (r: top_k(${score}, 2, over: E))\n  }\n}\n`,
    x,
  );
}

/** Scores of which some are -inf, scaled and moved: fewer than two of a row are candidates, or none. */
export const maskedScores: readonly string[] = [
  'where(x > 0, x, -inf)',
  'where(x > 0, x, -inf) * 0.5',
  'where(x > 0, x, -inf) / 64 + 3',
  'where(x > 0, x, -inf) * 3',
  'where(x > 0, x, -inf) * 0.0001',
  'f32(f16(where(x > 0, x, -inf) * 0.5))',
];
export const maskedRows: readonly (readonly number[])[] = [
  [0, 2, 0, -1],
  [0, 0, 0, 0],
  [1, 0, 3, 2],
];

/** The same run with the kernels that are printed: what stands around `exp` and `sqrt` there must not lose a NaN either. */
export function legalised({ prepared: of, request }: Ready): Ready {
  const legal = (compiled: CompiledPlan): CompiledPlan => ({
    ...compiled,
    plan: { ...compiled.plan, kernels: compiled.plan.kernels.map((kernel) => legalise(kernel, webgpuCore)) },
  });
  return {
    prepared: { ...of, entry: { ...of.entry, inference: legal(of.entry.inference), withAux: legal(of.entry.withAux) } },
    request,
  };
}

/** What a run ended with: its error's code and words, or null. */
export async function errorOf(run: Promise<Results>): Promise<string | null> {
  try {
    await run;
    return null;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return `${String(error.code)}`;
    throw error;
  }
}

/** Largest finite f32: the infinity of a compiled module. */
const MOST = 3.4028234663852886e38;

/**
 * Where two results differ: NaN on one side only, or numbers that differ by more than a 10^-4 of them. Numbers are tested
 * elsewhere, within bounds; here a NaN that became some other number must show.
 */
export function nanDifferences(some: readonly string[], actual: Results, expected: Results): readonly string[] {
  return some.flatMap((expression, i) => {
    const [have, want] = [actual.get(`y${i}`), expected.get(`y${i}`)];
    if (have === undefined || want === undefined) return [`${expression}: missing`];
    return Array.from(want.data, (w, at) => {
      const h = have.data[at] ?? 0;
      const wanted = Math.max(-MOST, Math.min(MOST, w));
      const same = Number.isNaN(w) ? Number.isNaN(h) : Math.abs(h - wanted) <= 1e-4 * (1 + Math.abs(wanted));
      return same || h === w ? [] : [`${expression} at ${at} is ${h}, the reference says ${w}`];
    }).flat();
  });
}
