/**
 * Sums along slots that are one launch with the contractions that they are made of: layers of few rows are three launches, with an expert
 * that every row goes through as well; no text may say what is not legal. Their bits are held by test/examples/regimes.test.ts.
 */
import { expect, it } from 'vitest';
import { regimesOf } from '../../compiler/compile.ts';
import { preparedOf } from '../language/support.ts';
import { refusalOf } from './compiled-again.ts';

const layer = (of: string, more = ''): string => `import { SwiGLU } from "std"
model M {
  axis T, D = 64, F = 64, E = 8
  experts ffn[E] = SwiGLU<F>
  ${more}
  router gate(x: [T, D]) -> route[T -> E] {
    param w: [E, D]
    softmax(top_k(w @ x, 2, over: E), over: E)
  }
  forward(x: [T, D]) -> [T, D] { ${of} }
}`;

it.each([
  ['a layer', layer('gate(x) @ ffn(x)'), 3],
  ['with what came in', layer('x + gate(x) @ ffn(x)'), 3],
  ['with an expert for all', layer('gate(x) @ ffn(x) + always(x)', 'experts always = SwiGLU<F>'), 3],
])('with few rows %s is three launches', (_, text, launches) => {
  const compiled = preparedOf(text, { plans: 'results' }).entry.inference;
  const few = regimesOf(compiled).at(-1);
  expect([few?.regime, few?.plan.steps.length]).toEqual(['few', launches]);
  const families = few?.schedule.steps.flatMap((step) => (step.kind === 'value' ? [step.choice.family] : []));
  expect(families).toContain('summed');
  // Of many rows it is none: each has a tile with others.
  const many = compiled.schedule.steps.flatMap((step) => (step.kind === 'value' ? [step.choice.family] : []));
  expect(many).not.toContain('summed');
});

it.each([
  ['too many columns', /summed 1 x \d+/, 'summed 1 x 99', /1 to 16 columns of a row, this one 99/],
  ['several rows of a subgroup', /(summed [^\n]*; simd4: )1 x/, '$12 x', /a row by itself is no tile of 2 rows/],
  ['a class that is not there', /(summed [^\n]*; )simd4/, '$1simd5', /simd5 has no tile of this sum/],
])('is refused with %s', (_, from, to, message) => {
  const error = refusalOf(layer('gate(x) @ ffn(x)'), (schedule) => schedule.replace(from, to));
  expect(String(error)).toMatch(message);
});
