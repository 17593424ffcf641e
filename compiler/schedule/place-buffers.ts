/**
 * Scratch memory by lifetime: buffers that never live at the same time share a slot. A linear scan over the steps.
 *
 * A buffer lives from the step that first writes it to the last step that touches it, both included: so nothing a launch reads can
 * share memory with what it writes. How large a slot is the runtime decides, as the largest of its buffers at the sizes of the run.
 * Buffers go to the free slot whose buffers had the same size formula, else to the one freed last.
 */
import { sizeKey } from '../../dsl/meaning/size.ts';
import type { Size } from '../../dsl/meaning/size.ts';

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

export interface Placed {
  readonly slots: number;
  readonly slotOf: ReadonlyMap<number, number>;
}

/** Slots for scratch buffers, given what each step touches. */
export function placeBuffers(
  steps: readonly { readonly buffers: readonly number[] }[],
  scratch: ReadonlyMap<number, Size>,
): Placed {
  const live = [...lifetimes(steps)].filter(([buffer]) => scratch.has(buffer));
  const slotOf = new Map<number, number>();
  const free: { readonly slot: number; readonly size: string }[] = [];
  let slots = 0;
  steps.forEach((_, step) => {
    for (const [buffer, { first }] of live) {
      if (first !== step) continue;
      const size = sizeKey(scratch.get(buffer) ?? { kind: 'real', value: 0 });
      const same = free.findLastIndex((f) => f.size === size);
      const [taken] = free.splice(same < 0 ? free.length - 1 : same, 1);
      slotOf.set(buffer, taken?.slot ?? slots++);
    }
    for (const [buffer, { last }] of live) {
      const slot = slotOf.get(buffer);
      if (last === step && slot !== undefined)
        free.push({ slot, size: sizeKey(scratch.get(buffer) ?? { kind: 'real', value: 0 }) });
    }
  });
  return { slots, slotOf };
}
