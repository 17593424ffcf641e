/**
 * Scratch memory by lifetime: buffers that never live at the same time share an allocation. A linear scan over the steps.
 *
 * A buffer lives from the step that first writes it to the last step that touches it, both included: so nothing a launch reads can
 * share memory with what it writes. How large an allocation is the runtime decides, as the largest of its buffers at the sizes of the run.
 * Sizes are formulas, so they are compared at nominal sizes of the dynamic axes: a buffer goes to the smallest free allocation that is
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
  readonly allocations: number;
  readonly allocationOf: ReadonlyMap<number, number>;
}

/** Slots for scratch buffers, given what each step touches. */
export function assignBuffers(
  steps: readonly { readonly buffers: readonly number[] }[],
  scratch: ReadonlyMap<number, Size>,
): BufferAssignment {
  const live = [...lifetimes(steps)].filter(([buffer]) => scratch.has(buffer));
  const allocationOf = new Map<number, number>();
  /** Nominal size of each allocation so far. */
  const sizes: number[] = [];
  const free = new Set<number>();
  steps.forEach((_, step) => {
    for (const [buffer, { first }] of live) {
      if (first !== step) continue;
      const size = nominal(get(scratch, buffer, 'schedule: scratch buffer'));
      const allocation = bestAllocation([...free], sizes, size) ?? sizes.push(0) - 1;
      free.delete(allocation);
      sizes[allocation] = Math.max(at(sizes, allocation, 'schedule: allocation'), size);
      allocationOf.set(buffer, allocation);
    }
    for (const [buffer, { last }] of live) {
      const allocation = allocationOf.get(buffer);
      if (last === step && allocation !== undefined) free.add(allocation);
    }
  });
  return { allocations: sizes.length, allocationOf };
}

/** The smallest free allocation of at least this size, else the largest; null: none is free. */
function bestAllocation(free: readonly number[], sizes: readonly number[], size: number): number | null {
  const sizeOf = (allocation: number) => at(sizes, allocation, 'schedule: allocation');
  const enough = free.filter((allocation) => sizeOf(allocation) >= size);
  const pool = enough.length > 0 ? enough : free;
  const better = (a: number, b: number) => (enough.length > 0 ? sizeOf(a) < sizeOf(b) : sizeOf(a) > sizeOf(b));
  return pool.reduce<number | null>(
    (best, allocation) => (best === null || better(allocation, best) ? allocation : best),
    null,
  );
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
