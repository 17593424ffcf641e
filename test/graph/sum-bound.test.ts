/** Bounds of sums: never below what the order of sums errs, and far below what a wrong sum errs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sumDepth } from '../../dsl/tensors/sum-order.ts';
import type { NumbersWithBounds } from '../../compiler/graph/row-major-offsets.ts';
import { u } from '../../compiler/graph/scalar-bound.ts';
import { boundContract, boundReduce, boundScan } from '../../compiler/graph/sum-bound.ts';
import { treeSum } from '../support/tree-sum.ts';
import { N, line } from './line.ts';

const vector = (terms: ArrayLike<number>, delta = 0): NumbersWithBounds => ({
  axes: [N],
  value: Float64Array.from(terms),
  delta: new Float64Array(terms.length).fill(delta),
});
const point = (): NumbersWithBounds => ({ axes: [], value: new Float64Array(1), delta: new Float64Array(1) });

function sum(terms: ArrayLike<number>, delta = 0, element: 'f32' | 'i32' = 'f32'): { v: number; d: number } {
  const out = point();
  boundReduce(vector(terms, delta), { op: 'sum', over: [N], element }, out, line(terms.length));
  return { v: out.value[0] ?? NaN, d: out.delta[0] ?? NaN };
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): { v: number; d: number } {
  const out = point();
  boundContract(vector(a), vector(b), { over: [N], element: 'f32' }, out, line(a.length));
  return { v: out.value[0] ?? NaN, d: out.delta[0] ?? NaN };
}

const number = fc.oneof(
  fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e4, max: 1e4 }),
  fc.constantFrom(0, 0.5, 1, -1, 3, Math.fround(0.1)),
);
const many = fc
  .tuple(fc.array(number, { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 3000 }))
  .map(([some, n]) => Array.from({ length: n }, (_, i) => some[i % some.length] ?? 0));

describe('the bound of a sum', () => {
  it('is not below what the order of sums errs', () => {
    fc.assert(
      fc.property(many, (terms) => {
        const { v, d } = sum(terms);
        expect(Math.abs(treeSum(terms) - v)).toBeLessThanOrEqual(d + 1e-12 * Math.abs(v));
        const squares = dot(terms, terms);
        const products = treeSum(terms.map((x) => Math.fround(x * x)));
        expect(Math.abs(products - squares.v)).toBeLessThanOrEqual(squares.d + 1e-12 * squares.v);
      }),
    );
  });

  it('is not below what running sums err', () => {
    fc.assert(
      fc.property(many, fc.boolean(), (terms, exclusive) => {
        const out = vector(terms.map(() => 0));
        boundScan(vector(terms), { axis: N, exclusive, element: 'f32' }, out, line(terms.length));
        for (let i = 0; i < terms.length; i += i < 40 ? 1 : 61) {
          const end = exclusive ? i : i + 1;
          const cut = 32 * Math.floor(i / 32);
          const run = Math.fround(treeSum(terms.slice(0, cut)) + treeSum(terms.slice(cut, end)));
          const v = out.value[i] ?? NaN;
          expect(Math.abs(run - v)).toBeLessThanOrEqual((out.delta[i] ?? NaN) + 1e-12 * Math.abs(v));
        }
      }),
    );
  });

  it('is a few millionths of a long positive sum, so that no wrong one passes', () => {
    const tenth = Math.fround(0.1);
    for (const n of [65_536, 1_000_000]) {
      const { v, d } = sum(new Float32Array(n).fill(0.1));
      expect(d).toBeLessThan(1.001 * sumDepth(n) * u * v);
      expect(d / v).toBeLessThan(8e-6);
      let single = 0;
      for (let i = 0; i < n; i++) single = Math.fround(single + tenth);
      expect(Math.abs(single - v)).toBeGreaterThan(10 * d);
    }
    const { v, d } = dot(new Float32Array(16_384).fill(0.3), new Float32Array(16_384).fill(0.7));
    // A rounding of each product, beside those of the sum.
    expect(d / v).toBeLessThan(1.001 * (sumDepth(16_384) + 1) * u);
  });

  it('counts terms that are not 0: two of a thousand are added once', () => {
    const terms = new Float32Array(1000);
    [terms[3], terms[900]] = [0.1, 0.7];
    const { v, d } = sum(terms);
    expect(d).toBeLessThan(1.001 * u * v);
    [terms[3], terms[900]] = [0, 0.7];
    expect(sum(terms).d).toBe(0);
  });

  it('is nothing where all terms are multiples of a power of two that the sum has room for', () => {
    expect(sum(new Float32Array(5000).fill(0.375)).d).toBe(0);
    expect(sum(Array.from({ length: 3000 }, (_, i) => (i % 2 === 0 ? 7 : -5))).d).toBe(0);
    expect(dot(new Float32Array(5000).fill(0.25), new Float32Array(5000).fill(3)).d).toBe(0);
    expect(sum([2 ** 24, 1]).d).toBeGreaterThan(0.99);
    expect(sum([2 ** -70, 2 ** -70]).d).toBeGreaterThan(0);
  });

  it('of whole numbers is nothing, and they wrap', () => {
    expect(sum([2 ** 31 - 1, 1], 0, 'i32')).toEqual({ v: -(2 ** 31), d: 0 });
    const out = point();
    boundContract(vector([65_537]), vector([65_537]), { over: [N], element: 'i32' }, out, line(1));
    expect([out.value[0], out.delta[0]]).toEqual([131_073, 0]);
  });

  it('passes on what its terms bring', () => {
    expect(sum(new Float32Array(100).fill(1), 0.25).d).toBeGreaterThanOrEqual(25);
    expect(sum([1, 2], Infinity).d).toBe(Infinity);
  });
  it('is nothing of an infinity or NaN, unless the finite terms make another on the way', () => {
    expect(sum([1, NaN])).toEqual({ v: NaN, d: 0 });
    expect(sum([Infinity, 1])).toEqual({ v: Infinity, d: 0 });
    expect(sum([Infinity, 1], Infinity).d).toBe(Infinity);
    expect(sum([Infinity, -3e38, -3e38]).d).toBe(Infinity);
    expect(sum([3e38, 3e38, -3e38]).d).toBe(Infinity);
    // What is exactly 0 leaves NaN where it meets an infinity, and nothing certain where it meets what is not known.
    expect(dot([0], [Infinity])).toEqual({ v: NaN, d: 0 });
    const out = point();
    boundContract(vector([0]), vector([1], Infinity), { over: [N], element: 'f32' }, out, line(1));
    expect(out.delta[0]).toBe(Infinity);
  });
});
