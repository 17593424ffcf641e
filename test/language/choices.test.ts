/** What is chosen means the same on the compiled plan as in the reference, by the kernel for each length of group. */
import { expect, it } from 'vitest';
import { choicesOf, numbers, wrongChoices, type Choices } from './choices.ts';
import { onKernels } from './support.ts';

const programs = numbers.flatMap((kind) => [
  ['long', kind] as const,
  ['counted', kind] as const,
  ['short', kind] as const,
]);

it.each(programs)('%s groups of numbers with %s', async (which, kind) => {
  expect(await wrongChoices(choicesOf(which, kind, 600), onKernels)).toEqual([]);
});

const wanted: readonly (readonly [Choices, readonly string[]])[] = [
  ['long', ['choose_long', 'reduce_slots']],
  ['short', ['choose', 'reduce_slots']],
];

it.each(wanted)('%s groups are chosen, and summed along, by the kernels that this is about', (which, names) => {
  const { steps } = choicesOf(which, 'spread', 600).prepared.entry.inference.schedule;
  const families = steps.flatMap((step) => {
    if (step.kind === 'row') return step.phases.flat().map(({ choice }) => choice.family);
    return step.kind === 'value' ? [step.choice.family] : [];
  });
  expect(families).toEqual(expect.arrayContaining([...names]));
});
