/**
 * How many points of a route can be present: facts "at each point of the axes `per` at most `atMost`". The compiler
 * sizes buffers by them; the meaning needs them in one place only, the ranks of `r + q` (q's come after r's).
 * SEMANTICS 4.13 gives the rules; each primitive that changes facts does it in its own file. The compiler has the same rules over the
 * axes of a graph (compiler/graph/presence-bounds.ts): where the two differ, ranks do.
 */
import type { Axis } from '../types/axis.ts';
import { apply, asNumber, multiply, one, type Size } from '../types/size.ts';

export interface BoundFact {
  /** A subset of the support. */
  readonly per: readonly Axis[];
  readonly atMost: Size;
}

/**
 * The greatest number of present points at one point of `axes`, a subset of the support: the best fact, where a fact
 * about fewer axes counts as it is and each axis it has more than asked for multiplies by its size. Always true: one
 * for each point of the support.
 */
export function bound(facts: readonly BoundFact[], support: readonly Axis[], axes: readonly Axis[]): Size {
  const candidates = [...facts, { per: support, atMost: one }].map((fact) =>
    apply('mul', fact.atMost, multiply(fact.per.filter((axis) => !axes.includes(axis)).map((axis) => axis.size))),
  );
  return candidates.reduce(smaller);
}

/** The smaller of two sizes, a formula of both where that depends on dynamic axes. */
function smaller(a: Size, b: Size): Size {
  const [x, y] = [asNumber(a), asNumber(b)];
  if (x !== null && y !== null) return x <= y ? a : b;
  return apply('min', a, b);
}

/** Facts of `r + q`: for each set of axes either knows about, the sum of both bounds. */
export function boundsOfSum(
  a: readonly BoundFact[],
  b: readonly BoundFact[],
  support: readonly Axis[],
): readonly BoundFact[] {
  return [...a, ...b].map(({ per }) => ({ per, atMost: apply('add', bound(a, support, per), bound(b, support, per)) }));
}

/** A set of points by its axes, with what is known of how many are present. */
interface BoundedPoints {
  readonly support: readonly Axis[];
  readonly facts: readonly BoundFact[];
}

/**
 * Facts of a join over the union of supports: each fact of one, that there is one point for each point among them, times the other's
 * bound at the axes they share.
 */
export function boundsOfJoin(a: BoundedPoints, b: BoundedPoints): readonly BoundFact[] {
  return [...factsTimes(a, b), ...factsTimes(b, a)];
}

function factsTimes({ facts, support }: BoundedPoints, other: BoundedPoints): readonly BoundFact[] {
  const shared = other.support.filter((axis) => support.includes(axis));
  const times = bound(other.facts, other.support, shared);
  return [...facts, { per: support, atMost: one }].map(({ per, atMost }) => ({
    per,
    atMost: apply('mul', atMost, times),
  }));
}

/** Facts after axes were renamed, split or merged: kept where all of their axes can be expressed, else dropped. */
export function boundsOfReindex(
  facts: readonly BoundFact[],
  from: readonly Axis[],
  to: readonly Axis[],
): readonly BoundFact[] {
  const result: BoundFact[] = [];
  for (const fact of facts) {
    const inside = from.filter((axis) => fact.per.includes(axis));
    if (inside.length === 0) result.push(fact);
    else if (inside.length === from.length) {
      result.push({ per: [...fact.per.filter((axis) => !from.includes(axis)), ...to], atMost: fact.atMost });
    }
  }
  return result;
}

/** Facts about the points over which any point along `gone` is present: no more than there were. */
export function boundsOfProjection(facts: readonly BoundFact[], gone: readonly Axis[]): readonly BoundFact[] {
  return facts.map(({ per, atMost }) => ({
    per: per.filter((axis) => !gone.includes(axis)),
    atMost: multiply([atMost, ...per.filter((axis) => gone.includes(axis)).map((axis) => axis.size)]),
  }));
}

/**
 * Facts after points were looked up along `axis` by indices over `own` axes. What was said for each point of the axis holds for
 * each of the new ones. A permutation of the axis keeps the other facts too, now for each point of the indices' further axes;
 * where an index may name a point any number of times they say nothing any more.
 */
export function boundsOfLookup(
  facts: readonly BoundFact[],
  axis: Axis,
  own: readonly Axis[],
  permutation: boolean,
): readonly BoundFact[] {
  const beside = own.filter((each) => each !== axis);
  return facts.flatMap(({ per, atMost }) => {
    if (per.includes(axis)) return [{ per: [...per.filter((each) => each !== axis), ...own], atMost }];
    return permutation ? [{ per: [...per, ...beside], atMost }] : [];
  });
}
