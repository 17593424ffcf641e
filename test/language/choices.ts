/**
 * Programs that choose, each with values: long groups, which a workgroup goes over; short ones, which a thread does; and sums along
 * what was chosen. For all executors.
 */
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import { MoecError } from '../../runtime/contract/errors.ts';
import { elementCount, evaluateShape } from '../../runtime/contract/sizes.ts';
import { Random } from '../fuzz/random.ts';
import { differences, onReference, prepareText, ready, type Ready, type Results } from './support.ts';

/** A route of a vocabulary as a mask and ranks, and a sum along it: one choice, since its kernel takes drivers seconds to compile. */
const long = (points: number): string => `model Long {
  axis B, V = ${points}
  forward(s: [B, V], y: [V]) -> (best: [B, V], rank: i32[B, V], sum: [B]) {
    let r = top_k(s, 50, over: V)
    (best: dense(mask(r)), rank: dense(rank(r)), sum: mask(r) @ y)
  }
}`;

/** Of long groups, too: as many as the run says, up to a sum, and among some. */
const counted = (points: number): string => `model Counted {
  axis B, V = ${points}
  forward(s: [B, V], y: [V]) -> (few: [B, V], mass: [B], least: [B, V]) {
    let p = top_p(exp(min(s, 2)), 50, over: V, at_most: 20)
    (
      few: dense(mask(top_k(s, iota(B) * 40 - 1, over: V, at_most: 70))),
      mass: mask(p) @ y,
      least: dense(mask(top_k(-s, 9, over: V, where: y > 1)))
    )
  }
}`;

/** Short groups; routes kept, joined and among one another. */
const short = `model Short {
  axis T, R = 5, C = 6, D = 8, E = 12
  forward(s: [T, R], z: [T, C], q: [T, E], v: [E, D], y: [R, C, D]) ->
    (best: [T, E], top: [T, E], mixed: [T, D], kept: [T, D], pairs: [T, D], inner: [T, D]) {
    let k = top_k(q, 3, over: E)
    let p = top_p(exp(min(q, 2)), 7, over: E, at_most: 4)
    let (rows, columns) = (top_k(s, 2, over: R), top_k(z, 3, over: C))
    let both = rows * columns
    (
      best: dense(mask(k)),
      top: dense(mask(p)),
      mixed: softmax(min(k, 5), over: E) @ v,
      kept: keep(mask(p), k > 0, over: E) @ v,
      pairs: softmax(min(max(both, -9), 9), over: (R, C)) @ y,
      inner: mask(top_k(s + z, 2, over: (R, C), where: mask(both))) @ y
    )
  }
}`;

/** What depends on the order of given numbers alone, or adds up small whole ones: it has no errors. */
const exact: ReadonlySet<string> = new Set(['best', 'rank', 'sum', 'few', 'least', 'inner']);

export const numbers = ['spread', 'ties', 'infinities', 'NaN'] as const;
export type Numbers = (typeof numbers)[number];

export type Choices = 'long' | 'counted' | 'short';

function numberOf(kind: Numbers, random: Random): number {
  const x = random.between(-4000, 4000) / 512;
  if (kind === 'spread') return x;
  const few = Math.round(x / 2);
  return kind === 'ties' || random.chance(0.7) ? few : random.chance(0.99) ? -Infinity : Infinity;
}

function programOf(which: Choices, points: number): string {
  switch (which) {
    case 'long':
      return long(points);
    case 'counted':
      return counted(points);
    case 'short':
      return short;
  }
}

/** `points`: of a long group. */
export function choicesOf(which: Choices, kind: Numbers, points: number): Ready {
  const { prepared, diagnostics } = prepareText(programOf(which, points));
  if (prepared === null) throw new Error(diagnostics.map((d) => `${d.code} ${d.message}`).join('; '));
  const random = new Random(7);
  const [entry] = prepared.manifest.entries;
  const sizes = new Map([
    ['B', 3],
    ['T', 9],
  ]);
  const inputs = new Map<string, NamedTensor>();
  for (const { name, axes } of entry?.inputs ?? []) {
    const shape = evaluateShape(axes, sizes);
    const isSum = name === 'y' || name === 'v';
    const data = Float32Array.from({ length: elementCount(shape) }, () =>
      isSum ? random.between(-3, 3) : numberOf(kind, random),
    );
    if (kind === 'NaN' && (name === 's' || name === 'q')) data[data.length - 2] = NaN;
    inputs.set(name, { element: 'f32', shape, data });
  }
  return ready(prepared, { inputs });
}

/** What is wrong with a run, one line each. */
export async function wrongChoices(run: Ready, execute: (run: Ready) => Promise<Results>): Promise<readonly string[]> {
  const [want, have] = [await endOf(() => onReference(run)), await endOf(() => execute(run))];
  if (typeof want === 'string' || typeof have === 'string')
    return want === have ? [] : [`ends with ${shown(have)}, the reference with ${shown(want)}`];
  const others = [...exact].filter((name) => have.get(name)?.data.join() !== want.get(name)?.data.join());
  return [...others.map((name) => `${name} is not what the reference says`), ...differences(run, have, want)];
}

const shown = (end: Results | string): string => (typeof end === 'string' ? end : 'results');

/** Results, or the code of the error that a run told. */
async function endOf(run: () => Promise<Results>): Promise<Results | string> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof MoecError) return error.code;
    throw error;
  }
}
