/**
 * How the rows of each assignment list come about (memory/memory.ts). What is known by construction is not scanned for:
 *
 *   slots     a choice names the points of the list, and nobody needs its rows in an order: nothing has to be made
 *   grouped   a choice names the points, and somebody needs the rows of one expert side by side: a matmul in blocks, rows that refine
 *             them. The slots are sorted in one launch, as long as a workgroup has room to count for every expert. What has one number
 *             for each assignment stands on the slots all the same, by a list of its own: it waits for no sorting, and whoever has
 *             the row of the choice can compute it there (merge-rows.ts)
 *             With few rows (regimes.ts) nobody needs that: slots will do
 *   scanned   nobody names the points; the rows refine others; somebody sums along the rows of a key, or looks at what is on the list from
 *             every point there is, who would look through the slots at each
 */
import { get } from '../../../dsl/diagnostics/invariants.ts';
import { idOf } from '../../../dsl/types/ids.ts';
import { exact, multiply } from '../../../dsl/types/size.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { Node, NodeId } from '../../graph/graph-ir.ts';
import { nodeOf, nodesOfCheck, writtenNodes } from '../../graph/node-uses.ts';
import { compareProducts } from '../../graph/presence-bounds.ts';
import { slotAxes, slotsAmong } from '../../graph/slots.ts';
import type { Target } from '../../target.ts';
import {
  queuedPresence,
  type AssignmentList,
  type AssignmentListId,
  type ListForm,
  type StoredSpace,
} from '../memory/memory.ts';
import { dependenciesOf, isHeavy, type Storage } from './choose-storage.ts';
import { chooseTile, type Choosing } from './choose-tiles.ts';
import { byCost, type Decider } from './decider.ts';
import { legalForms, sizeIn, slotRowsOf } from './legality.ts';
import { fromPlaces } from './queues.ts';
import { isBeyond, limitOf, type Regime } from './regimes.ts';
import { slotsSummed } from './slots-summed.ts';

/** Of so many points there are, slots name one at most where nothing but a list that costs nothing speaks for them. */
const FEW = 4;

/** Whether the points of a list are named, and are few of those there are. */
export function isFew(fused: FusedGraph, list: AssignmentList): boolean {
  const form = slotRowsOf(fused, list);
  if (form === null) return false;
  const sizeOf = sizeIn(fused);
  const rows = [...form.others, ...slotAxes(form.slots)].map(sizeOf);
  const order = compareProducts([exact(FEW), ...rows], list.axes.map(sizeOf));
  return order !== null && order <= 0;
}

/**
 * The same values, on lists that each have their form; those for which a list would have to be made only to have memory there are dense.
 * `inMemory`: places in queues that somebody reads who is no list. `split`: what has memory because a launch bound too many buffers.
 */
export function withForms(
  fused: FusedGraph,
  given: Storage,
  { target, decider }: Choosing,
  { split, inMemory }: { readonly split: ReadonlySet<NodeId>; readonly inMemory: ReadonlySet<NodeId> },
): Storage {
  const { storage, everywhere } = withoutSearches(fused, given);
  const uses = usesOfLists(fused, storage, everywhere, target);
  const stands = new Set([...storage.spaces.values(), ...storage.checked.values()].map((s) => s.assignmentList));
  const lists = new Map<AssignmentList, AssignmentList>();
  for (const list of storage.assignmentLists.filter((l) => !storage.named.has(l.id) || stands.has(l))) {
    const parent = list.parent === null ? null : get(lists, list.parent, 'schedule: list that another refines');
    const own = parent === list.parent ? list : { ...list, parent };
    const all = legalForms(fused, own, storage.assignmentLists, target);
    const legal = all.filter((form) => form.kind === 'scanned' || form.queue === null || !inMemory.has(form.queue.place));
    const wanted = formed(fused, own, uses.get(own.id), legal, decider.regime);
    const others = legal.filter((form) => !sameForm(form, wanted)).map((form) => listOf(fused, own, form));
    lists.set(list, decider.list([listOf(fused, own, wanted), ...others]));
  }
  const onForms = <K>(spaces: ReadonlyMap<K, StoredSpace>): ReadonlyMap<K, StoredSpace> =>
    new Map(
      [...spaces].map(([key, space]) => {
        const { assignmentList } = space;
        const list = assignmentList === null ? null : get(lists, assignmentList, 'schedule: form of a list');
        return [key, list === assignmentList ? space : { ...space, assignmentList: list }] as const;
      }),
    );
  const { spaces, checked } = storage;
  const formedLists = [...lists.values()];
  return withQueues(fused, onSlots(fused, { ...storage, assignmentLists: formedLists, spaces: onForms(spaces), checked: onForms(checked) }, decider), split);
} // prettier-ignore

/**
 * The same, where places in queues have no memory. Who is let in is had from the rows of its list, or asked where somebody goes along the
 * slots: at few points.
 */
function withQueues(fused: FusedGraph, storage: Storage, split: ReadonlySet<NodeId>): Storage {
  const spaces = new Map(storage.spaces);
  const because = new Map(storage.because);
  for (const list of storage.assignmentLists) {
    if (list.form.kind === 'scanned' || list.form.queue === null) continue;
    const { queue } = list.form;
    spaces.delete(queue.place);
    const presence = queuedPresence(list);
    if (presence === null) {
      for (const id of list.presences.flatMap((own) => fromPlaces(fused, own, queue)))
        if (because.get(id)?.reason === 'cost' && !split.has(id)) spaces.delete(id);
      continue;
    }
    spaces.set(presence, { assignmentList: list, axes: [] });
    because.set(presence, {
      reason: 'grid',
      text: 'who is let in is known when all before it in its queue are counted',
    });
  }
  return { ...storage, spaces, because };
}

/** The same values, those with one number for each assignment of a sorted list on its slots. */
function onSlots(fused: FusedGraph, storage: Storage, { onSlots: wanted }: Decider): Storage {
  const bySlot = new Map<AssignmentList, AssignmentList>();
  let next = 1 + Math.max(-1, ...storage.assignmentLists.map(({ id }) => id));
  const spaces = new Map(
    [...storage.spaces].map(([id, space]) => {
      const { assignmentList: list, axes } = space;
      if (list?.form.kind !== 'grouped' || isHeavy(fused, nodeOf(fused.graph, id), list.presences) || !wanted(id))
        return [id, space] as const;
      const { slots, others } = list.form;
      const own = bySlot.get(list) ?? {
        ...listOf(fused, list, { kind: 'slots', slots, others, queue: null }),
        id: idOf<AssignmentListId>(next++),
      };
      bySlot.set(list, own);
      return [id, { assignmentList: own, axes }] as const;
    }),
  );
  return { ...storage, spaces, assignmentLists: [...storage.assignmentLists, ...bySlot.values()] };
}

/** What somebody needs of the rows of a list. */
interface Use {
  /** They are looked for from everywhere, or summed by key. */
  readonly searched: boolean;
  /** Blocks of so many rows of one expert; null: no blocks. */
  readonly blockRows: number | null;
}

/** Of each list that has to be made, what it has to have. */
function usesOfLists(
  fused: FusedGraph,
  storage: Storage,
  everywhere: ReadonlySet<NodeId>,
  target: Target,
): ReadonlyMap<AssignmentListId, Use> {
  const uses = new Map<AssignmentListId, Use>();
  const note = (id: AssignmentListId, use: Partial<Use>): void => {
    uses.set(id, { ...(uses.get(id) ?? { searched: false, blockRows: null }), ...use });
  };
  for (const id of storage.summed) note(id, { searched: true });
  for (const { parent } of storage.assignmentLists) if (parent !== null) note(parent.id, {});
  for (const [id, space] of storage.spaces) {
    const node = nodeOf(fused.graph, id);
    if (space.assignmentList === null) continue;
    const tile = node.kind === 'contract' ? chooseTile(fused, node, space, storage, { target, decider: byCost }) : null;
    if (tile?.rows.kind === 'blocks') note(space.assignmentList.id, { blockRows: tile.rows.blockRows });
    if (everywhere.has(id)) note(space.assignmentList.id, { searched: true });
  }
  return uses;
}

/** The cheapest form of a list that has what it is used for. */
function formed(
  fused: FusedGraph,
  list: AssignmentList,
  use: Use | undefined,
  legal: readonly ListForm[],
  regime: Regime,
): ListForm {
  const scanned: ListForm = { kind: 'scanned' };
  const slots = slotRowsOf(fused, list);
  if (use?.searched === true || slots === null) return scanned;
  const asSlots = (hasQueue: boolean): ListForm | undefined =>
    legal.find((form) => form.kind === 'slots' && (form.queue !== null) === hasQueue);
  const unsorted = asSlots(false);
  if (regime === 'few' && unsorted !== undefined && !isBeyond(limitOf(fused, slots))) return asSlots(true) ?? unsorted;
  // Who asks for a place in a queue of many goes through all of them: that is a launch of its own.
  if (use === undefined) return unsorted ?? scanned;
  return legal.find((form) => form.kind === 'grouped' && form.blockRows === use.blockRows) ?? scanned;
}

/** A list in one of its forms: as many rows as there are slots, where they are its rows. */
function listOf(fused: FusedGraph, list: AssignmentList, form: ListForm): AssignmentList {
  if (form.kind !== 'slots') return { ...list, form };
  const rows = [...form.others, ...slotAxes(form.slots)].map(sizeIn(fused));
  const capacity = compareProducts(rows, [list.capacity]) === 0 ? list.capacity : multiply(rows);
  return { ...list, form, capacity };
}

/** Two forms of one list: its slots are the same. */
function sameForm(a: ListForm, b: ListForm): boolean {
  if (a.kind === 'slots' && b.kind === 'slots') return a.queue?.place === b.queue?.place;
  if (a.kind !== 'grouped' || b.kind !== 'grouped') return a.kind === b.kind;
  return a.threads === b.threads && a.blockRows === b.blockRows && a.queue?.place === b.queue?.place;
}

/** Values that stand on a list only because its points are named are dense where somebody reads them from everywhere. */
function withoutSearches(
  fused: FusedGraph,
  storage: Storage,
): { readonly storage: Storage; readonly everywhere: ReadonlySet<NodeId> } {
  const everywhere = readEverywhere(fused, storage);
  const isSearched = (id: NodeId, { assignmentList }: StoredSpace): boolean =>
    everywhere.has(id) && assignmentList !== null && storage.named.has(assignmentList.id);
  const { spaces } = storage;
  if (![...spaces].some(([id, space]) => isSearched(id, space))) return { storage, everywhere };
  const dense = (id: NodeId): StoredSpace => ({ assignmentList: null, axes: nodeOf(fused.graph, id).axes });
  const less = new Map([...spaces].map(([id, space]) => [id, isSearched(id, space) ? dense(id) : space] as const));
  // What is dense now reads from everywhere what it is made of.
  return withoutSearches(fused, { ...storage, spaces: less });
}

/**
 * Stored values that somebody reads who is at every point of dense axes: the host, or a value that neither stands on rows nor goes along
 * slots.
 */
function readEverywhere(fused: FusedGraph, { spaces, live, checked }: Storage): ReadonlySet<NodeId> {
  const { graph } = fused;
  const lookup = (id: NodeId): Node => nodeOf(graph, id);
  const sizeOf = sizeIn(fused);
  const isAtFew = (node: Node): boolean =>
    (spaces.get(node.id)?.assignmentList ?? null) !== null ||
    (node.kind === 'reduce' && slotsSummed(fused, node) !== null) ||
    slotsAmong(node, lookup, sizeOf) !== null;
  const found = new Set<NodeId>();
  const seen = new Set<NodeId>();
  const pending: NodeId[] = [...writtenNodes(graph)];
  graph.checks.forEach((check, i) => {
    if ((checked.get(i)?.assignmentList ?? null) === null) pending.push(...nodesOfCheck(check));
  });
  for (const node of live.map(lookup))
    if ((node.kind === 'extern' || spaces.has(node.id)) && !isAtFew(node)) pending.push(...dependenciesOf(fused, node));
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    if (spaces.has(id)) found.add(id);
    else pending.push(...dependenciesOf(fused, lookup(id)));
  }
  return found;
}
