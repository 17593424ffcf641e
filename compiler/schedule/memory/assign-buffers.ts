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
import { idOf } from '../../../dsl/types/ids.ts';
import type { Size } from '../../../dsl/types/size.ts';
import type { AllocationId, BufferId } from './plan.ts';

export interface Lifetime {
  readonly first: number;
  readonly last: number;
}

/** First and last step that touches each buffer: of a plan, or of a manifest's plan, which names them by plain numbers. */
export function lifetimes<Buffer extends number>(
  steps: readonly { readonly buffers: readonly Buffer[] }[],
): ReadonlyMap<Buffer, Lifetime> {
  const found = new Map<Buffer, Lifetime>();
  steps.forEach(({ buffers }, step) => {
    for (const buffer of buffers) found.set(buffer, { first: found.get(buffer)?.first ?? step, last: step });
  });
  return found;
}

export interface BufferAssignment {
  /** How many there are. */
  readonly allocations: number;
  readonly allocationOf: ReadonlyMap<BufferId, AllocationId>;
}

/** Slots for scratch buffers, given what each step touches. */
export function assignBuffers(
  steps: readonly { readonly buffers: readonly BufferId[] }[],
  scratch: ReadonlyMap<BufferId, Size>,
): BufferAssignment {
  const live = [...lifetimes(steps)].filter(([buffer]) => scratch.has(buffer));
  const allocationOf = new Map<BufferId, AllocationId>();
  /** Nominal size of each allocation so far. */
  const sizes: number[] = [];
  const free = new Set<AllocationId>();
  steps.forEach((_, step) => {
    for (const [buffer, { first }] of live) {
      if (first !== step) continue;
      const size = nominal(get(scratch, buffer, 'schedule: scratch buffer'));
      const allocation = bestAllocation([...free], sizes, size) ?? idOf<AllocationId>(sizes.push(0) - 1);
      free.delete(allocation);
      sizes[allocation] = Math.max(at(sizes, allocation, 'schedule: allocation'), size);
      allocationOf.set(buffer, allocation);
    }
    for (const [buffer, { last }] of live) {
      const allocation = allocationOf.get(buffer);
      if (last === step && allocation !== undefined) free.add(allocation);
    }
  });
  // A buffer no step touches (a list nobody reads) needs none: it shares the first.
  for (const buffer of scratch.keys()) if (!allocationOf.has(buffer)) allocationOf.set(buffer, idOf<AllocationId>(0));
  return { allocations: sizes.length, allocationOf };
}

/** The smallest free allocation of at least this size, else the largest; null: none is free. */
function bestAllocation(free: readonly AllocationId[], sizes: readonly number[], size: number): AllocationId | null {
  const sizeOf = (allocation: AllocationId) => at(sizes, allocation, 'schedule: allocation');
  const enough = free.filter((allocation) => sizeOf(allocation) >= size);
  const pool = enough.length > 0 ? enough : free;
  const better = (a: AllocationId, b: AllocationId) =>
    enough.length > 0 ? sizeOf(a) < sizeOf(b) : sizeOf(a) > sizeOf(b);
  return pool.reduce<AllocationId | null>(
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
