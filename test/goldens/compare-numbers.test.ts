/** The comparison, the formulas and the patterns: a harness that says "pass" too easily would make every golden worthless. */
import { describe, expect, test } from 'vitest';
import { type Value, evaluate, keysOf } from './formula.ts';
import { type NamedTensor, compareNumbers, comparePicks } from './compare-numbers.ts';
import { fill, matches } from './patterns.ts';

const bound = { atol: 1e-3, rtol: 1e-2 };
const numbers = (data: readonly number[], shape: readonly number[] = [data.length]): NamedTensor => ({
  element: 'f32',
  shape,
  data: Float64Array.from(data),
});
const integers = (data: readonly number[], shape: readonly number[]): NamedTensor => ({
  element: 'i32',
  shape,
  data: Int32Array.from(data),
});

describe('numbers', () => {
  test('the error is measured against atol + rtol * |expected|', () => {
    // Sums of powers of two, so that every number below is exact.
    const verdict = compareNumbers(numbers([2.25, 0]), numbers([2, 0]), { atol: 0.25, rtol: 0.125 });
    expect(verdict.passed).toBe(true);
    expect(verdict.worst).toBe(0.5);
    expect(verdict.error).toBe(0.25);
  });

  test('just outside of the bound fails, and the place is told', () => {
    const verdict = compareNumbers(numbers([0, 0, 0, 2.0211], [2, 2]), numbers([0, 0, 0, 2], [2, 2]), bound);
    expect(verdict.passed).toBe(false);
    expect(verdict.problem).toContain('[1, 1]');
  });

  test('what is no number fails, whatever the bound', () => {
    expect(compareNumbers(numbers([NaN]), numbers([0]), { atol: Infinity, rtol: 0 }).passed).toBe(false);
    expect(compareNumbers(numbers([Infinity]), numbers([3]), bound).passed).toBe(false);
    expect(compareNumbers(numbers([-Infinity]), numbers([-Infinity]), bound).passed).toBe(true);
    expect(compareNumbers(numbers([-Infinity]), numbers([Infinity]), bound).passed).toBe(false);
  });

  test('shapes may be cut differently, not hold differently much', () => {
    expect(compareNumbers(numbers([1, 2, 3, 4], [2, 2]), numbers([1, 2, 3, 4], [4]), bound).passed).toBe(true);
    expect(compareNumbers(numbers([1, 2]), numbers([1, 2, 3]), bound).passed).toBe(false);
  });
});

describe('picks', () => {
  const want = { indices: integers([4, 1, 0, 2], [2, 2]), weights: numbers([0.7, 0.3, 0.6, 0.4], [2, 2]) };

  test('are sets: the order does not matter, and empty places may follow', () => {
    const indices = integers([1, 4, -1, 2, 0, -1], [2, 3]);
    const weights = numbers([0.3, 0.7, 0, 0.4, 0.6, 0], [2, 3]);
    expect(comparePicks({ indices, weights }, want, bound).passed).toBe(true);
  });

  test('the weight belongs to the index, not to the place', () => {
    const weights = numbers([0.3, 0.7, 0.6, 0.4], [2, 2]);
    expect(comparePicks({ indices: want.indices, weights }, want, bound).passed).toBe(false);
  });

  test('another index, one too many and one too few all fail', () => {
    const other = { indices: integers([4, 3, 0, 2], [2, 2]), weights: want.weights };
    expect(comparePicks(other, want, bound).problem).toContain('token 0');
    const more = {
      indices: integers([4, 1, 3, 0, 2, 1], [2, 3]),
      weights: numbers([0.7, 0.3, 0, 0.6, 0.4, 0], [2, 3]),
    };
    expect(comparePicks(more, want, bound).passed).toBe(false);
    const fewer = { indices: integers([4, 0], [2, 1]), weights: numbers([0.7, 0.6], [2, 1]) };
    expect(comparePicks(fewer, want, bound).passed).toBe(false);
  });
});

describe('formulas', () => {
  const config = new Map<string, Value>([
    ['E', 12],
    ['ng', 4],
    ['none', null],
    ['psr.t', 60],
    ['fn', 'sigmoid'],
  ]);
  const scope = {
    key: (path: string) => config.get(path) ?? null,
    call: (_: string, args: readonly Value[]) => args.length,
  };
  test.each<readonly [string, Value]>([
    ['E / ng - 1', 2],
    ['2 * (E + ng) % 5', 2],
    ['none ?? 3', 3],
    ['none * 3', null],
    ['psr.t', 60],
    ['psr.missing', null],
    ['none != null', false],
    ["fn == 'sigmoid'", true],
    ['-E + 1.5e1', 3],
    ['f(E, 1)', 2],
  ])('%s is %s', (formula, value) => expect(evaluate(formula, scope)).toBe(value));

  test.each(['E +', '(E', 'E E', '2 $ 3', 'fn * 2'])('%s is refused', (formula) => {
    expect(() => evaluate(formula, scope)).toThrow('formula');
  });

  test('know the keys they read', () => {
    expect(keysOf('floor(E) + psr.t ?? null')).toEqual(['E', 'psr.t']);
  });
});

describe('patterns', () => {
  test('match numbers, in their order', () => {
    const found = matches('layer{l}.x', ['layer10.x', 'layer2.x', 'layer2.xx', 'layer.x']);
    expect(found.map(({ name }) => name)).toEqual(['layer2.x', 'layer10.x']);
    expect(fill('out{l}', found[1]?.holes ?? new Map())).toBe('out10');
  });

  test('match numbers with decimals where the hole says so', () => {
    const names = ['p_0.5', 'p_0.25', 'p_1', 'p_x', 'p_0.5.y'];
    expect(matches('p_{p#}', names).map(({ name }) => name)).toEqual(['p_0.25', 'p_0.5', 'p_1']);
    expect(matches('p_{p}', names).map(({ name }) => name)).toEqual(['p_1']);
  });

  test('take everything else literally', () => {
    expect(matches('a.b', ['a.b', 'axb'])).toHaveLength(1);
  });
});
