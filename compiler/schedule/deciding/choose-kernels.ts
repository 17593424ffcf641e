/**
 * The chooser: which kernel family computes a value, by the shape of the work. The one place that says when a family wins; which
 * may compute it at all is legality.ts.
 *
 * | value | family |
 * | --- | --- |
 * | contraction whose last axis only one side has | tile (choose-tiles.ts) |
 * | any other contraction | contract |
 * | reduction of what is predicated on the presence of an assignment list, over axes of it | reduce over the list of assignments; few points are asked instead |
 * | reduction of what is predicated on a presence whose points are named, over the axes that are | reduce over slots |
 * | other reduction | reduce over a dense nest |
 * | concat of many parts | one map a part, into its place |
 * | scan, order, argmax, gather, draw | the family of that name (a look-up and a draw are maps) |
 * | choice among what was chosen | choose, along its slots |
 * | other choice | choose, a thread for each group; choose long, a workgroup for each, where groups are long |
 * | everything else | map |
 */
import { asInteger, multiply } from '../../../dsl/types/size.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { Node } from '../../graph/graph-ir.ts';
import type { Target } from '../../target.ts';
import type { StoredSpace } from '../memory/memory.ts';
import type { Storage } from './choose-storage.ts';
import { chooseTile, type Choosing } from './choose-tiles.ts';
import type { Options } from './decider.ts';
import { legalChoices, sizeIn } from './legality.ts';
import type { Choice } from './schedule-ir.ts';

export function chooseKernel(
  fused: FusedGraph,
  node: Node,
  space: StoredSpace,
  storage: Storage,
  choosing: Choosing,
): Choice {
  if (node.kind === 'contract') {
    const tile = chooseTile(fused, node, space, storage, choosing);
    const each: Choice = { family: 'contract', node };
    return choosing.decider.choice(node.id, space, tile === null ? [each] : [tile, each]);
  }
  const legal = legalChoices(fused, node, space, storage);
  const wanted = legal.find((choice) => isWorthIt(fused, choice, legal, choosing.target)) ?? legal[0];
  return choosing.decider.choice(node.id, space, [wanted, ...legal.filter((choice) => choice !== wanted)]);
}

/** Up to so many points a thread goes over a group alone; a longer one, or one whose length a run decides, has a workgroup. */
const MOST_ALONE = 256;

/** Whether what may be done otherwise as well is done like this. */
function isWorthIt(fused: FusedGraph, choice: Choice, legal: Options<Choice>, { maxAsked }: Target): boolean {
  switch (choice.family) {
    case 'choose': {
      const points = asInteger(multiply(choice.node.over.map(sizeIn(fused))));
      return choice.slots !== null || legal.length === 1 || (points !== null && points <= MOST_ALONE);
    }
    case 'reduce_listed': {
      const { axes } = choice.index.assignmentList;
      const points = asInteger(multiply(choice.node.over.map(sizeIn(fused))));
      // A constant number of operations for each assignment is not worth a list, nor is what takes no longer to ask at all points.
      const isShort = points !== null && points <= maxAsked && legal.some(({ family }) => family === 'reduce');
      return !isShort && [...choice.node.axes, ...choice.node.over].some((a) => !axes.includes(a));
    }
    default:
      return true;
  }
}
