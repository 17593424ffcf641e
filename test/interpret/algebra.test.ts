/**
 * The reference interpreter below the level of primitives: variables, stacking, unions, lifted calls, externs; that absent
 * points have no influence (poison), and that errors count only where they are needed.
 */
import { at } from '../../dsl/diagnostics/invariants.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { F64Operand } from '../../dsl/tensors/operand.ts';
import type { Float64Backend } from '../../dsl/interpret/float64-backend.ts';
import type { RunProblem } from '../../dsl/tensors/deferred-errors.ts';
import { makeTensor } from '../../dsl/tensors/tensor.ts';
import type { Variable } from '../../dsl/meaning/backend.ts';
import type { Axis } from '../../dsl/types/axis.ts';
import { idOf } from '../../dsl/types/ids.ts';
import { exact } from '../../dsl/types/size.ts';
import {
  backendWith,
  axis,
  call,
  dense,
  numbers,
  problems,
  route,
  shown,
  span,
  tensor,
} from '../primitives/support.ts';

const T = axis('T', 3);
const E = axis('E', 2);
const D = axis('D', 2);

function variable(family: readonly Axis[], declared: readonly Axis[], more: Partial<Variable> = {}): Variable {
  return {
    id: idOf(0),
    path: 'ffn.w',
    declaration: {
      kind: 'variable',
      role: 'param',
      id: idOf(0),
      name: 'w',
      span,
      type: { kind: 'tensor', element: 'f32', axes: [] },
      initial: null,
      frozen: false,
      source: null,
    },
    element: 'f32',
    family,
    declared,
    within: null,
    ...more,
  };
}

describe('variables', () => {
  const L = axis('L', 3);
  const given = backendWith({ variables: () => Float64Array.of(0, 1, 10, 11, 20, 21) });

  test('are read at a point, over a window, as a whole', () => {
    const w = variable([L], [D]);
    const read = (selection: Parameters<Float64Backend['variable']>[1]): F64Operand => ({
      kind: 'tensor',
      value: given.variable(w, selection, null),
    });
    expect(numbers(read([{ kind: 'at', index: 1 }]), [D])).toEqual([10, 11]);
    const W = axis('W', 2);
    expect(numbers(read([{ kind: 'window', from: 1, as: W }]), [W, D])).toEqual([10, 11, 20, 21]);
    expect(numbers(read([{ kind: 'all', axis: L }]), [L, D])).toEqual([0, 1, 10, 11, 20, 21]);
    const fresh = axis('L#', 3);
    expect(numbers(read([{ kind: 'all', axis: fresh }]), [fresh, D])).toEqual([0, 1, 10, 11, 20, 21]);
  });

  test('f16 rounds where it is declared; a defaultValue stands for what is not given', () => {
    const half = backendWith({ variables: () => Float64Array.of(0.1, 2049) });
    const w = variable([], [D], { element: 'f16' });
    expect([...half.variable(w, [], null).data]).toEqual([0.0999755859375, 2048]);
    const defaultValue = makeTensor('f32', [D, E], Float64Array.of(1, 2, 3, 4));
    const control = variable([E], [D]);
    const value = backendWith().variable(control, [{ kind: 'at', index: 1 }], defaultValue);
    expect([...value.data]).toEqual([2, 4]);
  });

  test('indices are checked where they enter', () => {
    const ids = variable([], [D], { element: 'i32', within: E, path: 'ids' });
    const backend = backendWith({ variables: () => Float64Array.of(-1, 2) });
    const value = { kind: 'tensor', value: backend.variable(ids, [], null) } as const;
    expect(problems(backend, value)).toMatchObject([{ code: 'MOE0721', point: [{ axis: 'D', index: 1 }] }]);
    const first = call('at', { x: value }, { axes: { axis: [D] }, attributes: { index: 0 }, backend });
    expect(problems(backend, first)).toEqual([]);
  });
});

describe('values under calls', () => {
  const backend = backendWith();
  const top = (values: number[], over: Axis, other: Axis, k = 1): F64Operand =>
    call('top_k', { s: tensor([other, over], values) }, { axes: { over: [over] }, attributes: { k } });

  test('broadcast adds axes to tensors and sources to routes', () => {
    const wide = backend.broadcast(tensor([D], [1, 2]), [T, D]);
    expect(numbers(wide, [T, D])).toEqual([1, 2, 1, 2, 1, 2]);
    const r = backend.broadcast(
      call('top_k', { s: tensor([E], [1, 2]) }, { axes: { over: [E] }, attributes: { k: 1 } }),
      [D, E],
    );
    expect(shown(r, [D, E])).toBe('0,1:2#0 1,1:2#0');
  });

  test('stack puts steps along the axis of a chain', () => {
    const C = axis('C', 2);
    const steps = backend.stack([tensor([T, D], [1, 2, 3, 4, 5, 6]), tensor([D, T], [1, 3, 5, 2, 4, 6])], C);
    expect(numbers(steps, [C, T, D])).toEqual([1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6]);
    const routes = backend.stack([top([1, 2, 3, 4, 6, 5], E, T), top([2, 1, 4, 3, 5, 6], E, T)], C);
    expect(shown(routes, [C, T, E])).toBe('0,0,1:2#0 0,1,1:4#0 0,2,0:6#0 1,0,0:2#0 1,1,0:4#0 1,2,1:6#0');
    const none = backend.stack([], axis('C', 0));
    expect(dense(none).data).toHaveLength(0);
  });

  test('unite lays parts along a union, embed their routes', () => {
    const [G, M, P] = [axis('G', 2), axis('M', 2), axis('P', 6)];
    const parts = [
      { value: dense(tensor([D], [7, 8])), axes: [] },
      { value: dense(tensor([M, G], [0, 2, 1, 3])), axes: [G, M] },
      { value: dense(tensor([], [9])), axes: [] },
    ];
    const whole = { kind: 'tensor', value: backend.unite(parts, P) } as const;
    expect(numbers(whole, [D, P])).toEqual([7, 0, 1, 2, 3, 9, 8, 0, 1, 2, 3, 9]);
    const inside = route(
      call('top_k', { s: tensor([G, M], [1, 2, 4, 3]) }, { axes: { over: [M] }, attributes: { k: 1 } }),
    );
    expect(shown({ kind: 'route', value: backend.embed(inside, [G, M], P, exact(1)) }, [P])).toBe('2:2#0 3:4#0');
    const constant = route(top([1, 2, 3], axis('one', 1), T));
    const single = backend.embed(
      route(
        call(
          'at',
          { x: { kind: 'route', value: constant } },
          { axes: { axis: [at(constant.support, 1, 'test: axis')] }, attributes: { index: 0 } },
        ),
      ),
      [],
      P,
      exact(5),
    );
    expect(shown({ kind: 'route', value: single }, [T, P])).toBe('0,5:1#0 1,5:2#0 2,5:3#0');
  });

  test('a lifted call is present where all its routes are', () => {
    const r = route(top([1, 2, 3, 4, 6, 5], E, T));
    const x = backend.weights(route(call('mul', { x: { kind: 'route', value: r }, y: tensor([D], [1, 10]) })));
    const square = dense(call('mul', { x: { kind: 'tensor', value: x }, y: { kind: 'tensor', value: x } }));
    const lifted = backend.present([r], square);
    expect(shown({ kind: 'route', value: lifted }, [T, E])).toBe('0,1:4/400#0 1,1:16/1600#0 2,0:36/3600#0');
  });

  test('a carried loss is the mean over what is present, 0 of nothing', () => {
    const r = route(top([1, 2, 3, 4, 6, 5], E, T));
    const value = dense(tensor([T], [1, 3, 100]));
    const mean = backend.meanPresent(value, [T], [r]);
    expect(numbers({ kind: 'tensor', value: mean }, [E])).toEqual([100, 2]);
    const all = backend.meanPresent(value, [T, E], [r]);
    expect(numbers({ kind: 'tensor', value: all }, [])).toEqual([104 / 3]);
    const none = route(top([], E, axis('N', 0)));
    expect([...backend.meanPresent(dense(tensor([], [5])), none.support, [none]).data]).toEqual([0]);
    expect([...backend.meanPresent(value, [T], []).data]).toEqual([104 / 3]);
  });

  test('an extern is called once for each instance, with its own slice', () => {
    const seen: string[] = [];
    const host = backendWith({
      extern({ instance, args, carried }) {
        seen.push(
          `${instance.join()} ${carried.map((a) => a.name).join()} ${args.map((a) => [...a.data].join(' ')).join('; ')}`,
        );
        return [(args[0]?.data ?? new Float64Array(0)).map((x) => x * 10 + at(instance, 0, 'test: index'))];
      },
    });
    const x = dense(tensor([T, E, D], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]));
    const results = host.extern({
      name: 'tool',
      role: 'expert',
      args: [{ name: 'x', value: x, axes: [D], within: null }],
      results: [{ element: 'f32', axes: [D], within: null }],
      family: [E],
      carried: [T, E],
      mentions: [D, E],
      span,
    });
    expect(seen).toEqual(['0 T 1 2 5 6 9 10', '1 T 3 4 7 8 11 12']);
    expect(numbers({ kind: 'tensor', value: at(results, 0, 'test: result') }, [T, E, D])).toEqual([
      10, 20, 31, 41, 50, 60, 71, 81, 90, 100, 111, 121,
    ]);
  });
});

describe('errors count where they are needed', () => {
  const bad = tensor([T, E], [1, 2, NaN, 1, 2, 1]);
  const selected = (backend: Float64Backend): F64Operand =>
    call('top_k', { s: bad }, { axes: { over: [E] }, attributes: { k: 1 }, backend });

  test('demand reports each once, with the first point', () => {
    const told: RunProblem[] = [];
    const backend = backendWith({ onProblem: (problem) => told.push(problem) });
    const y = call('dot', { left: selected(backend), right: tensor([E], [1, 2]) }, { axes: { over: [E] }, backend });
    expect(told).toEqual([]);
    backend.demand(y);
    expect(told).toMatchObject([{ code: 'MOE0720', span, point: [{ axis: 'T', index: 1 }] }]);
  });

  test('a sum over all tokens needs it, one other token does not', () => {
    const backend = backendWith();
    const loads = call('count', { r: selected(backend) }, { axes: { over: [T] }, backend });
    expect(problems(backend, loads)).toHaveLength(1);
    const token = (index: number): F64Operand =>
      call('at', { x: selected(backend) }, { axes: { axis: [T] }, attributes: { index }, backend });
    expect([0, 1, 2].map((i) => problems(backend, token(i)).length)).toEqual([0, 1, 0]);
  });

  test('what is wrong at absent points is not needed', () => {
    const backend = backendWith();
    // A value per token and expert that is wrong for token 1, and a route that leaves token 1 out.
    const inner = call(
      'dot',
      { left: selected(backend), right: tensor([E], [1, 2]) },
      { axes: { over: [E] }, backend },
    );
    const open = tensor([T], [1, 0, 1], 'bool');
    const r = call('keep', { v: tensor([T, E], [1, 1, 1, 1, 1, 1]), c: open }, { axes: { over: [E] }, backend });
    const wide = backend.broadcast(inner, [E]);
    expect(problems(backend, call('dot', { left: r, right: wide }, { axes: { over: [E] }, backend }))).toEqual([]);
    expect(problems(backend, call('mul', { x: r, y: inner }, { backend }))).toEqual([]);
    const lifted = backend.present([route(r)], dense(inner));
    expect(problems(backend, { kind: 'route', value: lifted })).toEqual([]);
    expect(problems(backend, { kind: 'tensor', value: backend.meanPresent(dense(inner), [T, E], [route(r)]) })).toEqual(
      [],
    );
    expect(problems(backend, { kind: 'tensor', value: backend.meanPresent(dense(inner), [T], []) })).toHaveLength(1);
  });

  test('many wrong points are one report', () => {
    const told: RunProblem[] = [];
    const backend = backendWith({ onProblem: (problem) => told.push(problem) });
    const many = axis('T', 500);
    const values = tensor(
      [many, E],
      Array.from({ length: 1000 }, () => NaN),
    );
    const r = call('top_k', { s: values }, { axes: { over: [E] }, attributes: { k: 1 }, backend });
    backend.demand(r);
    expect(told).toHaveLength(1);
    expect(
      problems(backend, call('at', { x: r }, { axes: { axis: [many] }, attributes: { index: 400 }, backend })),
    ).toHaveLength(1);
  });
});

describe('absent points have no influence', () => {
  /** A little model that passes through everything routes can do. */
  function model(backend: Float64Backend, scores: readonly number[]): readonly number[][] {
    const P = axis('P', 2);
    const s = tensor([T, E], scores);
    const at = { backend: backend };
    const top = call('top_k', { s }, { ...at, axes: { over: [E] }, attributes: { k: 2 } });
    const first = call('top_k', { s: top }, { ...at, axes: { over: [E] }, attributes: { k: 1 } });
    const soft = call('softmax', { x: top }, { ...at, axes: { over: [E] } });
    const sum = call('add', { x: first, y: soft }, { ...at, axes: { over: [E] } });
    const cut = call(
      'limit',
      { r: sum, by0: call('neg', { x: sum }, at) },
      { ...at, axes: { over: [T] }, attributes: { to: 2 } },
    );
    const kept = call(
      'keep',
      { v: cut, c: call('gt', { x: cut, y: tensor([], [-1]) }, { ...at, element: 'bool' }) },
      at,
    );
    const places = call('slots', { r: kept }, { ...at, axes: { places: [P], over: [T] } });
    const normal = call('normalize', { r: call('exp', { x: kept }, at) }, { ...at, axes: { over: [E] } });
    const x = tensor([T, D], [1, 2, 3, 4, 5, 6]);
    const wide = call('mul', { x: normal, y: x }, at);
    const inner = backend.weights(route(wide));
    const squared = dense(
      call('mul', { x: { kind: 'tensor', value: inner }, y: { kind: 'tensor', value: inner } }, at),
    );
    const lifted: F64Operand = { kind: 'route', value: backend.present([route(wide)], squared) };
    const normed = call('rmsnorm', { x: lifted }, { ...at, axes: { over: [D] }, attributes: { eps: 1 } });
    const packed = call('dot', { left: places, right: x }, { ...at, axes: { over: [T] } });
    const stacked = backend.stack([normal, kept], axis('C', 2));
    const chosen = call('where', { condition: kept, then: tensor([], [1]), else: tensor([E], [2, 3]) }, at);
    const results: F64Operand[] = [
      call('sum', { x: normed }, { ...at, axes: { over: [E, D] } }),
      call('max', { x: sum }, { ...at, axes: { over: [T] } }),
      call('logsumexp', { x: kept }, { ...at, axes: { over: [E] } }),
      call('dense', { r: call('rank', { r: stacked }, { ...at, element: 'i32' }) }, { ...at, element: 'i32' }),
      call('dense', { r: stacked }, at),
      call('dot', { left: places, right: packed }, { ...at, axes: { over: [E, P] } }),
      call('load', { r: places }, { ...at, axes: { over: [T] } }),
      call('dot', { left: normal, right: kept }, { ...at, axes: { over: [E] } }),
      { kind: 'tensor', value: backend.meanPresent(squared, [T], [route(kept)]) },
      chosen,
      call('not', { x: kept }, { ...at, element: 'bool' }),
    ];
    return results.map((result) => [...dense(result).data]);
  }

  test('poison changes nothing', () => {
    const score = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(-Infinity));
    fc.assert(
      fc.property(fc.array(score, { minLength: 6, maxLength: 6 }), (scores) => {
        const clean = model(backendWith(), scores);
        expect(model(backendWith({ poison: true }), scores)).toEqual(clean);
        expect(clean.flat().some(Number.isNaN)).toBe(false);
      }),
      { numRuns: 40 },
    );
  });
});
