/** What is made of weights alone is computed where a product is that it scales, if it is little beside the product's terms; else it has memory. */
import { expect, it } from 'vitest';
import { stepTexts } from '../../compiler/schedule/deciding/print-schedule.ts';
import { differences, onKernels, onReference, preparedOf, ready } from '../language/support.ts';

/** A product of so many terms with a batch norm behind it, and what goes on from that. */
const normed = (terms: number, then = 'y', out = '[B, O]'): string => `import { BatchNorm } from "std"
model Normed {
  axis B, I = ${terms}, O = 24
  param w: [O, I], u: [O]
  fn norm = BatchNorm<D: O>
  forward(x: [B, I]) -> ${out} {
    let y = relu(norm(w @ x))
    ${then}
  }
}`;

/** The square roots that a step computes, whether they have memory or a row holds them. */
const rootsOf = (text: string): number => {
  const { schedule, fused } = preparedOf(text).entry.inference;
  const steps = stepTexts(schedule, fused.graph).join(' | ');
  return fused.graph.nodes.filter(
    (node) => node.kind === 'map' && node.op === 'rsqrt' && steps.includes(`%${node.id} map on `),
  ).length;
};

it.each([
  ['at each point of a product of many terms', normed(64), 0],
  ['but not where the product has few terms', normed(4), 1],
  ['also where a sum goes along the points of the product once', normed(64, 'u @ y', '[B]'), 0],
])('the scale of a norm is computed in passing %s', async (_, text, roots) => {
  expect(rootsOf(text)).toBe(roots);
  const run = ready(preparedOf(text), { sizes: new Map([['B', 5]]) });
  expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
});

it('what is made of the input has memory as before', () => {
  const text = `model Scaled {
    axis B, I = 64, O = 24
    param w: [O, I]
    forward(x: [B, I], s: [O]) -> [B, O] { (w @ x) * rsqrt(s * s + 1) }
  }`;
  expect(rootsOf(text)).toBe(1);
});
