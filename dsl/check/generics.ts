/**
 * The parameters of a template: those in `<…>`, each an axis or a number, and the axes of its signature that nothing declares.
 *
 * A parameter in `<…>` that is never used as an axis is a number. "Used as an axis" is read off the text: it stands in a type, in
 * a family, at a label, or is given for an axis.
 */
import type * as ast from '../syntax/ast.ts';
import type { Context } from './context.ts';
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
  const order: { name: string; kind: 'axis' | 'number'; id: number }[] = [];
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
    const id = cx.fresh();
    if (asAxes.has(name)) {
      const initial = generic.initial === undefined ? null : axisInitial(cx, scope, generic.initial);
      declarations.axes.push(cx.axis({ kind: 'axis', id, name, span, of: { kind: 'parameter' } }));
      axes.push({ id, name, explicit: true, inSignature: inSignature.has(name), initial });
      scope.set(name, { kind: 'axis', axis: { axis: id, primes: 0 } }, span);
    } else {
      const initial = generic.initial === undefined ? null : staticOf(cx, scope, generic.initial, 'number');
      declarations.numbers.push(cx.const({ kind: 'const', id, name, span, type: 'number', value: null }));
      numbers.push({ id, name, initial });
      scope.set(name, { kind: 'const', decl: id, type: 'number' }, span);
    }
    order.push({ name, kind: asAxes.has(name) ? 'axis' : 'number', id });
  }
  for (const [name, span] of inSignature) {
    if (scope.lookup(name) !== null || isPredefined(name)) continue;
    const id = cx.fresh();
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
  const stack: object[] = [callable.signature, callable.body, ...(callable.family ?? [])];
  const addNames = (expr: unknown): void => {
    if (!isObject(expr) || !('kind' in expr)) return;
    if (expr.kind === 'Name' && 'name' in expr && typeof expr.name === 'string') found.add(expr.name);
    if (expr.kind === 'Tuple' && 'items' in expr && Array.isArray(expr.items)) expr.items.forEach(addNames);
  };
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    // AxisName and primed names; a label of an argument, which is one of `over:` and its like or an axis.
    if ('name' in node && 'primes' in node && typeof node.name === 'string') {
      const isPlainName = 'kind' in node && node.kind === 'Name' && node.primes === 0;
      if (!isPlainName) found.add(node.name);
    }
    if ('kind' in node && node.kind === 'Call' && 'callee' in node && 'args' in node)
      addArguments(node.callee, node.args, addNames);
    if ('kind' in node && node.kind === 'Pipe' && 'callee' in node && 'args' in node)
      addArguments(node.callee, node.args, addNames, 1);
    if ('kind' in node && node.kind === 'Index' && 'target' in node && 'indices' in node && isMadeTarget(node.target)) {
      if (Array.isArray(node.indices))
        for (const index of node.indices) if (isObject(index) && 'index' in index) addNames(index.index);
    }
    if ('kind' in node && node.kind === 'Instance' && 'template' in node && 'args' in node)
      addGenericArguments(scope, node.template, node.args, addNames);
    for (const [key, part] of Object.entries(node)) if (key !== 'span' && isObject(part)) stack.push(part);
  }
  return found;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function calledName(callee: unknown): string | null {
  return isObject(callee) &&
    'kind' in callee &&
    callee.kind === 'Name' &&
    'name' in callee &&
    typeof callee.name === 'string'
    ? callee.name
    : null;
}

function isMadeTarget(target: unknown): boolean {
  const name = calledName(target);
  return name !== null && primitivesNamed(name).some((p) => p.syntax === 'made');
}

/** Arguments of primitives that are axes: by the parameter's kind, or the right side of a pair. */
function addArguments(callee: unknown, args: unknown, add: (expr: unknown) => void, skip = 0): void {
  const name = calledName(callee);
  if (name === null || !Array.isArray(args)) return;
  const rules = primitivesNamed(name);
  let position = skip;
  for (const arg of args) {
    if (!isObject(arg) || !('value' in arg)) continue;
    const label =
      'label' in arg && isObject(arg.label) && 'name' in arg.label && typeof arg.label.name === 'string'
        ? arg.label.name
        : null;
    const labelled = 'label' in arg && isObject(arg.label);
    const place = labelled ? -1 : position++;
    for (const rule of rules) {
      const parameter = labelled
        ? rule.parameters.find((p) => p.name === label)
        : rule.parameters.filter((p) => p.positional)[place];
      if (parameter?.kind === 'axes' || (parameter === undefined && labelled && rule.pairs !== undefined))
        add(arg.value);
    }
  }
}

/** `Rope<C>`: an argument is an axis if the template's parameter is one. */
function addGenericArguments(scope: NameScope, template: unknown, args: unknown, add: (expr: unknown) => void): void {
  if (!isObject(template) || !('text' in template) || typeof template.text !== 'string' || !Array.isArray(args)) return;
  const entity = scope.lookup(template.text)?.binding.entity;
  if (entity?.kind !== 'template') return;
  let position = 0;
  for (const arg of args) {
    if (!isObject(arg) || !('value' in arg)) continue;
    const name =
      'name' in arg && isObject(arg.name) && 'text' in arg.name
        ? arg.name.text
        : entity.template.parameters[position++]?.name;
    if (entity.template.axes.some((a) => a.name === name)) add(arg.value);
  }
}
