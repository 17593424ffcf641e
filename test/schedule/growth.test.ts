/**
 * What a layer costs grows with what was chosen and with nothing else, counted while it runs. Experts that there
 * are and nobody chose cost their scores in the router; a choice more for each token costs an expert's products and its route.
 */
import { describe, expect, it } from 'vitest';
import { functionOf } from '../../compiler/cli/running/host-function.ts';
import { executableOf, hostMemory } from '../../compiler/cli/running/host-memory.ts';
import type { WorkCounted } from '../../compiler/schedule/executing/count-work.ts';
import { Simulator } from '../../compiler/schedule/executing/simulate.ts';
import type { Regime } from '../../compiler/schedule/deciding/regimes.ts';
import type { ExternFunction } from '../../runtime/contract/ask-host.ts';
import { onKernels, preparedOf, ready } from '../language/support.ts';
import { routedLayer } from './programs.ts';

const [D, F] = [128, 64];
const regimes: readonly Regime[] = ['many', 'few'];

/** Operations of one expert for one token: three products. */
const expert = 2 * 3 * D * F;

interface Costs {
  readonly flops: number;
  readonly rounds: number;
  readonly y: readonly number[];
}

/**
 * What a run counts of a layer whose first `chosen` experts are the best for every token. The others hold no numbers: whoever read one of
 * them would have none either. As many rows an expert as there are tokens, so that tiles are full.
 */
async function costs(experts: number, chosen: number, tokens: number, regime: Regime): Promise<Costs> {
  const prepared = preparedOf(routedLayer(D, F, experts, chosen), { regime });
  const wave = (i: number): number => Math.fround(Math.sin(i) / 8);
  const stores = new Map(
    [...ready(prepared).prepared.variables].map(([path, { length }]) => {
      const each = length / experts;
      const other = each === D ? -1 : NaN;
      return [path, Float64Array.from({ length }, (_, i) => (i < chosen * each ? 1 + wave(i) : other))] as const;
    }),
  );
  const x = {
    element: 'f32' as const,
    shape: [tokens, D],
    data: Float64Array.from({ length: tokens * D }, (_, i) => 1 + wave(i)),
  };
  const given = ready(prepared, { sizes: new Map([['T', tokens]]), inputs: new Map([['x', x]]), stores });
  const memory = await hostMemory(given.prepared, given.request);
  const extern = (name: string): ExternFunction => functionOf(new Map(), name);
  const simulator = new Simulator(executableOf(given.prepared, given.request), { counts: true });
  const { counts } = await simulator.run({ ...memory, asked: new Set(), seed: 1, extern });
  const sum = (of: (one: WorkCounted) => number): number =>
    counts.reduce((total, one) => total + (one === null ? 0 : of(one)), 0);
  const [y] = (await onKernels(given)).values();
  return { flops: sum(({ flops }) => flops), rounds: sum(({ rounds }) => rounds), y: [...(y?.data ?? [])] };
}

describe.each(regimes)('with %s rows', (regime) => {
  it('experts that nobody chose are not read, and cost their scores', async () => {
    const [few, many] = [await costs(8, 2, 32, regime), await costs(64, 2, 32, regime)];
    expect(few.y.length).toBe(32 * D);
    expect(few.y.every(Number.isFinite)).toBe(true);
    expect(many.y).toEqual(few.y);
    // A score is a product along D, and what is chosen from is looked at a few times; each expert has a place where its rows begin.
    expect(many.flops - few.flops).toBeGreaterThanOrEqual(32 * 56 * 2 * D);
    expect(many.flops - few.flops).toBeLessThanOrEqual(32 * 56 * (2 * D + 8));
    expect(many.rounds - few.rounds).toBeLessThanOrEqual(32 * 56 * (D + 8) + 56 * 4);
  });

  it('a token costs as much as the one before it', async () => {
    const [one, two, four] = [await costs(8, 2, 16, regime), await costs(8, 2, 32, regime), await costs(8, 2, 64, regime)]; // prettier-ignore
    expect(two.flops).toBe(2 * one.flops);
    expect(four.flops).toBe(4 * one.flops);
    // Rounds that are for many tokens at once are no more than those of each by itself.
    expect(four.rounds).toBeLessThanOrEqual(4 * one.rounds);
  });

  it('a choice costs what an expert does', async () => {
    const [two, four, eight] = [await costs(16, 2, 16, regime), await costs(16, 4, 16, regime), await costs(16, 8, 16, regime)]; // prettier-ignore
    const more = four.flops - two.flops;
    expect(more).toBeGreaterThanOrEqual(16 * 2 * expert);
    // Choosing is a hundredth of it, and it alone depends on how many are chosen already.
    expect(Math.abs(eight.flops - four.flops - 2 * more)).toBeLessThanOrEqual(0.01 * more);
    // Beside the scores there is nothing that has to do with no expert.
    expect(two.flops - more).toBeLessThanOrEqual(16 * 16 * (2 * D + 8));
  });
});
