/**
 * What a route knows by construction is not scanned for: the work of selections as formulas, as `moec explain kernels` prints it.
 * Rounds are those of the innermost loops over all threads, at most.
 */
import { expect, it } from 'vitest';
import { asNumber, substitute, type Size } from '../../dsl/types/size.ts';
import type { Launch } from '../../compiler/schedule/memory/plan.ts';
import { prepareText } from '../language/support.ts';

function launchesOf(text: string): readonly Launch[] {
  const { prepared, diagnostics } = prepareText(text);
  if (prepared === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
  return prepared.entry.inference.plan.steps.flatMap((step) => (step.kind === 'launch' ? [step] : []));
}

/** Rounds of all launches together. */
function roundsOf(launches: readonly Launch[], sizes: Readonly<Record<string, number>>): number {
  const number = (size: Size): number => asNumber(substitute(size, new Map(Object.entries(sizes)))) ?? NaN;
  return launches.reduce((sum, { work }) => sum + number(work.tripCount), 0);
}

const sampler = (pick: string, points: number): string => `model Sampler {
  axis B, V = ${points}
  forward(logits: [B, V]) -> i32[B] { argmax(log(dense(${pick})) + gumbel[B, V], over: V) }
}`;

it.each([
  ['top_k', 'softmax(top_k(logits, 50, over: V), over: V)', 50],
  ['top_p', 'top_p(softmax(logits, over: V), 0.9, over: V, at_most: 64)', 64],
])('%s of a vocabulary takes passes over it, and what is chosen for each of its points', (_, pick, most) => {
  const of = (points: number): number => roundsOf(launchesOf(sampler(pick, points)), { B: 1 });
  const [one, two] = [of(75_968), of(151_936)];
  // Ten passes find what is chosen; a mask asks each point whether it is. Then a few reductions.
  expect(two).toBeLessThan(151_936 * (10 + most + 4) + 200_000);
  // Twice as long costs twice as much.
  expect(two / one).toBeLessThan(2.01);
});
