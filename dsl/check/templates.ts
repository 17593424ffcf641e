/**
 * Templates and their instances (SEMANTICS 2.5): every parameter is bound once, by position, by name, by its default, or, for an
 * axis of the signature that the template's file does not declare, to the axis of the same name where the instance stands.
 * Nothing is inferred from argument types.
 */
import type * as ast from '../syntax/ast.ts';
import type { Span } from '../diagnostics/diagnostic.ts';
import { nameHelp, type Context } from './context.ts';
import { boundaryAxes } from './check-families.ts';
import { resolveAxis } from './lookup.ts';
import type { DeclarationId, ProgramAxisId } from '../types/ids.ts';
import type { AxisVar, FamilyAxis, InstanceDeclaration, Static, ValueType } from '../types/program.ts';
import type { Family, NameScope, Template, TemplateAxis, TemplateNumber } from './name-scope.ts';
import { formatType, repeatedAxes, substituteType } from './types.ts';

export interface Bindings {
  readonly axes: InstanceDeclaration['axes'];
  readonly numbers: ReadonlyMap<DeclarationId, Static>;
  /** The axes that became axes of the place of the instance. */
  readonly bound: ReadonlyMap<ProgramAxisId, AxisVar>;
}

type AxisBinding = { readonly kind: 'axis'; readonly axis: AxisVar } | { readonly kind: 'size'; readonly size: Static };

/** Binds the parameters of a template for an instance in `scope`; null after diagnostics. */
export function bindTemplate(
  cx: Context,
  scope: NameScope,
  template: Template,
  args: readonly ast.GenericArg[],
  span: Span,
): Bindings | null {
  const given = placeArguments(cx, template, args);
  if (given === null) return null;
  const axes = new Map<ProgramAxisId, AxisBinding>();
  const numbers = new Map<DeclarationId, Static>();
  const bound = new Map<ProgramAxisId, AxisVar>();
  let whole = true;

  const bindNumber = (parameter: TemplateNumber): void => {
    const arg = given.get(parameter.name);
    const value = arg === undefined ? parameter.initial : numberArgument(cx, scope, arg, parameter.name);
    if (value !== null) numbers.set(parameter.id, substituteStatic(value, axes, numbers));
    else {
      whole = false;
      if (arg === undefined)
        missing(cx, template, `the number ${parameter.name}`, `${template.name}<${parameter.name}: …>`, span);
    }
  };
  const bindAxis = (parameter: TemplateAxis): void => {
    const arg = given.get(parameter.name);
    const binding =
      arg === undefined
        ? unwritten(cx, scope, template, parameter, span)
        : axisArgument(cx, scope, template, parameter, arg);
    if (binding === null) {
      whole = false;
      return;
    }
    const settled: AxisBinding =
      binding.kind === 'size'
        ? { kind: 'size', size: substituteStatic(binding.size, axes, numbers) }
        : (sizeBoundTo(binding.axis, axes) ?? { kind: 'axis', axis: substituteBound(binding.axis, bound) });
    axes.set(parameter.id, settled);
    if (settled.kind === 'axis') bound.set(parameter.id, settled.axis);
  };
  // In the order of `<…>`, since a default may speak of any parameter before it; no default sees an axis that only the signature has.
  for (const { name, kind } of template.parameters) {
    if (kind === 'number') template.numbers.filter((n) => n.name === name).forEach(bindNumber);
    else template.axes.filter((a) => a.name === name).forEach(bindAxis);
  }
  template.axes.filter((a) => !a.explicit).forEach(bindAxis);
  if (!whole || !boundaryIsDistinct(cx, template, bound, span)) return null;
  return { axes, numbers, bound };
}

/** `<A, B = A>` where A was given a size: B is another axis of that size. */
function sizeBoundTo(axis: AxisVar, axes: ReadonlyMap<ProgramAxisId, AxisBinding>): AxisBinding | null {
  const to = axes.get(axis.axis);
  return to?.kind === 'size' ? to : null;
}

function substituteBound(axis: AxisVar, bound: ReadonlyMap<ProgramAxisId, AxisVar>): AxisVar {
  const to = bound.get(axis.axis);
  return to === undefined ? axis : { axis: to.axis, primes: to.primes + axis.primes };
}

/** Arguments by the name of their parameter. */
function placeArguments(
  cx: Context,
  template: Template,
  args: readonly ast.GenericArg[],
): ReadonlyMap<string, ast.GenericArg> | null {
  const argumentOf = new Map<string, ast.GenericArg>();
  let position = 0;
  for (const arg of args) {
    const name = arg.name?.text ?? template.parameters[position]?.name;
    if (arg.name === undefined) position++;
    if (name === undefined) {
      const count = template.parameters.length;
      cx.report('MOE0404', arg.span, {
        message: `${template.name} has ${count === 0 ? 'no parameters' : `${count} ${count === 1 ? 'parameter' : 'parameters'}`} in <…>, this is one more`,
        labels: [{ span: template.span, text: `${template.name} is declared here` }],
        help: 'another axis of it is given by name: Name<F, D: Model>',
      });
      return null;
    }
    const names = [...template.parameters.map((p) => p.name), ...template.axes.map((a) => a.name)];
    if (!names.includes(name)) {
      cx.report('MOE0404', arg.name?.span ?? arg.span, {
        message: `${template.name} has no parameter called ${name}`,
        labels: [{ span: template.span, text: `${template.name} is declared here` }],
        ...nameHelp(name, arg.name?.span ?? arg.span, names),
      });
      return null;
    }
    if (argumentOf.has(name)) {
      cx.report('MOE0404', arg.span, { message: `${name} is given twice` });
      return null;
    }
    argumentOf.set(name, arg);
  }
  return argumentOf;
}

function numberArgument(cx: Context, scope: NameScope, arg: ast.GenericArg, name: string): Static | null {
  const value = cx.expr({ scope, points: null }, arg.value);
  if (value.kind === 'error') return null;
  if (value.kind === 'static' && value.value.type === 'number') return value.value;
  cx.report('MOE0404', arg.value.span, { message: `${name} is a number known when compiling` });
  return null;
}

function axisArgument(
  cx: Context,
  scope: NameScope,
  template: Template,
  parameter: TemplateAxis,
  arg: ast.GenericArg,
): AxisBinding | null {
  const { value } = arg;
  if (value.kind === 'Name') {
    const entity = scope.lookup(value.name)?.binding.entity;
    if (entity === undefined || entity.kind === 'axis' || entity.kind === 'error' || parameter.inSignature) {
      const axis = resolveAxis(cx, scope, value.name, value.primes, value.span);
      return axis === null ? null : { kind: 'axis', axis };
    }
  }
  const size = numberArgument(cx, scope, arg, parameter.name);
  if (size === null) return null;
  if (parameter.inSignature) {
    cx.report('MOE0404', value.span, {
      message: `${parameter.name} is an axis of what ${template.name} takes and gives: an axis is wanted here, not a size`,
      help: `declare one: axis ${parameter.name} = …`,
    });
    return null;
  }
  return { kind: 'size', size };
}

/** An axis that the instance does not give: its default, or the axis of that name. */
function unwritten(
  cx: Context,
  scope: NameScope,
  template: Template,
  parameter: TemplateAxis,
  span: Span,
): AxisBinding | null {
  if (parameter.initial !== null) return parameter.initial;
  if (parameter.explicit) {
    missing(cx, template, `the axis ${parameter.name}`, `${template.name}<${parameter.name}: …>`, span);
    return null;
  }
  const entity = scope.lookup(parameter.name)?.binding.entity;
  if (entity?.kind === 'axis') return { kind: 'axis', axis: entity.axis };
  if (entity?.kind === 'error' || entity?.kind === 'pending') return null;
  cx.reportUnknown(`axis ${parameter.name}`, 'MOE0405', span, {
    message: `${template.name} needs an axis ${parameter.name}, which is not declared here`,
    labels: [{ span: template.span, text: `${template.name} is declared here` }],
    help: `declare one, or make an instance with another: ${template.role === 'expert' ? 'experts' : template.role} name = ${template.name}<${parameter.name}: …>`,
  });
  return null;
}

function missing(cx: Context, template: Template, what: string, how: string, span: Span): void {
  cx.report('MOE0405', span, {
    message: `${template.name} needs ${what}`,
    labels: [{ span: template.span, text: `${template.name} is declared here` }],
    help: `give it: ${how}`,
  });
}

/** Two axes of one boundary type may not become the same axis. */
function boundaryIsDistinct(
  cx: Context,
  template: Template,
  bound: ReadonlyMap<ProgramAxisId, AxisVar>,
  span: Span,
): boolean {
  const types: ValueType[] = [...template.formals.map((f) => f.type), template.result].filter((t) => t !== null);
  for (const type of types.flatMap((t) => (t.kind === 'tuple' ? t.items.map((i) => i.type) : [t]))) {
    const here = substituteType(type, bound);
    const axes =
      here.kind === 'tensor'
        ? here.axes
        : here.kind === 'route'
          ? [...here.sources, ...here.targets, ...here.payload]
          : [];
    const [twice] = repeatedAxes(axes);
    if (twice === undefined) continue;
    cx.report('MOE0406', span, {
      message: `${formatType(type, cx.nameOf)} of ${template.name} becomes ${formatType(here, cx.nameOf)}, with ${cx.nameOf(twice)} twice`,
      labels: [{ span: template.span, text: `${template.name} is declared here` }],
      help: 'declare a second axis of that size, and rename the argument',
    });
    return false;
  }
  return true;
}

/** A static of a template, for one instance. */
function substituteStatic(
  value: Static,
  axes: ReadonlyMap<ProgramAxisId, AxisBinding>,
  numbers: ReadonlyMap<DeclarationId, Static>,
): Static {
  switch (value.kind) {
    case 'const':
      return numbers.get(value.decl) ?? value;
    case 'size': {
      const binding = axes.get(value.axis.axis);
      if (binding === undefined) return value;
      if (binding.kind === 'size') return binding.size;
      return { ...value, axis: { axis: binding.axis.axis, primes: binding.axis.primes + value.axis.primes } };
    }
    case 'op':
      return { ...value, args: value.args.map((a) => substituteStatic(a, axes, numbers)) };
    case 'if':
      return {
        ...value,
        condition: substituteStatic(value.condition, axes, numbers),
        then: substituteStatic(value.then, axes, numbers),
        else: substituteStatic(value.else, axes, numbers),
      };
    default:
      return value;
  }
}

/** The family that an instance is. `family` may not share an axis with what it takes and gives. */
export function instanceFamily(
  cx: Context,
  template: Template,
  bindings: Bindings,
  instance: {
    readonly id: DeclarationId;
    readonly name: string;
    readonly span: Span;
    readonly family: readonly FamilyAxis[];
  },
): Family | null {
  const substitute = (type: ValueType | null) => (type === null ? null : substituteType(type, bindings.bound));
  const axes = instance.family.map((f) => f.axis);
  const formals = template.formals.map((f) => ({ ...f, type: substitute(f.type) }));
  const result = substitute(template.result);
  const clash = boundaryAxes({ formals, result }).find((a) =>
    axes.some((b) => a.axis === b.axis && a.primes === b.primes),
  );
  if (clash !== undefined) {
    cx.report('MOE0408', instance.span, {
      message: `${instance.name} is a family over ${cx.nameOf(clash)}, which ${template.name} also takes or gives`,
      help: `inside, an instance does not see the axes of its family; declare another axis for one of the two`,
    });
    return null;
  }
  const expr = { kind: 'named', decl: instance.id, span: instance.span } as const;
  return {
    name: instance.name,
    role: template.role,
    expr,
    source: expr,
    axes,
    rootAxes: axes,
    formals,
    result,
    traits: template.traits,
    decl: instance.id,
    inner: template.inner,
    bound: bindings.bound,
    template: template.name,
  };
}

/**
 * A template called by its own name: legal when it stores nothing, since each call would be another instance. `written` are the
 * arguments that are names: of `SwiGLU(D, F)` the axes that were meant.
 */
export function directCall(
  cx: Context,
  scope: NameScope,
  template: Template,
  written: readonly string[],
  span: Span,
): Family | null {
  const axes = written.filter((name) => scope.lookup(name)?.binding.entity.kind === 'axis');
  const generics = template.parameters
    .filter((p) => p.kind === 'axis')
    .map((p, i) => (axes.includes(p.name) ? p.name : (axes[axes.length - template.parameters.length + i] ?? p.name)));
  const keyword = template.role === 'expert' ? 'experts' : template.role;
  if (template.traits.hasVariables) {
    cx.report('MOE0403', span, {
      message: `${template.name} is a template with params of its own: which ones are meant?`,
      labels: [{ span: template.span, text: `${template.name} is declared here` }],
      help: `make an instance and call that: \`${keyword} f = ${template.name}<${generics.join(', ')}>\``,
    });
    return null;
  }
  const bindings = bindTemplate(cx, scope, template, [], span);
  if (bindings === null || template.declaration === null) return null;
  const id = cx.fresh<DeclarationId>();
  scope.made.push({
    kind: 'instance',
    role: template.role,
    id,
    name: template.name,
    span,
    family: [],
    template: template.id,
    axes: bindings.axes,
    numbers: bindings.numbers,
    source: null,
  });
  return instanceFamily(cx, template, bindings, { id, name: template.name, span, family: [] });
}
