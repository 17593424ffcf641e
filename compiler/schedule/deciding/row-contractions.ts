/** Which contractions of a row have a launch of their own after all: those that tiles do better, if nobody in the row looks at all their columns. */
import type { AxisId, Node, NodeId } from '../../graph/graph-ir.ts';
import { loopAxes } from '../../graph/moved-axes.ts';
import type { Rowed } from './row-layout.ts';
import type { RowChoice } from './schedule-ir.ts';

export type TileChoice = Extract<RowChoice, { readonly family: 'tile' }>;

interface Row<M extends Rowed> {
  readonly members: readonly M[];
  readonly rows: readonly AxisId[];
}

/**
 * What is left of a row. A contraction that is read at other columns only by who looks one up, as the other half of a turned pair, is not
 * looked at whole. What all read where they stand stays, which is a launch less, if the row has room for it.
 */
export function settledRow<M extends Rowed>(
  row: Row<M>,
  asked: {
    readonly isLarge: (choice: RowChoice) => choice is TileChoice;
    readonly hasRoom: (row: Row<M>) => boolean;
    readonly rowsOf: (members: readonly M[]) => readonly AxisId[];
  },
): Row<M> {
  const without = (isLeft: (choice: TileChoice, elsewhere: readonly M[]) => boolean): Row<M> => {
    const members = row.members.filter(
      ({ choice }) => !asked.isLarge(choice) || !isLeft(choice, readersElsewhere(choice.node, row)),
    );
    return members.length === row.members.length ? row : { members, rows: asked.rowsOf(members) };
  };
  const left = without(
    ({ columns }, elsewhere) =>
      columns.every((a) => row.rows.includes(a)) || (elsewhere.length > 0 && !elsewhere.some(goesAlong)),
  );
  return asked.hasRoom(left) ? left : without((_, elsewhere) => !elsewhere.some(goesAlong));
}

/**
 * What of a row has a launch of its own and is all that the rest came together through: by what is left nobody could tell why it is one
 * row. Nothing where what is left reads of one another.
 */
export function throughOf<M extends Rowed>(row: Row<M>, left: Row<M>): readonly NodeId[] {
  const nodeId = ({ choice }: M): NodeId => choice.node.id;
  const parts: Set<NodeId>[] = [];
  for (const member of left.members) {
    const linked = parts.filter((part) => [...part].some((id) => member.reads.of.has(id)));
    for (const part of linked) parts.splice(parts.indexOf(part), 1);
    parts.push(new Set([...linked.flatMap((part) => [...part]), nodeId(member)]));
  }
  const stayed = new Set(left.members.map(nodeId));
  return parts.length < 2 ? [] : row.members.map(nodeId).filter((id) => !stayed.has(id));
}

const goesAlong = ({ choice }: Rowed): boolean => loopAxes(choice.node).length > 0;

/** Those of a row that read a value at other columns than their own. */
function readersElsewhere<M extends Rowed>({ id, axes }: Node, { rows, members }: Row<M>): readonly M[] {
  return members.filter(({ reads }) => {
    const same = reads.of.get(id);
    return same !== undefined && axes.some((a) => !same.has(a) && !rows.includes(a));
  });
}
