/** An assignment list made of slots in one launch (kernels/group-slots.ts), with its blocks of rows. */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { asInteger, apply, exact, multiply, one, type Size } from '../../../dsl/types/size.ts';
import { u32 } from '../../kernel/make-expressions.ts';
import { groupSlots } from '../../kernels/group-slots.ts';
import { rowMajor } from '../../kernels/space.ts';
import { slotTotal, type AssignmentList, type AssignmentListBuffers, type ListForm } from '../memory/memory.ts';
import type { BufferId } from '../memory/plan.ts';
import { enterSlot } from './named-points.ts';
import type { PlanBuilder } from './plan-builder.ts';
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

export function emitGroups(
  plan: PlanBuilder,
  list: AssignmentList,
  form: Extract<ListForm, { readonly kind: 'grouped' }>,
): { readonly buffers: AssignmentListBuffers; readonly blocks: RowBlocks | null } {
  const { majorAxes, minorAxes, capacity } = list;
  const { threads, blockRows } = form;
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
    groupSlots(launch.k, {
      keys,
      keyCount: launch.size(exact(keys)),
      slots: launch.size(slots),
      visit: (slot, there) =>
        enterSlot(l, list, form, slot, (point) => {
          const at = [...majorAxes, ...minorAxes].map((a) => l.index(point, a));
          const key = launch.k.let(rowMajor(at.slice(0, majorAxes.length), majorAxes.map((a) => l.size(a))), 'key'); // prettier-ignore
          there(key, rowMajor([key, ...at.slice(majorAxes.length)], [u32(keys), ...minorAxes.map((a) => l.size(a))])); // prettier-ignore
        }),
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
