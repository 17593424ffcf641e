/** One arithmetic of sizes: what is folded when compiling is what a run evaluates, of random formulas and of those that once differed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sizeOfSum, termOf } from '../../compiler/schedule/emitting/size-sum.ts';
import { sizeFormula } from '../../compiler/emit/size-formula.ts';
import {
  apply,
  asInteger,
  asNumber,
  exact,
  sizeKey,
  substitute,
  type Size,
  type SizeOp,
} from '../../dsl/types/size.ts';
import { evaluateNumber } from '../../runtime/contract/sizes.ts';

const T: Size = { kind: 'dynamic', axis: 'T' };
const Z: Size = { kind: 'dynamic', axis: 'Z' };
const sizes = new Map([
  ['T', 4],
  ['Z', 0],
]);

/** What a run makes of a formula; null where it refuses. */
function ofRun(size: Size): number | null {
  try {
    return evaluateNumber(sizeFormula(size), sizes);
  } catch (error) {
    expect(error).toMatchObject({ code: 'MOE0715' });
    return null;
  }
}

/** What is folded once the sizes are known; null where it is no number. */
function folded(size: Size): number | null {
  const n = asNumber(substitute(size, sizes));
  return n === null || !Number.isFinite(n) ? null : n;
}

const unary: readonly SizeOp[] = ['floor', 'ceil', 'abs', 'sign', 'sqrt', 'exp', 'log', 'sin', 'cos', 'tanh'];
const binary: readonly SizeOp[] = ['add', 'sub', 'mul', 'div', 'mod', 'pow', 'min', 'max'];

const { formula } = fc.letrec<{ formula: Size }>((tie) => ({
  formula: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(T, Z),
    fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: 1, max: 9 })).map(([n, d]) => exact(n, d)),
    fc.tuple(fc.constantFrom(...unary), tie('formula')).map(([op, a]) => apply(op, a)),
    fc.tuple(fc.constantFrom(...binary), tie('formula'), tie('formula')).map(([op, a, b]) => apply(op, a, b)),
  ),
}));

describe('the arithmetic of sizes', () => {
  it('folds to what a run evaluates', () => {
    fc.assert(
      fc.property(formula, (size) => {
        const run = ofRun(size);
        // What a run refuses as a division by zero is told when it is folded: it is no finite number, nor made of one.
        if (run !== null && Number.isFinite(run)) expect(folded(size)).toBe(run);
      }),
    );
  });

  it('is the same where it once differed', () => {
    const big = apply('div', apply('add', exact(10n ** 400n), T), exact(10n ** 399n));
    expect(folded(big)).toBe(ofRun(big));
    expect(ofRun(big)).toBe(10);
    const root = apply('floor', apply('sqrt', T));
    expect(substitute(root, sizes)).toEqual(exact(2));
    expect(ofRun(root)).toBe(2);
    expect(apply('div', apply('pow', exact(2), exact(100)), apply('pow', exact(2), exact(99)))).toEqual(exact(2));
    expect(ofRun(apply('div', T, Z))).toBe(null);
    expect(folded(apply('div', T, Z))).toBe(null);
    expect(ofRun(apply('mod', T, Z))).toBe(null);
    expect(ofRun(apply('pow', Z, exact(-1)))).toBe(null);
  });

  it('loses no argument of an operation on three', () => {
    const three = apply('min', T, T, exact(3));
    expect([folded(three), ofRun(three)]).toEqual([3, 3]);
    const nothing = apply('sub', T, T, exact(1));
    expect([folded(nothing), ofRun(nothing)]).toEqual([-1, -1]);
    const zeroth = apply('mul', exact(0), T, T);
    expect([folded(zeroth), ofRun(zeroth)]).toEqual([0, 0]);
    const sum = apply('add', T, exact(0), exact(5));
    expect([folded(sum), ofRun(sum)]).toEqual([9, 9]);
  });

  it('gives a whole number that no double holds as the nearest one, and tells it from its neighbour', () => {
    const [large, next] = [exact(2n ** 53n), exact(2n ** 53n + 1n)];
    expect([asInteger(large), asInteger(next)]).toEqual([2 ** 53, 2 ** 53]);
    expect(sizeKey(large)).not.toBe(sizeKey(next));
    expect(asInteger(exact(1n, 2n))).toBe(null);
    expect(sizeOfSum(termOf([next, T]))).toEqual(apply('mul', T, next));
  });
});
