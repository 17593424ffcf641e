/** Launches that stand side by side: which steps share one, what a run computes then, and which texts are refused. */
import { describe, expect, it } from 'vitest';
import { ScheduleTextError } from '../../compiler/schedule/deciding/read-schedule.ts';

import { manifestOfClass } from '../../runtime/contract/device-class.ts';
import type { Regime } from '../../compiler/schedule/deciding/regimes.ts';
import { webgpuCore } from '../../compiler/target.ts';
import { differences, onKernels, onReference, preparedOf, ready } from '../language/support.ts';
import { compiledAgain, refusalOf } from './compiled-again.ts';
import { sharedLayer } from './programs.ts';

const withShared = sharedLayer(128, 128, 4, 2);

/** Three products of one input, by matrices of different sizes, and a value that needs two of them. */
const products = `model Products {
  axis T, D = 128, A = 128, B = 192, C = 128
  param a: [A, D], b: [B, D], c: [C, A]
  forward(x: [T, D]) -> (y: [T, B], z: [T, C]) {
    let first = tanh(a @ x)
    (y: tanh(b @ x), z: c @ first)
  }
}`;

/** Experts with room for so many tokens, whose rest goes past: what is summed of the weights is little beside a product. */
const withCapacity = `import { SwiGLU } from "std"
model Layer {
  axis T, D = 64, F = 64, E = 8
  experts ffn[E] = SwiGLU<F>
  router gate(x: [D]) -> route[E] {
    param w: [E, D]
    softmax(top_k(w @ x, 2, over: E), over: E)
  }
  forward(x: [T, D]) -> [T, D] {
    let r = gate(x)
    let limited = limit(r, to: 3, over: T)
    limited @ ffn(x) + (sum(r, over: E) - sum(limited, over: E)) * x
  }
}`;

/** Two products, one of which is loaded by elements: no class of devices has a form of it. */
const unlikeProducts = `model Products {
  axis T, D = 128, A = 128, B = 192, S = 66
  param a: [A, D], b: [B, S]
  forward(x: [T, D], s: [T, S]) -> (y: [T, A], z: [T, B]) { (y: tanh(a @ x), z: tanh(b @ s)) }
}`;

const kernelsOf = (text: string, regime: Regime = 'many'): readonly string[] => {
  const { plan } = preparedOf(text, { target: webgpuCore, regime }).entry.inference;
  return plan.steps.flatMap((step) => (step.kind === 'launch' ? [plan.kernels[step.kernel]?.name ?? ''] : []));
};

describe('an expert that every token goes through', () => {
  it('stands beside those that are chosen: five launches, as without it', () => {
    expect(kernelsOf(withShared)).toEqual([
      expect.stringMatching(/^row/),
      'group_slots',
      'grouped_matmul_and_matmul',
      'grouped_matmul_and_matmul',
      expect.stringMatching(/^row|^map|^reduce/),
    ]);
  });

  it.each([1, 5, 40])(
    'gives what the reference does, and in every class of devices the same bits: %i tokens',
    async (T) => {
      const run = ready(preparedOf(withShared, { target: webgpuCore }), { sizes: new Map([['T', T]]) });
      const portable = await onKernels(run);
      expect(differences(run, portable, await onReference(run))).toEqual([]);
      const { manifest } = run.prepared;
      expect(manifest.classes.length).toBeGreaterThan(1);
      for (const { name } of manifest.classes) {
        const own = { ...run, prepared: { ...run.prepared, manifest: manifestOfClass(manifest, name) } };
        expect(await onKernels(own), name).toEqual(portable);
      }
    },
  );
});

describe('steps that share a launch', () => {
  it('need nothing of one another: the first launch that is alike and has all it needs', () => {
    expect(kernelsOf(products)).toEqual(['matmul_and_matmul', 'matmul']);
  });

  it('are little things and products where rows are few', () => {
    expect(kernelsOf(withCapacity, 'few')).toEqual([
      expect.stringMatching(/^row/),
      expect.stringMatching(/matmul_and_reduce_sum_slots|reduce_sum_slots_and_matmul/),
      'summed_matmul',
    ]);
    expect(kernelsOf(withCapacity).join()).not.toMatch(/matmul_and_r|_and_.*matmul/);
  });

  it('are products whatever they are loaded by', () => {
    expect(kernelsOf(unlikeProducts)).toEqual(['matmul_and_matmul']);
  });

  it.each([
    ['little things', withCapacity, 'few'],
    ['products', unlikeProducts, 'many'],
  ] as const)('give the same bits in every class where one of them has no form: %s', async (_, text, regime) => {
    const run = ready(preparedOf(text, { target: webgpuCore, regime }), { sizes: new Map([['T', 5]]) });
    const portable = await onKernels(run);
    expect(differences(run, portable, await onReference(run))).toEqual([]);
    const { manifest } = run.prepared;
    for (const { name } of manifest.classes) {
      const own = { ...run, prepared: { ...run.prepared, manifest: manifestOfClass(manifest, name) } };
      expect(await onKernels(own), name).toEqual(portable);
    }
    expect(manifest.classes.length).toBeGreaterThan(1);
  });

  it('are said by a schedule, and stand apart where it does not say so', () => {
    const apart = compiledAgain(products, (schedule) => schedule.replaceAll(/ beside %\d+/g, ''));
    const { plan } = apart.prepared.entry.inference;
    expect(plan.steps.length).toBe(3);
    expect(plan.kernels.map(({ name }) => name)).not.toContain('matmul_and_matmul');
  });

  it.each([
    // The last product needs the first.
    ['what is made too late', (s: string) => s.replace(/(#\d+ %\d+ tile [^\n]*\(C\)[^\n]*)/, (line) => `${line} beside %${firstOf(s)}`), /%\d+ is made too late for it to stand beside %\d+/],
    ['a step that is none', (s: string) => s.replace(/ beside %\d+/, ' beside %0'), /%0 has no launch before it to share/],
    ['a result', (s: string) => s.replace(/(result y)/, `$1 beside %${firstOf(s)}`), /'result y' shares no launch/],
  ])('are refused: %s', (_, edit, message) => {
    const error = refusalOf(products, edit);
    expect(error).toBeInstanceOf(ScheduleTextError);
    expect(String(error)).toMatch(message);
  }); // prettier-ignore
});

/** The first value that a schedule computes. */
const firstOf = (schedule: string): string => /#\d+ %(\d+) /.exec(schedule)?.[1] ?? '';
