/** What `--on kernels` runs is what ships: the kernels of the manifest, and results whole or not at all. */
import { describe, expect, it } from 'vitest';
import { addInterpreted } from '../../compiler/cli/running/named-results.ts';
import type { NamedTensor } from '../../compiler/cli/running/execution.ts';
import { compileProgram } from '../../compiler/compile.ts';
import { analyse } from '../../compiler/front-end.ts';
import { printKernel } from '../../compiler/kernel/print-kernel.ts';
import { webgpuCore, webgpuLarge } from '../../compiler/target.ts';
import { asNumber } from '../../dsl/types/size.ts';

const model = `model M {
  axis T, E = 4, D = 8
  state seen: [E] = log(3)
  param w: [E, D]
  fn ffn[e in E](x: [D]) -> [D] { tanh(w[E: e] * x) ** 1.5 }
  forward(x: [T, D]) -> [T, D] {
    param g: [E, D]
    let s = g @ x
    loss z = mean(logsumexp(s, over: E) ** 3, over: T)
    update seen = seen + mean(s, over: T)
    top_k(softmax(s, over: E), 2, over: E) @ ffn(x)
  }
}
`;

describe('the kernels of a plan', () => {
  it('are those of the manifest, legalised', () => {
    const { program, diagnostics } = analyse({ name: 'm.moe', text: model });
    expect(diagnostics).toEqual([]);
    if (program === null) throw new Error('no program');
    const { entries, initialPlans, kernels } = compileProgram(program, { overrides: new Map(), target: webgpuCore });
    const shipped = new Set(kernels.map(printKernel));
    const plans = [...entries.flatMap((e) => [e.inference.plan, e.withAux.plan]), ...initialPlans.values()];
    const run = plans.flatMap((plan) => plan.kernels.map(printKernel));
    expect(run.length).toBeGreaterThan(5);
    for (const text of run) expect(shipped).toContain(text);
  });
});

describe('the limits that a manifest asks for', () => {
  it('are those of initial values too', () => {
    // The entry reads two numbers; the value they begin as is a sum over more than a device binds by default.
    const text = `model M {
  axis A = 20000000, D = 2
  param big: [A, D]
  param w: [D] = sum(big, over: A)
  forward(x: [D]) -> [D] { x * w }
}`;
    const { program, diagnostics } = analyse({ name: 'm.moe', text });
    expect(diagnostics).toEqual([]);
    if (program === null) throw new Error('no program');
    const { manifest, entries } = compileProgram(program, { overrides: new Map(), target: webgpuLarge });
    expect(entries.flatMap((e) => e.inference.plan.buffers.map((b) => asNumber(b.elements)))).not.toContain(40_000_000);
    expect(manifest?.requiredLimits).toEqual({ maxStorageBufferBindingSize: 160_000_000 });
  });
});

describe('a route with more points than its bound', () => {
  it('is an error of whoever ran it, never cut', () => {
    const out = new Map<string, NamedTensor>();
    const axis = (name: string, size: number) => ({ name, size });
    const route = {
      kind: 'route' as const,
      element: 'f32' as const,
      sources: [axis('T', 1)],
      targets: [axis('E', 3)],
      payload: [],
      present: Float64Array.from([1, 1, 0]),
      rank: Float64Array.from([1, 0, 0]),
      weight: Float64Array.from([0.25, 0.75, 0]),
    };
    expect(() => addInterpreted(out, 'r', route, () => 1)).toThrow(
      'the route r has 2 present points where 1 are the most',
    );
    addInterpreted(out, 'r', route, () => 2);
    expect([...(out.get('r.indices')?.data ?? [])]).toEqual([1, 0]);
  });
});
