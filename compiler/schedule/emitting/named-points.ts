/**
 * The points that slots name (graph/slots.ts), entered one by one, and the rows of lists that are slots: from a row to its point, and
 * from a point to its row, which is known where the point was named by the same slots, and looked for among them elsewhere.
 */
import type { AxisId, NodeId } from '../../graph/graph-ir.ts';
import { namedAxes, sameSlots, slotAxes, sourcesOf, type Slots } from '../../graph/slots.ts';
import { and, bitcast, bool, eq, ge, i32, lt, sub, u32 } from '../../kernel/make-expressions.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { rowMajor } from '../../kernels/space.ts';
import { presencesOfRows, type AssignmentList, type SlotForm } from '../memory/memory.ts';
import type { ExprEmitter } from './expression-emitter.ts';
import { emptyPointScope, inner, paired, scopeAt, type Indices, type PointScope } from './point-scope.ts';

/**
 * Enters the point that the lists name at the sources of `env` and these numbers in them, if they name one: all axes of the mask are
 * bound there, and what was chosen is known to be.
 */
export function enterNamed(
  l: ExprEmitter,
  slots: Slots,
  env: PointScope,
  numbers: Indices,
  inside: (point: PointScope) => void,
): void {
  const { k } = l.launch;
  const known = new Set([...namedAxes(slots), ...sourcesOf(slots, (id) => l.placement.node(id))]);
  /** The point with what is known of it: who named it, and that these are true there. */
  const enter = (at: PointScope, values: readonly NodeId[]): void => {
    const point = scopeAt(at.axes, at.rows, at, [...at.named, { slots, numbers, axes: known }]);
    for (const id of values) point.values.set(id, bool(true));
    inside(point);
  };
  switch (slots.kind) {
    case 'chosen': {
      const number = numbers.filter(([axis]) => axis === slots.along);
      const id = k.let(l.value(slots.ids, inner(env, number)), 'named');
      k.when(ge(id, 0), () => {
        const digits = l.decode(bitcast('u32', id), slots.over.map((a) => l.size(a))); // prettier-ignore
        const chosen = slots.candidates === null ? [slots.mask] : [slots.mask, slots.candidates];
        enter(inner(env, paired(slots.over, digits)), chosen);
      });
      return;
    }
    case 'picked': {
      const { ids, axis, mask } = slots;
      // Below 0 it is a number beyond all sizes.
      const id = k.let(bitcast('u32', l.value(ids, inner(env))), 'named');
      k.when(lt(id, l.size(axis)), () => enter(inner(env, [[axis, id]]), [mask]));
      return;
    }
    case 'pairs':
      enterNamed(l, slots.first, env, numbers, (first) =>
        enterNamed(l, slots.second, first, numbers, (point) => enter(point, [])),
      );
      return;
    case 'projected': {
      const { over, operand, mask } = slots;
      const among = inner(env, numbers.filter(([axis]) => over.includes(axis))); // prettier-ignore
      enterNamed(l, slots.of, among, numbers, (point) =>
        k.when(l.value(operand, point), () => enter(inner(point), [operand, mask])),
      );
      return;
    }
    case 'view': {
      const { node } = slots;
      const named = namedAxes(slots.of);
      const axes = new Map(env.axes);
      // The sources under the names they have inside.
      if (node.kind === 'rename') {
        node.to.forEach((a) => axes.delete(a));
        node.from.forEach((from, i) => {
          const index = env.axes.get(node.to[i] ?? from);
          if (index !== undefined && !named.includes(from)) axes.set(from, index);
        });
      }
      const same = node.kind !== 'rename';
      const sources = scopeAt(axes, same ? env.rows : new Map(), null, same ? env.named : []);
      enterNamed(l, slots.of, sources, numbers, (within) => {
        const own = outward(l, slots, within);
        const enterView = (): void => {
          const point = inner(env, own);
          point.views.set(node.id, within);
          enter(point, []);
        };
        const index = node.kind === 'slice' ? own.find(([a]) => a === node.as) : undefined;
        if (index === undefined) enterView();
        else k.when(lt(index[1], l.size(index[0])), enterView);
      });
      return;
    }
  }
}

/** The indices along the axes that a view puts in the place of what is named inside. */
function outward(l: ExprEmitter, { node, of }: Extract<Slots, { kind: 'view' }>, within: PointScope): Indices {
  const named = namedAxes(of);
  const at = (axis: AxisId): KernelExpr => l.index(within, axis);
  const same = (gone: readonly AxisId[]): Indices => named.filter((a) => !gone.includes(a)).map((a) => [a, at(a)]);
  switch (node.kind) {
    case 'broadcast':
      return same([]);
    case 'rename':
      return named.map((a) => [node.to[node.from.indexOf(a)] ?? a, at(a)]);
    case 'merge':
      return [...same(node.from), [node.into, l.launch.k.let(rowMajor(node.from.map(at), node.from.map((a) => l.size(a))))]]; // prettier-ignore
    case 'slice': {
      // Beyond all sizes where the point is before the slice.
      const index = (): KernelExpr => l.launch.k.let(sub(at(node.axis), l.launch.offset(node.axis, node.at)), 'within');
      return [...same([node.axis]), ...(node.as === null ? [] : paired([node.as], [index()]))];
    }
    case 'split':
      return [...same([node.axis]), ...paired(node.into, l.decode(at(node.axis), node.into.map((a) => l.size(a))))]; // prettier-ignore
  }
}

/** The sizes of a slot's number: of what lists stand at, then of the lists. */
function slotSizes(l: ExprEmitter, { slots, others }: SlotForm): readonly KernelExpr[] {
  return [...others, ...slotAxes(slots)].map((a) => l.size(a));
}

/** Enters the point of a list that a slot names, if it is present: if these hold there. */
export function enterSlot(
  l: ExprEmitter,
  list: AssignmentList,
  form: SlotForm,
  slot: KernelExpr,
  inside: (point: PointScope) => void,
  presences: readonly NodeId[] = list.presences,
): void {
  const digits = l.decode(slot, slotSizes(l, form));
  const count = form.others.length;
  const sources = inner(emptyPointScope(), paired(form.others, digits.slice(0, count)));
  const numbers = paired(slotAxes(form.slots), digits.slice(count));
  enterNamed(l, form.slots, sources, numbers, (named) => {
    l.launch.k.when(l.allPresent(presences, named), () => inside(inner(named)));
  });
}

/** Enters the point of a row that is a slot, if it is present. */
export function enterSlotRow(
  l: ExprEmitter,
  list: AssignmentList,
  form: SlotForm,
  row: KernelExpr,
  inside: (point: PointScope) => void,
): void {
  const enter = (point: PointScope): void =>
    inside(scopeAt(point.axes, new Map([...point.rows, [list.id, { assignmentList: list, row }]]), point));
  enterSlot(l, list, form, row, enter, presencesOfRows(list));
}

/**
 * The row of a point in a list that slots count, i32: `rowOf` a slot. Where the rows are slots and the point is absent it has no meaning,
 * but for being -1 or a row.
 */
export function slotRowOf(
  l: ExprEmitter,
  env: PointScope,
  form: SlotForm,
  rowOf: (slot: KernelExpr) => KernelExpr,
): KernelExpr {
  const { k } = l.launch;
  const { slots, others } = form;
  const axes = slotAxes(slots);
  const sizes = slotSizes(l, form);
  const sources = others.map((a) => l.index(env, a));
  const rowAt = (numbers: ReadonlyMap<AxisId, KernelExpr>): KernelExpr | null => {
    const own = axes.map((a) => numbers.get(a));
    const digits = own.filter((n) => n !== undefined);
    return digits.length < own.length ? null : rowOf(rowMajor([...sources, ...digits], sizes));
  };
  for (const { slots: by, numbers } of env.named) {
    const row = isAmong(by, slots) ? rowAt(new Map([...env.axes, ...numbers])) : null;
    if (row !== null) return k.let(row, 'row');
  }
  const found = k.var(i32(-1), 'row');
  const start = inner(emptyPointScope(), paired(others, sources));
  const look = (number: number, numbers: Indices): void => {
    const axis = axes[number];
    if (axis !== undefined) {
      k.forRange(u32(0), l.size(axis), 1, (i) => look(number + 1, [...numbers, [axis, i]]));
      return;
    }
    enterNamed(l, slots, inner(start), numbers, (point) => {
      const same = and(...namedAxes(slots).map((a) => eq(l.index(point, a), l.index(env, a))));
      const row = rowAt(new Map(numbers));
      if (row !== null) k.when(same, () => k.assign(found, row));
    });
  };
  look(0, []);
  return found;
}

/** Whether what these slots name, all or at one of the points that they are looked at, is what those name. */
function isAmong(by: Slots, all: Slots): boolean {
  return sameSlots(by, all) || (all.kind === 'projected' && isAmong(by, all.of));
}
