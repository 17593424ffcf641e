/**
 * A frame is one call under way: the instance whose body it is, what of its families is meant, the locals, and what the
 * body does not see. And the few things one asks of a value at hand, whatever the executor.
 */
import type { LocalId } from '../types/ids.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import type { Backend } from './backend.ts';
import type { Operand } from '../types/call.ts';
import type { Axis } from '../types/axis.ts';
import type { FamilyValue } from './instances.ts';
import type { StaticFrame } from './instance-scope.ts';

export type InstantiatedValue<T, R> =
  | Operand<T, R>
  | { readonly kind: 'tuple'; readonly items: readonly InstantiatedValue<T, R>[] }
  | { readonly kind: 'family'; readonly family: FamilyValue<never> };

export interface Frame<T, R> extends StaticFrame {
  readonly locals: Map<LocalId, InstantiatedValue<T, R>>;
  /** Axes carried into this body and the ones of its family: unseen by it, met by name. */
  readonly batchAxes: readonly Axis[];
  /** Routes the call was lifted over: its values are meant where all of them are present. */
  readonly routes: readonly R[];
  /** Gives values of this frame the axes they have outside: applied to outputs and losses. */
  readonly restore: ReadonlyMap<Axis, Axis>;
  readonly seedKey: string;
  /** The last call on the way here that stands in a file of the user's: where a mistake inside a library body is told. */
  readonly calledAt: Span | null;
}

/** All axes of an operand: of a route its support and payload. */
export function axesOfOperand<T, R>(operand: Operand<T, R>, backend: Backend<T, R>): readonly Axis[] {
  if (operand.kind === 'tensor') return backend.axesOf(operand.value);
  return [...backend.supportOf(operand.value), ...backend.payloadOf(operand.value)];
}

/** Values side by side along a new axis; they are broadcast to one set of axes first. */
export function stackOperands<T, R>(
  operands: readonly Operand<T, R>[],
  axis: Axis,
  backend: Backend<T, R>,
): Operand<T, R> {
  const axes = [...new Set(operands.flatMap((o) => axesOfOperand(o, backend)))];
  return backend.stack(
    operands.map((o) => backend.broadcast(o, axes)),
    axis,
  );
}

/** The part of a renaming that concerns an operand. */
export function restrict<T, R>(
  renaming: ReadonlyMap<Axis, Axis>,
  operand: Operand<T, R>,
  backend: Backend<T, R>,
): ReadonlyMap<Axis, Axis> {
  if (renaming.size === 0) return renaming;
  const own = axesOfOperand(operand, backend);
  return new Map([...renaming].filter(([a]) => own.includes(a)));
}

/** A value that is one tensor or route. */
export function asOperand<T, R>(value: InstantiatedValue<T, R>): Operand<T, R> {
  if (value.kind === 'tuple' || value.kind === 'family')
    throw new CompilerBug('instantiate', `a ${value.kind} where a value is wanted`);
  return value;
}
