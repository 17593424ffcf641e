/** The dense primitives that move points about and that draw, and routes under elementwise functions; the edges of SEMANTICS 6.3. */
import { describe, expect, test } from 'vitest';
import { axis, backendWith, call, numbers, problems, route, shown, tensor } from './support.ts';

const T = axis('T', 2);
const D = axis('D', 3);
const E = axis('E', 2);

describe('axes', () => {
  const x = tensor([T, D], [1, 2, 3, 4, 5, 6]);

  test('rename, also a swap', () => {
    const T2 = axis("T'", 2);
    expect(numbers(call('rename', { x }, { axes: { from: [T], to: [T2] } }), [T2, D])).toEqual([1, 2, 3, 4, 5, 6]);
    const square = tensor([T, E], [1, 2, 3, 4]);
    expect(numbers(call('rename', { x: square }, { axes: { from: [T, E], to: [E, T] } }), [T, E])).toEqual([
      1, 3, 2, 4,
    ]);
  });

  test('split and merge, row-major, in any order of the handle', () => {
    const [A, B, C] = [axis('A', 2), axis('B', 3), axis('C', 6)];
    const flat = tensor([C, T], [0, 10, 1, 11, 2, 12, 3, 13, 4, 14, 5, 15]);
    const split = call('split', { x: flat }, { axes: { axis: [C], into: [A, B] } });
    expect(numbers(split, [T, A, B])).toEqual([0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]);
    const merged = call(
      'merge',
      { x: tensor([B, T, A], [0, 3, 10, 13, 1, 4, 11, 14, 2, 5, 12, 15]) },
      { axes: { axes: [A, B], into: [C] } },
    );
    expect(numbers(merged, [T, C])).toEqual([0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15]);
  });

  test('indexing', () => {
    const [S, one] = [axis('S', 2), axis('One', 1)];
    expect(numbers(call('at', { x }, { axes: { axis: [D] }, attributes: { index: 1 } }), [T])).toEqual([2, 5]);
    expect(
      numbers(call('window', { x }, { axes: { axis: [D], as: [S] }, attributes: { from: 1, to: 3 } }), [T, S]),
    ).toEqual([2, 3, 5, 6]);
    const [A, B, P] = [axis('A', 2), axis('B', 2), axis('P', 6)];
    const union = tensor([P], [0, 1, 2, 3, 4, 5]);
    expect(
      numbers(
        call(
          'part',
          { x: union },
          { axes: { axis: [P], into: [A, B] }, attributes: { part: 1, offset: 1, length: 4 } },
        ),
        [B, A],
      ),
    ).toEqual([1, 3, 2, 4]);
    expect(
      numbers(
        call('part', { x: union }, { axes: { axis: [P], into: [] }, attributes: { part: 2, offset: 5, length: 1 } }),
        [],
      ),
    ).toEqual([5]);
    expect(
      numbers(
        call('part', { x: union }, { axes: { axis: [P], into: [one] }, attributes: { part: 0, offset: 0, length: 1 } }),
        [one],
      ),
    ).toEqual([0]);
    expect(
      numbers(call('is', {}, { axes: { axis: [P] }, attributes: { part: 1, offset: 1, length: 4 }, element: 'bool' }), [
        P,
      ]),
    ).toEqual([0, 1, 1, 1, 1, 0]);
  });

  test('concat unites the other axes', () => {
    const C = axis('C', 5);
    const joined = call('concat', { a: x, b: tensor([E], [7, 8]) }, { axes: { along: [D, E], into: [C] } });
    expect(numbers(joined, [T, C])).toEqual([1, 2, 3, 7, 8, 4, 5, 6, 7, 8]);
    const twice = axis('DD', 6);
    const same = call('concat', { a: x, b: tensor([D], [7, 8, 9]) }, { axes: { along: [D, D], into: [twice] } });
    expect(numbers(same, [T, twice])).toEqual([1, 2, 3, 7, 8, 9, 4, 5, 6, 7, 8, 9]);
  });

  test('gather: common axes align, -1 is 0, out of range is an error at its point', () => {
    const ids = tensor([T], [2, -1], 'i32');
    expect(numbers(call('gather', { x, ids }, { axes: { axis: [D] } }), [T])).toEqual([3, 0]);
    const [B] = [axis('B', 3)];
    const look = call('gather', { x, ids: tensor([B], [1, 1, 0], 'i32') }, { axes: { axis: [T] } });
    expect(numbers(look, [B, D])).toEqual([4, 5, 6, 4, 5, 6, 1, 2, 3]);
    // Indices that have the looked-up axis themselves: a permutation.
    const permuted = call('gather', { x, ids: tensor([D], [2, 0, 1], 'i32') }, { axes: { axis: [D] } });
    expect(numbers(permuted, [T, D])).toEqual([3, 1, 2, 6, 4, 5]);
    const backend = backendWith();
    const wrong = call('gather', { x, ids: tensor([B], [0, 2, 0], 'i32') }, { axes: { axis: [T] }, backend });
    expect(problems(backend, wrong)).toMatchObject([
      { code: 'MOE0721', message: '2 is no point of T, which has 2', point: [{ axis: 'B', index: 1 }] },
    ]);
    const unneeded = call('at', { x: wrong }, { axes: { axis: [B] }, attributes: { index: 2 }, backend });
    expect(problems(backend, unneeded)).toEqual([]);
  });

  test('iota, zeros, ones, one_hot', () => {
    expect(numbers(call('iota', {}, { axes: { axis: [D] } }), [D])).toEqual([0, 1, 2]);
    expect(numbers(call('ones', {}, { axes: { axes: [T] } }), [T])).toEqual([1, 1]);
    expect(numbers(call('zeros', {}, { axes: { axes: [] } }), [])).toEqual([0]);
    const hot = call('one_hot', { ids: tensor([T], [1, -1], 'i32') }, { axes: { over: [D] } });
    expect(numbers(hot, [T, D])).toEqual([0, 1, 0, 0, 0, 0]);
  });
});

describe('draws', () => {
  const root = axis('L', 4);
  const draw = (
    axes: Parameters<typeof numbers>[1],
    batchAxes: Parameters<typeof numbers>[1] = [],
    place = 'a',
    seed = 1,
  ) => call('normal', {}, { axes: { axes }, batchAxes, place, backend: backendWith({ seed }) });

  test('are functions of seed, place and indices, not of sizes or of the order of axes', () => {
    const long = axis('T', 5);
    const short = axis('T', 3);
    expect(numbers(draw([short]), [short])).toEqual(numbers(draw([long]), [long]).slice(0, 3));
    expect(numbers(draw([T, D]), [T, D])).toEqual(numbers(draw([D], [T]), [T, D]));
    expect(numbers(draw([T, D]), [T, D])).not.toEqual(numbers(draw([T, D], [], 'b'), [T, D]));
    expect(numbers(draw([T, D]), [T, D])).not.toEqual(numbers(draw([T, D], [], 'a', 2), [T, D]));
  });

  test('a window draws what its root draws', () => {
    const whole = numbers(draw([root]), [root]);
    const window = {
      ...axis('W', 2),
      root: { axis: root, offset: { kind: 'exact', numerator: 1n, denominator: 1n } },
    } as const;
    expect(numbers(draw([window]), [window])).toEqual(whole.slice(1, 3));
  });

  test('have the distributions they are named after', () => {
    const many = axis('M', 20000);
    const moments = (name: 'uniform' | 'normal' | 'gumbel') => {
      const values = numbers(call(name, {}, { axes: { axes: [many] } }), [many]);
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
      return { values, mean, variance: values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length };
    };
    // Five standard errors of the mean: sigma / sqrt(20000).
    const uniform = moments('uniform');
    expect(Math.abs(uniform.mean - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / 20000));
    expect(uniform.values.every((u) => u >= 0 && u < 1)).toBe(true);
    const normal = moments('normal');
    expect(Math.abs(normal.mean)).toBeLessThan(5 * Math.sqrt(1 / 20000));
    expect(Math.abs(normal.variance - 1)).toBeLessThan(5 * Math.sqrt(2 / 20000));
    const gumbel = moments('gumbel');
    expect(Math.abs(gumbel.mean - 0.5772156649)).toBeLessThan(5 * Math.sqrt(Math.PI ** 2 / 6 / 20000));
    expect(gumbel.values.every(Number.isFinite)).toBe(true);
  });
});

describe('routes under elementwise functions', () => {
  const P = axis('P', 3);
  const s = tensor([T, P], [0.5, 0.2, 0.3, 0.1, 0.6, 0.3]);
  const top = call('top_k', { s }, { axes: { over: [P] }, attributes: { k: 2 } });

  test('act on present weights; new dense axes become payload', () => {
    expect(shown(top, [T, P])).toBe('0,0:0.5#0 0,2:0.3#1 1,1:0.6#0 1,2:0.3#1');
    expect(shown(call('neg', { x: top }), [T, P])).toBe('0,0:-0.5#0 0,2:-0.3#1 1,1:-0.6#0 1,2:-0.3#1');
    const wide = call('mul', { x: top, y: tensor([E, T], [1, 10, 2, 20]) });
    expect(shown(wide, [T, P])).toBe('0,0:0.5/1#0 0,2:0.3/0.6#1 1,1:6/12#0 1,2:3/6#1');
    expect(route(wide).payload).toEqual([E]);
  });

  test('r * q is present where both are, joined over the union of axes; ranks of the left', () => {
    const group = call('top_k', { s: tensor([E], [1, 4]) }, { axes: { over: [E] }, attributes: { k: 1 } });
    const both = call('mul', { x: top, y: group });
    expect(shown(both, [T, E, P])).toBe('0,1,0:2#0 0,1,2:1.2#1 1,1,1:2.4#0 1,1,2:1.2#1');
  });

  test('r + q is present where either is; ranks of q follow the bound of r', () => {
    const first = call('top_k', { s }, { axes: { over: [P] }, attributes: { k: 1 } });
    const sum = call('add', { x: first, y: top }, { axes: { over: [P] } });
    expect(shown(sum, [T, P])).toBe('0,0:1#0 0,2:0.3#2 1,1:1.2#0 1,2:0.3#2');
    const other = call('sub', { x: top, y: first }, { axes: { over: [P] } });
    expect(shown(other, [T, P])).toBe('0,0:0#0 0,2:0.3#1 1,1:0#0 1,2:0.3#1');
  });

  test('comparisons and conditions', () => {
    const rank = call('rank', { r: top }, { element: 'i32' });
    const first = call('eq', { x: rank, y: tensor([], [0], 'i32') }, { element: 'bool' });
    expect(shown(first, [T, P])).toBe('0,0:1#0 0,2:0#1 1,1:1#0 1,2:0#1');
    expect(numbers(call('not', { x: first }, { element: 'bool' }), [T, P])).toEqual([0, 1, 1, 1, 0, 1]);
    expect(numbers(call('and', { x: top, y: tensor([P], [1, 1, 0], 'bool') }, { element: 'bool' }), [T, P])).toEqual([
      1, 0, 0, 0, 1, 0,
    ]);
    const where = call('where', { condition: top, then: tensor([], [1]), else: tensor([T], [5, 6]) });
    expect(numbers(where, [T, P])).toEqual([1, 5, 1, 6, 1, 1]);
  });
});
