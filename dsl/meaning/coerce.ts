/**
 * Coercions of instantiation: a value where a type is written becomes one of that type. The checker has made sure that it can
 * (dsl/check/check-coercions.ts says what may become what); here axes are added, routes turned, numbers narrowed.
 */
import type { AxisVar, ElementType, ValueType } from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import type { Backend } from './backend.ts';
import type { Operand } from '../types/call.ts';
import type { Axis } from '../types/axis.ts';
import { axesOfType } from '../types/axes.ts';
import type { Frame, InstantiatedValue } from './frame.ts';
import { exact } from '../types/size.ts';

/** The value over all axes of a type, a route's sources and targets as the type has them, f16 where it says so. */
export function coerce<T, R>(
  value: InstantiatedValue<T, R>,
  type: ValueType,
  frame: Frame<T, R>,
  backend: Backend<T, R>,
  axisOf: (variable: AxisVar) => Axis,
): InstantiatedValue<T, R> {
  if (value.kind === 'family') return value;
  if (value.kind === 'tuple') {
    if (type.kind !== 'tuple') return value;
    const items = value.items.map((item, i) => {
      const t = type.items[i];
      return t === undefined ? item : coerce(item, t.type, frame, backend, axisOf);
    });
    return { kind: 'tuple', items };
  }
  const axes = axesOfType(type).map((a) => axisOf(a));
  const payload = type.kind === 'route' ? type.payload.map((a) => axisOf(a)) : [];
  const wide = backend.broadcast(value, axes, payload);
  if (wide.kind === 'route' && type.kind === 'route') {
    const targets = type.targets.map((a) => axisOf(a));
    const sources = backend.supportOf(wide.value).filter((a) => !targets.includes(a));
    return { kind: 'route', value: backend.orient(wide.value, sources, targets) };
  }
  if (
    wide.kind === 'tensor' &&
    type.kind === 'tensor' &&
    type.element === 'f16' &&
    backend.elementOf(wide.value) !== 'f16'
  ) {
    return backend.primitive({
      name: 'convert',
      args: new Map([['x', wide]]),
      axes: new Map(),
      attributes: new Map(),
      element: 'f16',
      span: { source: '', start: 0, end: 0 },
      batchAxes: frame.batchAxes,
      seedKey: frame.seedKey,
    });
  }
  return wide;
}

/** A value of a type one of whose axes has no points: what a chain of no steps has collected. */
export function withoutPoints<T, R>(
  type: ValueType,
  backend: Backend<T, R>,
  axisOf: (variable: AxisVar) => Axis,
  span: Span,
): Operand<T, R> {
  if (type.kind === 'tuple') throw new CompilerBug('instantiate', 'a tuple is collected item by item');
  const axes = axesOfType(type).map(axisOf);
  const filled = (element: ElementType): Operand<T, R> =>
    backend.broadcast({ kind: 'tensor', value: backend.scalar(exact(0), element) }, axes);
  if (type.kind === 'tensor') return filled(type.element);
  const args = new Map([
    ['v', filled(type.element)],
    ['c', filled('bool')],
  ]);
  const over = type.targets.map(axisOf);
  const { element } = type;
  return backend.primitive({ name: 'keep', args, axes: new Map([['over', over]]), attributes: new Map(), element, span, batchAxes: [], seedKey: '' }); // prettier-ignore
}
