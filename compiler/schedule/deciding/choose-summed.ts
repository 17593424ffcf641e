/**
 * Which sums along slots are computed in one launch with the contractions that they are made of. With few rows (regimes.ts) there is
 * nothing to share between rows of one expert, so whoever has a row and some of its columns goes through the slots of the row: the
 * products of the last matrix of an expert and what becomes of them are one launch, and so is an expert that every row goes through.
 */
import type { FusedGraph } from '../../graph/domains.ts';
import type { NodeId } from '../../graph/graph-ir.ts';
import { nodeOf } from '../../graph/node-uses.ts';
import type { Storage } from './choose-storage.ts';
import { isInPassing, partsOf, type Choosing } from './choose-tiles.ts';
import { mayHaveForms, summedParts } from './legality-summed.ts';
import { pointsAlong } from './legality-tiles.ts';
import { insidesOf, type SummedChoice } from './schedule-ir.ts';

/** Columns of a thread: those of a tile. */
const COLUMNS = 4;

/** The values that are computed so, each with its launch; what that computes has no memory. `split`: what must not be computed in passing. */
export function chooseSummed(
  fused: FusedGraph,
  { spaces, live }: Storage,
  { target, decider }: Choosing,
  split: ReadonlySet<NodeId>,
): ReadonlyMap<NodeId, SummedChoice> {
  const found = new Map<NodeId, SummedChoice>();
  // Costs want it of few rows; a text may say it of any.
  if (decider.regime === 'many' && decider.stored === null) return found;
  const { graph } = fused;
  const taken = new Set<NodeId>();
  const context = {
    fused,
    spaces,
    target,
    isInPassing: (id: NodeId): boolean => isInPassing(nodeOf(graph, id), spaces),
    isOnlyFor: (
      (isOnlyFor) =>
      (id: NodeId, root: NodeId): boolean =>
        !split.has(id) && !taken.has(id) && decider.stored?.has(id) !== true && isOnlyFor(id, root)
    )(partsOf(fused, live, spaces)),
  };
  // Who comes last may have what comes before as a part of it.
  for (const [id, space] of [...spaces].toSorted(([a], [b]) => b - a)) {
    const node = nodeOf(graph, id);
    if (taken.has(id)) continue;
    const legal = summedParts(context, node, space);
    if (legal === null) continue;
    const width = pointsAlong(graph, legal.columns) ?? 1;
    const columnsFor = (lanes: number, most: number): number => Math.max(1, Math.min(most, Math.floor(width / lanes)));
    const heads = Math.max(...legal.parts.map((part) => part.heads.length));
    const classes = mayHaveForms(legal.parts) ? target.classes : [];
    const forms = classes.map((own) => ({
      class: own,
      tileRows: 1,
      tileColumns: columnsFor(own.subgroupSize, Math.max(1, Math.floor(own.tile.columns / heads))),
    }));
    const choice = decider.summed(
      { family: 'summed', node, ...legal, tileColumns: columnsFor(1, COLUMNS), forms },
      target.classes,
    );
    if (choice === null) continue;
    found.set(id, choice);
    for (const inside of insidesOf(choice)) taken.add(inside);
  }
  return found;
}
