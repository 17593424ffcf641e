/**
 * What `npm test` leaves to `npm test -- --all`, said here and nowhere else (DECISIONS 84). By itself a file runs whole: only
 * MOEC_TEST_SWEEPS narrows it, which test/run-tests.mjs sets.
 *
 * A sweep tests one claim on program after program. Three kinds of sweeps are cut, each by a rule that knows no program:
 * - over the examples, without a GPU (`covering`): those run that have between them every kind of step, list, operation and regime that any
 *   example has (plan-kinds.ts; test/plans holds that the list in covering.txt has them all);
 * - over programs whose numbers on a GPU are those of the reference (`1/2`, `2/2`): dealt by their places, so that each runs on one
 *   of the adapters. What may differ from adapter to adapter is no such sweep, and runs on each;
 * - of random draws, and of rules that are broken on purpose: a third of them.
 * What a sweep leaves is reported as `todo`, and counted. A sweep of which nothing runs is an error.
 */
import { readFileSync } from 'node:fs';
import { test } from 'vitest';

type TestApi = typeof test.todo;

type Cut =
  { readonly kind: 'nothing' | 'covering' } | { readonly kind: 'dealt'; readonly part: number; readonly of: number };

function readCut(said: string): Cut {
  if (said === '' || said === 'all') return { kind: 'nothing' };
  if (said === 'covering') return { kind: 'covering' };
  const [, part, of] = /^(\d+)\/(\d+)$/.exec(said) ?? [];
  if (part === undefined || of === undefined)
    throw new Error(`MOEC_TEST_SWEEPS is ${said}: all, covering or PART/PARTS`);
  return { kind: 'dealt', part: Number(part), of: Number(of) };
}

const cut = readCut(process.env['MOEC_TEST_SWEEPS'] ?? '');

/** The examples that stand for all. */
export const coveringExamples: readonly string[] = readFileSync(new URL('covering.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '');

export interface Sweep<T> {
  /** Whether the claim is tested on this one. */
  readonly has: (item: T) => boolean;
  /** How a test of this one begins: `test`, or what only says that it was left. */
  readonly testOf: (item: T, runs?: TestApi) => TestApi;
}

function sweep<T>(items: readonly T[], isIn: (item: T, place: number) => boolean): Sweep<T> {
  const own = new Set(items.filter(isIn));
  if (own.size === 0) throw new Error('nothing of this sweep would run');
  const has = (item: T): boolean => own.has(item);
  return { has, testOf: (item, runs = test) => (has(item) ? runs : test.todo) };
}

/** A sweep over examples, or over what is of examples: it runs where one of them is among those that stand for all. */
export function overExamples<T>(items: readonly T[], examplesOf: (item: T) => readonly string[]): Sweep<T> {
  return sweep(
    items,
    (item) => cut.kind !== 'covering' || examplesOf(item).some((name) => coveringExamples.includes(name)),
  );
}

/** A sweep over programs that any adapter may run. */
export function overAdapters<T>(items: readonly T[]): Sweep<T> {
  return sweep(items, (_, place) => cut.kind !== 'dealt' || place % cut.of === cut.part - 1);
}

/** A sweep over things of which each one shows the claim, the shortest first. */
export const overThirds = <T>(items: readonly T[]): Sweep<T> =>
  sweep(items, (_, place) => place < drawsOf(items.length));

/** Whether all of every sweep runs, so that what they have found together can be said. */
export const runsWhole = cut.kind !== 'covering';

/** How many of so many random draws, or other ways to try the same, are made. */
export const drawsOf = (count: number): number => (cut.kind === 'covering' ? Math.ceil(count / 3) : count);
