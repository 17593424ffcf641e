/**
 * `experts ffn[L, E] = SwiGLU<F> from "…"` and `experts mix[L, P] = ffn | copy`: instances of a template, and unions of families.
 */
import type * as ast from '../syntax/ast.ts';
import { at } from '../diagnostics/invariants.ts';
import type { DeclarationId, ProgramAxisId } from '../types/ids.ts';
import { hasAxis, withoutAxes } from '../types/axes.ts';
import { checkInstanceSource } from './check-sources.ts';
import { bareFamily, checkFamily } from './callables.ts';
import type { Context } from './context.ts';
import { describe, resolve } from './lookup.ts';
import type { AxisVar, Declaration, InstanceDeclaration, UnionDeclaration } from '../types/program.ts';
import type { Family, NameScope, Template } from './name-scope.ts';
import { instanceIsOne } from './steps.ts';
import { bindTemplate, instanceFamily } from './templates.ts';
import { formatType, sameType, substituteType } from './types.ts';

type Definition = Exclude<ast.CallableDecl['definition'], ast.FunctionDefinition>;

export function checkInstanceOrUnion(
  cx: Context,
  scope: NameScope,
  decl: ast.CallableDecl,
  definition: Definition,
  newAxis: ast.AxisName | null,
): readonly Declaration[] {
  const fail = (): readonly Declaration[] => {
    scope.set(decl.name.text, { kind: 'error' }, decl.name.span);
    if (newAxis !== null) scope.set(newAxis.name, { kind: 'error' }, newAxis.span);
    return [];
  };
  if (definition.kind === 'Instance') {
    const entity = resolve(
      cx,
      scope,
      definition.template.text,
      definition.template.span,
      (e) => e.kind === 'template' || e.kind === 'family',
    );
    if (entity === null || entity.kind === 'error' || entity.kind === 'pending') return fail();
    if (entity.kind === 'template')
      return checkInstance(cx, scope, decl, definition, entity.template, newAxis) ?? fail();
    if (entity.kind !== 'family' || definition.args !== undefined || definition.from !== undefined) {
      cx.report('MOE0402', definition.template.span, {
        message: `${definition.template.text} is ${describe(entity)}, not a template`,
        help: entity.kind === 'family' ? `${definition.template.text} is one already: use it as it is` : undefined,
      });
      return fail();
    }
    const member: ast.Member = { name: definition.template, span: definition.template.span };
    return checkUnion(cx, scope, decl, [member], newAxis) ?? fail();
  }
  return checkUnion(cx, scope, decl, definition.members, newAxis) ?? fail();
}

function checkInstance(
  cx: Context,
  scope: NameScope,
  decl: ast.CallableDecl,
  definition: ast.InstanceDefinition,
  template: Template,
  newAxis: ast.AxisName | null,
): readonly Declaration[] | null {
  const role = decl.role === 'experts' || decl.role === 'expert' ? 'expert' : decl.role;
  const { text: name, span } = decl.name;
  if (role !== template.role) {
    const keyword = template.role === 'expert' ? 'experts' : template.role;
    cx.report('MOE0407', definition.template.span, {
      message: `${template.name} is a template of ${template.role === 'expert' ? 'experts' : `a ${template.role}`}, ${name} is declared ${decl.role}`,
      labels: [{ span: template.span, text: `${template.name} is declared here` }],
      help: `write ${keyword} ${name} = ${template.name}<…>`,
    });
  }
  if (newAxis !== null) {
    cx.report('MOE0201', newAxis.span, {
      message: `no axis is called ${newAxis.name}`,
      help: `declare it: axis ${newAxis.name} = …; only a union makes a new axis`,
    });
    return null;
  }
  const family = checkFamily(cx, scope, decl.family ?? []);
  if (family.length < (decl.family?.length ?? 0)) return null;
  const bindings = bindTemplate(cx, scope, template, definition.args ?? [], definition.template.span);
  if (bindings === null) return null;
  const id = cx.fresh<DeclarationId>();
  const value = instanceFamily(cx, template, bindings, { id, name, span, family });
  if (value === null || !storesAreFixed(cx, template, value, definition)) return null;
  const source =
    definition.from === undefined ? null : checkInstanceSource(cx, scope, definition.from, template, value);
  const declaration: InstanceDeclaration = {
    kind: 'instance',
    role: template.role,
    id,
    name,
    span,
    family: bareFamily(family),
    template: template.id,
    axes: bindings.axes,
    numbers: bindings.numbers,
    source,
  };
  if (!instanceIsOne(cx, declaration, template.traits.hasVariables)) return null;
  scope.set(name, { kind: 'family', family: { ...value, from: source } }, span);
  return [declaration];
}

/** Params of an instance have a fixed shape: none of their axes may become a dynamic one. */
function storesAreFixed(cx: Context, template: Template, family: Family, definition: ast.InstanceDefinition): boolean {
  for (const [name, member] of template.inner) {
    if (member.kind !== 'variable') continue;
    const type = substituteType(member.declaration.type, family.bound);
    const moving = type.kind === 'tensor' ? type.axes.find((a) => cx.isDynamic(a.axis)) : undefined;
    if (moving === undefined) continue;
    cx.report('MOE0321', definition.template.span, {
      message: `${name} of ${template.name} would run over ${cx.nameOf(moving)}, whose size is known only at a run`,
      labels: [{ span: member.declaration.span, text: `${name} is declared here` }],
      help: 'give the template an axis of fixed size',
    });
    return false;
  }
  return true;
}

// ------------------------------------------------------------------------------------------------------------- unions

function checkUnion(
  cx: Context,
  scope: NameScope,
  decl: ast.CallableDecl,
  members: readonly ast.Member[],
  newAxis: ast.AxisName | null,
): readonly Declaration[] | null {
  const { text: name, span } = decl.name;
  const families = members.map((member) => memberFamily(cx, scope, member));
  if (newAxis === null) {
    cx.report('MOE0409', span, {
      message:
        (decl.family ?? []).length === 0
          ? `${name} is a union and declares no axis for its members`
          : `every axis of ${name} is declared already: a union declares the one its members run along`,
      help: `write experts ${name}[P] = …, where nothing else declares P`,
    });
    return null;
  }
  const left = (decl.family ?? []).filter((f) => f.axis !== newAxis);
  const shared = checkFamily(cx, scope, left);
  if (shared.length < left.length || families.some((f) => f === null)) return null;
  const whole = families.filter((f) => f !== null);
  const first = at(whole, 0, 'check: member of a union');
  if (!membersAgree(cx, decl, members, whole)) return null;
  // So none of them is an axis that a member takes or gives: some member is a family over it, and all take and give the same.
  for (const { axis } of shared) {
    if (whole.some((f) => hasAxis(f.axes, axis))) continue;
    cx.report('MOE0409', span, {
      message: `no member of ${name} has the axis ${cx.nameOf(axis)}`,
      help: `leave it out: ${newAxis.name} is the new axis`,
    });
    return null;
  }

  const id = cx.fresh<DeclarationId>();
  const axis = cx.axis({
    kind: 'axis',
    id: cx.fresh<ProgramAxisId>(),
    name: newAxis.name,
    span: newAxis.span,
    of: { kind: 'union', union: id },
  });
  const variable: AxisVar = { axis: axis.id, primes: 0 };
  const sharedAxes = shared.map((f) => f.axis);
  const declaration: UnionDeclaration = {
    kind: 'union',
    id,
    name,
    span,
    shared: sharedAxes,
    axis,
    members: whole.map((family, i) => ({
      name: members[i]?.name.text ?? family.name,
      family: family.expr,
      axes: withoutAxes(family.axes, sharedAxes),
    })),
  };
  cx.unions.set(axis.id, declaration);
  scope.set(newAxis.name, { kind: 'axis', axis: variable }, newAxis.span);
  const axes = (decl.family ?? []).map((f) =>
    f.axis === newAxis ? variable : (shared.find((s) => s.syntax === f)?.axis ?? variable),
  );
  const expr = { kind: 'named', decl: id, span } as const;
  const family: Family = {
    name,
    role: first.role,
    expr,
    source: expr,
    axes,
    rootAxes: axes,
    formals: first.formals,
    result: first.result,
    traits: { ...first.traits, updates: whole.find((f) => f.traits.updates !== null)?.traits.updates ?? null },
    decl: id,
    inner: new Map(),
    bound: new Map(),
  };
  scope.set(name, { kind: 'family', family }, span);
  return [declaration];
}

function memberFamily(cx: Context, scope: NameScope, member: ast.Member): Family | null {
  const base: ast.AstExpr = { kind: 'Name', name: member.name.text, primes: 0, span: member.name.span };
  const expr: ast.AstExpr =
    member.indices === undefined ? base : { kind: 'Index', target: base, indices: member.indices, span: member.span };
  const entity = resolve(cx, scope, member.name.text, member.name.span, (e) => e.kind === 'family');
  if (entity === null || entity.kind === 'error' || entity.kind === 'pending') return null;
  if (entity.kind === 'template') {
    cx.report('MOE0403', member.span, {
      message: `${member.name.text} is a template: a member of a union is an instance`,
      help: `make one: experts ${member.name.text.toLowerCase()} = ${member.name.text}${entity.template.parameters.length === 0 ? '' : '<…>'}`,
    });
    return null;
  }
  if (entity.kind !== 'family') {
    cx.report('MOE0410', member.span, {
      message: `${member.name.text} is ${describe(entity)}, a member of a union is a family of functions`,
    });
    return null;
  }
  const value = cx.expr({ scope, points: null }, expr);
  return value.kind === 'family' ? value.family : null;
}

/** Members take and give the same. */
function membersAgree(
  cx: Context,
  decl: ast.CallableDecl,
  members: readonly ast.Member[],
  families: readonly Family[],
): boolean {
  const first = at(families, 0, 'check: member of a union');
  const show = (family: Family): string => {
    const types = family.formals.map((f) => (f.type === null ? '?' : formatType(f.type, cx.nameOf)));
    return `(${types.join(', ')}) -> ${family.result === null ? '?' : formatType(family.result, cx.nameOf)}`;
  };
  for (const [i, family] of families.entries()) {
    const differs =
      family.formals.length !== first.formals.length ||
      family.formals.some((f, k) => {
        const other = first.formals[k]?.type;
        return f.type !== null && other !== null && other !== undefined && !sameType(f.type, other);
      }) ||
      (family.result !== null && first.result !== null && !sameType(family.result, first.result));
    if (!differs) continue;
    cx.report('MOE0410', members[i]?.span ?? decl.name.span, {
      message: `${family.name} is ${show(family)}, ${first.name} is ${show(first)}: the members of ${decl.name.text} take and give the same`,
      labels: [{ span: members[0]?.span ?? decl.name.span, text: `${first.name} is ${show(first)}` }],
    });
    return false;
  }
  return true;
}
