/** Selections and what routes are asked, against hand-worked numbers; properties of selections by fast-check. */
import { at } from '../../dsl/diagnostics/invariants.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { F64Operand } from '../../dsl/tensors/operand.ts';
import { bound } from '../../dsl/tensors/route-bounds.ts';
import { exact } from '../../dsl/types/size.ts';
import { backendWith, axis, call, numbers, points, problems, route, shown, tensor } from './support.ts';

const T = axis('T', 2);
const E = axis('E', 4);
const D = axis('D', 2);
const N = axis('N', 0);
const s = tensor([T, E], [0.1, 0.4, 0.2, 0.3, 0.7, 0.1, 0.1, 0.1]);
const topK = (x: F64Operand, k: number, over = [E], more: Record<string, F64Operand> = {}): F64Operand =>
  call('top_k', { s: x, ...more }, { axes: { over }, attributes: { k } });

describe('top_k', () => {
  test('the best of each group, ranked; the weight is s', () => {
    expect(shown(topK(s, 2), [T, E])).toBe('0,1:0.4#0 0,3:0.3#1 1,0:0.7#0 1,1:0.1#1');
    expect(shown(topK(s, 1, [T]), [T, E])).toBe('0,1:0.4#0 0,2:0.2#0 0,3:0.3#0 1,0:0.7#0');
    expect(shown(topK(s, 3, [T, E]), [T, E])).toBe('0,1:0.4#1 0,3:0.3#2 1,0:0.7#0');
  });

  test('ties go to the lower index, row-major in the written order of over:', () => {
    const same = tensor([T, E], [1, 1, 1, 1, 1, 1, 1, 1]);
    expect(shown(topK(same, 3, [T, E]), [T, E])).toBe('0,0:1#0 0,1:1#1 0,2:1#2');
    expect(shown(topK(same, 3, [E, T]), [T, E])).toBe('0,0:1#0 0,1:1#2 1,0:1#1');
    expect(shown(topK(tensor([E], [0, -0, 0, -0]), 2), [E])).toBe('0:0#0 1:0#1');
  });

  test('by: chooses, s weighs; where: says among which', () => {
    const by = tensor([E], [4, 3, 2, 1]);
    expect(shown(topK(s, 1, [E], { by }), [T, E])).toBe('0,0:0.1#0 1,0:0.7#0');
    const where = tensor([E, T], [0, 1, 0, 1, 1, 0, 1, 0], 'bool');
    expect(shown(topK(s, 3, [E], { where }), [T, E])).toBe('0,2:0.2#1 0,3:0.3#0 1,0:0.7#0 1,1:0.1#1');
    const weights = tensor([E], [1, 2, 3, 4]);
    expect(shown(topK(weights, 1, [E], { by: s }), [T, E])).toBe('0,1:2#0 1,0:1#0');
  });

  test('of routes only what is present competes', () => {
    const first = topK(s, 3);
    expect(shown(topK(first, 2), [T, E])).toBe('0,1:0.4#0 0,3:0.3#1 1,0:0.7#0 1,1:0.1#1');
    const open = topK(tensor([E], [1, 2, 0, 0]), 2);
    expect(shown(topK(s, 4, [E], { where: open }), [T, E])).toBe('0,0:0.1#1 0,1:0.4#0 1,0:0.7#0 1,1:0.1#1');
    expect(shown(topK(s, 1, [E], { by: call('neg', { x: open }) }), [T, E])).toBe('0,0:0.1#0 1,0:0.7#0');
  });

  test('-inf is no candidate: fewer are chosen', () => {
    const some = tensor([E], [-Infinity, 2, -Infinity, 1]);
    expect(shown(topK(some, 3), [E])).toBe('1:2#0 3:1#1');
    expect(shown(topK(tensor([T], [-Infinity, -Infinity]), 2, [T]), [T])).toBe('');
    expect(shown(topK(tensor([E], [Infinity, 2, Infinity, 1]), 3), [E])).toBe('0:Infinity#0 1:2#2 2:Infinity#1');
  });

  test('k beyond what there is, 0, or less', () => {
    expect(shown(topK(tensor([T], [1, 2]), 5, [T]), [T])).toBe('0:1#1 1:2#0');
    expect(shown(topK(s, 0), [T, E])).toBe('');
    expect(shown(topK(tensor([N, E], []), 2), [N, E])).toBe('');
    expect(shown(topK(tensor([E, N], []), 2, [N]), [E, N])).toBe('');
  });

  test('k of its own for each token, never more than at_most', () => {
    const k = tensor([T], [-1, 3], 'i32');
    const r = call('top_k', { s, k }, { axes: { over: [E] }, attributes: { at_most: 2 } });
    expect(shown(r, [T, E])).toBe('1,0:0.7#0 1,1:0.1#1');
    expect(route(r).facts).toEqual([{ per: [T], atMost: exact(2) }]);
  });

  test('NaN is never chosen and an error of the run, where it was a candidate', () => {
    const backend = backendWith();
    const bad = tensor([T, E], [1, NaN, 3, 2, 4, 3, 2, 1]);
    const r = call('top_k', { s: bad }, { axes: { over: [E] }, attributes: { k: 3 }, backend });
    expect(shown(r, [T, E])).toBe('0,0:1#2 0,2:3#0 0,3:2#1 1,0:4#0 1,1:3#1 1,2:2#2');
    expect(problems(backend, r)).toMatchObject([{ code: 'MOE0720', point: [{ axis: 'T', index: 0 }] }]);
    const where = tensor([E], [1, 0, 1, 1], 'bool');
    const fine = call('top_k', { s: bad, where }, { axes: { over: [E] }, attributes: { k: 3 }, backend });
    expect(problems(backend, fine)).toEqual([]);
    const second = call('at', { x: r }, { axes: { axis: [T] }, attributes: { index: 1 }, backend });
    expect(problems(backend, second)).toEqual([]);
  });
});

describe('other selections', () => {
  const topP = (x: F64Operand, p: number, attributes = {}): F64Operand =>
    call('top_p', { s: x, p: tensor([], [p]) }, { axes: { over: [E] }, attributes });

  test('top_p: the shortest prefix whose sum exceeds p, strictly', () => {
    const x = tensor([E], [0.125, 0.5, 0.25, 0.125]);
    expect(shown(topP(x, 0.4), [E])).toBe('1:0.5#0');
    expect(shown(topP(x, 0.5), [E])).toBe('1:0.5#0 2:0.25#1');
    expect(shown(topP(x, 0.75), [E])).toBe('0:0.125#2 1:0.5#0 2:0.25#1');
    expect(shown(topP(x, 1), [E])).toBe('0:0.125#2 1:0.5#0 2:0.25#1 3:0.125#3');
    expect(shown(topP(x, 0.75, { at_most: 2 }), [E])).toBe('1:0.5#0 2:0.25#1');
    expect(shown(topP(x, -1), [E])).toBe('1:0.5#0');
  });

  test('keep: of a route its points, ranks not renumbered; of a tensor in index order', () => {
    const r = topK(s, 3);
    const c = tensor([E], [1, 0, 1, 1], 'bool');
    expect(shown(call('keep', { v: r, c }), [T, E])).toBe('0,2:0.2#2 0,3:0.3#1 1,0:0.7#0 1,2:0.1#2');
    const kept = call('keep', { v: s, c }, { axes: { over: [E] } });
    expect(shown(kept, [T, E])).toBe('0,0:0.1#0 0,2:0.2#1 0,3:0.3#2 1,0:0.7#0 1,2:0.1#1 1,3:0.1#2');
    const notFirst = call('not', { x: topK(s, 1) }, { element: 'bool' });
    expect(shown(call('keep', { v: s, c: notFirst }, { axes: { over: [E] } }), [T, E])).toBe(
      '0,0:0.1#0 0,2:0.2#1 0,3:0.3#2 1,1:0.1#0 1,2:0.1#1 1,3:0.1#2',
    );
    const worst = tensor([E], [-Infinity, NaN, 1, 2]);
    expect(shown(call('keep', { v: worst, c }, { axes: { over: [E] } }), [E])).toBe('0:-Infinity#0 2:1#1 3:2#2');
  });

  test('pick: -1 is none, a repeated id adds, the rank is the first position', () => {
    const K = axis('K', 3);
    const ids = tensor([T, K], [2, 0, 2, -1, 3, -1], 'i32');
    const r = call('pick', { ids }, { axes: { over: [E], along: [K] } });
    expect(shown(r, [T, E])).toBe('0,0:1#1 0,2:2#0 1,3:1#1');
    expect(shown(call('pick', { ids: tensor([T], [3, -1], 'i32') }, { axes: { over: [E] } }), [T, E])).toBe('0,3:1#0');
    const backend = backendWith();
    const wrong = call('pick', { ids: tensor([T], [0, 4], 'i32') }, { axes: { over: [E] }, backend });
    expect(problems(backend, wrong)).toMatchObject([{ code: 'MOE0721', point: [{ axis: 'T', index: 1 }] }]);
  });

  test('all: everything, ranked by index', () => {
    expect(shown(call('all', { s: tensor([T], [-Infinity, 2]) }, { axes: { over: [T] } }), [T])).toBe(
      '0:-Infinity#0 1:2#1',
    );
    expect(shown(call('all', { s: topK(s, 1) }, { axes: { over: [E] } }), [T, E])).toBe('0,1:0.4#1 1,0:0.7#0');
  });
});

describe('capacity', () => {
  const tokens = axis('T', 4);
  const two = axis('E', 2);
  // Every token to expert 0, the last one to expert 1 as well, as its first choice.
  const r = call(
    'top_k',
    { s: tensor([tokens, two], [1, -Infinity, 3, -Infinity, 2, -Infinity, 4, 5]) },
    { axes: { over: [two] }, attributes: { k: 2 } },
  );
  const limit = (to: number, keys: Record<string, F64Operand> = {}, more = {}): string =>
    shown(call('limit', { r, ...keys }, { axes: { over: [tokens] }, attributes: { to }, ...more }), [tokens, two]);

  test('in token order', () => {
    expect(limit(2)).toBe('0,0:1#0 1,0:3#0 3,1:5#0');
    expect(limit(0)).toBe('');
    expect(limit(-3)).toBe('');
    expect(limit(9)).toBe(shown(r, [tokens, two]));
  });

  test('by rank, by weight, by several keys', () => {
    expect(limit(3, { by0: call('rank', { r }, { element: 'i32' }) })).toBe('0,0:1#0 1,0:3#0 2,0:2#0 3,1:5#0');
    expect(limit(2, { by0: call('neg', { x: r }) })).toBe('1,0:3#0 3,0:4#1 3,1:5#0');
    const keys = { by0: call('rank', { r }, { element: 'i32' }), by1: tensor([tokens], [0, -9, -5, 0]) };
    expect(limit(2, keys)).toBe('1,0:3#0 2,0:2#0 3,1:5#0');
  });

  test('a capacity of its own for each expert', () => {
    const to = tensor([two], [1, 0], 'i32');
    expect(shown(call('limit', { r, to }, { axes: { over: [tokens] } }), [tokens, two])).toBe('0,0:1#0');
  });

  test('tells what it dropped, and of a key that is not a number', () => {
    const drops: number[] = [];
    const backend = backendWith({ onDropped: ({ count }) => drops.push(count) });
    limit(1, {}, { backend });
    limit(9, {}, { backend });
    expect(drops).toEqual([3]);
    const bad = call(
      'limit',
      { r, by0: tensor([tokens], [0, NaN, 0, 0]) },
      { axes: { over: [tokens] }, attributes: { to: 1 }, backend },
    );
    expect(problems(backend, bad)).toMatchObject([{ code: 'MOE0720', point: [{ axis: 'E', index: 0 }] }]);
  });

  test('row-major over several axes in the order written', () => {
    const B = axis('B', 2);
    const both = call('all', { s: tensor([B, T, D], [1, 1, 1, 1, 1, 1, 1, 1]) }, { axes: { over: [D] } });
    const order = (over: (typeof B)[]): string =>
      shown(call('limit', { r: both }, { axes: { over }, attributes: { to: 2 } }), [B, T, D]);
    expect(order([B, T])).toBe('0,0,0:1#0 0,0,1:1#1 0,1,0:1#0 0,1,1:1#1');
    expect(order([T, B])).toBe('0,0,0:1#0 0,0,1:1#1 1,0,0:1#0 1,0,1:1#1');
  });

  test('slots: the place in the queue, overflow dropped and told of', () => {
    const P = axis('P', 3);
    const drops: number[] = [];
    const backend = backendWith({ onDropped: ({ count }) => drops.push(count) });
    const places = call('slots', { r }, { axes: { places: [P], over: [tokens] }, backend });
    expect(shown(places, [tokens, two, P])).toBe('0,0,0:1#0 1,0,1:1#0 2,0,2:1#0 3,1,0:1#0');
    expect(drops).toEqual([1]);
    const x = tensor([tokens], [10, 20, 30, 40]);
    expect(numbers(call('dot', { left: places, right: x }, { axes: { over: [tokens] } }), [two, P])).toEqual([
      10, 20, 30, 40, 0, 0,
    ]);
  });
});

describe('what a route is asked', () => {
  const r = topK(s, 2);

  test('sum, max, min, logsumexp read what is present', () => {
    expect(numbers(call('sum', { x: r }, { axes: { over: [E] } }), [T])).toEqual([0.7, 0.7 + 0.1]);
    expect(numbers(call('sum', { x: r }, { axes: { over: [T] } }), [E])).toEqual([0.7, 0.4 + 0.1, 0, 0.3]);
    expect(numbers(call('max', { x: r }, { axes: { over: [T] } }), [E])).toEqual([0.7, 0.4, -Infinity, 0.3]);
    expect(numbers(call('min', { x: r }, { axes: { over: [T] } }), [E])).toEqual([0.7, 0.1, Infinity, 0.3]);
    expect(numbers(call('logsumexp', { x: r }, { axes: { over: [T] } }), [E])[2]).toBe(-Infinity);
    const wide = call('mul', { x: r, y: tensor([D], [1, 3]) });
    expect(numbers(call('mean', { x: wide }, { axes: { over: [D] } }), [T, E])).toEqual(
      [0, 0.8, 0, 0.6, 1.4, 0.2, 0, 0].map((v) => expect.closeTo(v, 15)),
    );
  });

  test('softmax over the present', () => {
    const x = call('softmax', { x: topK(tensor([E], [1, 0, 1, -5]), 2) }, { axes: { over: [E] } });
    expect(shown(x, [E])).toBe('0:0.5#0 2:0.5#1');
  });

  test('load and count; over nothing 0', () => {
    expect(numbers(call('count', { r }, { axes: { over: [T] } }), [E])).toEqual([1, 2, 0, 1]);
    expect(numbers(call('load', { r }, { axes: { over: [T] } }), [E])).toEqual([0.5, 1, 0, 0.5]);
    const none = topK(tensor([N, E], []), 2);
    expect(numbers(call('load', { r: none }, { axes: { over: [N] } }), [E])).toEqual([0, 0, 0, 0]);
    const zero = topK(tensor([E], [0, 0, -Infinity, -Infinity]), 2);
    expect(numbers(call('count', { r: zero }, { axes: { over: [E] } }), [])).toEqual([2]);
  });

  test('normalize: eps, a sum of 0, an empty choice', () => {
    const normal = (values: number[], eps?: number): string =>
      shown(
        call(
          'normalize',
          { r: topK(tensor([E], values), 2) },
          { axes: { over: [E] }, attributes: eps === undefined ? {} : { eps } },
        ),
        [E],
      );
    expect(normal([1, 3, 0, 0])).toBe('0:0.25#1 1:0.75#0');
    expect(normal([1, 2, 0, 0], 1)).toBe('0:0.25#1 1:0.5#0');
    expect(normal([0, 0, -1, -1])).toBe('0:0#0 1:0#1');
    expect(normal([-Infinity, -Infinity, -Infinity, -Infinity])).toBe('');
  });

  test('mask, rank, dense', () => {
    expect(shown(call('mask', { r }), [T, E])).toBe('0,1:1#0 0,3:1#1 1,0:1#0 1,1:1#1');
    expect(shown(call('rank', { r }, { element: 'i32' }), [T, E])).toBe('0,1:0#0 0,3:1#1 1,0:0#0 1,1:1#1');
    expect(numbers(call('dense', { r }), [T, E])).toEqual([0, 0.4, 0, 0.3, 0.7, 0.1, 0, 0]);
  });

  test('contraction does not touch what is absent, but what is present with weight 0', () => {
    const y = tensor([E], [Infinity, 2, NaN, 4]);
    const [first, second] = numbers(call('dot', { left: r, right: y }, { axes: { over: [E] } }), [T]);
    expect(first).toBeCloseTo(2, 15);
    expect(second).toBe(Infinity);
    const zero = topK(tensor([E], [0, -1, -Infinity, -Infinity]), 1);
    expect(numbers(call('dot', { left: zero, right: y }, { axes: { over: [E] } }), [])).toEqual([NaN]);
    const empty = topK(
      tensor(
        [T, E],
        Array.from({ length: 8 }, () => -Infinity),
      ),
      1,
    );
    expect(numbers(call('dot', { left: empty, right: y }, { axes: { over: [E] } }), [T])).toEqual([0, 0]);
  });

  test('restriction keeps ranks; split and merge move points', () => {
    const two = axis('S', 2);
    expect(
      shown(call('window', { x: r }, { axes: { axis: [E], as: [two] }, attributes: { from: 2, to: 4 } }), [T, two]),
    ).toBe('0,1:0.3#1');
    const [G, M] = [axis('G', 2), axis('M', 2)];
    const split = call('split', { x: r }, { axes: { axis: [E], into: [G, M] } });
    expect(shown(split, [T, G, M])).toBe('0,0,1:0.4#0 0,1,1:0.3#1 1,0,0:0.7#0 1,0,1:0.1#1');
    const back = call('merge', { x: split }, { axes: { axes: [G, M], into: [E] } });
    expect(shown(back, [T, E])).toBe(shown(r, [T, E]));
  });
});

describe('bounds', () => {
  test('the best fact counts, more axes multiply', () => {
    const facts = [
      { per: [T], atMost: exact(2) },
      { per: [E], atMost: exact(1) },
    ];
    expect(bound(facts, [T, E], [T])).toEqual(exact(2));
    expect(bound(facts, [T, E], [])).toEqual(exact(4));
    expect(bound(facts, [T, E], [E])).toEqual(exact(1));
    expect(bound([], [T, E], [T])).toEqual(exact(4));
  });

  test('follow limits, joins and sums', () => {
    const r = topK(s, 2);
    const limited = call('limit', { r }, { axes: { over: [T] }, attributes: { to: 1 } });
    expect(bound(route(limited).facts, [T, E], [E])).toEqual(exact(1));
    expect(bound(route(limited).facts, [T, E], [T])).toEqual(exact(2));
    const sum = call('add', { x: topK(s, 1), y: topK(s, 1) }, { axes: { over: [E] } });
    expect(bound(route(sum).facts, [T, E], [T])).toEqual(exact(2));
    const G = axis('G', 3);
    const group = call(
      'top_k',
      { s: tensor([T, G], [1, 2, 3, 4, 5, 6]) },
      { axes: { over: [G] }, attributes: { k: 2 } },
    );
    expect(bound(route(call('mul', { x: group, y: r })).facts, [T, G, E], [T])).toEqual(exact(4));
  });
});

describe('properties', () => {
  const width = fc.integer({ min: 0, max: 7 });
  const score = fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.constant(-Infinity),
    fc.double({ min: -10, max: 10, noNaN: true }),
  );

  test('top_k chooses the k greatest, dense gives them back and 0 elsewhere', () => {
    fc.assert(
      fc.property(fc.array(score, { maxLength: 9 }), fc.integer({ min: 0, max: 9 }), (values, k) => {
        const X = axis('X', values.length);
        const r = call('top_k', { s: tensor([X], values) }, { axes: { over: [X] }, attributes: { k } });
        const expected = values
          .map((value, i) => ({ value, i }))
          .filter(({ value }) => value !== -Infinity)
          .sort((a, b) => b.value - a.value || a.i - b.i)
          .slice(0, k);
        const chosen = points(r, [X]).map(({ at, rank }) => ({ i: at[0], rank }));
        expect(new Map(chosen.map(({ i, rank }) => [rank, i]))).toEqual(
          new Map(expected.map(({ i }, rank) => [rank, i])),
        );
        const shape = numbers(call('dense', { r }), [X]);
        const chosenAt = new Set(expected.map(({ i }) => i));
        expect(shape).toEqual(values.map((value, i) => (chosenAt.has(i) ? value : 0)));
      }),
    );
  });

  test('distinct scores: a permutation of the axis permutes the choice', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 8 }),
        width,
        fc.func(fc.integer()),
        (values, k, order) => {
          const X = axis('X', values.length);
          const permutation = values.map((_, i) => i).sort((a, b) => order(a) - order(b) || a - b);
          const chosen = (scores: number[]): Map<number, number> => {
            const r = call('top_k', { s: tensor([X], scores) }, { axes: { over: [X] }, attributes: { k } });
            return new Map(points(r, [X]).map(({ weight, rank }) => [at(weight, 0, 'test: weight'), rank]));
          };
          expect(chosen(permutation.map((i) => at(values, i, 'test: score')))).toEqual(chosen(values));
        },
      ),
    );
  });

  test('mask(r) @ y is the sum of y where r is present; limit and top_k agree with counting', () => {
    fc.assert(
      fc.property(
        fc.array(score, { minLength: 8, maxLength: 8 }),
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 2 }),
        (values, k, c) => {
          const r = topK(tensor([T, E], values), k);
          const limited = call('limit', { r }, { axes: { over: [T] }, attributes: { to: c } });
          const loads = numbers(call('count', { r }, { axes: { over: [T] } }), [E]);
          expect(numbers(call('count', { r: limited }, { axes: { over: [T] } }), [E])).toEqual(
            loads.map((n) => Math.min(n, c)),
          );
          const y = tensor([E], [1, 10, 100, 1000]);
          const selected = numbers(call('dot', { left: call('mask', { r }), right: y }, { axes: { over: [E] } }), [T]);
          const chosen = points(r, [T, E]).map((point) => point.at);
          const sumOf = (t: number): number =>
            chosen.reduce((sum, [token, e]) => (token === t && e !== undefined ? sum + 10 ** e : sum), 0);
          expect(selected).toEqual([sumOf(0), sumOf(1)]);
        },
      ),
    );
  });
});
