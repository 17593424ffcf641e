/**
 * Where we are in a kernel: an index for each axis, a row for each assignment list that is in scope, and the way from one to the other.
 * The values at such a point are expression-emitter.ts.
 */
import { at, missing } from '../../../dsl/diagnostics/invariants.ts';
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { apply, asNumber, exact, multiply } from '../../../dsl/types/size.ts';
import type { Size } from '../../../dsl/types/size.ts';
import type { AxisId, Node, NodeId } from '../../graph/graph-ir.ts';
import { idsOfSlots } from '../../graph/slots.ts';
import { add, bitcast, div, ge, i32, load, max, mul, rem, select, u32 } from '../../kernel/make-expressions.ts';
import type { BufferDecl, KernelExpr, Width } from '../../kernel/kernel-ir.ts';
import { rowMajor } from '../../kernels/space.ts';
import { scopeAt, type PointScope } from './point-scope.ts';
import type { LaunchBuilder } from './launch-builder.ts';
import { depthOf } from '../memory/memory.ts';
import type { AssignmentList, AssignmentListBuffers, QueuedSlots, SlotForm, StoredSpace } from '../memory/memory.ts';
import type { BufferId } from '../memory/plan.ts';

/** What the lowering needs to know of the plan in the making. */
export interface PointAccess {
  node(id: NodeId): Node;
  sizeOf(axis: AxisId): Size;
  /** Memory of a node, or null: computed where it is used. */
  memoryOf(id: NodeId): { readonly buffer: BufferId; readonly space: StoredSpace } | null;
  /** Notes that a value is read which its kernel has to put into memory, and has none; what stands for it. */
  lacks(node: Node): KernelExpr;
  assignmentListBuffers(assignmentList: AssignmentList): AssignmentListBuffers;
  /** The list that is made already whose rows a presence is had from (memory/memory.ts, `queuedPresence`); null: it is computed. */
  listOf(presence: NodeId): AssignmentList | null;
  /** The slots whose places in queues a node says, and whoever asks counts; null: they have memory. */
  queueOf(place: NodeId): QueuedSlots | null;
  /** Whether a presence is true wherever these are. */
  holdsUnder(presences: readonly NodeId[], presence: NodeId): boolean;
  /** Number of places a value is used at: 2 and more make a local. */
  usesOf(id: NodeId): number;
}

/** Whether a number of rows may be none, as far as its formula tells. */
function mayBeZero(size: Size): boolean {
  const number = asNumber(size);
  return number === null || number <= 0;
}

export abstract class PointEmitter {
  readonly launch: LaunchBuilder;
  readonly placement: PointAccess;
  /** Who reads a buffer: inlined nodes, or null, the launch itself. */
  readonly readers = new Map<number, Set<NodeId | null>>();
  /** The innermost node that is being inlined. */
  protected computing: NodeId | null = null;

  constructor(launch: LaunchBuilder, placement: PointAccess) {
    this.launch = launch;
    this.placement = placement;
  }

  /** Binds a buffer to be read, for whatever is being computed. */
  read(buffer: BufferId, lanes: Width = 1): BufferDecl {
    const readers = this.readers.get(buffer);
    if (readers === undefined) this.readers.set(buffer, new Set([this.computing]));
    else readers.add(this.computing);
    return this.launch.read(buffer, lanes);
  }

  // --- indices ---

  size(axis: AxisId): KernelExpr {
    return this.launch.size(this.placement.sizeOf(axis));
  }

  /** How many vectors of neighbours there are along an axis. */
  #vectors(axis: AxisId, lanes: Width): KernelExpr {
    return this.launch.size(apply('div', this.placement.sizeOf(axis), exact(lanes)));
  }

  index(env: PointScope, axis: AxisId): KernelExpr {
    const index = env.axes.get(axis);
    if (index === undefined) throw new CompilerBug('schedule', `axis ${axis} has no index here`);
    return index;
  }

  /** The digits of a row-major number, outermost first. The outermost is not reduced. */
  decode(number: KernelExpr, sizes: readonly KernelExpr[]): readonly KernelExpr[] {
    const { k } = this.launch;
    const digits: KernelExpr[] = [];
    let rest = number;
    for (let i = sizes.length - 1; i > 0; i--) {
      const size = at(sizes, i, 'schedule: size of a digit');
      digits.unshift(k.let(rem(rest, size), 'i'));
      rest = k.let(div(rest, size), 'q');
    }
    return sizes.length === 0 ? [] : [rest, ...digits];
  }

  /** Binds a row that exists: the assignment list's, its ancestors', and all their axes. */
  enterRow(env: PointScope, assignmentList: AssignmentList, row: KernelExpr): PointScope {
    const axes = new Map(env.axes);
    const rows = new Map(env.rows);
    const words = this.pointWords(assignmentList, row);
    let here: AssignmentList | null = assignmentList;
    let at = row;
    for (let level = 0; here !== null && !rows.has(here.id); level++) {
      const current: AssignmentList = here;
      rows.set(current.id, { assignmentList: current, row: at });
      const word = words[level];
      if (word === undefined)
        throw new CompilerBug('schedule', `assignment list ${assignmentList.id} is not as deep as its parents`);
      const position = this.launch.k.let(word, 'p');
      const digits = this.decode(position, this.positionSizes(current));
      const names = [...current.majorAxes, null, ...current.minorAxes].filter(
        (n) => n !== null || current.parent !== null,
      );
      for (const [i, name] of names.entries()) {
        const digit = digits[i] ?? missing('schedule: digit of a position', i);
        if (name === null) at = digit;
        else if (!axes.has(name)) axes.set(name, digit);
      }
      here = current.parent;
    }
    return scopeAt(axes, rows, env);
  }

  /** What is stored of a row that exists: its position, then those of the rows it was made within. */
  pointWords(assignmentList: AssignmentList, row: KernelExpr): readonly KernelExpr[] {
    const { indices } = this.placement.assignmentListBuffers(assignmentList);
    const depth = depthOf(assignmentList);
    const first = depth === 1 ? row : this.launch.k.let(mul(row, depth), 'w');
    return Array.from({ length: depth }, (_, level) =>
      load(this.read(indices), level === 0 ? first : add(first, level)),
    );
  }

  /** Sizes of an assignment list's position digits. */
  positionSizes(assignmentList: AssignmentList): readonly KernelExpr[] {
    const parent = assignmentList.parent === null ? [] : [this.launch.size(assignmentList.parent.capacity)];
    return [
      ...assignmentList.majorAxes.map((a) => this.size(a)),
      ...parent,
      ...assignmentList.minorAxes.map((a) => this.size(a)),
    ];
  }

  /** Number of rows that are there, u32. */
  count(assignmentList: AssignmentList): KernelExpr {
    const { offsets } = this.placement.assignmentListBuffers(assignmentList);
    const keys = this.launch.size(multiply(assignmentList.majorAxes.map((a) => this.placement.sizeOf(a))));
    return load(this.read(offsets), keys);
  }

  /** The row of the point, i32: -1 if it is absent. */
  rowOf(env: PointScope, assignmentList: AssignmentList): KernelExpr {
    const known = env.rows.get(assignmentList.id);
    if (known !== undefined) return bitcast('i32', known.row);
    for (let e: PointScope | null = env; e !== null; e = e.parent) {
      const found = e.foundRows.get(assignmentList.id);
      if (found === undefined) continue;
      this.#readInverses(env, assignmentList);
      return found;
    }
    const row = this.#lookUp(env, assignmentList);
    env.foundRows.set(assignmentList.id, row);
    return row;
  }

  /** The row of a point in a list that slots count, i32. */
  protected abstract rowOfSlots(env: PointScope, form: SlotForm, rowOf: (slot: KernelExpr) => KernelExpr): KernelExpr;

  #lookUp(env: PointScope, list: AssignmentList): KernelExpr {
    switch (list.form.kind) {
      case 'scanned':
        return this.#inverted(env, list);
      case 'slots':
        return this.rowOfSlots(env, list.form, (slot) => bitcast('i32', slot));
      case 'grouped': {
        const { inverse } = this.placement.assignmentListBuffers(list);
        return this.rowOfSlots(env, list.form, (slot) => load(this.read(inverse), slot));
      }
    }
  }

  /** The row of the point, as the list's inverse has it. */
  #inverted(env: PointScope, assignmentList: AssignmentList): KernelExpr {
    const { inverse } = this.placement.assignmentListBuffers(assignmentList);
    const parts = [...assignmentList.majorAxes.map((a) => this.index(env, a))];
    let present: KernelExpr | null = null;
    if (assignmentList.parent !== null) {
      const above = this.rowOf(env, assignmentList.parent);
      if (!env.rows.has(assignmentList.parent.id)) present = ge(above, i32(0));
      parts.push(bitcast('u32', max(above, i32(0))));
    }
    parts.push(...assignmentList.minorAxes.map((a) => this.index(env, a)));
    // Under an absent parent there is no position: a parent without rows has not even one that is in bounds.
    const position = rowMajor(parts, this.positionSizes(assignmentList));
    const found = load(this.read(inverse), present === null ? position : select(present, position, u32(0)));
    return this.launch.k.let(present === null ? found : select(present, found, i32(-1)), 'row');
  }

  /** Notes that a row found before serves what is being computed now as well. */
  #readInverses(env: PointScope, assignmentList: AssignmentList): void {
    for (let r: AssignmentList | null = assignmentList; r !== null && !env.rows.has(r.id); r = r.parent) {
      if (r.form.kind !== 'slots') this.read(this.placement.assignmentListBuffers(r).inverse);
      if (r.form.kind !== 'scanned') {
        const memory = idsOfSlots(r.form.slots).map((id) => this.placement.memoryOf(id));
        for (const ids of memory) if (ids !== null) this.read(ids.buffer);
      }
    }
  }

  /**
   * Element of a value stored over `space`. Where the point is absent: some element, in bounds. Elements are vectors of `lanes`
   * neighbours along the last axis, whose index counts vectors then.
   */
  elementIndex(env: PointScope, space: StoredSpace, lanes: Width = 1): KernelExpr {
    const indices = space.axes.map((a) => this.index(env, a));
    const sizes = space.axes.map((a, i) =>
      lanes === 1 || i + 1 < space.axes.length ? this.size(a) : this.#vectors(a, lanes),
    );
    const { assignmentList } = space;
    if (assignmentList === null) return rowMajor(indices, sizes);
    const known = env.rows.get(assignmentList.id);
    if (known !== undefined) return rowMajor([known.row, ...indices], [u32(0), ...sizes]);
    const row = this.rowOf(env, assignmentList);
    // Element 0 is there even if the assignment list can have no rows; the first row is not.
    if (space.axes.length > 0 && mayBeZero(assignmentList.capacity))
      return select(ge(row, i32(0)), rowMajor([bitcast('u32', row), ...indices], [u32(0), ...sizes]), u32(0));
    return rowMajor([bitcast('u32', max(row, i32(0))), ...indices], [u32(0), ...sizes]);
  }
}
