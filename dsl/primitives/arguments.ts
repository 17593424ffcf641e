/**
 * Small things every primitive's file uses: parameters in one line each, and the arguments of a call that is being
 * evaluated. A missing argument here is a bug of ours: the checker bound them.
 */
import type { ElementType } from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import { conditionOf } from '../tensors/route.ts';
import { makeTensor, type F64Tensor } from '../tensors/tensor.ts';
import type { F64Route } from '../tensors/route.ts';
import type { Axis } from '../types/axis.ts';
import { asInteger, asNumber, formatSize, type Size } from '../types/size.ts';
import type { F64Call, F64Operand } from '../tensors/operand.ts';
import type { Parameter } from './primitive.ts';

export function value(
  name: string,
  documentation: string,
  more: { optional?: boolean; element?: ElementType } = {},
): Parameter {
  const { optional = false, element } = more;
  return {
    name,
    kind: 'value',
    positional: !optional,
    optional,
    documentation,
    ...(element === undefined ? {} : { element }),
  };
}

export function axes(
  name: string,
  documentation: string,
  more: { optional?: boolean; positional?: boolean } = {},
): Parameter {
  return { name, kind: 'axes', positional: more.positional ?? false, optional: more.optional ?? false, documentation };
}

export function number(
  name: string,
  documentation: string,
  more: { optional?: boolean; positional?: boolean } = {},
): Parameter {
  return { name, kind: 'static', positional: more.positional ?? false, optional: more.optional ?? true, documentation };
}

export const overParameter = axes('over', 'the axis or axes, by default the one there is or the targets of a route', {
  optional: true,
});

// ---------------------------------------------------------------------------------------------------------------

export function operand(call: F64Call, name: string): F64Operand {
  const found = call.args.get(name);
  if (found === undefined) throw new CompilerBug('interpret', `${call.name} has no argument ${name}`);
  return found;
}

export function denseOperand(call: F64Call, name: string): F64Tensor {
  const found = operand(call, name);
  if (found.kind === 'route') throw new CompilerBug('interpret', `${call.name} takes no route as ${name}`);
  return found.value;
}

export function routeOperand(call: F64Call, name: string): F64Route {
  const found = operand(call, name);
  if (found.kind === 'tensor') throw new CompilerBug('interpret', `${call.name} takes a route as ${name}`);
  return found.value;
}

/** A condition as a dense tensor of bools: a route is its presence (and truth). */
export function conditionOperand(call: F64Call, name: string): F64Tensor {
  const found = operand(call, name);
  return found.kind === 'tensor' ? found.value : conditionOf(found.value);
}

export function axesArgument(call: F64Call, name: string): readonly Axis[] {
  const found = call.axes.get(name);
  if (found === undefined) throw new CompilerBug('interpret', `${call.name} was not told ${name}`);
  return found;
}

export function axisArgument(call: F64Call, name: string): Axis {
  const [axis, ...more] = axesArgument(call, name);
  if (axis === undefined || more.length > 0)
    throw new CompilerBug('interpret', `${call.name} takes one axis as ${name}`);
  return axis;
}

/** A static number, or what it is when absent. */
export function numberArgument(call: F64Call, name: string, absent: number): number {
  const found = call.attributes.get(name);
  if (found === undefined || typeof found === 'boolean') return absent;
  const known = asNumber(found);
  if (known === null) throw new CompilerBug('interpret', `${name} is still the formula ${formatSize(found)}`);
  return known;
}

export function integerArgument(call: F64Call, name: string): number {
  const found = call.attributes.get(name);
  const known = found === undefined || typeof found === 'boolean' ? null : asInteger(found);
  if (known === null) throw new CompilerBug('interpret', `${call.name} takes a whole number as ${name}`);
  return known;
}

export function staticSize(attributes: ReadonlyMap<string, Size | boolean>, name: string): Size | null {
  const found = attributes.get(name);
  return found === undefined || typeof found === 'boolean' ? null : found;
}

export function dense(element: ElementType, axes: readonly Axis[], data: Float64Array): F64Operand {
  return { kind: 'tensor', value: makeTensor(element, axes, data) };
}
