/**
 * Random legal schedules: the same draw gives the same text, the text is read back and computes what the reference computes, decisions of
 * every kind are taken otherwise; and a rule of legality that is wrong is found, and made small.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Options } from '../../compiler/schedule/deciding/decider.ts';
import type { StoredSpace } from '../../compiler/schedule/memory/memory.ts';
import { preparedOf } from '../language/support.ts';
import { drawsOf, overThirds } from '../support/sweeps.ts';
import { changesOf, drawnFor, examine, targetOf, type Case } from './examine.ts';
import { seedOf } from './orders.ts';
import { makeProgram } from './program.ts';
import { decisions } from './random-schedule.ts';
import { shrink } from './shrink.ts';

const planted = vi.hoisted(() => ({ rule: null as 'space' | 'tile' | null }));

vi.mock('../../compiler/schedule/deciding/legality.ts', async (original) => {
  const actual = await original<typeof import('../../compiler/schedule/deciding/legality.ts')>();
  return {
    ...actual,
    /** Wrong: a value may stand on rows that some of its points lack. */
    legalSpaces: (...args: Parameters<typeof actual.legalSpaces>): Options<StoredSpace> => {
      const legal = actual.legalSpaces(...args);
      if (planted.rule !== 'space') return legal;
      const [predicateSets, lists, , node] = args;
      const wrong = lists.flatMap((list) => actual.legalSpaces(predicateSets, [list], list.presences, node));
      return [...legal, ...wrong];
    },
  };
});

vi.mock('../../compiler/schedule/deciding/legality-tiles.ts', async (original) => {
  const actual = await original<typeof import('../../compiler/schedule/deciding/legality-tiles.ts')>();
  return {
    ...actual,
    /** Wrong: blocks need not be whole tiles. */
    tileFault: (...args: Parameters<typeof actual.tileFault>): string | null => {
      const fault = actual.tileFault(...args);
      return planted.rule === 'tile' && fault?.includes('no whole tiles') === true ? null : fault;
    },
  };
});

vi.mock('../../compiler/schedule/deciding/merge-rows.ts', async (original) => {
  const actual = await original<typeof import('../../compiler/schedule/deciding/merge-rows.ts')>();
  return {
    ...actual,
    /** With a wrong rule each value has a launch of its own: what a row alone has stands nowhere, right or wrong. */
    mergeRows: (...args: Parameters<typeof actual.mergeRows>): ReturnType<typeof actual.mergeRows> =>
      planted.rule === null ? actual.mergeRows(...args) : { steps: args[1].steps, inRowOnly: new Set() },
  };
});

afterEach(() => void (planted.rule = null));

const layer = (sizes: string): string => `
  import { SwiGLU } from "std"
  model Layer {
    axis T, ${sizes}
    experts ffn[E] = SwiGLU<F>
    router gate(x: [D]) -> route[E] {
      param w: [E, D]
      top_k(softmax(w @ x, over: E), 2, over: E)
    }
    forward(x: [T, D], y: [T, D]) -> (a: [T, D], b: [T], c: [T, E]) {
      let r = gate(x)
      let z = tanh(x) + exp(0.5 * y) * sigmoid(x * y)
      (a: r @ ffn(z) + z, b: max(2 * z + y, over: D), c: dense(r))
    }
  }`;

const drawn = (seed: number, sizes = 'D = 8, E = 8, F = 12'): Case => ({
  text: layer(sizes),
  sizes: new Map([['T', 7]]),
  profile: 'normal',
  seed,
  schedule: { seed, kinds: decisions, only: null },
});

it('the same draw gives the same schedules, others give others', () => {
  const textsOf = (seed: number): readonly string[] => {
    const given = drawn(seed);
    const prepared = preparedOf(given.text, { target: targetOf(seed) });
    return [...(drawnFor(prepared, given)?.texts.values() ?? [])];
  };
  for (const seed of [1, 3, 5]) expect(textsOf(seed)).toEqual(textsOf(seed));
  expect(new Set([1, 3, 5, 7, 9, 11].map((seed) => textsOf(seed).join(''))).size).toBeGreaterThan(4);
});

it('random schedules compute what the reference computes, and decide everything otherwise that can be', async () => {
  const kinds = new Set<string>();
  const run = drawsOf(16);
  for (let seed = 1; seed <= 16; seed++) {
    const given = drawn(seed);
    if (seed <= run) expect([seed, (await examine(given, { on: 'kernels' })).kind]).toEqual([seed, 'agreed']);
    for (const change of changesOf(given)) kinds.add(change.split(' ')[0] ?? '');
  }
  // A recurrence and weights of a softmax are what this layer lacks.
  expect([...decisions].filter((kind) => !kinds.has(kind))).toEqual(['online', 'fold']);
}, 240_000);

it('sums of weights of a softmax are computed along it, and apart, wherever both may be', async () => {
  const text = `model Attends {
    axis T, S = 40, C = 4, H = 2
    forward(q: [T, H, C], k: [T, H, C], keys: [S, C], values: [S, C]) -> (a: [T, H, C], b: [T, H, C]) {
      let s = where(iota(T) >= iota(T'), dot(q, rename(k, T: T'), over: C), -inf)
      (
        a: dot(softmax(s, over: T'), rename(k, T: T'), over: T'),
        b: softmax(tanh(q @ keys), over: S) @ values,
      )
    }
  }`;
  const ways = new Set<string>();
  const run = drawsOf(10);
  for (let seed = 1; seed <= 10; seed++) {
    const given = { ...drawn(seed), text, sizes: new Map([['T', 35]]) };
    if (seed <= run) expect([seed, (await examine(given, { on: 'kernels' })).kind]).toEqual([seed, 'agreed']);
    for (const change of changesOf(given)) if (change.startsWith('online')) ways.add(change);
  }
  // Of that over tokens it is what costs want, of the other one it is not.
  expect(ways.size).toBe(2);
}, 240_000);

it('who goes through a recurrence is decided otherwise as well', async () => {
  const text = `model Chain {
    axis T, D = 6
    forward(x: [T, D]) -> [D] { chain t in T carrying h: [D] = 0 { 0.5 * h + x[t] } }
  }`;
  const cases = [1, 2, 3, 4, 5, 6, 7, 8].map((seed): Case => ({ ...drawn(seed), text }));
  for (const given of cases) expect((await examine(given, { on: 'kernels' })).kind).toBe('agreed');
  expect(cases.flatMap(changesOf).some((change) => change.startsWith('fold'))).toBe(true);
}, 120_000);

it('random programs agree with random schedules', async () => {
  for (let i = 0; i < drawsOf(12); i++) {
    const program = makeProgram(seedOf(31, i));
    const given: Case = { ...program, schedule: { seed: program.seed, kinds: decisions, only: null } };
    const outcome = await examine(given, { on: 'kernels' });
    expect(['agreed', 'stopped'], `${JSON.stringify(outcome)}\n${program.text}`).toContain(outcome.kind);
  }
}, 240_000);

/** The second one takes three times as long: a program that shows it is rare. */
const wrongRules = ['tile', 'space'] as const;
const sweep = overThirds(wrongRules);

describe.each(wrongRules)('a wrong rule of legality: %s', (rule) => {
  sweep.testOf(rule)(
    'is found and made small',
    async () => {
      const foundIn = async (given: Case): Promise<string | null> => {
        const outcome = await examine(given, { on: 'kernels' });
        return outcome.kind === 'finding' ? `${outcome.finding.kind} ${outcome.finding.key}` : null;
      };
      planted.rule = rule;
      // Costs decide as before: only another schedule shows it.
      expect(await foundIn({ ...drawn(1), schedule: null })).toBeNull();
      const draw = (seed: number): Case => ({ ...drawn(seed), schedule: { seed, kinds: [rule, 'order'], only: null } });
      let first = draw(29);
      for (let seed = 31; seed <= 160 && (await foundIn(first)) === null; seed += 2) first = draw(seed);
      const finding = await foundIn(first);
      expect(finding).not.toBeNull();
      const keeps = async (candidate: Case): Promise<boolean> => (await foundIn(candidate)) === finding;
      const small = await shrink(first, { keeps, limit: 60_000, now: Date.now, sameProgram: true });
      expect(await foundIn(small.case)).toBe(finding);
      expect(small.case.schedule?.kinds).toContain(rule);
      expect(changesOf(small.case)).toHaveLength(1);
      planted.rule = null;
      expect(await foundIn(first)).toBeNull();
    },
    240_000,
  );
});
