/**
 * The common ground of selections. Everything a selection looks at (scores, keys, conditions) is laid out over
 * [rest, over], `over` innermost in the order written, so a group is a run of `width` points and "the lower index"
 * is the smaller one. The result is a route over these axes.
 */
import { noNumber } from '../diagnostics/invariants.ts';
import type { BoundFact } from './route-bounds.ts';
import type { F64Operand } from './operand.ts';
import type { ElementType } from '../types/program.ts';
import type { Axis } from '../types/axis.ts';
import { axesOf } from './pointwise.ts';
import { conditionOf, makeRoute, type F64Route } from './route.ts';
import { countPoints, offsets, take, unite, without } from './tensor.ts';

export interface Groups {
  readonly rest: readonly Axis[];
  readonly over: readonly Axis[];
  /** rest, then over. */
  readonly axes: readonly Axis[];
  readonly count: number;
  readonly width: number;
}

export function grouped(operands: readonly F64Operand[], over: readonly Axis[]): Groups {
  const rest = without(unite(...operands.map(axesOf)), over);
  return { rest, over, axes: [...rest, ...over], count: countPoints(rest), width: countPoints(over) };
}

/** The numbers of an operand at every point of the groups. */
export function laidOutOver(operand: F64Operand, axes: readonly Axis[]): Float64Array {
  const data = operand.kind === 'tensor' ? operand.value.data : operand.value.weight;
  return take(data, offsets(axes, axesOf(operand)));
}

/** 1 where all routes among the operands are present and the condition, if any, holds. */
export function candidates(
  operands: readonly F64Operand[],
  condition: F64Operand | undefined,
  axes: readonly Axis[],
): Uint8Array {
  const result = new Uint8Array(countPoints(axes)).fill(1);
  const restrict = (data: ArrayLike<number>, own: readonly Axis[]): void => {
    const at = offsets(axes, own);
    for (let i = 0; i < result.length; i++) if (data[at[i] ?? noNumber()] === 0) result[i] = 0;
  };
  for (const operand of operands) if (operand.kind === 'route') restrict(operand.value.present, operand.value.support);
  if (condition !== undefined) {
    const holds = condition.kind === 'tensor' ? condition.value : conditionOf(condition.value);
    restrict(holds.data, holds.axes);
  }
  return result;
}

/** The points of a run that are candidates by these scores; -inf is none. NaN neither, and it is told of. */
export function scored(
  group: number,
  width: number,
  candidate: Uint8Array,
  scores: Float64Array,
  notANumber: (point: number) => void,
): number[] {
  const points: number[] = [];
  for (let i = group * width; i < (group + 1) * width; i++) {
    if (candidate[i] !== 1) continue;
    if (Number.isNaN(scores[i] ?? noNumber())) notANumber(i);
    else if (scores[i] !== -Infinity) points.push(i);
  }
  return points;
}

/** A route under construction: choose points in the order of their ranks. */
export interface Chosen {
  readonly present: Uint8Array;
  readonly rank: Int32Array;
}

export function chosenOf(axes: readonly Axis[]): Chosen {
  const points = countPoints(axes);
  return { present: new Uint8Array(points), rank: new Int32Array(points) };
}

export function choose(chosen: Chosen, point: number, rank: number): void {
  chosen.present[point] = 1;
  chosen.rank[point] = rank;
}

/** The route of what was chosen, with these weights at every point of the axes; absent ones are replaced. */
export function routeOf(
  axes: readonly Axis[],
  { present, rank }: Chosen,
  weights: Float64Array,
  element: ElementType,
  absent: number,
  facts: readonly BoundFact[],
): { readonly kind: 'route'; readonly value: F64Route } {
  const weight = weights.map((value, i) => (present[i] === 1 ? value : absent));
  return { kind: 'route', value: makeRoute({ support: axes, payload: [], present, rank, weight, element, facts }) };
}
