/**
 * `verify --on kernels` proves what ships: a fault in the manifest's plan, in how the runtime lays it out, or in how it folds a grid
 * is found, though the compiler's own plan is right. Each of these is code that a device runs by, and the compiler does not.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { comparisonOf } from '../../compiler/cli/running/comparisons.ts';
import { stepwiseOnKernels } from '../../compiler/cli/running/stepwise.ts';
import type { PlanLayout } from '../../runtime/contract/buffer-layout.ts';
import type { LaunchSpec, PlanSpec, SizeFormula } from '../../runtime/contract/manifest.ts';
import { prepareText, ready, type Ready } from '../language/support.ts';
import { shipSpec } from '../support/ship-plan.ts';
import { mutantSizes } from './mutants.ts';

type Grid = readonly [number, number] | null;

const planted = vi.hoisted(() => ({
  grid: (grid: Grid): Grid => grid,
  layout: (layout: PlanLayout): PlanLayout => layout,
}));

vi.mock(import('../../runtime/contract/grid.ts'), async (original) => {
  const real = await original();
  return { ...real, foldGrid: (...given) => planted.grid(real.foldGrid(...given)) };
});

vi.mock(import('../../runtime/contract/buffer-layout.ts'), async (original) => {
  const real = await original();
  return { ...real, layOut: (...given) => planted.layout(real.layOut(...given)) };
});

const text = readFileSync(fileURLToPath(new URL('layer.moe', import.meta.url)), 'utf8');

function layer(): Ready {
  const { prepared, diagnostics } = prepareText(text, { name: 'layer.moe' });
  if (prepared === null) throw new Error(diagnostics.map((d) => d.message).join('; '));
  return ready(prepared, { sizes: mutantSizes });
}

/** What verification says: its status, or that the run stopped at a mistake of ours. */
async function verify(change: (plan: PlanSpec) => PlanSpec = (plan) => plan): Promise<string> {
  const honest = layer();
  const run = { ...honest, prepared: shipSpec(honest.prepared, change) };
  try {
    return comparisonOf(run, await stepwiseOnKernels(run), null).status;
  } catch (error) {
    return error instanceof Error ? error.name : 'thrown';
  }
}

/** Changes the launches of a plan. */
const launches =
  (change: (launch: LaunchSpec, plan: PlanSpec) => LaunchSpec) =>
  (plan: PlanSpec): PlanSpec => ({
    ...plan,
    steps: plan.steps.map((step) => (step.kind === 'launch' ? change(step, plan) : step)),
  });

const plus = (size: SizeFormula, more: number): SizeFormula => ({ op: 'add', args: [size, more] });

beforeEach(() => {
  planted.grid = (grid) => grid;
  planted.layout = (layout) => layout;
});

it('verifies what has no fault', async () => expect(await verify()).toBe('verified'));

describe('a fault in the plan of the manifest is found', () => {
  it.each<readonly [string, (plan: PlanSpec) => PlanSpec]>([
    ['a workgroup less', launches((l) => ({ ...l, workgroups: plus(l.workgroups, -1) }))],
    ['buffers bound in another order', launches((l) => ({ ...l, buffers: [...l.buffers].reverse() }))],
    [
      'a uniform that is one more',
      launches((l) => ({ ...l, uniforms: l.uniforms.map((u) => (typeof u === 'object' && 'special' in u ? u : plus(u, 1))) })), // prettier-ignore
    ],
    [
      'all values in one piece of memory',
      (plan) => ({ ...plan, buffers: plan.buffers.map((b) => (b.kind === 'scratch' ? { ...b, slot: 0 } : b)) }),
    ],
    ['launches in another order', (plan) => ({ ...plan, steps: [...plan.steps].reverse() })],
  ])('%s', async (_, change) => expect(['wrong', 'CompilerBug']).toContain(await verify(change)));
});

describe('a fault in how a run is laid out is found', () => {
  it('a grid that loses its last workgroups', async () => {
    planted.grid = (grid) => (grid === null ? null : [Math.ceil(grid[0] / 2), grid[1]]);
    expect(await verify()).toBe('wrong');
  });

  it('uniforms at the place of others', async () => {
    planted.layout = (layout) => ({ ...layout, uniforms: layout.uniforms.slice().reverse() });
    expect(['wrong', 'CompilerBug']).toContain(await verify());
  });

  it('bindings that are too short', async () => {
    planted.layout = (layout) => ({
      ...layout,
      bindings: layout.bindings.map((p) => (p.kind === 'arena' ? { ...p, bytes: Math.max(4, p.bytes / 2) } : p)),
    });
    expect(await verify()).toBe('CompilerBug');
  });
});
