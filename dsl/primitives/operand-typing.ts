/**
 * The typing rules that primitives share: which element types meet, what a join of routes and tensors looks like,
 * which axes an `over:` may name. Every function answers with what it found or with one `TypeProblem`.
 *
 * Element types: f16 is storage, so arithmetic on it gives f32; f32 and f16 meet as floats; i32 and bool meet only
 * themselves. A join (any elementwise operation) has the union of the axes; if routes take part it is a route over
 * the union of their supports, everything else of it is payload (SEMANTICS 4.2).
 */
import type { AxisVar, ElementType, RouteType, TensorType, ValueType } from '../types/program.ts';
import { CompilerBug } from '../diagnostics/bug.ts';
import { axesOfType, hasAxis, isSubset, sameAxis, sharedAxes, uniteAxes, withoutAxes } from '../types/axes.ts';
import { isProblem, type Inferred, type TypeCall, type TypeProblem } from './primitive.ts';

export type Naming = Pick<TypeCall, 'nameOf'>;

/** A tensor or a route: what arithmetic works on. */
export type Computable = TensorType | RouteType;

/** An argument that the checker guarantees to be given. */
export function provided(call: TypeCall, name: string): ValueType {
  const type = call.args.get(name);
  if (type === undefined) throw new CompilerBug('check', `the argument ${name} was not bound`);
  return type;
}

export function computable(call: TypeCall, name: string): Computable | TypeProblem {
  const type = provided(call, name);
  if (type.kind !== 'tuple') return type;
  return { code: 'MOE0339', message: 'this is a tuple: take it apart with `let (a, b) = …`', at: name };
}

export function denseArgument(call: TypeCall, name: string): TensorType | TypeProblem {
  const type = computable(call, name);
  if (isProblem(type) || type.kind === 'tensor') return type;
  const message = `a dense tensor is wanted here, this is ${format(call, type)}`;
  return { code: 'MOE0433', message, at: name, help: denseHelp(call, type) };
}

export function routeArgument(call: TypeCall, name: string): RouteType | TypeProblem {
  const type = computable(call, name);
  if (isProblem(type) || type.kind === 'route') return type;
  const help = 'a selection makes a route of a tensor: top_k, top_p, keep, pick, all';
  return { code: 'MOE0432', message: `a route is wanted here, this is ${format(call, type)}`, at: name, help };
}

/**
 * How a route becomes a tensor. What has a payload is most often what experts gave: to add it up runs what is present, where
 * `dense` of it would run every expert everywhere.
 */
export function denseHelp(naming: Naming, route: RouteType): string {
  if (route.payload.length === 0) return 'say dense(…), in which absent points are 0';
  const over = route.targets.map((axis) => naming.nameOf(axis)).join(', ');
  return `sum(…, over: ${route.targets.length === 1 ? over : `(${over})`}) adds up what is present and is a tensor`;
}

export const isFloat = (element: ElementType): boolean => element === 'f32' || element === 'f16';

/** What arithmetic on this element type gives: f16 is read as f32. */
export const computed = (element: ElementType): ElementType => (element === 'f16' ? 'f32' : element);

/** The element type in which operands meet, or why they do not. */
export function meet(names: readonly string[], types: readonly Computable[]): ElementType | TypeProblem {
  const first = types[0];
  if (first === undefined) throw new CompilerBug('check', 'nothing to meet');
  for (let i = 1; i < types.length; i++) {
    const other = types[i];
    if (other === undefined || computed(other.element) === computed(first.element)) continue;
    const floats = isFloat(first.element) || isFloat(other.element);
    const wanted = floats ? 'f32' : 'i32';
    const help = `convert one of them: ${wanted}(…)`;
    return { code: 'MOE0330', message: `${first.element} and ${other.element} do not meet`, at: names[i], help };
  }
  return computed(first.element);
}

export type ElementClass = 'float' | 'number' | 'any';

/** Refuses an element type an operation does not have. `what` is the operation as the program writes it. */
export function wants(what: string, element: ElementType, of: ElementClass, at?: string): TypeProblem | null {
  if (of === 'any' || isFloat(element) || (of === 'number' && element === 'i32')) return null;
  const help = of === 'float' || element === 'bool' ? 'convert it: f32(…)' : undefined;
  return { code: 'MOE0331', message: `${what} is not defined for ${element}`, at, help };
}

/** The join of operands: union of axes, first operand's first. A single route among them makes the result a route. */
export function join(types: readonly Computable[], element: ElementType): Computable {
  const all = types.reduce<readonly AxisVar[]>((axes, type) => uniteAxes(axes, axesOfType(type)), []);
  const routes = types.filter((type) => type.kind === 'route');
  if (routes.length === 0) return { kind: 'tensor', element, axes: all };
  const targets = routes.reduce<readonly AxisVar[]>((axes, r) => uniteAxes(axes, r.targets), []);
  const sources = withoutAxes(
    routes.reduce<readonly AxisVar[]>((axes, r) => uniteAxes(axes, r.sources), []),
    targets,
  );
  const payload = withoutAxes(all, [...sources, ...targets]);
  const consumed = routes.flatMap((r) => r.consumed ?? []);
  return { kind: 'route', element, sources, targets, payload, ...(consumed.length === 0 ? {} : { consumed }) };
}

/**
 * Weights that come too late: one side is a `pick` along axes that the other side still has. They would become a payload,
 * which is never what is meant.
 */
export function meetsConsumed(
  call: TypeCall,
  names: readonly string[],
  types: readonly Computable[],
): TypeProblem | null {
  for (const route of types) {
    if (route.kind !== 'route') continue;
    const other = types.findIndex(
      (type) => type !== route && (route.consumed ?? []).some((a) => hasAxis(axesOfType(type), a)),
    );
    const type = types[other];
    if (type === undefined) continue;
    const met = (route.consumed ?? []).filter((a) => hasAxis(axesOfType(type), a));
    const was = met.length === 1 ? 'was' : 'were';
    return {
      code: 'MOE0453',
      message: `${list(call, met)} ${was} consumed by \`along: ${list(call, met)}\`; this would add ${met.length === 1 ? 'it' : 'them'} as a payload`,
      at: names[other],
      help: `pick(…, along: ${list(call, met)}, weights: …) gives each index its weight; for a payload rename ${list(call, met)}`,
    };
  }
  return null;
}

/** A condition: bool, or a route standing for where it is present (and true). As a dense tensor of bools. */
export function conditionArgument(call: TypeCall, name: string): TensorType | TypeProblem {
  const type = computable(call, name);
  if (isProblem(type)) return type;
  if (type.kind === 'tensor' && type.element !== 'bool') {
    return {
      code: 'MOE0441',
      message: `a condition is bool or a route, this is ${format(call, type)}`,
      at: name,
      help: 'compare it with something',
    };
  }
  const axes = type.kind === 'route' && type.element !== 'bool' ? supportOf(type) : axesOfType(type);
  return { kind: 'tensor', element: 'bool', axes };
}

export function supportOf(route: RouteType): readonly AxisVar[] {
  return [...route.sources, ...route.targets];
}

/**
 * What is left of the targets when a route is reduced over these axes, if what is left is still a choice: of its support only
 * targets go, and not all of them. Else null: without a target, or without a source that says whose choice it is, the
 * result is dense.
 */
export function targetsLeft(route: RouteType, gone: readonly AxisVar[]): readonly AxisVar[] | null {
  const across = sharedAxes(gone, supportOf(route));
  const left = withoutAxes(route.targets, gone);
  return across.length > 0 && left.length > 0 && isSubset(across, route.targets) ? left : null;
}

/** Whether the two types' `in V` say the same. */
export function sameWithin(a: ValueType, b: ValueType): AxisVar | undefined {
  if (a.kind !== 'tensor' || b.kind !== 'tensor') return undefined;
  return a.within !== undefined && b.within !== undefined && sameAxis(a.within, b.within) ? a.within : undefined;
}

/** The same axes with another element type; what is computed from indices is a number, so `in V` goes. */
export function retyped(type: Computable, element: ElementType): Computable {
  return type.kind === 'route' ? { ...type, element } : { kind: 'tensor', element, axes: type.axes };
}

/** The same type with other axes: each axis replaced by a list, in its place and role. */
export function substituteAxes(type: Computable, replace: (axis: AxisVar) => readonly AxisVar[]): Computable {
  if (type.kind === 'tensor') return { ...type, axes: type.axes.flatMap(replace) };
  return {
    ...type,
    sources: type.sources.flatMap(replace),
    targets: type.targets.flatMap(replace),
    payload: type.payload.flatMap(replace),
  };
}

/** The axes argument of that name, which the checker guarantees to be given. */
export function axesGiven(call: TypeCall, name: string): readonly AxisVar[] {
  const axes = call.axes.get(name);
  if (axes === undefined) throw new CompilerBug('check', `the axes ${name} were not bound`);
  return axes;
}

export function oneAxis(call: TypeCall, name: string, what: string): AxisVar | TypeProblem {
  const axes = axesGiven(call, name);
  const [axis] = axes;
  if (axis !== undefined && axes.length === 1) return axis;
  return { code: 'MOE0337', message: `${what} takes one axis, not ${list(call, axes)}`, at: name };
}

/**
 * The axes an operation runs over: those written, or, if left out, the targets of a route or the one axis of a tensor.
 * They are axes of the value, each named once.
 */
export function over(call: TypeCall, what: string, type: Computable, at = 'x'): readonly AxisVar[] | TypeProblem {
  const written = call.axes.get('over');
  if (written === undefined) {
    if (type.kind === 'route') return type.targets;
    if (type.axes.length === 1) return type.axes;
    const [first] = type.axes;
    if (first === undefined) return { code: 'MOE0332', message: `${what} runs over an axis, a scalar has none`, at };
    return {
      code: 'MOE0336',
      message: `this has the axes ${list(call, type.axes)}: ${what} needs to know over which`,
      at,
      help: `${what}(…, over: ${call.nameOf(first)})`,
    };
  }
  return checkOver(call, written, type, at) ?? written;
}

/** The problem of axes that are named twice or that the value does not have. */
export function checkOver(
  call: TypeCall,
  axes: readonly AxisVar[],
  type: Computable,
  at: string,
  named = 'over',
): TypeProblem | null {
  return distinct(call, axes, named) ?? lacks(call, axes, type, at, named);
}

function lacks(
  call: TypeCall,
  axes: readonly AxisVar[],
  type: Computable,
  at: string,
  named: string,
): TypeProblem | null {
  const missing = axes.find((axis) => !hasAxis(axesOfType(type), axis));
  if (missing === undefined) return null;
  return {
    code: 'MOE0332',
    message: `${at === 'x' ? 'this value' : at} has no axis ${call.nameOf(missing)}, it is ${format(call, type)}`,
    at: named,
  };
}

export function distinct(call: TypeCall, axes: readonly AxisVar[], named: string): TypeProblem | null {
  const twice = axes.find((axis, i) => axes.findIndex((other) => sameAxis(axis, other)) < i);
  if (twice === undefined) return null;
  return { code: 'MOE0340', message: `${call.nameOf(twice)} is named twice`, at: named };
}

/** Refuses a new axis that a value already has. */
export function fresh(
  call: TypeCall,
  axis: AxisVar,
  axes: readonly AxisVar[],
  what: string,
  at: string,
): TypeProblem | null {
  if (!hasAxis(axes, axis)) return null;
  const name = call.nameOf(axis);
  return {
    code: 'MOE0333',
    message: `${what} already has the axis ${name}`,
    at,
    help: `rename it first: rename(…, ${name}: ${name}')`,
  };
}

/** A number chosen at run time: a scalar, or one with (only) some of these axes. */
export function runTimeNumber(
  call: TypeCall,
  name: string,
  axes: readonly AxisVar[],
  element: 'i32' | 'float',
): TypeProblem | null {
  if (!call.args.has(name)) return null;
  const type = denseArgument(call, name);
  if (isProblem(type)) return type;
  const fits = element === 'i32' ? type.element === 'i32' : isFloat(type.element);
  if (!fits) {
    const wanted = element === 'i32' ? 'i32' : 'f32';
    const help = element === 'i32' ? 'convert it: i32(floor(…))' : 'convert it: f32(…)';
    return { code: 'MOE0330', message: `${name} is ${wanted}, this is ${type.element}`, at: name, help };
  }
  if (isSubset(type.axes, axes)) return null;
  const others = withoutAxes(type.axes, axes);
  return {
    code: 'MOE0341',
    message: `this number differs along ${list(call, others)}, where there is only one choice to make`,
    at: name,
  };
}

/** A selection's result: what is not chosen among is the batch. */
export function selected(
  axes: readonly AxisVar[],
  targets: readonly AxisVar[],
  element: ElementType,
): { readonly type: RouteType } {
  return { type: { kind: 'route', element, sources: withoutAxes(axes, targets), targets, payload: [] } };
}

/** Indices: i32, of this axis if they say of which. A twin's points are the axis's. */
export function indices(call: TypeCall, name: string, axis: AxisVar): TensorType | TypeProblem {
  const type = denseArgument(call, name);
  if (isProblem(type)) return type;
  if (type.element !== 'i32') {
    // A mask as an index is another language's way to choose points.
    const help =
      type.element === 'bool'
        ? 'what a condition chooses by data: `where(c, x, 0)`, or of a route `keep(r, c)`; the points themselves have no axis here'
        : 'convert it: i32(…)';
    return { code: 'MOE0330', message: `indices are i32, this is ${type.element}`, at: name, help };
  }
  if (type.within !== undefined && type.within.axis !== axis.axis) {
    const message = `these indices are in ${call.nameOf(type.within)}, not in ${call.nameOf(axis)}`;
    return { code: 'MOE0338', message, at: name };
  }
  return type;
}

export function tensor(element: ElementType, axes: readonly AxisVar[], within?: AxisVar): Inferred {
  return { type: { kind: 'tensor', element, axes, ...(within === undefined ? {} : { within }) } };
}

/** `T, B and E`. */
export function list(call: Naming, axes: readonly AxisVar[]): string {
  const names = axes.map((axis) => call.nameOf(axis));
  const last = names.pop() ?? 'none';
  return names.length === 0 ? last : `${names.join(', ')} and ${last}`;
}

/** A type as the language writes it: `[T, D]`, `i32[T] in V`, `route[T -> E] of [D]`; of a route of i32 or bool also that. */
export function format(call: Naming, type: ValueType): string {
  const names = (axes: readonly AxisVar[]): string => axes.map((axis) => call.nameOf(axis)).join(', ');
  switch (type.kind) {
    case 'tuple':
      return `(${type.items.map((item) => `${item.name === undefined ? '' : `${item.name}: `}${format(call, item.type)}`).join(', ')})`;
    case 'tensor': {
      const prefix = type.element === 'f32' && type.axes.length > 0 ? '' : type.element;
      const axes = type.axes.length > 0 ? `[${names(type.axes)}]` : '';
      return `${prefix}${axes}${type.within === undefined ? '' : ` in ${call.nameOf(type.within)}`}`;
    }
    case 'route': {
      const inside = type.sources.length > 0 ? `${names(type.sources)} -> ${names(type.targets)}` : names(type.targets);
      // What is not f32 is said, as of a tensor.
      const element = type.element === 'f32' ? '' : type.element;
      const values = type.payload.length > 0 ? `${element}[${names(type.payload)}]` : element;
      return `route[${inside}]${values === '' ? '' : ` of ${values}`}`;
    }
  }
}
