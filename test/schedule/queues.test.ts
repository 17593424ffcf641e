/**
 * Queues of what was chosen (`limit`): places are counted by the launch that sorts the slots, in every order that it knows, or with few rows by
 * whoever asks.
 */
import { describe, expect, it } from 'vitest';
import { comparisonOf } from '../../compiler/cli/running/comparisons.ts';
import type { Prepared } from '../../compiler/cli/running/execution.ts';
import { stepwiseOnKernels } from '../../compiler/cli/running/stepwise.ts';
import { printSchedule } from '../../compiler/schedule/deciding/print-schedule.ts';
import type { Target } from '../../compiler/target.ts';
import { differences, onKernels, onReference, preparedOf, ready, usualTarget } from '../language/support.ts';
import { compiledAgain } from './compiled-again.ts';

/** Tiles as large matrices have them: what lists and slots are made for. */
const target: Target = { ...usualTarget, tileFrom: 0 };

/** A layer of eight experts, each of which takes so many tokens. `axes`: of the tokens. */
function layer(limit: string, { axes = 'T', chosen = 2, result = 'limited @ ffn(x)' } = {}): string {
  return `import { SwiGLU } from "std"
model Layer {
  axis B, T, D = 32, F = 32, E = 8
  experts ffn[E] = SwiGLU<F>
  router gate(x: [D]) -> route[E] {
    param w: [E, D]
    softmax(top_k(w @ x, ${chosen}, over: E), over: E)
  }
  forward(x: [${axes}, D]) -> [${axes}, D] {
    let r = gate(x)
    let limited = ${limit}
    ${result}
  }
}`;
}

const scheduleOf = ({ entry }: Prepared): string =>
  printSchedule(entry.inference.schedule, entry.inference.fused.graph);

const launchesOf = ({ entry }: Prepared): number =>
  entry.inference.plan.steps.filter(({ kind }) => kind === 'launch').length;

const perSequence = { axes: 'B, T' };

/** Limits that queues are counted for, each with its program. */
const limits = [
  ['by position', layer('limit(r, to: 3, over: T)')],
  ['by position, in each sequence', layer('limit(r, to: 3, over: T)', perSequence)],
  ['by position, of a whole batch', layer('limit(r, to: 3, over: (B, T))', perSequence)],
  ['by rank', layer('limit(r, to: 3, over: T, by: rank(r))')],
  ['by rank, in each sequence', layer('limit(r, to: 2, over: T, by: rank(r))', perSequence)],
  ['by rank and a key that is the same', layer('limit(r, to: 3, over: (B, T), by: (rank(r), 0))', perSequence)],
  ['by rank, of four', layer('limit(r, to: 3, over: T, by: rank(r))', { chosen: 4 })],
  ['to a share of the tokens', layer('limit(r, to: floor(T / 2), over: T)')],
  ['to nothing', layer('limit(r, to: 0, over: T)')],
  ['of which the weights are summed', layer('limit(r, to: 3, over: T)', { result: 'normalize(limited) @ ffn(x)' })],
  ['whose rest goes past', layer('limit(r, to: 3, over: T)', { result: 'limited @ ffn(x) + (sum(r, over: E) - sum(limited, over: E)) * x' })],
] as const; // prettier-ignore

/** Sizes of a run, of those that a program has. */
const sizesOf = (text: string, sizes: Readonly<Record<string, number>>): ReadonlyMap<string, number> =>
  new Map(Object.entries(sizes).filter(([name]) => text.includes(`[${name},`) || name === 'T'));

describe('a limit of queues', () => {
  it.each(limits)('is counted where its slots are sorted: %s', async (_, text) => {
    const prepared = preparedOf(text, { target });
    expect(scheduleOf(prepared)).toMatch(/ of the slots .* in queues by %\d+\n/);
    expect(launchesOf(prepared)).toBe(5);
    const several = text.includes('[B,') ? [{ B: 3, T: 7 }, { B: 66, T: 1 }] : [{ B: 3, T: 12 }];
    for (const sizes of [{ B: 1, T: 1 }, { B: 1, T: 0 }, ...several]) {
      const run = ready(prepared, { sizes: sizesOf(text, sizes) });
      expect(differences(run, await onKernels(run), await onReference(run)), JSON.stringify(sizes)).toEqual([]);
      if (sizes.B === 3) expect(comparisonOf(run, await stepwiseOnKernels(run), null).firstWrong).toBe(null);
    }
  }); // prettier-ignore

  it.each(limits)('is counted where it is asked in a plan for few rows, to the same bits: %s', async (_, text) => {
    const [many, few] = [preparedOf(text, { target, regime: 'many' }), preparedOf(text, { target, regime: 'few' })];
    expect(scheduleOf(few)).toMatch(/, the slots .*, in queues by %\d+\n/);
    expect(scheduleOf(few)).not.toMatch(/ rows r\d+\n/);
    const sizes = sizesOf(text, { B: 3, T: 7 });
    const run = ready(few, { sizes });
    const own = await onKernels(run);
    expect(own).toEqual(await onKernels(ready(many, { sizes })));
    expect(differences(run, own, await onReference(run))).toEqual([]);
    expect(comparisonOf(run, await stepwiseOnKernels(run), null).firstWrong).toBe(null);
  });

  it('by another key is an order of its own, which the list asks', async () => {
    const text = layer('limit(r, to: 3, over: T, by: (rank(r), -sum(x, over: D)))');
    const prepared = preparedOf(text, { target });
    expect(scheduleOf(prepared)).not.toMatch(/in queues by/);
    expect(scheduleOf(prepared)).toMatch(/ sort_rank on \[T, E\]/);
    const run = ready(prepared, { sizes: new Map([['T', 20]]) });
    expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
  });

  it('has places in memory where somebody else reads them', async () => {
    const text = layer('limit(r, to: 3, over: T)', {
      result: 'output queue = dense(rank(limit(r, to: 3, over: T, by: rank(r))))\n    limited @ ffn(x)',
    });
    const run = ready(preparedOf(text, { target }), { sizes: new Map([['T', 20]]) });
    expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
  });

  it('is read from a text, with queues and without', async () => {
    const text = layer('limit(r, to: 3, over: T)', perSequence).replace('D = 32, F = 32', 'D = 64, F = 64');
    const again = compiledAgain(text, (schedule) => schedule);
    expect(again.schedules.join()).toMatch(/in queues by/);
    const run = ready(again.prepared, { sizes: new Map(Object.entries({ B: 3, T: 9 })) });
    expect(differences(run, await onKernels(run), await onReference(run))).toEqual([]);
  });
});
