/**
 * The parameters of a template: those in `<…>`, each an axis or a number, and the axes of its signature that nothing declares.
 *
 * A parameter in `<…>` that is never used as an axis is a number. "Used as an axis" is read off the text: it stands in a type, in
 * a family, at a label, or is given for an axis.
 */
import type * as ast from '../syntax/ast.ts';
import { visit, type Visitor } from '../syntax/visit.ts';
import type { Context } from './context.ts';
import type { DeclarationId, ProgramAxisId } from '../types/ids.ts';
import type { AxisDeclaration, ConstDeclaration } from '../types/program.ts';
import { type NameScope, type Template, type TemplateAxis, type TemplateNumber } from './name-scope.ts';
import { primitivesNamed } from '../primitives/primitive-table.ts';
import { isPredefined } from './shadowing.ts';
import { staticOf } from './values.ts';

/** What an expert, router, fn and entry have in common. */
export interface CallableSyntax {
  readonly name: ast.Ident;
  readonly span: ast.Span;
  readonly role: ast.CallableDecl['role'] | 'entry';
  readonly generics?: readonly ast.Generic[];
  readonly family?: readonly ast.AstFamilyAxis[];
  readonly signature: ast.Signature;
  readonly body: ast.Body;
  readonly docs: string;
}

export interface TemplateParameters {
  readonly order: Template['parameters'];
  readonly axes: readonly TemplateAxis[];
  readonly numbers: readonly TemplateNumber[];
  /** One of them has a mistake: instances say nothing. */
  readonly broken: boolean;
  readonly declarations: { readonly axes: readonly AxisDeclaration[]; readonly numbers: readonly ConstDeclaration[] };
}

/** Declares the parameters of a template in the scope of its head. */
export function templateParameters(cx: Context, scope: NameScope, callable: CallableSyntax): TemplateParameters {
  const asAxes = namesUsedAsAxes(callable, scope);
  const inSignature = signatureAxes(callable.signature);
  let broken = false;
  const order: { name: string; kind: 'axis' | 'number' }[] = [];
  const axes: TemplateAxis[] = [];
  const numbers: TemplateNumber[] = [];
  const declarations: { axes: AxisDeclaration[]; numbers: ConstDeclaration[] } = { axes: [], numbers: [] };
  for (const generic of callable.generics ?? []) {
    const { text: name, span } = generic.name;
    if (isPredefined(name) || name === 'train') {
      cx.report('MOE0203', span, { message: `${name} is a name of the language`, help: 'choose another name' });
      broken = true;
      continue;
    }
    if (scope.own(name) !== null) {
      cx.report('MOE0202', span, { message: `${callable.name.text} has two parameters called ${name}` });
      broken = true;
      continue;
    }
    if (asAxes.has(name)) {
      const id = cx.fresh<ProgramAxisId>();
      const initial = generic.initial === undefined ? null : axisInitial(cx, scope, generic.initial);
      declarations.axes.push(cx.axis({ kind: 'axis', id, name, span, of: { kind: 'parameter' } }));
      axes.push({ id, name, explicit: true, inSignature: inSignature.has(name), initial });
      scope.set(name, { kind: 'axis', axis: { axis: id, primes: 0 } }, span);
    } else {
      const id = cx.fresh<DeclarationId>();
      const initial = generic.initial === undefined ? null : staticOf(cx, scope, generic.initial, 'number');
      declarations.numbers.push(cx.const({ kind: 'const', id, name, span, type: 'number', value: null }));
      numbers.push({ id, name, initial });
      scope.set(name, { kind: 'const', decl: id, type: 'number' }, span);
    }
    order.push({ name, kind: asAxes.has(name) ? 'axis' : 'number' });
  }
  for (const [name, span] of inSignature) {
    if (scope.lookup(name) !== null || isPredefined(name)) continue;
    const id = cx.fresh<ProgramAxisId>();
    declarations.axes.push(cx.axis({ kind: 'axis', id, name, span, of: { kind: 'parameter' } }));
    axes.push({ id, name, explicit: false, inSignature: true, initial: null });
    scope.set(name, { kind: 'axis', axis: { axis: id, primes: 0 } }, span);
  }
  return { order, axes, numbers, broken, declarations };
}

function axisInitial(cx: Context, scope: NameScope, expr: ast.AstExpr): TemplateAxis['initial'] {
  if (expr.kind === 'Name') {
    const entity = scope.lookup(expr.name)?.binding.entity;
    if (entity?.kind === 'axis') return { kind: 'axis', axis: { axis: entity.axis.axis, primes: expr.primes } };
  }
  const size = staticOf(cx, scope, expr, 'number');
  return size === null ? null : { kind: 'size', size };
}

function signatureAxes(signature: ast.Signature): ReadonlyMap<string, ast.Span> {
  const found = new Map<string, ast.Span>();
  const add = (axis: ast.AxisName) => {
    if (!found.has(axis.name)) found.set(axis.name, { ...axis.span, end: axis.span.end - axis.primes });
  };
  for (const { type } of [...signature.formals, ...signature.results]) {
    if (type.kind === 'RouteType') [...type.sources, ...type.targets, ...type.payload].forEach(add);
    else {
      type.axes.forEach(add);
      if (type.within !== undefined) add(type.within);
    }
  }
  return found;
}

/** Names that stand where only an axis can. */
function namesUsedAsAxes(callable: CallableSyntax, scope: NameScope): ReadonlySet<string> {
  const found = new Set<string>();
  const addNames = (expr: ast.AstExpr): void => {
    if (expr.kind === 'Name') found.add(expr.name);
    if (expr.kind === 'Tuple') expr.items.forEach(addNames);
  };
  const visitor: Visitor = {
    AxisName: ({ name }) => void found.add(name),
    Name: ({ name, primes }) => void (primes > 0 && found.add(name)),
    // One of `over:` and its like, or an axis.
    NameLabel: ({ name }) => void found.add(name),
    Call: ({ callee, args }) => axisArguments(callee, args, 0).forEach(addNames),
    Pipe: ({ callee, args }) => axisArguments(callee, args, 1).forEach(addNames),
    Index: ({ target, indices }) => {
      if (isMadeTarget(target)) for (const { index } of indices) addNames(index);
    },
    Instance: ({ template, args }) => axesGiven(scope, template, args ?? []).forEach(addNames),
  };
  visit('Signature', callable.signature, visitor);
  visit('Body', callable.body, visitor);
  for (const axis of callable.family ?? []) visit('FamilyAxis', axis, visitor);
  return found;
}

function isMadeTarget(target: ast.AstExpr): boolean {
  return target.kind === 'Name' && primitivesNamed(target.name).some((p) => p.syntax === 'made');
}

/** Arguments of primitives that are axes: by the parameter's kind, or the right side of a pair. `skip`: arguments before the first. */
function axisArguments(callee: ast.AstExpr, args: readonly ast.Arg[], skip: number): readonly ast.AstExpr[] {
  if (callee.kind !== 'Name') return [];
  const rules = primitivesNamed(callee.name);
  let position = skip;
  return args.flatMap(({ label, value }) => {
    const index = label === undefined ? position++ : -1;
    return rules.flatMap((rule) => {
      const parameter =
        label === undefined
          ? rule.parameters.filter((p) => p.positional)[index]
          : rule.parameters.find((p) => label.kind === 'NameLabel' && p.name === label.name);
      const isPair = parameter === undefined && label !== undefined && rule.pairs !== undefined;
      return parameter?.kind === 'axes' || isPair ? [value] : [];
    });
  });
}

/** `Rope<C>`: an argument is an axis if the template's parameter is one. */
function axesGiven(scope: NameScope, template: ast.Ident, args: readonly ast.GenericArg[]): readonly ast.AstExpr[] {
  const entity = scope.lookup(template.text)?.binding.entity;
  if (entity?.kind !== 'template') return [];
  const { parameters, axes } = entity.template;
  let position = 0;
  return args.flatMap(({ name, value }) => {
    const parameter = name === undefined ? parameters[position++]?.name : name.text;
    return axes.some((a) => a.name === parameter) ? [value] : [];
  });
}
