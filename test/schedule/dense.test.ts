/** Values stored dense: each kind of node against the float64 graph interpreter. */
import { describe, expect, it } from 'vitest';
import { PlanFixture, closeTo, fixed } from './plan-fixture.ts';

describe('dense values', () => {
  it('fuses elementwise chains into one launch', async () => {
    const t = new PlanFixture();
    const [T, D] = [t.dynamicAxis('T', 5), t.axis('D', 7)];
    const x = t.input('input', 'x', [T, D]);
    const w = t.input('param', 'w', [D]);
    const y = t.b.map('silu', [t.b.map('add', [t.b.map('mul', [x, w]), t.b.constant(0.5)])]);
    t.output('y', y, [T, D]);
    const { plan } = await t.agree();
    expect(plan.steps.length).toBe(1);
  });

  it('contracts in either order of axes, with sizes that are no multiple of the tile', async () => {
    const t = new PlanFixture();
    const [T, D, F] = [t.dynamicAxis('T', 9), t.axis('D', 13), t.axis('F', 6)];
    const x = t.input('input', 'x', [T, D]);
    const w = t.input('param', 'w', [F, D]);
    t.output('y', t.b.contract(w, x, [D]), [T, F]);
    t.output('yt', t.b.contract(w, x, [D]), [F, T]);
    t.output('all', t.b.contract(t.b.contract(w, x, [D]), t.input('param', 'v', [F, T]), [F, T]), []);
    const { plan } = await t.agree(2e-5);
    expect(plan.kernels.some((k) => k.name === 'matmul')).toBe(true);
  });

  it('reduces, over several axes, and softmaxes', async () => {
    const t = new PlanFixture();
    const [T, E, D] = [t.dynamicAxis('T', 4), t.axis('E', 6), t.axis('D', 3)];
    const x = t.input('input', 'x', [T, E, D]);
    t.output('sum', t.b.reduce('sum', x, [T, D]), [E]);
    t.output('max', t.b.reduce('max', x, [E]), [D, T]);
    t.output('min', t.b.reduce('min', x, [T, E, D]), []);
    t.output('any', t.b.reduce('any', t.b.map('gt', [x, t.b.constant(0.8)]), [D]), [T, E]);
    const e = t.b.map('exp', [t.b.map('sub', [x, t.b.reduce('max', x, [E])])]);
    t.output('softmax', t.b.map('div', [e, t.b.reduce('sum', e, [E])]), [T, E, D]);
    await t.agree();
  });

  it('runs with a dynamic axis of size 0', async () => {
    const t = new PlanFixture();
    const [T, D] = [t.dynamicAxis('T', 0), t.axis('D', 3)];
    const x = t.input('input', 'x', [T, D]);
    t.output('y', t.b.map('neg', [x]), [T, D]);
    t.output('sum', t.b.reduce('sum', x, [T]), [D]);
    const { simulated } = await t.agree();
    expect(simulated.counts.every((c) => c?.rounds === 0)).toBe(true);
  });

  it('scans, inclusive and exclusive', async () => {
    const t = new PlanFixture();
    const [T, E] = [t.dynamicAxis('T', 6), t.axis('E', 4)];
    const x = t.input('input', 'x', [T, E]);
    t.output('inclusive', t.b.scan(x, T, false), [T, E]);
    t.output('exclusive', t.b.scan(x, E, true), [T, E]);
    await t.agree();
  });

  it('orders by several keys with ties, among candidates, and finds the largest', async () => {
    const t = new PlanFixture();
    const [T, E] = [t.dynamicAxis('T', 5), t.axis('E', 6)];
    const coarse = t.b.map('floor', [t.b.map('mul', [t.input('input', 'x', [T, E]), t.b.constant(2)])]);
    const fine = t.input('input', 'z', [E]);
    const among = t.b.map('gt', [t.input('input', 'c', [T, E]), t.b.constant(-0.5)]);
    const place = t.b.sortRank(
      [
        { node: coarse, descending: true },
        { node: fine, descending: false },
      ],
      among,
      [E],
      true,
    );
    t.output('place', t.b.map('where', [among, place, t.b.constant(-1, 'i32')]), [T, E]);
    t.output('across', t.b.sortRank([{ node: coarse, descending: false }], null, [E, T], false), [T, E]);
    t.output('largest', t.b.argmax(coarse, E), [T]);
    await t.agree();
  });

  it('reports the first NaN among candidates', async () => {
    const t = new PlanFixture();
    const [T, E] = [t.dynamicAxis('T', 3), t.axis('E', 4)];
    const x = t.input('input', 'x', [T, E], [1, NaN, 0, 2, 1, 2, 3, 4, 5, 6, NaN, NaN]);
    const among = t.b.map('gt', [t.b.iota(E), t.b.constant(1, 'i32')]);
    t.output('place', t.b.sortRank([{ node: x, descending: true }], among, [E], true), [T, E]);
    const { faults, results } = await t.simulate(t.plan());
    expect(faults.map((e) => [e.code, [...e.point.values()]])).toEqual([['MOE0720', [2]]]);
    const place = results().get('place');
    if (place?.kind !== 'tensor') throw new Error('no place');
    expect([...place.data.slice(2, 4), ...place.data.slice(6, 8)]).toEqual([1, 0, 1, 0]);
  });

  it('looks up, -1 gives 0, and reports what is outside', async () => {
    const t = new PlanFixture();
    const [T, V, D] = [t.dynamicAxis('T', 4), t.axis('V', 3), t.axis('D', 2)];
    const table = t.input('param', 'table', [V, D]);
    const ids = t.input('input', 'ids', [T], [2, -1, 0, 1], 'i32');
    const y = t.b.gather(table, V, ids);
    t.demandPoints(y, ids, V);
    t.output('y', y, [T, D]);
    await t.agree();
    t.inputs.set('ids', [2, 0, 3, -2]);
    const { faults } = await t.simulate(t.plan());
    expect(faults.map((e) => [e.code, [...e.point.values()]])).toEqual([['MOE0721', [2]]]);
  });

  it('sees through views, and concatenates few parts and many', async () => {
    const t = new PlanFixture();
    const [T, A, B, C] = [t.dynamicAxis('T', 3), t.axis('A', 4), t.axis('B', 2), t.axis('C', 8)];
    const x = t.input('input', 'x', [T, C]);
    const split = t.b.split(x, C, [A, B]);
    t.output('split', t.b.map('neg', [split]), [B, T, A]);
    t.output('merged', t.b.merge(split, [B, A], C), [T, C]);
    t.output('slice', t.b.slice(x, C, fixed(3), A), [T, A]);
    t.output('at', t.b.slice(x, C, fixed(7), null), [T]);
    const W = t.axis('W', 7);
    const parts = [
      { node: t.b.slice(x, C, fixed(1), A), axis: A },
      { node: t.b.reduce('sum', x, [C]), axis: null },
      { node: split, axis: B },
    ];
    const few = t.b.concat([...parts.slice(0, 2), { node: t.b.slice(x, C, fixed(0), B), axis: B }], W);
    t.output('few', t.b.map('mul', [few, few]), [T, W]);
    const M = t.axis('M', 6);
    const many = t.b.concat(
      Array.from({ length: 6 }, (_, i) => ({ node: t.b.slice(x, C, fixed(i), null), axis: null })),
      M,
    );
    t.output('many', many, [M, T]);
    const { plan } = await t.agree();
    expect(plan.steps.filter((s) => s.kind === 'launch' && plan.kernels[s.kernel]?.name === 'map_part').length).toBe(6);
  });

  it('works in integers and bools', async () => {
    const t = new PlanFixture();
    const [T] = [t.dynamicAxis('T', 6)];
    const x = t.input('input', 'x', [T], [-7, 7, -8, 8, 5, -1], 'i32');
    const y = t.input('input', 'y', [T], [2, -2, 4, -3, 0, 3], 'i32');
    t.output('div', t.b.map('div', [x, y]), [T]);
    t.output('mod', t.b.map('mod', [x, y]), [T]);
    t.output('and', t.b.map('and', [t.b.map('lt', [x, y]), t.b.map('not', [t.b.map('eq', [x, y])])]), [T]);
    t.output('float', t.b.map('convert', [t.b.map('lt', [x, y])], 'f32'), [T]);
    t.output('half', t.b.map('convert', [t.b.map('div', [t.b.map('convert', [x], 'f32'), t.b.constant(3)])], 'f16'), [
      T,
    ]);
    await t.agree();
  });

  it('gives a value memory where a launch would need too many buffers', async () => {
    const t = new PlanFixture();
    const T = t.dynamicAxis('T', 4);
    const inputs = Array.from({ length: 20 }, (_, i) => t.input('input', `x${i}`, [T]));
    const sum = inputs.reduce((a, b) => t.b.map('add', [a, b]));
    t.output('y', sum, [T]);
    const { plan } = await t.agree();
    expect(plan.steps.length).toBe(4);
    expect(plan.kernels.every((k) => k.buffers.length <= 8)).toBe(true);
  });

  it('computes the default of a control unless it is given', async () => {
    const t = new PlanFixture();
    const [T, E] = [t.dynamicAxis('T', 2), t.axis('E', 3)];
    const x = t.input('input', 'x', [T, E]);
    const index = t.b.addInput({
      role: 'control',
      name: 'tilt',
      element: 'f32',
      axes: [E],
      within: null,
      default: null,
    });
    t.b.setDefault(index, t.b.broadcast(t.b.reduce('sum', t.input('param', 'w', [E], [1, 2, 3]), [E]), [E]));
    t.output('y', t.b.map('add', [x, t.b.input(index)]), [T, E]);
    const plan = t.plan();
    const x0 = t.inputs.get('x') ?? [];
    const read = async (stores: ReadonlyMap<string, ArrayLike<number>>) => {
      const { results } = await t.simulate(plan, { stores });
      const y = results().get('y');
      return y?.kind === 'tensor' ? [...y.data] : [];
    };
    const { stores } = t.run();
    closeTo(await read(stores), x0.map((v) => v + 6), 1e-6, 'default'); // prettier-ignore
    closeTo(await read(new Map([...stores, ['tilt', [10, 20, 30]]])), x0.map((v, i) => v + 10 * ((i % 3) + 1)), 1e-6, 'given'); // prettier-ignore
  });

  it('shares kernels between layers, and memory between values that do not live together', async () => {
    const t = new PlanFixture();
    const [T, D, F] = [t.dynamicAxis('T', 5), t.axis('D', 4), t.axis('F', 8)];
    let x = t.input('input', 'x', [T, D]);
    for (let l = 0; l < 6; l++) {
      const up = t.b.contract(x, t.input('param', `up${l}`, [F, D]), [D]);
      x = t.b.map('add', [x, t.b.contract(t.keep(t.b.map('relu', [up])), t.input('param', `down${l}`, [D, F]), [F])]);
      t.keep(x);
    }
    t.output('y', x, [T, D]);
    const { plan } = await t.agree();
    expect(plan.steps.length).toBeLessThanOrEqual(24);
    // A layer is a row of its own kind, as the first and the last are.
    const kernels = plan.steps.flatMap((step) => (step.kind === 'launch' ? [step.kernel] : []));
    expect(new Set(kernels).size).toBeLessThanOrEqual(4);
    expect(plan.allocations).toBeLessThanOrEqual(4);
  });

  it('draws the numbers of the definition', async () => {
    const t = new PlanFixture();
    const [T, D] = [t.dynamicAxis('T', 40), t.axis('D', 25)];
    const roots = [
      { axis: D, name: 'D', offset: fixed(0) },
      { axis: T, name: 'T', offset: fixed(3) },
    ];
    for (const d of ['uniform', 'normal', 'gumbel'] as const) t.output(d, t.b.draw(d, `here.${d}`, roots), [T, D]);
    await t.agree(1e-5);
  });

  it('calls an extern with dense operands', async () => {
    const t = new PlanFixture();
    const [T, D] = [t.dynamicAxis('T', 3), t.axis('D', 2)];
    const x = t.input('input', 'x', [T, D]);
    const span = { source: 'test', start: 0, end: 1 };
    const call = t.b.addExtern({
      name: 'f',
      role: 'fn',
      operands: [{ name: 'x', node: t.b.map('neg', [x]), axes: [D], within: null }],
      results: [{ element: 'f32', axes: [T], within: null }],
      family: [],
      carried: [T],
      mentions: [D],
      span,
    });
    t.output('y', t.b.map('add', [t.b.extern(call, 0), t.b.constant(1)]), [T]);
    const { results } = await t.simulate(t.plan(), {
      extern: ({ name, operands }) => {
        expect(name).toBe('f');
        const data = operands.get('x')?.data ?? new Float32Array();
        return [0, 1, 2].map((i) => (data[2 * i] ?? NaN) + (data[2 * i + 1] ?? NaN));
      },
    });
    const y = results().get('y');
    const x0 = t.inputs.get('x') ?? [];
    closeTo(y?.kind === 'tensor' ? [...y.data] : [], [0, 1, 2].map((i) => 1 - (x0[2 * i] ?? 0) - (x0[2 * i + 1] ?? 0)), 1e-6, 'y'); // prettier-ignore
  });
});
