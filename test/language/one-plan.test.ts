/** Who runs an entry in one way only has one plan of it: the same as a module has, in the place of both. */
import { expect, test } from 'vitest';
import { printPlan } from '../../compiler/schedule/memory/print-plan.ts';
import { preparedOf } from './support.ts';

const text = `model Layer {
  axis T, D = 4, E = 3
  param w: [E, D] = 0.5
  forward(x: [T, D]) -> [T] {
    let s = softmax(w @ x, over: E)
    output scores = s
    loss mean_score = sum(s, over: (T, E))
    max(s, over: E)
  }
}`;

test('of the results, or of everything', () => {
  const planned = (plans?: 'results' | 'all') => {
    const { inference, withAux } = preparedOf(text, plans === undefined ? {} : { plans }).entry;
    return { texts: [printPlan(inference.plan), printPlan(withAux.plan)] as const, isOne: inference === withAux };
  };
  const both = planned();
  expect(both.isOne).toBe(false);
  expect(both.texts[0]).not.toBe(both.texts[1]);
  expect(planned('results')).toEqual({ texts: [both.texts[0], both.texts[0]], isOne: true });
  expect(planned('all')).toEqual({ texts: [both.texts[1], both.texts[1]], isOne: true });
});
