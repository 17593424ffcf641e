/**
 * Small hands for the tests of the algebra: types over axes called by letters, concrete axes with sizes, tensors from
 * nested or flat numbers, and calls that evaluate one primitive in the reference interpreter.
 */
import { noNumber } from '../../dsl/diagnostics/invariants.ts';
import { expect } from 'vitest';
import { isProblem, type Inferred, type TypeProblem } from '../../dsl/primitives/primitive.ts';
import { primitive } from '../../dsl/primitives/primitive-table.ts';
import type { PrimitiveName } from '../../dsl/types/primitive-names.ts';
import type { AxisVar, ElementType, RouteType, TensorType, ValueType } from '../../dsl/types/program.ts';
import { format } from '../../dsl/primitives/operand-typing.ts';
import { float64Backend, type Float64Backend, type Float64Options } from '../../dsl/interpret/float64-backend.ts';
import type { RunProblem } from '../../dsl/tensors/deferred-errors.ts';
import type { F64Route } from '../../dsl/tensors/route.ts';
import { countPoints, makeTensor, offsets, pointAt, spread, type F64Tensor } from '../../dsl/tensors/tensor.ts';
import type { F64Operand } from '../../dsl/tensors/operand.ts';
import { AxisFactory, type Axis } from '../../dsl/types/axis.ts';
import { idOf } from '../../dsl/types/ids.ts';
import { exact, type Size } from '../../dsl/types/size.ts';

// ---------------------------------------------------------------------------------------------------------------
// Types

const letters: string[] = [];

/** The axis of a name, `T'` with primes: one declaration for each name. */
export function variable(name: string): AxisVar {
  const bare = name.replace(/'+$/, '');
  if (!letters.includes(bare)) letters.push(bare);
  return { axis: idOf(letters.indexOf(bare)), primes: name.length - bare.length };
}

export function nameOf(axis: AxisVar): string {
  return `${letters[axis.axis]}${"'".repeat(axis.primes)}`;
}

const variables = (names: string): readonly AxisVar[] => (names === '' ? [] : names.split(' ').map(variable));

/** `tensorType('T D')`, `tensorType('T', 'i32', 'V')`. */
export function tensorType(axes: string, element: ElementType = 'f32', within?: string): TensorType {
  return {
    kind: 'tensor',
    element,
    axes: variables(axes),
    ...(within === undefined ? {} : { within: variable(within) }),
  };
}

export function routeType(sources: string, targets: string, payload = '', element: ElementType = 'f32'): RouteType {
  return {
    kind: 'route',
    element,
    sources: variables(sources),
    targets: variables(targets),
    payload: variables(payload),
  };
}

export interface TypedCall {
  readonly axes?: Readonly<Record<string, string>>;
  readonly attributes?: readonly string[];
  readonly element?: ElementType;
}

export function infer(
  name: PrimitiveName,
  args: Readonly<Record<string, ValueType>>,
  more: TypedCall = {},
): Inferred | TypeProblem {
  return primitive(name).infer({
    args: new Map(Object.entries(args)),
    axes: new Map(Object.entries(more.axes ?? {}).map(([key, names]) => [key, variables(names)])),
    attributes: new Set(more.attributes ?? []),
    element: more.element ?? null,
    nameOf,
  });
}

/** The type as the language writes it (with the element type of a route in front), or `MOEnnnn message`. */
export function typed(name: PrimitiveName, args: Readonly<Record<string, ValueType>>, more: TypedCall = {}): string {
  const answer = infer(name, args, more);
  if (isProblem(answer)) return `${answer.code} ${answer.message}`;
  return format({ nameOf }, answer.type);
}

// ---------------------------------------------------------------------------------------------------------------
// Values

export const factory = new AxisFactory();

export function axis(name: string, size: number): Axis {
  return factory.make(name, exact(size));
}

export function tensor(axes: readonly Axis[], data: readonly number[], element: ElementType = 'f32'): F64Operand {
  return { kind: 'tensor', value: makeTensor(element, axes, Float64Array.from(data)) };
}

export interface Calling {
  readonly axes?: Readonly<Record<string, readonly Axis[]>>;
  readonly attributes?: Readonly<Record<string, number | Size | boolean>>;
  readonly element?: ElementType;
  readonly batchAxes?: readonly Axis[];
  readonly place?: string;
  readonly backend?: Float64Backend;
}

export const noVariables = (): null => null;

export function backendWith(options: Partial<Float64Options> = {}): Float64Backend {
  return float64Backend({
    variables: noVariables,
    seed: 1,
    onProblem: (problem) => {
      throw new Error(problem.message);
    },
    ...options,
  });
}

export const span = { source: 'test.moe', start: 0, end: 1 };

export function call(
  name: PrimitiveName,
  args: Readonly<Record<string, F64Operand>>,
  {
    axes = {},
    attributes = {},
    element = 'f32',
    batchAxes = [],
    place = 'here',
    backend = backendWith(),
  }: Calling = {},
): F64Operand {
  return backend.primitive({
    name,
    args: new Map(Object.entries(args)),
    axes: new Map(Object.entries(axes)),
    attributes: new Map(Object.entries(attributes).map(([key, n]) => [key, typeof n === 'number' ? exact(n) : n])),
    element,
    span,
    batchAxes,
    seedKey: place,
  });
}

export function dense(operand: F64Operand): F64Tensor {
  if (operand.kind !== 'tensor') throw new Error('a route where a tensor was expected');
  return operand.value;
}

export function route(operand: F64Operand): F64Route {
  if (operand.kind !== 'route') throw new Error('a tensor where a route was expected');
  return operand.value;
}

/** The numbers of a tensor over these axes in this order; the axes are all it has. */
export function numbers(operand: F64Operand, axes: readonly Axis[]): number[] {
  const value = dense(operand);
  expect(new Set(value.axes)).toEqual(new Set(axes));
  return [...spread(value, axes).data];
}

/** The number of a value without axes. */
export function onlyNumber(operand: F64Operand): number {
  return Float64Array.from(numbers(operand, []))[0] ?? noNumber();
}

/** The present points of a route: index along each of `axes` (its support), weights and rank, in order of the points. */
export function points(
  operand: F64Operand,
  axes: readonly Axis[],
): readonly { readonly at: readonly number[]; readonly weight: readonly number[]; readonly rank: number }[] {
  const value = route(operand);
  expect(new Set(value.support)).toEqual(new Set(axes));
  const own = offsets(axes, value.support);
  const width = countPoints(value.payload);
  return [...own].flatMap((n, i) => {
    if (value.present[n] !== 1) return [];
    const weight = [...value.weight.slice(n * width, (n + 1) * width)];
    return [{ at: pointAt(axes, i), weight, rank: value.rank[n] ?? noNumber() }];
  });
}

/** `E0 0.5 #0, E2 0.25 #1`: the present points in order, for short expectations. */
export function shown(operand: F64Operand, axes: readonly Axis[]): string {
  return points(operand, axes)
    .map(({ at, weight, rank }) => `${at.join(',')}:${weight.map((w) => String(w)).join('/')}#${rank}`)
    .join(' ');
}

/** A run's problems with a value that is needed everywhere. */
export function problems(backend: Float64Backend, operand: F64Operand): readonly RunProblem[] {
  return backend.problemsOf(operand);
}
