/**
 * Regimes: a graph may have two plans, one for runs with few rows and one for all others. Grouping assignments by expert lets all rows
 * of an expert share what is read of its weights. Few assignments rarely meet: then every one reads its expert by itself, nothing is
 * listed, and there are fewer launches. Which of both is for whom, sizes of a run decide (`RowLimit`); no sum is in another order.
 *
 * With r rows that choose k of E targets each, k · r matrices are read by themselves, and E · (1 − (1 − k/E)^r) of them if assignments
 * are grouped and targets are chosen alike. One row shares nothing. Few rows are as many as read at most a quarter more than that: a launch
 * less is worth that, and where a device waits for no memory (an adapter that computes on the CPU) reading twice is no more work, since
 * blocks of few rows are done row by row anyway.
 */
import { asInteger, asNumber, formatSize, multiply, sizeKey, substitute } from '../../../dsl/types/size.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import { namedAxes, slotAxes } from '../../graph/slots.ts';
import type { Target } from '../../target.ts';
import type { AssignmentList, SlotForm } from '../memory/memory.ts';
import type { RowLimit } from '../memory/plan.ts';
import { legalForms, sizeIn } from './legality.ts';
import type { Schedule } from './schedule-ir.ts';

/** For which runs a schedule is: those with few rows, or all. */
export type Regime = 'many' | 'few';

/** Of what is read where targets are shared, so much may be read where they are not. */
const MOST_READ = 1.25;
/** Rows of which this is not asked: that many are never few. */
const MOST_ROWS = 256;

/** Up to how many rows slots are read by themselves. */
export function limitOf(fused: FusedGraph, { slots, others }: Pick<SlotForm, 'slots' | 'others'>): RowLimit {
  const sizeOf = sizeIn(fused);
  const chosen = asInteger(multiply(slotAxes(slots).map(sizeOf)));
  const targets = asInteger(multiply(namedAxes(slots).map(sizeOf)));
  return { rows: multiply(others.map(sizeOf)), most: chosen === null || targets === null ? 1 : fewRows(chosen, targets) };
} // prettier-ignore

/** The most rows that read little more by themselves, if each chooses `chosen` of so many targets. */
export function fewRows(chosen: number, targets: number): number {
  const shared = (rows: number): number => targets * (1 - (1 - chosen / targets) ** rows);
  let rows = 1;
  while (rows < MOST_ROWS && chosen * (rows + 1) <= MOST_READ * shared(rows + 1)) rows++;
  return rows;
}

/** Whether every run has more rows. */
export function isBeyond({ rows, most }: RowLimit): boolean {
  const count = asNumber(rows);
  return count !== null && count > most;
}

/** Whether the rows of some list would be slots in a schedule for few rows. */
export function mayHaveFew(fused: FusedGraph, { assignmentLists }: Schedule, target: Target): boolean {
  return assignmentLists.some((list) => {
    if (list.form.kind === 'slots') return false;
    const form = legalForms(fused, list, assignmentLists, target).find(({ kind }) => kind === 'slots');
    return form !== undefined && form.kind === 'slots' && !isBeyond(limitOf(fused, form));
  });
}

/**
 * What the sizes of a run must be for a schedule for few rows instead of the one for many; no condition where the program's own sizes say
 * that rows are few. Null: it would not be another one.
 */
export function rowLimits(fused: FusedGraph, many: Schedule, few: Schedule): readonly RowLimit[] | null {
  const keyOf = ({ presences }: AssignmentList): string => presences.join();
  const made = new Set(many.assignmentLists.filter(({ form }) => form.kind !== 'slots').map(keyOf));
  const limits = new Map<string, RowLimit>();
  let isOther = false;
  for (const list of few.assignmentLists) {
    if (list.form.kind !== 'slots' || !made.has(keyOf(list))) continue;
    isOther = true;
    const limit = limitOf(fused, list.form);
    const key = sizeKey(limit.rows);
    const most = Math.min(limit.most, limits.get(key)?.most ?? Infinity);
    if (asNumber(limit.rows) === null) limits.set(key, { ...limit, most });
  }
  return isOther ? [...limits.values()] : null;
}

/** Whether a run with these sizes has few rows. */
export function areFew(limits: readonly RowLimit[], sizes: ReadonlyMap<string, number>): boolean {
  return limits.every(({ rows, most }) => (asNumber(substitute(rows, sizes)) ?? Infinity) <= most);
}

/** `B * T <= 2` */
export const limitsText = (limits: readonly RowLimit[]): string =>
  limits.map(({ rows, most }) => `${formatSize(rows)} <= ${most}`).join(' and ');
