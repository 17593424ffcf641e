/**
 * unite-slots
 *
 * What: where a route is present that is the sum of two, each of which says by name where it may be (a choice, an index), writes the points
 * that either names as one list, in which no point comes twice, and asks of the sum that its points are in the list. That is true
 * of all of them; whoever looks for slots finds it (graph/united-slots.ts).
 * Why: without a list the assignments of the sum are looked for among all points, and listed again for each token.
 * Before: or(a, b)   After: and(or(a, b), any over J of concat(ids of a, ids of b that are not of a) = position)
 */
import { CompilerBug } from '../../dsl/diagnostics/bug.ts';
import { apply, asInteger, one, type Size } from '../../dsl/types/size.ts';
import type { GraphBuilder } from '../graph/graph-builder.ts';
import type { AxisId, NodeId } from '../graph/graph-ir.ts';
import { rewriteGraph } from '../graph/node-uses.ts';
import { compareProducts } from '../graph/presence-bounds.ts';
import { namedAxes, sameSlots, slotsOf, sourcesOf, type Slots } from '../graph/slots.ts';
import type { NamedList } from '../graph/united-slots.ts';
import { definePass } from './pass.ts';

/** Each entry of one list is compared with each of the other: so often for each point of the sources, at most. */
const MOST_COMPARED = 4096;

export const uniteSlots = definePass({
  name: 'unite-slots',
  summary: 'lists by name where the sum of two routes is present',
  run: (graph) =>
    rewriteGraph(graph, (node, b, to) => {
      if (node.kind !== 'presence') return null;
      const mask = b.node(to(node.mask));
      const [left, right] = mask.kind === 'map' && mask.op === 'or' ? mask.operands : [];
      if (left === undefined || right === undefined) return null;
      const named = unitedBy(b, left, right, mask.axes);
      if (named === null) return null;
      const both = b.map('and', [mask.id, named]);
      return b.presence(both, node.sources, node.targets, [...node.bounds]);
    }),
});

/** Whether a point is one of those that either of two bools over these axes has slots for; null: nobody knows them, or they are many. */
function unitedBy(b: GraphBuilder, left: NodeId, right: NodeId, axes: readonly AxisId[]): NodeId | null {
  const slots = (id: NodeId): Slots | null => slotsOf(id, (n) => b.node(n), b.sizeOf);
  const [first, second] = [slots(left), slots(right)];
  if (first === null || second === null || sameSlots(first, second)) return null;
  const over = namedAxes(first);
  const sources = [first, second].flatMap((own) => sourcesOf(own, (n) => b.node(n)));
  const isAlike = namedAxes(second).join() === over.join() && [...over, ...sources].every((a) => axes.includes(a));
  if (!isAlike || sources.some((a) => over.includes(a))) return null;
  const [before, after] = [listOf(b, first), listOf(b, second)];
  if (before === null || after === null) return null;
  const [p, q] = [before, after].map((list) => asInteger(lengthOf(b, list)));
  if (p === undefined || q === undefined || p === null || q === null || p * q > MOST_COMPARED) return null;
  const total = apply('add', lengthOf(b, before), lengthOf(b, after));
  if (compareProducts([total], over.map(b.sizeOf)) !== -1) return null;
  // Two lists along one axis are two axes.
  const along = after.along !== null && after.along === before.along ? b.twin(after.along) : after.along;
  const own = after.along === null || along === null ? after.ids : b.rename(after.ids, [after.along], [along]);
  const same = b.map('eq', [before.ids, own]);
  const isKnown = before.along === null ? same : b.reduce('any', same, [before.along]);
  const fresh = b.map('where', [b.map('not', [isKnown]), own, b.constant(-1, 'i32')]);
  const all = b.axis(`${over.map((a) => b.axisOf(a).name).join('_')}_slot`, total);
  const ids = b.concat(
    [
      { node: before.ids, axis: before.along },
      { node: fresh, axis: along },
    ],
    all,
  );
  return b.reduce('any', b.map('eq', [ids, positionOf(b, over)]), [all]);
}

/** The ids of slots that are one list of numbers; null: they are a view of one, or several. */
function listOf(b: GraphBuilder, slots: Slots): NamedList | null {
  if (slots.kind === 'chosen') return { ids: slots.ids, along: slots.along };
  if (slots.kind !== 'picked') return null;
  const { ids, axis } = slots;
  const inside = b.map('and', [b.map('ge', [ids, b.constant(0, 'i32')]), b.map('lt', [ids, b.size(b.sizeOf(axis), 'i32')])]); // prettier-ignore
  return { ids: b.map('where', [inside, ids, b.constant(-1, 'i32')]), along: null };
}

const lengthOf = (b: GraphBuilder, { along }: NamedList): Size => (along === null ? one : b.sizeOf(along));

/** The row-major position along axes. */
function positionOf(b: GraphBuilder, axes: readonly AxisId[]): NodeId {
  const last = axes.at(-1);
  if (last === undefined) throw new CompilerBug('passes', 'slots name no axis');
  const index = b.iota(last, 'i32');
  if (axes.length === 1) return index;
  return b.map('add', [b.map('mul', [positionOf(b, axes.slice(0, -1)), b.size(b.sizeOf(last), 'i32')]), index]);
}
