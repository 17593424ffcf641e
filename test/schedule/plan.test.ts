/** What a plan is besides right: memory by lifetime, its text, its verifier, its manifest. */
import { describe, expect, it } from 'vitest';
import { idOf } from '../../dsl/types/ids.ts';
import { exact } from '../../dsl/types/size.ts';
import { toManifestPlan } from '../../compiler/emit/plan-to-manifest.ts';
import type { Kernel } from '../../compiler/kernel/kernel-ir.ts';
import { assignBuffers } from '../../compiler/schedule/memory/assign-buffers.ts';
import { describeLaunches, printPlan } from '../../compiler/schedule/memory/print-plan.ts';
import { planOfClass, type AllocationId, type BufferId, type Plan } from '../../compiler/schedule/memory/plan.ts';
import { schedule } from '../../compiler/schedule/schedule.ts';
import { planFaults, verifyPlan } from '../../compiler/schedule/memory/verify-plan.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { PORTABLE } from '../../runtime/contract/device-class.ts';
import { PlanFixture, dynamic } from './plan-fixture.ts';

const buffer = (number: number): BufferId => idOf(number);

/** Two experts of four for each token, one matrix each. */
function small(): PlanFixture {
  const t = new PlanFixture();
  const { b } = t;
  const [T, E, D, F] = [t.dynamicAxis('T', 5), t.axis('E', 4), t.axis('D', 3), t.axis('F', 2)];
  const x = t.input('input', 'x', [T, D]);
  const s = b.contract(t.input('param', 'gate', [E, D]), x, [D]);
  const r = t.topK(s, 2, [E], [T], [E]).presence;
  const y = t.on(b.contract(t.input('param', 'w', [E, F, D]), x, [D]), [r]);
  t.output('y', b.reduce('sum', b.predicated(r, b.map('mul', [s, y]), 0), [E]), [T, F]);
  return t;
}

describe('place-buffers', () => {
  it('shares slots by lifetime, never within a step', () => {
    const steps = [[0], [0, 1], [1, 2], [2, 3], [0 + 4, 3]].map((numbers) => ({ buffers: numbers.map(buffer) }));
    const sizes = new Map([0, 1, 2, 3, 4].map((b) => [buffer(b), exact(8)] as const));
    const { allocations, allocationOf } = assignBuffers(steps, sizes);
    expect(allocations).toBeLessThanOrEqual(2);
    for (const { buffers } of steps) expect(new Set(buffers.map((b) => allocationOf.get(b))).size).toBe(buffers.length);
  });

  it('takes the smallest slot that is large enough', () => {
    const steps = [[0, 1], [2], [3, 4]].map((numbers) => ({ buffers: numbers.map(buffer) }));
    const T = dynamic('T');
    const { allocationOf, allocations } = assignBuffers(
      steps,
      new Map([T, exact(9), exact(1), T, exact(9)].map((size, i) => [buffer(i), size] as const)),
    );
    expect(allocations).toBeLessThanOrEqual(2);
    // Nine elements fit where nine were, so that only the other slot is as large as T.
    expect(allocationOf.get(buffer(4))).toBe(allocationOf.get(buffer(1)));
    expect(allocationOf.get(buffer(3))).toBe(allocationOf.get(buffer(0)));
  });
});

describe('plans', () => {
  it('print as they are', async () => {
    await expect(printPlan(small().plan())).toMatchFileSnapshot('golden/small.plan');
  });

  it('describe launches in numbers once sizes are known', () => {
    const launches = describeLaunches(small().plan(), new Map([['T', 100]]));
    const matmul = launches.find((l) => l.kernel === 'grouped_matmul');
    expect(matmul).toMatchObject({ domain: 'rows of (E, T) × F', points: '400' });
    // Not less than the terms that are needed; and a thread that computes four by four elements, of rows of two, does twice that,
    // for each block of rows: that of every four rows, and one of each expert that is not full.
    const needed = 2 * 400 * 3;
    expect(Number(matmul?.flops)).toBeGreaterThanOrEqual(needed);
    expect(Number(matmul?.flops)).toBeLessThanOrEqual(2 * needed + 4 * 2 * (4 * 4 * 3));
    expect(Number(matmul?.threads)).toBeLessThanOrEqual(400);
    expect(launches.every((l) => /^\d+$/.test(l.threads) && /^\d+$/.test(l.flops) && /^\d+$/.test(l.bytes))).toBe(true);
  });

  it('are refused when a step reads what nobody wrote, or writes what it reads', () => {
    const plan = small().plan();
    const without = (n: number): Plan => ({ ...plan, steps: plan.steps.filter((_, i) => i !== n) });
    expect(verifyPlan(without(0), webgpuCore).some((f) => f.includes('before it is written'))).toBe(true);
    const oneAllocation = plan.buffers.map((b) =>
      b.role.kind === 'scratch' ? { ...b, role: { kind: 'scratch' as const, allocation: idOf<AllocationId>(0) } } : b,
    );
    const faults = verifyPlan({ ...plan, buffers: oneAllocation }, webgpuCore);
    expect(faults.some((f) => f.includes('writes into the memory of'))).toBe(true);
  });

  it('are refused when a buffer is read by vectors of which it has no whole number', () => {
    const plan = planOfClass(small().plan(), PORTABLE);
    const byFour = plan.kernels.map((kernel) => ({
      ...kernel,
      buffers: kernel.buffers.map((b) => (b.element === 'f32' ? { ...b, lanes: 4 as const } : b)),
    }));
    // All sizes of this plan are multiples of four, or a run decides them.
    const whole = verifyPlan({ ...plan, kernels: byFour }, webgpuCore).filter((f) => f.includes('of which'));
    expect(whole).toEqual([]);
    const odd = plan.buffers.map((b) => (b.label.includes('gate') ? { ...b, elements: exact(6) } : b));
    const faults = verifyPlan({ ...plan, buffers: odd, kernels: byFour }, webgpuCore);
    expect(faults.filter((f) => f.includes('of which'))).toEqual([
      expect.stringMatching(/is read by 4, of which .*gate.* has no whole number$/),
    ]);
  });

  it('have grids as their kernels ask for, within what a device has', () => {
    const plan = planOfClass(small().plan(), PORTABLE);
    const [first] = plan.steps;
    if (first?.kind !== 'launch') throw new Error('the first step is no launch');
    const shaped = (grid: readonly number[], sides?: readonly [number, number, number]): readonly string[] => {
      const [x = 1, y = 1, z = 1] = grid;
      const step = { ...first, grid: [exact(x), exact(y), exact(z)] as const };
      const kernels = plan.kernels.map((k, i) => (i === first.kernel && sides !== undefined ? { ...k, sides } : k));
      return planFaults({ ...plan, kernels, steps: [step, ...plan.steps.slice(1)] }).filter((f) =>
        /grid|workgroups/.test(f),
      );
    };
    expect(shaped([1, 1, 1])).toEqual([expect.stringMatching(/asks for a grid of other dimensions$/)]);
    expect(shaped([4, 65_536, 1], [8, 8, 1])).toEqual([expect.stringMatching(/65536 workgroups along y/)]);
    expect(shaped([4, 65_535, 1], [8, 8, 1])).toEqual([]);
  });

  it('refuse what the target cannot bind', () => {
    const t = new PlanFixture();
    const [A, B] = [t.axis('A', 40_000), t.axis('B', 1000)];
    const x = t.b.input(
      t.b.addInput({ role: 'param', name: 'w', element: 'f32', axes: [A, B], within: null, default: null }),
    );
    t.output('y', t.b.reduce('sum', x, [A]), [B]);
    const { diagnostics } = schedule(t.fused(), webgpuCore);
    expect(diagnostics.map((d) => d.code)).toEqual(['MOE0502']);
    expect(diagnostics[0]?.message).toContain('w takes 160000000 bytes');
  });

  it('refuse a sum of more terms than a kernel counts, and a value of more elements, each at its place', () => {
    const span = { source: 'wide.moe', start: 10, end: 20 };
    const t = new PlanFixture();
    const [A, B] = [t.axis('A', 65_536), t.axis('B', 32_768)];
    t.b.at(span);
    const product = t.b.map('mul', [t.b.iota(A, 'f32'), t.b.iota(B, 'f32')]);
    t.output('total', t.b.reduce('sum', product, [A, B]), []);
    t.output('whole', product, [A, B]);
    const { diagnostics } = schedule(t.fused(), webgpuCore);
    expect(diagnostics.map((d) => [d.code, d.span])).toEqual([
      ['MOE0501', span],
      ['MOE0501', span],
    ]);
  });

  it('become JSON: formulas, shared kernels, numbers of inputs and stores', () => {
    const plan = small().plan();
    const names = {
      kernel: (kernel: Kernel) => plan.kernels.indexOf(kernel),
      input: (n: string) => (n === 'x' ? 0 : -1),
      store: (n: string) => ['gate', 'w'].indexOf(n),
    };
    const manifest = toManifestPlan(plan, names);
    const used = new Set(
      manifest.steps.flatMap((step) =>
        step.kind === 'launch' ? [step.kernel, ...(step.forms ?? []).map(({ kernel }) => kernel)] : [],
      ),
    );
    expect([...used].toSorted((a, b) => a - b)).toEqual(plan.kernels.map((_, i) => i));
    expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest);
    expect(manifest.slots).toBe(plan.allocations);
    expect(manifest.steps.length).toBe(plan.steps.length);
    const kinds = manifest.buffers.map((b) =>
      b.kind === 'input' ? `input ${b.input}` : b.kind === 'store' ? `store ${b.store}` : b.kind,
    );
    expect(kinds.filter((k) => k !== 'scratch').sort()).toEqual(['input 0', 'result', 'status', 'store 0', 'store 1']);
    const first = manifest.steps[0];
    expect(first?.kind === 'launch' ? first.workgroups : null).toEqual({
      op: 'ceil',
      args: [{ op: 'div', args: ['T', 64] }],
    });
  });
});
