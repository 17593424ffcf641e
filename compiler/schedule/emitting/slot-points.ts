/** The points that slots name (graph/slots.ts), entered one by one: sums along them, in the order of their lists. */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { asInteger, multiply } from '../../../dsl/types/size.ts';
import type { AxisId } from '../../graph/graph-ir.ts';
import { namedAxes, slotAxes, type Slots } from '../../graph/slots.ts';
import { bitcast, bool, ge } from '../../kernel/make-expressions.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { rowMajor, type Loop } from '../../kernels/space.ts';
import { nestOfTerms } from '../../kernels/sums.ts';
import type { Terms } from '../../kernels/sums.ts';
import type { SlotsChoice } from '../deciding/schedule-ir.ts';
import type { ExprEmitter } from './expression-emitter.ts';
import { inner, scopeAt, type PointScope } from './point-scope.ts';
import { alongAxes, loopAlong, paired, type Indices } from './spaces.ts';

/**
 * Enters the point that the lists name at the sources of `env` and these numbers in them, if they name one: all axes of the mask are
 * bound there, and what was chosen is known to be.
 */
function enterNamed(
  l: ExprEmitter,
  slots: Slots,
  env: PointScope,
  numbers: Indices,
  inside: (point: PointScope) => void,
): void {
  const { k } = l.launch;
  switch (slots.kind) {
    case 'chosen': {
      const number = numbers.filter(([axis]) => axis === slots.along);
      const id = k.let(l.value(slots.ids, inner(env, number)), 'named');
      k.when(ge(id, 0), () => {
        const digits = l.decode(bitcast('u32', id), slots.over.map((a) => l.size(a))); // prettier-ignore
        const point = inner(env, paired(slots.over, digits));
        point.values.set(slots.mask, bool(true));
        if (slots.candidates !== null) point.values.set(slots.candidates, bool(true));
        inside(point);
      });
      return;
    }
    case 'pairs':
      enterNamed(l, slots.first, env, numbers, (point) => enterNamed(l, slots.second, point, numbers, inside));
      return;
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
      const sources = scopeAt(axes, node.kind === 'rename' ? new Map() : env.rows);
      enterNamed(l, slots.of, sources, numbers, (within) => {
        const point = inner(env, outward(l, slots, within));
        point.views.set(node.id, within);
        inside(point);
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
    case 'split':
      return [...same([node.axis]), ...paired(node.into, l.decode(at(node.axis), node.into.map((a) => l.size(a))))]; // prettier-ignore
  }
}

/** The terms of a reduction at the points that slots name and its presence holds at, and at each at those of the axes `dense`. */
export function termsOfSlots(l: ExprEmitter, { slots, presence, dense }: SlotsChoice): Terms<PointScope> {
  const { launch, placement } = l;
  const axes = [...slotAxes(slots), ...dense];
  if (new Set(axes).size < axes.length) throw new CompilerBug('schedule', 'two lists stand along one axis');
  return {
    maxTerms: asInteger(multiply(axes.map(placement.sizeOf))),
    visit(point, body, close) {
      const loops = axes.map((a) => loopAlong(l, a, (at: Indices, i) => [...at, [a, i] as const]));
      const visit = (numbers: Indices): void =>
        enterNamed(l, slots, inner(point), numbers, (named) => {
          const here = inner(named, numbers.filter(([a]) => dense.includes(a))); // prettier-ignore
          launch.k.when(l.value(presence, here), () => {
            const there = inner(here);
            there.values.set(presence, bool(true));
            body(there);
          });
        });
      nestOfTerms<Indices>(launch.k, loops, [], visit, close);
    },
  };
}

/** The points that slots name, in the order of their lists. */
export function alongSlots(l: ExprEmitter, slots: Slots): Loop<PointScope> {
  const numbers = alongAxes(l, slotAxes(slots));
  return (point, body) =>
    numbers(point, (here) => {
      const at: Indices = slotAxes(slots).map((a) => [a, l.index(here, a)]);
      enterNamed(l, slots, inner(point), at, body);
    });
}
