/** What a row holds of its values for those of it that read them, and in which order they are computed. */
import { at, get } from '../../../dsl/diagnostics/invariants.ts';
import { asInteger } from '../../../dsl/types/size.ts';
import type { AxisId, Graph, Node, NodeId } from '../../graph/graph-ir.ts';
import { loopAxes } from '../../graph/moved-axes.ts';
import type { AssignmentList, StoredSpace } from '../memory/memory.ts';
import { slotAxes } from '../../graph/slots.ts';
import type { Reads } from './row-reads.ts';
import type { RowChoice } from './schedule-ir.ts';

export interface RowLayout {
  readonly phaseOf: ReadonlyMap<NodeId, number>;
  /** Of values that others of the row read. */
  readonly cellOf: ReadonlyMap<NodeId, number>;
  /** Numbers that the cells hold together; null: a run decides. */
  readonly words: number | null;
}

interface Region {
  readonly members: readonly { readonly choice: RowChoice; readonly space: StoredSpace; readonly reads: Reads }[];
  readonly rows: readonly AxisId[];
}

/** Points along axes; null where a run decides how many there are along one of them. */
export function countAlong({ axes: known }: Graph, axes: readonly AxisId[]): number | null {
  return axes.reduce<number | null>((count, axis) => {
    const size = asInteger(get(known, axis, 'schedule: axis').size);
    return count === null || size === null ? null : count * size;
  }, 1);
}

/** Operations of a row; null: a run decides how many. */
export function workOf(graph: Graph, { members, rows }: Region): number | null {
  return members.reduce<number | null>((sum, { choice, space }) => {
    const form = space.assignmentList?.form;
    const axes = form?.kind === 'slots' ? [...form.others, ...slotAxes(form.slots), ...space.axes] : choice.node.axes;
    const over = choice.family === 'tile' ? choice.over : loopAxes(choice.node).filter((a) => !choice.node.axes.includes(a)); // prettier-ignore
    const [points, terms] = [countAlong(graph, axes.filter((a) => !rows.includes(a))), countAlong(graph, over)]; // prettier-ignore
    if (sum === null || points === null || terms === null) return null;
    return sum + points * Math.max(terms, 1) * (choice.family === 'tile' ? choice.heads.length : 1);
  }, 0);
}

/** In which phase values are computed, and which cells those that others read are kept in. */
export function layoutOf(graph: Graph, { members, rows }: Region): RowLayout {
  const count = (axes: readonly AxisId[]): number | null => countAlong(graph, axes);
  const phaseOf = new Map<NodeId, number>();
  const lastRead = new Map<NodeId, number>();
  for (const { choice, reads } of members) {
    const own = [...reads.of.keys()].filter((id) => phaseOf.has(id));
    const phase = 1 + Math.max(-1, ...own.map((id) => get(phaseOf, id, 'schedule: phase')));
    phaseOf.set(choice.node.id, phase);
    for (const id of own) lastRead.set(id, Math.max(phase, lastRead.get(id) ?? 0));
  }
  const cells: { readonly kind: string; readonly size: number | null; freeFrom: number }[] = [];
  const cellOf = new Map<NodeId, number>();
  const inOrder = members.toSorted((a, b) => (phaseOf.get(a.choice.node.id) ?? 0) - (phaseOf.get(b.choice.node.id) ?? 0)); // prettier-ignore
  for (const { choice } of inOrder) {
    const { id, element, axes } = choice.node;
    const last = lastRead.get(id);
    if (last === undefined) continue;
    const [kind, size] = [element === 'f16' ? 'f32' : element, count(axes.filter((a) => !rows.includes(a)))];
    const phase = get(phaseOf, id, 'schedule: phase');
    const free = cells.findIndex((cell) => cell.kind === kind && cell.size === size && cell.freeFrom <= phase);
    const number = free === -1 ? cells.push({ kind, size, freeFrom: 0 }) - 1 : free;
    at(cells, number, 'schedule: cell of a row').freeFrom = last + 1;
    cellOf.set(id, number);
  }
  const words = cells.reduce<number | null>(
    (sum, { size }) => (sum === null || size === null ? null : sum + Math.max(size, 1)),
    0,
  );
  return { phaseOf, cellOf, words };
}

/** Whether a run is compared at what is chosen, ranked or added up along a line (compiler/verify): it has to be in memory. */
export function isComparedAlone({ kind }: Node): boolean {
  return kind === 'choose' || kind === 'sort_rank' || kind === 'scan';
}

/** The list that a value has to be a row of: slots are of the row of who chose them. */
export function listOfRows({ assignmentList }: StoredSpace): AssignmentList | null {
  return assignmentList === null || assignmentList.form.kind === 'slots' ? null : assignmentList;
}

/** Whether a value has an axis that the slots it stands on have too, as one that goes along tokens where tokens chose: a row has one index for both. */
export function goesAlongSlots({ assignmentList, axes }: StoredSpace): boolean {
  const form = assignmentList?.form;
  return form?.kind === 'slots' && slotAxes(form.slots).some((axis) => axes.includes(axis));
}

/** The space of the rows themselves: rows of a list, or points. */
export function spaceOfRows(rows: readonly AxisId[], list: AssignmentList | null): StoredSpace {
  return { assignmentList: list, axes: rows.filter((a) => list === null || !list.axes.includes(a)) };
}

/** Axes along which rows of a value may stand apart: it does not go along them. */
export function rowAxes(choice: RowChoice, { assignmentList, axes }: StoredSpace): readonly AxisId[] {
  const { node } = choice;
  const along = node.kind === 'choose' ? [...node.over, node.along] : loopAxes(node);
  const form = assignmentList?.form;
  const own = form?.kind === 'slots' ? form.others : [...(assignmentList?.axes ?? []), ...axes];
  return own.filter((a) => !along.includes(a));
}

/** A value that may be part of a row. */
export interface Rowed {
  readonly choice: RowChoice;
  readonly reads: Reads;
  readonly axes: readonly AxisId[];
}

/** The axes along which values look at no other row of one another. */
export function commonRows(members: readonly Rowed[]): readonly AxisId[] {
  const ids = new Set(members.map(({ choice }) => choice.node.id));
  return members.reduce<readonly AxisId[]>(
    (axes, { axes: own, reads }) =>
      axes.filter((a) => own.includes(a) && [...reads.of].every(([id, same]) => !ids.has(id) || same.has(a))),
    members[0]?.axes ?? [],
  );
}

/** Whether a value stands on the rows of a region, and reads of each row what one of the region reads. */
export function standsBeside(
  { reads, axes }: Rowed,
  { members, rows }: { readonly rows: readonly AxisId[]; readonly members: readonly Rowed[] },
): boolean {
  const ofRow = [...reads.of].filter(([, same]) => rows.every((a) => same.has(a))).map(([id]) => id);
  return rows.every((a) => axes.includes(a)) && members.some((member) => ofRow.some((id) => member.reads.of.has(id)));
}
