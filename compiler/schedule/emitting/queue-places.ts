/**
 * The place of a point in its queue, where nobody has counted the places of all: whoever asks for one counts who is before it. The slots of
 * all sources are gone through, those that name the same target are in the same queue, and of these come first those of a lower rank, then
 * those of earlier sources. With few rows (deciding/regimes.ts) that is a few comparisons, and no launch.
 */
import type { AxisId } from '../../graph/graph-ir.ts';
import { namedAxes, sameSlots, slotAxes } from '../../graph/slots.ts';
import type { KernelExpr } from '../../kernel/kernel-ir.ts';
import { add, and, eq, i32, lt, or, u32 } from '../../kernel/make-expressions.ts';
import { rowMajor } from '../../kernels/space.ts';
import type { QueuedSlots } from '../memory/memory.ts';
import type { ExprEmitter } from './expression-emitter.ts';
import { enterNamed } from './named-points.ts';
import { emptyPointScope, inner, paired, type Indices, type PointScope } from './point-scope.ts';

/** The place of a point that stands in a queue, i32: it says nothing of one that does not. */
export function placeInQueue(l: ExprEmitter, env: PointScope, { form, queue }: QueuedSlots): KernelExpr {
  const { k } = l.launch;
  const { others, slots } = form;
  const within = others.filter((a) => !queue.groups.includes(a));
  const start = inner(emptyPointScope(), paired(others, others.map((a) => l.index(env, a)))); // prettier-ignore
  const position = (point: PointScope): KernelExpr =>
    rowMajor(within.map((a) => l.index(point, a)), within.map((a) => l.size(a))); // prettier-ignore
  const own = { position: k.let(position(env), 'pos'), rank: rankOf(l, env, start, { form, queue }) };
  const place = k.var(i32(0), 'place');
  eachSlot(l, [...within, ...slotAxes(slots)], (numbers) => {
    const source = inner(start, numbers.filter(([a]) => within.includes(a))); // prettier-ignore
    enterNamed(l, slots, source, numbers, (point) => {
      k.when(sameTarget(l, form, point, env), () => {
        k.when(l.allPresent([queue.waiting], point), () => {
          const isEarlier = lt(position(point), own.position);
          const count = (): void => k.assign(place, add(place, 1));
          if (queue.by === null || own.rank === null) return k.when(isEarlier, count);
          const rank = k.let(l.value(queue.by.rank, inner(point, numbersOf(slots, numbers))), 'rank');
          return k.when(or(lt(rank, own.rank), and(eq(rank, own.rank), isEarlier)), count);
        });
      });
    });
  });
  return place;
}

/** The rank of the slot that names a point, which is known where that slot led here, and looked for elsewhere; null: nobody asks ranks. */
function rankOf(l: ExprEmitter, env: PointScope, start: PointScope, { form, queue }: QueuedSlots): KernelExpr | null {
  const { by } = queue;
  if (by === null) return null;
  const { k } = l.launch;
  const led = env.named.find(({ slots }) => sameSlots(slots, form.slots));
  if (led !== undefined) return k.let(l.value(by.rank, inner(start, numbersOf(form.slots, led.numbers))), 'rank');
  const rank = k.var(i32(0), 'rank');
  eachSlot(l, slotAxes(form.slots), (numbers) =>
    enterNamed(l, form.slots, start, numbers, (point) => {
      k.when(sameTarget(l, form, point, env), () => k.assign(rank, l.value(by.rank, inner(point, numbers))));
    }),
  );
  return rank;
}

/** Whether what slots name is the target of a point. */
function sameTarget(l: ExprEmitter, { slots }: QueuedSlots['form'], named: PointScope, env: PointScope): KernelExpr {
  return and(...namedAxes(slots).map((a) => eq(l.index(named, a), l.index(env, a))));
}

const numbersOf = (slots: QueuedSlots['form']['slots'], numbers: Indices): Indices =>
  numbers.filter(([a]) => slotAxes(slots).includes(a));

function eachSlot(l: ExprEmitter, axes: readonly AxisId[], body: (numbers: Indices) => void, found: Indices = []): void {
  const [axis, ...rest] = axes;
  if (axis === undefined) return body(found);
  l.launch.k.forRange(u32(0), l.size(axis), 1, (i) => eachSlot(l, rest, body, [...found, [axis, i]]));
} // prettier-ignore
