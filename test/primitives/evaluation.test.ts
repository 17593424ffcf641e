/** The dense primitives that compute, in float64, against numbers worked out by hand; the edges of SEMANTICS 6.3. */
import { describe, expect, test } from 'vitest';
import { erf, erfc } from '../../dsl/primitives/special-functions.ts';
import { type binaryNames, unaryNames } from '../../dsl/types/primitive-names.ts';
import { roundToF16 } from '../../dsl/tensors/round-to-f16.ts';
import { axis, backendWith, call, numbers, onlyNumber, problems, tensor } from './support.ts';

const T = axis('T', 2);
const D = axis('D', 3);
const E = axis('E', 2);
const N = axis('N', 0);

/** Roundings of the series of erf: thirty terms of two operations, and what stands in front. */
const SERIES = 64;
/** Of the fraction of erfc, whose levels add little each; exp(-x²) turns the rounding of x² into x² roundings, 100 for x = 10. */
const FRACTION = 164;

/** At most so many roundings of float64 away: each errs by 2^-53 of the number, and the table's own last digit by as much. */
function expectNear(actual: number, expected: number, roundings: number): void {
  expect(Math.abs(actual - expected) / Math.abs(expected)).toBeLessThanOrEqual((roundings + 1) * 2 ** -53);
}

describe('elementwise', () => {
  test('axes meet by name, whatever their order', () => {
    const x = tensor([T, D], [1, 2, 3, 4, 5, 6]);
    const y = tensor([D, T], [10, 40, 20, 50, 30, 60]);
    expect(numbers(call('add', { x, y }), [T, D])).toEqual([11, 22, 33, 44, 55, 66]);
    const z = tensor([E], [1, 2]);
    expect(numbers(call('mul', { x: tensor([T], [3, 5]), y: z }), [T, E])).toEqual([3, 6, 5, 10]);
  });

  test('every function is what its name says', () => {
    const at = (name: (typeof unaryNames)[number], x: number): number => onlyNumber(call(name, { x: tensor([], [x]) }));
    expect(at('sigmoid', 0)).toBe(0.5);
    expectNear(at('silu', 2), 2 / (1 + Math.exp(-2)), 4);
    expectNear(at('gelu', 1), 0.8413447460685429, SERIES);
    expectNear(at('gelu', -8), -8 * 6.220960574271785e-16, FRACTION);
    expectNear(at('gelu_tanh', 1), 0.8411919906082768, 8);
    expect(at('softplus', 1000)).toBe(1000);
    expectNear(at('softplus', 0), Math.LN2, 4);
    expect(at('rsqrt', 4)).toBe(0.5);
    expect(at('relu', -3)).toBe(0);
    expect(at('relu', NaN)).toBeNaN();
    expect(at('log', 0)).toBe(-Infinity);
    expect(at('sign', -0.5)).toBe(-1);
    expect(at('floor', -1.5)).toBe(-2);
    expect(at('ceil', -1.5)).toBe(-1);
    for (const name of unaryNames) expect(at(name, 0.5), name).not.toBeNaN();
  });

  test('every function of two', () => {
    const at = (name: (typeof binaryNames)[number], x: number, y: number, element: 'f32' | 'i32' | 'bool' = 'f32') =>
      numbers(call(name, { x: tensor([], [x], element), y: tensor([], [y], element) }, { element }), [])[0];
    expect(at('mod', -7, 3)).toBe(2);
    expect(at('mod', 7, -3)).toBe(-2);
    expect(at('div', -7, 2, 'i32')).toBe(-4);
    expect(at('mod', -7, 2, 'i32')).toBe(1);
    expect(at('div', 7, 0, 'i32')).toBe(7);
    expect(at('mod', 7, 0, 'i32')).toBe(0);
    expect(at('add', 2 ** 31 - 1, 1, 'i32')).toBe(-(2 ** 31));
    expect(at('mul', 65537, 65537, 'i32')).toBe(131073);
    expect(at('pow', 2, 0.5)).toBe(Math.SQRT2);
    expect(at('minimum', 1, 2)).toBe(1);
    expect(at('maximum', 1, 2)).toBe(2);
    expect(at('eq', NaN, NaN, 'bool')).toBe(0);
    expect(at('eq', 0, -0, 'bool')).toBe(1);
    expect(at('ne', 1, 2, 'bool')).toBe(1);
    expect([at('lt', 1, 1, 'bool'), at('le', 1, 1, 'bool'), at('gt', 2, 1, 'bool'), at('ge', 0, 1, 'bool')]).toEqual([
      0, 1, 1, 0,
    ]);
    expect([at('and', 1, 0, 'bool'), at('or', 1, 0, 'bool')]).toEqual([0, 1]);
  });

  test('where takes one side: the other may be anything', () => {
    const condition = tensor([D], [1, 0, 1], 'bool');
    const then = tensor([], [Infinity]);
    const other = tensor([D], [NaN, 2, NaN]);
    expect(numbers(call('where', { condition, then, else: other }), [D])).toEqual([Infinity, 2, Infinity]);
  });

  test('clamp and conversions', () => {
    const x = tensor([D], [-5, 0.3, 9]);
    expect(numbers(call('clamp', { x, low: tensor([], [-1]), high: tensor([], [1]) }), [D])).toEqual([-1, 0.3, 1]);
    expect(numbers(call('convert', { x: tensor([D], [-1.7, 3e10, NaN]) }, { element: 'i32' }), [D])).toEqual([
      -1,
      2 ** 31 - 1,
      0,
    ]);
    expect(numbers(call('convert', { x: tensor([D], [0, -0.1, NaN]) }, { element: 'bool' }), [D])).toEqual([0, 1, 1]);
    expect(numbers(call('convert', { x: tensor([D], [0.1, 70000, 2049]) }, { element: 'f16' }), [D])).toEqual([
      0.0999755859375,
      Infinity,
      2048,
    ]);
  });

  test('f16 rounds to nearest, ties to even, with subnormals', () => {
    expect(roundToF16(65519.99)).toBe(65504);
    // A number is an f32 before it is an f16: the next f32 is the tie.
    expect(roundToF16(65519.9999)).toBe(Infinity);
    expect(roundToF16(65520)).toBe(Infinity);
    expect(roundToF16(1 + 2 ** -11)).toBe(1);
    expect(roundToF16(1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9);
    expect(roundToF16(2 ** -25)).toBe(0);
    expect(roundToF16(2 ** -25 * 1.0001)).toBe(2 ** -24);
    expect(roundToF16(-(2 ** -24))).toBe(-(2 ** -24));
    expect(roundToF16(2 ** -14 - 2 ** -26)).toBe(2 ** -14);
    expect(roundToF16(NaN)).toBeNaN();
  });

  test('erf and erfc agree with tables', () => {
    expectNear(erf(0.5), 0.5204998778130465, SERIES);
    expectNear(erf(2.5), 0.999593047982555, SERIES);
    expectNear(erf(-3), -0.9999779095030014, 4);
    expectNear(erfc(3), 2.209049699858544e-5, FRACTION);
    expectNear(erfc(10), 2.088487583762545e-45, FRACTION);
    expect(erfc(-10)).toBe(2);
    expect(erf(NaN)).toBeNaN();
  });
});

describe('reductions', () => {
  const x = tensor([T, D], [1, 2, 3, 4, 6, 11]);

  test('over one axis, over several, over nothing', () => {
    expect(numbers(call('sum', { x }, { axes: { over: [D] } }), [T])).toEqual([6, 21]);
    expect(numbers(call('sum', { x }, { axes: { over: [T] } }), [D])).toEqual([5, 8, 14]);
    expect(numbers(call('mean', { x }, { axes: { over: [D, T] } }), [])).toEqual([4.5]);
    expect(numbers(call('var', { x }, { axes: { over: [D] } }), [T])).toEqual([2 / 3, 26 / 3]);
    expect(numbers(call('std', { x }, { axes: { over: [D] } }), [T])).toEqual([Math.sqrt(2 / 3), Math.sqrt(26 / 3)]);
    expect(numbers(call('max', { x }, { axes: { over: [T] } }), [D])).toEqual([4, 6, 11]);
    expect(numbers(call('min', { x }, { axes: { over: [T, D] } }), [])).toEqual([1]);
  });

  test('over an empty axis', () => {
    const empty = tensor([T, N], []);
    expect(numbers(call('sum', { x: empty }, { axes: { over: [N] } }), [T])).toEqual([0, 0]);
    expect(numbers(call('mean', { x: empty }, { axes: { over: [N] } }), [T])).toEqual([0, 0]);
    expect(numbers(call('var', { x: empty }, { axes: { over: [N] } }), [T])).toEqual([0, 0]);
    expect(numbers(call('logsumexp', { x: empty }, { axes: { over: [N] } }), [T])).toEqual([-Infinity, -Infinity]);
    expect(numbers(call('softmax', { x: empty }, { axes: { over: [N] } }), [T, N])).toEqual([]);
    expect(numbers(call('sum', { x: empty }, { axes: { over: [T] } }), [N])).toEqual([]);
  });

  test('a maximum over nothing is an error where it is needed', () => {
    const backend = backendWith();
    const max = call('max', { x: tensor([T, N], []) }, { axes: { over: [N] }, backend });
    expect(problems(backend, max)).toMatchObject([{ code: 'MOE0722', point: [{ axis: 'T', index: 0 }] }]);
    const nowhere = call('max', { x: tensor([N, N], []) }, { axes: { over: [N] }, backend });
    expect(problems(backend, nowhere)).toHaveLength(1);
    const noToken = call('max', { x: tensor([N, D], []) }, { axes: { over: [D] }, backend });
    expect(problems(backend, noToken)).toEqual([]);
    const first = call('argmax', { x: tensor([N], []) }, { axes: { over: [N] }, element: 'i32', backend });
    expect(problems(backend, first)).toMatchObject([{ code: 'MOE0722' }]);
  });

  test('logsumexp does not overflow and knows infinities', () => {
    const big = tensor([D], [1000, 1000, -Infinity]);
    expectNear(onlyNumber(call('logsumexp', { x: big }, { axes: { over: [D] } })), 1000 + Math.LN2, 6);
    const none = tensor([T], [-Infinity, -Infinity]);
    expect(numbers(call('logsumexp', { x: none }, { axes: { over: [T] } }), [])).toEqual([-Infinity]);
  });

  test('argmax: the lower index of equal ones, -inf counts, NaN is an error', () => {
    const argmax = (values: readonly number[]): number[] =>
      numbers(call('argmax', { x: tensor([D], values) }, { axes: { over: [D] }, element: 'i32' }), []);
    expect(argmax([1, 7, 7])).toEqual([1]);
    expect(argmax([0, -0, 0])).toEqual([0]);
    expect(argmax([-Infinity, -Infinity, -Infinity])).toEqual([0]);
    const backend = backendWith();
    const bad = call(
      'argmax',
      { x: tensor([T, D], [1, 2, 3, NaN, -Infinity, NaN]) },
      { axes: { over: [D] }, element: 'i32', backend },
    );
    expect(numbers(bad, [T])).toEqual([2, 1]);
    expect(problems(backend, bad)).toMatchObject([{ code: 'MOE0720', point: [{ axis: 'T', index: 1 }] }]);
  });

  test('i32 sums wrap', () => {
    const large = tensor([T], [2 ** 31 - 1, 1], 'i32');
    expect(numbers(call('sum', { x: large }, { axes: { over: [T] }, element: 'i32' }), [])).toEqual([-(2 ** 31)]);
  });
});

describe('along', () => {
  test('softmax: shifted, several axes, nothing but -inf is 0', () => {
    const x = tensor([T, D], [1000, 1000, -Infinity, -Infinity, -Infinity, -Infinity]);
    expect(numbers(call('softmax', { x }, { axes: { over: [D] } }), [T, D])).toEqual([0.5, 0.5, 0, 0, 0, 0]);
    expect(numbers(call('softmax', { x }, { axes: { over: [T, D] } }), [T, D])).toEqual([0.5, 0.5, 0, 0, 0, 0]);
    const bad = tensor([T], [NaN, 1]);
    expect(numbers(call('softmax', { x: bad }, { axes: { over: [T] } }), [T])).toEqual([NaN, NaN]);
  });

  test('cumsum and argsort', () => {
    const x = tensor([T, D], [3, 1, 2, 1, 1, 0]);
    expect(numbers(call('cumsum', { x }, { axes: { over: [D] } }), [T, D])).toEqual([3, 4, 6, 1, 2, 2]);
    expect(numbers(call('argsort', { x }, { axes: { over: [D] }, element: 'i32' }), [T, D])).toEqual([
      1, 2, 0, 2, 0, 1,
    ]);
    const F = axis('F', 5);
    const odd = tensor([F], [0, -Infinity, NaN, -0, NaN]);
    expect(numbers(call('argsort', { x: odd }, { axes: { over: [F] }, element: 'i32' }), [F])).toEqual([2, 4, 1, 0, 3]);
  });

  test('norms: eps inside the root', () => {
    const x = tensor([T], [3, 4]);
    expect(numbers(call('l2norm', { x }, { axes: { over: [T] } }), [T])).toEqual([3 * (1 / 5), 4 * (1 / 5)]);
    const [a] = numbers(call('rmsnorm', { x }, { axes: { over: [T] }, attributes: { eps: 1 } }), [T]);
    expectNear(a ?? NaN, 3 / Math.sqrt(13.5), 6);
    const layer = numbers(call('layernorm', { x }, { axes: { over: [T] } }), [T]);
    expect(layer).toEqual([-1, 1]);
  });
});

describe('contraction', () => {
  test('sums products, meets other axes, over several axes', () => {
    const a = tensor([T, D], [1, 2, 3, 4, 5, 6]);
    const b = tensor([D, E], [1, 0, 0, 1, 1, 1]);
    expect(numbers(call('dot', { left: a, right: b }, { axes: { over: [D] } }), [T, E])).toEqual([4, 5, 10, 11]);
    const c = tensor([D, T], [1, 1, 1, 1, 1, 1]);
    expect(numbers(call('dot', { left: a, right: c }, { axes: { over: [D] } }), [T])).toEqual([6, 15]);
    expect(numbers(call('dot', { left: a, right: c }, { axes: { over: [D, T] } }), [])).toEqual([21]);
  });

  test('over an empty axis 0; dense 0 times infinity is NaN', () => {
    expect(
      numbers(call('dot', { left: tensor([T, N], []), right: tensor([N], []) }, { axes: { over: [N] } }), [T]),
    ).toEqual([0, 0]);
    expect(
      numbers(
        call('dot', { left: tensor([T], [0, 1]), right: tensor([T], [Infinity, 1]) }, { axes: { over: [T] } }),
        [],
      ),
    ).toEqual([NaN]);
  });

  test('i32 products wrap', () => {
    const a = tensor([T], [65537, 2 ** 31 - 1], 'i32');
    const b = tensor([T], [65537, 1], 'i32');
    expect(numbers(call('dot', { left: a, right: b }, { axes: { over: [T] }, element: 'i32' }), [])).toEqual([
      (131073 + 2 ** 31 - 1) | 0,
    ]);
  });
});
