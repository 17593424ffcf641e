/** The points that slots name (graph/slots.ts), entered one by one: sums along them, in the order of their lists. */
import { CompilerBug } from '../../../dsl/diagnostics/bug.ts';
import { asInteger, multiply } from '../../../dsl/types/size.ts';
import { slotAxes, sourcesOf, type Slots } from '../../graph/slots.ts';
import { bool } from '../../kernel/make-expressions.ts';
import type { Loop } from '../../kernels/space.ts';
import { nestOfTerms } from '../../kernels/sums.ts';
import type { Terms } from '../../kernels/sums.ts';
import type { SlotsChoice } from '../deciding/schedule-ir.ts';
import type { ExprEmitter } from './expression-emitter.ts';
import { enterNamed } from './named-points.ts';
import { inner, type Indices, type PointScope } from './point-scope.ts';
import { alongAxes, loopAlong } from './spaces.ts';

/** The terms of a reduction at the points that slots name and its presence holds at, and at each at those of the axes `dense`. */
export function termsOfSlots(l: ExprEmitter, { slots, presence, dense }: SlotsChoice): Terms<PointScope> {
  const { launch, placement } = l;
  // Sources that the sum goes through are where its lists are read.
  const sources = sourcesOf(slots, (id) => placement.node(id));
  const around = dense.filter((a) => sources.includes(a));
  const axes = [...around, ...slotAxes(slots), ...dense.filter((a) => !around.includes(a))];
  if (new Set(axes).size < axes.length) throw new CompilerBug('schedule', 'two lists stand along one axis');
  return {
    maxTerms: asInteger(multiply(axes.map(placement.sizeOf))),
    visit(point, body, close) {
      const loops = axes.map((a) => loopAlong(l, a, (at: Indices, i) => [...at, [a, i] as const]));
      const visit = (numbers: Indices): void => {
        const source = inner(point, numbers.filter(([a]) => around.includes(a))); // prettier-ignore
        enterNamed(l, slots, source, numbers, (named) => {
          const here = inner(named, numbers.filter(([a]) => dense.includes(a))); // prettier-ignore
          launch.k.when(l.value(presence, here), () => {
            const there = inner(here);
            there.values.set(presence, bool(true));
            body(there);
          });
        });
      };
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
