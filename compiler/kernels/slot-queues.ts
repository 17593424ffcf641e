/**
 * slot-queues: which slots a queue lets in, before those are sorted (group-slots.ts), by the same workgroup.
 *
 * The place of a slot in the queue of its key is the number of those before it: of a lower rank, or of the same rank and an earlier slot. Counters
 * stand by key, then by rank, then by thread, so that added up in this order they say where each thread's slots of a rank begin in the queue of
 * their key; counted up once more they are the places. Where groups of slots have queues of their own, a thread has whole groups, one after
 * another, and nobody waits for it.
 *
 *   inverse[slot]  0 where the slot is let in, else -1
 */
import type { ArrayDecl, BufferDecl, KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import { add, i32, loadArray, localIdX, mul, u32 } from '../kernel/make-expressions.ts';
import { shareOf } from './space.ts';

export interface SlotQueues {
  readonly ranks: number;
  /** Groups of neighbouring slots with queues of their own; null: one queue of a key goes through all slots. */
  readonly groups: SlotGroups | null;
  /** Emits, where a slot waits, `there` with its key and rank (u32), and what emits `inside` if it is let in at a place (u32). */
  readonly visit: (
    slot: KernelExpr,
    there: (key: KernelExpr, rank: KernelExpr, letIn: (place: KernelExpr, inside: () => void) => void) => void,
  ) => void;
}

export interface SlotGroups {
  readonly count: KernelExpr;
  readonly slotsOfEach: KernelExpr;
  /** Says of the end of a thread's slots that it is no further from their start than so many groups take. */
  readonly share: (end: KernelExpr) => void;
}

interface QueueMemory {
  readonly counters: ArrayDecl;
  readonly keyCount: KernelExpr;
  readonly inverse: BufferDecl;
}

/** The slots that each thread goes through: those of its groups, or a share of all. */
export function slotsOfThread(
  k: KernelBuilder,
  slots: KernelExpr,
  queues: SlotQueues | null,
): { readonly first: KernelExpr; readonly end: KernelExpr; readonly groups: readonly [KernelExpr, KernelExpr] | null } {
  if (queues === null || queues.groups === null) {
    const [first, end] = shareOf(k, slots);
    return { first, end, groups: null };
  }
  const { count, slotsOfEach, share } = queues.groups;
  const [from, to] = shareOf(k, count);
  const first = k.let(mul(from, slotsOfEach), 'start');
  const end = k.let(mul(to, slotsOfEach), 'stop');
  share(end);
  return { first, end, groups: [from, to] };
}

export function queueSlots(
  k: KernelBuilder,
  { ranks, groups, visit }: SlotQueues,
  own: ReturnType<typeof slotsOfThread>,
  { counters, keyCount, inverse }: QueueMemory,
): void {
  const threads = k.workgroupSize;
  const all = k.let(mul(keyCount, ranks), 'queues');
  const counterAt = (queue: KernelExpr): KernelExpr => k.let(add(mul(queue, threads), localIdX), 'waiting');
  const counterOf = (key: KernelExpr, rank: KernelExpr): KernelExpr =>
    counterAt(ranks === 1 ? key : add(mul(key, ranks), rank));
  const empty = (): void => k.forRange(u32(0), all, 1, (queue) => k.storeArray(counters, counterAt(queue), u32(0)));
  const count = (first: KernelExpr, end: KernelExpr): void =>
    k.forRange(first, end, 1, (slot) =>
      visit(slot, (key, rank) => {
        const counter = counterOf(key, rank);
        k.storeArray(counters, counter, add(loadArray(counters, counter), 1));
      }),
    );
  const place = (first: KernelExpr, end: KernelExpr): void =>
    k.forRange(first, end, 1, (slot) => {
      const kept = k.var(i32(-1), 'kept');
      visit(slot, (key, rank, letIn) => {
        const counter = counterOf(key, rank);
        const place = k.let(loadArray(counters, counter), 'place');
        k.storeArray(counters, counter, add(place, 1));
        letIn(place, () => k.assign(kept, i32(0)));
      });
      k.store(inverse, slot, kept);
    });
  /** Counters become what is before them. */
  const addUp = (length: number, at: (i: KernelExpr) => KernelExpr): void => {
    const before = k.var(u32(0), 'before');
    k.forRange(u32(0), u32(length), 1, (i) => {
      const counter = k.let(at(i), 'waiting');
      const waiting = k.let(loadArray(counters, counter), 'count');
      k.storeArray(counters, counter, before);
      k.assign(before, add(before, waiting));
    });
  };
  if (groups !== null && own.groups !== null) {
    const [from, to] = own.groups;
    k.forRange(from, to, 1, (group) => {
      const first = k.let(mul(group, groups.slotsOfEach), 'start');
      const end = k.let(add(first, groups.slotsOfEach), 'stop');
      empty();
      // Of one rank whoever comes first is first: nobody has to be counted before.
      if (ranks > 1) {
        count(first, end);
        k.forRange(u32(0), keyCount, 1, (key) => addUp(ranks, (rank) => counterOf(key, rank)));
      }
      place(first, end);
    });
    k.barrier();
    return;
  }
  empty();
  count(own.first, own.end);
  k.barrier();
  const [low, high] = shareOf(k, keyCount);
  k.forRange(low, high, 1, (key) => addUp(ranks * threads, (i) => add(mul(key, ranks * threads), i)));
  k.barrier();
  place(own.first, own.end);
  k.barrier();
}
