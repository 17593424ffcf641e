/** Contractions in blocks: of which rows, by vectors or not, and which are computed where what is made of them is stored. */
import { describe, expect, it } from 'vitest';
import type { AxisId, NodeId } from '../../compiler/graph/graph-ir.ts';
import type { Plan } from '../../compiler/schedule/memory/plan.ts';
import { planSchedule } from '../../compiler/schedule/deciding/plan-schedule.ts';
import type { TileChoice } from '../../compiler/schedule/deciding/schedule-ir.ts';
import { fixed, PlanFixture } from './plan-fixture.ts';

/** A graph as the passes leave it: results have memory. */
const fixture = (): PlanFixture => Object.assign(new PlanFixture(), { sparsified: true });

const families = ({ steps, kernels }: Plan): readonly string[] =>
  steps.map((step) => (step.kind === 'launch' ? (kernels[step.kernel]?.name ?? '') : step.kind));

const tilesOf = (t: PlanFixture): readonly TileChoice[] =>
  planSchedule(t.fused(), t.target).steps.flatMap((step) =>
    step.kind === 'value' && step.choice.family === 'tile' ? [step.choice] : [],
  );

/** x [T, D], and two weights [F, D]. */
function layer(T: number, D: number, F: number) {
  const t = fixture();
  const axes = { T: t.dynamicAxis('T', T), D: t.axis('D', D), F: t.axis('F', F) };
  const x = t.input('input', 'x', [axes.T, axes.D]);
  const [w, v] = [t.input('param', 'w', [axes.F, axes.D]), t.input('param', 'v', [axes.F, axes.D])];
  return { t, ...axes, x, w, v, gate: t.b.contract(w, x, [axes.D]), up: t.b.contract(v, x, [axes.D]) };
}

const gated = (t: PlanFixture, gate: NodeId, up: NodeId): NodeId => t.b.map('mul', [t.b.map('silu', [gate]), up]);

describe('heads', () => {
  it.each([0, 1, 2, 3, 4, 5, 9])('gate, up and activation are one launch, for %i rows', async (T) => {
    const { t, F, gate, up, T: rows } = layer(T, 12, 70);
    t.output('y', gated(t, gate, up), [rows, F]);
    const { plan } = await t.agree();
    expect(families(plan)).toEqual(['matmul']);
  });

  it('a residual, a bias and a scale are part of the launch, which reads x by vectors and by scalars', async () => {
    const t = fixture();
    const [T, D] = [t.dynamicAxis('T', 7), t.axis('D', 64)];
    const E = t.axis('E', 64);
    const x = t.input('input', 'x', [T, D]);
    const sum = t.b.contract(t.input('param', 'w', [E, D]), x, [D]);
    const scaled = t.b.map('mul', [sum, t.input('input', 's', [T])]);
    const biased = t.b.map('add', [scaled, t.input('param', 'b', [E])]);
    t.output('y', t.b.map('add', [biased, t.b.rename(x, [D], [E])]), [T, E]);
    const { plan } = await t.agree();
    expect(families(plan)).toEqual(['matmul']);
    expect(plan.kernels[0]?.buffers.map(({ lanes }) => lanes ?? 1).toSorted()).toEqual([1, 1, 1, 1, 4, 4]);
  });

  it('whoever is read elsewhere too has memory of its own', async () => {
    const { t, F, gate, up, T } = layer(5, 12, 70);
    t.output('y', gated(t, gate, up), [T, F]);
    t.output('gate', gate, [T, F]);
    const { plan } = await t.agree();
    expect(families(plan)).toEqual(['matmul', 'matmul']);
  });

  it('of two inputs are of two launches', async () => {
    const { t, F, D, gate, v, T } = layer(5, 12, 70);
    const other = t.b.contract(v, t.input('input', 'z', [T, D]), [D]);
    t.output('y', gated(t, gate, other), [T, F]);
    const { plan } = await t.agree();
    expect(families(plan)).toEqual(['matmul', 'matmul']);
  });

  it('of which one is read at another point has memory of its own', async () => {
    const t = fixture();
    const [T, D, F] = [t.axis('T', 72), t.axis('D', 8), t.axis('F', 72)];
    const sum = t.b.contract(t.input('param', 'w', [F, D]), t.input('input', 'x', [T, D]), [D]);
    // sum + its transpose: a point needs two sums of two points.
    t.output('y', t.b.map('add', [sum, t.b.rename(sum, [T, F], [F, T])]), [T, F]);
    const { plan } = await t.agree();
    expect(families(plan)[0]).toBe('matmul');
    expect(plan.steps.length).toBe(2);
  });

  it('are four of a launch at most', async () => {
    const { t, x, D, F, T } = layer(5, 8, 70);
    const sums = Array.from({ length: 6 }, (_, i) => t.b.contract(t.input('param', `w${i}`, [F, D]), x, [D]));
    const [first = 0 as NodeId, ...others] = sums;
    t.output('y', others.reduce((all, sum) => t.b.map('add', [all, sum]), first), [T, F]); // prettier-ignore
    const { plan } = await t.agree();
    const heads = tilesOf(t).map((tile) => tile.heads.length);
    expect(heads.toSorted()).toEqual([1, 1, 4]);
    // The second sum needs nothing of the four that become one value, and nothing of the first.
    expect(families(plan)).toEqual(['matmul_and_matmul', 'matmul']);
  });

  it('is part of what is predicated on where it is wanted', async () => {
    const { t, gate, T, F } = layer(5, 12, 70);
    const mask = t.b.map('gt', [t.input('input', 'm', [T]), t.b.constant(0)]);
    t.output('y', t.b.map('where', [mask, t.b.map('relu', [gate]), t.b.constant(-1)]), [T, F]);
    const { plan } = await t.agree();
    expect(families(plan)).toEqual(['matmul']);
  });
});

describe('loads by vectors', () => {
  const lanesOf = (make: (t: PlanFixture) => readonly [NodeId, readonly AxisId[]]): readonly number[] => {
    const t = fixture();
    t.output('y', ...make(t));
    return tilesOf(t).map(({ lanes }) => lanes);
  };

  it.each([
    [12, 4],
    [16, 4],
    [13, 1],
    [2, 1],
  ])('of sums over %i terms that are neighbours on both sides: %i', (D, lanes) => {
    const { t, gate, T, F } = layer(5, D, 6);
    t.output('y', gate, [T, F]);
    expect(tilesOf(t).map((tile) => tile.lanes)).toEqual([lanes]);
  });

  it('not where the terms of one side lie apart', () => {
    const lanes = lanesOf((t) => {
      const [T, D, F] = [t.dynamicAxis('T', 5), t.axis('D', 8), t.axis('F', 6)];
      const w = t.input('param', 'w', [D, F]);
      return [t.b.contract(w, t.input('input', 'x', [T, D]), [D]), [T, F]];
    });
    expect(lanes).toEqual([1]);
  });

  it('not where a run decides how many terms there are', () => {
    const lanes = lanesOf((t) => {
      const [T, D, F] = [t.axis('T', 5), t.dynamicAxis('D', 8), t.axis('F', 6)];
      return [t.b.contract(t.input('param', 'w', [F, D]), t.input('input', 'x', [T, D]), [D]), [T, F]];
    });
    expect(lanes).toEqual([1]);
  });

  it('through names, and slices of other axes, but not from the middle of the own', async () => {
    const t = fixture();
    const [T, D, F, L] = [t.dynamicAxis('T', 5), t.axis('D', 8), t.axis('F', 70), t.axis('L', 3)];
    const [H, Z] = [t.axis('H', 8), t.axis('Z', 12)];
    const w = t.b.slice(t.input('param', 'w', [L, F, D]), L, fixed(1), null);
    const x = t.b.rename(t.input('input', 'x', [T, H]), [H], [D]);
    t.output('y', t.b.contract(w, x, [D]), [T, F]);
    const cut = t.b.slice(t.input('param', 'v', [F, Z]), Z, fixed(2), D);
    t.output('z', t.b.contract(cut, x, [D]), [T, F]);
    await t.agree();
    expect(tilesOf(t).map(({ lanes }) => lanes)).toEqual([4, 1]);
  });

  it.each([4, 8, 20, 36, 64, 260, 4100])('the same bits as by scalars, of %i terms', async (n) => {
    const t = fixture();
    const [T, D, F, E] = [t.dynamicAxis('T', 3), t.axis('D', n), t.axis('F', 2), t.axis('E', 2)];
    const x = t.input('input', 'x', [T, D]);
    const data = Array.from({ length: 2 * n }, (_, i) => Math.fround(Math.sin(i * 12.9898)));
    const turned = Array.from({ length: 2 * n }, (_, i) => data[(i % 2) * n + Math.floor(i / 2)] ?? NaN);
    t.output('byVectors', t.b.contract(t.input('param', 'w', [F, D], data), x, [D]), [T, F]);
    t.output('byScalars', t.b.contract(t.input('param', 'v', [D, E], turned), x, [D]), [T, E]);
    expect(tilesOf(t).map(({ lanes }) => lanes)).toEqual([4, 1]);
    const { simulated } = await t.agree();
    const [one, other] = ['byVectors', 'byScalars'].map((name) => simulated.results().get(name));
    if (one?.kind !== 'tensor' || other?.kind !== 'tensor') throw new Error('there are two results');
    expect([...one.data]).toEqual([...other.data]);
  });
});

describe('rows', () => {
  it('of one batch only are of a block where each batch has its own weights', async () => {
    const t = fixture();
    const [B, T, D, F] = [t.axis('B', 3), t.dynamicAxis('T', 6), t.axis('D', 8), t.axis('F', 66)];
    const y = t.b.contract(t.input('param', 'w', [B, F, D]), t.input('input', 'x', [B, T, D]), [D]);
    t.output('y', y, [B, T, F]);
    const { plan } = await t.agree();
    expect(families(plan)).toEqual(['matmul']);
    expect(tilesOf(t)[0]).toMatchObject({ rows: { kind: 'dense', groups: [B], axes: [T] }, tileRows: 4 });
  });

  it('of several axes are neighbours where the weights have none of them', async () => {
    const t = fixture();
    const [B, T, D] = [t.axis('B', 2), t.dynamicAxis('T', 5), t.axis('D', 8)];
    const [H, Q] = [t.axis('H', 5), t.axis('Q', 13)];
    const y = t.b.contract(t.input('param', 'w', [H, Q, D]), t.input('input', 'x', [B, T, D]), [D]);
    t.output('y', y, [B, T, H, Q]);
    await t.agree();
    expect(tilesOf(t)[0]).toMatchObject({ rows: { groups: [], axes: [B, T] }, columns: [H, Q], tileRows: 4 });
  });
});
