/**
 * Lowerings against hand values: each primitive is called as instantiation calls it, the graph is evaluated, and the numbers
 * are compared with ones worked out on paper.
 */
import { describe, expect, it } from 'vitest';
import { exact } from '../../dsl/types/size.ts';
import { NEG_INF } from '../../compiler/graph/infinity.ts';
import { GraphFixture } from './graph-fixture.ts';

/** Within the roundings of float64: a value here is made by fewer than a hundred operations on numbers no larger than ten. */
const bound = 100 * 10 * 2 ** -53;
const near = (actual: number | null | undefined, expected: number): void =>
  expect(Math.abs((actual ?? NaN) - expected)).toBeLessThanOrEqual(bound);
const close = (actual: readonly number[], expected: readonly number[]): void => {
  expect(actual.length).toBe(expected.length);
  actual.forEach((a, i) => (Number.isFinite(expected[i]) ? near(a, expected[i] ?? NaN) : expect(a).toBe(expected[i])));
};

describe('reductions and normalisations', () => {
  it('softmax skips -inf and gives 0 where nothing counts', () => {
    const t = new GraphFixture();
    const [T, E] = [t.axis('T', 2), t.axis('E', 3)];
    const x = t.input('x', [T, E], [0, Math.log(3), NEG_INF, NEG_INF, NEG_INF, NEG_INF]);
    close(t.number(t.call('softmax', { x }, { over: [E] }), [T, E]), [0.25, 0.75, 0, 0, 0, 0]);
    const lse = t.number(t.call('logsumexp', { x }, { over: [E] }), [T]);
    near(lse[0], Math.log(4));
    expect(lse[1]).toBe(NEG_INF);
  });

  it('mean, var, std, norms', () => {
    const t = new GraphFixture();
    const [T, D] = [t.axis('T', 1), t.axis('D', 4)];
    const x = t.input('x', [T, D], [1, 2, 3, 6]);
    close(t.number(t.call('mean', { x }, { over: [D] }), [T]), [3]);
    close(t.number(t.call('var', { x }, { over: [D] }), [T]), [3.5]);
    close(t.number(t.call('std', { x }, { over: [D] }), [T]), [Math.sqrt(3.5)]);
    close(
      t.number(t.call('l2norm', { x }, { over: [D] }, { eps: 0 }), [T, D]),
      [1, 2, 3, 6].map((v) => v / Math.sqrt(50)),
    );
    close(
      t.number(t.call('rmsnorm', { x }, { over: [D] }, { eps: 0.5 }), [T, D]),
      [1, 2, 3, 6].map((v) => v / Math.sqrt(13)),
    );
    close(
      t.number(t.call('layernorm', { x }, { over: [D] }), [T, D]),
      [-2, -1, 0, 3].map((v) => v / Math.sqrt(3.5)),
    );
  });

  it('the greatest of nothing is the lowest of its type, in a kernel too (extreme)', () => {
    const t = new GraphFixture();
    const [T, D] = [t.axis('T', 1), t.axis('D', 0)];
    for (const [element, lowest, highest] of [
      ['f32', NEG_INF, -NEG_INF],
      ['i32', -2147483648, 2147483647],
    ] as const) {
      const x = t.cx.numbers(t.input(`x_${element}`, [T, D], [], element));
      const of = (op: 'max' | 'min'): readonly number[] =>
        t.number(t.cx.dense(t.builder.reduce(op, x, t.cx.idsOf([D]))), [T]);
      expect([of('max'), of('min')]).toEqual([[lowest], [highest]]);
    }
  });

  it('a mean of nothing is 0', () => {
    const t = new GraphFixture();
    const [T, D] = [t.axis('T', 0), t.axis('D', 2)];
    const x = t.input('x', [T, D], []);
    close(t.number(t.call('mean', { x }, { over: [T] }), [D]), [0, 0]);
    close(t.number(t.call('sum', { x }, { over: [T] }), [D]), [0, 0]);
  });

  it('cumsum, argsort, argmax, gather with -1, one_hot', () => {
    const t = new GraphFixture();
    const [T, V] = [t.axis('T', 4), t.axis('V', 3)];
    const x = t.input('x', [T], [3, 1, 3, 0]);
    close(t.number(t.call('cumsum', { x }, { over: [T] }), [T]), [3, 4, 7, 7]);
    close(t.number(t.call('argsort', { x }, { over: [T] }, {}, 'i32'), [T]), [3, 1, 0, 2]);
    close(t.number(t.call('argmax', { x }, { over: [T] }, {}, 'i32'), []), [0]);
    const ids = t.input('ids', [T], [2, -1, 0, 1], 'i32');
    const table = t.input('table', [V], [10, 20, 30]);
    close(t.number(t.call('gather', { x: table, ids }, { axis: [V] }), [T]), [30, 0, 10, 20]);
    close(t.number(t.call('one_hot', { ids }, { over: [V] }), [T, V]), [0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0]);
  });
});

describe('selections', () => {
  it('top_k: ties to the lower index, -inf is no candidate, fewer candidates fewer chosen', () => {
    const t = new GraphFixture();
    const [T, E] = [t.axis('T', 2), t.axis('E', 4)];
    const s = t.input('s', [T, E], [1, 5, 5, 2, NEG_INF, 7, NEG_INF, NEG_INF]);
    const r = t.call('top_k', { s }, { over: [E] }, { k: 2 });
    expect(t.route(r, [T, E])).toEqual({
      weight: [null, 5, 5, null, null, 7, null, null],
      rank: [null, 0, 1, null, null, 0, null, null],
    });
    expect(t.bound(r, [T])).toBe('2');
    expect(t.bound(r, [])).toBe('4');
  });

  it('top_k by other scores among what is open', () => {
    const t = new GraphFixture();
    const E = t.axis('E', 4);
    const s = t.input('s', [E], [1, 2, 3, 4]);
    const by = t.input('by', [E], [9, 8, 7, 6]);
    const where = t.input('open', [E], [0, 1, 1, 1], 'bool');
    const r = t.call('top_k', { s, by, where }, { over: [E] }, { k: 2 });
    expect(t.route(r, [E])).toEqual({ weight: [null, 2, 3, null], rank: [null, 0, 1, null] });
  });

  it('NaN is never silently chosen', () => {
    const t = new GraphFixture();
    const E = t.axis('E', 3);
    const s = t.input('s', [E], [1, NaN, 3]);
    t.call('top_k', { s }, { over: [E] }, { k: 1 });
    expect(t.errors()).toHaveLength(1);
  });

  it('k of the run, never more than at_most', () => {
    const t = new GraphFixture();
    const [T, E] = [t.axis('T', 3), t.axis('E', 3)];
    const s = t.input('s', [T, E], [1, 2, 3, 1, 2, 3, 1, 2, 3]);
    const k = t.input('k', [T], [0, 1, 3], 'i32');
    const r = t.call('top_k', { s, k }, { over: [E] }, { at_most: 2 });
    expect(t.route(r, [T, E]).rank).toEqual([null, null, null, null, null, 0, null, 1, 0]);
    expect(t.bound(r, [T])).toBe('2');
  });

  it('top_p: the shortest prefix that exceeds p', () => {
    const t = new GraphFixture();
    const [T, E] = [t.axis('T', 2), t.axis('E', 4)];
    const s = t.input('s', [T, E], [0.25, 0.5, 0.125, 0.125, 0.5, 0.25, 0.125, 0.125]);
    const p = t.input('p', [], [0.5]);
    const r = t.call('top_p', { s, p }, { over: [E] });
    // A prefix that sums to exactly p takes one more.
    expect(t.route(r, [T, E]).rank).toEqual([1, 0, null, null, 0, 1, null, null]);
  });

  it('keep, rank, mask, dense, normalize, softmax of a route', () => {
    const t = new GraphFixture();
    const E = t.axis('E', 4);
    const s = t.input('s', [E], [1, 4, 3, 2]);
    const r = t.call('top_k', { s }, { over: [E] }, { k: 3 });
    const rank = t.call('rank', { r }, {}, {}, 'i32');
    const second = t.call(
      'ge',
      { x: rank, y: { kind: 'tensor', value: t.backend.scalar(exact(1), 'i32') } },
      {},
      {},
      'bool',
    );
    const kept = t.call('keep', { v: r, c: second });
    expect(t.route(kept, [E])).toEqual({ weight: [null, null, 3, 2], rank: [null, null, 1, 2] });
    close(t.number(t.call('dense', { r: kept }), [E]), [0, 0, 3, 2]);
    expect(t.route(t.call('normalize', { r }, { over: [E] }), [E]).weight).toEqual([null, 4 / 9, 3 / 9, 2 / 9]);
    expect(t.route(t.call('mask', { r }), [E]).weight).toEqual([null, 1, 1, 1]);
    const soft = t.route(t.call('softmax', { x: kept }, { over: [E] }), [E]).weight;
    near(soft[2], Math.E / (1 + Math.E));
    expect(t.route(t.call('keep', { v: s, c: second }, { over: [E] }), [E])).toEqual({
      weight: [null, null, 3, 2],
      rank: [null, null, 0, 1],
    });
  });

  it('an empty choice stays empty, a sum of 0 gives weights 0', () => {
    const t = new GraphFixture();
    const [T, E] = [t.axis('T', 2), t.axis('E', 2)];
    const s = t.input('s', [T, E], [NEG_INF, NEG_INF, 1, -1]);
    const r = t.call('normalize', { r: t.call('top_k', { s }, { over: [E] }, { k: 2 }) }, { over: [E] });
    expect(t.route(r, [T, E]).weight).toEqual([null, null, 0, 0]);
  });

  it('pick: -1 is none, a repeated id adds, rank is the first place', () => {
    const t = new GraphFixture();
    const [T, K, E] = [t.axis('T', 2), t.axis('K', 3), t.axis('E', 3)];
    const ids = t.input('ids', [T, K], [2, 0, 2, -1, 1, -1], 'i32');
    const r = t.call('pick', { ids }, { over: [E], along: [K] });
    expect(t.route(r, [T, E])).toEqual({ weight: [1, null, 2, null, 1, null], rank: [1, null, 0, null, 1, null] });
    expect(t.bound(r, [T])).toBe('3');
  });

  it('limit: the queue is sorted by keys, then by position', () => {
    const t = new GraphFixture();
    const [T, E] = [t.axis('T', 4), t.axis('E', 2)];
    const s = t.input('s', [T, E], [1, 9, 2, 8, 3, 7, 4, 6]);
    const r = t.call('top_k', { s }, { over: [E] }, { k: 1 });
    const first = t.call('limit', { r }, { over: [T] }, { to: 2 });
    expect(t.route(first, [T, E]).weight).toEqual([null, 9, null, 8, null, null, null, null]);
    const key = t.input('key', [T], [3, 2, 1, 0]);
    const last = t.call('limit', { r, by0: key }, { over: [T] }, { to: 2 });
    expect(t.route(last, [T, E]).weight).toEqual([null, null, null, null, null, 7, null, 6]);
    expect(t.bound(last, [E])).toBe('2');
    expect(t.route(t.call('limit', { r }, { over: [T] }, { to: -1 }), [T, E]).weight.every((w) => w === null)).toBe(
      true,
    );
  });

  it('slots: the place in the queue is an axis; packing and putting back', () => {
    const t = new GraphFixture();
    const [T, E, P] = [t.axis('T', 4), t.axis('E', 2), t.axis('P', 2)];
    const s = t.input('s', [T, E], [1, 0, 0, 1, 1, 0, 1, 0]);
    const x = t.input('x', [T], [10, 20, 30, 40]);
    const r = t.call('top_k', { s }, { over: [E] }, { k: 1 });
    const slots = t.call('slots', { r }, { over: [T], places: [P] });
    const packed = t.call('dot', { left: slots, right: x }, { over: [T] });
    close(t.number(packed, [E, P]), [10, 30, 20, 0]);
    close(t.number(t.call('dot', { left: slots, right: packed }, { over: [E, P] }), [T]), [10, 20, 30, 0]);
    expect(t.bound(slots, [E, P])).toBe('1');
    expect(t.bound(slots, [T])).toBe('1');
  });

  it('load and count', () => {
    const t = new GraphFixture();
    const [T, E] = [t.axis('T', 4), t.axis('E', 2)];
    const s = t.input('s', [T, E], [1, 0, 0, 1, 1, 0, 1, 0]);
    const r = t.call('top_k', { s }, { over: [E] }, { k: 1 });
    close(t.number(t.call('count', { r }, { over: [T] }), [E]), [3, 1]);
    close(t.number(t.call('load', { r }, { over: [T] }), [E]), [0.75, 0.25]);
  });
});

describe('arithmetic of routes', () => {
  it('r * q is present where both are, r + q where either is, ranked after', () => {
    const t = new GraphFixture();
    const E = t.axis('E', 3);
    const a = t.call('top_k', { s: t.input('a', [E], [3, 2, 1]) }, { over: [E] }, { k: 2 });
    const b = t.call('top_k', { s: t.input('b', [E], [1, 2, 3]) }, { over: [E] }, { k: 2 });
    expect(t.route(t.call('mul', { x: a, y: b }), [E])).toEqual({ weight: [null, 4, null], rank: [null, 1, null] });
    const sum = t.call('add', { x: a, y: b }, { over: [E] });
    expect(t.route(sum, [E])).toEqual({ weight: [3, 4, 3], rank: [0, 1, 2] });
  });

  it('absent points are skipped, not multiplied by 0', () => {
    const t = new GraphFixture();
    const [T, E] = [t.axis('T', 1), t.axis('E', 2)];
    const r = t.call('top_k', { s: t.input('s', [T, E], [1, 2]) }, { over: [E] }, { k: 1 });
    const y = t.input('y', [E], [NaN, 5]);
    close(t.number(t.call('dot', { left: r, right: y }, { over: [E] }), [T]), [10]);
    close(t.number(t.call('max', { x: r }, { over: [E] }), [T]), [2]);
  });

  it('a part, a split and a renaming of a route act on its points', () => {
    const t = new GraphFixture();
    const [P, A, B, Q] = [t.axis('P', 5), t.axis('A', 2), t.axis('B', 2), t.axis('Q', 5)];
    const r = t.call('top_k', { s: t.input('s', [P], [1, 5, 4, 3, 9]) }, { over: [P] }, { k: 3 });
    const part = t.call('part', { x: r }, { axis: [P], into: [A, B] }, { part: 0, offset: 0, length: 4 });
    expect(t.route(part, [A, B])).toEqual({ weight: [null, 5, 4, null], rank: [null, 1, 2, null] });
    const point = t.call('part', { x: r }, { axis: [P], into: [] }, { part: 1, offset: 4, length: 1 });
    expect(t.route(point, [])).toEqual({ weight: [9], rank: [0] });
    const renamed = t.call('rename', { x: r }, { from: [P], to: [Q] });
    expect(t.route(renamed, [Q]).rank).toEqual([null, 1, 2, null, 0]);
    if (part.kind !== 'route') throw new Error('a route is wanted');
    const back = t.backend.embed(part.value, [A, B], P, exact(0));
    expect(t.route({ kind: 'route', value: back }, [P]).weight).toEqual([null, 5, 4, null, null]);
  });

  it('conditions: a route is its presence', () => {
    const t = new GraphFixture();
    const E = t.axis('E', 3);
    const r = t.call('top_k', { s: t.input('s', [E], [3, 2, 1]) }, { over: [E] }, { k: 1 });
    close(t.number(t.call('not', { x: r }, {}, {}, 'bool'), [E]), [0, 1, 1]);
    const x = t.input('x', [E], [7, 8, 9]);
    close(
      t.number(t.call('where', { condition: r, then: x, else: t.call('zeros', {}, { axes: [E] }) }), [E]),
      [7, 0, 0],
    );
  });

  it('a mean over what is present', () => {
    const t = new GraphFixture();
    const [T, E] = [t.axis('T', 2), t.axis('E', 2)];
    const r = t.call('top_k', { s: t.input('s', [T, E], [1, 0, 0, 1]) }, { over: [E] }, { k: 1 });
    if (r.kind !== 'route') throw new Error('a route is wanted');
    const x = t.input('x', [T, E], [10, NaN, NaN, 30]);
    if (x.kind !== 'tensor') throw new Error('a tensor is wanted');
    const mean = t.backend.meanPresent(x.value, [T, E], [r.value]);
    close(t.read(mean.node, []), [20]);
  });
});

describe('views and unions', () => {
  it('unite puts parts side by side, points and groups of axes alike', () => {
    const t = new GraphFixture();
    const [A, B, P, D] = [t.axis('A', 2), t.axis('B', 2), t.axis('P', 6), t.axis('D', 1)];
    const x = t.cx.tensor(t.cx.numbers(t.input('x', [A, B, D], [1, 2, 3, 4])));
    const y = t.cx.tensor(t.cx.numbers(t.input('y', [D], [5])));
    const z = t.backend.scalar(exact(0), 'f32');
    const united = t.backend.unite(
      [
        { value: x, axes: [A, B] },
        { value: y, axes: [] },
        { value: z, axes: [] },
      ],
      P,
    );
    close(t.number({ kind: 'tensor', value: united }, [P, D]), [1, 2, 3, 4, 5, 0]);
    const is = t.call('is', {}, { axis: [P] }, { part: 1, offset: 4, length: 1 }, 'bool');
    close(t.number(is, [P]), [0, 0, 0, 0, 1, 0]);
  });

  it('concat, window, at, split, merge', () => {
    const t = new GraphFixture();
    const [A, B, C, W] = [t.axis('A', 2), t.axis('B', 3), t.axis('C', 5), t.axis('W', 2)];
    const a = t.input('a', [A], [1, 2]);
    const b = t.input('b', [B], [3, 4, 5]);
    const c = t.call('concat', { a, b }, { along: [A, B], into: [C] });
    close(t.number(c, [C]), [1, 2, 3, 4, 5]);
    close(t.number(t.call('window', { x: c }, { axis: [C], as: [W] }, { from: 3, to: 5 }), [W]), [4, 5]);
    close(t.number(t.call('at', { x: c }, { axis: [C] }, { index: 2 }), []), [3]);
    const [E, G, M] = [t.axis('E', 6), t.axis('G', 2), t.axis('M', 3)];
    const s = t.call('split', { x: t.input('e', [E], [0, 1, 2, 3, 4, 5]) }, { axis: [E], into: [G, M] });
    close(t.number(s, [M, G]), [0, 3, 1, 4, 2, 5]);
    close(t.number(t.call('merge', { x: s }, { axes: [M, G], into: [E] }), [E]), [0, 3, 1, 4, 2, 5]);
  });
});
