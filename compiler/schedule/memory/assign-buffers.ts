/**
 * Scratch memory by lifetime: buffers that never live at the same time share a slot. A linear scan over the steps.
 *
 * A buffer lives from the step that first writes it to the last step that touches it, both included: so nothing a launch reads can
 * share memory with what it writes. How large a slot is the runtime decides, as the largest of its buffers at the sizes of the run.
 * Sizes are formulas, so they are compared at nominal sizes of the dynamic axes: a buffer goes to the smallest free slot that is
 * large enough, else to the largest one, which grows. The run's real sizes may fit less well, never wrongly.
 */
import { at, get } from '../../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { asNumber, formatSize, substitute } from '../../../dsl/types/size.ts';
import type { Size } from '../../../dsl/types/size.ts';

export interface Lifetime {
  readonly first: number;
  readonly last: number;
}

/** First and last step that touches each buffer. */
export function lifetimes(steps: readonly { readonly buffers: readonly number[] }[]): ReadonlyMap<number, Lifetime> {
  const found = new Map<number, Lifetime>();
  steps.forEach(({ buffers }, step) => {
    for (const buffer of buffers) found.set(buffer, { first: found.get(buffer)?.first ?? step, last: step });
  });
  return found;
}

export interface BufferAssignment {
  readonly slots: number;
  readonly slotOf: ReadonlyMap<number, number>;
}

/** Slots for scratch buffers, given what each step touches. */
export function assignBuffers(
  steps: readonly { readonly buffers: readonly number[] }[],
  scratch: ReadonlyMap<number, Size>,
): BufferAssignment {
  const live = [...lifetimes(steps)].filter(([buffer]) => scratch.has(buffer));
  const slotOf = new Map<number, number>();
  /** Nominal size of each slot so far. */
  const sizes: number[] = [];
  const free = new Set<number>();
  steps.forEach((_, step) => {
    for (const [buffer, { first }] of live) {
      if (first !== step) continue;
      const size = nominal(get(scratch, buffer, 'schedule: scratch buffer'));
      const slot = bestSlot([...free], sizes, size) ?? sizes.push(0) - 1;
      free.delete(slot);
      sizes[slot] = Math.max(at(sizes, slot, 'schedule: slot'), size);
      slotOf.set(buffer, slot);
    }
    for (const [buffer, { last }] of live) {
      const slot = slotOf.get(buffer);
      if (last === step && slot !== undefined) free.add(slot);
    }
  });
  return { slots: sizes.length, slotOf };
}

/** The smallest free slot of at least this size, else the largest; null: none is free. */
function bestSlot(free: readonly number[], sizes: readonly number[], size: number): number | null {
  const sizeOf = (slot: number) => at(sizes, slot, 'schedule: slot');
  const enough = free.filter((slot) => sizeOf(slot) >= size);
  const pool = enough.length > 0 ? enough : free;
  const better = (a: number, b: number) => (enough.length > 0 ? sizeOf(a) < sizeOf(b) : sizeOf(a) > sizeOf(b));
  return pool.reduce<number | null>((best, slot) => (best === null || better(slot, best) ? slot : best), null);
}

/** A size where every dynamic axis has this many points. */
const NOMINAL = 1024;

function nominal(size: Size): number {
  const names = (s: Size): readonly string[] =>
    s.kind === 'dynamic' ? [s.axis] : s.kind === 'op' ? s.args.flatMap(names) : [];
  const number = asNumber(substitute(size, new Map(names(size).map((n) => [n, NOMINAL]))));
  if (number === null)
    throw new CompilerBug('schedule', `${formatSize(size)} is no number where every axis has a size`);
  return number;
}
