/** The sum of routes that name their experts has slots: those of all of them, each expert of a token once, whoever names it. */
import { describe, expect, it } from 'vitest';
import { comparisonOf } from '../../compiler/cli/running/comparisons.ts';
import { stepwiseOnKernels } from '../../compiler/cli/running/stepwise.ts';
import { printSchedule } from '../../compiler/schedule/deciding/print-schedule.ts';
import type { Target } from '../../compiler/target.ts';
import { differences, onKernels, onReference, preparedOf, ready, usualTarget } from '../language/support.ts';

/** Tiles as large matrices have them: what lists and slots are made for. */
const target: Target = { ...usualTarget, tileFrom: 0 };

/** Sixteen experts, and routes among them: `strong` and `weak` of the same scores, so that the strong ones are among the weak. */
const layer = (route: string, { result = 'gate(x, word) @ ffn(x)', over = 'E' } = {}): string => {
  const axes = over === 'E' ? 'E' : 'G, M';
  return `import { SwiGLU } from "std"
model Layer {
  axis T, D = 32, F = 32, E = 16, G = 4, M = 4
  experts ffn[${axes}] = SwiGLU<F>
  router gate(x: [T, D], word: i32[T] in E) -> route[T -> ${axes}] {
    param v: [${axes}, D], w: [${axes}, D]
    let s: [T, ${axes}] = w @ x
    let strong = softmax(top_k(s, 2, over: ${over}), over: ${over})
    let weak = softmax(top_k(s, 3, over: ${over}), over: ${over})
    let other = softmax(top_k(v @ x, 2, over: ${over}), over: ${over})
    ${route}
  }
  forward(x: [T, D], word: i32[T] in E) -> [T, D] { ${result} }
}`;
};

const sums = [
  ['choices that name the same', layer('strong + weak')],
  ['choices of different scores', layer('strong + other')],
  ['a difference', layer('strong - other')],
  ['three of them', layer('strong + weak + other')],
  ['three of them, the last two first', layer('other + (strong + weak)')],
  ['an expert that the word names', layer('strong + 0.5 * pick(word, over: E)')],
  ['one that is always there', layer('pick(0 * word + 3, over: E) + strong')],
  ['two indices', layer('pick(word, over: E) + 2 * pick((word + 1) % 16, over: E) + strong')],
  ['an index that may be none', layer('strong + pick(where(word > 7, -1, word), over: E)')],
  ['what is left of choices', layer('keep(strong, s > 0, over: E) + keep(weak, s < 1, over: E)')],
  ['what is kept of the sum', layer('keep(strong + other, s > 0, over: E)')],
  ['weights that add up to one', layer('normalize(strong + other)')],
  ['experts of groups', layer('strong + other', { over: '(G, M)' })],
  ['places for so many', layer('strong + weak', { result: 'limit(gate(x, word), to: 2, over: T) @ ffn(x)' })],
] as const;

describe('a sum of routes', () => {
  it.each(sums)('is listed by its slots, and has the numbers of the reference: %s', async (_, text) => {
    const prepared = preparedOf(text, { target });
    const { schedule, fused } = prepared.entry.inference;
    const said = printSchedule(schedule, fused.graph);
    expect(said).toMatch(/of the slots \(T, \w+_slot\)/);
    expect(said).not.toMatch(/reduce_listed|index r/);
    const few = preparedOf(text, { target, regime: 'few' });
    for (const T of [1, 9]) {
      const sizes = new Map([['T', T]]);
      const run = ready(prepared, { sizes });
      const own = await onKernels(run);
      expect(differences(run, own, await onReference(run)), String(T)).toEqual([]);
      expect(await onKernels(ready(few, { sizes })), String(T)).toEqual(own);
      if (T === 9) expect(comparisonOf(run, await stepwiseOnKernels(run), null).firstWrong).toBe(null);
    }
  });

  it('is five launches where its routers are a row, and three with few rows', () => {
    const launches = (regime: 'many' | 'few'): number =>
      preparedOf(layer('strong + other'), { target, regime }).entry.inference.plan.steps.length;
    expect([launches('many'), launches('few')]).toEqual([5, 3]);
  });

  it('of choices that are all there are is looked for, as before', () => {
    const all = layer('top_k(s, 9, over: E) + top_k(v @ x, 9, over: E)');
    const { schedule, fused } = preparedOf(all, { target }).entry.inference;
    expect(printSchedule(schedule, fused.graph)).not.toMatch(/of the slots/);
  });
});
