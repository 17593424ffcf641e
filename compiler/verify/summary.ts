/** What a run's comparisons come to: counts over all values in memory, and the first that is wrong. */
import type { StepComparer, StepComparison } from './step-comparer.ts';
import type { Compared } from './tally.ts';

export interface StepwiseSummary {
  /** Every value in memory, in the order in which they were written. */
  readonly comparisons: readonly StepComparison[];
  readonly compared: number;
  readonly undecided: number;
  readonly left: number;
  readonly wrong: number;
  /** Of the first launch that wrote a number which is off, the first such number. */
  readonly firstWrong: (Compared & { readonly comparison: StepComparison }) | null;
}

export function summarise(comparer: Pick<StepComparer, 'comparisons'>): StepwiseSummary {
  const { comparisons } = comparer;
  const sum = (of: (v: StepComparison) => number): number => comparisons.reduce((n, v) => n + of(v), 0);
  const first = comparisons.find((v) => v.tally.firstWrong !== null);
  const off = first?.tally.firstWrong ?? null;
  return {
    comparisons,
    compared: sum((v) => v.tally.compared),
    undecided: sum((v) => v.tally.undecided),
    left: sum((v) => v.tally.left),
    wrong: sum((v) => v.tally.wrong),
    firstWrong: first === undefined || off === null ? null : { ...off, comparison: first },
  };
}
