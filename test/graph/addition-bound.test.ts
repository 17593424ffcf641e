/** Additions in one another: whatever order a driver adds them up in stays within the bound, and a wrong term does not. */
import { idOf } from '../../dsl/types/ids.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundGraph } from '../../compiler/graph/error-bound.ts';
import { parseGraph } from '../../compiler/graph/parse-graph.ts';

const text = `graph sum
  axes T = T
  %0 = input a : f32[T]
  %1 = input b : f32[T]
  %2 = input c : f32[]
  %3 = add %0 %1 : f32[T]
  %4 = broadcast %2 : f32[T]
  %5 = sub %3 %4 : f32[T]
  %6 = constant 1 : f32[]
  %7 = add %5 %6 : f32[T]
  result output = %7 [T]
`;

/** a + b - c + 1 at one point. */
function bounded(a: number, b: number, c: number): { readonly v: number; readonly d: number } {
  const { graph } = parseGraph(text);
  const given = new Map(Object.entries({ a, b, c }).map(([name, v]) => [name, Float64Array.of(v)]));
  const found = boundGraph(graph, {
    sizes: new Map([['T', 1]]),
    numbersOf: (name) => given.get(name) ?? null,
    given: () => null,
  }).get(idOf(7));
  return { v: found?.value[0] ?? NaN, d: found?.delta[0] ?? NaN };
}

const { fround } = Math;
const plus = (x: number, y: number): number => fround(x + y);

/** All ways to add up terms in f32, two at a time. */
function orders(terms: readonly number[]): readonly number[] {
  const [only] = terms;
  if (terms.length === 1 && only !== undefined) return [only];
  return terms.flatMap((x, i) =>
    terms.slice(i + 1).flatMap((y, j) => {
      const others = terms.filter((_, k) => k !== i && k !== i + 1 + j);
      return orders([plus(x, y), ...others]);
    }),
  );
}

const number = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true, min: fround(-1e6), max: fround(1e6) }),
  fc.float({ noNaN: true, noDefaultInfinity: true, min: fround(-1e-3), max: fround(1e-3) }),
);

describe('additions in one another', () => {
  it('err within their bound in every order', () => {
    fc.assert(
      fc.property(number, number, number, (a, b, c) => {
        const { v, d } = bounded(a, b, c);
        for (const sum of orders([a, b, -c, 1])) expect(Math.abs(sum - v)).toBeLessThanOrEqual(d * (1 + 1e-6));
      }),
    );
  });

  it('have the bound that one lavapipe adds constants first within', () => {
    // (a + a) + 1 is (a + 1) + a there: 1.0000770092010498, where one rounding gives 1.0000771284103394.
    const a = fround(3.8534461055e-5);
    const { v, d } = bounded(a, a, 0);
    expect(Math.abs(plus(plus(a, 1), a) - v)).toBeLessThanOrEqual(d);
    expect(d).toBeLessThan(2 ** -22);
  });

  it('are bounded far below a term that is missing', () => {
    const { v, d } = bounded(0.5, 0.25, 0.125);
    expect(v).toBe(1.625);
    expect(d).toBeLessThan(1e-6);
  });
});
