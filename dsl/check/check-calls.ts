/**
 * Calls of families (SEMANTICS 5.2): declared axes of a formal are consumed whole, every other axis of an argument is carried,
 * the result has the family's axes, the carried ones and its own. A route given for a tensor is lifted: the call happens where
 * the route is present.
 */
import type { Span } from '../diagnostics/diagnostic.ts';
import { hasAxis, isSubset, sameAxes, sharedAxes, uniteAxes, withoutAxes, axesOfType } from '../types/axes.ts';
import { coerce, coerceElement, embed, type WrittenType } from './check-coercions.ts';
import { denseHelp } from '../primitives/operand-typing.ts';
import type { Context } from './context.ts';
import type { AxisVar, Expr, RouteType, TensorType, ValueType } from '../types/program.ts';
import { errorValue, type Family, type FormalInfo, type NameScope, type CheckedValue } from './name-scope.ts';
import { formatAxes, formatType, listAxes, supportOf } from './types.ts';
import { at, untypedByConversion, reportFamily, typedValue } from './values.ts';

/** An argument as it was given: its value and where it stands. */
export interface BoundArgument {
  readonly value: CheckedValue;
  readonly span: Span;
}

/** An argument that fits its formal. */
interface Matched {
  readonly expr: Expr;
  /** Dense axes that are carried: those of a tensor, or of a lifted route's payload. */
  readonly dense: readonly AxisVar[];
  /** Axes that a route given for a route carries. */
  readonly support: readonly AxisVar[];
  /** A route given for a tensor: the call is lifted over it. */
  readonly lifted: RouteType | null;
}

/** Types a call of a family with arguments in the order of its formals. */
export function callFamily(
  cx: Context,
  scope: NameScope,
  family: Family,
  given: readonly BoundArgument[],
  span: Span,
): CheckedValue {
  if (given.length !== family.formals.length) {
    const formals = family.formals.map(
      (f) => `${f.name}${f.type === null ? '' : `: ${formatType(f.type, cx.nameOf)}`}`,
    );
    const count = family.formals.length;
    cx.report('MOE0306', span, {
      message: `${family.name} takes ${count} ${count === 1 ? 'argument' : 'arguments'}, this gives ${given.length}`,
      help: `${family.name}(${formals.join(', ')})`,
    });
    return errorValue;
  }
  const matched: Matched[] = [];
  family.formals.forEach((formal, i) => {
    const argument = given[i];
    const match =
      argument === undefined || formal.type === null
        ? null
        : matchArgument(cx, { ...formal, of: family }, formal.type, argument);
    if (match !== null) matched.push(match);
  });
  if (matched.length !== given.length || family.result === null) return errorValue;

  const carried = matched.reduce<readonly AxisVar[]>((all, m) => uniteAxes(uniteAxes(all, m.support), m.dense), []);
  const lifts = matched.flatMap((m) => (m.lifted === null ? [] : [m.lifted]));
  const outer = lifts.reduce<readonly AxisVar[]>((all, r) => uniteAxes(all, supportOf(r)), carried);
  if (!resultIsFree(cx, family, family.result, matched, span)) return errorValue;
  if (family.role === 'entry' && outer.length > 0) {
    cx.report('MOE0320', span, {
      message: `the entry ${family.name} is called with exactly its axes, this would carry ${listAxes(outer, cx.nameOf)}`,
      help: 'move its body to a fn, which may be carried',
    });
    return errorValue;
  }
  checkUpdates(cx, scope, family, withoutAxes(outer, family.axes), span);

  const type = resultType(family.result, uniteAxes(family.axes, carried), lifts);
  const expr: Expr = {
    kind: 'call',
    callee: at(family.expr, family.expr.span),
    args: matched.map((m) => m.expr),
    type,
    span,
  };
  cx.called.set(expr, family);
  return family.traits.untyped ? untypedByConversion(expr) : typedValue(expr);
}

function matchArgument(cx: Context, formal: FormalInfo, type: ValueType, argument: BoundArgument): Matched | null {
  const { value } = argument;
  const written: WrittenType = { what: formal.name, span: formal.span };
  if (value.kind === 'error') return null;
  if (value.kind === 'family') {
    reportFamily(cx, value.family, argument.span);
    return null;
  }
  const plain = (expr: Expr | null): Matched | null =>
    expr === null ? null : { expr, dense: [], support: [], lifted: null };
  if (value.kind === 'static' || value.kind === 'tuple' || type.kind === 'tuple')
    return plain(coerce(cx, value, type, written, argument.span));
  const typed = value.typedAs !== null && type.element !== 'bool' ? value.typedAs(type.element) : value.expr;
  const from = typed.type;
  if (from.kind === 'tuple') {
    cx.report('MOE0307', argument.span, {
      message: `${formal.name} is ${formatType(type, cx.nameOf)}, this is a tuple of ${from.items.length}`,
      help: 'take it apart with `let (a, b) = …`',
    });
    return null;
  }
  if (type.kind === 'route') {
    return from.kind === 'route'
      ? matchRoute(cx, formal, type, typed, from, written, argument.span)
      : plain(coerce(cx, value, type, written, argument.span));
  }
  const expr = coerceElement(cx, typed, from, type, written, argument.span);
  if (expr === null || !withinFits(cx, formal, type, from, argument.span)) return null;
  return from.kind === 'route'
    ? matchLifted(cx, formal, type, expr, from, argument.span)
    : matchTensor(cx, formal, type, expr, from, argument.span);
}

function withinFits(
  cx: Context,
  formal: FormalInfo,
  type: TensorType,
  from: TensorType | RouteType,
  span: Span,
): boolean {
  if (
    from.kind === 'route' ||
    from.within === undefined ||
    type.within === undefined ||
    from.within.axis === type.within.axis
  )
    return true;
  cx.report('MOE0307', span, {
    message: `${formal.name} indexes ${cx.nameOf(type.within)}, these indices are in ${cx.nameOf(from.within)}`,
    labels: [{ span: formal.span, text: `${formal.name} is declared here` }],
  });
  return false;
}

function matchTensor(
  cx: Context,
  formal: FormalInfo,
  type: TensorType,
  expr: Expr,
  from: TensorType,
  span: Span,
): Matched | null {
  const missing = withoutAxes(type.axes, from.axes);
  if (missing.length === 0) return { expr, dense: withoutAxes(from.axes, type.axes), support: [], lifted: null };
  if (from.axes.length === 0)
    return { expr: { kind: 'coerce', value: expr, type, span: expr.span }, dense: [], support: [], lifted: null };
  reportLacks(cx, formal, type, missing, formatType(from, cx.nameOf), from.axes, span);
  return null;
}

function reportLacks(
  cx: Context,
  formal: FormalInfo,
  type: ValueType,
  missing: readonly AxisVar[],
  found: string,
  have: readonly AxisVar[],
  span: Span,
): void {
  const [one] = missing;
  const twin = one === undefined ? undefined : have.find((a) => a.axis === one.axis);
  cx.report('MOE0302', span, {
    message: `${formal.name} needs the ${missing.length === 1 ? 'axis' : 'axes'} ${listAxes(missing, cx.nameOf)}, this is ${found}`,
    labels: [{ span: formal.span, text: `${formal.name} is ${formatType(type, cx.nameOf)}` }],
    help:
      one !== undefined && twin !== undefined
        ? `rename it: rename(…, ${cx.nameOf(twin)}: ${cx.nameOf(one)})`
        : anotherInstance(cx, formal, type, missing, have),
  });
}

/** An instance binds the axes of its template: of a value that has another axis in that place, another instance is meant. */
function anotherInstance(
  cx: Context,
  formal: FormalInfo,
  type: ValueType,
  missing: readonly AxisVar[],
  have: readonly AxisVar[],
): string | undefined {
  const family = formal.of;
  const [one] = missing;
  if (family?.template === undefined || one === undefined || missing.length > 1) return undefined;
  const parameter = [...family.bound].find(([, axis]) => axis.axis === one.axis && axis.primes === one.primes)?.[0];
  const name = parameter === undefined ? undefined : cx.axes.get(parameter)?.name;
  // Features have a size of their own, tokens that of the run.
  const others = withoutAxes(have, axesOfType(type));
  const other = others.findLast((a) => !cx.isDynamic(a.axis)) ?? others.at(-1);
  if (name === undefined || other === undefined) return undefined;
  const keyword = family.role === 'expert' ? 'experts' : family.role;
  return `an instance over another axis: \`${keyword} ${family.name} = ${family.template}<${name}: ${cx.nameOf(other)}>\``;
}

function matchLifted(
  cx: Context,
  formal: FormalInfo,
  type: TensorType,
  expr: Expr,
  from: RouteType,
  span: Span,
): Matched | null {
  const sparse = sharedAxes(type.axes, supportOf(from));
  if (sparse.length > 0) {
    cx.report('MOE0401', span, {
      message: `${formal.name} reads all along ${listAxes(sparse, cx.nameOf)}, over which this is sparse`,
      labels: [{ span: formal.span, text: `${formal.name} is ${formatType(type, cx.nameOf)}` }],
      help: denseHelp(cx, from),
    });
    return null;
  }
  const missing = withoutAxes(type.axes, from.payload);
  if (missing.length > 0) {
    reportLacks(cx, formal, type, missing, formatType(from, cx.nameOf), axesOfType(from), span);
    return null;
  }
  return { expr, dense: withoutAxes(from.payload, type.axes), support: [], lifted: from };
}

function matchRoute(
  cx: Context,
  formal: FormalInfo,
  type: RouteType,
  expr: Expr,
  from: RouteType,
  written: WrittenType,
  span: Span,
): Matched | null {
  const typed = coerceElement(cx, expr, from, type, written, span);
  if (typed === null) return null;
  const want = supportOf(type);
  const have = supportOf(from);
  if (!isSubset(want, have)) {
    const embedded = embed(cx, typed, from, want, span);
    if (embedded === 'ambiguous') return null;
    if (embedded !== null && embedded.type.kind === 'route')
      return matchRoute(cx, formal, type, embedded, embedded.type, written, span);
    reportLacks(cx, formal, type, withoutAxes(want, have), formatType(from, cx.nameOf), have, span);
    return null;
  }
  if (!isSubset(type.payload, from.payload)) {
    reportLacks(
      cx,
      formal,
      type,
      withoutAxes(type.payload, from.payload),
      formatType(from, cx.nameOf),
      from.payload,
      span,
    );
    return null;
  }
  const support = withoutAxes(have, want);
  const dense = withoutAxes(from.payload, type.payload);
  if (sameAxes(from.targets, type.targets)) return { expr: typed, dense, support, lifted: null };
  const turned: RouteType = {
    ...from,
    element: type.element,
    sources: [...support, ...type.sources],
    targets: type.targets,
  };
  return { expr: { kind: 'coerce', value: typed, type: turned, span: typed.span }, dense, support, lifted: null };
}

/** An argument may not already have an axis that the result adds. */
function resultIsFree(
  cx: Context,
  family: Family,
  result: ValueType,
  matched: readonly Matched[],
  span: Span,
): boolean {
  const added = result.kind === 'tuple' ? result.items.flatMap((i) => axesOfType(i.type)) : axesOfType(result);
  for (const match of matched) {
    const carried = [...match.support, ...match.dense, ...(match.lifted === null ? [] : supportOf(match.lifted))];
    const clash = carried.find((a) => hasAxis(added, a));
    if (clash === undefined) continue;
    const name = cx.nameOf(clash);
    cx.report('MOE0303', match.expr.span, {
      message: `this already has the axis ${name}, which ${family.name} adds`,
      labels: [{ span, text: `${family.name} gives ${formatType(result, cx.nameOf)}` }],
      help: `rename it: rename(…, ${name}: ${name}')`,
    });
    return false;
  }
  return true;
}

function resultType(result: ValueType, axes: readonly AxisVar[], lifts: readonly RouteType[]): ValueType {
  if (result.kind === 'tuple') {
    return { kind: 'tuple', items: result.items.map((i) => ({ ...i, type: resultType(i.type, axes, lifts) })) };
  }
  const targets = lifts.reduce<readonly AxisVar[]>((all, r) => uniteAxes(all, r.targets), []);
  const sources = withoutAxes(
    lifts.reduce<readonly AxisVar[]>((all, r) => uniteAxes(all, r.sources), []),
    targets,
  );
  if (result.kind === 'route') {
    const support = uniteAxes([...targets, ...sources], axes);
    return { ...result, sources: uniteAxes(support, result.sources) };
  }
  if (lifts.length === 0) return { ...result, axes: uniteAxes(axes, result.axes) };
  const payload = withoutAxes(uniteAxes(axes, result.axes), [...sources, ...targets]);
  return { kind: 'route', element: result.element, sources, targets, payload };
}

/** An update is of a whole instance: a call that is carried would make several values for one state. */
function checkUpdates(cx: Context, scope: NameScope, family: Family, carried: readonly AxisVar[], span: Span): void {
  const { updates } = family.traits;
  if (updates === null) return;
  if (carried.length > 0) {
    const axes = formatAxes(carried, cx.nameOf);
    cx.report('MOE0325', span, {
      message: `${family.name} updates ${updates.state}, and this call carries ${listAxes(carried, cx.nameOf)}: which of the values is meant?`,
      labels: [{ span: updates.span, text: 'the update' }],
      help: `name ${axes} in the signature of ${family.name} and reduce over ${carried.length === 1 ? 'it' : 'them'}`,
    });
    return;
  }
  scope.owner.found.updates ??= { state: updates.state, span };
}
