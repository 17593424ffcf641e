/** The notice that every expert runs though a route is there: where it is told, and where it is not. */
import { describe, expect, test } from 'vitest';
import { denseExperts } from '../../compiler/graph/dense-experts.ts';
import { prepareText } from './support.ts';

const model = (
  body: string,
  choice = 'top_k(softmax(w @ x, over: E), 2, over: E)',
): string => `import { SwiGLU } from "std"
model M {
  axis T, D = 4, F = 3, E = 8, G = 2, N = 4
  param w: [E, D]
  experts ffn[E] = SwiGLU<F>
  expert Score(x: [D]) -> f32 { param v: [D]
    sum(v * x, over: D) }
  experts score[E] = Score
  router gate(x: [D]) -> route[E] { ${choice} }
  fn weigh(r: [T, E], y: [T, E, D]) -> [T, D] { sum(r * y, over: E) }
  forward(x: [T, D]) -> [T, D] {
    let r = gate(x)
    ${body}
  }
}`;

function told(text: string): readonly string[] {
  const { prepared, diagnostics } = prepareText(text);
  expect(diagnostics.map((d) => d.message)).toEqual([]);
  if (prepared === null) throw new Error('the text has a mistake');
  return denseExperts(prepared.entry.inference.fused, 'example.moe').map(
    ({ family, axis, span }) => `${family} along ${axis}: ${text.slice(span.start, span.end)}`,
  );
}

describe('told', () => {
  test.each([
    ['sum(dense(r) * ffn(x), over: E)', 'ffn along E: dense(r) * ffn(x)'],
    ['dot(dense(r), ffn(x), over: E)', 'ffn along E: dot(dense(r), ffn(x), over: E)'],
    [
      'chain e in E carrying y: [T, D] = 0 { y + dense(r)[E: e] * ffn[e](x) }',
      'ffn along E: dense(r)[E: e] * ffn[e](x)',
    ],
    ['dense(r)[E: 3] * ffn[E: 3](x)', 'ffn along E: dense(r)[E: 3] * ffn[E: 3](x)'],
    ['weigh(dense(r), ffn(x))', 'ffn along E: r * y'],
    ['let m = where(r, 1, 0)\n sum(2 * m * dense(r) * ffn(x), over: E)', 'ffn along E: 2 * m * dense(r) * ffn(x)'],
    ['r @ ffn(x) + mean(ffn(x), over: E)', 'ffn along E: mean(ffn(x), over: E)'],
  ])('%s', (body, wanted) => {
    expect(told(model(body))).toEqual([wanted]);
  });
});

describe('not told', () => {
  test.each([
    'r @ ffn(x)',
    'sum(ffn(r * x), over: E)',
    'r @ ffn(x) + ffn[E: 0](x)',
    'sum(split(r, E: (G, N)), over: G) @ ffn[E: 0 .. 4 as N](x)',
    'dense(r) @ w',
    // Scores of all experts, by which others choose.
    'top_k(score(x), 1, over: E) @ ffn(x)',
    'x * sum(softmax(w @ x, over: E) * dense(r), over: E)',
  ])('%s', (body) => {
    expect(told(model(body))).toEqual([]);
  });

  test('where the route chooses everybody, or is chosen by what the experts say', () => {
    expect(told(model('r @ ffn(x)', 'all(softmax(w @ x, over: E), over: E)'))).toEqual([]);
    const sure = 'top_k(max(ffn(x), over: D), 2, over: E) @ ffn(x)';
    expect(told(model(sure))).toEqual([]);
  });
});
