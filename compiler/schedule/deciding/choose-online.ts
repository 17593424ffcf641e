/**
 * Which sums of a softmax are computed with it in one launch, and what needs no memory for that.
 *
 * It pays where the softmax goes along an axis that no row has room for: then its scores and its weights would be written, and read again
 * by each launch that makes something of them. Where a row has room for them (merge-rows.ts) everything is one launch already, with
 * whatever else stands on that row. And it pays where products of the scores are computed with it: then nothing of them is written. Scores that are
 * stored in any case, as those of a routing by softmax over tokens, are weighed faster by tiles (DECISIONS 73).
 */
import type { FusedGraph } from '../../graph/domains.ts';
import type { NodeId } from '../../graph/graph-ir.ts';
import type { Storage } from './choose-storage.ts';
import type { Choosing } from './choose-tiles.ts';
import { onlineChoices, onlineFactsOf } from './legality-online.ts';
import { pointsAlong } from './legality-tiles.ts';
import type { OnlineChoice } from './schedule-ir.ts';

/** Terms from which on a softmax is gone along online. */
const MANY_TERMS = 1024;

/** The sums that are computed online, by what is stored. `split`: values that must have memory. */
export function chooseOnline(
  fused: FusedGraph,
  { spaces }: Storage,
  { target, decider }: Choosing,
  split: ReadonlySet<NodeId>,
): ReadonlyMap<NodeId, OnlineChoice> {
  const facts = onlineFactsOf(fused);
  const chosen = new Map<NodeId, OnlineChoice>();
  const isStored = (id: NodeId): boolean => split.has(id) || decider.stored?.has(id) === true;
  for (const [id, sum] of facts.sums) {
    const space = spaces.get(id);
    // The softmax has no memory, whoever gave it some: a launch that binds too much may need some of it.
    if (space === undefined || [...sum.core].some((own) => split.has(own))) continue;
    const legal = onlineChoices(fused, facts, sum, space, spaces, isStored, target);
    const [first, ...others] = legal;
    if (first === undefined) continue;
    const choice = decider.online(id, isWorthIt(fused, first) ? [first, ...others, null] : [null, ...legal]);
    if (choice !== null) chosen.set(id, choice);
  }
  return chosen;
}

function isWorthIt({ graph }: FusedGraph, { sum, heads, forms }: OnlineChoice): boolean {
  const terms = pointsAlong(graph, sum.over);
  // Scores that are stored anyway are read once more, and weights by tiles of many rows.
  const isWide = forms.some((form) => 2 * form.tileRows < form.class.onlineRows);
  return heads.length > 0 && !isWide && (terms === null || terms >= MANY_TERMS);
}
