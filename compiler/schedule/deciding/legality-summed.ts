/**
 * What a sum along slots may be computed with in one launch: the contractions that are part of it at the points that its slots name, and
 * contractions at its row that are made into one value with it. Pure, asked by planning, reading and verifying (legality.ts).
 */
import { asInteger, multiply } from '../../../dsl/types/size.ts';
import type { FusedGraph } from '../../graph/domains.ts';
import type { AxisId, Node, NodeId } from '../../graph/graph-ir.ts';
import { nodeOf, operandsOf } from '../../graph/node-uses.ts';
import { namedAxes } from '../../graph/slots.ts';
import type { Target } from '../../target.ts';
import type { StoredSpace } from '../memory/memory.ts';
import { isIdentity, sizeIn } from './legality.ts';
import { LANES, MAX_HEADS, MOST_SUMS, LARGEST_TILE, sidesOf, tileOptions, type Spaces, type TileSides } from './legality-tiles.ts'; // prettier-ignore
import type { SlotsChoice, SummedChoice, SummedPart } from './schedule-ir.ts';
import { guardedOperand, slotsSummed } from './slots-summed.ts';

type NodeOf<K extends Node['kind']> = Extract<Node, { readonly kind: K }>;

/** Parts of one launch: each has a text of its own. */
const MOST_PARTS = 4;

/** What is known where it is asked which parts a value has. */
export interface SummedContext {
  readonly fused: FusedGraph;
  readonly spaces: Spaces;
  readonly target: Target;
  /** Whether a value is computed where its readers are, and passes on what it is made of. */
  readonly isInPassing: (id: NodeId) => boolean;
  /** Whether a value may be computed within another one, and have no memory. */
  readonly isOnlyFor: (id: NodeId, root: NodeId) => boolean;
}

/** The parts that a value which is stored over `space` may be made of in one launch; null: it is no such value. */
export function summedParts(context: SummedContext, root: Node, space: StoredSpace): Pick<SummedChoice, 'parts' | 'columns'> | null {
  if (space.assignmentList !== null || root.element !== 'f32') return null;
  const ofSum = root.kind === 'reduce' ? sumPart(context, root, space) : null;
  if (ofSum !== null) return { parts: [ofSum.part], columns: ofSum.columns };
  if (root.kind !== 'map' && root.kind !== 'predicated') return null;
  const { graph } = context.fused;
  const parts: FoundPart[] = [];
  const alone: FoundHead[] = [];
  for (const node of insidesOf(context, operandsOf(graph, root))) {
    if (!context.isOnlyFor(node.id, root.id)) continue;
    const part = node.kind === 'reduce' ? sumPart(context, node, space) : null;
    const head = node.kind === 'contract' ? headOf(context, node, space) : null;
    if (part !== null) parts.push(part);
    if (head !== null) alone.push(head);
  }
  const [first] = parts;
  if (first === undefined) return null;
  const columns = first.columns;
  const alike = (axes: readonly AxisId[]): boolean => axes.join() === columns.join();
  const own = alone.filter(({ sides }) => alike(sides.columns)).map((head) => partOf(null, [head]));
  const all = [...parts.filter((part) => alike(part.columns)).map(({ part }) => part), ...own];
  return { parts: all.slice(0, MOST_PARTS), columns };
} // prettier-ignore

interface FoundPart {
  readonly part: SummedPart;
  readonly columns: readonly AxisId[];
}

interface FoundHead {
  readonly sides: TileSides;
  readonly lanes: 1 | 4;
}

/** A sum along slots with the contractions that it alone is made of; null: it goes otherwise, or has none. */
function sumPart(context: SummedContext, node: NodeOf<'reduce'>, space: StoredSpace): FoundPart | null {
  const { fused } = context;
  const operand = guardedOperand(fused, node);
  const slots = slotsSummed(fused, node);
  if (operand === null || slots === null || node.op !== 'sum' || node.element !== 'f32') return null;
  const named = namedAxes(slots);
  if (!isIdentity(node.op, operand.otherwise) || node.over.some((a) => !named.includes(a))) return null;
  const { presence, value } = operand;
  const sum: SlotsChoice = { family: 'reduce_slots', node, slots, presence, dense: [], value };
  const heads = insidesOf(context, [value]).flatMap((inside) => {
    const isOwn = inside.kind === 'contract' && context.isOnlyFor(inside.id, node.id);
    const head = isOwn ? headOf(context, inside, space) : null;
    return head === null ? [] : [head];
  });
  const [first] = heads;
  if (first === undefined) return null;
  const alike = heads.filter((head) => isAlike(head, first)).slice(0, MAX_HEADS);
  return { part: partOf(sum, [first, ...alike.slice(1)]), columns: first.sides.columns };
}

/** The contractions and sums that values are made of, with nothing between but what is computed in passing. */
function insidesOf({ fused: { graph }, isInPassing }: SummedContext, roots: readonly NodeId[]): readonly Node[] {
  const found: Node[] = [];
  const seen = new Set<NodeId>();
  const visit = (id: NodeId): void => {
    if (seen.has(id)) return;
    seen.add(id);
    const node = nodeOf(graph, id);
    if (node.kind === 'contract' || node.kind === 'reduce') found.push(node);
    else if (isInPassing(id)) operandsOf(graph, node).forEach(visit);
  };
  roots.forEach(visit);
  return found;
}

function headOf({ fused, spaces, target }: SummedContext, node: NodeOf<'contract'>, space: StoredSpace): FoundHead | null {
  const sides = node.element === 'f32' ? sidesOf(fused, node, space) : null;
  if (sides === null || sides.columns.length === 0) return null;
  const width = asInteger(multiply(sides.columns.map(sizeIn(fused))));
  if (width === null || width === 0) return null;
  const [lanes = 1] = tileOptions(fused, sides, space, spaces, target).lanes;
  return { sides, lanes };
} // prettier-ignore

const isAlike = (a: FoundHead, b: FoundHead): boolean =>
  a.sides.input === b.sides.input &&
  a.lanes === b.lanes &&
  a.sides.columns.join() === b.sides.columns.join() &&
  a.sides.head.node.over.join() === b.sides.head.node.over.join();

function partOf(sum: SlotsChoice | null, [first, ...others]: readonly [FoundHead, ...FoundHead[]]): SummedPart {
  const heads = [first, ...others].map(({ sides }) => sides.head);
  return { sum, heads, input: first.sides.input, over: first.sides.head.node.over, lanes: first.lanes };
}

/** What is wrong with such a launch, if a value may have these parts, as a sentence without its end; null if nothing is. */
export function summedFault(choice: SummedChoice, legal: ReturnType<typeof summedParts>, target: Target): string | null {
  if (legal === null || textOf(legal) !== textOf(choice)) return `%${choice.node.id} has other parts`;
  const { parts, tileColumns, forms } = choice;
  const heads = Math.max(...parts.map((part) => part.heads.length));
  for (const [columns, rows, who] of [
    [tileColumns, 1, ''] as const,
    ...forms.map((form) => [form.tileColumns, form.tileRows, `${form.class.name}: `] as const),
  ]) {
    if (!Number.isInteger(columns) || columns < 1 || columns > LARGEST_TILE || columns * heads > MOST_SUMS)
      return `${who}a thread has 1 to ${LARGEST_TILE} columns of a row, this one ${columns}`;
    if (rows !== 1) return `${who}a row by itself is no tile of ${rows} rows`;
  }
  if (forms.length > 0 && !mayHaveForms(parts)) return 'a subgroup has rows that are loaded by vectors';
  const known = target.classes.map(({ name }) => name);
  const unknown = forms.find((form) => !known.includes(form.class.name));
  return unknown === undefined ? null : `there is no class ${unknown.class.name}`;
} // prettier-ignore

/** Subgroups load by vectors. */
export const mayHaveForms = (parts: readonly SummedPart[]): boolean => parts.every(({ lanes }) => lanes === LANES);

/** What tells parts apart. */
function textOf({ parts, columns }: Pick<SummedChoice, 'parts' | 'columns'>): string {
  const all = parts.map(({ sum, heads, input, over, lanes }) => [
    sum?.node.id ?? -1,
    heads.map(({ node, weight }) => [node.id, weight]),
    input,
    over,
    lanes,
  ]);
  return JSON.stringify([columns, all]);
}
