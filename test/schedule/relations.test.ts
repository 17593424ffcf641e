/** Values on assignments: domains written by hand, results against the float64 graph interpreter, work counted. */
import { planSchedule } from '../../compiler/schedule/deciding/plan-schedule.ts';
import type { Choice } from '../../compiler/schedule/deciding/schedule-ir.ts';
import { describe, expect, it } from 'vitest';
import type { AxisId, NodeId } from '../../compiler/graph/graph-ir.ts';
import type { Plan } from '../../compiler/schedule/memory/plan.ts';
import type { RanPlan } from '../support/simulate-plan.ts';
import { formatSize } from '../../dsl/types/size.ts';
import { PlanFixture, fixed } from './plan-fixture.ts';

/** silu(w1 x) * (w3 x), then w2: contractions, with the domain `on` for what lies between. */
function swiglu(
  t: PlanFixture,
  x: NodeId,
  family: readonly AxisId[],
  D: AxisId,
  F: AxisId,
  on: readonly NodeId[],
  name = 'ffn',
): NodeId {
  const { b } = t;
  const w = (n: string, axes: readonly AxisId[]) => t.input('param', `${name}.${n}`, [...family, ...axes]);
  const up = t.on(b.contract(w('w1', [F, D]), x, [D]), on);
  const gate = t.on(b.contract(w('w3', [F, D]), x, [D]), on);
  const h = t.on(b.map('mul', [b.map('silu', [up]), gate]), on);
  return t.on(b.contract(w('w2', [D, F]), h, [F]), on);
}

/** Mixtral's block: softmax, two of E experts, normalised, combined. */
function mixtralBlock(T: number, E: number, k = 2): PlanFixture {
  const t = new PlanFixture();
  const { b } = t;
  const [t_, e, d, f] = [t.dynamicAxis('T', T), t.axis('E', E), t.axis('D', 5), t.axis('F', 6)];
  const x = t.input('input', 'x', [t_, d]);
  const s = b.contract(t.input('param', 'gate.w', [e, d]), x, [d]);
  const p = b.map('exp', [b.map('sub', [s, b.reduce('max', s, [e])])]);
  const { presence } = t.topK(p, k, [e], [t_], [e]);
  const sum = b.reduce('sum', b.predicated(presence, p, 0), [e]);
  const weight = b.map('div', [p, sum]);
  const y = swiglu(t, x, [e], d, f, [presence]);
  t.output('y', b.reduce('sum', b.predicated(presence, b.map('mul', [weight, y]), 0), [e]), [t_, d]);
  return t;
}

function rounds(plan: Plan, simulated: RanPlan, family: string): number {
  return plan.steps.reduce((sum, step, i) => {
    const kernel = step.kind === 'launch' ? plan.kernels[step.kernel] : undefined;
    return kernel?.name === family ? sum + (simulated.counts[i]?.rounds ?? 0) : sum;
  }, 0);
}

describe.each([false, true])('values on assignments, domains by sparsify: %s', (sparsified) => {
  const bench = () => Object.assign(new PlanFixture(), { sparsified });
  const mixtral = (T: number, E: number) => Object.assign(mixtralBlock(T, E), { sparsified });

  it('computes two of eight experts by grouped matmuls and combines by token', async () => {
    const t = mixtral(11, 8);
    const { plan } = await t.agree();
    const families = plan.steps.map((s) => (s.kind === 'launch' ? plan.kernels[s.kernel]?.name : s.name));
    expect(families.filter((f) => f === 'grouped_matmul').length, 'gate, up and activation are one').toBe(2);
    expect(families.filter((f) => f === 'reduce_sum_listed').length).toBe(1);
    expect(families.filter((f) => f === 'compact_fill').length).toBe(2);
  });

  it.each([0, 1, 3, 200])('is right for %i tokens', async (T) => {
    await mixtral(T, 4).agree();
  });

  it('launches as often for 64 experts as for 32, and works in proportion to assignments', async () => {
    const few = await mixtral(12, 32).agree();
    const many = await mixtral(12, 64).agree();
    expect(many.plan.steps.length).toBe(few.plan.steps.length);
    expect(many.plan.kernels.length).toBe(few.plan.kernels.length);
    const work = (r: typeof few) => rounds(r.plan, r.simulated, 'grouped_matmul');
    // With more experts rows share less: at most one round for each row, column block and step, and never E times that.
    const rows = 12 * 2;
    const most = rows * (2 * 2 * 5 + 2 * 6);
    expect(work(many)).toBeLessThanOrEqual(most);
    expect(work(few)).toBeLessThanOrEqual(work(many));
    expect(rounds(many.plan, many.simulated, 'reduce_sum_listed')).toBe(rows * 5);
    const twice = await mixtral(24, 64).agree();
    expect(rounds(twice.plan, twice.simulated, 'reduce_sum_listed')).toBe(2 * rows * 5);
  });

  it('lets experts choose their tokens', async () => {
    const t = bench();
    const { b } = t;
    const [T, E, D, F] = [t.dynamicAxis('T', 9), t.axis('E', 4), t.axis('D', 5), t.axis('F', 6)];
    const x = t.input('input', 'x', [T, D]);
    const s = b.contract(t.input('param', 'w', [E, D]), x, [D]);
    const { presence } = t.topK(s, 2, [T], [T], [E]);
    const y = swiglu(t, x, [E], D, F, [presence]);
    t.output('y', b.reduce('sum', b.predicated(presence, b.map('mul', [s, y]), 0), [E]), [T, D]);
    const { plan } = await t.agree();
    // Two tokens for each of four experts: room for eight rows at most.
    const points = plan.buffers.find(
      (buffer) => buffer.label.endsWith('): list') && buffer.label.startsWith('assignments (E, T)'),
    );
    expect(formatSize(points?.elements ?? fixed(0))).toBe('min(8, T * 4)');
  });

  it('nests: assignments of assignments', async () => {
    const t = bench();
    const { b } = t;
    const [T, E, I, D, F] = [t.dynamicAxis('T', 7), t.axis('E', 5), t.axis('I', 4), t.axis('D', 3), t.axis('F', 4)];
    const x = t.input('input', 'x', [T, D]);
    const s = b.contract(t.input('param', 'outer.w', [E, D]), x, [D]);
    const outer = t.topK(s, 2, [E], [T], [E]).presence;
    // Inside an expert: another projection, another router over I, other experts.
    const h = t.on(b.contract(t.input('param', 'outer.p', [E, D, F]), b.rename(x, [D], [D]), [D]), [outer]);
    const q = t.on(b.contract(t.input('param', 'inner.w', [E, I, F]), h, [F]), [outer]);
    const place = t.on(b.sortRank([{ node: q, descending: true }], null, [I], true), [outer]);
    const mask = t.on(b.map('lt', [place, b.constant(2, 'i32')]), [outer], false);
    const inner = t.on(b.presence(mask, [T, E], [I], [{ per: [T, E], atMost: fixed(2) }]), [outer], false);
    const z = t.on(b.contract(t.input('param', 'inner.u', [E, I, D, F]), h, [F]), [outer, inner]);
    const tanh = t.on(b.map('tanh', [z]), [outer, inner]);
    const y = t.on(b.reduce('sum', b.predicated(inner, b.map('mul', [q, tanh]), 0), [I]), [outer]);
    t.output('y', b.reduce('sum', b.predicated(outer, b.map('mul', [s, y]), 0), [E]), [T, D]);
    const { plan, simulated } = await t.agree();
    expect(plan.buffers.some((buffer) => buffer.label.startsWith('assignments (E, T, I): list'))).toBe(true);
    expect(rounds(plan, simulated, 'reduce_sum_listed')).toBe(7 * 2 * 2 * 3 + 7 * 2 * 3);
  });

  it('packs into slots and puts back', async () => {
    const t = bench();
    const { b } = t;
    const [T, E, P, D, F] = [t.dynamicAxis('T', 10), t.axis('E', 4), t.axis('P', 3), t.axis('D', 3), t.axis('F', 4)];
    const x = t.input('input', 'x', [T, D]);
    const s = b.contract(t.input('param', 'w', [E, D]), x, [D]);
    const r = t.topK(s, 2, [E], [T], [E]).presence;
    const queue = b.scan(b.map('convert', [r], 'i32'), T, true);
    const there = b.predicated(r, b.map('eq', [queue, b.iota(P)]), 0);
    const slots = b.presence(
      there,
      [T],
      [E, P],
      [
        { per: [E, P], atMost: fixed(1) },
        { per: [T], atMost: fixed(2) },
      ],
    );
    const packed = b.reduce('sum', b.predicated(slots, x, 0), [T]);
    const filled = b.presence(b.reduce('any', slots, [T]), [], [E, P], []);
    const input = t.on(packed, [filled]);
    const y = swiglu(t, input, [E], D, F, [filled]);
    t.output('y', b.reduce('sum', b.predicated(slots, y, 0), [E, P]), [T, D]);
    const { plan } = await t.agree();
    const grouped = plan.kernels.some((kernel) => kernel.name === 'grouped_matmul');
    // The pass projects only where it is known to pay.
    expect(grouped || sparsified).toBe(true);
  });

  it('routes over a union of families: each part on its own assignments', async () => {
    const t = bench();
    const { b } = t;
    const [T, E, G, P, D, F] = [
      t.dynamicAxis('T', 6),
      t.axis('E', 3),
      t.axis('G', 2),
      t.axis('P', 6),
      t.axis('D', 4),
      t.axis('F', 5),
    ];
    const x = t.input('input', 'x', [T, D]);
    const s = b.contract(t.input('param', 'w', [P, D]), x, [D]);
    const r = t.topK(s, 2, [P], [T], [P]).presence;
    const part = (at: number, as: AxisId) =>
      b.presence(b.slice(r, P, fixed(at), as), [T], [as], [{ per: [T], atMost: fixed(2) }]);
    const first = swiglu(t, x, [E], D, F, [part(0, E)], 'first');
    const second = swiglu(t, x, [G], D, F, [part(3, G)], 'second');
    const all = b.concat(
      [
        { node: first, axis: E },
        { node: second, axis: G },
        { node: b.broadcast(x, [T]), axis: null },
      ],
      P,
    );
    t.on(all, [r], false);
    t.output('y', b.reduce('sum', b.predicated(r, b.map('mul', [s, all]), 0), [P]), [T, D]);
    await t.agree();
  });

  it('attends inside experts of a sequence: features along a full axis', async () => {
    const t = bench();
    const { b } = t;
    const [B, T, E, D] = [t.dynamicAxis('B', 3), t.dynamicAxis('T', 4), t.axis('E', 4), t.axis('D', 3)];
    const U = b.twin(T);
    const x = t.input('input', 'x', [B, T, D]);
    const s = b.contract(t.input('param', 'w', [E, D]), b.reduce('sum', x, [T]), [D]);
    const r = t.topK(s, 1, [E], [B], [E]).presence;
    const D2 = b.twin(D);
    const q = t.on(b.contract(t.input('param', 'q', [E, D2, D]), x, [D]), [r]);
    const k = b.rename(q, [T], [U]);
    t.on(k, [r], false);
    const scores = t.on(b.contract(q, k, [D2]), [r]);
    const max = t.on(b.reduce('max', scores, [U]), [r]);
    const e = t.on(b.map('exp', [b.map('sub', [scores, max])]), [r]);
    const sum = t.on(b.reduce('sum', e, [U]), [r]);
    const attention = t.on(b.map('div', [e, sum]), [r]);
    const v = t.on(b.contract(attention, k, [U]), [r]);
    t.output('y', b.reduce('sum', b.predicated(r, b.map('mul', [s, v]), 0), [E]), [B, T, D2]);
    const { plan } = await t.agree();
    expect(plan.buffers.some((buffer) => buffer.label.startsWith('assignments (E, B): list'))).toBe(true);
  });

  it('makes a relation of the support that is known first, of two that say the same', async () => {
    const t = bench();
    const { b } = t;
    const [T, E, D] = [t.dynamicAxis('T', 5), t.axis('E', 4), t.axis('D', 3)];
    const x = t.input('input', 'x', [T, D]);
    const s = b.contract(t.input('param', 'w', [E, D]), x, [D]);
    const r = t.topK(s, 2, [E], [T], [E]).presence;
    const y = t.on(b.map('mul', [s, t.input('param', 'v', [E, D])]), [r]);
    const twice = b.presence(b.map('or', [r, r]), [T], [E], []);
    t.output('y', b.reduce('sum', b.predicated(r, b.map('tanh', [y]), 0), [E]), [T, D]);
    t.output('z', b.reduce('sum', b.predicated(twice, y, 0), [E]), [T, D]);
    const { plan } = await t.agree();
    expect(plan.buffers.filter((buffer) => buffer.label.startsWith('assignments (E, T): list')).length).toBe(1);
  });

  it('keeps a value dense when its domain is cheap, and reads it from assignments', async () => {
    const t = mixtral(8, 4);
    // The sum that normalises the weights has nothing but tokens and experts: a dense loop, no list of its own.
    const { steps } = planSchedule(t.fused(), t.target);
    const choices = steps.flatMap((step): readonly Choice[] => {
      if (step.kind === 'row') return step.phases.flat().map(({ choice }) => choice);
      return step.kind === 'value' ? [step.choice] : [];
    });
    const sums = choices.filter(({ node }) => node.kind === 'reduce' && node.op === 'sum');
    expect(sums.map(({ family }) => family).toSorted()).toEqual(['reduce', 'reduce_listed']);
  });

  it('reports only at points that are asked for', async () => {
    const t = bench();
    const { b } = t;
    const [T, E, D, V] = [t.dynamicAxis('T', 3), t.axis('E', 2), t.axis('D', 2), t.axis('V', 3)];
    const x = t.input('input', 'x', [T, E], [1, 0, 0, 1, 1, 0]);
    const r = t.topK(x, 1, [E], [T], [E]).presence;
    const ids = t.input('input', 'ids', [T, E], [0, 9, 9, 1, 7, 2], 'i32');
    const y = t.on(b.gather(t.input('param', 'table', [E, V, D]), V, ids), [r]);
    t.demandPoints(y, ids, V);
    t.output('y', b.reduce('sum', b.predicated(r, y, 0), [E]), [T, D]);
    const { faults } = await t.simulate(t.plan());
    expect(faults.map((e) => [...e.point.values()])).toEqual([[0, 2]]);
  });

  it('gives an extern expert its mask', async () => {
    const t = bench();
    const { b } = t;
    const [T, E, D] = [t.dynamicAxis('T', 4), t.axis('E', 3), t.axis('D', 2)];
    const x = t.input('input', 'x', [T, D]);
    const s = t.input('input', 's', [T, E]);
    const r = t.topK(s, 1, [E], [T], [E]).presence;
    const span = { source: 'test', start: 0, end: 1 };
    const call = b.addExtern({
      name: 'host',
      role: 'expert',
      operands: [{ name: 'x', node: x, axes: [D], within: null }],
      results: [{ element: 'f32', axes: [E, T, D], within: null }],
      family: [E],
      carried: [T],
      mentions: [D, E],
      span,
    });
    const y = t.on(b.extern(call, 0), [r]);
    t.output('y', b.reduce('sum', b.predicated(r, y, 0), [E]), [T, D]);
    let asked = 0;
    const { results } = await t.simulate(t.plan(), {
      extern: ({ points, results: [shape], operands }) => {
        asked += points ?? NaN;
        expect(shape?.shape).toEqual([points, 2]);
        return Array.from(operands.get('x')?.data ?? [], (v) => 2 * v);
      },
    });
    expect(asked).toBe(4);
    const got = results().get('y');
    expect(got?.kind === 'tensor' ? [...got.data] : []).toEqual((t.inputs.get('x') ?? []).map((v) => 2 * v));
  });
});
