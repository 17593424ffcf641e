/** Launches that stand side by side: which steps share one, what a run computes then, and which texts are refused. */
import { describe, expect, it } from 'vitest';
import { ScheduleTextError } from '../../compiler/schedule/deciding/read-schedule.ts';

import { manifestOfClass } from '../../runtime/contract/device-class.ts';
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

const kernelsOf = (text: string): readonly string[] => {
  const { plan } = preparedOf(text, { target: webgpuCore }).entry.inference;
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
