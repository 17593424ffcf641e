/**
 * group-slots: the rows of an assignment list from the slots that name its points, sorted by key: a stable counting sort, in one
 * workgroup. What it costs is what was chosen and how many keys there are, however many points there could be.
 *
 *   list[row]      what a present slot stands for; rows of a key are neighbours, in the order of their slots
 *   inverse[slot]  the row of a slot, or -1 where it is absent
 *   offsets[key]   the first row of a key; offsets[keys] = all of them
 *   blocks         the rows cut into blocks of one key, as row-blocks.ts has them, where somebody asks for them
 *
 * Each thread has neighbouring slots, and a counter for each key in workgroup memory: nobody counts in another's, so nothing is
 * atomic. Counters stand by key and then by thread. Added up in that order they say where each thread's slots of each key begin, and
 * counted up once more they are the rows. Where queues say which slots are there they are counted before (slot-queues.ts). So there are as many threads as have room for their counters (schedule/deciding/list-forms.ts).
 */
import type { BufferDecl, KernelExpr } from '../kernel/kernel-ir.ts';
import type { KernelBuilder } from '../kernel/kernel-builder.ts';
import {
  add, bitcast, div, eq, ge, i32, load, loadArray, localIdX, mul, rem, sub, u32,
} from '../kernel/make-expressions.ts'; // prettier-ignore
import { queueSlots, slotsOfThread, type SlotQueues } from './slot-queues.ts';
import { beforeThis, shareOf } from './space.ts';

export interface GroupSlotsConfig {
  readonly keys: number;
  /** The same as a value of the run, which limits of loops are. */
  readonly keyCount: KernelExpr;
  /** How many slots, u32. */
  readonly slots: KernelExpr;
  /** Emits, where a slot is present, what `there` emits of its key (u32) and of what is entered for it. */
  readonly visit: (slot: KernelExpr, there: (key: KernelExpr, entry: KernelExpr) => void) => void;
  /** [capacity] u32, [keys + 1] u32, [slots] i32. */
  readonly list: BufferDecl;
  readonly offsets: BufferDecl;
  readonly inverse: BufferDecl;
  readonly blocks: GroupBlocks | null;
  /** Which slots are let in; `visit` asks nothing of them then. Null: it asks each whether it is present. */
  readonly queues: SlotQueues | null;
}

export interface GroupBlocks {
  /** Rows of a block. */
  readonly blockRows: number;
  /** Number of blocks there are room for, u32. */
  readonly maxBlocks: KernelExpr;
  /** [maxBlocks + 1] u32, behind `from` others (absent: none). It may be the list. */
  readonly out: BufferDecl;
  readonly from?: KernelExpr;
}

export function groupSlots(k: KernelBuilder, config: GroupSlotsConfig): void {
  const { keys, keyCount, slots, list, offsets, inverse, blocks, queues } = config;
  const threads = k.workgroupSize;
  const counters = k.shared('counters', 'u32', keys * threads * (queues?.ranks ?? 1));
  const sums = k.shared('sums', 'u32', threads);
  const counterOf = (key: KernelExpr): KernelExpr => k.let(add(mul(key, threads), localIdX), 'counter');
  const own = slotsOfThread(k, slots, queues);
  const { first, end } = own;
  if (queues !== null) queueSlots(k, queues, own, { counters, keyCount, inverse });
  const visit: GroupSlotsConfig['visit'] = (slot, there) => {
    if (queues === null) config.visit(slot, there);
    else k.when(ge(load(inverse, slot), i32(0)), () => config.visit(slot, there));
  };

  // How many slots of each key each thread has.
  k.forRange(u32(0), keyCount, 1, (key) => k.storeArray(counters, counterOf(key), u32(0)));
  k.forRange(first, end, 1, (slot) =>
    visit(slot, (key) => {
      const counter = counterOf(key);
      k.storeArray(counters, counter, add(loadArray(counters, counter), 1));
    }),
  );
  k.barrier();

  // Where they begin: each thread adds up as many counters as there are keys.
  const begins = blocks === null ? null : k.shared('begins', 'u32', keys + 1);
  const [from, to] = shareOf(k, k.let(mul(keyCount, threads), 'all'));
  const counted = k.var(u32(0), 'own');
  k.forRange(from, to, 1, (i) => k.assign(counted, add(counted, loadArray(counters, i))));
  k.storeArray(sums, localIdX, counted);
  k.barrier();
  const before = beforeThis(k, sums, add);
  const begin = (key: KernelExpr): void => {
    k.store(offsets, key, before);
    if (begins !== null) k.storeArray(begins, key, before);
  };
  k.forRange(from, to, 1, (i) => {
    k.when(eq(rem(i, threads), u32(0)), () => begin(k.let(div(i, threads), 'key')));
    const count = k.let(loadArray(counters, i), 'count');
    k.storeArray(counters, i, before);
    k.assign(before, add(before, count));
  });
  // The last thread has seen everything.
  k.when(eq(localIdX, threads - 1), () => begin(keyCount));
  k.barrier();
  const enterBlock = blocks === null || begins === null ? null : cutBlocks(blocks, (key) => loadArray(begins, key));

  // The rows of each thread's slots, in their order.
  k.forRange(first, end, 1, (slot) => {
    const row = k.var(i32(-1), 'row');
    visit(slot, (key, entry) => {
      const counter = counterOf(key);
      const rank = k.let(loadArray(counters, counter), 'rank');
      k.storeArray(counters, counter, add(rank, 1));
      k.store(list, rank, entry);
      k.assign(row, bitcast('i32', rank));
      enterBlock?.(key, rank);
    });
    k.store(inverse, slot, row);
  });

  /** Where the blocks of each key begin, and what is behind the blocks there are; gives what enters a row that begins one. */
  function cutBlocks(
    { blockRows, maxBlocks, out, from }: GroupBlocks,
    beginOf: (key: KernelExpr) => KernelExpr,
  ): (key: KernelExpr, row: KernelExpr) => void {
    const firsts = k.shared('firsts', 'u32', keys);
    const enter = (block: KernelExpr, row: KernelExpr): void =>
      k.store(out, from === undefined ? block : add(from, block), row);
    const blocksOf = (key: KernelExpr): KernelExpr =>
      div(add(sub(beginOf(add(key, 1)), beginOf(key)), blockRows - 1), blockRows);
    const [low, high] = shareOf(k, keyCount);
    const count = k.var(u32(0), 'cut');
    k.forRange(low, high, 1, (key) => k.assign(count, add(count, blocksOf(key))));
    k.storeArray(sums, localIdX, count);
    k.barrier();
    const block = beforeThis(k, sums, add);
    k.forRange(low, high, 1, (key) => {
      k.storeArray(firsts, key, block);
      k.assign(block, add(block, blocksOf(key)));
    });
    const total = k.var(u32(0), 'total');
    k.forRange(u32(0), threads, 1, (i) => k.assign(total, add(total, loadArray(sums, i))));
    const rows = k.let(beginOf(keyCount), 'rows');
    const [open, close] = shareOf(k, k.let(add(maxBlocks, 1), 'entries'));
    k.forRange(open, close, 1, (i) => k.when(ge(i, total), () => enter(i, rows)));
    k.barrier();
    return (key, row) => {
      const within = k.let(sub(row, beginOf(key)), 'within');
      k.when(eq(rem(within, blockRows), u32(0)), () => enter(add(loadArray(firsts, key), div(within, blockRows)), row));
    };
  }
}
