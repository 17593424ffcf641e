/**
 * Who decides among what is legal (legality.ts). Planning asks a decider wherever there are several ways, and every list it is given
 * begins with what costs say; so costs, a text that somebody wrote (read-schedule.ts) and a random number all choose among the same.
 */
import type { FoldLayout } from './choose-fold.ts';
import type { NodeId } from '../../graph/graph-ir.ts';
import type { DeviceClass } from '../../target.ts';
import type { AssignmentList, StoredSpace } from '../memory/memory.ts';
import type { TileOptions } from './legality-tiles.ts';
import type { Regime } from './regimes.ts';
import type { Choice, Neighbours, OnlineChoice, SummedChoice, TileChoice } from './schedule-ir.ts';

/** Never empty. */
export type Options<T> = readonly [T, ...T[]];

export interface Decider {
  /** What costs are those of (regimes.ts). */
  readonly regime: Regime;
  /** Values with memory, beside those that have to have it, and contractions that are nobody's heads; null: as costs say. */
  readonly stored: ReadonlySet<NodeId> | null;
  /** Whether a list of assignments is made that costs want. */
  readonly makesList: (list: AssignmentList) => boolean;
  readonly space: (id: NodeId, legal: Options<StoredSpace>) => StoredSpace;
  /** How the rows of a list come about: the list in every form it may have. */
  readonly list: (legal: Options<AssignmentList>) => AssignmentList;
  /** Whether a value whose list is sorted stands on the slots themselves, in no order. */
  readonly onSlots: (id: NodeId) => boolean;
  readonly choice: (id: NodeId, space: StoredSpace, legal: Options<Choice>) => Choice;
  /** How a sum of weights of a softmax is computed in one launch with it; null: apart from it, like other sums. */
  readonly online: (id: NodeId, legal: Options<OnlineChoice | null>) => OnlineChoice | null;
  /** Whether a value is computed in one row with others that it reads, where that is legal and pays (merge-rows.ts). */
  readonly joins: (id: NodeId, others: readonly NodeId[]) => boolean;
  /** The tile that costs want, or another one within the options. */
  readonly tile: (byCost: TileChoice, options: TileOptions) => TileChoice;
  /** A sum along slots with its contractions, as costs want it or otherwise, for these classes; null: each is a launch of its own. */
  readonly summed: (byCost: SummedChoice, classes: readonly DeviceClass[]) => SummedChoice | null;
  /** How many neighbours a thread of a step computes, which is known by its key. */
  readonly neighbours: (key: NodeId, legal: Options<Neighbours>) => Neighbours;
  readonly fold: (results: readonly NodeId[], legal: Options<FoldLayout>) => FoldLayout;
  /** The step whose launch a step shares, of those that it may, each by its key; null: it has its own. */
  readonly beside: (key: NodeId, legal: Options<NodeId>) => NodeId | null;
}

export const byCost: Decider = {
  regime: 'many',
  stored: null,
  makesList: () => true,
  space: (_, [first]) => first,
  list: ([first]) => first,
  onSlots: () => true,
  choice: (_, __, [first]) => first,
  online: (_, [first]) => first,
  joins: () => true,
  tile: (first) => first,
  summed: (first) => first,
  neighbours: (_, [first]) => first,
  fold: (_, [first]) => first,
  beside: (_, [first]) => first,
};

/** As costs decide in a regime. */
export const byCostIn = (regime: Regime): Decider => ({ ...byCost, regime });
