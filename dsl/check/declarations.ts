/**
 * The declarations of one scope, read in an order in which each comes after what it refers to.
 */
import type * as ast from '../syntax/ast.ts';
import { unreachable } from '../diagnostics/bug.ts';
import { checkVariableSource } from './check-sources.ts';
import { checkCallable, checkExtern } from './callables.ts';
import { coerce } from './check-coercions.ts';
import type { Context } from './context.ts';
import { mentionsOfExpr } from './mentions.ts';
import { checkInstanceOrUnion } from './check-instances.ts';
import type { DeclarationId, ProgramAxisId } from '../types/ids.ts';
import type { AxisVar, Declaration, Static, StaticType, VariableDeclaration } from '../types/program.ts';
import { declareItems, itemsOf, namesIn, sortItems, type Item } from './resolve-names.ts';
import type { NameScope } from './name-scope.ts';
import { variableIsOne } from './steps.ts';
import { checkType } from './type-exprs.ts';
import { formatType, listWords } from './types.ts';
import { staticOf } from './values.ts';

/** Declares and reads them all. The result is in reading order: whatever a declaration needs stands before it. */
export function checkDeclarations(
  cx: Context,
  scope: NameScope,
  decls: readonly (ast.Decl | ast.Entry)[],
): readonly Declaration[] {
  const items = declareItems(cx, scope, itemsOf(decls));
  return readItems(cx, sortScope(cx, scope, items), () => scope);
}

/** Sorts the items of one scope; the members of a circle are errors from here on. */
function sortScope(cx: Context, scope: NameScope, items: readonly Item[]): readonly Item[] {
  const byName = new Map<string, Item>();
  for (const item of items) {
    byName.set(item.name.text, item);
    if (item.kind === 'callable' && item.newAxis !== null) byName.set(item.newAxis.name, item);
  }
  return sortReporting(
    cx,
    items,
    (item) => referenced(item, byName),
    () => scope,
  );
}

function* referenced(item: Item, byName: ReadonlyMap<string, Item>): Iterable<Item> {
  for (const name of namesIn(item)) {
    const other = byName.get(name);
    if (other === undefined) continue;
    // A union mentions its own new axis: it declares it.
    if (other === item && item.kind === 'callable' && item.newAxis?.name === name) continue;
    yield other;
  }
}

/** Sorts, reports circles, and marks their members as errors in their scopes. */
export function sortReporting(
  cx: Context,
  items: readonly Item[],
  references: (item: Item) => Iterable<Item>,
  scopeOf: (item: Item) => NameScope,
): readonly Item[] {
  const { sorted, circles } = sortItems(items, references);
  const broken = new Set<Item>();
  for (const circle of circles) {
    const [first] = circle;
    if (first === undefined || circle.some((item) => broken.has(item))) continue;
    for (const item of circle) broken.add(item);
    // A long circle is told by its beginning.
    const names = circle.slice(0, 4).map((item) => item.name.text);
    if (circle.length > 4) names.push('…');
    const calls = circle.every((item) => item.kind === 'callable' || item.kind === 'entry');
    const path = [...names, first.name.text].join(' → ');
    cx.report(calls ? 'MOE0417' : 'MOE0206', first.name.span, {
      message: calls
        ? `${first.name.text} calls itself${names.length > 1 ? `: ${path}` : ''}`
        : `${listWords(names)} ${names.length > 1 ? 'depend on one another' : 'depends on itself'}: ${path}`,
      labels: circle
        .slice(1, 4)
        .map((item) => ({ span: item.name.span, text: `${item.name.text} is part of the circle` })),
      help: calls ? 'what is repeated a number of times is a chain' : undefined,
    });
  }
  for (const item of broken) {
    scopeOf(item).set(item.name.text, { kind: 'error' }, item.name.span);
    if (item.kind === 'callable' && item.newAxis !== null)
      scopeOf(item).set(item.newAxis.name, { kind: 'error' }, item.newAxis.span);
  }
  return sorted.filter((item) => !broken.has(item));
}

/** Reads sorted items, each in its scope. */
export function readItems(
  cx: Context,
  items: readonly Item[],
  scopeOf: (item: Item) => NameScope,
): readonly Declaration[] {
  const out: Declaration[] = [];
  for (const item of items) {
    const scope = scopeOf(item);
    const made = scope.made.length;
    const read = readItem(cx, scope, item);
    // Instances made for an initial value stand before what uses them.
    out.push(...scope.made.splice(made), ...read);
    if (scope.own(item.name.text)?.entity.kind === 'pending')
      scope.set(item.name.text, { kind: 'error' }, item.name.span);
  }
  return out;
}

function readItem(cx: Context, scope: NameScope, item: Item): readonly Declaration[] {
  switch (item.kind) {
    case 'axis':
      return readAxis(cx, scope, item.name, item.binding);
    case 'const':
      return readConst(cx, scope, item.name, item.binding);
    case 'variable':
      return readVariable(cx, scope, item.slot, item.keyword);
    case 'callable':
      return item.decl.definition.kind === 'Function'
        ? checkCallable(cx, scope, {
            ...item.decl,
            signature: item.decl.definition.signature,
            body: item.decl.definition.body,
            docs: item.docs,
          })
        : checkInstanceOrUnion(cx, scope, item.decl, item.decl.definition, item.newAxis);
    case 'extern':
      return checkExtern(cx, scope, item.decl, item.docs);
    case 'entry':
      return checkCallable(cx, scope, { ...item.entry, role: 'entry', docs: item.docs });
    default:
      return unreachable(item, 'check');
  }
}

function readAxis(cx: Context, scope: NameScope, name: ast.Ident, binding: ast.AxisBinding): readonly Declaration[] {
  const id = cx.fresh<ProgramAxisId>();
  const base = { kind: 'axis', id, name: name.text, span: name.span } as const;
  const axis: AxisVar = { axis: id, primes: 0 };
  if (binding.points !== undefined) {
    const names = binding.points.map((p) => p.text);
    binding.points.forEach((point, i) => {
      if (names.indexOf(point.text) < i)
        cx.report('MOE0202', point.span, { message: `${name.text} has two points called ${point.text}` });
      else scope.addPoint(point.text, axis);
    });
    const declaration = cx.axis({ ...base, of: { kind: 'points', names } });
    scope.set(name.text, { kind: 'axis', axis }, name.span);
    return [declaration];
  }
  if (binding.size === undefined) {
    if (scope.owner.role !== 'model' || scope.parent === null) {
      cx.report('MOE0305', name.span, {
        message: `${name.text} has no size: an axis bound by inputs is declared in the model`,
        help: `give it one: axis ${name.text} = …`,
      });
      return [];
    }
    const declaration = cx.axis({ ...base, of: { kind: 'dynamic' } });
    scope.set(name.text, { kind: 'axis', axis }, name.span);
    return [declaration];
  }
  const size = staticOf(cx, scope, binding.size, 'number');
  if (size === null) return [];
  const declaration = cx.axis({ ...base, of: { kind: 'sized', size } });
  scope.set(name.text, { kind: 'axis', axis }, name.span);
  return [declaration];
}

function readConst(cx: Context, scope: NameScope, name: ast.Ident, binding: ast.ConstBinding): readonly Declaration[] {
  let value: Static | null = null;
  if (binding.value === undefined) {
    if (scope.owner.role !== 'model') {
      cx.report('MOE0305', name.span, {
        message: `${name.text} has no value: only a const of the model may come from outside`,
        help: `const ${name.text} = …`,
      });
      return [];
    }
  } else {
    value = staticOf(cx, scope, binding.value, null);
    if (value === null) return [];
  }
  const id = cx.fresh<DeclarationId>();
  const type: StaticType = value?.type ?? 'number';
  const declaration = cx.const({ kind: 'const', id, name: name.text, span: name.span, type, value });
  scope.set(name.text, { kind: 'const', decl: id, type }, name.span);
  return [declaration];
}

function readVariable(
  cx: Context,
  scope: NameScope,
  slot: ast.Slot,
  keyword: ast.VariableDecl['keyword'],
): readonly Declaration[] {
  const { name } = slot;
  const type = checkType(cx, scope, slot.type);
  if (type === null) return [];
  if (type.kind !== 'tensor') {
    cx.report('MOE0414', slot.type.span, {
      message: `${keyword === 'input' ? 'an input' : `a ${keyword}`} is a dense tensor, not ${formatType(type, cx.nameOf)}`,
      help:
        keyword === 'input'
          ? 'take ids and make the route of them: pick(ids, over: E)'
          : 'store its scores, and select from them',
    });
    return [];
  }
  const moving = type.axes.find((a) => cx.isDynamic(a.axis));
  const atModel = scope.owner.role === 'model';
  if (moving !== undefined && !(keyword === 'input' && atModel)) {
    cx.report('MOE0321', slot.type.span, {
      message: `${keyword === 'input' ? 'an input of a body' : `a ${keyword}`} has a fixed shape, the size of ${cx.nameOf(moving)} is known only at a run`,
      labels: [{ span: cx.axisOf(moving).span, text: `${cx.nameOf(moving)} is declared here` }],
      help: keyword === 'input' ? 'declare it in the model, or make it an argument' : undefined,
    });
    return [];
  }
  let initial = null;
  if (slot.initial !== undefined) {
    const value = cx.expr({ scope, points: null }, slot.initial);
    initial = coerce(cx, value, type, { what: name.text, span: slot.type.span }, slot.initial.span);
  }
  if (slot.source !== undefined && keyword === 'input') {
    cx.report('MOE0686', slot.source.span, {
      message: `${name.text} is an input, which comes from the caller and not from a checkpoint`,
      help: 'a param or a state is stored',
    });
  }
  const source =
    slot.source === undefined || keyword === 'input' ? null : checkVariableSource(cx, scope, slot.source, type.axes);
  const id = cx.fresh<DeclarationId>();
  const declaration: VariableDeclaration = {
    kind: 'variable',
    role: keyword === 'input' ? 'control' : keyword,
    id,
    name: name.text,
    span: name.span,
    type,
    initial,
    frozen: slot.frozen,
    source,
  };
  if (!variableIsOne(cx, declaration) || !initialIsKnown(cx, scope, declaration)) return [];
  scope.set(name.text, { kind: 'variable', declaration }, name.span);
  cx.variables.set(id, declaration);
  return [declaration];
}

/**
 * Whether an initial value (or a control's default) reads only what is there when it is computed: no value of the body around,
 * and, if it is to be stored, nothing that changes or comes with a run.
 */
function initialIsKnown(cx: Context, scope: NameScope, declaration: VariableDeclaration): boolean {
  const { initial, name, role } = declaration;
  if (initial === null) return true;
  const mentions = mentionsOfExpr(cx, initial);
  const [local] = mentions.locals;
  if (local !== undefined) {
    cx.report('MOE0207', local.span, {
      message: `${local.name} is a value of the body around, which declarations do not see`,
      help:
        role === 'control'
          ? `compute it in the body of ${scope.owner.name}`
          : 'an initial value is made before any call',
    });
    return false;
  }
  if (role === 'control') return true;
  const moving = mentions.variables
    .map(({ decl, span }) => ({ span, declaration: cx.variables.get(decl) }))
    .find((m) => m.declaration !== undefined && m.declaration.role !== 'param');
  if (moving?.declaration !== undefined) {
    const { declaration: read } = moving;
    cx.report('MOE0363', moving.span, {
      message: `the initial value of ${name} reads ${read.name}, ${read.role === 'state' ? 'a state, which runs change' : 'an input, which a run gives'}`,
      labels: [{ span: read.span, text: `${read.name} is declared here` }],
      help: 'an initial value is made before any run: of numbers, sizes, draws and params',
    });
    return false;
  }
  return true;
}
