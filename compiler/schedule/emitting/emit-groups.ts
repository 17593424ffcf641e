/** An assignment list made of slots in one launch (kernels/group-slots.ts), with its blocks of rows. */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { asInteger, apply, ceilDiv, exact, multiply, one, type Size } from '../../../dsl/types/size.ts';
import type { AxisId, NodeId } from '../../graph/graph-ir.ts';
import { slotAxes } from '../../graph/slots.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { bitcast, u32 } from '../../kernel/make-expressions.ts';
import { groupSlots } from '../../kernels/group-slots.ts';
import type { SlotGroups, SlotQueues } from '../../kernels/slot-queues.ts';
import { rowMajor } from '../../kernels/space.ts';
import {
  slotTotal,
  type AssignmentList,
  type AssignmentListBuffers,
  type ListForm,
  type ListQueue,
} from '../memory/memory.ts';
import type { BufferId } from '../memory/plan.ts';
import type { ExprEmitter } from './expression-emitter.ts';
import { enterSlot } from './named-points.ts';
import type { PlanBuilder } from './plan-builder.ts';
import { inner, type PointScope } from './point-scope.ts';
import { sumOf } from './size-sum.ts';

/** The blocks of an assignment list's rows, and how many there is room for. */
export interface RowBlocks {
  readonly blockRows: number;
  readonly buffer: BufferId;
  /** What stands in the buffer before them: the list itself, where one launch makes both. A tile then binds one buffer for both. */
  readonly from: Size | null;
  readonly maxBlocks: Size;
}

/** What a list's launches and buffers are called. */
export function listText(plan: PlanBuilder, { axes }: AssignmentList): string {
  return `assignments (${axes.map((a) => plan.axis(a).name).join(', ')})`;
}

/** How many blocks of a list's rows there are room for: each group has one that is not full, at most. */
export function mostBlocks(plan: PlanBuilder, { targets, capacity }: AssignmentList, blockRows: number): Size {
  const groups = apply('min', multiply(targets.map(plan.sizeOf)), capacity);
  return apply('add', apply('floor', apply('div', capacity, exact(blockRows))), groups);
}

/** What the queues of a list's slots go by. */
function queuesOf(
  l: ExprEmitter,
  list: AssignmentList,
  form: Extract<ListForm, { readonly kind: 'grouped' }>,
  { place, waiting, groups, by }: ListQueue,
  keyOf: (point: PointScope) => KernelExpr,
): SlotQueues {
  const { k } = l.launch;
  const within = [...form.others.filter((a) => !groups.includes(a)), ...slotAxes(form.slots)];
  const size = (axes: readonly AxisId[]): Size => multiply(axes.map((a) => l.placement.sizeOf(a)));
  const share = (end: KernelExpr): void =>
    l.launch.span(end, multiply([ceilDiv(size(groups), form.threads), size(within)]));
  const grouped = (): SlotGroups => ({ count: l.launch.size(size(groups)), slotsOfEach: l.launch.size(size(within)), share }); // prettier-ignore
  return {
    ranks: by?.ranks ?? 1,
    groups: groups.length === 0 ? null : grouped(),
    visit: (slot, there) =>
      enterSlot(l, list, form, slot, (point) => {
        const numbers = point.named.flatMap((named) => named.numbers);
        const rank = by === null ? u32(0) : bitcast('u32', l.value(by.rank, inner(point, numbers)));
        there(keyOf(point), rank, (at, inside) => {
          const here = inner(point);
          here.values.set(place, bitcast('i32', at));
          k.when(l.allPresent(list.presences, here), inside);
        });
      }, [waiting]), // prettier-ignore
  };
}

export function emitGroups(
  plan: PlanBuilder,
  list: AssignmentList,
  form: Extract<ListForm, { readonly kind: 'grouped' }>,
): { readonly buffers: AssignmentListBuffers; readonly blocks: RowBlocks | null } {
  const { majorAxes, minorAxes, capacity } = list;
  const { threads, blockRows, queue } = form;
  const keys = asInteger(multiply(majorAxes.map(plan.sizeOf)));
  if (keys === null) throw new CompilerBug('schedule', `list ${list.id} is grouped by as many keys as a run decides`);
  const what = listText(plan, list);
  const slots = slotTotal(form, plan.sizeOf);
  const maxBlocks = blockRows === null ? null : mostBlocks(plan, list, blockRows);
  const room = maxBlocks === null ? capacity : sumOf([capacity, maxBlocks, one]);
  const buffers = {
    indices: plan.table.scratch(`${what}: list${maxBlocks === null ? '' : ' and blocks'}`, 'u32', room),
    offsets: plan.table.scratch(`${what}: offsets`, 'u32', exact(keys + 1)),
    inverse: plan.table.scratch(`${what}: rows of slots`, 'i32', slots),
  };
  const { indices, offsets, inverse } = buffers;
  const blocks =
    blockRows === null || maxBlocks === null ? null : { blockRows, buffer: indices, from: capacity, maxBlocks };
  const of = { kind: 'rows', assignmentList: list } as const;
  plan.addCompaction({ what, of, counts: null, starts: null, list: indices, offsets, inverse });
  const entries = blocks === null ? [] : [blocks.maxBlocks, one];
  const options = {
    span: null,
    domain: plan.domainText({ assignmentList: list, axes: [] }),
    points: sumOf([slots, capacity, exact(keys + 1), ...entries]),
    family: 'group_slots',
    what,
    invocations: exact(threads),
    workgroupSize: threads,
  };
  plan.launch(options, (l) => {
    const { launch } = l;
    const keyOf = (point: PointScope): KernelExpr =>
      launch.k.let(rowMajor(majorAxes.map((a) => l.index(point, a)), majorAxes.map((a) => l.size(a))), 'key'); // prettier-ignore
    const visit = (slot: KernelExpr, there: (key: KernelExpr, entry: KernelExpr) => void, presences?: readonly NodeId[]): void =>
      enterSlot(l, list, form, slot, (point) => {
        const key = keyOf(point);
        const at = minorAxes.map((a) => l.index(point, a));
        there(key, rowMajor([key, ...at], [u32(keys), ...minorAxes.map((a) => l.size(a))])); // prettier-ignore
      }, presences); // prettier-ignore
    groupSlots(launch.k, {
      keys,
      keyCount: launch.size(exact(keys)),
      slots: launch.size(slots),
      // Who is let in is there.
      visit: (slot, there) => visit(slot, there, queue === null ? list.presences : []),
      queues: queue === null ? null : queuesOf(l, list, form, queue, keyOf),
      list: launch.write(indices),
      offsets: launch.write(offsets),
      inverse: launch.write(inverse),
      blocks:
        blocks === null
          ? null
          : {
              blockRows: blocks.blockRows,
              maxBlocks: launch.size(blocks.maxBlocks),
              out: launch.write(indices),
              from: launch.size(capacity),
            },
    });
  });
  return { buffers, blocks };
}
