/**
 * Room for assignments where one selection is used in several ways: the same points under other axes are counted once, parts of a
 * selection are together as few as the selection, and what is not known to share a point is added. Numbers are compared too: a list
 * that is too short would lose rows.
 */
import { describe, expect, it } from 'vitest';
import { stepwiseOnKernels } from '../../compiler/cli/running/stepwise.ts';
import { comparisonOf } from '../../compiler/cli/running/comparisons.ts';
import type { AxisId } from '../../compiler/graph/graph-ir.ts';
import { formatSize } from '../../dsl/types/size.ts';
import { preparedOf, ready } from '../language/support.ts';

const model = (body: string) => `import { SwiGLU } from "std"
model Views {
  axis T, D = 8, F = 16, E = 8, G = 2, M = 4, A = 3, B = 5, N = 1
  param w: [E, D]
  param v: [E, D]
  experts ffn[E] = SwiGLU<F>
  forward(x: [T, D]) -> (y: [T, D], z: [T, D]) {
    let r = top_k(softmax(w @ x, over: E), 2, over: E)
    let q = top_k(softmax(v @ x, over: E), 2, over: E)
    let h = ffn(x)
    ${body}
  }
}`;

/** Entries of lists of points over E, first of those at which the experts are computed. */
function preparedAs(body: string) {
  const prepared = preparedOf(model(body));
  const { assignmentLists } = prepared.entry.inference.schedule;
  const names = (axes: readonly AxisId[]): string =>
    axes.map((a) => prepared.entry.inference.fused.graph.axes.get(a)?.name).join();
  const lists = assignmentLists.filter(({ axes }) => names(axes) === 'E,T');
  return { prepared, entries: lists.map(({ capacity }) => formatSize(capacity)) };
}

const split = 'E: (G, M)';
const cases: readonly (readonly [string, string, string])[] = [
  ['split', `let s = split(r, ${split})\n(y: r @ h, z: s @ split(2 * h, ${split}))`, '2 * T'],
  ['split and merged', `let s = merge(split(r, ${split}), (G, M): E)\n(y: r @ h, z: s @ (2 * h))`, '2 * T'],
  ['fewer, then split', `let s = split(keep(r, r > 0.3), ${split})\n(y: r @ h, z: s @ split(2 * h, ${split}))`, '2 * T'],
  ['a condition and its opposite', `let s = keep(r, r > 0.3) + keep(r, not (r > 0.3))\n(y: s @ h, z: s @ (2 * h))`, '2 * T'],
  ['a range beside the whole', '(y: r @ h, z: r[E: 3 .. 8 as B] @ h[E: 3 .. 8 as B])', '2 * T'],
  ['two ranges that are apart', '(y: r[E: 0 .. 3 as A] @ h[E: 0 .. 3 as A], z: r[E: 3 .. 8 as B] @ h[E: 3 .. 8 as B])', '2 * T'],
  ['one range twice', '(y: r[E: 0 .. 3 as A] @ h[E: 0 .. 3 as A], z: r[E: 0 .. 3 as A] @ (2 * h[E: 0 .. 3 as A]))', '2 * T'],
  ['ranges that overlap', '(y: r[E: 0 .. 5 as B] @ h[E: 0 .. 5 as B], z: r[E: 3 .. 8 as B] @ h[E: 3 .. 8 as B])', '2 * T'],
  ['ranges of a split', `let s = split(r, ${split})
 let g = split(h, ${split})
 (y: sum(s[G: 0 .. 1 as N] * g[G: 0 .. 1 as N], over: (N, M)), z: s[G: 1 .. 2 as N] @ g[G: 1 .. 2 as N])`, '2 * T'],
  ['a range of a range', 'let i = r[E: 3 .. 8 as B]\n let j = h[E: 3 .. 8 as B]\n (y: r[E: 0 .. 3 as A] @ h[E: 0 .. 3 as A], z: i[B: 2 .. 5 as A] @ j[B: 2 .. 5 as A])', '2 * T'],
  ['a sum, and the sum split', `let s = r + q\n(y: s @ h, z: split(s, ${split}) @ split(2 * h, ${split}))`, '4 * T'],
  ['two selections', '(y: r @ h, z: q @ (2 * h))', '4 * T'],
  ['a selection, and another one split', `(y: r @ h, z: split(q, ${split}) @ split(2 * h, ${split}))`, '4 * T'],
  ['ranges of two selections', '(y: r[E: 0 .. 3 as A] @ h[E: 0 .. 3 as A], z: q[E: 3 .. 8 as B] @ h[E: 3 .. 8 as B])', '4 * T'],
]; // prettier-ignore

describe('one selection used twice', () => {
  it.each(cases)('%s', async (_, body, wanted) => {
    const { prepared, entries } = preparedAs(body);
    expect(entries[0]).toBe(wanted);
    const given = ready(prepared, { sizes: new Map([['T', 5]]) });
    const { firstWrong, launches } = comparisonOf(given, await stepwiseOnKernels(given), null);
    expect(firstWrong).toBe(null);
    expect(launches.compared).toBeGreaterThan(100);
  });
});
