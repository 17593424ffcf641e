/** Sets of axes: small ordered lists, compared by declaration and primes. */
import type { AxisVar, NamePattern, ValueType } from './program.ts';

export function sameAxis(a: AxisVar, b: AxisVar): boolean {
  return a.axis === b.axis && a.primes === b.primes;
}

export function hasAxis(axes: readonly AxisVar[], axis: AxisVar): boolean {
  return axes.some((a) => sameAxis(a, axis));
}

/** The first list's axes, then the new ones of the second. */
export function uniteAxes(a: readonly AxisVar[], b: readonly AxisVar[]): readonly AxisVar[] {
  return [...a, ...b.filter((axis) => !hasAxis(a, axis))];
}

export function withoutAxes(a: readonly AxisVar[], b: readonly AxisVar[]): readonly AxisVar[] {
  return a.filter((axis) => !hasAxis(b, axis));
}

export function sharedAxes(a: readonly AxisVar[], b: readonly AxisVar[]): readonly AxisVar[] {
  return a.filter((axis) => hasAxis(b, axis));
}

export function isSubset(a: readonly AxisVar[], b: readonly AxisVar[]): boolean {
  return a.every((axis) => hasAxis(b, axis));
}

/** Equal as sets. */
export function sameAxes(a: readonly AxisVar[], b: readonly AxisVar[]): boolean {
  return a.length === b.length && isSubset(a, b);
}

/** All visible axes of a tensor or route (sources, targets, payload); none for a tuple. */
export function axesOfType(type: ValueType): readonly AxisVar[] {
  switch (type.kind) {
    case 'tensor':
      return type.axes;
    case 'route':
      return [...type.sources, ...type.targets, ...type.payload];
    case 'tuple':
      return [];
  }
}

/** The axes that run over the names of a pattern. */
export function axesInBraces(pattern: NamePattern): readonly AxisVar[] {
  return pattern.holes.flatMap((hole) => {
    switch (hole.kind) {
      case 'position':
      case 'group':
      case 'text':
      case 'all':
        return hole.axes;
      case 'point_name':
        return [hole.axis];
      case 'param':
        return [];
    }
  });
}
