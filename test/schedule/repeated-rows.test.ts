/** What does not stand on the rows of a launch and is made of weights: each row computes it for itself, where that is little. */
import { describe, expect, it } from 'vitest';
import { comparisonOf } from '../../compiler/cli/running/comparisons.ts';
import { stepwiseOnKernels } from '../../compiler/cli/running/stepwise.ts';
import { stepTexts } from '../../compiler/schedule/deciding/print-schedule.ts';
import type { Regime } from '../../compiler/schedule/deciding/regimes.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { differences, onKernels, onReference, preparedOf, ready } from '../language/support.ts';
import { compiledAgain } from './compiled-again.ts';

interface Layer {
  readonly D?: number;
  /** Width of the space where tokens meet experts. */
  readonly P?: number;
  /** A second result. */
  readonly also?: string;
}

/** Tokens and experts meet as unit vectors, at a heat. */
const layer = ({ D = 64, P = 8, also = '' }: Layer = {}): string => `import { SwiGLU } from "std"
model Layer {
  axis T, D = ${D}, P = ${P}, E = 16, F = 64
  param w: [P, D], m: [P, E], heat: f32
  experts ffn[E] = SwiGLU<F>
  router gate(x: [T, D]) -> route[T -> E] {
    let s: [T, E] = l2norm(w @ x, over: P, eps: 1e-6) @ l2norm(m, over: P, eps: 1e-6)
    normalize(top_k(softmax(s * exp(min(heat, 4)), over: E), 2, over: E))
  }
  forward(x: [T, D]) -> ${also === '' ? '[T, D] { gate(x) @ ffn(x) }' : `(y: [T, D], also: [E]) { (y: gate(x) @ ffn(x), also: ${also}) }`}
}`;

const stepsOf = (text: string, regime: Regime = 'many'): readonly string[] => {
  const { schedule, fused } = preparedOf(text, { regime }).entry.inference;
  return stepTexts(schedule, fused.graph);
};

const launches = (text: string, regime?: Regime): number =>
  stepsOf(text, regime).filter((step) => !/^(result|output)/.test(step)).length;

describe('what a row computes for itself', () => {
  it('needs no launch before the row', () => {
    expect([launches(layer()), launches(layer(), 'few')]).toEqual([5, 3]);
    expect(stepsOf(layer())[0]).toMatch(/^row \(T\).* reduce on \[E\] in c\d+ \|.* map on \[\] in c\d+ /);
  });

  it.each(['many', 'few'] as const)('has the numbers of the reference, launch by launch: %s rows', async (regime) => {
    const run = ready(preparedOf(layer(), { regime, target: webgpuCore }), { sizes: new Map([['T', 5]]) });
    expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
    expect(comparisonOf(run, await stepwiseOnKernels(run), null).firstWrong).toBe(null);
  });

  it('is little beside what the row does', () => {
    // Norms of experts are as many operations as the scores of a token.
    const first = stepsOf(layer({ D: 8, P: 32 }))[0];
    expect(first).toMatch(/^row \(E\)/);
  });

  it('has memory, once, where somebody else reads it', async () => {
    const text = layer({ also: 'sqrt(sum(m * m, over: P))' });
    const steps = stepsOf(text);
    expect(steps.filter((step) => / on \[E\] in memory/.test(step) && !step.startsWith('row (T)'))).toHaveLength(1);
    const run = ready(preparedOf(text), { sizes: new Map([['T', 5]]) });
    expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
  });

  it('is read from a text', async () => {
    const { prepared, schedules } = compiledAgain(layer(), (schedule) => schedule);
    expect(schedules[0]).toMatch(/row \(T\).* reduce on \[E\] in c\d+/);
    const run = ready(prepared, { sizes: new Map([['T', 5]]) });
    expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
  });
});
