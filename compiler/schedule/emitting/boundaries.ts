/**
 * The boundaries between the launches of a plan: what one leaves in memory and later ones read, with the reason that was given where it
 * was decided (graph/memory-reasons.ts). Who reads what is in the plan; why, follows from nothing here.
 */
import { unreachable } from '../../../dsl/diagnostics/bug.ts';
import { get } from '../../../dsl/diagnostics/invariants.ts';
import type { NodeId } from '../../graph/graph-ir.ts';
import type { MemoryReason } from '../../graph/memory-reasons.ts';
import type { Schedule } from '../deciding/schedule-ir.ts';
import { accessOf, buffersOf, type BufferId, type Plan } from '../memory/plan.ts';
import type { Content, Contents } from './contents.ts';

export interface Boundary {
  readonly buffer: BufferId;
  /** The value, or null: what says where rows are, or how a launch is done in parts. */
  readonly node: NodeId | null;
  /** The step that writes it first, and those that read it, by number. */
  readonly from: number;
  readonly to: readonly number[];
  readonly because: MemoryReason;
}

/** In the order of the steps that write. Results that nobody else reads are none. */
export function boundariesOf(plan: Plan, contents: Contents, schedule: Pick<Schedule, 'because'>): readonly Boundary[] {
  const access = plan.steps.map((step) => accessOf(plan, step));
  return buffersOf(plan)
    .flatMap(([buffer, { role }]): readonly Boundary[] => {
      const from = access.findIndex(({ writes }) => writes.includes(buffer));
      const to = access.flatMap(({ reads }, i) => (i > from && reads.includes(buffer) ? [i] : []));
      if (from === -1 || to.length === 0 || role.kind === 'status') return [];
      const content = contents.buffers.get(buffer) ?? null;
      return [{ buffer, from, to, ...reasonOf(content, schedule) }];
    })
    .toSorted((a, b) => a.from - b.from || a.buffer - b.buffer);
}

function reasonOf(content: Content | null, { because }: Pick<Schedule, 'because'>): Pick<Boundary, 'node' | 'because'> {
  const grid = (text: string) => ({ node: null, because: { reason: 'grid', text } as const });
  if (content === null) return grid('several workgroups have a part in it, and all parts have to be there');
  switch (content.kind) {
    case 'value':
    case 'extern':
      return { node: content.node, because: get(because, content.node, 'schedule: reason') };
    case 'copy':
      return { node: content.node, because: { reason: 'host', text: 'a copy, as a function of the host takes it' } };
    case 'mask':
      return grid('which points are there has to be known of all of them before they are counted');
    case 'compaction':
      return grid('where a row stands is known when all assignments before it are counted, by all workgroups');
    default:
      return unreachable(content, 'schedule');
  }
}
