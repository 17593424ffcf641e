/**
 * Bounds are facts "for each point of these axes at most so many points are present" (SEMANTICS 4.13). They decide how
 * much memory a set of assignments needs. "At most one for each point of the whole support" is always a fact and is
 * never written. All functions are about axis ids; `sizeOf` gives an axis's size.
 */
import { apply, asInteger, exact, multiply, sizeKey, type Size } from '../../dsl/types/size.ts';
import type { AxisId, Bound } from './graph-ir.ts';

export type SizeOf = (axis: AxisId) => Size;

const without = (axes: readonly AxisId[], out: readonly AxisId[]): AxisId[] => axes.filter((a) => !out.includes(a));

/** The factors of a product, flattened. */
function factors(sizes: readonly Size[]): Size[] {
  return sizes.flatMap((s) => (s.kind === 'op' && s.op === 'mul' ? factors(s.args) : [s]));
}

/**
 * Compares two products of sizes: -1, 0, 1 where that is known whatever the dynamic sizes are (as long as they are
 * positive), null where it depends on them.
 */
export function compareProducts(left: readonly Size[], right: readonly Size[]): -1 | 0 | 1 | null {
  const rest = factors(right);
  let l = 1;
  let r = 1;
  let unknown = false;
  for (const factor of factors(left)) {
    const n = asInteger(factor);
    if (n !== null) {
      l *= n;
      continue;
    }
    const at = rest.findIndex((other) => sizeKey(other) === sizeKey(factor));
    if (at < 0) unknown = true;
    else rest.splice(at, 1);
  }
  for (const factor of rest) {
    const n = asInteger(factor);
    if (n !== null) r *= n;
    else unknown = true;
  }
  if (unknown) return null;
  return l < r ? -1 : l > r ? 1 : 0;
}

/** The smaller of two sizes, without a formula where it is known which that is. */
export function smaller(a: Size, b: Size): Size {
  const order = compareProducts([a], [b]);
  if (order === null) return apply('min', a, b);
  return order <= 0 ? a : b;
}

/** bound(per): at most so many present points for each point of `per`. */
export function boundOf(
  facts: readonly Bound[],
  per: readonly AxisId[],
  axes: readonly AxisId[],
  sizeOf: SizeOf,
): Size {
  const full = multiply(without(axes, per).map(sizeOf));
  return facts.reduce(
    (best, fact) => smaller(multiply([fact.atMost, ...without(fact.per, per).map(sizeOf)]), best),
    full,
  );
}

/** Facts without repetition, and without those that say nothing (as large as the product of the other axes). */
export function tidyBounds(facts: readonly Bound[], axes: readonly AxisId[], sizeOf: SizeOf): Bound[] {
  const best = new Map<string, Bound>();
  for (const fact of facts) {
    const per = [...new Set(fact.per)].sort((a, b) => a - b);
    const known = best.get(per.join());
    best.set(per.join(), { per, atMost: known === undefined ? fact.atMost : smaller(fact.atMost, known.atMost) });
  }
  return [...best.values()].filter(({ per, atMost }) => {
    const trivial = compareProducts([atMost], without(axes, per).map(sizeOf));
    return trivial === null || trivial < 0;
  });
}

export interface BoundedPresence {
  readonly axes: readonly AxisId[];
  readonly bounds: readonly Bound[];
}

/** Facts about the points where all of these are present, joined over the union of their axes. */
export function joinBounds(parts: readonly BoundedPresence[], sizeOf: SizeOf): BoundedPresence {
  return parts.reduce<BoundedPresence>(
    (left, right) => {
      const shared = left.axes.filter((a) => right.axes.includes(a));
      const axes = [...left.axes, ...without(right.axes, left.axes)];
      const facts: Bound[] = [];
      for (const [one, other] of [[left, right] as const, [right, left] as const]) {
        const times = boundOf(other.bounds, shared, other.axes, sizeOf);
        // That there is one for each point is a fact like the others: where the other has few, few are left of a join.
        const trivial = one.axes.length === 0 ? [] : [{ per: one.axes, atMost: exact(1n) }];
        for (const { per, atMost } of [...one.bounds, ...trivial])
          facts.push({ per, atMost: multiply([atMost, times]) });
      }
      return { axes, bounds: tidyBounds(facts, axes, sizeOf) };
    },
    { axes: [], bounds: [] },
  );
}

/** Facts about the points where either is present (equal axes). */
export function uniteBounds(a: BoundedPresence, b: BoundedPresence, sizeOf: SizeOf): Bound[] {
  const facts = [...a.bounds, ...b.bounds].map(({ per }) => ({
    per,
    atMost: apply('add', boundOf(a.bounds, per, a.axes, sizeOf), boundOf(b.bounds, per, b.axes, sizeOf)),
  }));
  return tidyBounds(facts, a.axes, sizeOf);
}

/** Facts about the projection that forgets the axes `gone`: a point of it is present if some point above it is. */
export function projectBounds(
  facts: readonly Bound[],
  gone: readonly AxisId[],
  axes: readonly AxisId[],
  sizeOf: SizeOf,
): Bound[] {
  const left = without(axes, gone);
  const projected = facts.map(({ per, atMost }) => ({
    per: without(per, gone),
    atMost: multiply([atMost, ...per.filter((a) => gone.includes(a)).map(sizeOf)]),
  }));
  return tidyBounds(projected, left, sizeOf);
}

/**
 * Facts after a bijection (or restriction) of points that puts the axes `to` in the place of `from`. A fact about all
 * of `from` is about all of `to`; about some of them only, it says the sum over those.
 */
export function replaceInBounds(
  facts: readonly Bound[],
  from: readonly AxisId[],
  to: readonly AxisId[],
  sizeOf: SizeOf,
): Bound[] {
  return facts.map(({ per, atMost }) => {
    const hit = per.filter((a) => from.includes(a));
    if (hit.length === 0) return { per, atMost };
    if (hit.length === from.length) return { per: [...without(per, from), ...to], atMost };
    return { per: without(per, from), atMost: multiply([atMost, ...hit.map(sizeOf)]) };
  });
}

/**
 * Facts about points over `axes` that are put among those of `to`, more than there are of `from`: what was too plain to be
 * written down, that there are no more points than `from` has, now says something.
 */
export function embedInBounds(
  facts: readonly Bound[],
  axes: readonly AxisId[],
  from: readonly AxisId[],
  to: readonly AxisId[],
  sizeOf: SizeOf,
): Bound[] {
  const all: Bound = { per: without(axes, from), atMost: multiply(from.map(sizeOf)) };
  return [...replaceInBounds(facts, from, to, sizeOf), all];
}

/**
 * Facts after points were looked up along `axis` by indices over `own` axes. What was said for each point of the axis holds for
 * each of the new ones. The rest holds for a permutation, at each point of the axes that it has beside; where an index may
 * name a point any number of times it says nothing any more.
 */
export function lookUpInBounds(
  facts: readonly Bound[],
  axis: AxisId,
  own: readonly AxisId[],
  permutation: boolean,
): Bound[] {
  return facts.flatMap(({ per, atMost }) => {
    if (per.includes(axis)) return [{ per: [...without(per, [axis]), ...own], atMost }];
    return permutation ? [{ per: [...per, ...without(own, [axis])], atMost }] : [];
  });
}
