/**
 * Assignment lists of a run and lists of their rows by key against the masks they were made of: exactly, their order included (kernels/compaction.ts says what
 * each buffer is). Where rounding could turn a mask inside the launch itself, either answer is taken, if the buffers agree on it.
 */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import type { AxisId } from '../graph/graph-ir.ts';
import { POISON } from '../../runtime/contract/poison.ts';
import { CHUNK } from '../kernels/compaction.ts';
import type { Compaction } from '../schedule/emitting/contents.ts';
import type { AssignmentList, AssignmentListId, SlotForm } from '../schedule/memory/memory.ts';
import type { BufferId } from '../schedule/memory/plan.ts';
import type { LaunchEvaluation } from './evaluate.ts';
import type { RunMemory } from './run-memory.ts';
import { countedRows, points } from './point-blocks.ts';
import { pointsOfPositions, positionsOf, rowsAt, rowsOf, wordsOf, type Rows } from './rows.ts';
import { slotPoints } from './slot-rows.ts';
import { fates, Tallying, type Tally } from './tally.ts';

export interface ComparedPart {
  readonly buffer: BufferId;
  readonly what: string;
  readonly tally: Tally;
  readonly fate: Uint8Array;
}

/** What a compaction goes over: whether each position is present (2: undecided), and what it enters into the list. */
interface Positioned {
  readonly keys: number;
  readonly perKey: number;
  readonly present: Uint8Array;
  readonly words: number;
  readonly entry: (position: number) => readonly number[];
}

const BLOCK = 1 << 16;

/** Compares the buffers of a compaction that are `wanted`; `rows` is what an assignment list has from then on, if it makes sense. */
export function compareCompaction(
  compaction: Compaction,
  wanted: readonly BufferId[],
  words: (buffer: BufferId) => Uint32Array | null,
  evaluation: LaunchEvaluation,
  memory: RunMemory,
): { readonly parts: readonly ComparedPart[]; readonly rows: Rows | null } {
  const { counts, starts, list, offsets, inverse, of } = compaction;
  const parts: ComparedPart[] = [];
  const compare = (buffer: BufferId, what: string, each: (check: Check) => void): void => {
    const own = words(buffer);
    if (own === null) return;
    const tallying = new Tallying('i32');
    const fate = new Uint8Array(own.length);
    const signed = new Int32Array(own.buffer, own.byteOffset, own.length);
    each((at, expected, decided) => {
      if (!decided) fate[at] = tallying.skip(fates.undecided);
      else fate[at] = tallying.compare(signed[at] ?? NaN, expected, 0, own[at] === POISON, () => [at]);
    });
    parts.push({ buffer, what, tally: tallying.tally, fate });
  };
  if (of.kind === 'rows' && of.assignmentList.form.kind === 'grouped') return groups(of.assignmentList, of.assignmentList.form); // prettier-ignore
  const positioned =
    of.kind === 'rows' ? ofAssignmentList(of.assignmentList, evaluation, memory) : ofList(of.shape, evaluation, memory);
  const { keys, perKey, present, words: width, entry } = positioned;
  const total = keys * perKey;
  if (counts !== null && wanted.includes(counts)) {
    compare(counts, 'counts', (check) => {
      for (let chunk = 0; chunk * CHUNK < total; chunk++) {
        const here = present.subarray(chunk * CHUNK, (chunk + 1) * CHUNK);
        check(chunk, here.reduce((n, p) => n + (p === 1 ? 1 : 0), 0), !here.includes(2)); // prettier-ignore
      }
    });
  }
  if (starts !== null && wanted.includes(starts)) {
    const before = counts === null ? null : words(counts);
    compare(starts, 'starts', (check) => {
      let sum = 0;
      const chunks = Math.ceil(total / CHUNK);
      for (let chunk = 0; chunk <= chunks; chunk++) {
        check(chunk, sum, true);
        sum += before?.[chunk] ?? 0;
      }
    });
  }
  if (!wanted.includes(list)) return { parts, rows: null };
  // Where a position is undecided the list says which it was; the rest has to follow.
  const entries = words(list);
  const rank = new Int32Array(total + 1);
  let next = 0;
  for (let position = 0; position < total; position++) {
    rank[position] = next;
    if (present[position] === 1 || (present[position] === 2 && entries?.[next * width] === entry(position)[0])) next++;
  }
  rank[total] = next;
  const isIn = (position: number): boolean => (rank[position + 1] ?? noNumber()) > (rank[position] ?? noNumber());
  compare(list, 'list', (check) => {
    for (let position = 0; position < total; position++) {
      if (!isIn(position)) continue;
      entry(position).forEach((word, i) => check((rank[position] ?? noNumber()) * width + i, word, true));
    }
  });
  compare(offsets, 'offsets', (check) => {
    for (let key = 0; key <= keys; key++) check(key, rank[key * perKey] ?? noNumber(), true);
  });
  if (inverse !== null) {
    compare(inverse, 'inverse', (check) => {
      for (let position = 0; position < total; position++) {
        check(position, isIn(position) ? (rank[position] ?? noNumber()) : -1, true);
      }
    });
  }
  if (of.kind === 'list') return { parts, rows: null };
  const count = words(offsets)?.[keys] ?? 0;
  if (entries === null || count * width > entries.length) return { parts, rows: null };
  const { assignmentList } = of;
  const parent = assignmentList.parent === null ? null : memory.rows(assignmentList.parent);
  const capacity = memory.capacity.bind(memory);
  return { parts, rows: rowsOf(assignmentList, entries, count, parent, evaluation.offsets, capacity) };

  /** Slots by key, those of a key in their order. Where a slot is undecided its inverse says what it was; the rest has to follow. */
  function groups(sorted: AssignmentList, form: SlotForm): ReturnType<typeof compareCompaction> {
    const { total: slots, at, is } = slotPoints(sorted, form, evaluation);
    const { keys, perKey } = positionsOf(sorted, evaluation.offsets, memory.capacity.bind(memory));
    const axes = [...sorted.majorAxes, ...sorted.minorAxes].map((a) => ({ index: at.get(a), length: evaluation.offsets.length(a) })); // prettier-ignore
    const positionOf = (slot: number): number =>
      axes.reduce((p, { index, length }) => p * length + (index?.[slot] ?? noNumber()), 0);
    const found = inverse === null ? null : words(inverse);
    const isIn = (slot: number): boolean => is[slot] === 1 || (is[slot] === 2 && ((found?.[slot] ?? 0) | 0) >= 0);
    const there = Array.from({ length: slots }, (_, slot) => slot).filter(isIn);
    const position = new Map(there.map((slot) => [slot, positionOf(slot)] as const));
    const keyOf = (slot: number): number => Math.floor((position.get(slot) ?? noNumber()) / Math.max(1, perKey));
    const order = there.toSorted((a, b) => keyOf(a) - keyOf(b) || a - b);
    const decided = !is.includes(2);
    const row = new Map(order.map((slot, r) => [slot, r] as const));
    compare(list, 'list', (check) => order.forEach((slot, r) => check(r, position.get(slot) ?? noNumber(), decided)));
    compare(offsets, 'offsets', (check) => {
      for (let key = 0; key <= keys; key++) check(key, order.filter((slot) => keyOf(slot) < key).length, true);
    });
    if (inverse !== null)
      compare(inverse, 'inverse', (check) => {
        for (let slot = 0; slot < slots; slot++) check(slot, row.get(slot) ?? -1, true);
      });
    const filled = words(list);
    const count = words(offsets)?.[keys] ?? 0;
    if (filled === null || count > filled.length) return { parts, rows: null };
    const capacityOf = memory.capacity.bind(memory);
    return { parts, rows: rowsOf(sorted, filled, count, null, evaluation.offsets, capacityOf) };
  }
}

type Check = (at: number, expected: number, decided: boolean) => void;

function ofAssignmentList(
  assignmentList: Extract<Compaction['of'], { kind: 'rows' }>['assignmentList'],
  evaluation: LaunchEvaluation,
  memory: RunMemory,
): Positioned {
  const { offsets } = evaluation;
  const capacity = memory.capacity.bind(memory);
  const { keys, perKey, total } = positionsOf(assignmentList, offsets, capacity);
  const parent = assignmentList.parent === null ? null : memory.rows(assignmentList.parent);
  const known = new Set(parent?.assignmentList.presences ?? []);
  const present = new Uint8Array(total);
  for (let first = 0; first < total; first += BLOCK) {
    const count = Math.min(BLOCK, total - first);
    const { at, parentRow } = pointsOfPositions(assignmentList, first, count, offsets, capacity);
    const all = Int32Array.from({ length: count }, (_, i) => i);
    const there =
      parentRow === null ? all : all.filter((i) => (parentRow[i] ?? noNumber()) < (parent?.count ?? noNumber()));
    const take = (column: Int32Array): Int32Array => Int32Array.from(there, (i) => column[i] ?? noNumber());
    const ofParent = (column: Int32Array): Int32Array =>
      Int32Array.from(there, (i) => column[parentRow?.[i] ?? noNumber()] ?? noNumber());
    const axes = new Map<AxisId, Int32Array>([...at].map(([a, column]) => [a, take(column)] as const));
    for (const [a, column] of parent?.at ?? []) axes.set(a, ofParent(column));
    const rows = new Map([...(parent?.above ?? [])].map(([id, column]) => [id, ofParent(column)] as const));
    const holds = evaluation.holds(assignmentList.refinedBy, points(there.length, axes, rows, known));
    there.forEach((i, k) => (present[first + i] = holds[k] ?? noNumber()));
  }
  const inner = offsets.count(assignmentList.minorAxes);
  const above = assignmentList.parent === null ? 1 : capacity(assignmentList.parent);
  // After the position, what the parent's list says of the parent's row.
  const entry = (position: number): readonly number[] => {
    if (parent === null) return [position];
    const row = Math.floor(position / inner) % above;
    return [position, ...parent.entries.subarray(row * parent.words, (row + 1) * parent.words)];
  };
  return { keys, perKey, present, words: wordsOf(assignmentList), entry };
}

function ofList(
  { assignmentList, ancestor, keys, listed }: Extract<Compaction['of'], { kind: 'list' }>['shape'],
  evaluation: LaunchEvaluation,
  memory: RunMemory,
): Positioned {
  const { offsets } = evaluation;
  const capacity = memory.capacity.bind(memory);
  const above = ancestor === null ? null : memory.rows(ancestor);
  const axis = (a: AxisId) => ({ axis: a, length: offsets.length(a) });
  const digits = [
    ...(ancestor === null ? [] : [{ axis: null, length: capacity(ancestor) }]),
    ...keys.map(axis),
    ...listed.map(axis),
  ];
  const perKey = offsets.count(listed);
  const total = digits.reduce((n, { length }) => n * length, 1);
  const present = new Uint8Array(total);
  const row = new Int32Array(total).fill(-1);
  for (let first = 0; first < total; first += BLOCK) {
    const count = Math.min(BLOCK, total - first);
    const { at, row: ancestorRow } = countedRows(first, count, digits);
    const all = Int32Array.from({ length: count }, (_, i) => i);
    const there =
      ancestorRow === null ? all : all.filter((i) => (ancestorRow[i] ?? noNumber()) < (above?.count ?? noNumber()));
    const axes = new Map<AxisId, Int32Array>(
      [...at].map(([a, column]) => [a, Int32Array.from(there, (i) => column[i] ?? noNumber())] as const),
    );
    const ofAncestor = (column: Int32Array): Int32Array =>
      Int32Array.from(there, (i) => column[ancestorRow?.[i] ?? noNumber()] ?? noNumber());
    for (const [a, column] of above?.at ?? []) axes.set(a, ofAncestor(column));
    const rows = new Map<AssignmentListId, Int32Array>();
    for (const [id, column] of above?.above ?? []) rows.set(id, ofAncestor(column));
    const found = rowsAt(points(there.length, axes, rows), assignmentList, offsets, capacity, (r) => memory.rows(r));
    there.forEach((i, k) => {
      const r = found[k] ?? noNumber();
      row[first + i] = r;
      present[first + i] = r < 0 ? 0 : 1;
    });
  }
  return {
    keys: perKey === 0 ? keyCount(digits, listed.length) : total / perKey,
    perKey,
    present,
    words: 1,
    entry: (p) => [row[p] ?? noNumber()],
  };
}

function keyCount(digits: readonly { readonly length: number }[], listed: number): number {
  return digits.slice(0, digits.length - listed).reduce((n, { length }) => n * length, 1);
}
