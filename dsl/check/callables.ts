/**
 * Functions with a body: experts, routers, fns, entries, templates or single instances; and externs, without one.
 *
 * A body is checked once, under the axes that its signature names. What its callers have to know of it (does it update a state,
 * has it params) is in its traits; callees are read before callers, so the traits are there when they are needed.
 */
import type * as ast from '../syntax/ast.ts';
import type { DeclarationId, IndexId, LocalId } from '../types/ids.ts';
import { hasAxis } from '../types/axes.ts';
import { coerce } from './check-coercions.ts';
import type { Context } from './context.ts';
import { templateParameters, type CallableSyntax } from './generics.ts';
import { resolveAxisName } from './lookup.ts';
import { mentionsOfBody } from './mentions.ts';
import type { Block, CallableDeclaration, Declaration, FamilyAxis, Formal, ValueType } from '../types/program.ts';
import {
  finishBody,
  noTraits,
  NameScope,
  type Family,
  type FormalInfo,
  type Inner,
  type InnerMember,
  type Owner,
  type Template,
  type Traits,
  type CheckedValue,
} from './name-scope.ts';
import { checkType } from './type-exprs.ts';
import { formatAxes, mentionedAxes } from './types.ts';
import { usedAxes } from './used-axes.ts';
import { isWhole } from './values.ts';
import { mayName } from './shadowing.ts';

interface Signature {
  readonly formals: readonly FormalInfo[];
  readonly typed: readonly Formal[];
  readonly result: ValueType | null;
}

export function checkCallable(cx: Context, scope: NameScope, callable: CallableSyntax): readonly Declaration[] {
  const { name } = callable;
  const role = callable.role === 'experts' ? 'expert' : callable.role;
  const id = cx.fresh<DeclarationId>();
  const isTemplate = role === 'expert' || callable.generics !== undefined;
  const outer = new NameScope(scope, scope.owner);
  const parameters = isTemplate ? templateParameters(cx, outer, callable) : null;
  const family = checkFamily(cx, outer, callable.family ?? []);
  const found: Owner['found'] = { updates: null };
  const resultNames = callable.signature.results.flatMap((r) => (r.name === undefined ? [] : [r.name.text]));

  // Types of the signature are read outside of the boundary: they name axes, never values.
  const formalTypes = callable.signature.formals.map((f) => checkType(cx, outer, f.type));
  const result = checkResult(cx, outer, callable.signature);
  const named = [
    ...family.map((f) => f.axis),
    ...[...formalTypes, result].flatMap((t) => (t === null ? [] : mentionedAxes(t))),
  ];
  const owner: Owner = {
    family: [...scope.owner.family, ...family.map((f) => f.axis)],
    named: [...(scope.owner.named ?? []), ...named],
    name: name.text,
    role,
    resultNames,
    found,
  };
  const head = new NameScope(outer, owner, true);
  const signature = bindFormals(cx, outer, head, callable, formalTypes, result);
  for (const { axis, index, named: indexName } of family) {
    if (index === null || indexName === undefined || !mayName(cx, outer, indexName.text, indexName.span)) continue;
    head.set(indexName.text, { kind: 'index', index, axis }, indexName.span);
  }
  checkBoundary(cx, callable, role, family, signature);

  const body = cx.body(head, callable.body);
  const settled = coerce(
    cx,
    body.result,
    result,
    { what: `the result of ${name.text}`, span: callable.signature.results[0]?.type.span ?? null },
    body.span,
  );
  const block = finishBody(body, settled);
  const traits: Traits = {
    updates: found.updates,
    untyped: result?.kind === 'route' && givesUntyped(body.result),
    // What is called by a template's own name stores nothing (`directCall` sees to it).
    hasVariables: haveVariables(body.declarations.filter((d) => !body.scope.made.includes(d))),
  };
  const inner = innerOf(body.declarations, body.scope);
  const own = family.flatMap(({ index }) => (index === null ? [] : [index]));
  if (block !== null) cx.bodyIndices.set(id, mentionsOfBody(cx, block, own));
  const declaration = declarationOf(id, role, callable, parameters?.declarations ?? null, family, signature, block);

  if (parameters?.broken === true || family.length < (callable.family?.length ?? 0)) {
    scope.set(name.text, { kind: 'error' }, name.span);
  } else if (parameters !== null) {
    const template: Template = {
      name: name.text,
      role: role === 'entry' ? 'fn' : role,
      declaration,
      id,
      span: name.span,
      parameters: parameters.order,
      axes: parameters.axes,
      numbers: parameters.numbers,
      formals: signature.formals,
      result,
      traits,
      inner,
    };
    scope.set(name.text, { kind: 'template', template }, name.span);
  } else {
    scope.set(
      name.text,
      { kind: 'family', family: familyOf(id, role, name, family, signature, traits, inner) },
      name.span,
    );
  }
  return declaration === null ? [] : [declaration];
}

/** `extern expert f[M](…)`: the host's, with a signature only. */
export function checkExtern(
  cx: Context,
  scope: NameScope,
  extern: ast.ExternDecl,
  docs: string,
): readonly Declaration[] {
  const id = cx.fresh<DeclarationId>();
  const family = checkFamily(cx, scope, extern.family ?? []);
  const types = extern.signature.formals.map((f) => checkType(cx, scope, f.type));
  const result = checkResult(cx, scope, extern.signature);
  const callable = { name: extern.name, signature: extern.signature };
  const signature = labelFormals(cx, callable, types, result);
  checkBoundary(cx, callable, extern.role, family, signature);
  const value = familyOf(id, extern.role, extern.name, family, signature, noTraits, new Map());
  scope.set(extern.name.text, { kind: 'family', family: value }, extern.name.span);
  const declaration = declarationOf(id, extern.role, { ...callable, docs }, null, family, signature, null);
  return declaration === null ? [] : [declaration];
}

function familyOf(
  id: DeclarationId,
  role: Family['role'],
  name: ast.Ident,
  family: readonly FamilyAxis[],
  signature: Signature,
  traits: Traits,
  inner: Inner,
): Family {
  const expr = { kind: 'named', decl: id, span: name.span } as const;
  const axes = family.map((f) => f.axis);
  const { formals, result } = signature;
  return {
    name: name.text,
    role,
    expr,
    source: expr,
    axes,
    rootAxes: axes,
    formals,
    result,
    traits,
    decl: id,
    inner,
    bound: new Map(),
  };
}

function declarationOf(
  id: DeclarationId,
  role: CallableDeclaration['role'],
  callable: Pick<CallableSyntax, 'name' | 'docs'>,
  template: CallableDeclaration['template'],
  family: readonly FamilyAxis[],
  signature: Signature,
  body: Block | null,
): CallableDeclaration | null {
  const { result, typed, formals } = signature;
  if (result === null || typed.length < formals.length) return null;
  return {
    kind: 'callable',
    role,
    id,
    name: callable.name.text,
    span: callable.name.span,
    documentation: callable.docs,
    template,
    family: family.map(({ axis, index }) => ({ axis, index })),
    formals: typed,
    result,
    body,
    uses: usedAxes(family, typed, result, body),
  };
}

// --------------------------------------------------------------------------------------------------------- signatures

/** An axis of a family with what its text said. */
export interface ReadFamilyAxis extends FamilyAxis {
  readonly named: ast.Ident | undefined;
  readonly syntax: ast.AstFamilyAxis;
}

/** Without the text: as the program holds it. */
export function bareFamily(family: readonly ReadFamilyAxis[]): readonly FamilyAxis[] {
  return family.map(({ axis, index }) => ({ axis, index }));
}

/** The axes of `[L, E]` or `[l in L]`; those with a mistake are left out. */
export function checkFamily(
  cx: Context,
  scope: NameScope,
  family: readonly ast.AstFamilyAxis[],
): readonly ReadFamilyAxis[] {
  const axes: ReadFamilyAxis[] = [];
  for (const syntax of family) {
    const { axis: name, index: named } = syntax;
    const axis = resolveAxisName(cx, scope, name);
    if (axis === null) continue;
    if (cx.isDynamic(axis.axis)) {
      cx.report('MOE0321', name.span, {
        message: `a family has a fixed number of instances, the size of ${cx.nameOf(axis)} is known only at a run`,
        labels: [{ span: cx.axisOf(axis).span, text: `${cx.nameOf(axis)} is declared here` }],
      });
      continue;
    }
    if (axes.some((a) => a.axis.axis === axis.axis && a.axis.primes === axis.primes)) {
      cx.report('MOE0301', name.span, { message: `${cx.nameOf(axis)} stands twice in this family` });
      continue;
    }
    const index = named === undefined ? null : cx.fresh<IndexId>();
    if (index !== null) cx.indices.set(index, axis);
    axes.push({ axis, index, named, syntax });
  }
  return axes;
}

function checkResult(cx: Context, scope: NameScope, signature: ast.Signature): ValueType | null {
  const items = signature.results.map((r) => ({
    name: r.name?.text,
    type: checkType(cx, scope, r.type),
    span: (r.name ?? r.type).span,
  }));
  const [only] = items;
  if (only !== undefined && items.length === 1 && only.name === undefined) return only.type;
  const typed = items.flatMap(({ name, type, span }) =>
    type === null ? [] : [name === undefined ? { type, span } : { name, type, span }],
  );
  const repeated = signature.results.find(
    (r, i) => r.name !== undefined && signature.results.findIndex((o) => o.name?.text === r.name?.text) < i,
  );
  if (repeated?.name !== undefined)
    cx.report('MOE0202', repeated.name.span, { message: `two results are called ${repeated.name.text}` });
  return typed.length === items.length ? { kind: 'tuple', items: typed } : null;
}

function bindFormals(
  cx: Context,
  outer: NameScope,
  head: NameScope,
  callable: Pick<CallableSyntax, 'signature' | 'name'>,
  types: readonly (ValueType | null)[],
  result: ValueType | null,
): Signature {
  const formals: FormalInfo[] = [];
  const typed: Formal[] = [];
  callable.signature.formals.forEach((formal, i) => {
    const { text: name, span } = formal.name;
    const type = types[i] ?? null;
    const local = cx.fresh<LocalId>();
    formals.push({ name, type, span });
    if (type !== null) typed.push({ local, name, span, type });
    if (head.own(name) !== null)
      cx.report('MOE0202', span, { message: `two arguments of ${callable.name.text} are called ${name}` });
    else if (mayName(cx, outer, name, span))
      head.set(name, type === null ? { kind: 'error' } : { kind: 'local', local, type, untyped: false }, span);
    else head.set(name, { kind: 'error' }, span);
  });
  return { formals, typed, result };
}

/** The formals of an extern: labels that only the host reads. Without a body they shadow nothing, so they may be any name, each once. */
function labelFormals(
  cx: Context,
  { signature, name: owner }: Pick<CallableSyntax, 'signature' | 'name'>,
  types: readonly (ValueType | null)[],
  result: ValueType | null,
): Signature {
  const formals = signature.formals.map(({ name }, i) => ({
    name: name.text,
    type: types[i] ?? null,
    span: name.span,
  }));
  const typed = formals.flatMap(({ name, type, span }) =>
    type === null ? [] : [{ local: cx.fresh<LocalId>(), name, span, type }],
  );
  const repeated = formals.find(({ name }, i) => formals.findIndex((other) => other.name === name) < i);
  if (repeated !== undefined)
    cx.report('MOE0202', repeated.span, { message: `two arguments of ${owner.text} are called ${repeated.name}` });
  return { formals, typed, result };
}

/** What is wrong with a signature as a whole. */
function checkBoundary(
  cx: Context,
  callable: Pick<CallableSyntax, 'name' | 'signature'>,
  role: Family['role'],
  family: readonly FamilyAxis[],
  signature: Signature,
): void {
  const { name } = callable;
  const { result } = signature;
  if (role === 'router' && result !== null) {
    const items = result.kind === 'tuple' ? result.items.map((i) => i.type) : [result];
    if (items.every((t) => t.kind !== 'route')) {
      const span = callable.signature.results[0]?.type.span ?? name.span;
      cx.report('MOE0413', span, {
        message: `the router ${name.text} returns no route`,
        help: `write fn ${name.text}, or declare the result route[…]`,
      });
    }
  }
  if (role === 'entry') {
    callable.signature.formals.forEach((formal, i) => {
      if (signature.formals[i]?.type?.kind !== 'route') return;
      cx.report('MOE0414', formal.type.span, {
        message: `${formal.name.text} is a route, which a caller cannot give`,
        help: 'take ids and make the route of them: pick(ids, over: E)',
      });
    });
  }
  const boundary = [...signature.formals.map((f) => f.type), result].flatMap((t) =>
    t === null ? [] : mentionedAxes(t),
  );
  const clash = family.find((f) => hasAxis(boundary, f.axis));
  if (clash !== undefined) {
    const axes = formatAxes(
      family.map((f) => f.axis),
      cx.nameOf,
    );
    cx.report('MOE0408', name.span, {
      message: `${name.text} is a family over ${axes} and also takes or gives ${cx.nameOf(clash.axis)}`,
      help: 'inside, an instance does not see the axes of its family: leave it out of the signature',
    });
  }
}

// -------------------------------------------------------------------------------------------------------------- traits

function givesUntyped(value: CheckedValue): boolean {
  return value.kind === 'value' && value.typedAs !== null && value.expr.type.kind === 'route' && isWhole(value.expr);
}

/** Whether an instance of a body has a param, state or input of its own. */
function haveVariables(declarations: readonly Declaration[]): boolean {
  return declarations.some((d) => {
    switch (d.kind) {
      case 'variable':
        return true;
      case 'callable':
        return d.template === null && d.body !== null && blockHasVariables(d.body);
      case 'instance':
        return true;
      default:
        return false;
    }
  });
}

function blockHasVariables(block: Block): boolean {
  return haveVariables(block.declarations);
}

/** What can be named from outside: variables and instances, those in an `if` of the body included. */
function innerOf(declarations: readonly Declaration[], scope: NameScope): Inner {
  const inner = new Map<string, InnerMember>(scope.brokenNames().map((name) => [name, { kind: 'error' }]));
  for (const d of declarations) {
    if (d.kind === 'variable') inner.set(d.name, { kind: 'variable', declaration: d });
    const entity = scope.own(d.kind === 'axis' || d.kind === 'const' ? '' : d.name)?.entity;
    if (entity?.kind === 'family' && entity.family.expr.kind === 'named')
      inner.set(d.name, { kind: 'family', family: entity.family });
  }
  return inner;
}
