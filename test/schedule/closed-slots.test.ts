/** Slots stay slots: of a part of what was chosen from, and where a sum goes through the points that choose. */
import { describe, expect, it } from 'vitest';
import { comparisonOf } from '../../compiler/cli/running/comparisons.ts';
import { stepwiseOnKernels } from '../../compiler/cli/running/stepwise.ts';
import { printSchedule } from '../../compiler/schedule/deciding/print-schedule.ts';
import { differences, onKernels, onReference, preparedOf, ready } from '../language/support.ts';

const layer = (experts: string, router: string, forward: string): string => `import { SwiGLU, Zero } from "std"
model Layer {
  axis T, D = 32, F = 32, E = 8, N = 4, G = 4, M = 4
  ${experts}
  ${router}
  forward(x: [T, D]) -> [T, D] { ${forward} }
}`;

/** Experts, of which some do nothing, and a loss that looks at all of what was chosen. */
const withNone = (first: string, second: string): string =>
  layer(
    `experts ffn[E] = SwiGLU<F>
  experts nothing[N] = Zero
  experts mix[P] = ${first} | ${second}`,
    `router gate(x: [T, D]) -> route[T -> P] {
    param w: [E, D], none: [N, D]
    let s: [T, P] = concat(${first === 'ffn' ? 'w @ x, none @ x, (E, N)' : 'none @ x, w @ x, (N, E)'}: P)
    let chosen = top_k(softmax(s, over: P), 3, over: P)
    loss balance = P * load(chosen, over: T) @ mean(softmax(s, over: P), over: T)
    keep(chosen, is(P: ffn), over: P) |> normalize
  }`,
    'gate(x) @ mix(x)',
  );

/** So many experts of each group. */
const ofGroups = (most: number): string =>
  layer(
    'experts ffn[G, M] = SwiGLU<F>',
    `router gate(x: [T, D]) -> route[T -> G, M] {
    param w: [G, M, D]
    let s: [T, G, M] = w @ x
    top_k(softmax(s, over: (G, M)), ${most}, over: M)
  }`,
    'gate(x) @ ffn(x)',
  );

describe('assignments that are named', () => {
  it.each([
    ['in the first part of what was chosen from', withNone('ffn', 'nothing')],
    ['in a later part', withNone('nothing', 'ffn')],
    ['in each of some groups', ofGroups(1)],
    ['twice in each of some groups', ofGroups(2)],
  ])('are slots: %s', async (_, text) => {
    const { schedule, fused } = preparedOf(text).entry.inference;
    const said = printSchedule(schedule, fused.graph);
    expect(said).toMatch(/the slots /);
    expect(said).not.toMatch(/reduce_listed|index r/);
    for (const T of [0, 1, 20]) {
      const run = ready(preparedOf(text), { sizes: new Map([['T', T]]) });
      expect(differences(run, await onKernels(run), await onReference(run)), String(T)).toEqual([]);
      expect(comparisonOf(run, await stepwiseOnKernels(run), null).firstWrong, String(T)).toBe(null);
    }
  });
});
