/**
 * Types as the checker handles them: formatting in the program's axis names, substitution of a template's axes, equality.
 *
 * Axes of a type are a set: their order matters only where a buffer is laid out (variables, entries), never for agreement.
 */
import { at } from '../diagnostics/invariants.ts';
import type { ProgramAxisId } from '../types/ids.ts';
import type { AxisVar, RouteType, TensorType, ValueType } from '../types/program.ts';
import { axesOfType, hasAxis, sameAxes, sameAxis } from '../types/axes.ts';
import { format } from '../primitives/operand-typing.ts';

export type NameOf = (axis: AxisVar) => string;

/** A dense type: `element[axes]`. */
export function tensorType(element: TensorType['element'], axes: readonly AxisVar[] = []): TensorType {
  return { kind: 'tensor', element, axes };
}

/** `[T, D]` for a list of axes. */
export function formatAxes(axes: readonly AxisVar[], nameOf: NameOf): string {
  return `[${axes.map(nameOf).join(', ')}]`;
}

/** `E`, `T and E`, `B, T and E`. */
export function listAxes(axes: readonly AxisVar[], nameOf: NameOf, word = 'and'): string {
  return listWords(axes.map(nameOf), word);
}

export function listWords(words: readonly string[], word = 'and'): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} ${word} ${words[words.length - 1] ?? ''}`;
}

/** A type as the language writes it: `f16[D]`, `i32[T] in V`, `route[T -> E] of [D]`, `(y: [D], r: route[E])`. */
export function formatType(type: ValueType, nameOf: NameOf): string {
  return format({ nameOf }, type);
}

/** Replaces a template's axes; a twin of a replaced axis is a twin of its replacement. */
export function substituteAxis(axis: AxisVar, map: ReadonlyMap<ProgramAxisId, AxisVar>): AxisVar {
  const to = map.get(axis.axis);
  return to === undefined ? axis : { axis: to.axis, primes: to.primes + axis.primes };
}

export function substituteType(type: ValueType, map: ReadonlyMap<ProgramAxisId, AxisVar>): ValueType {
  if (map.size === 0) return type;
  const axes = (list: readonly AxisVar[]) => list.map((a) => substituteAxis(a, map));
  switch (type.kind) {
    case 'tensor':
      return {
        ...type,
        axes: axes(type.axes),
        ...(type.within === undefined ? {} : { within: substituteAxis(type.within, map) }),
      };
    case 'route':
      return { ...type, sources: axes(type.sources), targets: axes(type.targets), payload: axes(type.payload) };
    case 'tuple':
      return { ...type, items: type.items.map((i) => ({ ...i, type: substituteType(i.type, map) })) };
  }
}

/** Every axis a type mentions, the axis of `in V` and the items of a tuple included. */
export function mentionedAxes(type: ValueType): readonly AxisVar[] {
  if (type.kind === 'tuple') return type.items.flatMap((i) => mentionedAxes(i.type));
  if (type.kind === 'tensor' && type.within !== undefined) return [...type.axes, type.within];
  return axesOfType(type);
}

export function supportOf(type: RouteType): readonly AxisVar[] {
  return [...type.sources, ...type.targets];
}

export function sameWithin(a: TensorType, b: TensorType): boolean {
  if (a.within === undefined || b.within === undefined) return a.within === b.within;
  return sameAxis(a.within, b.within);
}

/** Equal as types: axes as sets, sources and targets of a route compared apart. Names of the items of a tuple do not count. */
export function sameType(a: ValueType, b: ValueType): boolean {
  if (a.kind === 'tensor' && b.kind === 'tensor')
    return a.element === b.element && sameAxes(a.axes, b.axes) && sameWithin(a, b);
  if (a.kind === 'route' && b.kind === 'route') {
    return (
      a.element === b.element &&
      sameAxes(a.sources, b.sources) &&
      sameAxes(a.targets, b.targets) &&
      sameAxes(a.payload, b.payload)
    );
  }
  if (a.kind === 'tuple' && b.kind === 'tuple') {
    if (a.items.length !== b.items.length) return false;
    return a.items.every((item, i) => sameType(item.type, at(b.items, i, 'check: item').type));
  }
  return false;
}

/** The axes that stand more than once in a list. */
export function repeatedAxes(axes: readonly AxisVar[]): readonly AxisVar[] {
  const repeated: AxisVar[] = [];
  axes.forEach((a, i) => {
    if (hasAxis(axes.slice(0, i), a) && !hasAxis(repeated, a)) repeated.push(a);
  });
  return repeated;
}
