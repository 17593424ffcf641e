/** Sums over few experts ask at each whether it was chosen; over many they go along those that were, which are listed for it. */
import { expect, it } from 'vitest';
import { stepTexts } from '../../compiler/schedule/deciding/print-schedule.ts';
import { webgpuCore, type Target } from '../../compiler/target.ts';
import { differences, onKernels, onReference, preparedOf, ready } from '../language/support.ts';

/** Experts until their probabilities come to a half: a run decides how many. */
const layer = (E: number): string => `import { SwiGLU } from "std"
model Layer {
  axis T, D = 16, E = ${E}, F = 16
  param w: [E, D]
  experts ffn[E] = SwiGLU<F>
  forward(x: [T, D]) -> [T, D] { top_p(softmax(w @ x, over: E), 0.5, over: E) @ ffn(x) }
}`;

const listing: Target = { ...webgpuCore, maxAsked: 0 };

const stepsOf = (text: string, target: Target = webgpuCore): readonly string[] => {
  const { schedule, fused } = preparedOf(text, { target }).entry.inference;
  return stepTexts(schedule, fused.graph);
};

it('asks of so many as a target says, by four neighbours at once', () => {
  expect(stepsOf(layer(32)).filter((step) => step.startsWith('index'))).toEqual([]);
  expect(stepsOf(layer(32)).at(-2)).toMatch(/ reduce on \[T, D\], 4 a thread$/);
  expect(stepsOf(layer(33)).filter((step) => step.startsWith('index'))).toHaveLength(1);
  expect(stepsOf(layer(8), listing).filter((step) => step.startsWith('index'))).toHaveLength(1);
});

it('has the bits of the sum along what is listed, and the numbers of the reference', async () => {
  const sizes = new Map([['T', 7]]);
  const run = ready(preparedOf(layer(8), { target: webgpuCore }), { sizes });
  const own = await onKernels(run);
  expect(own).toEqual(await onKernels(ready(preparedOf(layer(8), { target: listing }), { sizes })));
  expect(differences(run, own, await onReference(run))).toEqual([]);
});
